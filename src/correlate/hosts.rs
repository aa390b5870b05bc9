//! The fold over flows that says which hosts are interfered with.

mod access;
mod addresses;
mod astray;
mod ports;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::quality::RandomState;

use self::access::{Fate, each_once, fate, named_by};
use self::addresses::{ByAddress, Join};
pub use self::astray::FalseAnswers;
use self::ports::Ports;
use super::domain::registrable;
use super::names::Name;
use super::shelf::{Shelf, Sum, seeded};
use super::sight::{Book, Opening, Pass, Sight};
use super::together::{self, Seen, Together};
use crate::evidence::{
    Finding, FlowRecord, HostRecord, HostSource, HostVerdict, Kind, ServiceRecord,
};
use crate::wire::{Endpoint, FrameId, Timestamp, address_words, stable_mix};

/// What is known so far of every host that flows have named.
///
/// A flow names a host by its TLS or QUIC server name, by the host of each HTTP request, or by a
/// finding that learnt the name elsewhere. Each name of a flow is one *access*, and each access has
/// one fate: interfered with (a finding at `likely` or above names the host), untouched (answered,
/// and no finding at all), or unclear. A QUIC answer is encrypted and cannot be told from a lone
/// reply before the blocking sets in, so an access by QUIC is never untouched. Nor is one at an address
/// that a false answer gave for the name ([`lead_astray`](Self::lead_astray)): whoever answered there
/// is not the host. Which addresses these are is known only when all flows are, so what was answered is
/// kept apart by address.
///
/// Bounds: [`MAX_HOSTS`] names of at most [`MAX_NAME`](super::MAX_NAME) bytes and [`MAX_CLIENTS`] pairs of a host
/// and a client, each counted once for each address, up to 64, at which it was answered; about 240 MiB
/// when full, and a tenth more for the moment in which some are given up. Beyond the bounds the entries
/// with the greatest hash are given up; what is kept is complete, whatever the order of flows and merges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostTally {
    hosts: Shelf<HostKey, Tally>,
    clients: Shelf<ClientKey, Met>,
    /// All accesses, also those to hosts that were given up.
    accesses: u64,
}

impl Default for HostTally {
    fn default() -> Self {
        Self::with_room(MAX_HOSTS, MAX_CLIENTS)
    }
}

impl HostTally {
    /// A tally of at most so many hosts, and pairs of a host and a client.
    pub fn with_room(hosts: usize, clients: usize) -> Self {
        Self { hosts: Shelf::of(hosts), clients: Shelf::of(clients), accesses: 0 }
    }

    /// Adds a flow and all findings of that flow.
    pub fn flow(&mut self, flow: &FlowRecord, findings: &[&Finding]) {
        let mut names = named_by(flow);
        // A flow that was hit for another's name did not ask for it.
        let own = findings.iter().filter(|finding| {
            finding.residual_of.is_none() || finding.host_source != Some(HostSource::Correlation)
        });
        for host in own.filter_map(|finding| finding.host.as_deref()) {
            names.push((host, None));
        }
        let names =
            names.into_iter().filter_map(|(name, answered)| Some((Name::of(name)?, answered)));
        self.add((opening_of(flow), flow.server), &each_once(names), findings);
    }

    /// Adds a flow without findings, of which nothing is known but the `names` that it asked for,
    /// each with the frame in which the `server` was seen to answer to it.
    pub fn quiet_flow(
        &mut self,
        (opening, server): (Opening, Endpoint),
        names: &[(Name, Option<FrameId>)],
    ) {
        match names {
            [_] => self.add((opening, server), names, &[]),
            several => self.add((opening, server), &each_once(several.iter().cloned()), &[]),
        }
    }

