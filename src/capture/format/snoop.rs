//! Snoop version 2 (RFC 1761), the capture format of Solaris.
//!
//! ```text
//! file    "snoop\0\0\0" | version | data link
//! record  original | captured | record length | drops so far | seconds | micros | bytes, padding
//! ```
//!
//! All numbers are big-endian.

use super::clock::{TimeResolution, seconds_and};
use super::order::Order;
use super::{Packet, Step, is_absurd};
use crate::capture::{DamageReason, Interface};
use crate::wire::LinkType;

/// Reads a file header, then records.
#[derive(Default, Debug)]
pub(in crate::capture) struct SnoopWalker {
    interface: Option<[Interface; 1]>,
    drops: u64,
}

impl SnoopWalker {
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        match self.interface {
            Some([interface]) => self.record(bytes, interface.link_type),
            None => self.begin(bytes),
        }
    }

    pub(super) fn interfaces(&self) -> &[Interface] {
        self.interface.as_ref().map_or(&[], |interface| interface)
    }

    /// The counter in the records is cumulative (RFC 1761 §4).
    pub(super) fn capture_drops(&self) -> Option<u64> {
        self.interface.map(|_| self.drops)
    }

    fn begin(&mut self, bytes: &[u8]) -> Step {
        let Some([_, _, version, data_link]) = Order::Big.words(bytes) else {
            return Step::Need(FILE_HEADER_LEN);
        };
        if version != 2 {
            return Step::Fault(DamageReason::Version(version));
        }
        // RFC 1761 §3 numbers data links in its own way.
        let link_type = match data_link {
            0 | 4 => LinkType(1),
            2 => LinkType(6),
            8 => LinkType(10),
            _ => return Step::Fault(DamageReason::SnoopLink(data_link)),
        };
        let time_resolution = TimeResolution::MICROS;
        self.interface = Some([Interface { link_type, snaplen: 0, time_resolution }]);
        Step::Pass(FILE_HEADER_LEN)
    }

    fn record(&mut self, bytes: &[u8], link: LinkType) -> Step {
        let Some([original, captured, length, drops, secs, micros]) = Order::Big.words(bytes)
        else {
            return Step::Need(RECORD_HEADER_LEN);
        };
        let record_len = length as usize;
        if is_absurd(captured, 0) {
            return Step::Fault(DamageReason::CapturedLength(captured));
        }
        let least = RECORD_HEADER_LEN.saturating_add(captured as usize);
        if record_len < least || record_len - least > MAX_PADDING {
            return Step::Fault(DamageReason::BlockLength(length));
        }
        if bytes.len() < record_len {
            return Step::Need(record_len);
        }
        self.drops = self.drops.max(u64::from(drops));
        Step::Packet(Packet {
            record_len,
            start: RECORD_HEADER_LEN,
            captured,
            original,
            time: Some(seconds_and(secs, micros, 1_000)),
            link,
        })
    }
}

const FILE_HEADER_LEN: usize = 16;
const RECORD_HEADER_LEN: usize = 24;
/// Padding rounds up to some word; the bound keeps a claimed length from costing memory.
const MAX_PADDING: usize = 64 << 10;
