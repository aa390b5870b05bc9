//! The fold over flows that says which hosts are interfered with.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::domain::registrable;
use super::sight::{Book, Opening, Pass, Sight};
use super::together::{self, Seen, Together};
use crate::evidence::{
    Confidence, Finding, FlowRecord, HostRecord, HostSource, HostVerdict, Kind, ServiceRecord,
};
use crate::wire::{FrameId, Timestamp, mapped_octets, stable_hash};

/// What is known so far of every host that flows have named.
///
/// A flow names a host by its TLS or QUIC server name, by the host of each HTTP request, or by a
/// finding that learnt the name elsewhere. Each name of a flow is one *access*, and each access has
/// one fate: interfered with (a finding at `likely` or above names the host), untouched (answered,
/// and no finding at all), or unclear. A QUIC answer is encrypted and cannot be told from a lone
/// reply before the blocking sets in, so an access by QUIC is never untouched.
///
/// Bounds: [`MAX_HOSTS`] names of at most [`MAX_NAME`] bytes and [`MAX_CLIENTS`] pairs of a host
/// and a client, about 250 MB when full. Beyond them the entries with the greatest hash are given
/// up. An entry that survives to the end was among the smallest at every moment before, hence it
/// was never given up in between: its numbers are complete, whatever the order of flows and merges.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostTally {
    hosts: BTreeMap<HostKey, Tally>,
    clients: BTreeMap<ClientKey, Seen>,
    /// All accesses, also those to hosts that were given up.
    accesses: u64,
    clients_given_up: bool,
    limits: Limits,
}

impl HostTally {
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
        let opening = Opening { client: flow.client.ip, frame: flow.first_frame, time: flow.first };
        self.add((opening, flow.server.port), &names, findings);
    }

    /// Adds a flow without findings, of which nothing is known but the `names` that it asked for,
    /// each with the frame in which the server was seen to answer to it, on `port`.
    pub fn quiet_flow(
        &mut self,
        (opening, port): (Opening, u16),
        names: &[(&str, Option<FrameId>)],
    ) {
        self.add((opening, port), names, &[]);
    }

    fn add(
        &mut self,
        (opening, port): (Opening, u16),
        names: &[(&str, Option<FrameId>)],
        findings: &[&Finding],
    ) {
        let names = normalized(names);
        for (name, answered) in &names {
            self.accesses += 1;
            if name.len() > MAX_NAME {
                continue;
            }
            let fate = fate(name, *answered, names.len() == 1, findings);
            let name: Arc<str> = Arc::from(&**name);
            self.client(&name, opening.client, fate.seen(opening));
            self.host(&name, Tally::of(&fate, (opening, port)));
        }
    }

    /// Adds all that `other` knows; the flows of the two must be distinct.
    pub fn merge(&mut self, other: Self) {
        if self.accesses == 0 && self.limits == other.limits {
            *self = other;
            return;
        }
        self.accesses += other.accesses;
        self.clients_given_up |= other.clients_given_up;
        for ((_, name), tally) in other.hosts {
            self.host(&name, tally);
        }
        for ((_, name, ip), seen) in other.clients {
            self.client(&name, ip, seen);
        }
    }

    /// First frames of the flows that the records may show something by, in ascending order.
    pub fn flows_shown(&self) -> BTreeSet<FrameId> {
        let sights = self.hosts.values().flat_map(|tally| [tally.hit, tally.passed]);
        let hit: BTreeSet<IpAddr> =
            self.clients.iter().filter(|(_, seen)| seen.interfered).map(|(key, _)| key.2).collect();
        let beside = self.clients.iter().filter(|((_, _, ip), _)| hit.contains(ip));
        let beside = beside.filter_map(|(_, seen)| Some(seen.passed?.begins));
        sights.flatten().map(|sight| sight.opening.frame).chain(beside).collect()
    }

    /// What can be said of each host, and of names that belong together.
    pub fn records(&self, book: &Book<'_>) -> HostRecords {
        let mut counts: HashMap<&str, Clients, RandomState> = HashMap::default();
        counts.reserve(self.hosts.len());
        for ((_, name, _), seen) in &self.clients {
            counts.entry(name).or_default().count(*seen);
        }
        let mut hosts: Vec<_> =
            self.hosts.iter().map(|((_, name), tally)| (&**name, tally)).collect();
        hosts.sort_unstable_by_key(|(name, _)| *name);
        let record = |(name, tally): (&str, &Tally)| {
            tally.record(name, counts.get(name).copied().unwrap_or_default(), book)
        };
        let mut records: Vec<_> = hosts.into_iter().map(record).collect();
        let clients = self.clients.iter().map(|((_, name, ip), seen)| (&**name, *ip, *seen));
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
        let kept: u64 = self.hosts.values().map(|tally| tally.accesses).sum();
        self.accesses.saturating_sub(kept)
    }

    /// There was no room for all clients: the client numbers of the records are lower bounds.
    pub const fn clients_given_up(&self) -> bool {
        self.clients_given_up
    }

    fn host(&mut self, name: &Arc<str>, tally: Tally) {
        self.hosts.entry((hash(name, None), Arc::clone(name))).or_default().add(tally);
        if self.hosts.len() > self.limits.hosts {
            self.hosts.pop_last();
        }
    }

    fn client(&mut self, name: &Arc<str>, ip: IpAddr, seen: Seen) {
        let key = (hash(name, Some(ip)), Arc::clone(name), ip);
        self.clients.entry(key).or_default().add(seen);
        if self.clients.len() > self.limits.clients {
            self.clients.pop_last();
            self.clients_given_up = true;
        }
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

/// Most host names kept.
pub const MAX_HOSTS: usize = 1 << 18;

/// Most pairs of a host and a client kept.
pub const MAX_CLIENTS: usize = 1 << 20;

/// Longest name kept, in bytes: RFC 1035 §2.3.4 allows no host name above 255.
pub const MAX_NAME: usize = 255;

type HostKey = (u64, Arc<str>);
type ClientKey = (u64, Arc<str>, IpAddr);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Limits {
    hosts: usize,
    clients: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hosts: MAX_HOSTS, clients: MAX_CLIENTS }
    }
}

