//! Hand-made records for the tests of this room: one function a story.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::jsonl::JsonLines;
use crate::evidence::{
    AccessRecord, BlockPage, ByDirection, CaptureRecord, Confidence, DamageRecord, Finding,
    FlowEnd, FlowRecord, FormatName, FrameRole, Grade, HostRecord, HostSource, HostVerdict,
    HttpExchange, Injector, InterfaceRecord, JoinedBy, Kind, ListSource, NamesRecord, Reach,
    RoleSource, RoledFrame, ServiceRecord, Signal, Summary, TlsNames, ToolRecord, Weighed,
};
use crate::wire::{Direction, Endpoint, FrameId, Timestamp, Transport, Ttl};

/// The records of one analysis.
pub(super) struct Story {
    pub(super) captures: Vec<CaptureRecord>,
    pub(super) flows: Vec<FlowRecord>,
    pub(super) findings: Vec<Finding>,
    pub(super) hosts: Vec<HostRecord>,
    pub(super) summary: Summary,
}

/// All records of a story in the order of the contract.
pub(super) fn json_lines(story: &Story) -> String {
    let mut lines = JsonLines::new(Vec::new());
    story.captures.iter().try_for_each(|capture| lines.capture(capture)).expect("a vector");
    story.flows.iter().try_for_each(|flow| lines.flow(flow)).expect("a vector");
    story.findings.iter().try_for_each(|finding| lines.finding(finding)).expect("a vector");
    story.hosts.iter().try_for_each(|host| lines.host(host)).expect("a vector");
    lines.summary(&story.summary).expect("a vector");
    String::from_utf8(lines.into_inner()).expect("it is text")
}

/// A photo site behind a notice on a phone network and reset elsewhere; a news site for some.
pub(super) fn blocked() -> Story {
    let mut reset = reset(7, Confidence::Likely);
    reset.residual_of = Some("5e2f0c9a71d4".to_owned());
    let mut maybe = reset_of("shop.example", 9, Confidence::Possible);
    maybe.score = 0.61;
    maybe.time = at(130_000);
    Story {
        captures: vec![capture("koryolink/3g-client.pcap")],
        flows: vec![http_flow(), tls_flow()],
        findings: vec![notice(), reset, reset_of("news.example", 8, Confidence::Confirmed), maybe],
        hosts: vec![
            host("mail.example", HostVerdict::Untouched, [4, 0, 4, 0]),
            host("news.example", HostVerdict::Partly, [5, 2, 2, 1]),
            host("photos.example", HostVerdict::Blocked, [3, 3, 0, 0]),
            host("shop.example", HostVerdict::Unclear, [1, 0, 0, 1]),
            host("wiki.example", HostVerdict::Unclear, [2, 0, 0, 2]),
        ],
        summary: Summary {
            services: vec![service()],
            ..summary(&[
                (Kind::Reset, Confidence::Possible, 1),
                (Kind::Reset, Confidence::Likely, 1),
                (Kind::Reset, Confidence::Confirmed, 1),
                (Kind::Response, Confidence::Confirmed, 1),
            ])
        },
    }
}

/// Nothing was found.
pub(super) fn quiet() -> Story {
    Story {
        captures: vec![capture("home.pcapng")],
        flows: Vec::new(),
        findings: Vec::new(),
        hosts: vec![
            host("mail.example", HostVerdict::Untouched, [4, 0, 4, 0]),
            host("wiki.example", HostVerdict::Untouched, [3, 0, 2, 1]),
        ],
        summary: summary(&[]),
    }
}

/// Two files of one recording; the forged frames are in both.
pub(super) fn several_files() -> Story {
    let mut story = blocked();
    story.captures = vec![capture("ring/0001.pcap"), capture("ring/0002.pcap")];
    story.captures[1].first = Some(at(141_000));
    story.captures[1].last = Some(at(86_400_000));
    let mut finding = notice();
    "ring/0001.pcap".clone_into(&mut finding.capture);
    finding.genuine_frames = vec![FrameId::new(1, 2)];
    finding.frames = vec![
        roled(FrameRole::Trigger, FrameId::new(0, 40), "ring/0001.pcap"),
        roled(FrameRole::Forged, FrameId::new(0, 43), "ring/0001.pcap"),
        roled(FrameRole::Forged, FrameId::new(0, 44), "ring/0001.pcap"),
        roled(FrameRole::Genuine, FrameId::new(1, 2), "ring/0002.pcap"),
    ];
    story.findings = vec![finding];
    story.flows.clear();
    story.summary.findings =
        BTreeMap::from([(Kind::Response, BTreeMap::from([(Confidence::Confirmed, 1)]))]);
    story
}

