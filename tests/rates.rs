//! Ceilings of a token bucket, on both sides of it, beside slow flows that no bucket holds.

#![expect(clippy::unwrap_used, reason = "a play without packets is a fault of the test")]

use std::collections::BTreeSet;

use tamperscope::detect::{Held, Rates, Speed, Trigger, Watch};
use tamperscope::evidence::{HostSource, Lost};
use tamperscope::flow::TcpFlow;
use tamperscope::wire::{
    Direction, Duration, Endpoint, FlowKey, FrameId, IpHeader, Segment, SeqNumber, TcpFlags,
    TcpOptions, TcpTimestamps, Timestamp, Transport, Ttl,
};

const SIZE: u32 = 1_448;
const RTT: u64 = 50_000;
const CLIENT: u32 = 1_000;
const SERVER: u32 = 9_000;

/// A download of `segments`, `window` of them a round trip; what the path drops is sent again.
struct Download {
    segments: u32,
    window: usize,
    /// Bytes a second and bytes at once.
    bucket: Option<(u64, u64)>,
    /// How many of a thousand are lost whatever the rate.
    chance: u64,
    /// The capture lies before the point of loss, and sees what is lost.
    before: bool,
    /// The client sends, and the server acknowledges.
    upload: bool,
    /// The timestamps of the server's packets are of this round trip earlier: it was overtaken.
    overtaken: bool,
}

const PLAIN: Download = Download {
    segments: 80,
    window: 10,
    bucket: None,
    chance: 0,
    before: false,
    upload: false,
    overtaken: false,
};

#[derive(Clone, Copy)]
struct Packet {
    micros: u64,
    to_client: bool,
    flags: TcpFlags,
    place: u32,
    len: u32,
    stamp: u32,
}

impl Download {
    fn packets(&self) -> Vec<Packet> {
        let mut packets = opening();
        let (mut arrived, mut sent, mut lost) = (BTreeSet::new(), 0, Vec::new());
        let mut tokens = self.bucket.map_or(0, |(_, burst)| burst);
        let (mut random, mut filled) = (7_u64, 0);
        for round in 2.. {
            let fresh = (sent..self.segments).take(self.window.saturating_sub(lost.len()));
            let turn: Vec<u32> = lost.drain(..self.window.min(lost.len())).chain(fresh).collect();
            for (place, segment) in turn.iter().enumerate() {
                sent = sent.max(segment + 1);
                let micros = round * RTT + 200 * place as u64;
                if let Some((rate, burst)) = self.bucket {
                    tokens = burst.min(tokens + (micros - filled) * rate / 1_000_000);
                    filled = micros;
                }
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let held = self.bucket.is_some() && tokens < u64::from(SIZE);
                let dropped = held || (random >> 33) % 1_000 < self.chance;
                if dropped {
                    lost.push(*segment);
                } else {
                    tokens = tokens.saturating_sub(u64::from(SIZE));
                    arrived.insert(*segment);
                }
                if !dropped || self.before {
                    packets.push(data(micros, *segment, self.overtaken));
                }
            }
            let whole =
                (0..self.segments).take_while(|segment| arrived.contains(segment)).count() as u32;
            packets.push(ack(round * RTT + RTT / 2, whole));
            if whole == self.segments {
                break;
            }
        }
        for packet in packets.iter_mut().skip(4) {
            packet.to_client ^= self.upload;
        }
        packets
    }

    fn watched(&self) -> (Vec<Speed>, Option<Held>) {
        watched(&self.packets())
    }
}

