//! From data to text for people; nothing here decides anything.

use std::io::Write;

use ringbolt_core::json;
use serde::Serialize;

pub(crate) mod bench;
pub(crate) mod diagnostic;
pub(crate) mod disk;
pub(crate) mod obstacle;
pub(crate) mod paste;
pub(crate) mod plan;
pub(crate) mod plot;
pub(crate) mod roll;
pub(crate) mod survey;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod topology;
pub(crate) mod tune;
pub(crate) mod verify;
pub(crate) mod verify_ceph;

/// A value as JSON, for programs, with the end of the line.
pub(crate) fn write_json(out: &mut dyn Write, value: &impl Serialize) -> std::io::Result<()> {
    writeln!(out, "{}", json::pretty(value)?)
}

/// How text for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether to use colour on standard output.
    pub(crate) colour: bool,
    /// Whether to use colour on standard error.
    pub(crate) colour_err: bool,
    /// Columns a line may have.
    pub(crate) width: usize,
    /// Lab and files this call was given: commands a reader may paste name them as well.
    pub(crate) again: paste::Again,
}

impl Style {
    /// Without colour, for tests.
    #[cfg(test)]
    pub(crate) const fn plain(width: usize) -> Self {
        Self { colour: false, colour_err: false, width, again: paste::Again::NOTHING }
    }

    /// A text whose commands, in backquotes, are about the nodes of this call: they work when pasted.
    pub(crate) fn paste(self, text: &str) -> String {
        self.again.in_text(text)
    }

    /// The same for text that goes to standard error: either of the two may be a file.
    pub(crate) fn err(self) -> Self {
        Self { colour: self.colour_err, ..self }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For what matters.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// For what is wrong.
    pub(crate) fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// For what is right.
    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what deserves a second look.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }
}

/// `1 step`, `3 steps`.
pub(crate) fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

/// More nodes than this are counted, not listed.
const LISTED: usize = 6;

/// The nodes something is about, of `all` there are (0: not known): `n1 n2 n3`, `16 nodes`, `9 of 16 nodes`.
pub(crate) fn nodes(names: &[&str], all: usize) -> String {
    if names.len() <= LISTED {
        names.join(" ")
    } else if names.len() >= all || all == 0 {
        count(names.len(), "node")
    } else {
        format!("{} of {}", names.len(), count(all, "node"))
    }
}

/// Indents every line.
pub(crate) fn indent(text: &str, by: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{by}{line}\n") }).collect()
}