/// A file cut short, packets lost and left aside, limits reached.
pub(super) fn damaged() -> Story {
    let mut story = quiet();
    let capture = &mut story.captures[0];
    "-".clone_into(&mut capture.path);
    capture.damage =
        Some(DamageRecord { offset: 1_048_576, reason: "a record runs past the end".to_owned() });
    capture.capture_drops = Some(12);
    capture.packets_truncated = 1;
    capture.skipped =
        [("arp", 31), ("ip_fragment_lost", 2), ("llc", 31)].map(|(k, n)| (k.to_owned(), n)).into();
    story.summary.limits = BTreeMap::from([("flows_evicted".to_owned(), 1_200)]);
    story.summary.findings =
        BTreeMap::from([(Kind::Reset, BTreeMap::from([(Confidence::Possible, 3)]))]);
    story
}

/// Every name and text comes from somebody who means harm.
pub(super) fn hostile() -> Story {
    let evil = "\x1b[2J\x1b]0;owned\x07evil\u{202e}moc.elpmaxe\u{9b}31m\r\nInstagram — untouched";
    let mut story = blocked();
    story.captures[0].path = format!("{evil}.pcap");
    story.captures[0].damage = Some(DamageRecord { offset: 24, reason: evil.to_owned() });
    story.captures[0].skipped = BTreeMap::from([(evil.to_owned(), 1)]);
    story.flows[0].http[0].host = Some(evil.to_owned());
    story.flows[1].tampering_signature = Some(evil.to_owned());
    story.findings.truncate(1);
    let finding = &mut story.findings[0];
    finding.host = Some(evil.repeat(4));
    finding.alternatives = vec![evil.to_owned()];
    finding.evidence[0].text = evil.repeat(20);
    finding.against[0].text = evil.to_owned();
    let page = finding.block_page.as_mut().expect("it has one");
    page.title = Some(evil.repeat(4));
    page.location = Some(evil.to_owned());
    story.hosts.truncate(1);
    story.hosts[0].host = evil.repeat(4);
    story.hosts[0].service = Some(evil.to_owned());
    story.hosts[0].verdict = HostVerdict::Blocked;
    story.hosts[0].interfered_in = Some(access(3, 43));
    let service = &mut story.summary.services[0];
    evil.clone_into(&mut service.service);
    service.hosts = BTreeMap::from([(HostVerdict::Blocked, names(&[&evil.repeat(4)]))]);
    story.summary.limits = BTreeMap::from([(evil.to_owned(), 1)]);
    story
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos((1_435_000_000_000 + millis) * 1_000_000)
}

fn endpoint(ip: [u8; 4], port: u16) -> Endpoint {
    Endpoint::new(IpAddr::from(ip), port)
}

fn capture(path: &str) -> CaptureRecord {
    CaptureRecord {
        path: path.to_owned(),
        bytes: 48_213,
        sha256: None,
        format: Some(FormatName::Pcap),
        compression: None,
        interfaces: vec![InterfaceRecord {
            link_type: 1,
            snaplen: 65_535,
            time_resolution: "1e-6".to_owned(),
        }],
        packets: 1_214,
        first: Some(at(0)),
        last: Some(at(141_000)),
        packets_truncated: 0,
        skipped: BTreeMap::new(),
        damage: None,
        capture_drops: None,
        fragment_conflicts: Vec::new(),
    }
}

fn http_flow() -> FlowRecord {
    FlowRecord {
        flow: 3,
        community_id: "1:TSkXc8bcLOTXHAoAOz0qFZgHq9A=".to_owned(),
        proto: Transport::Tcp,
        client: endpoint([10, 63, 0, 5], 49_152),
        server: endpoint([203, 0, 113, 34], 80),
        roles: RoleSource::Handshake,
        capture: "koryolink/3g-client.pcap".to_owned(),
        first_frame: FrameId::new(0, 37),
        last_frame: FrameId::new(0, 52),
        first: at(1_000),
        last: at(3_500),
        packets: ByDirection { to_server: 8, to_client: 8 },
        bytes: ByDirection { to_server: 412, to_client: 3_400 },
        handshake_rtt_us: Some(143_000),
        tls: None,
        quic: None,
        http: vec![HttpExchange {
            host: Some("photos.example".to_owned()),
            method: Some("GET".to_owned()),
            target: Some("/".to_owned()),
            frame: Some(FrameId::new(0, 40)),
            status: Some(200),
            status_frame: Some(FrameId::new(0, 43)),
            lenient: false,
        }],
        dns: Vec::new(),
        led_here_by: None,
        end: FlowEnd::Fin,
        gaps: 0,
        tampering_signature: None,
    }
}

