//! SHA-256 in lower-case hex, as `sha256sum` prints it, so that a person can check.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const HEX: [u8; 16] = *b"0123456789abcdef";

/// Digest of bytes.
pub fn of(bytes: impl AsRef<[u8]>) -> String {
    let digest = Sha256::digest(bytes.as_ref());
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
    text
}

/// A text with its digest, which is computed once; copies share both. Stored as the text alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Arc<str>", into = "Arc<str>")]
pub struct Content {
    /// The text.
    pub text: Arc<str>,
    /// Its digest.
    pub digest: Arc<str>,
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Arc::<str>::from(text).into()
    }
}

impl From<Arc<str>> for Content {
    fn from(text: Arc<str>) -> Self {
        let digest = of(&*text).into();
        Self { text, digest }
    }
}

impl From<Content> for Arc<str> {
    fn from(content: Content) -> Self {
        content.text
    }
}
