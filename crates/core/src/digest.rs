//! SHA-256 in lower-case hex, as `sha256sum` prints it, so that a person can check.

use sha2::{Digest, Sha256};

const HEX: [u8; 16] = *b"0123456789abcdef";

/// Digest of bytes.
pub fn of(bytes: impl AsRef<[u8]>) -> String {
    let digest = Sha256::digest(bytes.as_ref());
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(|nibble| char::from(HEX[usize::from(nibble)])).collect()
}
