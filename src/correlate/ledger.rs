//! A bounded tally that is written for each flow and read when all have ended.
//!
//! What comes is put down as it comes, and sorted in once it has become much: a tree would be
//! searched from its root for each flow, and most steps of that would miss the cache.

use std::cmp::Ordering;

use super::rows::{Ahead, IntoValues, Rows};

/// What is put down.
pub(super) trait Entry {
    /// The order in which entries are filed; equal ones add up.
    fn order(&self, other: &Self) -> Ordering;

    /// What decides the order, unless it is equal.
    fn rank(&self) -> u64;

    /// Adds an equal one.
    fn add(&mut self, other: &Self);
}

/// Sorts entries, each of which is moved but once or twice: they are large.
fn sort_by_rank<E: Entry>(entries: &mut [E]) {
    let mut order: Vec<(u64, usize)> = entries.iter().map(E::rank).zip(0..).collect();
    order.sort_unstable_by(|(rank, place), (others, other)| {
        rank.cmp(others)
            .then_with(|| match (entries.get(*place), entries.get(*other)) {
                (Some(one), Some(other)) => one.order(other),
                _ => Ordering::Equal,
            })
            .then_with(|| place.cmp(other))
    });
    for place in 0..order.len() {
        // What stood there at first may have been swapped away, to where this leads.
        let mut from = order.get(place).map_or(place, |(_, from)| *from);
        while from < place {
            from = order.get(from).map_or(place, |(_, from)| *from);
        }
        if let Some((_, kept)) = order.get_mut(place) {
            *kept = from;
        }
        entries.swap(place, from);
    }
}

/// The entries of both, each of which are in order and unlike each other; equal ones add up.
fn in_order<E: Entry>(mut one: IntoValues<E>, mut other: impl Ahead<Item = E>) -> Rows<E> {
    let mut all = Rows::default();
    while let Some((next, others)) = one.first().zip(other.first()) {
        let next = match next.order(others) {
            Ordering::Less => one.next(),
            Ordering::Greater => other.next(),
            Ordering::Equal => one.next().zip(other.next()).map(|(mut next, others)| {
                next.add(&others);
                next
            }),
        };
        if let Some(next) = next {
            all.push(next);
        }
    }
    one.chain(other).for_each(|left| {
        all.push(left);
    });
    all
}

/// Entries: those that are filed, and those that came since.
///
/// Each have a list of their own: in one list each entry that comes after the others were filed would
/// have all of them moved to where there is more room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ledger<E> {
    /// In order and unlike each other.
    filed: Rows<E>,
    fresh: Vec<E>,
}

impl<E> Default for Ledger<E> {
    fn default() -> Self {
        Self { filed: Rows::default(), fresh: Vec::new() }
    }
}

impl<E: Entry> Ledger<E> {
    /// Entries that may come before they are sorted in.
    const FRESH_MIN: usize = 1 << 10;
    /// As many may come as are sorted in, up to this number; beyond, a quarter as many.
    const FRESH_ALIKE: usize = 1 << 15;

    /// Puts an entry down. Returns whether so many are fresh that it is time to settle: as many
    /// entries are then moved, on the average, whatever their number.
    pub(super) fn put(&mut self, entry: E) -> bool {
        self.fresh.push(entry);
        let filed = self.filed.len();
        let alike = filed.min(Self::FRESH_ALIKE);
        self.fresh.len() >= Self::FRESH_MIN.max(alike).max(filed / 4)
    }

    /// Sorts in what is fresh, and adds up what is equal.
    pub(super) fn settle(&mut self) {
        if self.is_settled() {
            return;
        }
        sort_by_rank(&mut self.fresh);
        // The order in which equal ones came plays no part.
        self.fresh.dedup_by(|later, first| {
            let equal = first.order(later).is_eq();
            if equal {
                first.add(later);
            }
            equal
        });
        let filed = std::mem::take(&mut self.filed).into_values();
        self.filed = in_order(filed, self.fresh.drain(..));
    }

    /// Keeps, of a settled ledger, the entries for which `keep` holds.
    pub(super) fn retain(&mut self, keep: impl FnMut(&E) -> bool) {
        debug_assert!(self.is_settled());
        self.filed.retain(keep);
    }

    /// Keeps, of a settled ledger, the first `max` entries; gives the first one that is given up.
    pub(super) fn truncate(&mut self, max: usize) -> Option<E>
    where
        E: Copy,
    {
        debug_assert!(self.is_settled());
        let first_out = self.filed.get(max).copied();
        self.filed.truncate(max);
        first_out
    }

    /// The entries of a settled ledger in order, without the first ones, which are `before`.
    pub(super) fn from(&self, before: impl FnMut(&E) -> bool) -> impl Iterator<Item = &E> {
        self.filed.from(self.count(before))
    }

    /// How many entries of a settled ledger are `before` the others.
    pub(super) fn count(&self, before: impl FnMut(&E) -> bool) -> usize {
        debug_assert!(self.is_settled());
        self.filed.partition_point(before)
    }

    /// Files all that another one has.
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        let filed = std::mem::take(&mut self.filed).into_values();
        self.filed = in_order(filed, other.filed.into_values());
    }

    /// Bytes that the entries take, without what they own elsewhere.
    pub(super) const fn memory(&self) -> usize {
        self.filed.memory() + self.fresh.capacity() * size_of::<E>()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.filed.len() == 0 && self.fresh.is_empty()
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.fresh.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Entry for (u8, u8, u32) {
        fn order(&self, other: &Self) -> Ordering {
            (self.0, self.1).cmp(&(other.0, other.1))
        }

        fn rank(&self) -> u64 {
            self.0.into()
        }

        fn add(&mut self, other: &Self) {
            self.2 += other.2;
        }
    }

    proptest! {
        #[test]
        fn entries_are_filed_and_equal_ones_add_up(
            lots in prop::collection::vec(prop::collection::vec((0u8..9, 0u8..9), 0..90), 1..4),
            apart in prop::collection::vec((0u8..9, 0u8..9), 0..90),
            settled: bool,
        ) {
            let mut ledger = Ledger::default();
            let mut sums = std::collections::BTreeMap::new();
            for lot in lots {
                for (rank, rest) in lot {
                    ledger.put((rank, rest, 1));
                    *sums.entry((rank, rest)).or_insert(0) += 1;
                }
                ledger.settle();
            }
            let mut other = Ledger::default();
            for (rank, rest) in apart {
                other.put((rank, rest, 1));
                *sums.entry((rank, rest)).or_insert(0) += 1;
            }
            if settled {
                other.settle();
            }
            ledger.absorb(other);
            ledger.settle();
            let filed: Vec<_> = ledger.from(|_| false).map(|(rank, rest, sum)| ((*rank, *rest), *sum)).collect();
            prop_assert_eq!(filed, sums.into_iter().collect::<Vec<_>>());
        }
    }
}
