//! Bytes that wait because a hole before them is open.
//!
//! Invariant: runs are sorted by their start and share no byte; none starts below the delivered
//! edge. A run without bytes marks where a piece stood of which the capture holds nothing.

use std::collections::VecDeque;

use super::comparison::{Comparison, FirstCopy};
use super::piece::Placed;
use super::{Chunk, Limits, StreamOffset, StreamSink};
use crate::wire::{FrameId, Timestamp};

/// The part of one piece that was the first copy of its range.
pub(super) struct Run {
    pub(super) start: u64,
    /// Up to here the wire carried bytes, captured or snapped; at least the end of `bytes`.
    pub(super) reach: u64,
    frame: FrameId,
    time: Timestamp,
    bytes: Box<[u8]>,
}

impl Run {
    fn of(piece: &Placed<'_>, from: u64, to: u64) -> Self {
        let bytes = Box::from(piece.range(from, to));
        Self { start: from, reach: to, frame: piece.frame, time: piece.time, bytes }
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    fn first_copy(&self, from: u64, to: u64) -> FirstCopy<'_> {
        let (skip, end) = (from.saturating_sub(self.start), to.saturating_sub(self.start));
        let bytes = self.bytes.get(skip as usize..end as usize).unwrap_or_default();
        FirstCopy { offset: from, bytes, frame: self.frame, time: self.time }
    }

    pub(super) fn chunk(&self) -> Chunk<'_> {
        let offset = StreamOffset(self.start);
        Chunk { offset, bytes: &self.bytes, frame: self.frame, time: self.time }
    }
}

/// All runs that wait.
#[derive(Default)]
pub(super) struct Pending {
    runs: VecDeque<Run>,
    bytes: usize,
}

impl Pending {
    /// Where the lowest run starts: the end of the lowest hole.
    pub(super) fn first_start(&self) -> Option<u64> {
        self.runs.front().map(|run| run.start)
    }

    /// The end of the highest run, snapped bytes included.
    pub(super) fn last_reach(&self) -> Option<u64> {
        self.runs.back().map(|run| run.reach)
    }

    pub(super) fn pop_first(&mut self) -> Option<Run> {
        let run = self.runs.pop_front()?;
        self.bytes = self.bytes.saturating_sub(run.bytes.len());
        Some(run)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether more waits than is allowed.
    pub(super) fn exceeds(&self, limits: &Limits) -> bool {
        self.bytes > limits.pending_bytes as usize
            || self.runs.len() > usize::from(limits.pending_pieces)
    }

    /// Keeps what is new of the piece's bytes from offset `from` on; compares the rest.
    pub(super) fn insert<S>(&mut self, from: u64, comparison: &mut Comparison<'_, '_, S>)
    where
        S: StreamSink + ?Sized,
    {
        let piece = comparison.piece;
        let end = piece.captured_end();
        let mut cursor = from;
        let mut at = self.runs.partition_point(|run| run.end() <= from);
        while cursor < end {
            let known_from = self.runs.get(at).map_or(end, |run| run.start.min(end));
            if cursor < known_from {
                self.lay(at, Run::of(&piece, cursor, known_from));
                comparison.tally.fresh += known_from - cursor;
                cursor = known_from;
            } else if let Some(run) = self.runs.get(at) {
                let to = run.end().min(end);
                comparison.with(&run.first_copy(cursor, to));
                cursor = to;
            }
            at += 1;
        }
        if piece.end > end {
            self.mark_snapped(&piece, end.max(from));
        }
    }

    fn lay(&mut self, at: usize, run: Run) {
        self.bytes += run.bytes.len();
        self.runs.insert(at, run);
    }

    /// Remembers that the wire carried bytes from `from` to the end of `piece`.
    fn mark_snapped(&mut self, piece: &Placed<'_>, from: u64) {
        let after = self.runs.partition_point(|run| run.start <= from);
        let before = after.checked_sub(1).and_then(|at| self.runs.get_mut(at));
        match before {
            Some(run) if run.reach >= from => run.reach = run.reach.max(piece.end),
            _ => self.lay(after, Run { reach: piece.end, ..Run::of(piece, from, from) }),
        }
    }

    pub(super) fn frame_of(&self, offset: u64) -> Option<FrameId> {
        let at = self.runs.partition_point(|run| run.end() <= offset);
        self.runs.get(at).filter(|run| run.start <= offset).map(|run| run.frame)
    }

    /// Heap bytes, this value included.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.runs.capacity() * size_of::<Run>() + self.bytes
    }
}
