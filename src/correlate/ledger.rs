//! A bounded tally that is written for each flow and read when all have ended.
//!
//! What comes is put down as it comes, and sorted in once it has become much: a tree would be
//! searched from its root for each flow, and most steps of that would miss the cache.

use std::cmp::Ordering;

/// What is put down.
pub(super) trait Entry {
    /// The order in which entries are filed; equal ones add up.
    fn order(&self, other: &Self) -> Ordering;

    /// Adds an equal one.
    fn add(&mut self, other: &Self);
}

/// Entries, of which the first `settled` are in order and unlike each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ledger<E> {
    entries: Vec<E>,
    settled: usize,
}

impl<E> Default for Ledger<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), settled: 0 }
    }
}

impl<E: Entry> Ledger<E> {
    /// Entries that may come before they are sorted in.
    const FRESH_MIN: usize = 1 << 10;

    /// Puts an entry down. Returns whether so many are fresh that it is time to settle: as many
    /// entries are then moved, on the average, whatever their number.
    pub(super) fn put(&mut self, entry: E) -> bool {
        self.entries.push(entry);
        let fresh = self.entries.len() - self.settled;
        fresh >= Self::FRESH_MIN.max(self.settled / 4)
    }

    /// Sorts in what is fresh, and adds up what is equal.
    pub(super) fn settle(&mut self) {
        if self.is_settled() {
            return;
        }
        // Of equal ones the first stays, and the order in which they came plays no part.
        self.entries.sort_by(E::order);
        self.entries.dedup_by(|later, first| {
            let equal = first.order(later).is_eq();
            if equal {
                first.add(later);
            }
            equal
        });
        self.settled = self.entries.len();
    }

    /// Keeps, of a settled ledger, the entries for which `keep` holds.
    pub(super) fn retain(&mut self, keep: impl FnMut(&E) -> bool) {
        debug_assert!(self.is_settled());
        self.entries.retain(keep);
        self.settled = self.entries.len();
    }

    /// Keeps, of a settled ledger, the first `max` entries; whether there were more.
    pub(super) fn truncate(&mut self, max: usize) -> bool {
        debug_assert!(self.is_settled());
        let more = self.entries.len() > max;
        self.entries.truncate(max);
        self.settled = self.entries.len();
        more
    }

    /// The entries of a settled ledger in order, without the first ones, which are `before`.
    pub(super) fn from(&self, before: impl FnMut(&E) -> bool) -> impl Iterator<Item = &E> {
        debug_assert!(self.is_settled());
        let first = self.entries.partition_point(before);
        self.entries.iter().skip(first)
    }

    /// The last in order of those that are sorted in.
    pub(super) fn last_settled(&self) -> Option<&E> {
        self.settled.checked_sub(1).and_then(|last| self.entries.get(last))
    }

    /// All entries, in whatever order.
    pub(super) fn into_entries(self) -> Vec<E> {
        self.entries
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    const fn is_settled(&self) -> bool {
        self.settled == self.entries.len()
    }
}