fn watched(packets: &[Packet]) -> (Vec<Speed>, Option<Held>) {
    let (here, there) = (endpoint(7, 50_000), endpoint(1, 443));
    let mut flow: Option<TcpFlow> = None;
    let (mut watch, mut rates) = (Watch::default(), Rates::default());
    for (place, packet) in packets.iter().enumerate() {
        let ends = if packet.to_client { (there, here) } else { (here, there) };
        let segment = segment(*packet, place as u64 + 1, ends);
        let (_, side) = FlowKey::of(Transport::Tcp, ends.0, ends.1);
        let flow = flow.get_or_insert_with(|| TcpFlow::open(&segment, side));
        rates.segment(&flow.observe(&segment, side), flow);
        if place == 3 {
            let host = Some("slow.example".into());
            watch.named(Trigger { frame: segment.frame, host, source: HostSource::Http });
        }
    }
    let flow = flow.unwrap();
    (rates.speeds(&flow).collect(), rates.conclude(&flow, &watch))
}

/// Handshake and request.
fn opening() -> Vec<Packet> {
    let packet = |micros, to_client, flags, len| Packet {
        micros,
        to_client,
        flags,
        place: 0,
        len,
        stamp: 500,
    };
    vec![
        packet(0, false, TcpFlags::SYN, 0),
        packet(RTT, true, TcpFlags::SYN.union(TcpFlags::ACK), 0),
        packet(RTT + 100, false, TcpFlags::ACK, 0),
        packet(RTT + 200, false, TcpFlags::ACK, 100),
    ]
}

fn data(micros: u64, segment: u32, overtaken: bool) -> Packet {
    let clock = if overtaken { 600 + segment } else { 600 + (micros / 1_000) as u32 };
    let place = 1 + segment * SIZE;
    Packet { micros, to_client: true, flags: TcpFlags::ACK, place, len: SIZE, stamp: clock }
}

fn ack(micros: u64, segments: u32) -> Packet {
    let place = 1 + segments * SIZE;
    Packet { micros, to_client: false, flags: TcpFlags::ACK, place, len: 0, stamp: 600 }
}

fn segment(packet: Packet, frame: u64, (src, dst): (Endpoint, Endpoint)) -> Segment<'static> {
    // The request of 100 bytes stands before what is uploaded.
    let (client, server) = (CLIENT + 100 + packet.place, SERVER + packet.place);
    let (seq, ack) = match (frame, packet.to_client, packet.len) {
        (1, ..) => (CLIENT, 0),
        (2, ..) => (SERVER, CLIENT + 1),
        (3 | 4, ..) => (CLIENT + 1, SERVER + 1),
        (_, true, 0) => (SERVER + 1, client),
        (_, true, _) => (server, CLIENT + 101),
        (_, false, 0) => (CLIENT + 101, server),
        (_, false, _) => (client, SERVER + 1),
    };
    Segment {
        frame: FrameId::new(0, frame),
        time: Timestamp::ZERO + Duration::from_micros(packet.micros),
        ip: IpHeader {
            ttl: Ttl(60),
            id: None,
            dont_fragment: true,
            traffic_class: 0,
            reassembled: false,
            tunnels: 0,
        },
        src,
        dst,
        seq: SeqNumber(seq),
        ack: SeqNumber(ack),
        flags: packet.flags,
        window: 500,
        checksum: frame as u16,
        options: TcpOptions {
            timestamps: (packet.stamp != 0)
                .then_some(TcpTimestamps { value: packet.stamp, echo: 1 }),
            ..TcpOptions::default()
        },
        payload_len: packet.len,
        transport: &[],
        payload: &[],
    }
}

fn endpoint(last: u8, port: u16) -> Endpoint {
    Endpoint::new([192, 0, 2, last].into(), port)
}

#[test]
fn a_bucket_shows_its_rate_and_burst_on_both_sides_of_it() {
    for (before, upload) in [(false, false), (true, false), (false, true), (true, true)] {
        let bucket = Some((20_000, 15_000));
        let (_, held) = Download { bucket, before, upload, ..PLAIN }.watched();
        let Held { ceiling, host, trigger, .. } = held.unwrap();
        assert_eq!((&*host, trigger), ("slow.example", FrameId::new(0, 4)));
        let way = if upload { Direction::ToServer } else { Direction::ToClient };
        assert_eq!((ceiling.direction, ceiling.beyond), (way, before));
        assert!((19_000..21_000).contains(&ceiling.rate), "{ceiling:?}");
        assert!((8_000..17_000).contains(&ceiling.burst), "{ceiling:?}");
        assert!(ceiling.wobble < u64::from(2 * SIZE), "{ceiling:?}");
        assert!(ceiling.slices.count() > 5 && ceiling.losses > 8, "{ceiling:?}");
    }
}

