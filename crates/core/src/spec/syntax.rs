//! The first syntax error of a file, in words that help.

use super::secret;
use crate::diagnostic::Diagnostic;
use crate::explain::file;

/// The first of the errors by its place, if there is one.
pub(super) fn first(errors: &[toml::de::Error], text: &str) -> Option<Diagnostic> {
    let error = errors.iter().min_by_key(|e| e.span().map_or(0, |s| s.start))?;
    let span = error.span().unwrap_or(0..0);
    let span = span.start.min(text.len())..span.end.min(text.len());
    let message = error.message();
    if message.contains("duplicate key") {
        return Some(duplicate(text, span));
    }
    let line_start = text.get(..span.start).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line_start..).and_then(|t| t.lines().next()).unwrap_or_default();
    if let Some((name, _)) = line.split_once('=')
        && secret::is_secret_name(name.trim())
    {
        let start = line_start + name.len() - name.trim_start().len();
        return Some(secret::fault(name.trim(), start..start + name.trim().len()));
    }
    let mut fault = Diagnostic::error(file::SYNTAX, span, format!("syntax error: {message}"));
    if let Some(bare) = bare_word(line) {
        fault.message = "syntax error: text stands in quotes".to_owned();
        fault = fault.help(format!("write: \"{bare}\""));
    } else if line.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        fault = fault.help("use straight quotes: \"\u{2026}\"");
    } else if line.matches('"').count() % 2 == 1 {
        fault = fault.help("a text begins and ends with a double quote, on one line");
    }
    Some(fault)
}

fn duplicate(text: &str, span: std::ops::Range<usize>) -> Diagnostic {
    let name = text.get(span.clone()).unwrap_or_default();
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
    let (what, help) = if line.starts_with('[') {
        (format!("the section `{name}` occurs twice"), "join the two sections")
    } else {
        (format!("`{name}` occurs twice in this section"), "remove one of the two")
    };
    Diagnostic::error(file::SYNTAX, span, format!("syntax error: {what}")).help(help)
}

/// The value of a `key = value` line that lacks its quotes: a word that begins with a letter, or
/// something like an address or a path.
fn bare_word(line: &str) -> Option<&str> {
    let (_, value) = line.split_once('=')?;
    let value = value.split('#').next().unwrap_or_default().trim();
    let plain = !value.is_empty()
        && !matches!(value, "true" | "false" | "inf" | "nan")
        && value.chars().all(|c| c.is_alphanumeric() || "._-:/@~".contains(c));
    let number = value.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    (plain && !number).then_some(value)
}