/// What became of one access.
enum Fate {
    /// When it was interfered with first, with the frame to look at, and when last.
    Interfered {
        kinds: Vec<Kind>,
        first: (Timestamp, Option<FrameId>),
        last: Timestamp,
    },
    /// In which frame it was answered.
    Untouched(FrameId),
    Unclear,
}

impl Fate {
    const fn seen(&self, opening: Opening) -> Seen {
        let passed = match self {
            Self::Untouched(frame) => Some(Pass::of(opening, *frame)),
            Self::Interfered { .. } | Self::Unclear => None,
        };
        Seen { interfered: matches!(self, Self::Interfered { .. }), passed }
    }
}

/// The sums of one host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Tally {
    accesses: u64,
    interfered: BTreeMap<Kind, u64>,
    untouched: u64,
    untouched_ports: Ports,
    unclear: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// The first access that was interfered with.
    hit: Option<Sight>,
    /// When the first access began that was untouched.
    first_passed: Option<Timestamp>,
    /// The last that was untouched: if anything was let through while the rest was interfered
    /// with, it shows it best.
    passed: Option<Sight>,
}

impl Tally {
    fn of(fate: &Fate, (opening, port): (Opening, u16)) -> Self {
        let mut tally = Self { accesses: 1, ..Self::default() };
        match fate {
            Fate::Interfered { kinds, first, last } => {
                let (time, frame) = *first;
                tally.interfered = kinds.iter().map(|kind| (*kind, 1)).collect();
                tally.first = Some(time);
                tally.last = Some(*last);
                tally.hit = Some(Sight { time, frame: frame.unwrap_or(opening.frame), opening });
            }
            Fate::Untouched(frame) => {
                tally.untouched = 1;
                tally.untouched_ports.add(port);
                tally.first_passed = Some(opening.time);
                tally.passed = Some(Sight { time: opening.time, frame: *frame, opening });
            }
            Fate::Unclear => tally.unclear = 1,
        }
        tally
    }

    fn add(&mut self, other: Self) {
        self.accesses += other.accesses;
        self.untouched += other.untouched;
        other.untouched_ports.told().for_each(|port| self.untouched_ports.add(port));
        self.unclear += other.unclear;
        for (kind, count) in other.interfered {
            *self.interfered.entry(kind).or_default() += count;
        }
        // `None` is less than every time, so it would win the minimum.
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.hit = self.hit.into_iter().chain(other.hit).min();
        self.first_passed = self.first_passed.into_iter().chain(other.first_passed).min();
        self.passed = self.passed.max(other.passed);
    }

    fn verdict(&self) -> HostVerdict {
        match (self.interfered.is_empty(), self.untouched) {
            (false, 0) => HostVerdict::Blocked,
            (false, _) => HostVerdict::Partly,
            (true, 0) => HostVerdict::Unclear,
            (true, _) => HostVerdict::Untouched,
        }
    }

