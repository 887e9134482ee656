//! Frames as bytes: one JSON object a line, with a cap on its length.
//!
//! Used by the links of the fleet. Never interprets a frame beyond its type, never buffers more than one frame
//! over the cap.

use ringbolt_core::json;
use ringbolt_core::wire::{Answer, MAX_FRAME, Request};
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is asked of the pipe at the least; a long frame's buffer doubles.
const CHUNK: usize = 4 * 1024;

/// Capacity that is kept between frames; a larger buffer is given back.
const KEEP: usize = 16 * 1024;

/// Why no frame came.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The pipe failed.
    #[error("cannot read from the agent: {0}")]
    Read(#[from] std::io::Error),
    /// A line over [`MAX_FRAME`].
    #[error("a frame of more than {MAX_FRAME} bytes")]
    TooLong,
    /// A line that is no answer: what it begins with.
    #[error("not a frame: {0:?}")]
    NotAFrame(String),
}

/// Reads answers from a pipe. Dropping the future of [`Self::next`] loses nothing.
pub struct FrameReader<R> {
    inner: R,
    buffer: Vec<u8>,
    scanned: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader at the start of a stream.
    pub fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::new(), scanned: 0 }
    }

    /// The next answer; `None` at the end of the stream. What stands unfinished at the end is an error.
    ///
    /// # Errors
    /// The pipe failed, or the line is too long or no frame.
    pub async fn next(&mut self) -> Result<Option<Answer>, FrameError> {
        loop {
            if let Some(end) = self.find_line() {
                let answer = json::read(&self.buffer[..end]).map_err(|_| self.no_frame(end));
                self.consume(end + 1);
                return answer.map(Some);
            }
            if self.buffer.len() > MAX_FRAME {
                return Err(FrameError::TooLong);
            }
            self.buffer.reserve(CHUNK);
            if self.inner.read_buf(&mut self.buffer).await? == 0 {
                let rest = self.buffer.len();
                return if rest == 0 { Ok(None) } else { Err(self.no_frame(rest)) };
            }
        }
    }

    fn find_line(&mut self) -> Option<usize> {
        let found = self.buffer[self.scanned..].iter().position(|b| *b == b'\n').map(|at| self.scanned + at);
        self.scanned = if found.is_some() { 0 } else { self.buffer.len() };
        found
    }

    fn consume(&mut self, count: usize) {
        self.buffer.drain(..count);
        if self.buffer.is_empty() && self.buffer.capacity() > KEEP {
            self.buffer = Vec::new();
        }
    }

    fn no_frame(&self, end: usize) -> FrameError {
        let shown = &self.buffer[..end.min(200)];
        FrameError::NotAFrame(String::from_utf8_lossy(shown).trim_end().to_owned())
    }
}

/// The bytes of a request, line end included.
pub fn encode(request: &Request) -> Vec<u8> {
    let mut frame = serde_json::to_vec(request).unwrap_or_default();
    frame.push(b'\n');
    frame
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use ringbolt_core::wire::Say;

    async fn read_all(bytes: &[u8]) -> Vec<Result<Answer, FrameError>> {
        let mut reader = FrameReader::new(bytes);
        let mut all = Vec::new();
        for _ in 0..10 {
            match reader.next().await {
                Ok(None) => break,
                Ok(Some(answer)) => all.push(Ok(answer)),
                Err(error) => {
                    all.push(Err(error));
                    break;
                }
            }
        }
        all
    }

    #[tokio::test]
    async fn two_frames_in_one_read_come_one_by_one() {
        let read = read_all(b"{\"id\":1,\"body\":\"alive\"}\n{\"id\":2,\"body\":\"alive\"}\n").await;
        let ids: Vec<u64> = read.iter().map(|a| a.as_ref().unwrap().id).collect();
        assert_eq!(ids, [1, 2]);
        assert_eq!(read[0].as_ref().unwrap().body, Say::Alive);
    }

    #[tokio::test]
    async fn noise_is_named_and_so_is_a_torn_frame() {
        let read = read_all(b"Welcome to pve1\n").await;
        assert!(matches!(&read[0], Err(FrameError::NotAFrame(line)) if line == "Welcome to pve1"));
        let read = read_all(b"{\"id\":1,").await;
        assert!(matches!(&read[0], Err(FrameError::NotAFrame(line)) if line == "{\"id\":1,"));
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_off_at_the_cap() {
        let reader = tokio::io::repeat(b'x');
        let mut reader = FrameReader::new(reader);
        assert!(matches!(reader.next().await, Err(FrameError::TooLong)));
        assert!(reader.buffer.len() <= 2 * MAX_FRAME);
    }
}
