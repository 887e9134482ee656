//! Short random words for names that must not collide. Not for secrets.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Letters and digits that are hard to confuse; no vowels, so no words.
const LETTERS: &[u8; 28] = b"23456789bcdfghjkmnpqrstvwxyz";

/// `length` random letters, at most 12.
pub(crate) fn nonce(length: usize) -> String {
    let mut value = RandomState::new().build_hasher().finish();
    let mut word = String::new();
    for _ in 0..length.min(12) {
        word.push(char::from(LETTERS[usize::try_from(value % 28).unwrap_or(0)]));
        value /= 28;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_length_and_differ() {
        let words: std::collections::BTreeSet<String> = (0..100).map(|_| nonce(6)).collect();
        assert_eq!(words.len(), 100);
        assert!(words.iter().all(|w| w.len() == 6 && w.bytes().all(|b| LETTERS.contains(&b))));
    }
}
