//! Who got through where, and when: the controls against which silence is held.
//!
//! A *passage* is a flow that asked for a name and was answered (or at least connected). They are
//! folded by client, network of the server and half minute; of each half minute, server and name
//! the earliest and the latest are kept.
//!
//! Bounds: [`NAMES_MAX`] names for each server and half minute, [`Passages::SLOTS_MAX`] such slots,
//! and [`Passages::NAMED_MAX`] times at which a name passed, 30 MB when full. Which are given up is
//! decided by hashes alone, so it does not depend on the order of flows (see `hosts`), and what is
//! kept is complete.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::ledger::{Entry, Ledger};
use super::names::Name;
use crate::wire::{Duration, Endpoint, FrameId, Timestamp, Transport, address_words, stable_mix};

/// What flows must have in common to be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Road {
    /// Who asked.
    pub client: IpAddr,
    /// Who was asked.
    pub server: Endpoint,
    /// By what.
    pub proto: Transport,
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Subject {
    /// The name, in the form of records.
    pub name: Arc<str>,
    /// The record type of a DNS question; 0 for all else.
    pub kind: u16,
    /// Of the name.
    pub(super) hash: u64,
}

impl Subject {
    /// A subject; `None` where the name is empty or longer than a name can be.
    pub fn of(name: &str, kind: u16) -> Option<Self> {
        Name::of(name)?.subject(kind)
    }
}

/// A flow that passed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    /// Between whom.
    pub road: Road,
    /// What it asked for.
    pub subject: Subject,
    /// The server said more than its SYN/ACK.
    pub answered: bool,
    /// First frame of the flow.
    pub begins: FrameId,
    /// When the server was heard.
    pub time: Timestamp,
    /// The largest packet of the client that arrived, in payload bytes.
    pub size: u32,
}

/// The passages of a recording. They can be asked for once they were merged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passages {
    slots: Ledger<(Place, Passed)>,
    /// The first slot that was given up: from it on nothing is taken any more.
    slots_until: Option<Place>,
    /// When each name passed on each road.
    named: Ledger<Named>,
    /// The same of `named`.
    named_until: Option<NamedKey>,
    /// How many slots, and times of names, may be kept.
    room: (usize, usize),
}

impl Default for Passages {
    fn default() -> Self {
        Self::with_room(Self::SLOTS_MAX, Self::NAMED_MAX)
    }
}

/// When a flow passed, and its first frame.
pub(super) type Moment = (Timestamp, FrameId);

/// Where passages are filed: the hash of client and network, the client, the half minute, the server.
type Place = (u64, IpAddr, i32, IpAddr);

/// Hash of a road and a name, half minute.
type NamedKey = (u64, i32);

/// When a name passed on a road: by the hash of both and half minute, the earliest and the latest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Named {
    key: NamedKey,
    earliest: Moment,
    latest: Moment,
}

/// The passages of one name in one slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Passed {
    pub(super) subject: Subject,
    pub(super) port: u16,
    pub(super) proto: Transport,
    pub(super) answered: bool,
    pub(super) earliest: Moment,
    pub(super) latest: Moment,
    pub(super) size: u32,
}

impl Passages {
    /// Slots kept.
    pub const SLOTS_MAX: usize = 1 << 15;
    /// Times at which names passed that are kept.
    pub const NAMED_MAX: usize = 1 << 17;

    /// Passages in at most so many slots, and at so many times of names.
    pub fn with_room(slots: usize, named: usize) -> Self {
        Self {
            slots: Ledger::default(),
            slots_until: None,
            named: Ledger::default(),
            named_until: None,
            room: (slots, named),
        }
    }

    /// Whether there was no room for all.
    pub const fn is_full(&self) -> bool {
        self.slots_until.is_some() || self.named_until.is_some()
    }

    /// Bytes held, about.
    pub fn memory(&self) -> usize {
        self.slots.memory() + self.named.memory()
    }

    /// Adds a flow that passed.
    pub fn add(&mut self, passage: Passage) {
        let Passage { road, subject, answered, begins, time, size } = passage;
        let moment = (time, begins);
        if answered || size > 0 {
            let key = (rank_of(road, &subject), slot_of(time));
            self.put_named(Named { key, earliest: moment, latest: moment });
        }
        let place = place(road, slot_of(time));
        if self.is_beyond(&place) {
            return;
        }
        let passed = Passed {
            subject,
            port: road.server.port,
            proto: road.proto,
            answered,
            earliest: moment,
            latest: moment,
            size,
        };
        self.put(place, passed);
    }

    /// Adds all that `other` knows; the flows of the two must be distinct. There is then as much room
    /// as the larger one has.
    pub fn merge(&mut self, other: Self) {
        let (slots, named) = self.room;
        let room = (slots.max(other.room.0), named.max(other.room.1));
        self.room = room;
        if self.is_empty() {
            *self = Self { room, ..other };
            if !(self.slots.is_settled() && self.named.is_settled()) {
                self.settle();
            }
            return;
        }
        self.slots.absorb(other.slots);
        self.named.absorb(other.named);
        self.slots_until = least(self.slots_until, other.slots_until);
        self.named_until = least(self.named_until, other.named_until);
        self.settle();
    }

    fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.named.is_empty() && self.named_until.is_none()
    }

    /// Sorts in what came last.
    pub fn settle(&mut self) {
        self.settle_slots();
        self.settle_named();
    }

    /// When `subject` was answered on `road`, or a packet that asked for it acknowledged, from `from` to `until`; `None` where that was given up.
    pub(super) fn times_of(
        &self,
        road: Road,
        subject: &Subject,
        (from, until): (Timestamp, Timestamp),
    ) -> Option<impl Iterator<Item = Moment>> {
        let rank = rank_of(road, subject);
        if self.named_until.is_some_and(|until| rank >= until.0) {
            return None;
        }
        let slots = self.named.from(move |named| named.key < (rank, slot_of(from)));
        let slots = slots.take_while(move |named| named.key <= (rank, slot_of(until)));
        let moments = slots.flat_map(|named| [named.earliest, named.latest]);
        Some(moments.filter(move |(time, _)| *time >= from && *time <= until))
    }

    fn put_named(&mut self, named: Named) {
        if self.named_until.is_some_and(|until| named.key >= until) {
            return;
        }
        if self.named.put(named) {
            self.settle_named();
        }
    }

    fn settle_named(&mut self) {
        self.named.settle();
        let until = self.named_until;
        let below = until.map(|until| self.named.count(|named| named.key < until));
        let fits = below.unwrap_or(usize::MAX).min(self.room.1);
        let first_out = self.named.truncate(fits).map(|named| named.key);
        self.named_until = least(until, first_out);
    }

    /// What passed between the client of `road` and the network of its server from `from` to
    /// `until`, with the server that was asked.
    pub(super) fn near(
        &self,
        road: Road,
        (from, until): (Timestamp, Timestamp),
    ) -> impl Iterator<Item = (IpAddr, &Passed)> {
        let least = of_same_family(road.server.ip);
        let (hash, client, low, _) = place(road, slot_of(from));
        let high = slot_of(until).saturating_add(1).max(low);
        let (low, high) = ((hash, client, low, least), (hash, client, high, least));
        let slots = self.slots.from(move |(place, _)| *place < low);
        let slots = slots.take_while(move |(place, _)| *place < high);
        // Another network's way may have the same hash.
        let net = network(road.server.ip);
        let slots = slots.filter(move |((.., server), _)| network(*server) == net);
        slots.map(|((.., server), passed)| (*server, passed))
    }

    /// Whether a slot is one of those that were given up.
    fn is_beyond(&self, place: &Place) -> bool {
        self.slots_until.is_some_and(|until| *place >= until)
    }

    /// All that is kept, with client and server.
    pub(super) fn all(&self) -> impl Iterator<Item = (IpAddr, IpAddr, &Passed)> {
        let slots = self.slots.from(|_| false);
        slots.map(|((_, client, _, server), passed)| (*client, *server, passed))
    }

    fn put(&mut self, place: Place, passed: Passed) {
        if !self.is_beyond(&place) && self.slots.put((place, passed)) {
            self.settle_slots();
        }
    }

    fn settle_slots(&mut self) {
        self.slots.settle();
        let ((room, _), mut until) = (self.room, self.slots_until);
        let (mut slot, mut slots, mut names) = (None, 0, 0);
        self.slots.retain(|(place, _)| {
            if slot == Some(*place) {
                names += 1;
            } else {
                (slot, slots, names) = (Some(*place), slots + 1, 1);
            }
            if slots > room {
                until = least(until, Some(*place));
            }
            until.is_none_or(|until| *place < until) && names <= NAMES_MAX
        });
        self.slots_until = until;
    }
}

impl Entry for (Place, Passed) {
    fn order(&self, other: &Self) -> Ordering {
        let ((place, passed), (others, other)) = (self, other);
        place.cmp(others).then_with(|| passed.identity().cmp(&other.identity()))
    }

    fn rank(&self) -> u64 {
        self.0.0
    }

    fn add(&mut self, (_, other): &Self) {
        self.1.add(other);
    }
}

impl Entry for Named {
    fn order(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }

    fn rank(&self) -> u64 {
        self.key.0
    }

    fn add(&mut self, other: &Self) {
        self.earliest = self.earliest.min(other.earliest);
        self.latest = self.latest.max(other.latest);
    }
}

impl Passed {
    fn identity(&self) -> (u64, &Subject, u16, Transport, bool) {
        let rank = self.subject.hash.rotate_left(u32::from(self.port) % 64);
        (rank, &self.subject, self.port, self.proto, self.answered)
    }

    fn add(&mut self, other: &Self) {
        self.earliest = self.earliest.min(other.earliest);
        self.latest = self.latest.max(other.latest);
        self.size = self.size.max(other.size);
    }
}

/// The lesser of two bounds, of which none is beyond all.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

fn place(road: Road, slot: i32) -> Place {
    let hash = rank_of_way(road.client, network(road.server.ip));
    (hash, road.client, slot, road.server.ip)
}

/// One number for the way from a client to a network.
pub(super) fn rank_of_way(client: IpAddr, net: IpAddr) -> u64 {
    stable_mix(address_words(client).into_iter().chain(address_words(net)))
}

/// One number for a road, less the client's port, and what was asked for on it.
fn rank_of(road: Road, subject: &Subject) -> u64 {
    let ends = address_words(road.client).into_iter().chain(address_words(road.server.ip));
    let service = u64::from(road.server.port) << 1 | u64::from(road.proto == Transport::Udp);
    let what = [subject.hash, service << 16 | u64::from(subject.kind)];
    stable_mix(ends.chain(what))
}

/// The network that an address is routed with: the smallest prefix that is announced by itself
/// between networks (RFC 7454 §6.1.3).
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// The lowest address of the family of `address`.
pub(super) const fn of_same_family(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

fn slot_of(time: Timestamp) -> i32 {
    // All times are within 300 years of the epoch.
    time.as_nanos().div_euclid(SLOT.as_nanos() as i64) as i32
}

/// Within this time only the earliest and the latest passage of a name are kept.
const SLOT: Duration = Duration::from_secs(30);
/// Names kept for each slot.
const NAMES_MAX: usize = 6;

#[cfg(test)]
mod tests;
