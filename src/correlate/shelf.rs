//! Entries by key, of which those with the greatest keys are given up when there is no room.
//!
//! A table, not a tree: each flow that ends looks for its entries, and of a tree's steps most would
//! miss the cache. What follows from the order of keys, it sorts when it is full.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// What is added up, and may take more room the more it knows.
pub(super) trait Sum {
    /// Adds what another knows.
    fn add(&mut self, other: Self);

    /// Places that it takes, which adding never lessens.
    fn places(&self) -> usize {
        1
    }
}

/// Entries of at most `room` places together, and an eighth more until they are settled.
///
/// Kept are as many as fit, from the least key on: which these are depends neither on the order in
/// which they came nor on how shelves were merged. For an entry fits if all up to it do; then there
/// was a greater one to give up whenever room was wanted, so it was never given up in between, and is
/// complete.
#[derive(Clone, Debug)]
pub(super) struct Shelf<K, V> {
    entries: HashTable<Kept<K, V>>,
    hasher: RandomState,
    room: usize,
    taken: usize,
    /// The least key that was given up: from it on nothing is taken any more.
    full_from: Option<K>,
}

/// An entry, with the hash of its key: a table that grows looks at nothing else.
#[derive(Clone, Debug)]
struct Kept<K, V> {
    hash: u64,
    entry: Box<(K, V)>,
}

impl<K: Ord + Hash + Clone, V: Sum> Shelf<K, V> {
    pub(super) fn of(room: usize) -> Self {
        let hasher = RandomState::default();
        Self { entries: HashTable::new(), hasher, room, taken: 0, full_from: None }
    }

    pub(super) fn add(&mut self, key: K, value: V) {
        if self.full_from.as_ref().is_some_and(|from| key >= *from) {
            return;
        }
        let hash = self.hasher.hash_one(&key);
        let same = |kept: &Kept<K, V>| kept.hash == hash && kept.entry.0 == key;
        self.taken += match self.entries.entry(hash, same, |kept| kept.hash) {
            Entry::Vacant(place) => {
                let places = value.places();
                place.insert(Kept { hash, entry: Box::new((key, value)) });
                places
            }
            Entry::Occupied(mut place) => {
                let (_, known) = &mut *place.get_mut().entry;
                let before = known.places();
                known.add(value);
                known.places() - before
            }
        };
        if self.taken > self.room + self.room / 8 {
            self.settle();
        }
    }

    /// The key that is hashed as `like` and for which `is` holds.
    pub(super) fn known(&self, like: &impl Hash, is: impl Fn(&K) -> bool) -> Option<&K> {
        let hash = self.hasher.hash_one(like);
        let kept = self.entries.find(hash, |kept| kept.hash == hash && is(&kept.entry.0));
        kept.map(|kept| &kept.entry.0)
    }

    /// What is known of `key`.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let hash = self.hasher.hash_one(key);
        let kept = self.entries.find(hash, |kept| kept.hash == hash && kept.entry.0 == *key);
        kept.map(|kept| &kept.entry.1)
    }

    /// Adds what the other shelf holds.
    pub(super) fn merge(&mut self, other: Self) {
        if self.entries.is_empty() && !self.is_full() && self.room == other.room {
            *self = other;
            return;
        }
        if let Some(from) = other.full_from
            && self.full_from.as_ref().is_none_or(|own| from < *own)
        {
            self.give_up(from);
        }
        for Kept { entry, .. } in other.entries {
            let (key, value) = *entry;
            self.add(key, value);
        }
    }

    /// Gives up what does not fit.
    pub(super) fn settle(&mut self) {
        if self.taken <= self.room {
            return;
        }
        let mut order: Vec<(&K, usize)> =
            self.entries().map(|(key, value)| (key, value.places())).collect();
        order.sort_unstable_by_key(|(key, _)| *key);
        let mut taken = 0;
        let first_out = order.into_iter().find(|(_, places)| {
            taken += places;
            taken > self.room
        });
        if let Some(from) = first_out.map(|(key, _)| key.clone()) {
            self.give_up(from);
        }
    }

    fn give_up(&mut self, from: K) {
        self.entries.retain(|kept| kept.entry.0 < from);
        self.taken = self.entries().map(|(_, value)| value.places()).sum();
        self.full_from = Some(from);
    }

    /// Whether anything was given up.
    pub(super) const fn is_full(&self) -> bool {
        self.full_from.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&K, &V)> + Clone {
        self.entries.iter().map(|kept| (&kept.entry.0, &kept.entry.1))
    }

    /// The entries, in no order, to be changed when nothing will be added any more.
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.iter_mut().map(|kept| {
            let (key, value) = &mut *kept.entry;
            (&*key, value)
        })
    }
}

impl<K: Ord + Hash + Clone, V: Sum + PartialEq> PartialEq for Shelf<K, V> {
    fn eq(&self, other: &Self) -> bool {
        (self.room, self.taken, &self.full_from) == (other.room, other.taken, &other.full_from)
            && self.len() == other.len()
            && self.entries().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: Ord + Hash + Clone, V: Sum + Eq> Eq for Shelf<K, V> {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl Sum for Vec<u8> {
        fn add(&mut self, other: Self) {
            self.extend(other);
            self.sort_unstable();
        }

        fn places(&self) -> usize {
            self.len()
        }
    }

    /// As many as fit, from the least key on.
    fn expected(all: &[(u16, u8)], room: usize) -> BTreeMap<u16, Vec<u8>> {
        let mut whole: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        for (key, value) in all {
            whole.entry(*key).or_default().add(vec![*value]);
        }
        let mut taken = 0;
        whole
            .into_iter()
            .take_while(|(_, values)| {
                taken += values.len();
                taken <= room
            })
            .collect()
    }

    proptest! {
        #[test]
        fn what_fits_is_kept_whole_in_whatever_order_it_came(
            all in prop::collection::vec((0_u16..60, any::<u8>()), 0..200),
            cut in 0_usize..200,
            room in 1_usize..80,
        ) {
            let mut parts = [Shelf::of(room), Shelf::of(room)];
            for (place, (key, value)) in all.iter().enumerate() {
                parts[usize::from(place < cut)].add(*key, vec![*value]);
            }
            let [mut one, mut other] = parts;
            let mut turned = other.clone();
            turned.merge(one.clone());
            one.merge(std::mem::replace(&mut other, Shelf::of(room)));
            one.settle();
            turned.settle();
            let kept: BTreeMap<u16, Vec<u8>> =
                one.entries().map(|(key, values)| (*key, values.clone())).collect();
            prop_assert_eq!(&kept, &expected(&all, room));
            prop_assert_eq!(&one, &turned);
            let distinct = expected(&all, usize::MAX).len();
            prop_assert_eq!(one.is_full(), kept.len() < distinct);
        }
    }
}
