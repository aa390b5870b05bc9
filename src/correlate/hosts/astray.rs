//! Addresses that lead astray who asks for a name.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use foldhash::quality::RandomState;

use crate::correlate::names::normal;

/// For each name the addresses that forged answers gave for it, and no others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FalseAnswers(HashMap<String, [BTreeSet<IpAddr>; 2]>);

impl FalseAnswers {
    /// Adds what an answer for `name` gave that is `forged`, or stands beside a forged one.
    pub fn add(&mut self, name: &str, addresses: impl Iterator<Item = IpAddr>, forged: bool) {
        let Some(name) = normal(name) else { return };
        let [others, false_ones] = self.0.entry(name.into_owned()).or_default();
        if forged { false_ones } else { others }.extend(addresses);
    }

    /// The addresses at which nobody who asks for a name is with its host.
    pub(super) fn settle(&self) -> HashMap<&str, BTreeSet<IpAddr>, RandomState> {
        let alone = |[others, false_ones]: &[BTreeSet<IpAddr>; 2]| false_ones - others;
        let each = self.0.iter().map(|(name, given)| (name.as_str(), alone(given)));
        each.filter(|(_, given)| !given.is_empty()).collect()
    }
}
