//! The last bytes delivered, with the frames that brought them.

use std::collections::VecDeque;

use super::comparison::{Comparison, FirstCopy};
use super::{Chunk, StreamOffset, StreamSink};
use crate::wire::{FrameId, Timestamp, prefetch};

/// What one frame brought. Records are sorted by offset; declared gaps lie between them.
struct Record {
    /// Offset of the first byte that is not forgotten.
    offset: u64,
    frame: FrameId,
    time: Timestamp,
    bytes: Vec<u8>,
    /// How many of the bytes are forgotten.
    forgotten: u32,
}

impl Record {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.forgotten as usize..).unwrap_or_default()
    }

    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes().len() as u64)
    }

    /// Its bytes from `from` to `to`.
    fn range(&self, from: u64, to: u64) -> &[u8] {
        let place = |offset: u64| offset.saturating_sub(self.offset) as usize;
        self.bytes().get(place(from)..place(to)).unwrap_or_default()
    }
}

/// A window of delivered bytes, piece by piece. In the long run the memory of the oldest piece is
/// that of the next one.
#[derive(Default)]
pub(super) struct Window {
    records: VecDeque<Record>,
    /// Bytes that are not forgotten.
    len: usize,
    /// Bytes that the records have room for.
    room: usize,
    /// The memory of the last piece that was forgotten.
    spare: Vec<u8>,
}

impl Window {
    /// Prefetches the list of pieces.
    pub(super) fn prefetch(&self) {
        prefetch(self.records.as_slices().0);
    }

    /// Adds a chunk, and forgets from the front what is then too much.
    pub(super) fn remember(&mut self, chunk: Chunk<'_>, bytes_max: u32, pieces_max: u16) {
        let bytes_max = bytes_max as usize;
        let skip = chunk.bytes.len().saturating_sub(bytes_max);
        let bytes = chunk.bytes.get(skip..).unwrap_or_default();
        let offset = chunk.offset.plus(skip as u64).0;
        self.forget((self.len + bytes.len()).saturating_sub(bytes_max));
        if !self.extend_last(chunk.frame, offset, bytes) {
            let bytes = self.hold(bytes);
            self.make_room();
            let (frame, time) = (chunk.frame, chunk.time);
            self.records.push_back(Record { offset, frame, time, bytes, forgotten: 0 });
        }
        self.len += bytes.len();
        if self.records.len() > usize::from(pieces_max.max(1)) {
            let first = self.records.front().map_or(0, |record| record.bytes().len());
            self.forget(first);
        }
    }

    /// Grows the last record if the same frame brought what follows it.
    fn extend_last(&mut self, frame: FrameId, offset: u64, more: &[u8]) -> bool {
        let Some(last) = self.records.back_mut() else { return false };
        let same = last.frame == frame && last.end() == offset;
        if same {
            self.room = self.room.saturating_sub(last.bytes.capacity());
            last.bytes.reserve_exact(more.len());
            last.bytes.extend_from_slice(more);
            self.room += last.bytes.capacity();
        }
        same
    }

    /// A copy of `bytes`, in the spare memory if that is not much too large.
    fn hold(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut held = std::mem::take(&mut self.spare);
        held.clear();
        if held.capacity() > bytes.len().saturating_mul(2) {
            held = Vec::new();
        }
        held.reserve_exact(bytes.len());
        held.extend_from_slice(bytes);
        self.room += held.capacity();
        held
    }

    /// Doubles the list, which begins with two: most answers are a piece or two.
    fn make_room(&mut self) {
        if self.records.len() == self.records.capacity() {
            self.records.reserve_exact(self.records.len().max(2));
        }
    }

    /// Forgets the oldest `excess` bytes.
    fn forget(&mut self, excess: usize) {
        let mut left = excess.min(self.len);
        self.len -= left;
        while let Some(first) = self.records.front_mut().filter(|_| left > 0) {
            let own = first.bytes().len();
            if own > left {
                first.offset += left as u64;
                first.forgotten += left as u32;
                break;
            }
            left -= own;
            if let Some(gone) = self.records.pop_front() {
                self.room = self.room.saturating_sub(gone.bytes.capacity());
                self.spare = gone.bytes;
            }
        }
    }

    /// Forgets and frees what is more than `bytes_max`.
    pub(super) fn shrink(&mut self, bytes_max: u32) {
        self.forget(self.len.saturating_sub(bytes_max as usize));
        self.spare = Vec::new();
        self.records.shrink_to_fit();
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
            let bytes = record.range(from, to);
            let (frame, time) = (record.frame, record.time);
            comparison.with(&FirstCopy { offset: from, bytes, frame, time });
        }
    }

    /// Calls `each` with the last `n` records, oldest first.
    pub(super) fn last_pieces(&self, n: usize, mut each: impl FnMut(Chunk<'_>)) {
        for record in self.records.iter().skip(self.records.len().saturating_sub(n)) {
            let offset = StreamOffset(record.offset);
            let (bytes, frame, time) = (record.bytes(), record.frame, record.time);
            each(Chunk { offset, bytes, frame, time });
        }
    }

    pub(super) fn frame_of(&self, offset: u64) -> Option<FrameId> {
        let at = self.records.partition_point(|record| record.end() <= offset);
        self.records.get(at).filter(|record| record.offset <= offset).map(|record| record.frame)
    }

    /// Heap bytes, this value included.
    pub(super) fn memory(&self) -> usize {
        let records = self.records.capacity() * size_of::<Record>();
        size_of::<Self>() + self.room + self.spare.capacity() + records
    }
}
