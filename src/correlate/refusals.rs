//! Refused connections held against how the same port answers others.
//!
//! A RST that answers a SYN shows nothing by itself: closed ports do it all day. Where the same port
//! of the same address accepts other connections, its SYN/ACKs tell from how far, and how soon, it
//! answers; a RST from elsewhere and in less than half that time was not sent by it.
//!
//! Bounds: [`PORTS_MAX`] ports; which are given up beyond them does not depend on the order of
//! flows (see `hosts`).

use std::collections::BTreeMap;

use super::place::Place;
use crate::evidence::{Fact, Injector, Kind, Signal, Suspicion};
use crate::wire::{
    Direction, Duration, Endpoint, FrameId, Timestamp, Ttl, mapped_octets, stable_hash,
};

/// A SYN that was answered by a RST.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Who was asked.
    pub server: Endpoint,
    /// Frame of the last SYN before it.
    pub syn: FrameId,
    /// Frame of the RST.
    pub frame: FrameId,
    /// When it came.
    pub time: Timestamp,
    /// How long after the SYN.
    pub took: Duration,
    /// Its TTL or hop limit.
    pub ttl: Ttl,
}

/// How the ports of servers answer SYNs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acceptances {
    ports: BTreeMap<(u64, Endpoint), Place>,
}

impl Acceptances {
    /// The SYN/ACK of `server` in `frame`, with `ttl`, `handshake` after the SYN.
    pub fn add(
        &mut self,
        server: Endpoint,
        (frame, ttl): (FrameId, Ttl),
        handshake: Option<Duration>,
    ) {
        self.put((hash(server), server), Place::of((frame, ttl), handshake));
    }

    /// Adds all that `other` knows; the flows of the two must be distinct.
    pub fn merge(&mut self, other: Self) {
        for (port, place) in other.ports {
            self.put(port, place);
        }
    }

    fn put(&mut self, port: (u64, Endpoint), place: Place) {
        self.ports.entry(port).and_modify(|own| own.add(place)).or_insert(place);
        if self.ports.len() > PORTS_MAX {
            self.ports.pop_last();
        }
    }

    /// Holds a refusal against the handshakes of the same port.
    pub fn judge(&self, refusal: &Refusal) -> Option<Suspicion> {
        let Refusal { server, frame, took, ttl, .. } = *refusal;
        let place = self.ports.get(&(hash(server), server))?;
        let whose =
            format!("in {} other flows the port {} of {}", place.flows, server.port, server.ip);
        let facts: Vec<Fact> = [
            place.timing_fact(frame, took, (Signal::RstFast, &whose)),
            place.ttl_fact(frame, ttl, &whose),
        ]
        .into_iter()
        .flatten()
        .collect();
        let elsewhere = facts.iter().any(|fact| fact.signal == Signal::TtlShift);
        elsewhere.then(|| Suspicion {
            kind: Kind::Reset,
            time: refusal.time,
            trigger: Some(refusal.syn),
            forged: vec![frame],
            genuine: Vec::new(),
            direction: Some(Direction::ToClient),
            facts,
            alternatives: vec![
                "A firewall or balancer in front of the server that refused this one connection, as when too many come from one address.".to_owned(),
            ],
            injector: Some(Injector {
                direction: Some(Direction::ToClient),
                initial_ttl: Some(ttl.guess_initial()),
                hops_min: Some(ttl.guess_hops()),
                hops_max: Some(ttl.guess_hops()),
                server_hops: Some(place.ttl_low.guess_hops()),
                fingerprint: None,
                in_path: None,
            }),
            until: None,
            block_page: None,
        })
    }
}

/// Which ports are given up once there are more than [`PORTS_MAX`].
fn hash(server: Endpoint) -> u64 {
    stable_hash(mapped_octets(server.ip).into_iter().chain(server.port.to_be_bytes()))
}

/// Most ports kept: 6 MB when full.
const PORTS_MAX: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::evidence::Confidence;
    use crate::verdict;

    const SERVER: Endpoint =
        Endpoint::new(IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9)), 443);

    fn known() -> Acceptances {
        let mut known = Acceptances::default();
        for millis in [42, 40, 47] {
            let frame = FrameId::new(0, 1_000 + millis);
            known.add(SERVER, (frame, Ttl(52)), Some(Duration::from_millis(millis)));
        }
        known
    }

    fn refused(server: Endpoint, millis: u64, ttl: u8) -> Option<Suspicion> {
        let (syn, frame) = (FrameId::new(0, 7), FrameId::new(0, 8));
        let took = Duration::from_millis(millis);
        let refusal = Refusal { server, syn, frame, time: Timestamp::ZERO, took, ttl: Ttl(ttl) };
        known().judge(&refusal)
    }

    fn told(suspicion: Option<&Suspicion>) -> Vec<&str> {
        suspicion.into_iter().flat_map(|one| &one.facts).map(|fact| fact.text.as_str()).collect()
    }

    fn verdict(suspicion: Option<Suspicion>) -> Option<Confidence> {
        verdict::weigh(&suspicion?).map(|verdict| verdict.confidence)
    }

    #[test]
    fn a_refusal_from_nearer_than_the_port_answers_is_not_the_server_s() {
        let suspicion = refused(SERVER, 5, 61);
        let signals = |suspicion: &Suspicion| -> Vec<Signal> {
            suspicion.facts.iter().map(|fact| fact.signal).collect()
        };
        assert_eq!(suspicion.as_ref().map(signals), Some(vec![Signal::RstFast, Signal::TtlShift]));
        let texts: Vec<&str> = told(suspicion.as_ref());
        assert!(texts[0].ends_with("never took less than 40.0 ms, as in f1040"), "{}", texts[0]);
        assert!(texts[1].ends_with("answers with 52, as in f1040"), "{}", texts[1]);
        assert!(verdict(suspicion) >= Some(Confidence::Possible));
    }

    #[test]
    fn a_refusal_from_where_the_port_answers_is_the_server_s() {
        assert!(refused(SERVER, 41, 52).is_none());
        // A quick one from the same distance: the first handshakes were slow.
        assert!(refused(SERVER, 15, 52).is_none());
    }

    #[test]
    fn a_firewall_beside_the_server_takes_the_server_s_time() {
        assert_eq!(verdict(refused(SERVER, 41, 55)), None);
    }

    #[test]
    fn of_a_port_that_never_answered_nothing_is_known() {
        assert!(refused(Endpoint::new(SERVER.ip, 81), 5, 61).is_none());
    }

    #[test]
    fn what_is_known_does_not_depend_on_the_order() {
        let (mut one, mut other) = (known(), Acceptances::default());
        other.add(SERVER, (FrameId::new(0, 9), Ttl(50)), None);
        let mut merged = other.clone();
        merged.merge(known());
        one.merge(other);
        assert_eq!(one, merged);
    }
}
