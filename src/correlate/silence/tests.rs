use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::correlate::Passage;
use crate::evidence::Confidence;
use crate::verdict;
use crate::wire::{Endpoint, Transport};

const HELLO: Signal = Signal::HelloUnanswered;

fn road(server: u8) -> Road {
    let ip = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    Road { client: ip(7), server: Endpoint::new(ip(server), 443), proto: Transport::Tcp }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos(second * 1_000_000_000)
}

fn subject(name: &str) -> Subject {
    Subject::of(name, 0).expect("a name")
}

/// A hello for `name` that was sent from `second` on, five times over six seconds.
fn silent(second: i64, name: &str) -> Silent {
    let frame = FrameId::new(0, 1000 + second.unsigned_abs());
    Silent {
        road: road(1),
        what: HELLO,
        subject: Some(subject(name)),
        source: HostSource::Sni,
        trigger: frame,
        begins: frame,
        from: at(second),
        until: at(second + 6),
        last: frame,
        copies: 5,
        size: 517,
        idle: Duration::ZERO,
        watched: Duration::from_secs(30),
    }
}

fn passed(second: i64, name: &str, server: u8) -> Passage {
    Passage {
        road: road(server),
        subject: subject(name),
        answered: true,
        begins: FrameId::new(0, second.unsigned_abs() + 1),
        time: at(second),
        size: 517,
    }
}

fn judge(all: &[Silent], passages: impl IntoIterator<Item = Passage>) -> Option<Judged> {
    let mut folded = Passages::default();
    passages.into_iter().for_each(|passage| folded.add(passage));
    folded.merge(Passages::default());
    Silences::of(all, &folded).judge(&all[0])
}

fn level(all: &[Silent], passages: impl IntoIterator<Item = Passage>) -> Option<Confidence> {
    let judged = judge(all, passages)?;
    Some(verdict::weigh(&judged.suspicion)?.confidence)
}

#[test]
fn silence_beside_a_control_is_likely_and_names_it() {
    let during = [passed(90, "b.example", 1), passed(103, "b.example", 1)];
    let judged = judge(&[silent(100, "a.example")], during.clone()).expect("a suspicion");
    assert_eq!(judged.control, Some(FrameId::new(0, 104)));
    assert!(judged.suspicion.forged.is_empty());
    assert_eq!(level(&[silent(100, "a.example")], during), Some(Confidence::Likely));
}

#[test]
fn what_passes_before_and_after_leaves_room_for_an_outage() {
    let both = || [passed(90, "b.example", 1), passed(110, "b.example", 1)];
    assert_eq!(level(&[silent(100, "a.example")], both()), Some(Confidence::Likely));
    // Another flow of the client was silent at the same time, at whatever server.
    let elsewhere = Silent {
        road: Road {
            server: Endpoint::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)), 443),
            ..road(1)
        },
        ..silent(102, "z.example")
    };
    assert_eq!(level(&[silent(100, "a.example"), elsewhere], both()), Some(Confidence::Possible));
    // A connection that is kept alive meets every outage; here it had just been answered.
    let own = Passage { begins: silent(100, "a.example").begins, ..passed(99, "a.example", 1) };
    let request = Silent { what: Signal::RequestUnanswered, ..silent(100, "a.example") };
    let kept = both().into_iter().chain([own]);
    assert_eq!(level(std::slice::from_ref(&request), kept), None);
    // So does what has no handshake; unless it happens again, and the server lived between.
    let quic = |second| Silent {
        road: Road { proto: Transport::Udp, ..road(1) },
        what: Signal::QuicUnanswered,
        ..silent(second, "a.example")
    };
    let udp = |second| Passage {
        road: Road { proto: Transport::Udp, ..road(1) },
        ..passed(second, "b.example", 1)
    };
    assert_eq!(level(&[quic(100)], [udp(90), udp(110)]), Some(Confidence::Possible));
    assert_eq!(level(&[quic(100), quic(112)], [udp(90), udp(110)]), Some(Confidence::Likely));
}

#[test]
fn without_a_control_it_is_possible_at_most() {
    let often: Vec<Silent> = (0..4).map(|n| silent(100 + 10 * n, "a.example")).collect();
    assert_eq!(level(&often, []), Some(Confidence::Possible));
    let far = [passed(300, "b.example", 1), passed(-300, "b.example", 1)];
    assert_eq!(level(&often[..1], far), Some(Confidence::Possible));
    let other_port = Passage {
        road: Road { server: Endpoint::new(road(1).server.ip, 80), ..road(1) },
        ..passed(103, "b.example", 1)
    };
    assert_ne!(level(&often[..1], [other_port]), Some(Confidence::Likely));
    let other_client = Passage {
        road: Road { client: road(9).server.ip, ..road(1) },
        ..passed(103, "b.example", 1)
    };
    assert_eq!(judge(&often[..1], [other_client]).expect("a suspicion").control, None);
}

