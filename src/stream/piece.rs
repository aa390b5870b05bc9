//! What enters the assembler, and what a single piece amounted to.

use crate::wire::{FrameId, Segment, SeqNumber, Timestamp};

/// The payload of one segment.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Sequence number of the first payload byte.
    pub seq: SeqNumber,
    /// The captured payload.
    pub bytes: &'a [u8],
    /// Payload bytes on the wire; counts as `bytes.len()` where it is smaller.
    pub wire_len: u32,
    /// The frame that brought it.
    pub frame: FrameId,
    /// When it was captured.
    pub time: Timestamp,
}

impl<'a> Piece<'a> {
    /// The payload of `segment`.
    pub const fn of_segment(segment: &Segment<'a>) -> Self {
        Self {
            seq: segment.payload_seq(),
            bytes: segment.payload,
            wire_len: segment.payload_len,
            frame: segment.frame,
            time: segment.time,
        }
    }

    /// Payload bytes on the wire, at least those captured.
    pub(super) fn len(&self) -> u32 {
        self.wire_len.max(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}

/// What one piece amounted to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PushOutcome {
    /// All new, and the next in order: delivered.
    InOrder,
    /// All new, behind a hole: waits.
    OutOfOrder,
    /// Nothing new; every captured byte was compared with the first copy and is equal.
    Retransmission,
    /// Nothing new, and at least a part could not be compared: forgotten, or in a declared gap.
    Stale,
    /// Differs from bytes seen before; may bring new ones as well.
    Conflicting,
    /// Some bytes new, the others equal to the first copy as far as known.
    PartlyNew,
    /// Wholly before the first byte of the stream: before the SYN's successor, or reordered
    /// around the start of the capture. Not delivered.
    BeforeStart,
    /// Too far from the delivered edge to belong to the stream. Not looked at.
    OutOfWindow,
    /// No payload.
    Empty,
    /// At most one byte, just below what the sender would send next (RFC 9293 §3.8.4). The byte
    /// may be garbage, so it is not compared.
    KeepAlive,
}

/// A piece that found its place in the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    /// Offset of the first byte.
    pub(super) start: u64,
    /// The captured bytes from there on.
    pub(super) bytes: &'a [u8],
    /// Where it ended on the wire; `captured_end` or beyond.
    pub(super) end: u64,
    pub(super) frame: FrameId,
    pub(super) time: Timestamp,
}

impl<'a> Placed<'a> {
    /// Offset after the last captured byte.
    pub(super) fn captured_end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    /// Whether all its bytes were captured.
    pub(super) fn is_whole(&self) -> bool {
        self.captured_end() == self.end
    }

    /// The captured bytes of `from..to`, as far as there are any.
    pub(super) fn range(&self, from: u64, to: u64) -> &'a [u8] {
        let to = to.min(self.captured_end()).saturating_sub(self.start) as usize;
        let from = from.saturating_sub(self.start) as usize;
        self.bytes.get(from..to).unwrap_or_default()
    }
}
