//! Packets sent to exhaust who looks at them.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dns;
use super::packet::{ACK, FIN, Fragment, Ip, Options, PSH, SYN, Tcp, Writer};
use super::rng::{Rng, mix};

/// Packets of an attack, evenly over a minute.
pub(crate) struct Attack {
    kind: Kind,
    rng: Rng,
    next: u64,
    end: u64,
}

/// What is to be exhausted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The flow table: SYNs of distinct flows, 20 million at scale 1.
    SynFlood,
    /// Stream memory: half-open flows, each with a SYN, a SYN/ACK and one segment beyond a hole;
    /// a million flows at scale 1, 1,400 bytes each.
    HalfOpen,
    /// A stream's list of holes: one flow of 10 GB of sequence numbers at scale 1, of which 32
    /// bytes in each 2 KiB are there; what was sent is acknowledged each 512 MiB.
    Holes,
    /// The pool of fragments: two of three of each datagram, 2 million datagrams at scale 1.
    Fragments,
    /// The book of open queries: 5 million queries without an answer at scale 1, three in four
    /// from ports of their own, one in four from a hundred sockets.
    Queries,
    /// What is remembered of hosts when their flows have ended: a million connections at scale 1, each
    /// to a server of its own of a host of its own, which answers and closes.
    Names,
}

impl Attack {
    pub(crate) fn new(kind: Kind, seed: u64, millionths: u64) -> Self {
        let end = match kind {
            Kind::SynFlood => 20 * millionths,
            Kind::HalfOpen => 3 * millionths,
            Kind::Holes => 10_000_000_000 / STRIDE * millionths / 1_000_000 + 2,
            Kind::Fragments => 4 * millionths,
            Kind::Queries => 5 * millionths,
            Kind::Names => NAMED_STEPS * millionths,
        };
        Self { kind, rng: Rng::new(seed, 5), next: 0, end }
    }

    /// When its next packet passes.
    pub(crate) fn at(&self) -> Option<u64> {
        let share = u128::from(DURATION_NS) * u128::from(self.next) / u128::from(self.end);
        (self.next < self.end).then_some(BEGINNING_NS + share as u64)
    }

    /// Writes the next packet.
    pub(crate) fn write<W: Write>(&mut self, writer: &mut Writer<W>) -> io::Result<()> {
        let Some(at) = self.at() else { return Ok(()) };
        let n = self.next;
        self.next += 1;
        match self.kind {
            Kind::SynFlood => {
                writer.written.tcp_flows += 1;
                syn(n, at, writer)
            }
            Kind::HalfOpen => {
                writer.written.tcp_flows += u64::from(n.is_multiple_of(3));
                half_open(n, at, writer)
            }
            Kind::Holes => {
                writer.written.tcp_flows += u64::from(n == 0);
                hole(n, at, writer)
            }
            Kind::Fragments => fragment(n, at, writer),
            Kind::Queries => {
                writer.written.udp_flows += 1;
                query(n, at, (&mut self.rng, writer))
            }
            Kind::Names => {
                writer.written.tcp_flows += u64::from(n.is_multiple_of(NAMED_STEPS));
                named(n, at, writer)
            }
        }
    }
}

/// Addresses and ports are a permutation of `n`, so no flow comes twice.
fn syn<W: Write>(n: u64, at: u64, writer: &mut Writer<W>) -> io::Result<()> {
    let spread = n.wrapping_mul(0x9e37_79b1) & 0x00ff_ffff;
    let src = Ipv4Addr::from(0x6440_0000 | spread as u32 & 0x003f_ffff);
    let port = 1024 + (spread >> 22) as u16 + 4 * (n >> 24) as u16;
    let ip = Ip { src: src.into(), dst: VICTIM, ttl: 49, id: mix(n) as u16, fragment: None };
    let tcp = Tcp {
        ports: (port, 443),
        seq: mix(n) as u32,
        ack: 0,
        flags: SYN,
        window: 64_240,
        options: Options::None,
        len: 0,
    };
    writer.tcp(at, &ip, &tcp, |_| {})
}

