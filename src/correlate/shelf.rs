//! Entries by key, of which those with the greatest keys are given up when there is no room.
//!
//! A table, not a tree: each flow that ends looks for its entries, and of a tree's steps most would
//! miss the cache. The table holds places alone, so that it is small; the entries lie in rows behind
//! it, where whoever wants all of them walks straight through. What follows from the order of keys,
//! it sorts when it is full.

use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::rows::Rows;

/// What is added up, and may take more room the more it knows.
pub(super) trait Sum {
    /// Adds what another knows.
    fn add(&mut self, other: Self);

    /// Places that it takes, which adding never lessens.
    fn places(&self) -> usize {
        1
    }
}

/// The hash by which shelves look a key up: nobody outside knows its seed, and all shelves share it.
pub(super) fn seeded(key: &(impl Hash + ?Sized)) -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    STATE.hash_one(key)
}

/// Entries of at most `room` places together, and an eighth more until they are settled.
///
/// Kept are as many as fit, from the least key on: which these are depends neither on the order in
/// which they came nor on how shelves were merged. For an entry fits if all up to it do; then there
/// was a greater one to give up whenever room was wanted, so it was never given up in between, and is
/// complete.
#[derive(Clone, Debug)]
pub(super) struct Shelf<K, V> {
    places: HashTable<Place>,
    rows: Rows<(K, V)>,
    room: usize,
    taken: usize,
    /// The least key that was given up: from it on nothing is taken any more.
    full_from: Option<K>,
}

/// Where an entry lies, with half of the hash of its key: a table that grows looks at nothing else.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    row: u32,
}

