//! An ordered map out of pairs, one inserted after the other.
//!
//! Used wherever a map is gathered. `collect` does the same by sorting first: faster for thousands of unsorted pairs,
//! but six kilobytes of code of their own for every place it is used in.

use std::collections::BTreeMap;

/// What makes an ordered map of an iterator over pairs.
pub trait IntoMap<K, V> {
    /// All pairs; of those with one key the last one stays, as with `collect`.
    fn into_map(self) -> BTreeMap<K, V>;
}

impl<K: Ord, V, I: Iterator<Item = (K, V)>> IntoMap<K, V> for I {
    fn into_map(self) -> BTreeMap<K, V> {
        let mut map = BTreeMap::new();
        for (key, value) in self {
            map.insert(key, value);
        }
        map
    }
}