fn half_open<W: Write>(n: u64, at: u64, writer: &mut Writer<W>) -> io::Result<()> {
    let (flow, step) = (n / 3, n % 3);
    let client = IpAddr::from(Ipv4Addr::from(0x6440_0000 | (flow as u32 & 0x003f_ffff)));
    let port = 2000 + (flow >> 22) as u16;
    let (ours, theirs) = (mix(flow) as u32, mix(!flow) as u32);
    let (src, dst, ports) =
        if step == 1 { (VICTIM, client, (443, port)) } else { (client, VICTIM, (port, 443)) };
    let ip = Ip { src, dst, ttl: 50, id: flow as u16, fragment: None };
    let tcp =
        Tcp { ports, seq: ours, ack: 0, flags: SYN, window: 64_240, options: SYN_OPTIONS, len: 0 };
    let answered = ours.wrapping_add(1);
    let tcp = match step {
        0 => tcp,
        1 => Tcp { seq: theirs, ack: answered, flags: SYN | ACK, ..tcp },
        _ => Tcp {
            seq: answered.wrapping_add(1400),
            ack: theirs.wrapping_add(1),
            flags: PSH | ACK,
            options: Options::None,
            len: 1400,
            ..tcp
        },
    };
    writer.tcp(at, &ip, &tcp, |room| room.fill(flow as u8))
}

fn hole<W: Write>(n: u64, at: u64, writer: &mut Writer<W>) -> io::Result<()> {
    let client = IpAddr::from(Ipv4Addr::new(100, 64, 0, 1));
    let acknowledges = n.is_multiple_of(512 << 20 >> STRIDE.trailing_zeros());
    let (src, dst, ports) = match n {
        1 => (VICTIM, client, (80, 5000)),
        _ if acknowledges && n > 1 => (VICTIM, client, (80, 5000)),
        _ => (client, VICTIM, (5000, 80)),
    };
    let ip = Ip { src, dst, ttl: 55, id: n as u16, fragment: None };
    let seq = ISN.wrapping_add(1).wrapping_add((n * STRIDE) as u32);
    let options = Options::Syn { mss: 1460, scale: 14, stamps: None };
    let tcp = Tcp { ports, seq: ISN, ack: 0, flags: SYN, window: 65_535, options, len: 0 };
    let theirs = !ISN;
    let tcp = match n {
        0 => tcp,
        1 => Tcp { seq: theirs, ack: ISN.wrapping_add(1), flags: SYN | ACK, ..tcp },
        _ if acknowledges => {
            Tcp { seq: theirs.wrapping_add(1), ack: seq, flags: ACK, options: Options::None, ..tcp }
        }
        _ => Tcp {
            seq,
            ack: theirs.wrapping_add(1),
            flags: ACK,
            options: Options::None,
            len: 32,
            ..tcp
        },
    };
    writer.tcp(at, &ip, &tcp, |room| room.fill(n as u8))
}

/// The first and the last third of a datagram; one in seven is of IPv6.
fn fragment<W: Write>(n: u64, at: u64, writer: &mut Writer<W>) -> io::Result<()> {
    let (datagram, is_last) = (n / 2, n % 2 == 1);
    let low = mix(datagram) as u32;
    let (src, dst): (IpAddr, IpAddr) = if datagram % 7 == 0 {
        let net = |n| Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, (low >> 16) as u16, low as u16);
        (net(8).into(), Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 1).into())
    } else {
        (Ipv4Addr::from(0x6440_0000 | low & 0x003f_ffff).into(), VICTIM)
    };
    let offset = if is_last { 2 * PIECE } else { 0 };
    let place = Fragment { offset, more: !is_last };
    let ip = Ip { src, dst, ttl: 51, id: datagram as u16, fragment: Some(place) };
    let mut bytes = [datagram as u8; PIECE as usize];
    if !is_last {
        bytes[..8].copy_from_slice(&[0x13, 0x88, 0, 53, 0, (3 * PIECE) as u8, 0, 0]);
        bytes[4..6].copy_from_slice(&(3 * PIECE).to_be_bytes());
    }
    writer.piece(at, &ip, &bytes)
}

