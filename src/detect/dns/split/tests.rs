use std::net::{IpAddr, Ipv4Addr};

use super::super::{Book, Forgeries, Habits, Stamp, judge};
use super::*;
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::{Signal, Suspicion};
use crate::protocol::dns::Message;
use crate::wire::{Direction, FrameId, IpHeader};

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 53));
const NAMES: [&str; 3] = ["video.example", "www.news.example", "talk.example"];
const OTHERS: [&str; 5] =
    ["mail.example", "shop.example", "www.wiki.example", "maps.example", "bank.example"];
const SERVFAIL: u16 = 2;

/// One exchange: who asks for what (type A or AAAA), and the answer.
#[derive(Clone, Copy, Debug)]
struct Visit<'a> {
    at: i64,
    client: u8,
    name: &'a str,
    kind: u16,
    ttl: u8,
    took: i64,
    rcode: u16,
    address: Option<[u8; 4]>,
}

/// Where a name's true answer comes from, 56 ms away.
fn far(at: i64, name: &str) -> Visit<'_> {
    let octet = name.bytes().fold(1, |sum: u8, byte| sum.wrapping_mul(31) ^ byte);
    let address = Some([198, 18, octet, 7]);
    Visit { at, client: 10, name, kind: 1, ttl: 53, took: 56, rcode: 0, address }
}

/// From a device in the path, 7 ms away: one address for all.
fn near(at: i64, name: &str) -> Visit<'_> {
    Visit { ttl: 61, took: 7, address: Some([192, 0, 2, 1]), ..far(at, name) }
}

fn message(visit: &Visit<'_>, answer: bool) -> Vec<u8> {
    let flags = if answer { 0x8180 | visit.rcode } else { 0x0100 };
    let given = visit.address.filter(|_| answer);
    let header = [7, flags, 1, u16::from(given.is_some()), 0, 0];
    let mut bytes: Vec<u8> = header.into_iter().flat_map(u16::to_be_bytes).collect();
    for label in visit.name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, visit.kind as u8, 0, 1]);
    if let Some(address) = given {
        bytes.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
        bytes.extend(address);
    }
    bytes
}

