//! Hand-made packets of one flow, played to the watch over it.

use tamperscope::detect::{Silence, Trigger, Unanswered, Watch};
use tamperscope::evidence::{HostSource, Kind, Signal, Suspicion};
use tamperscope::flow::TcpFlow;
use tamperscope::verdict;
use tamperscope::wire::{
    Direction, Duration, Endpoint, FlowKey, FrameId, IpHeader, Segment, SeqNumber, TcpFlags,
    TcpOptions, TcpTimestamps, Timestamp, Transport, Ttl,
};

pub(crate) const SYN: TcpFlags = TcpFlags::SYN;
pub(crate) const ACK: TcpFlags = TcpFlags::ACK;
pub(crate) const RST: TcpFlags = TcpFlags::RST;
pub(crate) const FIN_ACK: TcpFlags = TcpFlags::FIN.union(TcpFlags::ACK);
pub(crate) const RST_ACK: TcpFlags = TcpFlags::RST.union(TcpFlags::ACK);
pub(crate) const SYN_ACK: TcpFlags = TcpFlags::SYN.union(TcpFlags::ACK);

/// The client's and the server's initial sequence numbers.
pub(crate) const CLIENT: u32 = 1000;
pub(crate) const SERVER: u32 = 9000;
/// The server is 40 ms away.
pub(crate) const RTT: u64 = 40_000;

/// One packet of a play; what is not said is what an honest stack would send.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    pub(crate) micros: u64,
    pub(crate) direction: Direction,
    pub(crate) flags: TcpFlags,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) len: u32,
    pub(crate) ttl: u8,
    pub(crate) ip_id: u16,
    pub(crate) stamped: bool,
    /// DF.
    pub(crate) whole: bool,
    pub(crate) window: u16,
    /// Window scale option.
    pub(crate) scale: Option<u8>,
}

pub(crate) fn client(micros: u64, flags: TcpFlags, seq: u32, ack: u32, len: u32) -> Packet {
    let ack = if ack == 0 { 0 } else { SERVER + ack };
    let honest = honest(micros, flags, len);
    Packet { direction: Direction::ToServer, seq: CLIENT + seq, ack, ttl: 64, ..honest }
}

pub(crate) fn server(micros: u64, flags: TcpFlags, seq: u32, ack: u32, len: u32) -> Packet {
    let ack = if ack == 0 { 0 } else { CLIENT + ack };
    let honest = honest(micros, flags, len);
    let ip_id = honest.ip_id + 6900;
    Packet { direction: Direction::ToClient, seq: SERVER + seq, ack, ttl: 52, ip_id, ..honest }
}

/// What either side would send.
fn honest(micros: u64, flags: TcpFlags, len: u32) -> Packet {
    Packet {
        micros,
        direction: Direction::ToServer,
        flags,
        seq: 0,
        ack: 0,
        len,
        ttl: 64,
        ip_id: 100 + (micros / 1000) as u16,
        stamped: true,
        whole: true,
        window: offered(flags),
        scale: None,
    }
}

/// What a stack offers in such a packet.
fn offered(flags: TcpFlags) -> u16 {
    if flags == RST { 0 } else { 500 }
}

/// Made by a third party: another TTL, no timestamps.
pub(crate) fn forged(packet: Packet) -> Packet {
    Packet { ttl: 61, ip_id: 0x1234, stamped: false, ..packet }
}

/// Handshake and a request of 100 bytes, sent at 41 ms.
pub(crate) fn opening() -> Vec<Packet> {
    vec![
        client(0, SYN, 0, 0, 0),
        Packet { ip_id: 0, ..server(RTT, SYN_ACK, 0, 1, 0) },
        client(RTT + 500, ACK, 1, 1, 0),
        client(RTT + 1000, ACK, 1, 1, 100),
    ]
}

pub(crate) fn play(rest: &[Packet]) -> Vec<Suspicion> {
    let (flow, watch, _) = watched(rest);
    watch.conclude(&flow, endpoint(1, 443).ip, 0)
}

/// What was sent again and not answered, `gaps` bytes being missing from the capture.
pub(crate) fn unanswered(rest: &[Packet], gaps: u64) -> Option<Unanswered> {
    let (flow, watch, silence) = watched(rest);
    silence.conclude(&flow, &watch, gaps)
}

pub(crate) fn watched(rest: &[Packet]) -> (TcpFlow, Watch, Silence) {
    observed(&opening().into_iter().chain(rest.iter().copied()).collect::<Vec<_>>())
}

pub(crate) fn observed(packets: &[Packet]) -> (TcpFlow, Watch, Silence) {
    let (here, there) = (endpoint(7, 50_000), endpoint(1, 443));
    let mut flow: Option<TcpFlow> = None;
    let (mut watch, mut silence) = (Watch::default(), Silence::default());
    for (place, packet) in packets.iter().enumerate() {
        let (src, dst) = match packet.direction {
            Direction::ToServer => (here, there),
            Direction::ToClient => (there, here),
        };
        let segment = segment(*packet, place as u64 + 1, (src, dst));
        let (_, side) = FlowKey::of(Transport::Tcp, src, dst);
        let flow = flow.get_or_insert_with(|| TcpFlow::open(&segment, side));
        let seen = flow.observe(&segment, side);
        watch.segment(&seen, flow);
        silence.segment(&seen, flow);
        if place == 3 {
            let host = Some("blocked.example".into());
            watch.named(Trigger { frame: segment.frame, host, source: HostSource::Http });
        }
    }
    (flow.unwrap(), watch, silence)
}

pub(crate) fn endpoint(last: u8, port: u16) -> Endpoint {
    Endpoint::new([192, 0, 2, last].into(), port)
}

pub(crate) fn segment(
    packet: Packet,
    frame: u64,
    (src, dst): (Endpoint, Endpoint),
) -> Segment<'static> {
    let clock = (packet.micros / 1000) as u32;
    let timestamps = TcpTimestamps { value: 500 + clock, echo: 500 };
    Segment {
        frame: FrameId::new(0, frame),
        time: Timestamp::ZERO + Duration::from_micros(packet.micros),
        ip: IpHeader {
            ttl: Ttl(packet.ttl),
            id: Some(packet.ip_id),
            dont_fragment: packet.whole,
            traffic_class: 0,
            reassembled: false,
            tunnels: 0,
        },
        src,
        dst,
        seq: SeqNumber(packet.seq),
        ack: SeqNumber(packet.ack),
        flags: packet.flags,
        window: packet.window,
        checksum: 0,
        options: TcpOptions {
            timestamps: packet.stamped.then_some(timestamps),
            window_scale: packet.scale,
            ..TcpOptions::default()
        },
        payload: &[],
        payload_len: packet.len,
        transport: &[],
    }
}

/// The signals that speak for a forged reset, and how sure that makes us.
pub(crate) fn reset(rest: &[Packet]) -> (Vec<Signal>, Option<&'static str>) {
    let suspicions = play(rest);
    let Some(suspicion) = suspicions.iter().find(|found| found.kind == Kind::Reset) else {
        return (Vec::new(), None);
    };
    let confidence = verdict::weigh(suspicion).map(|verdict| verdict.confidence.name());
    (suspicion.facts.iter().map(|fact| fact.signal).collect(), confidence)
}
