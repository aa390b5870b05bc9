use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::correlate::{MAX_NAME, ServiceSet};
use crate::evidence::{
    AccessRecord, ByDirection, Confidence, FlowEnd, HostSource, HttpExchange, QuicNames,
    RoleSource, TlsNames,
};
use crate::wire::{Endpoint, FrameId, Transport};

fn endpoint(last: u8, port: u16) -> Endpoint {
    Endpoint::new(Ipv4Addr::new(192, 0, 2, last).into(), port)
}

fn flow(client: u8) -> FlowRecord {
    FlowRecord {
        flow: 1,
        community_id: "1:AAAA".to_owned(),
        proto: Transport::Tcp,
        client: endpoint(client, 50_000),
        server: endpoint(200, 443),
        roles: RoleSource::Handshake,
        capture: "a.pcap".to_owned(),
        first_frame: FrameId::new(0, 1),
        last_frame: FrameId::new(0, 9),
        first: Timestamp::ZERO,
        last: Timestamp::ZERO,
        packets: ByDirection::default(),
        bytes: ByDirection::default(),
        handshake_rtt_us: None,
        tls: None,
        quic: None,
        http: Vec::new(),
        dns: Vec::new(),
        led_here_by: None,
        end: FlowEnd::Fin,
        gaps: 0,
        tampering_signature: None,
    }
}

fn tls(client: u8, sni: &str, answered: bool) -> FlowRecord {
    let server_hello_frame = answered.then(|| FrameId::new(0, 5));
    let names = TlsNames { sni: Some(sni.to_owned()), server_hello_frame, ..TlsNames::default() };
    FlowRecord { tls: Some(names), ..flow(client) }
}

fn http(client: u8, exchanges: &[(&str, Option<u16>)]) -> FlowRecord {
    let http = exchanges
        .iter()
        .map(|(host, status)| HttpExchange {
            host: Some((*host).to_owned()),
            status: *status,
            status_frame: status.map(|status| FrameId::new(0, u64::from(status))),
            ..HttpExchange::default()
        })
        .collect();
    FlowRecord { http, ..flow(client) }
}

fn finding(kind: Kind, confidence: Confidence, host: Option<&str>, second: i64) -> Finding {
    Finding {
        id: "id".to_owned(),
        kind,
        confidence,
        score: 0.9,
        host: host.map(str::to_owned),
        host_source: host.map(|_| HostSource::Sni),
        flow: 1,
        community_id: "1:AAAA".to_owned(),
        proto: Transport::Tcp,
        client: endpoint(1, 50_000),
        server: endpoint(200, 443),
        capture: "a.pcap".to_owned(),
        time: Timestamp::from_nanos(second * 1_000_000_000),
        trigger_frame: None,
        forged_frames: Vec::new(),
        genuine_frames: Vec::new(),
        frames: Vec::new(),
        evidence: Vec::new(),
        against: Vec::new(),
        alternatives: Vec::new(),
        residual_of: None,
        led_to: Vec::new(),
        control_flow: None,
        policed: None,
        residual: None,
        injector: None,
        block_page: None,
    }
}

fn names(name: &str, answered: Option<FrameId>) -> [(Name, Option<FrameId>); 1] {
    [(Name::of(name).expect("a name"), answered)]
}

fn one(tally: &HostTally, host: &str) -> HostRecord {
    records(tally).into_iter().find(|record| record.host == host).expect("host is known")
}

fn records(tally: &HostTally) -> Vec<HostRecord> {
    told(tally).hosts
}

/// The records, with flows numbered as their first frames are.
fn told(tally: &HostTally) -> HostRecords {
    let services = ServiceSet::default();
    let (flow, path) = (|frame: FrameId| frame.number(), |_| "a.pcap".to_owned());
    tally.records(&Book { services: &services, flow: &flow, path: &path })
}

