//! Names that are struck each time, beside names of the same servers that never are.
//!
//! A gateway that resets for the network's own sake, or a clock that is wrong, does not choose by
//! name. How likely chance alone is to part the names so neatly can be counted: of all ways to deal as
//! many strikes to as many flows, those that leave no name mixed (a permutation test; Fisher, The
//! Design of Experiments, 1935, section 21).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::passages::{Passages, Road, Subject};
use crate::evidence::{Fact, Grade, Signal};
use crate::wire::{Duration, FrameId, Timestamp, Transport};

/// A packet in a server's name that came sooner than the server can, after a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Struck {
    /// Between whom.
    pub road: Road,
    /// What was asked for.
    pub subject: Subject,
    /// The packet.
    pub frame: FrameId,
    /// When it came.
    pub time: Timestamp,
    /// First frame of the flow.
    pub begins: FrameId,
}

/// `name_singled_out`: for each of `struck`, in their order, the fact that chance does not part the
/// names of its client's flows, or of all clients', to the servers in whose names anything was struck,
/// into those that are struck each time and those that never are.
pub fn singled_out(struck: &[Struck], passages: &Passages) -> Vec<Option<Fact>> {
    let mut groups: BTreeMap<Group, Vec<&Struck>> = BTreeMap::new();
    for (one, group) in struck.iter().flat_map(|one| groups_of(one).map(|group| (one, group))) {
        groups.entry(group).or_default().push(one);
    }
    let parted: BTreeMap<Group, Parted> = groups
        .into_iter()
        .filter_map(|(group, all)| Some((group, Parted::of(&all, passages)?)))
        .collect();
    let surest = |one: &Struck| {
        let parted = groups_of(one).into_iter().filter_map(|group| parted.get(&group));
        parted.min_by(|one, other| one.chance.total_cmp(&other.chance))
    };
    struck.iter().map(|one| surest(one).map(|parted| parted.fact(one))).collect()
}

/// Whose flows are dealt with together: a client's, or all clients', to one port of any server.
type Group = (Option<IpAddr>, u16, Transport);

fn groups_of(one: &Struck) -> [Group; 2] {
    let Road { client, server, proto } = one.road;
    [Some(client), None].map(|client| (client, server.port, proto))
}

/// The names of a group's flows, parted.
struct Parted {
    /// Flows that were struck, and those that passed.
    flows: [u32; 2],
    /// Names of either.
    names: [usize; 2],
    /// First frame of the earliest flow that passed.
    example: FrameId,
    chance: f64,
}

impl Parted {
    fn of(strikes: &[&Struck], passages: &Passages) -> Option<Self> {
        let begun: BTreeSet<FrameId> = strikes.iter().map(|one| one.begins).collect();
        let mut all = strikes.to_vec();
        all.sort_unstable_by_key(|one| (one.time, one.frame));
        all.truncate(STRIKES_MAX);
        let times = || all.iter().map(|one| one.time);
        let window = (times().min()? - NEAR, times().max()? + NEAR);
        let mut struck: BTreeMap<&Subject, u32> = BTreeMap::new();
        for one in &all {
            *struck.entry(&one.subject).or_default() += 1;
        }
        let roads: BTreeSet<Road> = all.iter().map(|one| one.road).collect();
        let mut passed: BTreeMap<&Subject, u32> = BTreeMap::new();
        let mut example: Option<FrameId> = None;
        for road in roads {
            for (server, flow) in passages.near(road, window) {
                let here = (server, flow.port, flow.proto);
                if here != (road.server.ip, road.server.port, road.proto) || !flow.answered {
                    continue;
                }
                let moments = [flow.earliest, flow.latest].into_iter();
                let inside = moments.filter(|(time, _)| *time >= window.0 && *time <= window.1);
                let flows: BTreeSet<FrameId> = inside.map(|(_, begins)| begins).collect();
                *passed.entry(&flow.subject).or_default() += flows.len() as u32;
                example = example.into_iter().chain(flows).min();
            }
            // A name may have passed where there was no room to say when.
            let passed_too = |name: &Subject| {
                let mut times = passages.times_of(road, name, window)?;
                Some(times.any(|(_, begins)| !begun.contains(&begins)))
            };
            if struck.keys().any(|name| passed_too(name).unwrap_or(true)) {
                return None;
            }
        }
        if struck.keys().any(|name| passed.contains_key(name)) {
            return None;
        }
        let counts = |of: &BTreeMap<&Subject, u32>| of.values().copied().collect::<Vec<_>>();
        let chance = chance(&counts(&struck), &counts(&passed));
        (chance <= CHANCE_MAX).then_some(Self {
            flows: [struck.values().sum(), passed.values().sum()],
            names: [struck.len(), passed.len()],
            example: example?,
            chance,
        })
    }