#[test]
fn servers_beside_it_show_the_way_and_what_another_client_got_shows_the_server() {
    let silent = [silent(100, "a.example")];
    let one = [passed(90, "b.example", 9), passed(110, "b.example", 9)];
    let two = || [passed(90, "b.example", 9), passed(104, "c.example", 8)];
    let around = || [passed(90, "b.example", 9), passed(112, "c.example", 8)];
    let late = || [passed(130, "b.example", 9), passed(140, "c.example", 8)];
    let other = |second, name: &str| Passage {
        road: Road { client: road(200).server.ip, ..road(1) },
        ..passed(second, name, 1)
    };
    let with = |way: &[Passage], others: &[Passage]| {
        level(&silent, way.iter().chain(others).cloned().collect::<Vec<_>>())
    };
    let alive = [other(103, "d.example")];
    assert_eq!(with(&two(), &[]), Some(Confidence::Possible), "a full queue behind SYN cookies");
    assert_eq!(with(&two(), &alive), Some(Confidence::Likely));
    assert_eq!(with(&around(), &alive), Some(Confidence::Possible), "the client's line was down");
    let later = [other(80, "d.example"), other(120, "e.example")];
    assert_eq!(with(&two(), &later), Some(Confidence::Possible), "it may have come back");
    let queue = [other(103, "a.example"), other(104, "d.example")];
    assert_eq!(with(&two(), &queue), Some(Confidence::Possible), "a queue chooses no names");
    assert_eq!(with(&one, &alive), Some(Confidence::Possible));
    let itself = || [passed(90, "b.example", 1), passed(104, "c.example", 8)];
    assert_eq!(with(&itself(), &alive), Some(Confidence::Likely), "one beside it, and the server");
    assert_eq!(with(&itself(), &[]), Some(Confidence::Possible));
    assert_eq!(with(&itself()[..1], &alive), Some(Confidence::Possible));
    assert_ne!(with(&late(), &alive), Some(Confidence::Likely));
    let told = judge(&silent, two().into_iter().chain(alive)).expect("a suspicion").suspicion;
    assert!(told.facts.iter().any(|fact| fact.text.contains("answered another client")));
    assert_eq!(told.alternatives.len(), 1);
    let open = judge(&silent, two()).expect("a suspicion").suspicion.alternatives;
    assert!(open.iter().any(|open| open.contains("overloaded")), "{open:?}");
}

#[test]
fn an_answer_that_only_the_capture_has_is_not_the_name_passing() {
    let withheld = Silent { what: Signal::AckWithheld, ..silent(100, "a.example") };
    let own = |second| Passage { begins: withheld.begins, ..passed(second, "a.example", 1) };
    let beside = [passed(90, "b.example", 9), passed(104, "c.example", 8)];
    let other = Passage {
        road: Road { client: road(200).server.ip, ..road(1) },
        ..passed(103, "d.example", 1)
    };
    let with = |own: &[Passage]| {
        let all: Vec<_> = beside.iter().chain([&other]).chain(own).cloned().collect();
        level(std::slice::from_ref(&withheld), all)
    };
    assert_eq!(with(&[own(100)]), Some(Confidence::Likely));
    // An earlier answer on the same connection did arrive.
    assert_ne!(with(&[own(95), own(100)]), Some(Confidence::Likely));
    assert_ne!(with(&[passed(95, "a.example", 1)]), Some(Confidence::Likely));
}

#[test]
fn a_control_on_one_side_needs_repetition_as_well() {
    let after = [passed(130, "b.example", 1)];
    assert_eq!(level(&[silent(100, "a.example")], after.clone()), Some(Confidence::Possible));
    let before = [passed(99, "b.example", 1)];
    assert_eq!(level(&[silent(100, "a.example")], before), Some(Confidence::Possible));
    let thrice: Vec<Silent> = (0..3).map(|n| silent(100 + 8 * n, "a.example")).collect();
    assert_eq!(level(&thrice, after), Some(Confidence::Likely));
}

#[test]
fn a_connection_that_had_rested_and_an_address_without_answers_are_possible_at_most() {
    let soon = [passed(104, "b.example", 1)];
    assert_eq!(level(&[silent(100, "a.example")], soon.clone()), Some(Confidence::Likely));
    let idle = Silent { idle: Duration::from_secs(60), ..silent(100, "a.example") };
    assert_eq!(level(&[idle], soon.clone()), Some(Confidence::Possible));
    let syn = Silent { what: Signal::SynUnanswered, subject: None, ..silent(100, "a.example") };
    assert_eq!(level(&[syn], soon), Some(Confidence::Possible));
}

