//! A password on its way from a person to ssh. Used by `askpass` and whoever asks the person.
//!
//! It cannot be shown, written, copied or compared, and no part of it stays in memory when it is dropped.

use std::io::Read;

/// Longest password; what is longer is none.
const LONGEST: usize = 4096;

/// A password.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a password.
    pub fn new(text: String) -> Self {
        Self(text.into_bytes())
    }

    /// Reads one to the end of a stream, into memory that never moves.
    pub(super) fn read(from: &mut impl Read) -> std::io::Result<Self> {
        let mut secret = Self(vec![0; LONGEST]);
        let mut length = 0;
        loop {
            match from.read(&mut secret.0[length..])? {
                0 if length == LONGEST => return Err(std::io::Error::other("the answer is too long")),
                0 => break,
                count => length += count,
            }
        }
        secret.0.truncate(length);
        Ok(secret)
    }

    /// Its bytes, to be handed on.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn wipe(&mut self) {
        // All that was ever held, also beyond what was cut off.
        let held = self.0.capacity();
        self.0.clear();
        self.0.resize(held, 0);
        std::hint::black_box(&self.0);
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Does not compile as soon as the type can do one of these.
    macro_rules! never {
        ($name:ident: $does:path) => {
            #[test]
            fn $name() {
                trait Either<Which> {
                    fn it() {}
                }
                struct Both;
                impl<T: ?Sized> Either<()> for T {}
                impl<T: ?Sized + $does> Either<Both> for T {}
                <Secret as Either<_>>::it();
            }
        };
    }

    never!(it_is_never_serialised: serde::Serialize);
    never!(it_is_never_displayed: std::fmt::Display);
    never!(it_is_never_cloned: Clone);
    never!(it_is_never_compared: PartialEq);

    #[test]
    fn what_is_shown_of_it_is_its_kind() {
        assert_eq!(format!("{:?}", Secret::new("geheim".into())), "Secret");
    }

    #[test]
    fn it_is_read_whole_or_not_at_all_and_nothing_of_it_stays() {
        let mut secret = Secret::read(&mut &b"geheim"[..]).unwrap();
        assert_eq!(secret.bytes(), b"geheim");
        secret.wipe();
        assert!(secret.0.len() >= 6 && secret.0.iter().all(|b| *b == 0));
        assert!(Secret::read(&mut std::io::repeat(b'x')).is_err());
    }
}
