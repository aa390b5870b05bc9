use std::net::Ipv4Addr;

use super::*;
use crate::correlate::{Passage, Road, Subject};
use crate::evidence::{Confidence, Kind};
use crate::verdict;
use crate::wire::{Timestamp, Transport};

/// Frames, addresses, ports, TTLs and milliseconds of SYN/ACKs.
type Seen = (u64, [u8; 4], u16, u8, u64);

/// A proxy on port 80 for three servers in three networks.
const PROXIED: [Seen; 6] = [
    (1, [104, 16, 132, 229], 80, 63, 4),
    (2, [104, 16, 132, 229], 443, 53, 21),
    (3, [104, 244, 42, 1], 80, 63, 4),
    (4, [104, 244, 42, 1], 443, 53, 22),
    (5, [151, 101, 0, 81], 80, 63, 5),
    (6, [151, 101, 0, 81], 443, 55, 18),
];
const NAMES: [([u8; 4], &str); 3] = [
    ([104, 16, 132, 229], "www.site.com"),
    ([104, 244, 42, 1], "other.org"),
    ([151, 101, 0, 81], "third.net"),
];

fn accepted((frame, _, _, ttl, ms): Seen) -> Accepted {
    let took = Some(Duration::from_millis(ms));
    Accepted { frame: FrameId::new(0, frame), ttl: Ttl(ttl), took }
}

fn proxies(seen: &[Seen], names: &[([u8; 4], &str)]) -> Proxies {
    let mut acceptances = Acceptances::default();
    for one in seen {
        let Accepted { frame, ttl, took } = accepted(*one);
        acceptances.add(Endpoint::new(one.1.into(), one.2), (frame, ttl), took);
    }
    let mut passages = Passages::default();
    for (number, (server, name)) in (100..).zip(names) {
        for port in [80, 443] {
            passages.add(Passage {
                road: Road {
                    client: Ipv4Addr::new(198, 51, 100, 10).into(),
                    server: Endpoint::new((*server).into(), port),
                    proto: Transport::Tcp,
                },
                subject: Subject::of(name, 0).unwrap(),
                answered: true,
                begins: FrameId::new(0, number),
                time: Timestamp::ZERO,
                size: 100,
            });
        }
    }
    passages.merge(Passages::default());
    Proxies::of(&acceptances, &passages)
}

fn notice(grade: Grade) -> Suspicion {
    Suspicion {
        kind: Kind::Response,
        time: Timestamp::ZERO,
        trigger: None,
        forged: vec![FrameId::new(0, 9)],
        genuine: Vec::new(),
        direction: Some(Direction::ToClient),
        facts: vec![Fact {
            signal: Signal::BlockPage,
            grade,
            frame: FrameId::new(0, 9),
            expected: String::new(),
            observed: String::new(),
            text: String::new(),
        }],
        alternatives: Vec::new(),
        injector: None,
        until: None,
        block_page: None,
        haste: None,
    }
}

fn held(proxies: &Proxies, seen: Seen, grade: Grade) -> (bool, Suspicion, Option<Confidence>) {
    let mut suspicion = notice(grade);
    let server = Endpoint::new(seen.1.into(), seen.2);
    let held = proxies.hold(server, accepted(seen), &mut suspicion);
    let confidence = verdict::weigh(&suspicion).map(|verdict| verdict.confidence);
    (held, suspicion, confidence)
}

#[test]
fn a_notice_from_a_proxy_that_stands_before_unrelated_servers_is_likely() {
    let proxies = proxies(&PROXIED, &NAMES);
    let (is_held, suspicion, confidence) = held(&proxies, PROXIED[2], Grade::Full);
    assert!(is_held);
    assert_eq!(confidence, Some(Confidence::Likely));
    assert_eq!(suspicion.forged, [FrameId::new(0, 3), FrameId::new(0, 9)]);
    let injector = suspicion.injector.unwrap();
    assert_eq!((injector.hops_min, injector.server_hops), (Some(1), Some(11)));
    assert_eq!(
        suspicion.facts[1].text,
        "f3 came 4.0 ms after the SYN; the port 443 of 104.244.42.1 never took less than 22.0 ms, as in f4. The port 80 of 3 servers of unrelated names is answered from one place (TTL 63, 4.0 ms to 5.0 ms), nearer than they are: by a transparent proxy on the way"
    );
}

#[test]
fn a_product_s_notice_from_a_proxy_may_be_the_house_s_own() {
    let proxies = proxies(&PROXIED, &NAMES);
    let (is_held, suspicion, confidence) = held(&proxies, PROXIED[2], Grade::Half);
    assert!(is_held);
    assert_eq!(confidence, Some(Confidence::Possible));
    let voice = Fact { signal: Signal::OneVoice, ..suspicion.facts[0].clone() };
    let all = Suspicion { facts: [suspicion.facts.clone(), vec![voice]].concat(), ..suspicion };
    let verdict = verdict::weigh(&all).map(|verdict| verdict.confidence);
    assert_eq!(verdict, Some(Confidence::Possible), "whatever else agrees");
}