#[test]
fn a_name_that_is_always_reset_is_blocked() {
    let mut tally = HostTally::default();
    for (client, second) in [(1, 30), (1, 10), (2, 20)] {
        let reset = finding(Kind::Reset, Confidence::Likely, Some("a.example"), second);
        tally.flow(&tls(client, "a.example", false), &[&reset]);
    }
    let record = one(&tally, "a.example");
    assert_eq!(record.verdict, HostVerdict::Blocked);
    assert_eq!((record.accesses, record.clients, record.clients_interfered), (3, 2, 2));
    assert_eq!(record.interfered, BTreeMap::from([(Kind::Reset, 3)]));
    assert_eq!(record.first_interfered, Some(Timestamp::from_nanos(10_000_000_000)));
    assert_eq!(record.last_interfered, Some(Timestamp::from_nanos(30_000_000_000)));
}

#[test]
fn of_a_flow_whose_findings_were_given_up_nothing_is_said() {
    let mut tally = HostTally::default();
    tally.unclear_flow(&tls(1, "a.example", true), ["b.example", "a.example"].into_iter());
    for host in ["a.example", "b.example"] {
        let record = one(&tally, host);
        assert_eq!((record.accesses, record.untouched, record.unclear), (1, 0, 1), "{host}");
        assert!(record.interfered.is_empty());
    }
}

#[test]
fn a_client_that_was_ever_interfered_with_is_not_untouched() {
    let mut tally = HostTally::default();
    let reset = finding(Kind::Reset, Confidence::Confirmed, Some("a.example"), 0);
    tally.flow(&tls(1, "a.example", false), &[&reset]);
    tally.flow(&tls(1, "a.example", true), &[]);
    tally.flow(&tls(2, "a.example", true), &[]);
    tally.flow(&tls(3, "a.example", false), &[]);
    let record = one(&tally, "a.example");
    assert_eq!(record.verdict, HostVerdict::Partly);
    assert_eq!((record.untouched, record.unclear), (2, 1));
    assert_eq!((record.clients, record.clients_interfered, record.clients_untouched), (3, 1, 1));
}

#[test]
fn a_possible_finding_makes_an_access_unclear() {
    let mut tally = HostTally::default();
    let maybe = finding(Kind::Reset, Confidence::Possible, Some("a.example"), 0);
    tally.flow(&tls(1, "a.example", true), &[&maybe]);
    let record = one(&tally, "a.example");
    assert_eq!((record.verdict, record.unclear), (HostVerdict::Unclear, 1));
    assert!(record.interfered.is_empty() && record.first_interfered.is_none());
}

#[test]
fn of_several_http_hosts_only_the_named_one_is_hit() {
    let mut tally = HostTally::default();
    let page = finding(Kind::Response, Confidence::Confirmed, Some("b.example"), 0);
    let exchanges = [
        ("a.example", Some(200)),
        ("a.example", None),
        ("b.example", Some(403)),
        ("c.example", None),
    ];
    tally.flow(&http(1, &exchanges), &[&page]);
    let verdicts: Vec<_> = records(&tally).iter().map(|record| record.verdict).collect();
    let expected = [HostVerdict::Untouched, HostVerdict::Blocked, HostVerdict::Unclear];
    assert_eq!(verdicts, expected);
    assert_eq!(one(&tally, "a.example").accesses, 1, "one access for each flow");
}

#[test]
fn a_finding_without_a_name_hits_the_only_name_and_clouds_several() {
    let reset = finding(Kind::Reset, Confidence::Confirmed, None, 0);
    let mut tally = HostTally::default();
    tally.flow(&tls(1, "a.example", true), &[&reset]);
    tally.flow(&http(1, &[("b.example", Some(200)), ("c.example", Some(200))]), &[&reset]);
    let verdicts: Vec<_> = records(&tally).iter().map(|record| record.verdict).collect();
    assert_eq!(verdicts, [HostVerdict::Blocked, HostVerdict::Unclear, HostVerdict::Unclear]);
}

