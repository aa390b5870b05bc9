//! Transparent proxies: machines on the way that answer one port in the name of many servers.
//!
//! Such a machine answers the SYN itself, so nothing within one connection tells it from the
//! server: handshake and page come from one hand. Beside other connections it shows. The same
//! address answers its other port from further off, and so do other servers, of unrelated names in
//! other networks, while the one port of all of them is answered from one place.
//!
//! That a proxy stands there accuses nobody: most pass on what they are given. It tells what a
//! notice or a certificate that came from there is worth.
//!
//! Bounds: those of [`Acceptances`] and [`Passages`], of which it is made at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::domain::registrable;
use super::passages::{Passages, network};
use super::place::{HANDSHAKE_MIN, Place, TTL_MARGIN};
use super::refusals::Acceptances;
use crate::evidence::{Fact, Grade, Injector, Signal, Suspicion};
use crate::wire::{Direction, Duration, Endpoint, FrameId, Ttl};

/// The SYN/ACK of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Its frame.
    pub frame: FrameId,
    /// Its TTL or hop limit.
    pub ttl: Ttl,
    /// How long after the SYN it came.
    pub took: Option<Duration>,
}

/// The transparent proxies of a recording.
#[derive(Debug, Default)]
pub struct Proxies {
    stands: BTreeMap<(u16, Ttl), Stand>,
}

/// One proxy: who it answers for, by address, and how soon.
#[derive(Debug)]
struct Stand {
    splits: BTreeMap<IpAddr, Split>,
    least: Duration,
    most: Duration,
}

/// An address that answers one port from nearer than the other.
#[derive(Clone, Copy, Debug)]
struct Split {
    took: Duration,
    far: Place,
    far_least: (Duration, FrameId),
}

impl Proxies {
    /// The proxies that `acceptances` show, where `passages` tell that the servers behind are
    /// unrelated.
    pub fn of(acceptances: &Acceptances, passages: &Passages) -> Self {
        let mut groups: BTreeMap<(u16, Ttl), Vec<(IpAddr, Split)>> = BTreeMap::new();
        for (server, near) in acceptances.ports() {
            let far = twin(server).and_then(|other| acceptances.place(other));
            if let Some(split) = far.and_then(|far| Split::of(near, *far)) {
                groups.entry((server.port, near.ttl_low)).or_default().push((server.ip, split));
            }
        }
        let stands = groups.into_iter().filter_map(|((port, ttl), splits)| {
            let stand = Stand::of(splits)?;
            is_unrelated(&stand.names(port, passages)).then_some(((port, ttl), stand))
        });
        Self { stands: stands.collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.stands.is_empty()
    }

    /// Adds to `suspicion`, of a flow that `server` is said to have accepted so, that a proxy did;
    /// whether one did. A product's own notice from there says only that somebody bought a filter:
    /// the owner of the client's own gateway, more often than not.
    pub fn hold(&self, server: Endpoint, accepted: Accepted, suspicion: &mut Suspicion) -> bool {
        let notice = suspicion.facts.iter().find(|fact| fact.signal == Signal::BlockPage);
        let product = notice.is_some_and(|notice| notice.grade == Grade::Half);
        let Accepted { frame, ttl, took } = accepted;
        let stand = self.stands.get(&(server.port, ttl));
        let Some((stand, took)) = stand.zip(took).filter(|(stand, took)| stand.is_at(*took)) else {
            return false;
        };
        let split = stand.splits.get(&server.ip);
        let timing = stand.timing(server, (frame, ttl, took), split);
        let shift = split.and_then(|split| {
            let whose = format!("the port {} of {}", other(server.port), server.ip);
            split.far.ttl_fact(frame, ttl, &whose)
        });
        suspicion.facts.extend(
            if product {
                [Some(Fact { grade: Grade::Half, ..timing }), None]
            } else {
                [Some(timing), shift]
            }
            .into_iter()
            .flatten(),
        );
        suspicion.forged.push(frame);
        suspicion.forged.sort_unstable();
        suspicion.forged.dedup();
        let known = suspicion.injector.take();
        suspicion.injector = Some(Injector {
            direction: Some(Direction::ToClient),
            initial_ttl: Some(ttl.guess_initial()),
            hops_min: Some(ttl.guess_hops()),
            hops_max: Some(ttl.guess_hops()),
            server_hops: split.map(|split| split.far.ttl_low.guess_hops()),
            fingerprint: known.and_then(|known| known.fingerprint),
            // Who holds the whole connection in the server's place has it pass through its hands.
            in_path: Some(true),
        });
        suspicion.alternatives.push(
            "The proxy is the client's own: a company's, a school's or a household's.".to_owned(),
        );
        true
    }
}

impl Stand {
    /// Of those that are split, the ones that are answered as soon as the nearest.
    fn of(splits: Vec<(IpAddr, Split)>) -> Option<Self> {
        let least = splits.iter().map(|(_, split)| split.took).min()?;
        let splits: BTreeMap<IpAddr, Split> =
            splits.into_iter().filter(|(_, split)| is_one_place(least, split.took)).collect();
        let most = splits.values().map(|split| split.took).max()?;
        Some(Self { splits, least, most })
    }

