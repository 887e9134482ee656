//! JSON text to structures: the text to a tree, the tree to the structure.
//!
//! Used for everything that is read into structures: frames, journals, what tools print. The library makes its reader
//! of a structure anew for every source of text; by way of the tree there is one source. A fault therefore names no
//! line and column: what is read here is written by programs, most of it in one line. Never reads a file.

use serde::de::DeserializeOwned;
use serde_json::Error;

/// What the text says. Of a field that stands there twice the last one counts.
///
/// # Errors
/// The text is not JSON, or not what a `T` is written as.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    serde_json::from_value(serde_json::from_slice(text)?)
}

#[cfg(test)]
#[path = "json_test.rs"]
mod tests;