    fn record(&self, name: &str, clients: Clients, book: &Book<'_>) -> HostRecord {
        HostRecord {
            host: name.to_owned(),
            accesses: self.accesses,
            clients: clients.all,
            interfered: self.interfered.clone(),
            untouched: self.untouched,
            untouched_ports: self.untouched_ports.told().collect(),
            unclear: self.unclear,
            first_interfered: self.first,
            last_interfered: self.last,
            first_untouched: self.first_passed,
            last_untouched: self.passed.map(|sight| sight.time),
            verdict: self.verdict(),
            clients_interfered: clients.interfered,
            clients_untouched: clients.untouched,
            domain: registrable(name).map(str::to_owned),
            service: book.services.service_of(name).map(str::to_owned),
            interfered_in: self.hit.map(|sight| sight.record(book)),
            untouched_in: self.passed.map(|sight| sight.record(book)),
        }
    }
}

/// The lowest of some ports, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Ports([Option<NonZeroU16>; 4]);

impl Ports {
    fn add(&mut self, port: u16) {
        let Some(mut port) = NonZeroU16::new(port) else { return };
        for place in &mut self.0 {
            match *place {
                None => {
                    *place = Some(port);
                    return;
                }
                Some(own) if own == port => return,
                Some(own) if own > port => {
                    *place = Some(port);
                    port = own;
                }
                Some(_) => {}
            }
        }
    }

    fn told(self) -> impl Iterator<Item = u16> {
        self.0.into_iter().flatten().map(NonZeroU16::get)
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

/// The names of a flow, each with the frame in which the server was seen to answer to it.
fn named_by(flow: &FlowRecord) -> Vec<(&str, Option<FrameId>)> {
    let tls = flow.tls.iter().filter_map(|tls| Some((tls.sni.as_deref()?, tls.server_hello_frame)));
    let quic = flow.quic.iter().filter_map(|quic| Some((quic.sni.as_deref()?, None)));
    let http = flow
        .http
        .iter()
        .filter_map(|exchange| Some((exchange.host.as_deref()?, exchange.status_frame)));
    tls.chain(quic).chain(http).collect()
}

/// Each name once, in the form of records, with its last answer.
fn normalized<'a>(names: &[(&'a str, Option<FrameId>)]) -> Vec<(Cow<'a, str>, Option<FrameId>)> {
    let each = names.iter().filter_map(|(name, answered)| Some((normal(name)?, *answered)));
    let mut known: Vec<_> = each.collect();
    // Descending: of equal names the last answer comes first, and stays.
    known.sort_unstable_by(|one, other| other.cmp(one));
    known.dedup_by(|later, first| later.0 == first.0);
    known
}

/// What became of the access to `name`, which may be the `only` name of its flow.
fn fate(name: &str, answered: Option<FrameId>, only: bool, findings: &[&Finding]) -> Fate {
    let mut suspected = false;
    let (mut kinds, mut times) = (Vec::new(), Vec::new());
    for finding in findings {
        let concerned = match finding.host.as_deref().and_then(normal) {
            Some(host) if host == name => true,
            Some(_) => continue,
            // A finding without a name can only be pinned on the one name that there is.
            None => only,
        };
        suspected = true;
        if concerned && finding.confidence >= Confidence::Likely {
            kinds.push(finding.kind);
            let frame = finding.forged_frames.first().or(finding.trigger_frame.as_ref());
            times.push((finding.time, frame.copied()));
        }
    }
    match (times.iter().min(), times.iter().max(), answered) {
        (Some(first), Some((last, _)), _) => Fate::Interfered { kinds, first: *first, last: *last },
        (_, _, Some(frame)) if !suspected => Fate::Untouched(frame),
        _ => Fate::Unclear,
    }
}

/// The form of a name in records: lower-case, without a trailing dot; `None` if nothing is left.
pub(super) fn normal(name: &str) -> Option<Cow<'_, str>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    let normal = || if lower { name.into() } else { name.to_ascii_lowercase().into() };
    (!name.is_empty()).then(normal)
}

/// Which names are given up once there are more than [`MAX_HOSTS`].
pub(super) fn hash(name: &str, ip: Option<IpAddr>) -> u64 {
    stable_hash(name.bytes().chain(ip.map_or([0; 16], mapped_octets)))
}

#[cfg(test)]
mod tests;
