//! Frames in and out: one JSON object a line. What is too long or not understood becomes a fault
//! to answer, never a reason to fall over.

use std::io::{BufRead, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ringbolt_core::json;
use ringbolt_core::wire::{Answer, Failure, MAX_FRAME, Request, Say};

/// A line that is no request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The id it carries, where one can be made out; else 0.
    pub(crate) id: u64,
    /// What is wrong with it.
    pub(crate) what: String,
}

/// Reads the next line as a request; `None` at the end of input. Empty lines are passed over.
pub(crate) fn next(input: &mut impl BufRead) -> std::io::Result<Option<Result<Request, Fault>>> {
    loop {
        let mut line = Vec::new();
        let count = input.take(MAX_FRAME as u64).read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(None);
        }
        if count == MAX_FRAME && line.last() != Some(&b'\n') {
            skip_line(input)?;
            let what = format!("the frame is longer than {MAX_FRAME} bytes");
            return Ok(Some(Err(Fault { id: 0, what })));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(request(&line)));
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        let done = end.is_some() || buffer.is_empty();
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn request(line: &[u8]) -> Result<Request, Fault> {
    json::read(line).map_err(|error| {
        let value: Option<serde_json::Value> = serde_json::from_slice(line).ok();
        let id = value.as_ref().and_then(|v| v.get("id")?.as_u64()).unwrap_or(0);
        Fault { id, what: format!("not a request this agent knows: {error}") }
    })
}

/// The way out, shared by all that answer. Once the reader is gone everything said is dropped.
#[derive(Clone)]
pub(crate) struct Out(Arc<Mutex<Box<dyn Write + Send>>>);

impl Out {
    /// Answers go here.
    pub(crate) fn new(output: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(output))))
    }

    /// Says one thing. An answer too long for a frame becomes a failure that says so.
    pub(crate) fn say(&self, id: u64, body: Say) {
        let mut line = encode(&Answer { id, body });
        if line.len() >= MAX_FRAME {
            let failure =
                Failure::broken(format!("the answer has {} bytes, more than a frame holds", line.len()));
            line = encode(&Answer { id, body: Say::Failed(failure.hint("ask for fewer files at once")) });
        }
        line.push(b'\n');
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A reader that is gone shows as the end of input as well; there is nothing to do here.
        let _ = output.write_all(&line).and_then(|()| output.flush());
    }
}

fn encode(answer: &Answer) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_else(|error| {
        let failure = Failure::broken(format!("the answer cannot be written: {error}"));
        serde_json::to_vec(&Answer { id: answer.id, body: Say::Failed(failure) }).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use ringbolt_core::wire::Ask;

    #[test]
    fn requests_follow_one_another_past_what_is_none() {
        let long = "x".repeat(MAX_FRAME + 10);
        let text = format!(
            "\n{{\"id\":7,\"body\":{{\"sing\":{{}}}}}}\ngarbage\n{long}\n{{\"id\":1,\"body\":\"bye\"}}\n{{\"id\":2"
        );
        let mut input = text.as_bytes();
        let mut read = || next(&mut input).unwrap();
        let unknown = read().unwrap().unwrap_err();
        assert_eq!(unknown.id, 7);
        assert!(unknown.what.contains("sing"), "{}", unknown.what);
        assert_eq!(read().unwrap().unwrap_err().id, 0);
        assert!(read().unwrap().unwrap_err().what.contains("longer than"));
        assert_eq!(read().unwrap().unwrap(), Request { id: 1, body: Ask::Bye });
        assert!(read().unwrap().is_err());
        assert!(read().is_none());
    }
}
