//! One conversation: who, what is said, and each packet of it with its time at the capture point.

use std::io::{self, Write};
use std::net::IpAddr;

use super::packet::{ACK, Ip, Options, SYN, Stamps, Tcp, Writer};
use super::rng::Rng;
use super::stream::Stream;

/// A side; also an index.
pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

/// One end of a conversation.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    /// As it is at the capture point.
    pub(crate) ttl: u8,
    /// The next IP identification; counts one up with each packet.
    id: u16,
    isn: u32,
    /// What the clock of its timestamps showed at the workload's beginning, in ms.
    clock: u32,
    pub(crate) stream: Stream,
}

/// A conversation, planned to its end.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) ends: [End; 2],
    pub(crate) is_tcp: bool,
    /// Both ends agreed on timestamps.
    pub(crate) stamps: bool,
    /// In the order of their times, once [`Talk::settle`] was called.
    pub(crate) shots: Vec<Shot>,
    /// Somebody interferes.
    pub(crate) is_interfered: bool,
    /// What a box in the path says in this conversation.
    pub(crate) forged: Forger,
}

/// What the packets of the box in the path look like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forger {
    pub(crate) ttl: u8,
    pub(crate) payload: Vec<u8>,
}

/// A packet to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot {
    /// When it passes the capture point, in ns.
    pub(crate) at: u64,
    pub(crate) from: usize,
    /// Of TCP; none in a datagram, except that [`SHORT_HEADER`] marks one of QUIC.
    pub(crate) flags: u8,
    pub(crate) is_forged: bool,
    /// Payload bytes.
    pub(crate) len: u16,
    /// Where the payload lies in the stream of `from`.
    pub(crate) offset: u64,
    /// Bytes of the other side's stream that are acknowledged.
    pub(crate) ack: u64,
    /// When the newest packet passed that the sender had got from the other side.
    pub(crate) echo: u64,
}

impl End {
    pub(crate) fn new(rng: &mut Rng, ip: IpAddr, port: u16, ttl: u8) -> Self {
        let (id, isn, clock) = (rng.next() as u16, rng.next() as u32, rng.next() as u32);
        Self { ip, port, ttl, id, isn, clock, stream: Stream::default() }
    }

    /// Initial sequence numbers are as good as random; these are nobody's but its own.
    pub(crate) fn stamp(&self, at: u64) -> u32 {
        self.clock.wrapping_add((at / 1_000_000) as u32)
    }
}

impl Talk {
    pub(crate) fn new(client: End, server: End, is_tcp: bool) -> Self {
        let forged = Forger::default();
        Self {
            ends: [client, server],
            is_tcp,
            stamps: is_tcp,
            shots: Vec::new(),
            is_interfered: false,
            forged,
        }
    }

    /// When the first packet passes.
    pub(crate) fn start(&self) -> u64 {
        self.shots.first().map_or(0, |shot| shot.at)
    }

    /// Puts the packets in the order of their times.
    pub(crate) fn settle(&mut self) {
        self.shots.sort_by_key(|shot| shot.at);
    }

    /// Writes packet `n`.
    pub(crate) fn write<W: Write>(&mut self, n: usize, writer: &mut Writer<W>) -> io::Result<()> {
        let shot = self.shots[n];
        let (from, to) = (&self.ends[shot.from], &self.ends[1 - shot.from]);
        let mut ip = Ip { src: from.ip, dst: to.ip, ttl: from.ttl, id: from.id, fragment: None };
        if shot.is_forged {
            ip.ttl = self.forged.ttl;
            ip.id = from.id.wrapping_mul(0x9e37) ^ 0x5a5a;
        }
        let fill = |room: &mut [u8]| self.fill(&shot, room);
        if self.is_tcp {
            writer.tcp(shot.at, &ip, &self.header(&shot), fill)?;
        } else {
            writer.udp(shot.at, &ip, (from.port, to.port, usize::from(shot.len)), fill)?;
        }
        if !shot.is_forged {
            self.ends[shot.from].id = ip.id.wrapping_add(1);
        }
        Ok(())
    }

    fn header(&self, shot: &Shot) -> Tcp {
        let (from, to) = (&self.ends[shot.from], &self.ends[1 - shot.from]);
        // Offset 0 of a stream is the number after the SYN's.
        let seq = from.isn.wrapping_add(shot.offset as u32).wrapping_add(1);
        let ack = to.isn.wrapping_add(shot.ack as u32).wrapping_add(1);
        let echo = if shot.flags & ACK == 0 { 0 } else { to.stamp(shot.echo) };
        let stamps = Stamps { value: from.stamp(shot.at), echo };
        let is_syn = shot.flags & SYN != 0;
        Tcp {
            ports: (from.port, to.port),
            seq: if is_syn { from.isn } else { seq },
            ack: if shot.flags & ACK == 0 { 0 } else { ack },
            flags: shot.flags,
            window: if is_syn { 64_240 } else { 4096 },
            options: match (is_syn, self.stamps && !shot.is_forged) {
                (true, stamped) => {
                    let mss = if from.ip.is_ipv4() { 1460 } else { 1440 };
                    Options::Syn { mss, scale: 9, stamps: stamped.then_some(stamps) }
                }
                (false, true) => Options::Stamps(stamps),
                (false, false) => Options::None,
            },
            len: usize::from(shot.len),
        }
    }

    fn fill(&self, shot: &Shot, room: &mut [u8]) {
        if shot.is_forged {
            return room.copy_from_slice(&self.forged.payload[..room.len()]);
        }
        self.ends[shot.from].stream.read(shot.offset, room);
        if shot.flags == SHORT_HEADER
            && let Some(first) = room.first_mut()
        {
            *first = *first & 0x3f | 0x40;
        }
    }
}

/// Marks a datagram of QUIC in the encrypted phase (RFC 9000 §17.3).
pub(crate) const SHORT_HEADER: u8 = 0x80;
