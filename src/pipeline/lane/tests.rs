//! Room under floods: what is held, who goes, and who stays.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::super::clock::Clock;
use super::super::closing::Ended;
use super::super::{Directory, Limits, Settings};
use super::*;
use crate::detect::fingerprint::FingerprintSet;
use crate::wire::{Duration, Endpoint, IpHeader, SeqNumber, TcpFlags, TcpOptions, Transport, Ttl};

const ACK: TcpFlags = TcpFlags::ACK;
const SYN: TcpFlags = TcpFlags::SYN;
/// What the lane may hold: flows may hold 4 MiB of it.
const ROOM: usize = 9 << 20;

fn settings(flows: usize) -> Settings {
    Settings {
        filter: None,
        hash: false,
        flows: false,
        fingerprints: Arc::new(FingerprintSet::builtin()),
        services: Arc::default(),
        limits: Limits { flows, memory: 4 * ROOM },
        lanes: NonZeroUsize::MIN,
    }
}

/// A lane, and the packets that it is given, one each 100 µs.
struct Scene<'a> {
    lane: Lane<'a>,
    clock: Clock,
    frames: u64,
}

/// The ends of the `n`-th flow to `port`.
fn ends(n: u32, port: u16) -> (Endpoint, Endpoint) {
    let client = Endpoint::new(std::net::Ipv4Addr::from(0x0a00_0000 + n).into(), 40_000);
    (client, Endpoint::new([198, 51, 100, 1].into(), port))
}

const IP: IpHeader = IpHeader {
    ttl: Ttl(64),
    id: Some(1),
    dont_fragment: true,
    traffic_class: 0,
    reassembled: false,
    tunnels: 0,
};

impl<'a> Scene<'a> {
    fn new(settings: &'a Settings, directory: &'a Directory) -> Self {
        Self { lane: Lane::new(settings, directory), clock: Clock::default(), frames: 0 }
    }