    /// Adds a flow with findings that are not told: nothing is said of the names that it or they name.
    pub fn unclear_flow<'a>(
        &mut self,
        flow: &'a FlowRecord,
        others: impl Iterator<Item = &'a str>,
    ) {
        let names = named_by(flow).into_iter().map(|(name, _)| name).chain(others);
        let names = names.filter_map(|name| Some((Name::of(name)?, None)));
        self.add((opening_of(flow), flow.server), &each_once(names), &[]);
    }

    fn add(
        &mut self,
        at: (Opening, Endpoint),
        names: &[(Name, Option<FrameId>)],
        findings: &[&Finding],
    ) {
        let client = at.0.client;
        for (name, answered) in names {
            self.accesses += 1;
            if name.is_too_long() {
                continue;
            }
            let Name { text, rank, seeded: hash } = name;
            let fate = fate(text, *answered, names.len() == 1, findings);
            self.hosts.change(
                *hash,
                |(_, known)| known == text,
                || ((*rank, Arc::clone(text)), Tally::default()),
                |tally| tally.note(&fate, at),
            );
            let words = address_words(client);
            self.clients.change(
                seeded(&(hash, words)),
                |(_, known, ip)| *ip == client && known == text,
                || {
                    let rank = stable_mix(words.into_iter().chain([*rank]));
                    ((rank, Arc::clone(text), client), Met::default())
                },
                |met| met.note(&fate, at),
            );
        }
    }

    /// Adds all that `other` knows; the flows of the two must be distinct.
    pub fn merge(&mut self, other: Self) {
        self.accesses += other.accesses;
        self.hosts.merge(other.hosts);
        self.clients.merge(other.clients);
    }

    /// Bytes held, about.
    pub fn memory(&self) -> usize {
        self.hosts.memory() + self.clients.memory() + self.hosts.len() * NAME_BYTES
    }

    fn settle(&mut self) {
        self.hosts.settle();
        self.clients.settle();
    }

    /// Counts as unclear, and not as untouched, each access of a name that was answered at one of the
    /// addresses which forged answers gave for it, and gives up what is beyond the bounds. Once all flows
    /// are added.
    pub fn lead_astray(&mut self, answers: &FalseAnswers) {
        self.settle();
        let given = answers.settle();
        if given.is_empty() {
            return;
        }
        for ((_, name), tally) in self.hosts.entries_mut() {
            if let Some(given) = given.get(&**name) {
                let astray = tally.passed.take(given);
                tally.unclear += astray.iter().map(|passed| passed.accesses).sum::<u64>();
            }
        }
        let passed = self.clients.entries_mut().filter(|(_, met)| !met.passed.is_empty());
        for ((_, name, _), met) in passed {
            if let Some(given) = given.get(&**name) {
                drop(met.passed.take(given));
            }
        }
    }

    /// First frames of the flows that the records may show something by, in ascending order.
    pub fn flows_shown(&self) -> Vec<FrameId> {
        let sights = self.hosts.entries().flat_map(|(_, tally)| [tally.hit, tally.last_passed()]);
        let clients = || self.clients.entries().map(|((.., ip), met)| (ip, met.seen()));
        let hit: BTreeSet<&IpAddr> =
            clients().filter(|(_, seen)| seen.interfered).map(|(ip, _)| ip).collect();
        let beside = clients().filter(|(ip, _)| hit.contains(ip));
        let beside = beside.filter_map(|(_, seen)| Some(seen.passed?.begins));
        let sights = sights.flatten().map(|sight| sight.opening.frame);
        let mut shown: Vec<FrameId> = sights.chain(beside).collect();
        shown.sort_unstable();
        shown.dedup();
        shown
    }

    /// What can be said of each host, and of names that belong together.
    pub fn records(&self, book: &Book<'_>) -> HostRecords {
        let mut counts: HashMap<&str, Clients, RandomState> = HashMap::default();
        let (hosts, clients) = (self.hosts.entries(), self.clients.entries());
        counts.reserve(self.hosts.len());
        for ((_, name, _), met) in clients.clone() {
            counts.entry(name).or_default().count(met.seen());
        }
        let mut hosts: Vec<_> = hosts.map(|((_, name), tally)| (&**name, tally)).collect();
        hosts.sort_unstable_by_key(|(name, _)| *name);
        let record = |(name, tally): (&str, &Tally)| {
            tally.record(name, counts.get(name).copied().unwrap_or_default(), book)
        };
        let mut records: Vec<_> = hosts.into_iter().map(record).collect();
        let clients = clients.map(|((_, name, ip), met)| (&**name, *ip, met.seen()));
        let Together { services, given_up, beside } = together::records(&records, clients);
        for record in &mut records {
            if let Some(sight) = beside.get(&record.host) {
                record.untouched_in = Some(sight.record(book));
            }
        }
        HostRecords { hosts: records, services, services_given_up: given_up }
    }

    /// Accesses to hosts that were given up for want of room, or whose name was too long.
    pub fn accesses_given_up(&self) -> u64 {
        let kept: u64 = self.hosts.entries().map(|(_, tally)| tally.accesses).sum();
        self.accesses.saturating_sub(kept)
    }

    /// There was no room for all clients: the client numbers of the records are lower bounds.
    pub const fn clients_given_up(&self) -> bool {
        self.clients.is_full()
    }
}

/// What a [`HostTally`] has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostRecords {
    /// All hosts, by name.
    pub hosts: Vec<HostRecord>,
    /// Names that belong together and of which some were interfered with, by name: at most
    /// [`MAX_SERVICES`](super::MAX_SERVICES).
    pub services: Vec<ServiceRecord>,
    /// How many more of these there are.
    pub services_given_up: u64,
}

/// Most host names kept, each counted once for each address at which it was answered.
pub const MAX_HOSTS: usize = 1 << 18;

/// Most pairs of a host and a client kept, counted likewise.
pub const MAX_CLIENTS: usize = 1 << 20;

/// What a name takes as a rule, in bytes.
const NAME_BYTES: usize = 64;

type HostKey = (u64, Arc<str>);
type ClientKey = (u64, Arc<str>, IpAddr);

/// What one client met at one host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Met {
    interfered: bool,
    /// Its last untouched access.
    passed: ByAddress<Pass>,
}

impl Met {
    /// Notes one access.
    fn note(&mut self, fate: &Fate, (opening, server): (Opening, Endpoint)) {
        match fate {
            Fate::Interfered { .. } => self.interfered = true,
            Fate::Untouched(frame) => self.passed.put(server.ip, Pass::of(opening, *frame)),
            Fate::Unclear => {}
        }
    }

