//! Refused connections held against how the same port answers others.
//!
//! A RST that answers a SYN shows nothing by itself: closed ports do it all day. Where the same port
//! of the same address accepts other connections, its SYN/ACKs tell from how far, and how soon, it
//! answers; a RST from elsewhere and in less than half that time was not sent by it.
//!
//! Bounds: [`Acceptances::PORTS_MAX`] ports; which are given up beyond them does not depend on the order of
//! flows (see `hosts`).

use super::place::Place;
use super::proxies::{Accepted, twin};
use super::shelf::{Shelf, seeded};
use crate::evidence::{Fact, Injector, Kind, Signal, Suspicion};
use crate::wire::{
    Direction, Duration, Endpoint, FrameId, Timestamp, Ttl, address_words, stable_mix,
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acceptances {
    ports: Shelf<(u64, Endpoint), Place>,
}

impl Default for Acceptances {
    fn default() -> Self {
        Self::with_room(Self::PORTS_MAX)
    }
}

impl Acceptances {
    /// Most ports kept: 16 MB when full.
    pub const PORTS_MAX: usize = 1 << 16;

    /// A tally of at most `ports` ports.
    pub fn with_room(ports: usize) -> Self {
        Self { ports: Shelf::of(ports) }
    }

    /// Whether there was no room for all.
    pub const fn is_full(&self) -> bool {
        self.ports.is_full()
    }

    /// Bytes held, about.
    pub fn memory(&self) -> usize {
        self.ports.memory()
    }

    /// The SYN/ACK of `server` in `frame`, with `ttl`, `handshake` after the SYN.
    pub fn add(
        &mut self,
        server: Endpoint,
        (frame, ttl): (FrameId, Ttl),
        handshake: Option<Duration>,
    ) {
        self.ports.change(
            seeded(&server),
            |(_, known)| *known == server,
            || ((hash(server), server), Place::blank((frame, ttl))),
            |place| place.note((frame, ttl), handshake),
        );
    }

    /// Adds all that `other` knows; the flows of the two must be distinct.
    pub fn merge(&mut self, other: Self) {
        self.ports.merge(other.ports);
        self.ports.settle();
    }

    /// All ports, with how they answer, in no order.
    pub(super) fn ports(&self) -> impl Iterator<Item = (Endpoint, &Place)> {
        self.ports.entries().map(|((_, server), place)| (*server, place))
    }

    /// How `server` answers.
    pub(super) fn place(&self, server: Endpoint) -> Option<&Place> {
        self.ports.get(seeded(&server), &(hash(server), server))
    }

    fn gave_up(&self, server: Endpoint) -> bool {
        self.ports.gave_up(&(hash(server), server))
    }

    /// What speaks against a page from who accepted the connection being another's: the other port
    /// of the same address is answered from as far, and no sooner. `None` where what is known of that
    /// port was given up.
    pub fn at_home(&self, server: Endpoint, accepted: Accepted) -> Option<Vec<Fact>> {
        let Some(other) = twin(server) else { return Some(Vec::new()) };
        let Some(place) = self.place(other) else {
            return (!self.gave_up(other)).then(Vec::new);
        };
        let whose = format!("the other port of {}", server.ip);
        let Accepted { frame, ttl, took } = accepted;
        let ttl = place.ttl_fact(frame, ttl, &whose);
        let timing =
            took.and_then(|took| place.timing_fact(frame, took, (Signal::HandshakeFast, &whose)));
        let facts: Vec<Fact> = [ttl, timing].into_iter().flatten().collect();
        let same =
            facts.iter().all(|one| matches!(one.signal, Signal::TtlMatch | Signal::TimingMatch));
        Some(if same { facts } else { Vec::new() })
    }

    /// Holds what `suspicion` says of a packet's haste against the handshakes of the same port from as
    /// far as the flow's own SYN/ACK, whose TTL is `home`; whether that changed anything. Where those were
    /// given up, nothing is said of haste: they might have excused it.
    pub fn hold(&self, server: Endpoint, home: Option<Ttl>, suspicion: &mut Suspicion) -> bool {
        let Some(haste) = suspicion.haste else { return false };
        let place = self.place(server);
        if place.is_none() && !self.gave_up(server) {
            return false;
        }
        let whose = format!("the port {} of {}", server.port, server.ip);
        let mut changed = false;
        let facts = std::mem::take(&mut suspicion.facts).into_iter().filter_map(|fact| {
            if !matches!(fact.signal, Signal::RstFast | Signal::DataFast) {
                return Some(fact);
            }
            let held = place.and_then(|place| place.hold(fact.clone(), haste, (home, &whose)));
            changed |= held.as_ref() != Some(&fact);
            held
        });
        suspicion.facts = facts.collect();
        changed
    }

    /// What the handshakes of the same port say of a refusal, for it and against it; or, where it
    /// never accepted anybody, those of the other port of the same address.
    pub fn facts(&self, refusal: &Refusal) -> Vec<Fact> {
        let held = |port| Some(Self::held(refusal, port, self.place(port)?));
        let own = held(refusal.server);
        // What was given up may have excused it.
        let never = own.is_none() && !self.gave_up(refusal.server);
        let other = twin(refusal.server).filter(|_| never);
        own.or_else(|| other.and_then(held)).unwrap_or_default()
    }

    fn held(refusal: &Refusal, port: Endpoint, place: &Place) -> Vec<Fact> {
        let Refusal { frame, took, ttl, .. } = *refusal;
        let whose = format!("in {} the port {} of {}", others(place.flows), port.port, port.ip);
        let facts = [
            place.timing_fact(frame, took, (Signal::RstFast, &whose)),
            place.ttl_fact(frame, ttl, &whose),
        ];
        facts.into_iter().flatten().collect()
    }

    /// Holds a refusal against the handshakes of the same port.
    pub fn judge(&self, refusal: &Refusal) -> Option<Suspicion> {
        let Refusal { server, frame, ttl, .. } = *refusal;
        let place = self.place(server)?;
        let facts = Self::held(refusal, server, place);
        let elsewhere = facts.iter().any(|fact| fact.signal == Signal::TtlShift);
        elsewhere.then(|| Suspicion {
            kind: Kind::Reset,
            time: refusal.time,
            trigger: Some(refusal.syn),
            forged: vec![frame],
            genuine: Vec::new(),
            direction: Some(Direction::ToClient),
            facts,
            alternatives: alternatives(ttl),
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
            haste: None,
        })
    }
}

/// What else a refusal with `ttl` may come from.
fn alternatives(ttl: Ttl) -> Vec<String> {
    let gateway = "The client's own gateway, from which no router stands between: a portal that asks for consent, or a rule of the house.";
    let front = "A firewall or balancer in front of the server that refused this one connection, as when too many come from one address.";
    let here = ttl.guess_hops() <= 1;
    here.then_some(gateway).into_iter().chain([front]).map(str::to_owned).collect()
}

/// Which ports are given up once there are more than there is room for.
fn hash(server: Endpoint) -> u64 {
    stable_mix(address_words(server.ip).into_iter().chain([server.port.into()]))
}

fn others(flows: u64) -> String {
    if flows == 1 { "another flow".to_owned() } else { format!("{flows} other flows") }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::evidence::{Confidence, Grade, Haste};
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

    /// A RST that came `took` milliseconds after what it answers, where the way needs `needs`.
    fn hasty(took: u64, needs: u64) -> Suspicion {
        let millis = Duration::from_millis;
        Suspicion {
            facts: vec![Fact {
                signal: Signal::RstFast,
                grade: Grade::Full,
                frame: FrameId::new(0, 9),
                expected: String::new(),
                observed: String::new(),
                text: "own".to_owned(),
            }],
            haste: Some(Haste {
                took: millis(took),
                needs: millis(needs),
                other: Some(millis(took + 30)),
            }),
            kind: Kind::Reset,
            time: Timestamp::from_nanos(0),
            trigger: None,
            forged: Vec::new(),
            genuine: Vec::new(),
            direction: None,
            until: None,
            alternatives: Vec::new(),
            injector: None,
            block_page: None,
        }
    }

    #[test]
    fn a_handshake_that_was_late_makes_no_other_packet_too_fast() {
        let server = SERVER;
        let millis = Duration::from_millis;
        let held = |handshakes: &[u64], took, needs| {
            let mut known = Acceptances::default();
            for (number, handshake) in (1..).zip(handshakes) {
                known.add(server, (FrameId::new(0, number), Ttl(60)), Some(millis(*handshake)));
            }
            let mut suspicion = hasty(took, needs);
            known.hold(server, Some(Ttl(60)), &mut suspicion);
            suspicion.facts.pop().map(|fact| (fact.signal, fact.grade, fact.text))
        };
        let own = "own".to_owned();
        let full = Some((Signal::RstFast, Grade::Full, own.clone()));
        assert_eq!(held(&[13, 60], 6, 13), full, "others are no quicker");
        assert_eq!(held(&[80], 6, 80), full, "one handshake, and much sooner");
        assert_eq!(held(&[13], 6, 13), Some((Signal::RstFast, Grade::Half, own)), "may be late");
        assert_eq!(held(&[13, 9], 6, 13), None, "neither too soon nor as late as the server");
        let as_late = held(&[13, 5], 6, 13).expect("a fact");
        assert_eq!(as_late.0, Signal::TimingMatch);
        assert_eq!(held(&[13, 4], 1, 13), None, "too short a way to be nearer");
        // One that came from elsewhere is no measure of who answered here.
        let mut known = Acceptances::default();
        for (number, handshake, ttl) in [(1, 80, 60), (2, 5, 118), (3, 84, 60)] {
            known.add(server, (FrameId::new(0, number), Ttl(ttl)), Some(millis(handshake)));
        }
        let mut suspicion = hasty(6, 80);
        known.hold(server, Some(Ttl(60)), &mut suspicion);
        assert_eq!(suspicion.facts[0].text, "own");
        known.hold(server, Some(Ttl(118)), &mut suspicion);
        assert_eq!(suspicion.facts[0].signal, Signal::TimingMatch);
        let still = held(&[80, 40], 6, 80).expect("a fact");
        assert_eq!(
            (still.0, still.1),
            (Signal::RstFast, Grade::Half),
            "it may answer what came before"
        );
        let still = held(&[200, 90], 6, 200).expect("a fact");
        assert_eq!((still.0, still.1), (Signal::RstFast, Grade::Full));
        assert_eq!(
            still.2,
            "f9 came 6.0 ms after what it answers; the port 443 of 203.0.113.9 needs 90.0 ms, as in f2"
        );
    }

    #[test]
    fn of_haste_nothing_is_said_where_the_port_s_handshakes_were_given_up() {
        let (mut scarce, mut given_up) = (Acceptances::with_room(4), 0);
        let ports = (1..40).map(|port| Endpoint::new(SERVER.ip, port));
        for port in ports.clone() {
            scarce.add(
                port,
                (FrameId::new(0, port.port.into()), Ttl(60)),
                Some(Duration::from_millis(80)),
            );
        }
        scarce.ports.settle();
        for port in ports {
            let [mut suspicion, mut unknown] = [hasty(6, 80), hasty(6, 80)];
            scarce.hold(port, Some(Ttl(60)), &mut suspicion);
            assert_eq!(suspicion.facts.is_empty(), scarce.place(port).is_none(), "{port}");
            given_up += usize::from(suspicion.facts.is_empty());
            assert!(!Acceptances::default().hold(port, Some(Ttl(60)), &mut unknown));
            assert_eq!(unknown, hasty(6, 80));
        }
        assert_eq!(given_up, 35);
    }

    #[test]
    fn many_handshakes_tell_what_a_way_needs() {
        // 80 ms after a request and 110 ms after the packet before it; the way needs 200 ms.
        let grade = |handshakes: &[u64], before: u64| {
            let mut known = Acceptances::default();
            for (number, millis) in (1..).zip(handshakes) {
                let handshake = Some(Duration::from_millis(*millis));
                known.add(SERVER, (FrameId::new(0, number), Ttl(60)), handshake);
            }
            let fact = Fact {
                signal: Signal::RstFast,
                grade: Grade::Half,
                frame: FrameId::new(0, 9),
                expected: String::new(),
                observed: String::new(),
                text: String::new(),
            };
            let millis = Duration::from_millis;
            let haste = Haste { took: millis(80), needs: millis(200), other: Some(millis(before)) };
            let place = known.place(SERVER)?;
            Some(place.hold(fact, haste, (Some(Ttl(60)), "it"))?.grade)
        };
        assert_eq!(grade(&[200, 204, 201], 110), Some(Grade::Full));
        assert_eq!(grade(&[200, 204], 110), Some(Grade::Half), "two handshakes may both be late");
        assert_eq!(grade(&[200, 204, 201], 160), Some(Grade::Half), "it may answer that");
        assert_eq!(
            grade(&[200], 85),
            Some(Grade::Half),
            "what is half is not made whole by itself"
        );
        assert_eq!(grade(&[190, 204], 85), Some(Grade::Half));
    }

    #[test]
    fn a_port_whose_handshakes_were_given_up_is_not_held_against_the_other_one() {
        let mut scarce = Acceptances::with_room(20);
        let server = |last, port| Endpoint::new([192, 0, 2, last].into(), port);
        for (last, port) in (1..=40).flat_map(|last| [(last, 80), (last, 443)]) {
            let seen = (FrameId::new(0, last.into()), Ttl(60));
            scarce.add(server(last, port), seen, Some(Duration::from_millis(80)));
        }
        scarce.ports.settle();
        let told = |last| {
            let refusal = Refusal {
                server: server(last, 80),
                syn: FrameId::new(0, 100),
                frame: FrameId::new(0, 101),
                time: Timestamp::ZERO,
                took: Duration::from_millis(9),
                ttl: Ttl(90),
            };
            let known = [80, 443].map(|port| scarce.place(server(last, port)).is_some());
            (known, scarce.facts(&refusal).len())
        };
        let all: Vec<_> = (1..=40).map(told).collect();
        assert!(all.iter().all(|([own, _], facts)| *facts == if *own { 2 } else { 0 }));
        assert!(all.contains(&([false, true], 0)) && all.contains(&([true, false], 2)));
    }

    #[test]
    fn a_port_that_never_accepted_is_held_against_the_other_one() {
        let refusal = |ttl| Refusal {
            server: Endpoint::new(SERVER.ip, 80),
            syn: FrameId::new(0, 7),
            frame: FrameId::new(0, 8),
            time: Timestamp::ZERO,
            took: Duration::from_millis(41),
            ttl: Ttl(ttl),
        };
        let signals = |ttl| -> Vec<Signal> {
            known().facts(&refusal(ttl)).iter().map(|fact| fact.signal).collect()
        };
        assert_eq!(signals(61), [Signal::TimingMatch, Signal::TtlShift]);
        assert_eq!(signals(52), [Signal::TimingMatch, Signal::TtlMatch]);
        // By itself a port that nobody saw open may be closed by anybody.
        assert_eq!(known().judge(&refusal(61)), None);
        let other = Refusal { server: Endpoint::new(SERVER.ip, 8080), ..refusal(61) };
        assert!(known().facts(&other).is_empty());
    }
}