/// The exchanges, each of a flow of its own.
fn exchanges(visits: &[Visit<'_>], list: &FingerprintSet) -> Vec<(IpAddr, Exchange)> {
    let one = |(number, visit): (u64, &Visit<'_>)| {
        let mut book = Book::default();
        let packets = [
            (visit.at, Direction::ToServer, 64),
            (visit.at + visit.took, Direction::ToClient, visit.ttl),
        ];
        for (place, (at, way, ttl)) in (0..).zip(packets) {
            let ip = IpHeader {
                ttl: Ttl(ttl),
                id: Some(7),
                dont_fragment: false,
                traffic_class: 0,
                reassembled: false,
                tunnels: 0,
            };
            let time = Timestamp::from_nanos(at * 1_000_000);
            let stamp = Stamp { frame: FrameId::new(0, number * 2 + place), time, ip: Some(ip) };
            let bytes = message(visit, way == Direction::ToClient);
            let message = Message::read(&bytes, false).expect("a header");
            book.message(message, stamp, way, list);
        }
        let client = IpAddr::V4(Ipv4Addr::new(198, 51, 100, visit.client));
        (client, book.finish(list).remove(0))
    };
    (1..).zip(visits).map(one).collect()
}

/// What is told of each visit.
fn judged(visits: &[Visit<'_>]) -> Vec<Option<Suspicion>> {
    let list = FingerprintSet::builtin();
    let all = exchanges(visits, &list);
    let mut habits = Habits::default();
    for (client, exchange) in &all {
        habits.add([*client, SERVER], exchange, Some(&list));
    }
    habits.settle();
    all.iter()
        .map(|(_, exchange)| judge(exchange, SERVER, &habits, (&list, &Forgeries::default())))
        .collect()
}

/// The grade of `dns_split_by_name`, where the near visits have it and no other one is suspected.
fn split(visits: &[Visit<'_>]) -> Option<Grade> {
    let mut grades = BTreeSet::new();
    for (visit, found) in visits.iter().zip(judged(visits)) {
        let facts = found.map(|found| found.facts).unwrap_or_default();
        let fact = facts.iter().find(|fact| fact.signal == Signal::DnsSplitByName);
        assert!(fact.is_none() || visit.ttl == 61, "{visit:?}");
        if visit.ttl == 61 {
            grades.insert(fact.map(|fact| fact.grade));
        }
    }
    assert_eq!(grades.len(), 1, "{grades:?}");
    grades.into_iter().next().flatten()
}

/// `rounds` in which each name is asked for once, in turn from near and far.
fn rounds<'a>(rounds: i64, near: impl Fn(i64, &'a str) -> Visit<'a>) -> Vec<Visit<'a>> {
    let visit = |round: i64, place: usize| {
        let at = round * 10_000 + place as i64 * 1_000;
        let blocked = NAMES.get(place / 2).filter(|_| place.is_multiple_of(2));
        let other = if place < 6 { place / 2 } else { place - 3 };
        blocked.map_or_else(|| far(at, OTHERS[other]), |name| near(at, name))
    };
    (0..rounds).flat_map(|round| (0..8).map(move |place| visit(round, place))).collect()
}

#[test]
fn one_answer_from_near_for_a_list_of_names() {
    assert_eq!(split(&rounds(3, near)), Some(Grade::Full));
    let again = |visit: &Visit<'_>| visit.ttl == 61 || visit.name == OTHERS[0];
    let few = rounds(2, near).into_iter().filter(|visit| visit.at < 10_000 || again(visit));
    assert_eq!(split(&few.collect::<Vec<_>>()), Some(Grade::Half), "1 in 21");
    assert_eq!(split(&rounds(1, near)), None, "asked once, any three names may be the near ones");
    let refuses = |at, name| Visit { rcode: SERVFAIL, address: None, ..near(at, name) };
    assert_eq!(split(&rounds(3, refuses)), Some(Grade::Full));
    let found = judged(&rounds(3, near)).remove(0).expect("a suspicion");
    let grade = |signal| found.facts.iter().find(|fact| fact.signal == signal).map(|it| it.grade);
    assert_eq!(grade(Signal::TtlShift), Some(Grade::Full), "held against the far answers alone");
    assert_eq!(grade(Signal::DnsFast), Some(Grade::Full));
    assert!(found.genuine.is_empty());
}

#[test]
fn a_name_asked_once_is_told_with_the_others() {
    let mut visits = rounds(3, near);
    visits.push(near(90_000, "radio.example"));
    assert_eq!(split(&visits), Some(Grade::Full));
    // Its own answer, from near: then not all that comes from near is strange.
    visits.push(Visit { address: Some([198, 18, 77, 7]), ..near(91_000, "home.example") });
    assert_eq!(split(&visits), None);
}

#[test]
fn innocent_twins_of_a_split() {
    let true_ones = |at, name| Visit { address: far(at, name).address, ..near(at, name) };
    let own_network = |at, name| Visit { address: Some([192, 168, 0, 1]), ..near(at, name) };
    let empty = |at, name| Visit { address: None, ..near(at, name) };
    let not_sooner = |at, name| Visit { took: 50, ..near(at, name) };
    let table: [(&str, Vec<Visit<'_>>); 11] = [
        ("a warm cache, or another machine, with true answers", rounds(3, true_ones)),
        ("a router that answers its own names", rounds(3, own_network)),
        ("no such data", rounds(3, empty)),
        ("another place, no sooner", rounds(3, not_sooner)),
        (
            "a cache: first from afar, then from near",
            rounds(3, |at, name| if at < 10_000 { far(at, name) } else { true_ones(at, name) }),
        ),
        (
            "a balancer: once the other way",
            rounds(3, |at, name| if at == 22_000 { far(at, name) } else { near(at, name) }),
        ),
        (
            "an address that others have, too",
            rounds(3, near)
                .into_iter()
                .chain([Visit { ttl: 53, took: 56, ..near(99_000, "cdn.example") }])
                .collect(),
        ),
        (
            "one owner under many suffixes",
            rounds(3, near)
                .into_iter()
                .map(|visit| match visit.name {
                    "video.example" => Visit { name: "owner.example", ..visit },
                    "www.news.example" => Visit { name: "www.owner.com", ..visit },
                    "talk.example" => Visit { name: "owner.org", ..visit },
                    _ => visit,
                })
                .collect(),
        ),
        (
            "a portal's gate, which lets few pass",
            rounds(3, near)
                .into_iter()
                .filter(|visit| visit.ttl == 61 || visit.name == "mail.example")
                .collect(),
        ),
        (
            "two clients, each with a way and names of its own",
            rounds(3, near).into_iter().map(|visit| Visit { client: visit.ttl, ..visit }).collect(),
        ),
        (
            "a type that somebody nearer answers",
            rounds(3, near)
                .into_iter()
                .map(|visit| Visit {
                    kind: if visit.ttl == 61 { 28 } else { 1 },
                    address: visit.address.filter(|_| visit.ttl != 61),
                    rcode: if visit.ttl == 61 { 3 } else { 0 },
                    ..visit
                })
                .collect(),
        ),
    ];
    for (twin, visits) in table {
        assert_eq!(split(&visits), None, "{twin}");
    }
}

#[test]
fn a_route_that_changes_once_is_no_split() {
    // Before, only the one half of the names is asked for, and afterwards only the other one.
    let mut visits = rounds(4, near);
    for visit in visits.iter_mut().filter(|visit| visit.ttl == 61) {
        visit.at += 100_000;
    }
    assert_eq!(split(&visits), None);
}

#[test]
fn names_of_the_own_network_are_left_out() {
    let visits = rounds(3, near).into_iter().map(|visit| match visit.name {
        "video.example" => Visit { name: "printer.lan", ..visit },
        "www.news.example" => Visit { name: "box.home", ..visit },
        "talk.example" => Visit { name: "wpad.local", ..visit },
        _ => visit,
    });
    assert_eq!(split(&visits.collect::<Vec<_>>()), None);
}
