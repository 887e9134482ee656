//! From text to `Spec`, or to every diagnostic at once, in file order.

use toml::de::DeTable;

use super::Spec;
use crate::diagnostic::Diagnostic;
use crate::explain::file;

/// What came of reading a spec.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The spec; `None` if a diagnostic is an error.
    pub spec: Option<Spec>,
    /// Everything found, in file order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    /// The text as it may be shown.
    pub fn shown(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Reads a spec.
pub fn read(text: &str) -> Outcome {
    let (_tree, errors) = DeTable::parse_recoverable(text);
    let diagnostics = errors
        .iter()
        .min_by_key(|e| e.span().map_or(0, |s| s.start))
        .map(|e| Diagnostic::error(file::SYNTAX, e.span().unwrap_or(0..0), e.message()))
        .into_iter()
        .collect();
    Outcome { spec: None, diagnostics }
}