#[test]
fn a_flow_without_a_name_may_get_one_by_correlation() {
    let mut tally = HostTally::default();
    tally.flow(&flow(1), &[&finding(Kind::Drop, Confidence::Likely, Some("A.example."), 0)]);
    tally.flow(&flow(1), &[]);
    let record = one(&tally, "a.example");
    assert_eq!((record.accesses, record.verdict), (1, HostVerdict::Blocked));
    assert_eq!(records(&tally).len(), 1);
}

#[test]
fn an_access_by_quic_is_never_untouched() {
    let names = QuicNames { sni: Some("a.example".to_owned()), ..QuicNames::default() };
    let mut tally = HostTally::default();
    tally.flow(&FlowRecord { quic: Some(names), ..flow(1) }, &[]);
    assert_eq!(one(&tally, "a.example").verdict, HostVerdict::Unclear);
}

/// A flow of `client` that begins with frame `first` in second `first`.
fn begun(first: u64, flow: FlowRecord) -> FlowRecord {
    let time = Timestamp::from_nanos(first as i64 * 1_000_000_000);
    FlowRecord { first_frame: FrameId::new(0, first), first: time, ..flow }
}

#[test]
fn records_point_to_the_first_interference_and_the_last_answer() {
    let mut reset = finding(Kind::Reset, Confidence::Likely, Some("i.zz.com"), 22);
    reset.forged_frames = vec![FrameId::new(0, 24), FrameId::new(0, 25)];
    let mut drop = finding(Kind::Drop, Confidence::Likely, Some("i.zz.com"), 12);
    drop.trigger_frame = Some(FrameId::new(0, 14));
    let bare = finding(Kind::Drop, Confidence::Likely, Some("up.zz.com"), 30);
    let mut tally = HostTally::default();
    tally.flow(&begun(20, tls(1, "i.zz.com", false)), &[&reset]);
    tally.flow(&begun(10, tls(2, "i.zz.com", false)), &[&drop]);
    tally.flow(&begun(30, tls(1, "up.zz.com", false)), &[&bare]);
    tally.flow(&begun(40, tls(3, "i.zz.com", true)), &[]);
    tally.flow(&begun(45, tls(3, "i.zz.com", true)), &[]);
    let quiet = |first: i64| Opening {
        time: Timestamp::from_nanos(first * 1_000_000_000),
        frame: FrameId::new(0, first as u64),
        client: endpoint(4, 1).ip,
    };
    tally.quiet_flow((quiet(50), endpoint(200, 80)), &names("I.zz.com", Some(FrameId::new(0, 55))));
    tally.quiet_flow((quiet(60), endpoint(200, 81)), &names("i.zz.com", None));
    let access = |flow, client, frame, second: i64| AccessRecord {
        flow,
        client: endpoint(client, 1).ip,
        capture: "a.pcap".to_owned(),
        frame: FrameId::new(0, frame),
        time: Timestamp::from_nanos(second * 1_000_000_000),
    };
    let host = one(&tally, "i.zz.com");
    assert_eq!(host.interfered_in, Some(access(10, 2, 14, 12)));
    assert_eq!(host.untouched_in, Some(access(50, 4, 55, 50)));
    assert_eq!(host.untouched_ports, [80, 443], "and not where it was not answered");
    let seconds = |second: i64| Some(Timestamp::from_nanos(second * 1_000_000_000));
    assert_eq!((host.first_untouched, host.last_untouched), (seconds(40), seconds(50)));
    assert_eq!(host.domain.as_deref(), Some("zz.com"));
    let host = one(&tally, "up.zz.com");
    assert_eq!(host.interfered_in, Some(access(30, 1, 30, 30)), "the flow itself");
    assert_eq!(host.untouched_in, None);
    assert_eq!((host.first_untouched, host.last_untouched), (None, None));
    let shown: Vec<u64> = tally.flows_shown().iter().map(|frame| frame.number()).collect();
    assert_eq!(shown, [10, 30, 50]);
    let HostRecords { services, services_given_up: 0, .. } = told(&tally) else { panic!("few") };
    let [service] = &services[..] else { panic!("{services:?}") };
    assert_eq!((service.service.as_str(), service.verdict), ("zz.com", HostVerdict::Partly));
    assert_eq!((service.clients, service.clients_interfered), (4, 2));
    let let_through = [endpoint(3, 1).ip, endpoint(4, 1).ip];
    assert_eq!(service.let_through, let_through);
}