#[test]
fn a_flow_without_losses_has_a_speed_and_no_ceiling() {
    let (speeds, held) = PLAIN.watched();
    assert_eq!(held, None);
    let [speed] = &speeds[..] else { panic!("{speeds:?}") };
    let [Some(whole), Some(best)] = speed.runs else { panic!("{speed:?}") };
    assert_eq!((whole.bytes, speed.lost), (u64::from(80 * SIZE), Lost::default()));
    assert!(best.bits_per_second() >= whole.bits_per_second() / 2);
    // Eight rounds of ten segments.
    assert!(whole.span > Duration::from_millis(300) && whole.span < Duration::from_millis(400));
}

#[test]
fn segments_that_were_overtaken_were_not_lost() {
    let bucket = Some((20_000, 15_000));
    let late = Download { bucket, overtaken: true, ..PLAIN };
    assert_eq!(late.watched().1, None);
}

#[test]
fn without_marks_what_comes_too_soon_to_have_been_asked_for_was_overtaken() {
    // Every eighth segment comes later than its place, and none bears a timestamp.
    let late = |by: u64| {
        let place = |segment: u32| 2 * RTT + 1_000 * u64::from(segment);
        let mut packets: Vec<Packet> = (0..80)
            .map(|segment| {
                let held = if segment % 8 == 3 { by } else { 0 };
                Packet { stamp: 0, ..data(place(segment) + held, segment, false) }
            })
            .collect();
        packets.sort_by_key(|packet| packet.micros);
        let all: Vec<Packet> = opening().into_iter().chain(packets).collect();
        let (speeds, held) = watched(&all);
        (speeds.first().unwrap().lost, held)
    };
    let (lost, held) = late(RTT / 2 - 5_000);
    assert_eq!((lost, held), (Lost::default(), None));
    let (lost, held) = late(RTT + 5_000);
    assert_eq!(lost, Lost { before: 125, beyond: 0 });
    // The hole before the fifth segment shows the loss, a round trip before it is filled.
    let Held { ceiling, .. } = held.unwrap();
    assert_eq!(ceiling.felt.since(ceiling.begun).as_nanos() / 1_000_000, 1, "{ceiling:?}");
    assert!(ceiling.onset.1.since(ceiling.felt) > Duration::from_micros(RTT), "{ceiling:?}");
}

/// Eight bouts out of a bucket that holds 8 kB and lets 20 kB a second pass: what it has filled up with
/// while the server rested, and then a segment at a time, every other one again.
fn bouts(rest: u64) -> Vec<Packet> {
    let step = u64::from(SIZE) * 1_000_000 / 20_000;
    let full = (rest / step).min(5) as u32;
    let (mut micros, mut next, mut packets) = (2 * RTT, 0, opening());
    for _ in 0..8 {
        packets.extend((next..next + full).map(|segment| data(micros, segment, false)));
        next += full;
        for _ in 0..3 {
            packets.push(data(micros + step, next + 1, false));
            packets.push(data(micros + 2 * step, next, false));
            (micros, next) = (micros + 2 * step, next + 2);
        }
        packets.push(ack(micros, next));
        micros += rest;
    }
    packets
}

