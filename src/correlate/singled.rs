//! Names that are struck each time, beside names of the same servers that never are.
//!
//! A gateway that resets for the network's own sake, or a clock that is wrong, does not choose by
//! name. How likely chance alone is to part the names so neatly can be counted, see
//! [`chance_of_parting`]. What it strikes for a while, though, may be all one name's: so flows count
//! only where the sides take turns.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::passages::{Passages, Road, Subject};
use crate::evidence::{Fact, Grade, Signal, chance_of_parting};
use crate::wire::{Duration, FrameId, Timestamp, Transport};

/// A packet in a server's name that came sooner than the server can, or from nearer, after a name.
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
    flows: [usize; 2],
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
        let window = (all.first()?.time - NEAR, all.last()?.time + NEAR);
        let mut events: Vec<Event<'_>> =
            all.iter().map(|one| (one.time, one.frame, Side::Struck, &one.subject)).collect();
        let struck: BTreeSet<&Subject> = all.iter().map(|one| &one.subject).collect();
        let roads: BTreeSet<Road> = all.iter().map(|one| one.road).collect();
        for road in roads {
            for (server, flow) in passages.near(road, window) {
                let here = (server, flow.port, flow.proto);
                if here != (road.server.ip, road.server.port, road.proto) || !flow.answered {
                    continue;
                }
                let moments = BTreeSet::from([flow.earliest, flow.latest]).into_iter();
                let inside = moments.filter(|(time, _)| *time >= window.0 && *time <= window.1);
                events.extend(
                    inside.map(|(time, begins)| (time, begins, Side::Passed, &flow.subject)),
                );
            }
            // A name may have passed where there was no room to say when.
            let passed_too = |name: &Subject| {
                let mut times = passages.times_of(road, name, window)?;
                Some(times.any(|(_, begins)| !begun.contains(&begins)))
            };
            if struck.iter().any(|name| passed_too(name).unwrap_or(true)) {
                return None;
            }
        }
        events.sort_unstable();
        let passed = || events.iter().filter(|(.., side, _)| *side == Side::Passed);
        if passed().any(|(.., name)| struck.contains(name)) {
            return None;
        }
        let example = passed().map(|(_, begins, ..)| *begins).min()?;
        let good: BTreeSet<&Subject> = passed().map(|(.., name)| *name).collect();
        let [one, other] = turns(&events);
        let chance = chance_of_parting(&one, &other);
        (chance <= CHANCE_MAX).then_some(Self {
            flows: [all.len(), passed().count()],
            names: [struck.len(), good.len()],
            example,
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
            observed: format!("{struck} flows struck, {passed} or more let pass, no name both"),
            text: format!(
                "of the flows to these servers {struck} for {} met the same, and {passed} or more for {} passed, as the one that begins in {example}, by turns and with no name on both sides: chance parts them so in {} of 1,000 cases",
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

/// What became of a flow: when, a frame of it, and its name.
type Event<'a> = (Timestamp, FrameId, Side, &'a Subject);

/// On which side a flow fell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Side {
    Struck,
    Passed,
}

/// How often each name fell on either side, in `events` in order of time, with a name of the other
/// side in between: who asks again at once meets what has not changed, and shows nothing more.
///
/// Names beyond [`NAMES_MAX`] of either side, and turns of a name beyond [`TURNS_MAX`], are left out,
/// which makes a parting more likely by chance.
fn turns(events: &[Event<'_>]) -> [Vec<usize>; 2] {
    let mut seen = [0_usize; 2];
    // Of each name: its turns, and how many of the other side had been seen at the last one.
    let mut sides: [BTreeMap<&Subject, (usize, usize)>; 2] = Default::default();
    for (.., side, name) in events {
        let [struck, passed] = &mut seen;
        let [bad, good] = &mut sides;
        let (own, others, names) = match side {
            Side::Struck => (struck, *passed, bad),
            Side::Passed => (passed, *struck, good),
        };
        *own += 1;
        let (turns, at) = names.entry(name).or_insert((0, others));
        if *turns == 0 || *at < others {
            (*turns, *at) = (*turns + 1, others);
        }
    }
    sides.map(|names| {
        names.into_values().take(NAMES_MAX).map(|(turns, _)| turns.min(TURNS_MAX)).collect()
    })
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
/// Turns of one name that are counted.
const TURNS_MAX: usize = 8;

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
    fn who_asks_again_at_once_shows_nothing_more() {
        // A gateway is in trouble for ten seconds, in which a browser tries one site six times.
        let tries: Vec<Struck> = (0..6).map(|n| struck("shop.example", 1, 50 + n)).collect();
        let good: Vec<(&str, u8, u64)> =
            (0..8).map(|n| (["one.example", "two.example"][n % 2], 1, 5 + 15 * n as u64)).collect();
        let around: Vec<_> =
            good.into_iter().filter(|(.., secs)| !(49..57).contains(secs)).collect();
        assert!(told(&tries, &around).iter().all(Option::is_none));
        // The same tries, each with another name between.
        let tries: Vec<Struck> = (0..6).map(|n| struck("shop.example", 1, 10 + 15 * n)).collect();
        assert!(told(&tries, &around).iter().all(Option::is_some));
    }

    #[test]
    fn a_name_that_alone_is_struck_is_singled_out() {
        let bad: Vec<Struck> = [(1, 10), (1, 30), (2, 50), (2, 70), (1, 90), (2, 110)]
            .map(|(server, secs)| struck("bad.example", server, secs))
            .into();
        let good = [
            ("one.example", 1, 5),
            ("two.example", 2, 20),
            ("two.example", 2, 40),
            ("one.example", 1, 60),
            ("six.example", 1, 80),
            ("six.example", 1, 100),
        ];
        // 2 of 70 ways, and 2 of 924.
        assert_eq!(told(&bad[..4], &good[..4]), [Some(Grade::Half); 4]);
        assert_eq!(told(&bad, &good), [Some(Grade::Full); 6]);
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
