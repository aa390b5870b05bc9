//! Who was fast where, and when: the controls against which a ceiling is held.
//!
//! A *swift* run is a stretch of payload of a flow that asked for a name. They are folded by client,
//! network of the server, direction and half minute; of each server, name and size of run the
//! fastest is kept.
//!
//! Bounds: [`NAMES_MAX`] names and sizes for each server and half minute, [`Swifts::SLOTS_MAX`] such slots,
//! 9 MB when full. Which are given up is decided by hashes alone, so it does not depend on the order
//! of flows.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::passages::{Road, Subject, network, of_same_family, rank_of_way};
use crate::evidence::{Lost, Run};
use crate::wire::{Direction, Duration, FrameId, Least, Timestamp};

/// A run of a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Swift {
    /// Between whom.
    pub road: Road,
    /// What it asked for.
    pub subject: Subject,
    /// Which way the payload travels.
    pub direction: Direction,
    /// First frame of the flow.
    pub begins: FrameId,
    /// The stretch.
    pub run: Run,
    /// The whole flow, and not its fastest part.
    pub whole: bool,
    /// How much of the flow's payload was sent again.
    pub lost: Lost,
}

/// The swift runs of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Swifts {
    slots: Least<Place, Vec<(u64, Swift)>>,
}

impl Default for Swifts {
    fn default() -> Self {
        Self::with_room(Self::SLOTS_MAX)
    }
}

/// Where runs are filed; the hash is of client, network and direction.
type Place = (u64, IpAddr, IpAddr, i64, IpAddr);

impl Swifts {
    /// Slots kept.
    pub const SLOTS_MAX: usize = 1 << 13;
    /// What a slot takes when it is full, in bytes.
    const SLOT_BYTES: usize = 1_100;

    /// Runs in at most `slots` slots.
    pub const fn with_room(slots: usize) -> Self {
        Self { slots: Least::with_room(slots) }
    }

    /// Whether there was no room for all.
    pub const fn is_full(&self) -> bool {
        self.slots.is_full()
    }

    /// Bytes held, at most.
    pub fn memory(&self) -> usize {
        self.slots.len() * Self::SLOT_BYTES
    }

    /// Adds a run.
    pub fn add(&mut self, swift: Swift) {
        let rank = swift.subject.hash ^ u64::from(swift.whole);
        let place = place(swift.road, swift.direction, slot_of(swift.run.from));
        self.slots.change(place, |all| file(all, (rank, swift)));
    }

    /// Adds all that `other` knows; there is then as much room as the larger one has.
    pub fn merge(&mut self, other: Self) {
        self.slots.merge(other.slots, |all, more| more.into_iter().for_each(|one| file(all, one)));
    }

    /// The runs in `direction` between the client of `road` and the network of its server that began
    /// from `from` to `until`.
    pub(super) fn near(
        &self,
        (road, direction): (Road, Direction),
        (from, until): (Timestamp, Timestamp),
    ) -> impl Iterator<Item = &Swift> {
        let (hash, client, net, low, _) = place(road, direction, slot_of(from));
        let high = slot_of(until).saturating_add(1).max(low);
        let least = of_same_family(road.server.ip);
        let slots =
            self.slots.range((hash, client, net, low, least)..(hash, client, net, high, least));
        let runs = slots.flat_map(|(_, all)| all.iter().map(|(_, swift)| swift));
        runs.filter(move |swift| swift.run.from >= from && swift.run.from <= until)
    }
}

/// Files a run with those of its slot.
fn file(all: &mut Vec<(u64, Swift)>, (rank, swift): (u64, Swift)) {
    let own = |(other, one): &(u64, Swift)| {
        (other, &one.subject, one.whole).cmp(&(&rank, &swift.subject, swift.whole))
    };
    match all.binary_search_by(own) {
        Ok(at) => {
            if let Some((_, known)) = all.get_mut(at).filter(|(_, known)| beats(&swift, known)) {
                *known = swift;
            }
        }
        Err(at) if at < NAMES_MAX => {
            all.insert(at, (rank, swift));
            all.truncate(NAMES_MAX);
        }
        Err(_) => {}
    }
}

/// Whether `new` is the faster one; of equals the earlier counts.
fn beats(new: &Swift, known: &Swift) -> bool {
    let weight = |one: &Run, other: &Run| u128::from(one.bytes) * u128::from(other.span.as_nanos());
    let speed = weight(&new.run, &known.run).cmp(&weight(&known.run, &new.run));
    let earlier = (known.run, known.begins).cmp(&(new.run, new.begins));
    speed.then(earlier) == Ordering::Greater
}

fn place(road: Road, direction: Direction, slot: i64) -> Place {
    let net = network(road.server.ip);
    let rank = rank_of_way(road.client, net);
    (rank.rotate_left(direction.index() as u32), road.client, net, slot, road.server.ip)
}

fn slot_of(time: Timestamp) -> i64 {
    time.as_nanos().div_euclid(SLOT.as_nanos() as i64)
}

/// Within this time only the fastest run of a name is kept.
const SLOT: Duration = Duration::from_secs(5);
/// Names and sizes kept for each slot.
const NAMES_MAX: usize = 8;

#[cfg(test)]
mod tests;
