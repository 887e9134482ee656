//! How a command ends when it does not end well: the texts and exit statuses
//! of Proxmox's command line.
//!
//! Used by every command of the stand-in.

use std::collections::BTreeMap;
use std::fmt;

/// A failed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fail {
    /// `400 Parameter verification failed.`, one line for each parameter.
    Params(BTreeMap<String, String>),
    /// The option parser gave up; the lines before its verdict, the verdict.
    Usage(Vec<String>, String),
    /// No such API path for that command. Exit status 1.
    NoHandler(String),
    /// Anything else.
    Die(String),
}

impl Fail {
    /// A plain failure.
    pub fn die(text: impl Into<String>) -> Self {
        Self::Die(text.into())
    }

    /// A failure of one parameter.
    pub fn param(name: &str, text: impl Into<String>) -> Self {
        Self::Params(BTreeMap::from([(name.to_owned(), text.into())]))
    }

    /// The exit status.
    #[must_use]
    pub fn status(&self) -> i32 {
        match self {
            Self::NoHandler(_) => 1,
            _ => 255,
        }
    }

    /// Puts `what: ` before the text of a plain failure.
    #[must_use]
    pub fn context(self, what: &str) -> Self {
        match self {
            Self::Die(text) => Self::Die(format!("{what}: {text}")),
            other => other,
        }
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Params(errors) => {
                write!(f, "400 Parameter verification failed.")?;
                for (name, text) in errors {
                    write!(f, "\n{name}: {text}")?;
                }
                Ok(())
            }
            Self::Usage(before, verdict) => {
                for line in before {
                    writeln!(f, "{line}")?;
                }
                write!(f, "400 {verdict}")
            }
            Self::NoHandler(text) | Self::Die(text) => f.write_str(text),
        }
    }
}

impl From<super::fabrics::FabricError> for Fail {
    fn from(error: super::fabrics::FabricError) -> Self {
        Self::Die(error.to_string())
    }
}

impl From<std::io::Error> for Fail {
    fn from(error: std::io::Error) -> Self {
        Self::Die(error.to_string())
    }
}