    /// Gives the lane what `packet` makes of the next frame and its time; the bound holds after it.
    fn give<'b>(&mut self, packet: impl FnOnce(FrameId, Timestamp) -> Packet<'b>) {
        self.frames += 1;
        let frame = FrameId::new(0, self.frames);
        let time = Timestamp::ZERO + Duration::from_micros(100 * self.frames);
        let tick = self.clock.tick(time, frame);
        let packet = packet(frame, time);
        self.lane.packet(&packet, packet.flow(), tick);
        assert!(!self.lane.is_short());
    }

    fn tcp(&mut self, n: u32, way: char, what: (TcpFlags, u32, u32), payload: &[u8]) {
        let (client, server) = ends(n, 80);
        let (src, dst) = if way == '>' { (client, server) } else { (server, client) };
        let (flags, seq, ack) = what;
        self.give(|frame, time| {
            Packet::Tcp(Segment {
                frame,
                time,
                ip: IP,
                src,
                dst,
                seq: SeqNumber(seq),
                ack: SeqNumber(ack),
                flags,
                window: 1000,
                checksum: 0,
                options: TcpOptions::default(),
                payload,
                payload_len: payload.len() as u32,
                transport: &[],
            })
        });
    }

    fn udp(&mut self, n: u32, way: char, payload: &[u8]) {
        let (client, server) = ends(n, 53);
        let (src, dst) = if way == '>' { (client, server) } else { (server, client) };
        let payload_len = payload.len() as u32;
        self.give(|frame, time| {
            Packet::Udp(Datagram { frame, time, ip: IP, src, dst, payload, payload_len })
        });
    }

    /// Nothing comes for so many seconds.
    fn wait(&mut self, secs: u64) {
        self.frames += secs * 10_000;
        let now = Timestamp::ZERO + Duration::from_micros(100 * self.frames);
        self.lane.expire(Tick { now, leapt: None });
    }

    /// A SYN and its answer.
    fn half_open(&mut self, n: u32) {
        self.tcp(n, '>', (SYN, 99, 0), b"");
        self.tcp(n, '<', (SYN.union(ACK), 899, 100), b"");
    }

    /// A connection that has asked, and was answered with `body`.
    fn established(&mut self, n: u32, body: &[u8]) {
        self.half_open(n);
        self.tcp(n, '>', (ACK, 100, 900), b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        self.tcp(n, '<', (ACK, 900, 135), head.as_bytes());
        let begins = 900 + head.len() as u32;
        for (piece, seq) in body.chunks(1400).zip((begins..).step_by(1400)) {
            self.tcp(n, '<', (ACK, seq, 135), piece);
        }
    }

    /// A connection that asked for a host of its own, was answered, and is closed.
    fn named(&mut self, n: u32) {
        self.half_open(n);
        let request = format!("GET / HTTP/1.1\r\nHost: h{n}.example\r\n\r\n");
        let answered = 100 + request.len() as u32;
        self.tcp(n, '>', (ACK, 100, 900), request.as_bytes());
        self.tcp(n, '<', (ACK, 900, answered), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        self.tcp(n, '<', (ACK.union(TcpFlags::FIN), 938, answered), b"");
        self.tcp(n, '>', (ACK.union(TcpFlags::FIN), answered, 939), b"");
    }

    fn is_alive(&self, n: u32, transport: Transport) -> bool {
        let (client, server) = ends(n, if transport == Transport::Tcp { 80 } else { 53 });
        let (key, _) = FlowKey::of(transport, client, server);
        self.lane.table.find(self.lane.table.hash(&key), &key).is_some()
    }

    fn alive(&self, flows: std::ops::Range<u32>, transport: Transport) -> usize {
        flows.filter(|n| self.is_alive(*n, transport)).count()
    }
}

/// A query for `a.example`, type A, and its answer.
fn query(is_answer: bool) -> Vec<u8> {
    let mut message = vec![0, 7, if is_answer { 0x84 } else { 1 }, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(b"\x01a\x07example\0\0\x01\0\x01");
    if is_answer {
        message[7] = 1;
        message.extend_from_slice(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01");
    }
    message
}

#[test]
fn what_is_held_is_what_the_flows_hold() {
    let (settings, directory) = (settings(1000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    for n in 0..40 {
        scene.established(n, &vec![b'x'; 30_000]);
        scene.half_open(100 + n);
        scene.tcp(100 + n, '>', (ACK, 1500, 900), &[0; 1400]);
        scene.tcp(200 + n, '>', (SYN, 99, 0), b"");
        scene.udp(n, '>', &query(false));
        scene.udp(n, '<', &query(true));
    }
    scene.tcp(0, '>', (TcpFlags::RST, 135, 0), b"");
    let Lane { mut table, room, .. } = scene.lane;
    assert_eq!(table.len(), 160);
    let flows = table.drain_by(|flow| flow.first_frame().as_u64());
    assert_eq!(room.held(), flows.map(|(_, flow)| flow.memory()).sum::<usize>());
}

#[test]
fn a_flow_that_is_over_gives_its_bytes_back_when_it_is_cold() {
    let (settings, directory) = (settings(1000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    let body = vec![b'x'; 30_000];
    scene.established(0, &body);
    scene.established(1, &body);
    scene.tcp(0, '>', (TcpFlags::RST, 135, 0), b"");
    scene.established(2, &body);
    let mut held = |secs| {
        let now = Timestamp::ZERO + Duration::from_secs(secs);
        scene.lane.expire(Tick { now, leapt: None });
        scene.lane.room.held()
    };
    let (warm, cold) = (held(15), held(16));
    assert!(warm > 3 * body.len() && cold < warm - body.len());
    assert!(cold > 2 * body.len(), "the others are alive");
}

/// Flow 0 was answered and closed by both sides, and flow 1 likewise, but for a RST from far away;
/// then nothing comes for 16 seconds.
fn closed<'a>(settings: &'a Settings, directory: &'a Directory) -> Scene<'a> {
    const FIN: TcpFlags = TcpFlags::FIN.union(ACK);
    let mut scene = Scene::new(settings, directory);
    for n in 0..2 {
        scene.established(n, b"hello");
        scene.tcp(n, '>', (FIN, 135, 943), b"");
        scene.tcp(n, '<', (FIN, 943, 136), b"");
    }
    scene.tcp(1, '<', (TcpFlags::RST, 944, 0), b"");
    scene.wait(16);
    scene
}

#[test]
fn what_ended_without_anything_odd_is_judged_when_it_is_cold() {
    let (settings, directory) = (settings(1000), Directory::default());
    let mut scene = closed(&settings, &directory);
    assert_eq!((scene.lane.table.len(), scene.lane.outcome.reach.record().connections), (2, 1));
    let held = scene.lane.room.held();
    scene.tcp(0, '<', (TcpFlags::FIN.union(ACK), 943, 136), b"");
    scene.tcp(0, '>', (TcpFlags::RST, 136, 0), b"");
    assert_eq!(scene.lane.room.held(), held, "stragglers bring nothing back");
    assert_eq!(scene.lane.outcome.openings.count(), 2, "and are no flow of their own");
    scene.tcp(0, '>', (SYN, 5000, 0), b"");
    assert_eq!(scene.lane.outcome.openings.count(), 3, "but a SYN is");
    let end = Tick { now: Timestamp::ZERO + Duration::from_secs(99), leapt: None };
    assert_eq!(scene.lane.finish(end).reach.record().connections, 2, "each counts once");
}

#[test]
fn a_server_that_did_not_get_the_rst_may_show_it_when_the_flow_is_cold() {
    let (settings, directory) = (settings(1000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    scene.half_open(0);
    scene.tcp(0, '>', (ACK, 100, 900), b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    scene.tcp(0, '<', (TcpFlags::RST, 900, 0), b"");
    scene.wait(16);
    scene.tcp(0, '<', (TcpFlags::FIN.union(ACK), 900, 135), b"");
    let end = Tick { now: Timestamp::ZERO + Duration::from_secs(99), leapt: None };
    let found = scene.lane.finish(end).flows.into_iter().flat_map(|ended| ended.found);
    let forged: Vec<FrameId> = found.flat_map(|found| found.suspicion.forged).collect();
    assert_eq!(forged, [FrameId::new(0, 4)]);
}

#[test]
fn what_ended_leaves_nothing_in_the_memory_that_the_next_takes() {
    let (settings, directory) = (settings(1000), Directory::default());
    let settings = Settings { flows: true, ..settings };
    let mut scene = Scene::new(&settings, &directory);
    scene.half_open(0);
    scene.tcp(0, '>', (ACK, 100, 900), b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n");
    scene.tcp(0, '<', (TcpFlags::RST, 900, 0), b"");
    scene.tcp(0, '<', (ACK, 900, 135), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    scene.tcp(0, '<', (ACK, 2000, 135), b"behind a hole");
    scene.wait(80);
    assert_eq!(scene.lane.table.len(), 0, "it has ended");
    scene.established(1, b"hello");
    let end = Tick { now: Timestamp::ZERO + Duration::from_secs(99), leapt: None };
    let flows = scene.lane.finish(end).flows;
    let [first, next] = &flows[..] else { panic!("two flows") };
    assert_eq!((first.found.len(), first.record.gaps), (1, 1062));
    let Ended { record, found, .. } = next;
    assert_eq!((found.len(), record.gaps, record.end), (0, 0, FlowEnd::EndOfCapture));
    assert_eq!((record.packets.to_server, record.packets.to_client), (2, 3));
    let hosts: Vec<_> = record.http.iter().filter_map(|exchange| exchange.host.clone()).collect();
    assert_eq!(hosts, ["a.example"]);
}

#[test]
fn where_all_flows_are_told_stragglers_are_counted() {
    let (settings, directory) = (settings(1000), Directory::default());
    let settings = Settings { flows: true, ..settings };
    let mut scene = closed(&settings, &directory);
    scene.tcp(0, '<', (TcpFlags::FIN.union(ACK), 943, 136), b"");
    scene.tcp(0, '<', (TcpFlags::FIN.union(ACK), 943, 136), b"");
    let end = Tick { now: Timestamp::ZERO + Duration::from_secs(99), leapt: None };
    let mut flows = scene.lane.finish(end).flows;
    flows.sort_by_key(|ended| ended.first_frame);
    let told: Vec<_> = flows
        .iter()
        .map(|Ended { record, .. }| {
            (record.packets.to_server, record.packets.to_client, record.end)
        })
        .collect();
    assert_eq!(told, [(3, 6, FlowEnd::Fin), (3, 5, FlowEnd::Reset)]);
}

#[test]
fn nothing_is_held_when_all_flows_have_ended() {
    let (settings, directory) = (settings(1000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    for n in 0..10 {
        scene.established(n, &[b'x'; 3000]);
        scene.half_open(100 + n);
        scene.udp(n, '>', &query(false));
    }
    for secs in [4_000, 8_000] {
        let time = Timestamp::ZERO + Duration::from_secs(secs);
        scene.lane.expire(Tick { now: time, leapt: None });
    }
    assert_eq!((scene.lane.table.len(), scene.lane.room.held()), (0, 0));
}

#[test]
fn half_open_flows_with_holes_take_room_from_each_other() {
    let (settings, directory) = (settings(1_000_000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    for n in 0..20 {
        scene.established(n, &vec![b'x'; 20_000]);
    }
    for n in 1000..6000 {
        scene.half_open(n);
        scene.tcp(n, '>', (ACK, 1500, 900), &[0; 1400]);
    }
    assert_eq!(scene.alive(0..20, Transport::Tcp), 20);
    assert!(!scene.is_alive(1000, Transport::Tcp) && scene.is_alive(5999, Transport::Tcp));
    let limits = &scene.lane.outcome.limits;
    assert!(limits.flows_evicted > 3000);
    assert_eq!(limits.streams_given_up, 0, "no bytes of the established ones were given up");
}

#[test]
fn queries_without_answers_take_room_from_each_other() {
    let (settings, directory) = (settings(2000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    for n in 0..50 {
        scene.established(n, b"hello");
        scene.udp(n, '>', &query(false));
        scene.udp(n, '<', &query(true));
        scene.half_open(100 + n);
    }
    for n in 1000..9000 {
        scene.udp(n, '>', &query(false));
    }
    assert_eq!(scene.alive(0..50, Transport::Tcp), 50);
    assert_eq!(scene.alive(0..50, Transport::Udp), 50);
    assert_eq!(scene.alive(100..150, Transport::Tcp), 50, "half-open ones are too few to count");
    assert_eq!(scene.lane.table.len(), 2000);
}

#[test]
fn connections_whose_client_alone_speaks_are_a_flood_too() {
    let (settings, directory) = (settings(1000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    for n in 0..100 {
        scene.established(n, b"hello");
    }
    for n in 1000..4000 {
        scene.half_open(n);
        scene.tcp(n, '>', (ACK, 100, 900), b"GET / HTTP/1.1\r\n");
    }
    assert_eq!(scene.alive(0..100, Transport::Tcp), 100);
}

#[test]
fn among_established_flows_those_that_hold_most_give_up_bytes_for_the_others() {
    let (settings, directory) = (settings(1_000_000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    for n in 0..900 {
        scene.established(n, b"hello");
    }
    for n in 1000..1040 {
        scene.established(n, &vec![b'x'; 60_000]);
    }
    let limits = &scene.lane.outcome.limits;
    assert!(limits.streams_given_up > 10);
    assert!(
        scene.alive(0..900, Transport::Tcp) > 800,
        "what comes little by little takes the rest"
    );
}

#[test]
fn what_is_remembered_of_those_that_ended_leaves_room_for_those_alive() {
    let (settings, directory) = (settings(1_000_000), Directory::default());
    let mut scene = Scene::new(&settings, &directory);
    for n in 0..200 {
        scene.established(n, b"hello");
    }
    for lot in 1..=20 {
        for n in 0..500 {
            scene.named(lot * 1000 + n);
        }
        scene.wait(20);
    }
    let outcome = &scene.lane.outcome;
    let budget = Budget::of(ROOM);
    assert!(outcome.hosts.accesses_given_up() > 1_000, "more than there is room for");
    let hosts = outcome.hosts.memory();
    assert!((budget.hosts / 2..=budget.hosts).contains(&hosts), "{hosts}");
    assert!(outcome.beyond(&budget) <= ROOM / 16, "{}", outcome.beyond(&budget));
    assert_eq!(scene.alive(0..200, Transport::Tcp), 200);
}

#[test]
fn of_more_findings_than_there_is_room_for_the_rest_is_counted() {
    const FLOWS: u32 = 600;
    let run = |flows, all| {
        let (settings, directory) =
            (Settings { flows: all, ..settings(1_000_000) }, Directory::default());
        let mut scene = Scene::new(&settings, &directory);
        for n in 0..flows {
            scene.half_open(n);
            scene.tcp(n, '>', (ACK, 100, 900), b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
            scene.tcp(n, '<', (TcpFlags::RST, 900, 0), b"");
            scene.tcp(n, '<', (ACK, 900, 135), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            scene.wait(1);
        }
        scene.wait(70);
        let Outcome { flows, limits, .. } = scene.lane.outcome;
        let found = flows.iter().filter(|ended| !ended.found.is_empty()).count();
        (found, limits.findings_given_up)
    };
    assert_eq!(run(50, false), (50, 0));
    let (found, given_up) = run(FLOWS, false);
    assert_eq!(found, Budget::of(ROOM).found / Ended::FOUND_BYTES);
    assert_eq!(found as u64 + given_up, u64::from(FLOWS));
    assert_eq!(run(FLOWS, true), (FLOWS as usize, 0), "all flows are wanted");
}

#[test]
fn the_tallies_have_the_room_that_the_budget_gives() {
    let room = |bytes| Outcome::within(&Budget::of(bytes)).hosts;
    assert_eq!(room(usize::MAX), Outcome::default().hosts);
    assert_ne!(room(1 << 20), Outcome::default().hosts);
}

#[test]
fn blocks_that_wait_are_a_small_part_of_the_memory() {
    let of = |memory| Limits { flows: 1, memory }.blocks_ahead();
    assert_eq!([16 << 20, 64 << 20, 512 << 20, 1 << 30, 1 << 40].map(of), [4, 4, 8, 16, 16]);
}

#[test]
fn there_are_as_many_lanes_as_there_is_memory_for() {
    let of = |memory, wished| {
        let wished = NonZeroUsize::new(wished).unwrap_or(NonZeroUsize::MIN);
        Limits { flows: 1, memory }.lanes(wished).get()
    };
    assert_eq!(
        [1, 64 << 20, 96 << 20, 128 << 20, 1 << 30].map(|memory| of(memory, 8)),
        [1, 1, 2, 3, 8]
    );
    for lanes in [1, 2, 8, 64, 512] {
        let usual = Limits::for_lanes(NonZeroUsize::new(lanes).unwrap_or(NonZeroUsize::MIN));
        assert_eq!(of(usual.memory, lanes), lanes, "enough for all, unless told otherwise");
    }
}

#[test]
fn the_memory_of_a_lane_is_what_is_not_set_aside() {
    let of = |memory, lanes| {
        let limits = Limits { flows: 1, memory };
        limits.memory_of_lane(NonZeroUsize::new(lanes).unwrap_or(NonZeroUsize::MIN))
    };
    let aside = Limits::SET_ASIDE;
    assert_eq!(of(1 << 30, 1), (1 << 30) - aside);
    assert_eq!(of(1 << 30, 4), ((1 << 30) - aside - 3 * Limits::SET_ASIDE_FOR_LANE) / 4);
    assert_eq!(of(32 << 20, 1), 8 << 20, "a quarter at least");
    for lanes in [1, 2, 8, 9, 64].map(|lanes| NonZeroUsize::new(lanes).unwrap_or(NonZeroUsize::MIN))
    {
        let of_lane = Limits::for_lanes(lanes).memory_of_lane(lanes);
        let controls = Budget::of(of_lane).of_controls(1000);
        assert!(controls >= 500, "{lanes} lanes: {controls} of 1000");
    }
}