    fn distance(&self) -> String {
        let (least, most) = (self.least.to_string(), self.most.to_string());
        if least == most { least } else { format!("{least} to {most}") }
    }

    /// Whether what came so long after the SYN may come from here.
    fn is_at(&self, took: Duration) -> bool {
        let nearest_far = self.splits.values().map(|split| split.far_least.0).min();
        nearest_far.is_some_and(|far| is_nearer(took, far))
    }

    /// What was asked for at its servers: registrable domains, with the servers' networks.
    fn names(&self, port: u16, passages: &Passages) -> BTreeSet<(String, IpAddr)> {
        let here = passages
            .all()
            .filter(|(_, server, passed)| passed.port == port && self.splits.contains_key(server));
        let named = here.filter_map(|(_, server, passed)| {
            Some((registrable(&passed.subject.name)?.to_owned(), network(server)))
        });
        named.collect()
    }

    /// `handshake_fast`: in part where the server itself was asked on no other port.
    fn timing(
        &self,
        server: Endpoint,
        (frame, ttl, took): (FrameId, Ttl, Duration),
        split: Option<&Split>,
    ) -> Fact {
        let Endpoint { ip, port } = server;
        let beside = match split {
            Some(Split { far_least: (least, example), .. }) => format!(
                "the port {} of {ip} never took less than {least}, as in {example}",
                other(port)
            ),
            None => "other servers were as near on this port, and further on others".to_owned(),
        };
        let expected = split.map_or("a server's own distance".to_owned(), |split| {
            format!("{} or more", split.far_least.0)
        });
        Fact {
            signal: Signal::HandshakeFast,
            grade: if split.is_some() { Grade::Full } else { Grade::Half },
            frame,
            expected,
            observed: took.to_string(),
            text: format!(
                "{frame} came {took} after the SYN; {beside}. The port {port} of {} servers of unrelated names is answered from one place (TTL {ttl}, {}), nearer than they are: by a transparent proxy on the way",
                self.splits.len(),
                self.distance()
            ),
        }
    }
}

impl Split {
    fn of(near: &Place, far: Place) -> Option<Self> {
        let (took, _) = near.handshake_least?;
        let far_least = far.handshake_least?;
        let steady = near.ttl_low == near.ttl_high;
        let nearer = far_least.0 >= HANDSHAKE_MIN && is_nearer(took, far_least.0);
        (steady && nearer && far.off(near.ttl_low) > TTL_MARGIN).then_some(Self {
            took,
            far,
            far_least,
        })
    }
}

/// Whether two registrable domains were asked for in two networks.
fn is_unrelated(named: &BTreeSet<(String, IpAddr)>) -> bool {
    // Of names of which no two differ in both, all share the one or all share the other.
    named.first().is_some_and(|(own, at)| {
        named.iter().any(|(domain, _)| domain != own) && named.iter().any(|(_, net)| net != at)
    })
}

/// The port that the same server usually has beside: TLS for plain HTTP, and the other way round.
pub(super) fn twin(server: Endpoint) -> Option<Endpoint> {
    let named = matches!(server.port, HTTP | HTTPS);
    named.then(|| Endpoint::new(server.ip, other(server.port)))
}

const fn other(port: u16) -> u16 {
    if port == HTTP { HTTPS } else { HTTP }
}

/// Less than three quarters of the way. One address alone would have to be nearer than that; several
/// that stand at one distance need not.
const fn is_nearer(took: Duration, far: Duration) -> bool {
    took.as_nanos().saturating_mul(4) < far.as_nanos().saturating_mul(3)
}

fn is_one_place(least: Duration, took: Duration) -> bool {
    took.as_nanos() <= least.times(2).as_nanos().saturating_add(JITTER.as_nanos())
}

const HTTP: u16 = 80;
const HTTPS: u16 = 443;
/// By so much the quickest handshakes with one machine may differ.
const JITTER: Duration = Duration::from_millis(4);

#[cfg(test)]
mod tests;
