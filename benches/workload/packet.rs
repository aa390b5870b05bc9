//! Headers and the capture file: Ethernet, IP, TCP and UDP with right lengths and checksums.

use std::io::{self, Write};
use std::net::IpAddr;

/// Writes a classic capture file of nanoseconds (pcap-savefile(5)), link type Ethernet.
pub(crate) struct Writer<W> {
    out: W,
    block: Vec<u8>,
    pub(crate) written: Written,
}

/// What was written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Written {
    pub(crate) packets: u64,
    /// Of the file, with its headers.
    pub(crate) bytes: u64,
    pub(crate) tcp_flows: u64,
    pub(crate) udp_flows: u64,
    /// Of all flows.
    pub(crate) interfered: u64,
}

/// What an IP header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ip {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) id: u16,
    pub(crate) fragment: Option<Fragment>,
}

/// A place in a fragmented packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    /// In bytes, a multiple of eight.
    pub(crate) offset: u16,
    pub(crate) more: bool,
}

/// What a TCP header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp {
    pub(crate) ports: (u16, u16),
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) options: Options,
    pub(crate) len: usize,
}

/// TCP options as a common stack sends them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Options {
    None,
    /// MSS, SACK permitted, window scale, and timestamps if there are any.
    Syn {
        mss: u16,
        scale: u8,
        stamps: Option<Stamps>,
    },
    /// NOP, NOP, timestamps.
    Stamps(Stamps),
}