    fn seen(&self) -> Seen {
        Seen { interfered: self.interfered, passed: self.passed.all().copied().max() }
    }
}

impl Sum for Met {
    fn add(&mut self, other: Self) {
        self.interfered |= other.interfered;
        self.passed.add(other.passed);
    }

    fn places(&self) -> usize {
        self.passed.len().max(1)
    }
}

impl Join for Pass {
    fn join(&mut self, other: Self) {
        *self = (*self).max(other);
    }
}

/// The sums of one host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Tally {
    accesses: u64,
    interfered: BTreeMap<Kind, u64>,
    unclear: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// The first access that was interfered with.
    hit: Option<Sight>,
    passed: ByAddress<Passed>,
}

/// Untouched accesses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Passed {
    accesses: u64,
    ports: Ports,
    /// When the first began.
    first: Timestamp,
    /// The last: if anything was let through while the rest was interfered with, it shows it best.
    last: Sight,
}

impl Join for Passed {
    fn join(&mut self, other: Self) {
        self.accesses += other.accesses;
        other.ports.told().for_each(|port| self.ports.add(port));
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Tally {
    /// Notes one access.
    fn note(&mut self, fate: &Fate, (opening, server): (Opening, Endpoint)) {
        self.accesses += 1;
        match fate {
            Fate::Interfered { kinds, first: (time, frame), last } => {
                for kind in kinds {
                    *self.interfered.entry(*kind).or_default() += 1;
                }
                let frame = frame.unwrap_or(opening.frame);
                self.interfered_at(
                    (Some(*time), Some(*last)),
                    Some(Sight { time: *time, frame, opening }),
                );
            }
            Fate::Untouched(frame) => {
                let last = Sight { time: opening.time, frame: *frame, opening };
                let mut ports = Ports::default();
                ports.add(server.port);
                let passed = Passed { accesses: 1, ports, first: opening.time, last };
                self.passed.put(server.ip, passed);
            }
            Fate::Unclear => self.unclear += 1,
        }
    }

    fn interfered_at(
        &mut self,
        (first, last): (Option<Timestamp>, Option<Timestamp>),
        hit: Option<Sight>,
    ) {
        // `None` is less than every time, so it would win the minimum.
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(last);
        self.hit = self.hit.into_iter().chain(hit).min();
    }

    /// All untouched accesses, if there are any.
    fn all_passed(&self) -> Option<Passed> {
        self.passed.all().copied().reduce(|mut all, more| {
            all.join(more);
            all
        })
    }

    fn last_passed(&self) -> Option<Sight> {
        self.all_passed().map(|passed| passed.last)
    }

    fn verdict(&self) -> HostVerdict {
        match (self.interfered.is_empty(), self.passed.is_empty()) {
            (false, true) => HostVerdict::Blocked,
            (false, false) => HostVerdict::Partly,
            (true, true) => HostVerdict::Unclear,
            (true, false) => HostVerdict::Untouched,
        }
    }

    fn record(&self, name: &str, clients: Clients, book: &Book<'_>) -> HostRecord {
        let passed = self.all_passed();
        HostRecord {
            host: name.to_owned(),
            accesses: self.accesses,
            clients: clients.all,
            interfered: self.interfered.clone(),
            untouched: passed.map_or(0, |passed| passed.accesses),
            untouched_ports: passed.iter().flat_map(|passed| passed.ports.told()).collect(),
            unclear: self.unclear,
            first_interfered: self.first,
            last_interfered: self.last,
            first_untouched: passed.map(|passed| passed.first),
            last_untouched: passed.map(|passed| passed.last.time),
            verdict: self.verdict(),
            clients_interfered: clients.interfered,
            clients_untouched: clients.untouched,
            domain: registrable(name).map(str::to_owned),
            service: book.services.service_of(name).map(str::to_owned),
            interfered_in: self.hit.map(|sight| sight.record(book)),
            untouched_in: passed.map(|passed| passed.last.record(book)),
        }
    }
}

impl Sum for Tally {
    fn add(&mut self, other: Self) {
        self.accesses += other.accesses;
        self.unclear += other.unclear;
        for (kind, count) in other.interfered {
            *self.interfered.entry(kind).or_default() += count;
        }
        self.interfered_at((other.first, other.last), other.hit);
        self.passed.add(other.passed);
    }

    fn places(&self) -> usize {
        self.passed.len().max(1)
    }
}

/// Distinct clients of one host.
#[derive(Clone, Copy, Default)]
struct Clients {
    all: u64,
    interfered: u64,
    untouched: u64,
}

impl Clients {
    fn count(&mut self, seen: Seen) {
        self.all += 1;
        self.interfered += u64::from(seen.interfered);
        self.untouched += u64::from(seen.passed.is_some() && !seen.interfered);
    }
}

fn opening_of(flow: &FlowRecord) -> Opening {
    Opening { client: flow.client.ip, frame: flow.first_frame, time: flow.first }
}

#[cfg(test)]
mod tests;
