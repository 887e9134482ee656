//! From data to text for people; nothing here decides anything.

pub(crate) mod diagnostic;

/// How text for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether to use colour.
    pub(crate) colour: bool,
}
