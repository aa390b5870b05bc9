//! What all flows together show, and how the lanes' parts of it become one.

use std::panic::resume_unwind;
use std::thread;

use super::resolvers::Resolvers;
use crate::correlate::{Acceptances, CertificateTally, HostTally, Passages, Swifts};

/// What all flows together show, against which each is held.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) certificates: CertificateTally,
    pub(super) passages: Passages,
    pub(super) acceptances: Acceptances,
    pub(super) swifts: Swifts,
    pub(super) resolvers: Resolvers,
}

impl Beside {
    /// Adds another lane's, but for the passages.
    fn merge(&mut self, other: Self) {
        self.certificates.merge(other.certificates);
        self.acceptances.merge(other.acceptances);
        self.swifts.merge(other.swifts);
        self.resolvers.merge(other.resolvers);
    }

    /// Of how many sorts there was no room for all.
    pub(super) fn full(&self) -> u64 {
        let Self { certificates, passages, acceptances, swifts, resolvers } = self;
        let full = [
            certificates.is_full(),
            passages.is_full(),
            acceptances.is_full(),
            swifts.is_full(),
            resolvers.habits.is_full(),
        ];
        full.into_iter().map(u64::from).sum()
    }
}

/// The lanes' tallies as one: where there were several lanes, the passages, which are about half of the
/// work, beside all else.
pub(super) fn merged(tallies: Vec<HostTally>, mut besides: Vec<Beside>) -> (HostTally, Beside) {
    fn sum<T: Default>(parts: Vec<T>, add: fn(&mut T, T)) -> T {
        parts.into_iter().fold(T::default(), |mut sum, part| {
            add(&mut sum, part);
            sum
        })
    }
    let passages: Vec<Passages> =
        besides.iter_mut().map(|beside| std::mem::take(&mut beside.passages)).collect();
    let rest = || {
        let mut beside = sum(besides, Beside::merge);
        beside.resolvers.settle();
        (sum(tallies, HostTally::merge), beside)
    };
    let ((tally, beside), passages) = if passages.len() < 2 {
        (rest(), sum(passages, Passages::merge))
    } else {
        thread::scope(|scope| {
            let passages = scope.spawn(|| sum(passages, Passages::merge));
            (rest(), passages.join().unwrap_or_else(|fault| resume_unwind(fault)))
        })
    };
    (tally, Beside { passages, ..beside })
}
