//! SHA-256 in lower-case hex, as `sha256sum` prints it, so that a person can check.

use sha2::{Digest, Sha256};

/// Digest of bytes.
pub fn of(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes.as_ref()).iter().map(|b| format!("{b:02x}")).collect()
}
