use std::net::Ipv4Addr;

use super::*;
use crate::correlate::Opening;
use crate::wire::{FrameId, Timestamp};

/// A host with the domain or service that its name has behind the slash.
fn host(name: &str, verdict: HostVerdict) -> HostRecord {
    let (name, service) = name.split_once('/').map_or((name, None), |(n, s)| (n, Some(s)));
    let hit = matches!(verdict, HostVerdict::Blocked | HostVerdict::Partly);
    let time = Timestamp::from_nanos(name.len() as i64);
    let passes = matches!(verdict, HostVerdict::Untouched | HostVerdict::Partly);
    let (untouched, unclear) = (u64::from(passes), u64::from(verdict == HostVerdict::Unclear));
    HostRecord {
        host: name.to_owned(),
        accesses: u64::from(hit) + untouched + unclear,
        clients: 1,
        interfered: BTreeMap::new(),
        untouched,
        untouched_ports: Vec::new(),
        unclear,
        first_interfered: hit.then_some(time),
        last_interfered: hit.then_some(time),
        first_untouched: passes.then_some(time),
        last_untouched: passes.then_some(time),
        verdict,
        clients_interfered: 0,
        clients_untouched: 0,
        domain: super::super::domain::registrable(name).map(str::to_owned),
        service: service.map(str::to_owned),
        interfered_in: None,
        untouched_in: None,
    }
}

fn client(name: &str, last: u8, interfered: bool, untouched: bool) -> (&str, IpAddr, Seen) {
    let passed = untouched.then(|| Pass::of(opening(last), FrameId::new(0, 100)));
    (name, address(last), Seen { interfered, passed })
}

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

/// How a client's flow began that was answered.
fn opening(last: u8) -> Opening {
    let time = Timestamp::from_nanos(i64::from(last));
    Opening { time, frame: FrameId::new(0, u64::from(last)), client: address(last) }
}

fn services(hosts: &[HostRecord]) -> Vec<(String, JoinedBy, HostVerdict)> {
    let records = records(hosts, std::iter::empty());
    records.services.into_iter().map(|record| (record.service, record.by, record.verdict)).collect()
}

use HostVerdict::{Blocked, Partly, Unclear, Untouched};