/// `TSval` and `TSecr` (RFC 7323 §3.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    pub(crate) value: u32,
    pub(crate) echo: u32,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        let mut block = Vec::with_capacity(BLOCK + (1 << 17));
        for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 1 << 18, 1_u32] {
            block.extend(word.to_le_bytes());
        }
        Self { out, block, written: Written::default() }
    }

    /// A TCP segment at `at` nanoseconds after the workload's beginning; `fill` writes its payload.
    pub(crate) fn tcp(
        &mut self,
        at: u64,
        ip: &Ip,
        tcp: &Tcp,
        fill: impl FnOnce(&mut [u8]),
    ) -> io::Result<()> {
        let mut options = [1_u8; 24];
        let options = tcp.options.write(&mut options);
        let head = 20 + options.len();
        let start = self.begin(at, ip, TCP, head + tcp.len);
        let block = &mut self.block;
        let header = block.len();
        block.extend(tcp.ports.0.to_be_bytes());
        block.extend(tcp.ports.1.to_be_bytes());
        block.extend(tcp.seq.to_be_bytes());
        block.extend(tcp.ack.to_be_bytes());
        block.extend([(head as u8 / 4) << 4, tcp.flags]);
        block.extend(tcp.window.to_be_bytes());
        block.extend([0; 4]);
        block.extend(options);
        let body = block.len();
        block.resize(body + tcp.len, 0);
        fill(&mut block[body..]);
        let sum = transport_sum(ip, TCP, &block[header..]);
        block[header + 16..header + 18].copy_from_slice(&sum.to_be_bytes());
        self.end(start)
    }

    /// A UDP datagram, whole.
    pub(crate) fn udp(
        &mut self,
        at: u64,
        ip: &Ip,
        (src, dst, len): (u16, u16, usize),
        fill: impl FnOnce(&mut [u8]),
    ) -> io::Result<()> {
        let start = self.begin(at, ip, UDP, 8 + len);
        let block = &mut self.block;
        let header = block.len();
        for word in [src, dst, 8 + len as u16, 0] {
            block.extend(word.to_be_bytes());
        }
        let body = block.len();
        block.resize(body + len, 0);
        fill(&mut block[body..]);
        let sum = match transport_sum(ip, UDP, &block[header..]) {
            0 => 0xffff,
            sum => sum,
        };
        block[header + 6..header + 8].copy_from_slice(&sum.to_be_bytes());
        self.end(start)
    }

    /// A piece of a UDP datagram, as [`Ip::fragment`] says.
    pub(crate) fn piece(&mut self, at: u64, ip: &Ip, bytes: &[u8]) -> io::Result<()> {
        let start = self.begin(at, ip, UDP, bytes.len());
        self.block.extend(bytes);
        self.end(start)
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> io::Result<Written> {
        self.flush()?;
        self.out.flush()?;
        Ok(self.written)
    }

    fn begin(&mut self, at: u64, ip: &Ip, protocol: u8, len: usize) -> usize {
        let start = self.block.len();
        let block = &mut self.block;
        block.extend(((EPOCH_S + at / 1_000_000_000) as u32).to_le_bytes());
        block.extend(((at % 1_000_000_000) as u32).to_le_bytes());
        block.extend([0; 8]);
        block.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        ip.write(block, protocol, len);
        start
    }

    /// Pads the frame and states its length in the record's header.
    fn end(&mut self, start: usize) -> io::Result<()> {
        let least = start + 16 + 60;
        if self.block.len() < least {
            self.block.resize(least, 0);
        }
        let len = ((self.block.len() - start - 16) as u32).to_le_bytes();
        self.block[start + 8..start + 12].copy_from_slice(&len);
        self.block[start + 12..start + 16].copy_from_slice(&len);
        self.written.packets += 1;
        if self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.written.bytes += self.block.len() as u64;
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

impl Ip {
    /// From the `EtherType` on.
    fn write(&self, block: &mut Vec<u8>, protocol: u8, len: usize) {
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                block.extend([8, 0]);
                let start = block.len();
                let place = match self.fragment {
                    Some(Fragment { offset, more }) => (offset / 8) | (u16::from(more) << 13),
                    None => 0x4000,
                };
                block.extend([0x45, 0]);
                block.extend((20 + len as u16).to_be_bytes());
                block.extend(self.id.to_be_bytes());
                block.extend(place.to_be_bytes());
                block.extend([self.ttl, protocol, 0, 0]);
                block.extend(src.octets());
                block.extend(dst.octets());
                let sum = fold(sum(&block[start..]));
                block[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
            }
            (src, dst) => {
                let next = if self.fragment.is_some() { 44 } else { protocol };
                let more = if self.fragment.is_some() { 8 } else { 0 };
                block.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
                block.extend((len as u16 + more).to_be_bytes());
                block.extend([next, self.ttl]);
                block.extend(long(src));
                block.extend(long(dst));
                if let Some(Fragment { offset, more }) = self.fragment {
                    block.extend([protocol, 0]);
                    block.extend((offset | u16::from(more)).to_be_bytes());
                    block.extend(u32::from(self.id).to_be_bytes());
                }
            }
        }
    }
}

impl Options {
    fn write(self, room: &mut [u8; 24]) -> &[u8] {
        let len = match self {
            Self::None => 0,
            Self::Syn { mss, scale, stamps } => {
                let [high, low] = mss.to_be_bytes();
                room[..4].copy_from_slice(&[2, 4, high, low]);
                room[4..6].copy_from_slice(&[4, 2]);
                if let Some(stamps) = stamps {
                    stamps.write(&mut room[6..16]);
                    room[17..20].copy_from_slice(&[3, 3, scale]);
                    20
                } else {
                    room[9..12].copy_from_slice(&[3, 3, scale]);
                    12
                }
            }
            Self::Stamps(stamps) => {
                stamps.write(&mut room[2..12]);
                12
            }
        };
        &room[..len]
    }
}

impl Stamps {
    fn write(self, room: &mut [u8]) {
        room[..2].copy_from_slice(&[8, 10]);
        room[2..6].copy_from_slice(&self.value.to_be_bytes());
        room[6..10].copy_from_slice(&self.echo.to_be_bytes());
    }
}

fn long(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// RFC 9293 §3.1, RFC 8200 §8.1.
fn transport_sum(ip: &Ip, protocol: u8, transport: &[u8]) -> u16 {
    let addresses = match (ip.src, ip.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        (src, dst) => sum(&long(src)) + sum(&long(dst)),
    };
    let rest = sum(&[0, protocol]) + sum(&(transport.len() as u32).to_be_bytes());
    fold(addresses + rest + sum(transport))
}

/// The sum of the words in this machine's order, which does not matter (RFC 1071 §2).
fn sum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(4);
    let mut sum = 0;
    for word in &mut words {
        sum += u64::from(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
    }
    let mut rest = [0; 4];
    rest[..words.remainder().len()].copy_from_slice(words.remainder());
    sum + u64::from(u32::from_ne_bytes(rest))
}

const fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be()
}

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

const TCP: u8 = 6;
const UDP: u8 = 17;
const BLOCK: usize = 1 << 20;
/// 2026-01-01T00:00:00Z.
const EPOCH_S: u64 = 1_767_225_600;
