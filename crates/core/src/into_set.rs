//! An ordered set out of values, one inserted after the other.
//!
//! Used wherever a set is gathered, for the reason given at [`crate::into_map`].

use std::collections::BTreeSet;

/// What makes an ordered set of an iterator.
pub trait IntoSet<T> {
    /// All values, each once; of equal ones the first one stays.
    fn into_set(self) -> BTreeSet<T>;
}

impl<T: Ord, I: Iterator<Item = T>> IntoSet<T> for I {
    fn into_set(self) -> BTreeSet<T> {
        let mut set = BTreeSet::new();
        for value in self {
            set.insert(value);
        }
        set
    }
}
