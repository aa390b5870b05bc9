//! Digests of the last pieces delivered: what is left of the history when its bytes are too much.
//!
//! The digest is fast and its seed is fixed, so that the same capture gives the same answer.
//! Somebody who knows this file could build a copy that collides, and so hide a contradiction from
//! [`Retention::Digests`](super::Retention::Digests); [`Retention::Bytes`](super::Retention::Bytes)
//! compares the bytes themselves.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use super::comparison::{Comparison, FirstCopy};
use super::{Chunk, StreamSink};
use crate::wire::{FrameId, Timestamp, prefetch};

/// One piece.
#[derive(Clone, Copy, Default)]
struct Record {
    offset: u64,
    digest: u64,
    frame: FrameId,
    time: Timestamp,
    len: u32,
    /// Its first bytes, against which a shorter copy is held.
    head: [u8; HEAD],
}

impl Record {
    fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.len))
    }

    /// Its first bytes, as far as they are kept and lie below `to`.
    fn head(&self, to: u64) -> &[u8] {
        let len = to.min(self.end()).saturating_sub(self.offset) as usize;
        self.head.get(..len).unwrap_or(&self.head)
    }
}

/// The last pieces delivered, in the order of their offsets from `oldest` on, round the end.
#[derive(Default)]
pub(super) struct Digests {
    records: Vec<Record>,
    oldest: u8,
}

impl Digests {
    /// How many pieces are remembered.
    pub(super) const PIECES: usize = 8;

    pub(super) fn prefetch(&self) {
        prefetch(&*self.records);
    }

    pub(super) fn remember(&mut self, chunk: Chunk<'_>) {
        let record = Record {
            offset: chunk.offset.0,
            digest: digest(chunk.bytes),
            frame: chunk.frame,
            time: chunk.time,
            len: chunk.bytes.len() as u32,
            head: head_of(chunk.bytes),
        };
        if self.records.len() < Self::PIECES {
            if self.records.len() == self.records.capacity() {
                // Most directions of most flows are a piece or two.
                self.records.reserve_exact(self.records.len().max(2));
            }
            self.records.push(record);
        } else if let Some(place) = self.records.get_mut(usize::from(self.oldest)) {
            *place = record;
            self.oldest = (self.oldest + 1) % Self::PIECES as u8;
        }
    }

    /// Heap bytes.
    pub(super) fn memory(&self) -> usize {
        self.records.capacity() * size_of::<Record>()
    }

    /// Compares the remembered pieces that lie wholly within the later one, below `to`, and the heads
    /// of those of which it has only the beginning: who forges an answer without having seen the
    /// genuine one writes less or more than that, and begins where it begins.
    pub(super) fn compare<S>(&self, to: u64, comparison: &mut Comparison<'_, '_, S>)
    where
        S: StreamSink + ?Sized,
    {
        let piece = comparison.piece;
        let (newer, older) =
            self.records.split_at_checked(usize::from(self.oldest)).unwrap_or_default();
        for record in older.iter().chain(newer) {
            if record.offset < piece.start || record.offset >= to {
                continue;
            }
            let (frame, time) = (record.frame, record.time);
            if record.end() > to {
                let bytes = record.head(to);
                comparison.with(&FirstCopy { offset: record.offset, bytes, frame, time });
                continue;
            }
            let later = piece.range(record.offset, record.end());
            let first = FirstCopy { offset: record.offset, bytes: &[], frame, time };
            comparison.with_digest(&first, later, digest(later) == record.digest);
        }
    }

    pub(super) fn frame_of(&self, offset: u64) -> Option<FrameId> {
        let holds = |record: &&Record| record.offset <= offset && offset < record.end();
        self.records.iter().find(holds).map(|record| record.frame)
    }
}

fn head_of(bytes: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    for (kept, byte) in head.iter_mut().zip(bytes) {
        *kept = *byte;
    }
    head
}

/// Bytes kept of the beginning of each piece: the header and the first bytes of a TLS record, the
/// version and the status of an HTTP answer.
const HEAD: usize = 12;

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(SEED).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// Any number does; the length is compared apart.
const SEED: u64 = 0x7461_6d70_6572_7363;
