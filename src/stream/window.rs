//! The last bytes delivered, with the frames that brought them.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::comparison::{Comparison, FirstCopy};
use super::{Chunk, StreamOffset, StreamSink};
use crate::wire::{FrameId, Timestamp};

/// What one frame brought. Records are sorted by offset; declared gaps lie between them.
struct Record {
    offset: u64,
    /// How many bytes had ever been laid into the ring before this record's first.
    at: u64,
    frame: FrameId,
    time: Timestamp,
    len: u32,
}

impl Record {
    fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.len))
    }
}

/// A window of delivered bytes. The ring is the bytes of all records, one after the other.
#[derive(Default)]
pub(super) struct Window {
    ring: VecDeque<u8>,
    records: VecDeque<Record>,
    /// Bytes ever laid into the ring.
    laid: u64,
}

impl Window {
    /// Adds a chunk, and forgets from the front what is then too much.
    pub(super) fn remember(&mut self, chunk: Chunk<'_>, bytes_max: u32, pieces_max: u16) {
        let bytes_max = bytes_max as usize;
        let skip = chunk.bytes.len().saturating_sub(bytes_max);
        let bytes = chunk.bytes.get(skip..).unwrap_or_default();
        let offset = chunk.offset.plus(skip as u64).0;
        self.forget((self.ring.len() + bytes.len()).saturating_sub(bytes_max));
        self.make_room(bytes.len(), bytes_max);
        self.ring.extend(bytes);
        let (at, len) = (self.laid, bytes.len() as u32);
        self.laid += bytes.len() as u64;
        if !self.extend_last(chunk.frame, offset, len) {
            let record = Record { offset, at, frame: chunk.frame, time: chunk.time, len };
            self.records.push_back(record);
        }
        if self.records.len() > usize::from(pieces_max.max(1)) {
            let first = self.records.front().map_or(0, |record| record.len as usize);
            self.forget(first);
        }
    }

    /// Grows the last record if the same frame brought what follows it.
    fn extend_last(&mut self, frame: FrameId, offset: u64, more: u32) -> bool {
        let Some(last) = self.records.back_mut() else { return false };
        let Some(len) = last.len.checked_add(more) else { return false };
        let same = last.frame == frame && last.end() == offset;
        if same {
            last.len = len;
        }
        same
    }

    /// Doubles the ring, but not beyond what the window may hold.
    fn make_room(&mut self, more: usize, bytes_max: usize) {
        let needed = self.ring.len() + more;
        if needed > self.ring.capacity() {
            let doubled = self.ring.capacity().saturating_mul(2).min(bytes_max).max(needed);
            self.ring.reserve_exact(doubled - self.ring.len());
        }
    }

    /// Forgets the oldest `excess` bytes.
    fn forget(&mut self, excess: usize) {
        if excess == 0 {
            return;
        }
        self.ring.drain(..excess.min(self.ring.len()));
        let base = self.base();
        while let Some(first) = self.records.front_mut() {
            let gone = base.saturating_sub(first.at);
            if gone >= u64::from(first.len) {
                self.records.pop_front();
                continue;
            }
            first.offset += gone;
            first.at += gone;
            first.len -= gone as u32;
            break;
        }
    }

    /// Forgets and frees what is more than `bytes_max`.
    pub(super) fn shrink(&mut self, bytes_max: u32) {
        self.forget(self.ring.len().saturating_sub(bytes_max as usize));
        self.ring.shrink_to(bytes_max as usize);
        self.records.shrink_to_fit();
    }

    fn base(&self) -> u64 {
        self.laid.saturating_sub(self.ring.len() as u64)
    }

    /// The bytes of `record` from `from` to `to`; copied where they lie across the ring's seam.
    fn bytes_of(&self, record: &Record, from: u64, to: u64) -> Cow<'_, [u8]> {
        let start = record.at.saturating_sub(self.base()) + from.saturating_sub(record.offset);
        let (start, len) = (start as usize, to.saturating_sub(from) as usize);
        let (head, tail) = self.ring.as_slices();
        if let Some(bytes) = head.get(start..start + len) {
            return Cow::Borrowed(bytes);
        }
        if let Some(start) = start.checked_sub(head.len()) {
            return Cow::Borrowed(tail.get(start..start + len).unwrap_or_default());
        }
        Cow::Owned(self.ring.iter().skip(start).take(len).copied().collect())
    }

    /// Compares what the piece has below `to` with what is remembered of it.
    pub(super) fn compare<S>(&self, to: u64, comparison: &mut Comparison<'_, '_, S>)
    where
        S: StreamSink + ?Sized,
    {
        let start = comparison.piece.start;
        let first = self.records.partition_point(|record| record.end() <= start);
        for record in self.records.iter().skip(first).take_while(|record| record.offset < to) {
            let (from, to) = (record.offset.max(start), record.end().min(to));
            let bytes = self.bytes_of(record, from, to);
            let (frame, time) = (record.frame, record.time);
            comparison.with(&FirstCopy { offset: from, bytes: &bytes, frame, time });
        }
    }

    /// Calls `each` with the last `n` records, oldest first.
    pub(super) fn last_pieces(&self, n: usize, mut each: impl FnMut(Chunk<'_>)) {
        for record in self.records.iter().skip(self.records.len().saturating_sub(n)) {
            let bytes = self.bytes_of(record, record.offset, record.end());
            let offset = StreamOffset(record.offset);
            each(Chunk { offset, bytes: &bytes, frame: record.frame, time: record.time });
        }
    }

    pub(super) fn frame_of(&self, offset: u64) -> Option<FrameId> {
        let at = self.records.partition_point(|record| record.end() <= offset);
        self.records.get(at).filter(|record| record.offset <= offset).map(|record| record.frame)
    }

    /// Heap bytes, this value included.
    pub(super) fn memory(&self) -> usize {
        let records = self.records.capacity() * size_of::<Record>();
        size_of::<Self>() + self.ring.capacity() + records
    }
}
