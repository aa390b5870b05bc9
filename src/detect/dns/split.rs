//! Answers for some names from nearer than all others: what a device in the path does that answers
//! for its list of names and lets the rest pass.
//!
//! The answers of a resolver fall into two groups, by TTL and by time. What chooses between them
//! without looking at the question (a balancer, an anycast route, a route that comes and goes) gives
//! one name now this group and now that; so groups that split by question without exception are
//! weighed by the chance of that. Who looks at the question and is innocent gives true answers: the
//! names that he knows, what he has in a cache. So the near answers must also be such that unrelated
//! names do not share: one address or one denial for all of them, which no answer from afar has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::exchange::Exchange;
use super::ledger::{Asked, Ledger, Saying, Sighting, last};
use super::marks::QUICKEST_MIN;
use crate::evidence::{Grade, chance_of_parting};
use crate::wire::{Duration, Timestamp, Ttl};

/// How one resolver's answers split.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Split {
    /// TTLs of the near answers.
    pub(super) ttls: RangeInclusive<u8>,
    /// What the near answers say, and for how many unrelated domains.
    pub(super) sayings: BTreeMap<Saying, usize>,
    /// The probability that groups of these sizes split so by chance.
    pub(super) chance: f64,
    pub(super) near: Count,
    pub(super) far: Count,
}

/// How much one group is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Count {
    pub(super) questions: usize,
    pub(super) answers: u32,
}

impl Split {
    /// Whether the answer of `exchange` is one of the near ones.
    pub(super) fn has(&self, exchange: &Exchange) -> bool {
        last(exchange).is_some_and(|reply| {
            let ttl = reply.stamp.ip.map(|ip| ip.ttl);
            ttl.is_some_and(|Ttl(ttl)| self.ttls.contains(&ttl))
                && self.sayings.contains_key(&Saying::of(reply))
        })
    }

    pub(super) fn grade(&self) -> Grade {
        if self.chance <= CHANCE_FULL { Grade::Full } else { Grade::Half }
    }
}

/// The splits of all resolvers that show one.
pub(super) fn splits(ledger: &Ledger) -> BTreeMap<IpAddr, Split> {
    let resolvers = ledger.by_resolver().into_iter();
    resolvers.filter_map(|(server, asked)| Some((server, Questions(&asked).split()?))).collect()
}

/// The questions of one resolver: name, type, answers.
struct Questions<'a>(&'a [(&'a str, u16, &'a Asked)]);

impl Questions<'_> {
    fn split(&self) -> Option<Split> {
        let ways = self.ways();
        let splits = ways.iter().filter_map(|ttls| self.split_off(ttls));
        let mut split = splits.min_by(|one, other| one.chance.total_cmp(&other.chance))?;
        // Of two groups only one can be the nearer; of more, as many but one were tried.
        split.chance *= ways.len().saturating_sub(1) as f64;
        (split.chance <= CHANCE_HALF).then_some(split)
    }

    /// The TTLs of all answers, those together that are next to each other: routes change by a hop
    /// or two. Too many of them are no two groups.
    fn ways(&self) -> Vec<RangeInclusive<u8>> {
        let ttls: BTreeSet<u8> =
            self.0.iter().flat_map(|(.., asked)| &asked.ttls).map(|(ttl, _)| *ttl).collect();
        let mut ways: Vec<RangeInclusive<u8>> = Vec::new();
        for ttl in ttls {
            match ways.last_mut() {
                Some(way) if ttl - *way.end() <= 2 => *way = *way.start()..=ttl,
                _ => ways.push(ttl..=ttl),
            }
        }
        let several = (2..=WAYS_MAX).contains(&ways.len());
        if several { ways } else { Vec::new() }
    }

    /// Whether the answers with `ttls` are split off from all others.
    fn split_off(&self, ttls: &RangeInclusive<u8>) -> Option<Split> {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for question @ (.., asked) in self.0 {
            let of_these = asked.ttls.iter().filter(|(ttl, _)| ttls.contains(ttl)).count();
            match of_these {
                0 => far.push(*question),
                all if all == asked.ttls.len() => near.push(*question),
                _ => return None,
            }
        }
        if !are_far_sooner(&near, &far) {
            return None;
        }
        let count = |group: &[(&str, u16, &Asked)]| Count {
            questions: group.len(),
            answers: group.iter().flat_map(|(.., asked)| &asked.ttls).map(|(_, n)| *n).sum(),
        };
        Some(Split {
            ttls: ttls.clone(),
            sayings: strange(&near, &far)?,
            chance: chance(&near, &far),
            near: count(&near),
            far: count(&far),
        })
    }
}

/// Whether an answer of `near` usually comes in less than three quarters of the time that the
/// quickest tenth of `far` took.
fn are_far_sooner(near: &[(&str, u16, &Asked)], far: &[(&str, u16, &Asked)]) -> bool {
    let times = |group: &[(&str, u16, &Asked)]| {
        let mut times: Vec<Duration> = sightings(group).filter_map(|one| one.took).collect();
        times.sort_unstable();
        times
    };
    let (near, far) = (times(near), times(far));
    let (usual, quick) = (near.get(near.len() / 2), far.get(far.len() / 10));
    usual
        .zip(quick)
        .is_some_and(|(usual, quick)| *quick >= QUICKEST_MIN && usual.times(4) < quick.times(3))
}

