//! What leaves the assembler.

use std::fmt;

use crate::wire::{FrameId, Timestamp};

/// A place in the stream, in bytes from its start, which never wraps.
///
/// 0 is the first byte after the SYN, or the first byte seen where no SYN was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct StreamOffset(pub u64);

impl StreamOffset {
    /// The offset `n` bytes further on, saturating.
    #[must_use]
    pub const fn plus(self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }
}

impl fmt::Display for StreamOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes in order. The next chunk or gap begins where this one ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk<'a> {
    /// Offset of the first byte.
    pub offset: StreamOffset,
    /// The bytes, at least one.
    pub bytes: &'a [u8],
    /// The frame that brought them first.
    pub frame: FrameId,
    /// When that frame was captured; earlier than now if the bytes waited for a hole.
    pub time: Timestamp,
}

/// Why bytes of a stream will not be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GapReason {
    /// They were on the wire, but the capture's snap length cut them off.
    Snapped,
    /// The peer acknowledged them: they were on the wire, but the capture lacks them.
    MissingFromCapture,
    /// More data waited behind this hole than [`Limits`](super::Limits) allow.
    LimitReached,
    /// The flow ended with the hole open: lost on the way, or never sent, or not captured.
    Unfilled,
}

/// A stretch of the stream that will not be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Gap {
    /// Offset of the first missing byte.
    pub offset: StreamOffset,
    /// How many bytes are missing, at least one.
    pub len: u64,
    /// Why.
    pub reason: GapReason,
}

/// Two copies of one range of the stream that differ.
///
/// There is one for each first piece that a later piece contradicts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overlap<'a> {
    /// Offset of the first byte that both copies have.
    pub offset: StreamOffset,
    /// How many bytes both copies have.
    pub len: u32,
    /// How many of them differ; `None` where only a digest of the first copy was kept.
    pub differing: Option<u32>,
    /// The frame of the copy that came first, and was or will be delivered.
    pub first_frame: FrameId,
    /// When it was captured.
    pub first_time: Timestamp,
    /// The first copy of the range; empty where only its digest was kept.
    pub first_bytes: &'a [u8],
    /// The frame of the copy that came later.
    pub later_frame: FrameId,
    /// When it was captured.
    pub later_time: Timestamp,
    /// The later copy of the range.
    pub later_bytes: &'a [u8],
    /// Offset of `later_whole`: that of this range, or below.
    pub later_offset: StreamOffset,
    /// All captured bytes of the later piece, for those who read the other version of the stream.
    pub later_whole: &'a [u8],
}

/// Takes what the assembler gives, in the order in which it becomes known.
///
/// Chunks and gaps together cover the stream without a hole and without a repetition. Overlaps
/// come between them; one that concerns bytes still waiting comes before their chunk.
pub trait StreamSink {
    /// The next bytes of the stream, each exactly once; the first copy wins.
    fn bytes(&mut self, chunk: Chunk<'_>);

    /// The next stretch of the stream is missing and will not come.
    fn gap(&mut self, gap: Gap);

    /// A later copy of a range differs from the first.
    fn overlap(&mut self, overlap: Overlap<'_>);
}