fn tls_flow() -> FlowRecord {
    FlowRecord {
        flow: 7,
        client: endpoint([10, 63, 0, 6], 50_007),
        server: endpoint([203, 0, 113, 34], 443),
        roles: RoleSource::Guessed,
        first_frame: FrameId::new(0, 700),
        last_frame: FrameId::new(0, 710),
        first: at(60_000),
        last: at(60_300),
        packets: ByDirection { to_server: 1_003, to_client: 4 },
        bytes: ByDirection { to_server: 1_234_567, to_client: 0 },
        tls: Some(TlsNames {
            sni: Some("photos.example".to_owned()),
            alpn: vec!["h2".to_owned()],
            versions: vec!["TLS 1.3".to_owned()],
            ja4: Some("t13d1516h2_8daaf6152771_e5627efa2ab1".to_owned()),
            client_hello_frame: Some(FrameId::new(0, 703)),
            ..TlsNames::default()
        }),
        http: Vec::new(),
        end: FlowEnd::Reset,
        gaps: 1_460,
        tampering_signature: Some("PSH → RST".to_owned()),
        ..http_flow()
    }
}

fn injector() -> Injector {
    Injector {
        direction: Some(Direction::ToClient),
        initial_ttl: Some(Ttl(64)),
        hops_min: Some(3),
        hops_max: Some(3),
        server_hops: Some(19),
        fingerprint: Some("koryolink-2015".to_owned()),
        in_path: Some(false),
    }
}

const PROXY: &str = "A proxy of the user's own network that answers for the site.";