/// What the near answers say that true answers for names which have nothing to do with each other
/// do not; `None` where one of their domains has only answers that may be true, or where more
/// domains are answered from near than from afar, as before a portal's gate.
fn strange(
    near: &[(&str, u16, &Asked)],
    far: &[(&str, u16, &Asked)],
) -> Option<BTreeMap<Saying, usize>> {
    let domains: BTreeSet<&str> = near.iter().map(|(name, ..)| label_of(name)).collect();
    let others: BTreeSet<&str> =
        far.iter().map(|(name, ..)| label_of(name)).filter(|it| !domains.contains(it)).collect();
    if domains.len() > others.len() {
        return None;
    }
    let elsewhere: BTreeSet<Saying> = sightings(far).map(|one| one.saying).collect();
    let mut shared: BTreeMap<Saying, BTreeSet<&str>> = BTreeMap::new();
    for (name, _, asked) in near {
        for saying in asked.first.iter().map(|one| one.saying) {
            let strange = match saying {
                Saying::Nothing | Saying::Local => false,
                // Names that do not exist are asked for every day.
                Saying::Denied(_) => true,
                Saying::Data(_) => !elsewhere.contains(&saying),
            };
            if strange {
                shared.entry(saying).or_default().insert(label_of(name));
            }
        }
    }
    shared.retain(|_, domains| domains.len() >= UNRELATED_MIN);
    let explained: BTreeSet<&str> = shared.values().flatten().copied().collect();
    let all = !domains.is_empty() && explained.len() == domains.len();
    all.then(|| shared.into_iter().map(|(saying, domains)| (saying, domains.len())).collect())
}

/// The second label from the right, which stands for the owner: `news` of www.news.example. Names
/// under a public suffix of two labels count as one owner's, and so do one owner's names under many
/// suffixes: both err towards fewer owners.
fn label_of(name: &str) -> &str {
    let mut labels = name.trim_end_matches('.').rsplit('.');
    let top = labels.next().unwrap_or_default();
    labels.next().unwrap_or(top)
}

/// The probability that answers which come near or far by chance, as many of each as were seen, are
/// alike for each question: of all ways to choose the near ones, the share of those that take
/// questions whole. Clients and types are held apart, because each may have its own way.
fn chance(near: &[(&str, u16, &Asked)], far: &[(&str, u16, &Asked)]) -> f64 {
    let mut strata: BTreeMap<(IpAddr, u16), [Vec<usize>; 2]> = BTreeMap::new();
    let groups = [(near, times_of(far), NEAR_MAX), (far, times_of(near), FAR_MAX)];
    for (side, (group, others, most)) in groups.into_iter().enumerate() {
        for (_, kind, asked) in group.iter().take(most) {
            let clients: BTreeSet<IpAddr> = asked.first.iter().map(|one| one.client).collect();
            for client in clients {
                let others = others.get(&client).map_or(&[][..], Vec::as_slice);
                let own = asked.first.iter().filter(|one| one.client == client);
                let turns = turns(own.map(|one| one.asked), others);
                if let Some(sizes) = strata.entry((client, *kind)).or_default().get_mut(side) {
                    sizes.push(turns);
                }
            }
        }
    }
    strata.values().map(|[near, far]| chance_of_parting(near, far)).product()
}

/// How often a question was asked, in order of time, with a question of the other group between:
/// what has not changed in between is asked only once.
fn turns(own: impl Iterator<Item = Timestamp>, others: &[Timestamp]) -> usize {
    let mut before: Option<Timestamp> = None;
    let fresh = own.filter(|now| {
        let since = before.replace(*now);
        let between = |since: Timestamp| {
            others.get(others.partition_point(|other| *other < since)).is_some_and(|it| it <= now)
        };
        since.is_none_or(between)
    });
    fresh.count()
}

/// When each client asked what this group answered, in order.
fn times_of(group: &[(&str, u16, &Asked)]) -> BTreeMap<IpAddr, Vec<Timestamp>> {
    let mut times: BTreeMap<IpAddr, Vec<Timestamp>> = BTreeMap::new();
    for one in sightings(group) {
        times.entry(one.client).or_default().push(one.asked);
    }
    for times in times.values_mut() {
        times.sort_unstable();
    }
    times
}

fn sightings<'a>(group: &'a [(&'a str, u16, &'a Asked)]) -> impl Iterator<Item = &'a Sighting> {
    group.iter().flat_map(|(.., asked)| &asked.first)
}

/// Unrelated domains that say the same, at least.
const UNRELATED_MIN: usize = 2;
/// Groups of TTLs of one resolver, at most.
const WAYS_MAX: usize = 6;
/// Questions of either group that are weighed.
const NEAR_MAX: usize = 64;
const FAR_MAX: usize = 1024;
/// Chances at which a split is told, and in full.
const CHANCE_HALF: f64 = 0.1;
const CHANCE_FULL: f64 = 0.01;

#[cfg(test)]
mod tests;