    fn fact(&self, one: &Struck) -> Fact {
        let Self { flows: [struck, passed], names: [bad, good], example, chance } = self;
        Fact {
            signal: Signal::NameSingledOut,
            grade: if *chance <= CHANCE_SLIGHT { Grade::Full } else { Grade::Half },
            frame: one.frame,
            expected: "chance, which does not choose by name".to_owned(),
            observed: format!("{struck} flows struck, {passed} let pass, no name both"),
            text: format!(
                "of the flows to these servers all {struck} for {} met the same, and all {passed} for {} passed, as the one that begins in {example}: chance parts names so in {} of 1,000 cases",
                names(*bad),
                names(*good),
                (chance * 1000.0).ceil() as u32
            ),
        }
    }
}

fn names(count: usize) -> String {
    if count == 1 { "one name".to_owned() } else { format!("{count} names") }
}

/// The share of all ways to deal out the strikes that leave no name mixed; `struck` and `passed` are
/// the flows of each name. Names beyond [`NAMES_MAX`] of either kind, and flows of a name beyond
/// [`FLOWS_MAX`], are left out, which makes the share larger.
fn chance(struck: &[u32], passed: &[u32]) -> f64 {
    let kept = |all: &[u32]| -> Vec<usize> {
        all.iter().take(NAMES_MAX).map(|flows| (*flows).min(FLOWS_MAX) as usize).collect()
    };
    let (struck, passed) = (kept(struck), kept(passed));
    let strikes: usize = struck.iter().sum();
    let flows = strikes + passed.iter().sum::<usize>();
    // Ways to choose whole names, or single flows, with so many flows in all.
    let ways = |blocks: &mut dyn Iterator<Item = usize>| -> f64 {
        let mut ways = vec![0.0_f64; strikes + 1];
        if let Some(none) = ways.first_mut() {
            *none = 1.0;
        }
        for block in blocks {
            for sum in (block..=strikes).rev() {
                let less = ways.get(sum - block).copied().unwrap_or_default();
                if let Some(way) = ways.get_mut(sum) {
                    *way += less;
                }
            }
        }
        ways.last().copied().unwrap_or_default()
    };
    let pure = ways(&mut struck.iter().chain(&passed).copied().filter(|block| *block > 0));
    pure / ways(&mut std::iter::repeat_n(1, flows))
}