#[test]
fn a_service_is_told_where_its_names_differ() {
    type Hosts<'a> = &'a [(&'a str, HostVerdict)];
    let cases: [(Hosts<'_>, Option<HostVerdict>); 9] = [
        (&[("a.zz.com", Blocked), ("b.zz.com", Untouched)], Some(Partly)),
        (&[("a.zz.com", Blocked), ("b.zz.com", Partly)], Some(Partly)),
        (&[("a.zz.com", Partly), ("zz.com", Partly)], Some(Partly)),
        (&[("a.zz.com", Blocked), ("zz.com", Blocked)], Some(Blocked)),
        (&[("a.zz.com", Blocked), ("b.zz.com", Blocked), ("zz.com", Unclear)], Some(Blocked)),
        // One name that could be judged: its host record says all.
        (&[("a.zz.com", Blocked)], None),
        (&[("a.zz.com", Partly), ("b.zz.com", Unclear)], None),
        // Nothing happened.
        (&[("a.zz.com", Untouched), ("b.zz.com", Untouched)], None),
        (&[("a.zz.com", Untouched), ("b.zz.com", Unclear)], None),
    ];
    for (hosts, verdict) in cases {
        let hosts: Vec<_> = hosts.iter().map(|(name, verdict)| host(name, *verdict)).collect();
        let expected: Vec<_> =
            verdict.map(|v| ("zz.com".to_owned(), JoinedBy::Domain, v)).into_iter().collect();
        assert_eq!(services(&hosts), expected);
    }
}

#[test]
fn names_of_different_customers_do_not_belong_together() {
    let pairs = [
        ("alice.github.io", "bob.github.io"),
        ("one.co.uk", "other.co.uk"),
        ("d1.cloudfront.net", "d2.cloudfront.net"),
        ("a.blocked.example", "b.blocked.example"),
        ("198.51.100.7", "198.51.100.8"),
        ("localhost", "router"),
        ("instagram.com", "instagram.com.evil.net"),
    ];
    for (one, other) in pairs {
        assert_eq!(services(&[host(one, Blocked), host(other, Untouched)]), [], "{one}");
    }
}

#[test]
fn the_users_word_counts_before_the_list() {
    let hosts = [
        host("a.zz.com/Zed", Blocked),
        host("cdn.example/Zed", Untouched),
        host("b.zz.com", Untouched),
        host("c.zz.com", Untouched),
        // A service that is called as a domain is, is not that domain.
        host("198.51.100.7/yy.com", Blocked),
        host("www.yy.com", Blocked),
        host("w.yy.com", Untouched),
    ];
    let expected = [
        ("Zed".to_owned(), JoinedBy::File, Partly),
        ("yy.com".to_owned(), JoinedBy::Domain, Partly),
    ];
    assert_eq!(services(&hosts), expected);
}

#[test]
fn clients_are_counted_over_all_names() {
    let hosts = [
        host("api.zz.com", Partly),
        host("up.zz.com", Blocked),
        host("www.zz.com", Untouched),
        host("www.other.com", Untouched),
    ];
    let clients = [
        // Blocked at one, answered at the other.
        client("up.zz.com", 1, true, false),
        client("api.zz.com", 1, false, true),
        client("www.zz.com", 1, false, true),
        // Let through where the third was not.
        client("api.zz.com", 2, false, true),
        client("api.zz.com", 3, true, false),
        // At names where nobody was refused, nobody is let through.
        client("www.zz.com", 4, false, true),
        // At a refused name without an answer.
        client("up.zz.com", 5, false, false),
        client("www.other.com", 6, false, true),
    ];
    let told = records(&hosts, clients.into_iter());
    let [record] = &told.services[..] else { panic!("one service") };
    // The first client got an answer at an untouched name, though it was blocked at another.
    let first = Pass::of(opening(1), FrameId::new(0, 100)).to(address(1));
    assert_eq!(told.beside, BTreeMap::from([("www.zz.com".to_owned(), first)]));
    assert_eq!((record.clients, record.clients_interfered), (5, 2));
    assert_eq!(record.clients_let_through, 1);
    assert_eq!(record.let_through, [IpAddr::from(Ipv4Addr::new(192, 0, 2, 2))]);
    assert_eq!(record.first_interfered, Some(Timestamp::from_nanos(9)));
    assert_eq!(record.last_interfered, Some(Timestamp::from_nanos(10)));
}

#[test]
fn long_lists_are_cut_and_counted() {
    let names: Vec<String> = (0..1000).map(|n| format!("a{n:03}.zz.com")).collect();
    let hosts: Vec<_> = names.iter().map(|name| host(name, Partly)).collect();
    let clients = (0..=255).map(|last| client(&names[0], last, false, true));
    let [record] = &records(&hosts, clients).services[..] else { panic!("one service") };
    let partly = &record.hosts[&Partly];
    assert_eq!((partly.count, partly.names.len()), (1000, MAX_NAMES_LISTED));
    assert_eq!((&partly.names[0], &partly.names[63]), (&names[0], &names[63]));
    assert_eq!(record.clients_let_through, 256);
    assert_eq!(record.let_through.len(), MAX_LET_THROUGH_LISTED);
}

#[test]
fn of_many_services_those_hit_most_often_are_told() {
    let service = |n: usize| format!("s{n:04}.com");
    let mut hosts = Vec::new();
    for n in 0..MAX_SERVICES + 3 {
        hosts.push(host(&format!("a.{}", service(n)), Blocked));
        hosts.push(host(&format!("b.{}", service(n)), Untouched));
    }
    let told = |hosts: &[HostRecord]| {
        let told = records(hosts, std::iter::empty());
        let names: Vec<_> = told.services.into_iter().map(|record| record.service).collect();
        (names, told.given_up)
    };
    // All were hit equally often.
    let first: Vec<_> = (0..MAX_SERVICES).map(service).collect();
    assert_eq!(told(&hosts), (first, 3));
    // The last was hit once more. The one before it was asked for more often, and not hit.
    hosts[2 * (MAX_SERVICES + 2)].accesses += 1;
    hosts[2 * (MAX_SERVICES + 1)].accesses += 9;
    hosts[2 * (MAX_SERVICES + 1)].untouched += 9;
    let but_one = (0..MAX_SERVICES - 1).chain([MAX_SERVICES + 2]).map(service).collect();
    assert_eq!(told(&hosts), (but_one, 3));
    hosts.truncate(2 * MAX_SERVICES);
    assert_eq!(told(&hosts).1, 0);
}