#[test]
fn an_address_that_other_answers_gave_too_leads_nobody_astray() {
    let at = |last| FlowRecord { server: endpoint(last, 443), ..tls(1, "a.example", true) };
    let mut tally = HostTally::default();
    for last in [1, 2, 3] {
        tally.flow(&at(last), &[]);
    }
    let mut given = FalseAnswers::default();
    let ips = |lasts: [u8; 2]| lasts.map(|last| endpoint(last, 53).ip).into_iter();
    given.add("a.example", ips([1, 2]), true);
    given.add("a.example", ips([2, 9]), false);
    given.add("b.example", ips([3, 3]), true);
    tally.lead_astray(&given);
    let record = one(&tally, "a.example");
    assert_eq!((record.untouched, record.unclear), (2, 1));
}

#[test]
fn what_is_no_host_name_is_counted_and_not_kept() {
    let mut tally = HostTally::default();
    tally.flow(&tls(1, &"x".repeat(MAX_NAME + 1), true), &[]);
    tally.flow(&tls(1, ".", true), &[]);
    assert_eq!((records(&tally).len(), tally.accesses_given_up()), (0, 1));
}

/// An access in small numbers: client and server, names with answers, and findings.
type Sketch = ((u8, u8), Vec<(u8, bool)>, Vec<(u8, u8, Option<u8>, i64)>);

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let names = prop::collection::vec((0u8..8, any::<bool>()), 0..3);
    let findings =
        prop::collection::vec((0u8..3, 0u8..3, prop::option::of(0u8..8), 0i64..100), 0..3);
    prop::collection::vec(((0u8..6, 200u8..203), names, findings), 0..24)
}

fn add(tally: &mut HostTally, ((client, server), names, found): &Sketch) {
    let hosts: Vec<_> = names.iter().map(|(name, _)| format!("h{name}.zz.com")).collect();
    let exchanges: Vec<_> = hosts
        .iter()
        .zip(names)
        .map(|(host, (_, answered))| (host.as_str(), answered.then_some(200)))
        .collect();
    let findings: Vec<_> = found
        .iter()
        .map(|(kind, confidence, host, second)| {
            let kind = [Kind::Reset, Kind::Response, Kind::Drop][usize::from(*kind)];
            let confidence = [Confidence::Possible, Confidence::Likely, Confidence::Confirmed]
                [usize::from(*confidence)];
            let host = host.map(|host| format!("h{host}.zz.com"));
            finding(kind, confidence, host.as_deref(), *second)
        })
        .collect();
    let first = u64::from(*client) * 7 + found.len() as u64;
    let flow = FlowRecord { server: endpoint(*server, 443), ..http(*client, &exchanges) };
    tally.flow(&begun(first, flow), &findings.iter().collect::<Vec<_>>());
}

fn tally(limits: Limits, flows: &[Sketch]) -> HostTally {
    let mut tally = HostTally::with_room(limits.0, limits.1);
    for flow in flows {
        add(&mut tally, flow);
    }
    tally.settle();
    tally
}

/// Room for hosts and for clients.
type Limits = (usize, usize);

const AMPLE: Limits = (MAX_HOSTS, MAX_CLIENTS);

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![Just(AMPLE), (1usize..6, 1usize..12)]
}

