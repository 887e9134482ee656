//! JSON text to structures, by way of a tree; structures to indented text, by way of the text in one line.
//!
//! Used for everything that is read into structures: frames, journals, what tools print. The library makes its reader
//! of a structure anew for every source of text, and its writer for every form of it; this way there is one of each. A
//! fault in what is read names no line and column: it is written by programs, most of it in one line. Never reads a
//! file.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Error;

/// What the text says. Of a field that stands there twice the last one counts.
///
/// # Errors
/// The text is not JSON, or not what a `T` is written as.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    serde_json::from_value(serde_json::from_slice(text)?)
}

/// The value on lines of their own, two spaces deeper a level, without the end of the last line.
///
/// # Errors
/// The value has no form in JSON: a map whose keys are not texts.
pub fn pretty(value: &impl Serialize) -> Result<String, Error> {
    Ok(indent(&serde_json::to_string(value)?))
}

/// Compact JSON on lines of their own. What stands in quotes stays as it is.
fn indent(compact: &str) -> String {
    let mut text = String::with_capacity(compact.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut rest = compact.chars().peekable();
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(sign) = rest.next() {
        if quoted {
            text.push(sign);
            quoted = sign != '"' || escaped;
            escaped = sign == '\\' && !escaped;
            continue;
        }
        match sign {
            '{' | '[' => {
                text.push(sign);
                // Nothing in it: both brackets stay on one line.
                match rest.next_if(|next| matches!(next, '}' | ']')) {
                    Some(close) => text.push(close),
                    None => {
                        depth += 1;
                        line(&mut text, depth);
                    }
                }
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut text, depth);
                text.push(sign);
            }
            ',' => {
                text.push(sign);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => {
                quoted = sign == '"';
                text.push(sign);
            }
        }
    }
    text
}

#[cfg(test)]
#[path = "json_test.rs"]
mod tests;
