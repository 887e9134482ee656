//! The journal of a run: one event a line, on disk before what it announces begins.
//!
//! Written by the run's sink, read by `history` and `replay`. What a crash leaves half written is not read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ringbolt_core::event::{Event, What};
use ringbolt_core::json;

use crate::apply::Sink;

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    line: Vec<u8>,
}

impl Journal {
    /// Begins a journal; there must be none yet.
    ///
    /// # Errors
    /// The file exists, or cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
        Ok(Self { file, line: Vec::new() })
    }
}

impl Sink for Journal {
    fn record(&mut self, events: &[Event]) -> io::Result<()> {
        self.line.clear();
        for event in events {
            serde_json::to_writer(&mut self.line, event)?;
            self.line.push(b'\n');
        }
        self.file.write_all(&self.line)?;
        // What a tool said on the way is worth keeping, but nothing depends on it.
        if events.iter().all(|e| matches!(e.what, What::StepProgress { .. } | What::StepProving { .. })) {
            return Ok(());
        }
        self.file.sync_data()
    }
}

/// The events of a journal's text. A last line that is torn is dropped.
///
/// # Errors
/// The number of another line that cannot be read, from 1, and why.
pub fn parse(text: &[u8]) -> Result<Vec<Event>, (usize, serde_json::Error)> {
    let mut events = Vec::new();
    let mut rest = text;
    let mut number = 0;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        number += 1;
        match json::read(&rest[..end]) {
            Ok(event) => events.push(event),
            // A crash may leave zeros or half a line before the end of the file's last block.
            Err(_) if end + 1 == rest.len() => break,
            Err(error) => return Err((number, error)),
        }
        rest = &rest[end + 1..];
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn events() -> Vec<Event> {
        vec![
            Event { at_ms: 0, what: What::StepStarted { step: "n2/file:/a".into(), node: None } },
            Event { at_ms: 5, what: What::StepDone { step: "n2/file:/a".into(), took_ms: 5 } },
        ]
    }

    #[test]
    fn what_is_written_is_read_and_a_torn_end_is_dropped_at_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        Journal::create(&path).unwrap().record(&events()).unwrap();
        let text = std::fs::read(&path).unwrap();
        assert_eq!(parse(&text).unwrap(), events());
        let first = text.iter().position(|b| *b == b'\n').unwrap() + 1;
        for cut in first..text.len() {
            assert_eq!(parse(&text[..cut]).unwrap(), events()[..1], "cut at {cut}");
        }
    }

    #[test]
    fn a_spoilt_line_in_the_middle_is_named() {
        let text = b"{\"at_ms\":0,\"event\":\"stopping\"}\nnonsense\n{\"at_ms\":0,\"event\":\"stopping\"}\n";
        assert_eq!(parse(text).unwrap_err().0, 2);
    }

    #[test]
    fn a_journal_is_never_begun_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        Journal::create(&path).unwrap();
        assert_eq!(Journal::create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