/// A notice in place of an answer, with the answer behind it.
fn notice() -> Finding {
    let flow = http_flow();
    Finding {
        id: "5e2f0c9a71d4".to_owned(),
        kind: Kind::Response,
        confidence: Confidence::Confirmed,
        score: 0.999_9,
        host: Some("photos.example".to_owned()),
        host_source: Some(HostSource::Http),
        flow: flow.flow,
        community_id: flow.community_id,
        proto: flow.proto,
        client: flow.client,
        server: flow.server,
        capture: flow.capture,
        time: at(1_202),
        trigger_frame: Some(FrameId::new(0, 40)),
        forged_frames: [43, 44].map(|number| FrameId::new(0, number)).to_vec(),
        genuine_frames: vec![FrameId::new(0, 51)],
        frames: Vec::new(),
        evidence: vec![
            fact(
                Signal::OverlapConflict,
                51,
                45.0,
                "Frames 43 and 51 claim the same 1,204 bytes of the server's answer, and 1,187 of them differ",
            ),
            fact(
                Signal::TtlShift,
                43,
                4.0,
                "Frame 43 came with TTL 61, where the server's other packets have 44 to 45.",
            ),
            fact(
                Signal::DataFast,
                43,
                14.0,
                "The answer in frame 43 followed the request after 2.1 ms, while a round trip to the server takes 143 ms.",
            ),
        ],
        against: vec![fact(
            Signal::IpIdMatch,
            43,
            -2.0,
            "The IP identification of frame 43 continues the server's own line.",
        )],
        alternatives: vec![PROXY.to_owned()],
        residual_of: None,
        led_to: Vec::new(),
        control_flow: None,
        policed: None,
        residual: None,
        injector: Some(injector()),
        block_page: Some(BlockPage {
            status: Some(200),
            title: Some("경고! Warning! You can't connect to this website".to_owned()),
            charset: Some("utf-8 (header)".to_owned()),
            text:
                "경고! Warning! You can't connect to this website because it's in blacklist site."
                    .to_owned(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
            location: None,
            fingerprint: Some("koryolink-blacklist".to_owned()),
        }),
    }
}

/// A reset right after the name was sent.
fn reset(flow: u64, confidence: Confidence) -> Finding {
    let tls = tls_flow();
    Finding {
        id: format!("5e2f0c9a71d{flow:x}"),
        kind: Kind::Reset,
        confidence,
        score: if confidence == Confidence::Confirmed { 0.998_7 } else { 0.943 },
        host_source: Some(HostSource::Sni),
        flow,
        client: tls.client,
        server: tls.server,
        time: at(60_202),
        trigger_frame: Some(FrameId::new(0, 703)),
        forged_frames: (704..=706).map(|number| FrameId::new(0, number)).collect(),
        genuine_frames: Vec::new(),
        evidence: vec![fact(
            Signal::RstFast,
            704,
            9.0,
            "The reset in frame 704 followed the name after 1.9 ms, while a round trip to the server takes 143 ms.",
        )],
        against: vec![fact(
            Signal::TtlMatch,
            704,
            -3.0,
            "Frame 704 came with TTL 45, as the server's other packets did.",
        )],
        injector: None,
        block_page: None,
        alternatives: vec![
            "The user's own gateway closes such connections".to_owned(),
            "A load balancer in front of the server.".to_owned(),
        ],
        ..notice()
    }
}

fn reset_of(host: &str, flow: u64, confidence: Confidence) -> Finding {
    let mut finding = reset(flow, confidence);
    finding.host = Some(host.to_owned());
    finding.server.ip = IpAddr::from([198, 51, 100, flow as u8]);
    finding.against.clear();
    finding
}

fn fact(signal: Signal, frame: u64, weight: f64, text: &str) -> Weighed {
    Weighed {
        signal,
        grade: Grade::Full,
        frame: FrameId::new(0, frame),
        expected: "as the server's other packets".to_owned(),
        observed: "otherwise".to_owned(),
        weight,
        text: text.to_owned(),
    }
}

fn roled(role: FrameRole, frame: FrameId, capture: &str) -> RoledFrame {
    RoledFrame { role, capture: capture.to_owned(), frame }
}

/// A host with its accesses: all, interfered with, untouched, unclear.
fn host(name: &str, verdict: HostVerdict, [all, hit, untouched, unclear]: [u64; 4]) -> HostRecord {
    HostRecord {
        host: name.to_owned(),
        accesses: all,
        clients: 2,
        interfered: if hit > 0 { BTreeMap::from([(Kind::Reset, hit)]) } else { BTreeMap::new() },
        untouched,
        untouched_ports: if untouched > 0 { vec![80, 443] } else { Vec::new() },
        unclear,
        first_interfered: (hit > 0).then(|| at(1_202)),
        last_interfered: (hit > 0).then(|| at(135_000)),
        first_untouched: (untouched > 0).then(|| at(1_202)),
        last_untouched: (untouched > 0).then(|| at(1_202)),
        verdict,
        clients_interfered: if hit == all { 2 } else { u64::from(hit > 0) },
        clients_untouched: u64::from(untouched > 0),
        domain: None,
        service: ["mail.example", "news.example", "photos.example"]
            .contains(&name)
            .then(|| "Photos and News".to_owned()),
        interfered_in: (hit > 0).then(|| access(3, 43)),
        untouched_in: (untouched > 0).then(|| access(5, 61)),
    }
}

/// Three names that a file counts to one service.
fn service() -> ServiceRecord {
    ServiceRecord {
        service: "Photos and News".to_owned(),
        by: JoinedBy::File,
        verdict: HostVerdict::Partly,
        hosts: BTreeMap::from([
            (HostVerdict::Blocked, names(&["photos.example"])),
            (HostVerdict::Partly, names(&["news.example"])),
            (HostVerdict::Untouched, names(&["mail.example"])),
        ]),
        clients: 3,
        clients_interfered: 2,
        clients_let_through: 1,
        let_through: vec![IpAddr::from([10, 63, 0, 7])],
        first_interfered: Some(at(1_202)),
        last_interfered: Some(at(135_000)),
    }
}

fn names(names: &[&str]) -> NamesRecord {
    NamesRecord {
        count: names.len() as u64,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn access(flow: u64, frame: u64) -> AccessRecord {
    AccessRecord {
        flow,
        client: IpAddr::from([10, 63, 0, 5]),
        capture: "koryolink/3g-client.pcap".to_owned(),
        frame: FrameId::new(0, frame),
        time: at(1_202),
    }
}

fn summary(findings: &[(Kind, Confidence, u64)]) -> Summary {
    let mut counts: BTreeMap<Kind, BTreeMap<Confidence, u64>> = BTreeMap::new();
    for (kind, confidence, count) in findings {
        counts.entry(*kind).or_default().insert(*confidence, *count);
    }
    Summary {
        packets: 1_214,
        bytes: 48_213,
        flows: 12,
        findings: counts,
        reach: Reach::default(),
        services: Vec::new(),
        limits: BTreeMap::new(),
        tool: ToolRecord {
            name: "tamperscope".to_owned(),
            version: "0.1.0".to_owned(),
            commit: None,
            signals_version: 1,
            fingerprints: vec![ListSource {
                name: "builtin".to_owned(),
                sha256: "0".repeat(64),
                entries: 212,
            }],
            services: Vec::new(),
        },
    }
}