#[test]
fn several_connections_that_rested_are_forgotten_together() {
    let rested = |n: i64| Silent {
        what: Signal::RequestUnanswered,
        idle: Duration::from_secs(11),
        ..silent(100 + 8 * n, "a.example")
    };
    let all: Vec<Silent> = (0..3).map(rested).collect();
    let control = || [passed(103, "b.example", 1)];
    assert_ne!(level(&all, control()), Some(Confidence::Likely));
    let judged = judge(&all, control()).expect("a suspicion");
    assert!(judged.suspicion.alternatives.iter().any(|open| open.contains("had forgotten")));
    let busy: Vec<Silent> =
        all.iter().map(|flow| Silent { idle: Duration::from_secs(2), ..flow.clone() }).collect();
    assert_eq!(level(&busy, control()), Some(Confidence::Likely));
}

#[test]
fn where_all_names_fail_or_the_name_itself_passes_nothing_is_likely() {
    let outage = [silent(100, "a.example"), silent(101, "b.example"), silent(102, "c.example")];
    let around = [passed(80, "b.example", 1), passed(115, "b.example", 1)];
    assert_ne!(level(&outage, around.clone()), Some(Confidence::Likely));
    assert_ne!(level(&outage[..2], around.clone()), Some(Confidence::Likely));
    let chance =
        around.into_iter().chain([passed(80, "a.example", 1), passed(115, "a.example", 1)]);
    assert_ne!(level(&[silent(100, "a.example")], chance), Some(Confidence::Likely));
}

#[test]
fn a_large_hello_needs_a_control_as_large() {
    let large = Silent { size: 1_400, ..silent(100, "a.example") };
    let small = passed(103, "b.example", 1);
    assert_ne!(level(std::slice::from_ref(&large), [small.clone()]), Some(Confidence::Likely));
    let as_large = Passage { size: 1_400, ..small };
    assert_eq!(level(&[large], [as_large]), Some(Confidence::Likely));
}

#[test]
fn few_copies_or_a_short_time_are_chance() {
    let during = [passed(103, "b.example", 1)];
    let twice = Silent { copies: 2, ..silent(100, "a.example") };
    assert_eq!(level(&[twice], during.clone()), None);
    let hasty = Silent { until: at(100), ..silent(100, "a.example") };
    assert_eq!(level(&[hasty], during), None);
}

#[test]
fn an_address_that_does_not_answer_is_possible_at_most() {
    let syn = Silent {
        what: Signal::SynUnanswered,
        subject: None,
        source: HostSource::Correlation,
        ..silent(100, "a.example")
    };
    let beside = [passed(103, "b.example", 9)];
    assert_eq!(level(std::slice::from_ref(&syn), beside), Some(Confidence::Possible));
    let same = [passed(90, "b.example", 1), passed(103, "b.example", 1)];
    assert_eq!(level(std::slice::from_ref(&syn), same), Some(Confidence::Possible));
    assert_eq!(level(&[syn], []), None);
}

#[test]
fn a_connection_that_had_idled_may_have_died_and_another_port_is_another_service() {
    let both = [passed(90, "b.example", 1), passed(110, "b.example", 1)];
    let idle = Silent { idle: Duration::from_secs(3), ..silent(100, "a.example") };
    assert_eq!(level(&[idle], both), Some(Confidence::Possible));
    let on_80 = |second| Passage {
        road: Road { server: Endpoint::new(road(1).server.ip, 80), ..road(1) },
        ..passed(second, "b.example", 1)
    };
    let before = [passed(99, "b.example", 1)];
    assert_eq!(level(&[silent(100, "a.example")], before), Some(Confidence::Possible));
    let thrice: Vec<Silent> = (0..3).map(|n| silent(100 + 8 * n, "a.example")).collect();
    assert_eq!(level(&thrice, [on_80(90), on_80(103), on_80(130)]), Some(Confidence::Possible));
}

#[test]
fn a_request_that_was_acknowledged_elsewhere_was_not_swallowed_by_its_name() {
    let both = [passed(90, "b.example", 1), passed(110, "b.example", 1)];
    let heard = Passage { answered: false, ..passed(101, "a.example", 1) };
    let all = both.into_iter().chain([heard]);
    assert_ne!(level(&[silent(100, "a.example")], all), Some(Confidence::Likely));
}

#[test]
fn a_query_is_counted_over_its_ports_and_never_likely() {
    let query = |second: i64| Silent {
        what: Signal::QueryUnanswered,
        source: HostSource::Dns,
        copies: 1,
        until: at(second),
        size: 0,
        ..silent(second, "a.example")
    };
    let during = [passed(101, "b.example", 1), passed(104, "c.example", 1)];
    assert_eq!(level(&[query(100)], during.clone()), None);
    let asked = [query(100), query(102), query(105)];
    assert_eq!(level(&asked, during), Some(Confidence::Possible));
}
