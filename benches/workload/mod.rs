//! Workloads of any size, the same bytes for the same seed on every machine.
//!
//! A conversation ([`talk::Talk`]) is planned whole when it begins: each packet with its time at
//! the capture point, sequence numbers and the place of its payload in the stream of its side.
//! [`write`] interleaves the conversations by time, so memory follows those that are under way and
//! not the length of the file. Lengths and checksums are right, timestamps echo what was heard,
//! retransmissions repeat the same bytes, and whoever answers takes the time of the way there and
//! back. What nobody can read (encrypted records, bodies) is noise.
//!
//! A workload at a smaller scale is the same network watched for a shorter time: the rate stays.
//! With an attack it is the attack that gets thinner; the thousand connections beside it stay.

mod attack;
mod bulk;
mod dns;
mod http;
mod interference;
mod mix;
pub(crate) mod names;
mod packet;
mod plan;
mod quic;
pub(crate) mod rng;
mod small;
pub(crate) mod stream;
mod talk;
mod tls;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use attack::{Attack, Kind};
use packet::Writer;
pub(crate) use packet::Written;
use talk::Talk;

/// What can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Workload {
    /// TLS, HTTP, DNS and QUIC side by side.
    Mix,
    /// Scans, queries and short handshakes.
    Small,
    /// Sixteen flows of large segments.
    Bulk,
    /// The thousand connections that the attacks go on beside, alone.
    Calm,
    /// An attack beside a thousand connections.
    Attack(Kind),
}

impl Workload {
    pub(crate) const ALL: [(&str, Self); 10] = [
        ("mix", Self::Mix),
        ("small", Self::Small),
        ("bulk", Self::Bulk),
        ("calm", Self::Calm),
        ("synflood", Self::Attack(Kind::SynFlood)),
        ("halfopen", Self::Attack(Kind::HalfOpen)),
        ("holes", Self::Attack(Kind::Holes)),
        ("fragments", Self::Attack(Kind::Fragments)),
        ("queries", Self::Attack(Kind::Queries)),
        ("names", Self::Attack(Kind::Names)),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(own, _)| *own == name).map(|(_, workload)| workload)
    }
}

/// Of the bytes: to be raised when they change, so that older files are not taken for them.
pub(crate) const EDITION: u32 = 1;

/// How much of a workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Of scale 1.
    pub(crate) millionths: u64,
    /// Connections beside an attack.
    pub(crate) established: u64,
}

impl Size {
    /// A scale as typed.
    pub(crate) fn scale(text: &str) -> Option<Self> {
        Some(Self { millionths: millionths(text)?, established: 1000 })
    }
}

/// A scale as typed (`1`, `0.25`) in millionths.
fn millionths(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{rest:0<6}");
    let rest = digits.get(..6)?.parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(rest)
}

/// Writes `workload` as a capture file.
pub(crate) fn write(workload: Workload, size: Size, out: impl Write) -> io::Result<Written> {
    const SEED: u64 = 0x7461_6d70;
    let Size { millionths, established } = size;
    let established = || mix::Mix::established(SEED, established);
    let mut writer = Writer::new(out);
    match workload {
        Workload::Mix => interleave(mix::Mix::new(SEED, millionths), None, &mut writer)?,
        Workload::Small => interleave(small::Small::new(SEED, millionths), None, &mut writer)?,
        Workload::Bulk => interleave(bulk::Bulk::new(SEED, millionths), None, &mut writer)?,
        Workload::Calm => interleave(established(), None, &mut writer)?,
        Workload::Attack(kind) => {
            let attack = Attack::new(kind, SEED, millionths);
            interleave(established(), Some(attack), &mut writer)?;
        }
    }
    writer.finish()
}

/// Conversations that are under way, by the time of their next packet.
#[derive(Default)]
struct UnderWay {
    /// Time, order of beginning, slot, next packet.
    order: BinaryHeap<Reverse<(u64, u64, usize, usize)>>,
    slots: Vec<Option<Talk>>,
    free: Vec<usize>,
    begun: u64,
}

impl UnderWay {
    fn begin(&mut self, talk: Talk) {
        let slot = self.free.pop().unwrap_or(self.slots.len());
        let start = talk.start();
        if slot == self.slots.len() {
            self.slots.push(Some(talk));
        } else {
            self.slots[slot] = Some(talk);
        }
        self.order.push(Reverse((start, self.begun, slot, 0)));
        self.begun += 1;
    }

    /// Writes the packets that pass before `until`.
    fn write<W: Write>(&mut self, until: u64, writer: &mut Writer<W>) -> io::Result<()> {
        while let Some(mut first) = self.order.peek_mut() {
            let Reverse((at, begun, slot, n)) = *first;
            if at >= until {
                break;
            }
            let Some(talk) = self.slots[slot].as_mut() else { continue };
            talk.write(n, writer)?;
            if let Some(next) = talk.shots.get(n + 1) {
                *first = Reverse((next.at, begun, slot, n + 1));
            } else {
                std::collections::binary_heap::PeekMut::pop(first);
                self.slots[slot] = None;
                self.free.push(slot);
            }
        }
        Ok(())
    }
}

fn interleave<W: Write>(
    talks: impl Iterator<Item = Talk>,
    mut attack: Option<Attack>,
    writer: &mut Writer<W>,
) -> io::Result<()> {
    let mut under_way = UnderWay::default();
    let mut advance = |under_way: &mut UnderWay, until: u64, writer: &mut Writer<W>| {
        while let Some(attack) = attack.as_mut()
            && let Some(at) = attack.at().filter(|at| *at < until)
        {
            under_way.write(at, writer)?;
            attack.write(writer)?;
        }
        under_way.write(until, writer)
    };
    for talk in talks {
        let written = &mut writer.written;
        if talk.is_tcp {
            written.tcp_flows += 1;
        } else {
            written.udp_flows += 1;
        }
        written.interfered += u64::from(talk.is_interfered);
        advance(&mut under_way, talk.start(), writer)?;
        under_way.begin(talk);
    }
    advance(&mut under_way, u64::MAX, writer)
}
