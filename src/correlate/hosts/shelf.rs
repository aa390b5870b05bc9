//! Entries in the order of their keys, of which the last are given up when there is no room.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What is added up, and takes more room the more it knows.
pub(super) trait Sum: Default {
    /// Adds what another knows.
    fn add(&mut self, other: Self);

    /// Places that it takes, which adding never lessens.
    fn places(&self) -> usize;
}

/// Entries of at most `room` places together.
///
/// Kept are as many as fit, from the least key on: which these are depends neither on the order in
/// which they came nor on how shelves were merged. For an entry fits if all up to it do; then there
/// was a greater one to give up whenever room was wanted, so it was never given up in between, and is
/// complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shelf<K, V> {
    entries: BTreeMap<K, V>,
    room: usize,
    taken: usize,
    /// The least key that was given up: from it on nothing is taken any more.
    full_from: Option<K>,
}

impl<K: Ord, V: Sum> Shelf<K, V> {
    pub(super) const fn of(room: usize) -> Self {
        Self { entries: BTreeMap::new(), room, taken: 0, full_from: None }
    }

    pub(super) fn add(&mut self, key: K, value: V) {
        if self.full_from.as_ref().is_some_and(|from| key >= *from) {
            return;
        }
        self.taken += match self.entries.entry(key) {
            Entry::Vacant(place) => place.insert(value).places(),
            Entry::Occupied(mut place) => {
                let known = place.get_mut();
                let before = known.places();
                known.add(value);
                known.places() - before
            }
        };
        while self.taken > self.room {
            let Some((key, value)) = self.entries.pop_last() else { return };
            self.taken -= value.places();
            self.full_from = Some(key);
        }
    }

    /// Adds what the other shelf holds.
    pub(super) fn merge(&mut self, other: Self) {
        if self.entries.is_empty() && !self.is_full() && self.room == other.room {
            *self = other;
            return;
        }
        let Self { entries, full_from, .. } = other;
        if let Some(from) = full_from
            && self.full_from.as_ref().is_none_or(|own| from < *own)
        {
            let given_up = self.entries.split_off(&from);
            self.taken -= given_up.values().map(V::places).sum::<usize>();
            self.full_from = Some(from);
        }
        for (key, value) in entries {
            self.add(key, value);
        }
    }

    /// Whether anything was given up.
    pub(super) const fn is_full(&self) -> bool {
        self.full_from.is_some()
    }

    pub(super) const fn entries(&self) -> &BTreeMap<K, V> {
        &self.entries
    }

    /// The entries, to be changed when nothing will be added any more.
    pub(super) const fn entries_mut(&mut self) -> &mut BTreeMap<K, V> {
        &mut self.entries
    }
}
