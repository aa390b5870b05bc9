//! The layouts of capture files: each walks records in a slice, and does no I/O.
//!
//! A walker is shown the bytes from the start of a record on and says what the record is, or how
//! many bytes it must see first. What it keeps is the file's header, or the interfaces of the
//! sections so far. Nothing here trusts a length: it is compared with what is there, and refused
//! where no capture program writes such a one.

mod clock;
mod order;
mod pcap;
mod pcapng;
mod snoop;

pub use clock::TimeResolution;

use crate::wire::{LinkType, Timestamp};

use super::{DamageReason, Format, Interface};
use pcap::PcapWalker;
use pcapng::PcapNgWalker;
use snoop::SnoopWalker;

/// What stands at the start of the bytes shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A packet.
    Packet(Packet),
    /// A record of this many bytes that holds no packet, but has a frame number all the same.
    Numbered(usize),
    /// A record of this many bytes that holds no packet.
    Pass(usize),
    /// The record is longer than what is shown; with this many bytes one can go on.
    Need(usize),
    /// No record can be read here.
    Fault(DamageReason),
}

/// A packet record, measured from its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packet {
    /// Length of the whole record.
    pub(super) record_len: usize,
    /// Where its captured bytes begin.
    pub(super) start: usize,
    pub(super) captured: u32,
    pub(super) original: u32,
    pub(super) time: Option<Timestamp>,
    pub(super) link: LinkType,
}

/// Reads the records of one file, whatever its layout.
#[derive(Debug)]
pub(super) enum Walker {
    Pcap(PcapWalker),
    PcapNg(PcapNgWalker),
    Snoop(SnoopWalker),
}

impl Walker {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Pcap => Self::Pcap(PcapWalker::default()),
            Format::PcapNg => Self::PcapNg(PcapNgWalker::default()),
            Format::Snoop => Self::Snoop(SnoopWalker::default()),
        }
    }

    /// Reads the record at the start of `bytes`. After any answer but `Need` and `Fault` the
    /// next call expects the bytes after that record.
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        match self {
            Self::Pcap(walker) => walker.step(bytes),
            Self::PcapNg(walker) => walker.step(bytes),
            Self::Snoop(walker) => walker.step(bytes),
        }
    }

    /// The interfaces described so far.
    pub(super) fn interfaces(&self) -> &[Interface] {
        match self {
            Self::Pcap(walker) => walker.interfaces(),
            Self::PcapNg(walker) => walker.interfaces(),
            Self::Snoop(walker) => walker.interfaces(),
        }
    }

    /// Packets that the file says were dropped.
    pub(super) fn capture_drops(&self) -> Option<u64> {
        match self {
            Self::Pcap(_) => None,
            Self::PcapNg(walker) => walker.capture_drops(),
            Self::Snoop(walker) => walker.capture_drops(),
        }
    }
}

/// Is this more than an interface with this snapshot length can have captured?
///
/// Segments joined by the card exceed the snapshot length that a file states, hence the grace.
const fn is_absurd(captured: u32, snaplen: u32) -> bool {
    let snaplen = if snaplen == 0 { MAX_CAPTURED } else { snaplen };
    captured > MAX_CAPTURED || captured > snaplen.saturating_add(SNAPLEN_GRACE)
}

const MAX_CAPTURED: u32 = 64 << 20;
const SNAPLEN_GRACE: u32 = 256 << 10;
