//! Classic pcap (draft-ietf-opsawg-pcap §4 and §5), whoever wrote it.
//!
//! ```text
//! file    magic | major, minor | zone | accuracy | snaplen | fcs, link type
//! record  seconds | fraction | captured | original | bytes
//! ```
//!
//! The modified layout (magic a1b2cd34, of Linux distributions around 1999) has 8 more bytes in
//! the record header. Before version 2.3 the two lengths stood the other way round; 2.3 itself was
//! written in either way, and so was 543.0 of DG/UX in the old one.

use super::clock::{TimeResolution, seconds_and};
use super::order::Order;
use super::{Packet, Step, is_absurd};
use crate::capture::{DamageReason, Interface};
use crate::wire::LinkType;

/// Reads a file header, then records.
#[derive(Default, Debug)]
pub(in crate::capture) struct PcapWalker {
    header: Option<Header>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    order: Order,
    unit_nanos: u32,
    record_header_len: usize,
    lengths: Lengths,
    interface: [Interface; 1],
}

/// Which of the two lengths of a record comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    /// The lesser one is the captured one.
    Either,
}

impl PcapWalker {
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        match &self.header {
            Some(header) => header.record(bytes),
            None => self.begin(bytes),
        }
    }

    pub(super) fn interfaces(&self) -> &[Interface] {
        self.header.as_ref().map_or(&[], |header| &header.interface)
    }

    fn begin(&mut self, bytes: &[u8]) -> Step {
        let Some((magic, order)) = order_of(bytes) else { return Step::Need(FILE_HEADER_LEN) };
        let Some([_, versions, _, _, snaplen, network]) = order.words(bytes) else {
            return Step::Need(FILE_HEADER_LEN);
        };
        let nanos = magic == MAGIC_NANOS;
        self.header = Some(Header {
            order,
            unit_nanos: if nanos { 1 } else { 1_000 },
            record_header_len: if magic == MAGIC_MODIFIED { 24 } else { RECORD_HEADER_LEN },
            lengths: match order.halves(versions) {
                (2, 0..=2) | (543, _) => Lengths::OriginalFirst,
                (2, 3) => Lengths::Either,
                _ => Lengths::CapturedFirst,
            },
            interface: [Interface {
                // Above the link type stand the length of the frame check sequence and flags.
                link_type: LinkType(network as u16),
                snaplen,
                time_resolution: if nanos { TimeResolution::NANOS } else { TimeResolution::MICROS },
            }],
        });
        Step::Pass(FILE_HEADER_LEN)
    }
}

impl Header {
    #[inline]
    fn record(&self, bytes: &[u8]) -> Step {
        let Some([secs, fraction, first, second]) = self.order.words(bytes) else {
            return Step::Need(self.record_header_len);
        };
        if secs | fraction | first | second == 0 {
            return Step::Fault(DamageReason::ZeroHeader);
        }
        let (captured, original) = match self.lengths {
            Lengths::OriginalFirst => (second, first),
            Lengths::Either if first > second => (second, first),
            Lengths::CapturedFirst | Lengths::Either => (first, second),
        };
        let [interface] = self.interface;
        if is_absurd(captured, interface.snaplen) {
            return Step::Fault(DamageReason::CapturedLength(captured));
        }
        let record_len = self.record_header_len.saturating_add(captured as usize);
        if bytes.len() < record_len {
            return Step::Need(record_len);
        }
        Step::Packet(Packet {
            record_len,
            start: self.record_header_len,
            captured,
            original,
            time: Some(seconds_and(secs, fraction, self.unit_nanos)),
            link: interface.link_type,
        })
    }
}

fn order_of(bytes: &[u8]) -> Option<(u32, Order)> {
    [Order::Little, Order::Big].into_iter().find_map(|order| {
        let [magic] = order.words(bytes)?;
        [MAGIC_MICROS, MAGIC_NANOS, MAGIC_MODIFIED].contains(&magic).then_some((magic, order))
    })
}

const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
const MAGIC_MODIFIED: u32 = 0xa1b2_cd34;
const FILE_HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