/// Flows further apart are not compared.
const NEAR: Duration = Duration::from_secs(120);
/// Strikes of a group that are looked at, the earliest: each of their names is looked up on each of
/// their roads.
const STRIKES_MAX: usize = 512;
/// Chance that parts the names so is told up to this.
const CHANCE_MAX: f64 = 0.05;
/// And counts in full up to this.
const CHANCE_SLIGHT: f64 = 0.005;
/// Names of either kind that are counted.
const NAMES_MAX: usize = 64;
/// Flows of one name that are counted; 512 of either kind deal out in 10^307 ways at most.
const FLOWS_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::Passage;
    use crate::wire::Endpoint;

    fn at(secs: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(1_000 + secs)
    }

    fn road(server: u8) -> Road {
        let server = Endpoint::new([192, 0, 2, server].into(), 443);
        Road { client: [198, 51, 100, 7].into(), server, proto: Transport::Tcp }
    }

    fn named(name: &str) -> Subject {
        Subject::of(name, 0).expect("a name")
    }

    fn struck(name: &str, server: u8, secs: u64) -> Struck {
        let frame = FrameId::new(0, secs + 1);
        Struck { road: road(server), subject: named(name), frame, time: at(secs), begins: frame }
    }

    fn told(struck: &[Struck], passed: &[(&str, u8, u64)]) -> Vec<Option<Grade>> {
        let mut passages = Passages::default();
        for (name, server, secs) in passed {
            passages.add(Passage {
                road: road(*server),
                subject: named(name),
                answered: true,
                begins: FrameId::new(0, 500 + secs),
                time: at(*secs),
                size: 300,
            });
        }
        let mut merged = Passages::default();
        merged.merge(passages);
        singled_out(struck, &merged)
            .iter()
            .map(|fact| fact.as_ref().map(|fact| fact.grade))
            .collect()
    }

    #[test]
    fn ways_to_part_names_are_counted() {
        // Of 462 ways to deal 6 strikes to 11 flows, 20 leave no name mixed.
        assert!((chance(&[3, 2, 1], &[2, 1, 1, 1]) - 20.0 / 462.0).abs() < 1e-12);
        assert!((chance(&[1], &[1]) - 1.0).abs() < 1e-12, "nobody is asked for twice");
        assert!((chance(&[2], &[2]) - 2.0 / 6.0).abs() < 1e-12);
        let most = chance(&[9; 99], &[9; 99]);
        assert!(most.is_finite() && most > 0.0 && most < 1e-9, "{most}");
    }

    #[test]
    fn a_name_that_alone_is_struck_is_singled_out() {
        let bad: Vec<Struck> = [(1, 10), (1, 30), (2, 50), (2, 70)]
            .map(|(server, secs)| struck("bad.example", server, secs))
            .into();
        let good = [("one.example", 1, 5), ("one.example", 1, 45), ("two.example", 2, 40)];
        assert_eq!(told(&bad, &good), [Some(Grade::Half); 4]);
        let more = [&good[..], &[("two.example", 2, 75), ("two.example", 2, 110)]].concat();
        let more = [&more[..], &[("six.example", 1, 15), ("six.example", 1, 80)]].concat();
        let more = [&more[..], &[("ten.example", 1, 15), ("ten.example", 1, 80)]].concat();
        let more = [&more[..], &[("own.example", 1, 15)]].concat();
        assert_eq!(told(&bad, &more), [Some(Grade::Full); 4]);
    }

    #[test]
    fn chance_and_trouble_of_all_single_nobody_out() {
        let twice = [struck("bad.example", 1, 10), struck("bad.example", 1, 30)];
        assert_eq!(told(&twice, &[("one.example", 1, 20)]), [None, None], "one in three");
        let good = [("one.example", 1, 5), ("one.example", 1, 45), ("two.example", 1, 20)];
        let good = [&good[..], &[("two.example", 1, 75)]].concat();
        assert!(
            told(&twice, &[&good[..], &[("six.example", 1, 15)]].concat())
                .iter()
                .all(Option::is_none)
        );
        let four =
            [&twice[..], &[struck("bad.example", 1, 50), struck("bad.example", 1, 70)]].concat();
        assert!(told(&four, &good).iter().all(Option::is_some));
        let mixed = [&good[..], &[("bad.example", 1, 60)]].concat();
        assert!(told(&four, &mixed).iter().all(Option::is_none), "it passes too");
        let elsewhere: Vec<_> = good.iter().map(|(name, _, secs)| (*name, 9, *secs)).collect();
        assert!(told(&four, &elsewhere).iter().all(Option::is_none), "another server");
    }
}
