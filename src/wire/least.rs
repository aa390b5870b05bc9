//! What is known by key, of which the greatest keys are given up when there is no room.

use std::collections::BTreeMap;
use std::collections::btree_map::{Iter, Range};
use std::ops::RangeBounds;

/// Entries by key, at most so many, from the least key on.
///
/// Which these are depends neither on the order in which they came nor on how maps were merged, and
/// each is complete: once a key was given up, nothing is taken from it on. So the keys should be
/// hashes first of all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Least<K, V> {
    entries: BTreeMap<K, V>,
    room: usize,
    full_from: Option<K>,
}

impl<K, V> Least<K, V> {
    /// Room for so many entries.
    pub const fn with_room(room: usize) -> Self {
        Self { entries: BTreeMap::new(), room, full_from: None }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether any was given up.
    pub const fn is_full(&self) -> bool {
        self.full_from.is_some()
    }

    /// All, in the order of their keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.entries.iter()
    }
}

impl<K: Ord, V> Least<K, V> {
    /// What is known of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// Those with keys in `range`.
    pub fn range(&self, range: impl RangeBounds<K>) -> Range<'_, K, V> {
        self.entries.range(range)
    }

    /// Whether nothing more is taken of keys so `far` that all from them on were given up.
    pub fn is_beyond(&self, far: impl FnOnce(&K) -> bool) -> bool {
        self.full_from.as_ref().is_some_and(far)
    }
}

impl<K: Ord, V: Default> Least<K, V> {
    /// Changes what is known of `key`, if there is room.
    pub fn change(&mut self, key: K, change: impl FnOnce(&mut V)) {
        if self.is_beyond(|from| key >= *from) {
            return;
        }
        change(self.entries.entry(key).or_default());
        if self.entries.len() > self.room {
            self.full_from = self.entries.pop_last().map(|(key, _)| key);
        }
    }

    /// Adds what `other` knows; there is then as much room as the larger one has.
    pub fn merge(&mut self, other: Self, mut add: impl FnMut(&mut V, V)) {
        self.room = self.room.max(other.room);
        if let Some(from) = other.full_from
            && !self.is_beyond(|own| *own <= from)
        {
            drop(self.entries.split_off(&from));
            self.full_from = Some(from);
        }
        for (key, value) in other.entries {
            self.change(key, |own| add(own, value));
        }
    }
}

impl<'a, K, V> IntoIterator for &'a Least<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_is_complete_however_it_came(
            all in prop::collection::vec((0_u8..40, 0_usize..3), 0..200),
            rooms in [1_usize..30, 1_usize..30, 1_usize..30],
        ) {
            let mut parts = rooms.map(Least::<u8, usize>::with_room);
            let mut sums: BTreeMap<u8, usize> = BTreeMap::new();
            for (key, part) in &all {
                parts[*part].change(*key, |sum| *sum += 1);
                *sums.entry(*key).or_default() += 1;
            }
            let merged = |order: [usize; 3]| {
                let mut whole = Least::with_room(1);
                for part in order {
                    whole.merge(parts[part].clone(), |own, more| *own += more);
                }
                whole
            };
            let whole = merged([0, 1, 2]);
            prop_assert!(whole.len() <= rooms.into_iter().max().unwrap_or_default());
            let distinct = sums.len();
            sums.retain(|key, _| !whole.is_beyond(|from| key >= from));
            prop_assert!(whole.iter().eq(&sums), "{whole:?} of {sums:?}");
            prop_assert_eq!(whole.len() < distinct, whole.is_full());
            if rooms[0] == rooms[1] && rooms[1] == rooms[2] {
                prop_assert_eq!(&whole, &merged([2, 0, 1]));
            }
        }
    }
}
