//! One later piece held against all that came before it.

use super::piece::{Placed, PushOutcome};
use super::{Overlap, StreamOffset, StreamSink};
use crate::wire::{FrameId, Timestamp};

/// The copy that came first of a range that a later piece has too.
pub(super) struct FirstCopy<'a> {
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
    pub(super) frame: FrameId,
    pub(super) time: Timestamp,
}

/// What came of the captured bytes of one piece.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tally {
    /// Seen for the first time.
    pub(super) fresh: u64,
    /// Compared and equal.
    pub(super) same: u64,
    /// Compared, in a range that differs.
    pub(super) contested: u64,
    /// Seen before or given up, without a copy to compare with.
    pub(super) unknown: u64,
    /// Ranges that differ.
    pub(super) overlaps: u32,
    /// Those that were not reported any more.
    pub(super) unreported: u32,
}

impl Tally {
    /// Bytes that could be compared.
    pub(super) const fn compared(&self) -> u64 {
        self.same.saturating_add(self.contested)
    }

    /// What the piece amounted to; `edge` is where the stream stood when it came.
    pub(super) fn outcome(&self, piece: &Placed<'_>, edge: u64) -> PushOutcome {
        let known = self.compared() > 0 || self.unknown > 0;
        // Bytes that were cut off are new if they lie beyond the edge. Behind a hole only a piece
        // without any captured byte is judged by them.
        let all_cut = piece.bytes.is_empty();
        let cut_fresh =
            piece.end > edge.max(piece.captured_end()) && (all_cut || piece.start <= edge);
        match (self.fresh > 0 || cut_fresh, known || piece.start < edge) {
            _ if self.overlaps > 0 => PushOutcome::Conflicting,
            (true, true) => PushOutcome::PartlyNew,
            (true, false) if piece.start > edge => PushOutcome::OutOfOrder,
            (true, false) => PushOutcome::InOrder,
            (false, _) if self.unknown > 0 || all_cut => PushOutcome::Stale,
            (false, _) => PushOutcome::Retransmission,
        }
    }
}

/// Compares one piece with first copies, and reports to the sink at most a set number of times.
pub(super) struct Comparison<'p, 's, S: ?Sized> {
    pub(super) piece: Placed<'p>,
    pub(super) sink: &'s mut S,
    pub(super) tally: Tally,
    reports_max: u16,
}

impl<'p, 's, S: StreamSink + ?Sized> Comparison<'p, 's, S> {
    pub(super) fn new(piece: Placed<'p>, reports_max: u16, sink: &'s mut S) -> Self {
        Self { piece, sink, tally: Tally::default(), reports_max }
    }

    /// Compares the piece with the first copy of a part of it.
    pub(super) fn with(&mut self, first: &FirstCopy<'_>) {
        let len = first.bytes.len() as u64;
        let later = self.piece.range(first.offset, first.offset.saturating_add(len));
        if later == first.bytes {
            self.tally.same = self.tally.same.saturating_add(len);
            return;
        }
        let differing = later.iter().zip(first.bytes).filter(|(l, f)| l != f).count();
        self.contested(first, later, Some(differing as u32));
    }

    /// The same where only a digest of the first copy is left; `first` has no bytes.
    pub(super) fn with_digest(&mut self, first: &FirstCopy<'_>, later: &'p [u8], equal: bool) {
        if equal {
            self.tally.same = self.tally.same.saturating_add(later.len() as u64);
        } else {
            self.contested(first, later, None);
        }
    }

    fn contested(&mut self, first: &FirstCopy<'_>, later: &[u8], differing: Option<u32>) {
        self.tally.contested = self.tally.contested.saturating_add(later.len() as u64);
        self.tally.overlaps = self.tally.overlaps.saturating_add(1);
        if self.tally.overlaps > u32::from(self.reports_max) {
            self.tally.unreported = self.tally.unreported.saturating_add(1);
            return;
        }
        self.sink.overlap(Overlap {
            offset: StreamOffset(first.offset),
            len: later.len() as u32,
            differing,
            first_frame: first.frame,
            first_time: first.time,
            first_bytes: first.bytes,
            later_frame: self.piece.frame,
            later_time: self.piece.time,
            later_bytes: later,
            later_offset: StreamOffset(self.piece.start),
            later_whole: self.piece.bytes,
        });
    }
}