proptest! {
    #[test]
    fn the_order_of_flows_does_not_matter(
        limits in limits(),
        (flows, shuffled) in sketches().prop_flat_map(|flows| {
            (Just(flows.clone()), Just(flows).prop_shuffle())
        }),
    ) {
        let (one, other) = (tally(limits, &flows), tally(limits, &shuffled));
        prop_assert_eq!(told(&one), told(&other));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn merging_is_associative_and_equals_one_tally(
        limits in limits(),
        a in sketches(),
        b in sketches(),
        c in sketches(),
    ) {
        let [ta, tb, tc] = [&a, &b, &c].map(|flows| tally(limits, flows));
        let mut left = ta.clone();
        left.merge(tb.clone());
        left.merge(tc.clone());
        let mut right_tail = tb;
        right_tail.merge(tc);
        let mut right = ta;
        right.merge(right_tail);
        left.settle();
        right.settle();
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(left, tally(limits, &[a, b, c].concat()));
    }

    #[test]
    fn what_survives_the_limits_is_complete(limits in limits(), flows in sketches()) {
        let all = tally(AMPLE, &flows);
        let cut = tally(limits, &flows);
        let mut kept = 0;
        for record in records(&cut) {
            let full = one(&all, &record.host);
            kept += record.accesses;
            prop_assert_eq!(record.verdict, full.verdict);
            prop_assert_eq!(record.interfered, full.interfered);
            prop_assert_eq!(record.interfered_in, full.interfered_in);
            prop_assert_eq!(record.first_untouched, full.first_untouched);
            prop_assert_eq!(record.last_untouched, full.last_untouched);
            // Which access shows it best depends on what else is known.
            prop_assert_eq!(record.untouched_in.is_some(), full.untouched_in.is_some());
            prop_assert!(record.clients <= full.clients);
            prop_assert!(cut.clients_given_up() || record.clients == full.clients);
        }
        let total: u64 = records(&all).iter().map(|record| record.accesses).sum();
        prop_assert_eq!(kept + cut.accesses_given_up(), total);
    }

    #[test]
    fn what_false_answers_led_to_is_as_if_it_had_not_been_answered(
        flows in sketches(),
        astray in prop::collection::vec((0u8..8, 200u8..203), 0..4),
    ) {
        let mut given = FalseAnswers::default();
        for (name, server) in &astray {
            given.add(&format!("H{name}.zz.com."), [endpoint(*server, 53).ip].into_iter(), true);
        }
        let mut led = tally(AMPLE, &flows);
        led.lead_astray(&given);
        let mut kept = flows;
        for ((_, server), names, _) in &mut kept {
            for (name, answered) in names {
                *answered &= !astray.contains(&(*name, *server));
            }
        }
        prop_assert_eq!(told(&led), told(&tally(AMPLE, &kept)));
        prop_assert_eq!(led.flows_shown(), tally(AMPLE, &kept).flows_shown());
    }

    #[test]
    fn every_access_has_one_fate(flows in sketches()) {
        for record in records(&tally(AMPLE, &flows)) {
            let settled = record.untouched + record.unclear;
            prop_assert_eq!(record.first_untouched.is_some(), record.untouched > 0);
            prop_assert!(record.first_untouched <= record.last_untouched);
            prop_assert!(settled <= record.accesses);
            let by_kind: u64 = record.interfered.values().sum();
            prop_assert!(record.accesses - settled <= by_kind);
            prop_assert!(record.clients_interfered + record.clients_untouched <= record.clients);
        }
    }
}

#[test]
fn the_lowest_ports_are_kept_in_any_order() {
    for order in [[9, 80, 443, 80, 7, 8], [8, 443, 7, 9, 80, 8], [443, 80, 9, 8, 7, 0]] {
        let mut ports = Ports::default();
        for port in order {
            ports.add(port);
        }
        assert_eq!(ports.told().collect::<Vec<_>>(), [7, 8, 9, 80]);
    }
}