impl Place {
    /// The whole hash that the table goes by: it looks at the bits of both ends.
    fn spread(self) -> u64 {
        u64::from(self.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl<K: Ord + Clone, V: Sum> Shelf<K, V> {
    pub(super) fn of(room: usize) -> Self {
        Self { places: HashTable::new(), rows: Rows::default(), room, taken: 0, full_from: None }
    }

    /// Adds `value` to what is known of `key`, of which `hash` is the half that is kept.
    fn add(&mut self, hash: u32, key: K, value: V) {
        match self.row(hash, |known| *known == key) {
            Some(row) => self.change_row(row, |known| known.add(value)),
            None => self.insert(hash, key, value),
        }
    }

    /// Changes what is known of the key that is hashed so and for which `is` holds; if there is none,
    /// what is `blank`, under the key that it has.
    pub(super) fn change(
        &mut self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        blank: impl FnOnce() -> (K, V),
        change: impl FnOnce(&mut V),
    ) {
        if let Some(row) = self.row(hash as u32, is) {
            self.change_row(row, change);
        } else {
            let (key, mut value) = blank();
            change(&mut value);
            self.insert(hash as u32, key, value);
        }
    }

    /// What is known of `key`, of which `hash` is the [`seeded`] hash.
    pub(super) fn get(&self, hash: u64, key: &K) -> Option<&V> {
        let row = self.row(hash as u32, |known| known == key)?;
        self.rows.get(row as usize).map(|(_, value)| value)
    }

    /// Whether what may have been known of `key` was given up.
    pub(super) fn gave_up(&self, key: &K) -> bool {
        self.full_from.as_ref().is_some_and(|from| key >= from)
    }

    /// Where the key lies that is hashed so and for which `is` holds.
    fn row(&self, hash: u32, is: impl Fn(&K) -> bool) -> Option<u32> {
        let holds = |place: &Place| {
            place.hash == hash && self.rows.get(place.row as usize).is_some_and(|(key, _)| is(key))
        };
        let spread = Place { hash, row: 0 }.spread();
        self.places.find(spread, holds).map(|place| place.row)
    }

    fn change_row(&mut self, row: u32, change: impl FnOnce(&mut V)) {
        let Some((_, value)) = self.rows.get_mut(row as usize) else { return };
        let before = value.places();
        change(value);
        let more = value.places() - before;
        self.take(more);
    }

    fn insert(&mut self, hash: u32, key: K, value: V) {
        if self.gave_up(&key) {
            return;
        }
        let places = value.places();
        let place = Place { hash, row: self.rows.push((key, value)) as u32 };
        self.places.insert_unique(place.spread(), place, |place| place.spread());
        self.take(places);
    }

    fn take(&mut self, places: usize) {
        self.taken += places;
        if self.taken > self.room + self.room / 8 {
            self.settle();
        }
    }

    /// Adds what the other shelf holds; there is then as much room as the larger one has.
    pub(super) fn merge(&mut self, mut other: Self) {
        let room = self.room.max(other.room);
        self.room = room;
        if self.rows.len() == 0 && !self.is_full() {
            *self = Self { room, ..other };
            return;
        }
        if let Some(from) = other.full_from.take()
            && self.full_from.as_ref().is_none_or(|own| from < *own)
        {
            self.give_up(from);
        }
        for (hash, (key, value)) in other.into_hashed() {
            self.add(hash, key, value);
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

    /// Gives up all entries from `from` on, and takes none of these any more. What is kept stays in its
    /// rows, of which the gaps are filled from the end: beside a full shelf there is no room for another.
    fn give_up(&mut self, from: K) {
        let mut hashes = self.hashes();
        let mut row = 0;
        while let Some((key, value)) = self.rows.get(row) {
            if *key < from {
                row += 1;
            } else {
                self.taken -= value.places();
                self.rows.swap_remove(row);
                hashes.swap_remove(row);
            }
        }
        self.places.clear();
        for (hash, row) in hashes.into_iter().zip(0..) {
            let place = Place { hash, row };
            self.places.insert_unique(place.spread(), place, |place| place.spread());
        }
        self.full_from = Some(from);
    }

    /// The hashes of all keys, by row.
    fn hashes(&self) -> Vec<u32> {
        let mut hashes = vec![0; self.rows.len()];
        for place in &self.places {
            if let Some(hash) = hashes.get_mut(place.row as usize) {
                *hash = place.hash;
            }
        }
        hashes
    }

    /// The entries, with the hashes of their keys.
    fn into_hashed(self) -> impl Iterator<Item = (u32, (K, V))> {
        self.hashes().into_iter().zip(self.rows.into_values())
    }

    /// Bytes that the entries take, without what they own elsewhere.
    pub(super) fn memory(&self) -> usize {
        self.places.allocation_size() + self.rows.memory()
    }

    /// Whether anything was given up.
    pub(super) const fn is_full(&self) -> bool {
        self.full_from.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The entries, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&K, &V)> + Clone {
        self.rows.iter().map(|(key, value)| (key, value))
    }

    /// The entries, in no order, to be changed when nothing will be added any more.
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.rows.iter_mut().map(|(key, value)| (&*key, value))
    }
}

impl<K: Ord + Clone, V: Sum + PartialEq> PartialEq for Shelf<K, V> {
    fn eq(&self, other: &Self) -> bool {
        let known = |place: &Place| {
            let (key, value) = self.rows.get(place.row as usize)?;
            Some(other.get(place.hash.into(), key) == Some(value))
        };
        (self.room, self.taken, &self.full_from) == (other.room, other.taken, &other.full_from)
            && self.len() == other.len()
            && self.places.iter().all(|place| known(place) == Some(true))
    }
}

impl<K: Ord + Clone, V: Sum + Eq> Eq for Shelf<K, V> {}

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
                // Hashes that many keys share, too.
                let hash = seeded(&(key % 20));
                let part = &mut parts[usize::from(place < cut)];
                part.change(
                    hash,
                    |known| known == key,
                    || (*key, Vec::new()),
                    |values| values.add(vec![*value]),
                );
            }
            let mut wide = Shelf::of(1_000);
            parts.iter_mut().for_each(Shelf::settle);
            for part in &parts {
                wide.merge(part.clone());
            }
            let kept: BTreeMap<u16, Vec<u8>> =
                wide.entries().map(|(key, values)| (*key, values.clone())).collect();
            let given_up = parts.iter().filter_map(|part| part.full_from).min();
            let mut whole = expected(&all, usize::MAX);
            whole.retain(|key, _| given_up.is_none_or(|from| *key < from));
            prop_assert_eq!(&kept, &whole, "what all parts kept, where there is room for all");
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