#[test]
fn a_server_that_was_asked_on_one_port_only_is_proxied_in_part() {
    let proxies = proxies(&PROXIED, &NAMES);
    let seen = (7, [93, 184, 215, 14], 80, 63, 4);
    let (is_held, suspicion, _) = held(&proxies, seen, Grade::Full);
    assert!(is_held);
    assert_eq!(suspicion.facts[1].grade, Grade::Half);
    assert!(held(&proxies, seen, Grade::Half).2 < Some(Confidence::Likely));
}

#[test]
fn an_answer_from_elsewhere_is_not_the_proxy_s() {
    let proxies = proxies(&PROXIED, &NAMES);
    let other_ttl = (7, [93, 184, 215, 14], 80, 58, 4);
    let late = (7, [93, 184, 215, 14], 80, 63, 40);
    for seen in [other_ttl, late, PROXIED[1]] {
        let (is_held, suspicion, confidence) = held(&proxies, seen, Grade::Full);
        assert!(!is_held);
        assert_eq!(suspicion.facts.len(), 1);
        assert!(confidence < Some(Confidence::Likely), "a quotation");
    }
}

#[test]
fn one_server_whose_port_443_stands_nearer_has_a_terminator_in_front() {
    let near: Vec<Seen> =
        vec![(1, [104, 16, 132, 229], 443, 63, 4), (2, [104, 16, 132, 229], 80, 53, 21)];
    assert!(proxies(&near, &NAMES).is_empty());
    assert!(!proxies(&PROXIED, &NAMES).is_empty());
}

#[test]
fn servers_of_one_name_or_of_one_network_share_a_terminator() {
    let own = NAMES.map(|(server, _)| (server, "www.site.com"));
    assert!(proxies(&PROXIED, &own).is_empty());
    let nameless: [([u8; 4], &str); 0] = [];
    assert!(proxies(&PROXIED, &nameless).is_empty());
    let (one, two) = ([104, 16, 132, 1], [104, 16, 132, 2]);
    let rack =
        [(1, one, 80, 63, 4), (2, one, 443, 53, 21), (3, two, 80, 63, 4), (4, two, 443, 53, 21)];
    assert!(proxies(&rack, &[(one, "site.com"), (two, "other.org")]).is_empty());
}

#[test]
fn networks_that_answer_from_several_places_have_front_ends_of_their_own() {
    let fronts = PROXIED.map(|(frame, server, port, ttl, ms)| {
        let own = if server[1] == 16 {
            ttl.min(60)
        } else if server[1] == 244 {
            ttl.min(58)
        } else {
            ttl
        };
        (frame, server, port, own, ms)
    });
    assert!(proxies(&fronts, &NAMES).is_empty());
}

#[test]
fn ways_of_one_length_show_nothing() {
    let alike = PROXIED.map(|(frame, server, port, _, ms)| (frame, server, port, 63, ms));
    assert!(proxies(&alike, &NAMES).is_empty(), "one TTL");
    let as_soon = PROXIED.map(|(frame, server, port, ttl, _)| (frame, server, port, ttl, 20));
    assert!(proxies(&as_soon, &NAMES).is_empty(), "one time");
    let near = PROXIED.map(|(frame, server, port, ttl, ms)| (frame, server, port, ttl, ms / 4));
    assert!(proxies(&near, &NAMES).is_empty(), "too short to tell");
}

#[test]
fn where_the_other_port_is_as_far_the_page_came_from_the_server() {
    let mut acceptances = Acceptances::default();
    let server = |port| Endpoint::new(Ipv4Addr::new(104, 16, 132, 229).into(), port);
    for frame in [1, 2] {
        let took = Some(Duration::from_millis(21));
        acceptances.add(server(443), (FrameId::new(0, frame), Ttl(53)), took);
    }
    let signals = |ttl, ms| -> Vec<Signal> {
        let took = accepted((5, [104, 16, 132, 229], 80, ttl, ms));
        let facts = acceptances.at_home(server(80), took).expect("nothing was given up");
        facts.iter().map(|fact| fact.signal).collect()
    };
    assert_eq!(signals(53, 20), [Signal::TtlMatch, Signal::TimingMatch]);
    assert_eq!(signals(63, 4), []);
    assert_eq!(signals(53, 4), [], "nothing that speaks for, either");
    let elsewhere = accepted((5, [104, 16, 132, 229], 80, 53, 20));
    assert_eq!(acceptances.at_home(server(8080), elsewhere), Some(Vec::new()));
}

#[test]
fn where_the_other_port_was_given_up_it_is_not_as_if_it_had_never_answered() {
    let server = |last, port| Endpoint::new(Ipv4Addr::new(192, 0, 2, last).into(), port);
    let mut acceptances = Acceptances::with_room(1);
    for last in 1..=8 {
        let took = Some(Duration::from_millis(21));
        acceptances.add(server(last, 443), (FrameId::new(0, last.into()), Ttl(53)), took);
    }
    let told = |last, port| {
        let took = accepted((9, [192, 0, 2, last], port, 53, 20));
        acceptances.at_home(server(last, port), took).map(|facts| facts.len())
    };
    let mut by_port: Vec<_> = (1..=8).map(|last| told(last, 80)).collect();
    by_port.sort_unstable();
    assert_eq!(by_port, [[None; 7].as_slice(), &[Some(2)]].concat());
    assert_eq!(told(1, 8080), Some(0), "no port of such a kind has another");
}