#[test]
fn a_bucket_runs_over_while_the_server_rests() {
    let held = |rest| watched(&bouts(rest)).1.unwrap().ceiling;
    let (soon, late) = (held(300_000), held(2_000_000));
    assert_eq!(soon.holds, None, "{soon:?}");
    assert!(late.holds.is_some_and(|holds| (8_000..20_000).contains(&holds)), "{late:?}");
    for ceiling in [soon, late] {
        assert!((16_000..26_000).contains(&ceiling.rate), "{ceiling:?}");
        assert!(ceiling.wobble < u64::from(SIZE), "{ceiling:?}");
    }
}

/// Twelve times `first` bytes after a rest, and four segments `pause` microseconds later. The client
/// is heard after both, and where it prompts, just before the next bout too.
fn by_fives(first: u32, pause: u64, prompt: bool) -> Vec<Packet> {
    let (mut packets, mut micros, mut place) = (opening(), 2 * RTT, 1);
    for _ in 0..12 {
        let sent = |micros, place, len| Packet { place, len, ..data(micros, 0, false) };
        let heard = |micros, place| Packet { place, ..ack(micros, 0) };
        packets.push(sent(micros, place, first));
        place += first;
        packets.push(heard(micros + 100, place));
        for n in 1..5 {
            packets.push(sent(micros + pause + 200 * n, place, SIZE));
            place += SIZE;
        }
        packets.push(heard(micros + pause + 1_000, place));
        micros += 350_000;
        if prompt {
            packets.push(heard(micros - RTT - 5_000, place));
        }
    }
    packets
}

#[test]
fn a_segment_alone_after_the_timer_was_lost_before() {
    let Held { ceiling, .. } = watched(&by_fives(SIZE, RTT, false)).1.unwrap();
    // The first one may well be the first of all.
    assert_eq!((ceiling.losses, ceiling.beyond), (11, false));
    assert_eq!(ceiling.lost.before, 183);
    let rate = 5 * u64::from(SIZE) * 1_000 / 350;
    assert!(ceiling.rate.abs_diff(rate) < 100 && ceiling.wobble < 100, "{ceiling:?}");
    assert!(ceiling.felt < ceiling.onset.1);
}

#[test]
fn a_server_that_paces_itself_or_waits_for_its_client_lost_nothing() {
    let paced = by_fives(SIZE, 0, false);
    let prompted = by_fives(SIZE, RTT, true);
    // A header, and what belongs to it when it is ready.
    let header = by_fives(300, RTT, false);
    for packets in [paced, prompted, header] {
        let (speeds, held) = watched(&packets);
        assert_eq!((speeds.first().unwrap().lost, held), (Lost::default(), None));
    }
}

#[test]
fn holes_at_the_end_were_lost_unless_they_were_acknowledged() {
    let mut packets = bouts(300_000);
    let last = packets.iter().filter(|packet| packet.to_client).map(|packet| packet.place).max();
    let next = last.unwrap() / SIZE + 1;
    let end = packets.last().unwrap().micros + RTT;
    packets.extend((0..10).map(|n| data(end, next + 1 + 2 * n, false)));
    packets.push(ack(end + RTT, next));
    assert!(watched(&packets).1.is_some());
    // The capture lacks what arrived.
    packets.push(ack(end + 2 * RTT, next + 20));
    assert_eq!(watched(&packets).1, None);
}

#[test]
fn loss_by_chance_lies_off_the_line() {
    let lossy = Download { segments: 400, chance: 80, ..PLAIN };
    let line = lossy.watched().1.unwrap().ceiling;
    let held = Download { segments: 400, bucket: Some((20_000, 15_000)), ..PLAIN };
    let bucket = held.watched().1.unwrap().ceiling;
    assert!(line.wobble * 2 > bucket.wobble, "{line:?} {bucket:?}");
    assert!(line.lost.share() < bucket.lost.share(), "{line:?} {bucket:?}");
}

#[test]
fn short_flows_have_neither() {
    let (speeds, held) = Download { segments: 8, bucket: Some((20_000, 5_000)), ..PLAIN }.watched();
    assert!(speeds.is_empty() && held.is_none());
}
