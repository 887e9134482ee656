//! A spec's text from its file, and why it cannot be had, in the same words for every command.
//!
//! Used by `check`, by the session and by `lab up FILE`. It does not look into the text.

use std::path::Path;

use crate::session::Trouble;

/// Why a file could not be read at all.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: &'static str,
}

impl From<Unreadable> for Trouble {
    fn from(error: Unreadable) -> Self {
        Self::usage(error.message, error.hint)
    }
}

/// The text of a spec.
///
/// # Errors
/// The file cannot be read, or is not UTF-8 text.
pub(crate) fn read(path: &Path) -> Result<String, Unreadable> {
    let bytes = std::fs::read(path).map_err(|error| Unreadable {
        message: format!("cannot read {}: {}", path.display(), plain(&error)),
        hint: match error.kind() {
            std::io::ErrorKind::NotFound => "give the path of a spec; examples/ has eight to begin with",
            std::io::ErrorKind::PermissionDenied => "make the file readable for you",
            std::io::ErrorKind::IsADirectory => "give the file, not its directory",
            _ => "see whether the file can be read with other programs",
        },
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        Unreadable {
            message: format!("{} is not UTF-8 text: line {line} has a byte that cannot be", path.display()),
            hint: "save the file as UTF-8",
        }
    })
}

/// The error without the number the system adds.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
