//! Sorting of short lists: the places are sorted, then the values are put there.
//!
//! Used for lists of structures and texts. The library's `sort` does the same faster, with six kilobytes of code for
//! every type it is used with; here all types share one sort of places. Long lists of numbers are better off with the
//! library's, and `crate::topology` uses nothing else.

use std::cmp::Ordering;

/// What can be put in order. Equal values keep their order.
pub trait Arrange<T> {
    /// In the order of the values.
    fn arrange(&mut self)
    where
        T: Ord,
    {
        self.arrange_by(T::cmp);
    }

    /// In the order of what `compare` says of two values.
    fn arrange_by(&mut self, compare: impl Fn(&T, &T) -> Ordering);

    /// In the order of the keys, each made once.
    fn arrange_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K);
}

impl<T> Arrange<T> for [T] {
    fn arrange_by(&mut self, compare: impl Fn(&T, &T) -> Ordering) {
        let places = sorted(self.len(), &|a, b| compare(&self[a], &self[b]));
        put(self, places);
    }

    fn arrange_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K) {
        let keys: Vec<K> = self.iter().map(key).collect();
        let places = sorted(keys.len(), &|a, b| keys[a].cmp(&keys[b]));
        put(self, places);
    }
}

/// The places `0..count`, sorted by what stands there.
fn sorted(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

/// Puts at each place what stands at the place named there, one round of exchanges after the other.
fn put<T>(list: &mut [T], mut from: Vec<usize>) {
    for start in 0..list.len() {
        let mut at = start;
        loop {
            let next = std::mem::replace(&mut from[at], at);
            if next == start {
                break;
            }
            list.swap(at, next);
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_the_library_sorts(list in proptest::collection::vec((0_u8..9, any::<u8>()), 0..60)) {
            let (mut ours, mut theirs) = (list.clone(), list.clone());
            ours.arrange();
            theirs.sort();
            prop_assert_eq!(&ours, &theirs);

            let (mut ours, mut theirs) = (list.clone(), list.clone());
            ours.arrange_by(|a, b| b.0.cmp(&a.0));
            theirs.sort_by_key(|pair| std::cmp::Reverse(pair.0));
            prop_assert_eq!(&ours, &theirs);

            let (mut ours, mut theirs) = (list.clone(), list);
            ours.arrange_by_key(|pair| pair.0);
            theirs.sort_by_key(|pair| pair.0);
            prop_assert_eq!(&ours, &theirs);
        }
    }
}