fn query<W: Write>(n: u64, at: u64, (rng, writer): (&mut Rng, &mut Writer<W>)) -> io::Result<()> {
    let (client, port) = if n % 4 == 3 {
        (0x6440_0000 + (mix(n) % 100) as u32, 5353)
    } else {
        (0x6450_0000 | n as u32 & 0x000f_ffff, 1024 + (n >> 20) as u16)
    };
    let host = format!("{:x}.{:x}.example", mix(n) as u32, n & 0xfff);
    let query = dns::query(rng.next() as u16, &host, false);
    let src = Ipv4Addr::from(client).into();
    let dst = Ipv4Addr::new(192, 0, 2, 60).into();
    let ip = Ip { src, dst, ttl: 58, id: n as u16, fragment: None };
    writer.udp(at, &ip, (port, 53, query.len()), |room| room.copy_from_slice(&query))
}

fn named<W: Write>(n: u64, at: u64, writer: &mut Writer<W>) -> io::Result<()> {
    let (flow, step) = (n / NAMED_STEPS, n % NAMED_STEPS);
    let client = IpAddr::from(Ipv4Addr::from(0x6440_0000 | (flow as u32 & 0x003f_ffff)));
    let server = IpAddr::from(Ipv4Addr::from(0x6480_0000 | (mix(flow) as u32 & 0x003f_ffff)));
    let host = format!("{:x}.{:x}.example", mix(flow) as u32, flow & 0xfff);
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".as_slice();
    let (asked, answered) = (request.len() as u32, answer.len() as u32);
    let (ours, theirs) = (mix(flow) as u32, mix(!flow) as u32);
    let (after_ours, after_theirs) = (ours.wrapping_add(1), theirs.wrapping_add(1));
    let none = b"".as_slice();
    // Who sends, its number, the other's, flags, payload.
    let (own, seq, ack, flags, payload) = match step {
        0 => (true, ours, 0, SYN, none),
        1 => (false, theirs, after_ours, SYN | ACK, none),
        2 => (true, after_ours, after_theirs, PSH | ACK, &request[..]),
        3 => (false, after_theirs, after_ours.wrapping_add(asked), PSH | FIN | ACK, answer),
        _ => {
            let seen = after_theirs.wrapping_add(answered + 1);
            (true, after_ours.wrapping_add(asked), seen, FIN | ACK, none)
        }
    };
    let port = 2000 + (flow >> 22) as u16;
    let (src, dst, ports) =
        if own { (client, server, (port, 80)) } else { (server, client, (80, port)) };
    let options = if flags & SYN == 0 { Options::None } else { SYN_OPTIONS };
    let ip = Ip { src, dst, ttl: 52, id: n as u16, fragment: None };
    let tcp = Tcp { ports, seq, ack, flags, window: 64_240, options, len: payload.len() };
    writer.tcp(at, &ip, &tcp, |room| room.copy_from_slice(payload))
}

/// So that the ordinary connections are there first.
const BEGINNING_NS: u64 = 6_000_000_000;
const DURATION_NS: u64 = 60_000_000_000;
/// Behind it nothing ordinary is served.
const VICTIM: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 80));
const SYN_OPTIONS: Options = Options::Syn { mss: 1460, scale: 7, stamps: None };
const STRIDE: u64 = 2048;
const ISN: u32 = 0x1234_5678;
const PIECE: u16 = 200;
/// Packets of a connection to a host of its own.
const NAMED_STEPS: u64 = 5;
