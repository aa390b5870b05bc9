//! A block: one large read, and where the frames lie in it.

use crate::wire::{Frame, FrameId, LinkType, Timestamp};

/// A run of frames of one file, in their order, with the memory that holds their bytes.
///
/// A block is filled by [`Recording::next_block`](super::Recording::next_block) and may be filled
/// again: its memory is reused. Frames borrow from it, so that whoever shares it (as an `Arc`)
/// shares the bytes.
#[derive(Default, Debug)]
pub struct Block {
    /// Room for bytes; only the first `filled` mean anything.
    bytes: Vec<u8>,
    filled: usize,
    frames: Vec<Descriptor>,
}

impl Block {
    /// A block without frames; its memory comes with the first filling.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many frames it holds.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// True if it holds no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Frame `index` of the block, from 0.
    pub fn frame(&self, index: usize) -> Option<Frame<'_>> {
        self.frames.get(index).map(|descriptor| descriptor.frame(&self.bytes))
    }

    /// The frames, in the order of the file.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = Frame<'_>> {
        self.frames.iter().map(|descriptor| descriptor.frame(&self.bytes))
    }

    /// Forgets the frames and begins anew with `tail`, giving back memory beyond four times
    /// `target` that a large record once needed.
    pub(super) fn restart(&mut self, tail: &[u8], target: usize) {
        self.frames.clear();
        self.filled = 0;
        if self.bytes.len() > target.saturating_mul(4) {
            self.bytes.truncate(target);
            self.bytes.shrink_to_fit();
        }
        if self.bytes.len() < tail.len() {
            self.bytes.resize(tail.len(), 0);
        }
        if let Some(front) = self.bytes.get_mut(..tail.len()) {
            front.copy_from_slice(tail);
            self.filled = tail.len();
        }
    }

    /// Room for more bytes, up to `target` in all; none once `target` is reached.
    ///
    /// Memory at most doubles beyond what has been filled, so that a claimed length costs nothing
    /// before its bytes arrive.
    pub(super) fn room(&mut self, target: usize, step: usize) -> &mut [u8] {
        if self.filled == self.bytes.len() {
            let len = target.min(self.filled.saturating_mul(2).max(step));
            self.bytes.resize(len.max(self.filled), 0);
        }
        let end = self.bytes.len().min(target);
        self.bytes.get_mut(self.filled..end).unwrap_or_default()
    }

    /// Says that `count` bytes of the room were filled.
    pub(super) fn advance(&mut self, count: usize) {
        self.filled = self.filled.saturating_add(count).min(self.bytes.len());
    }

    /// The bytes filled so far, and where frames are noted that lie in them.
    pub(super) fn parts(&mut self) -> (&[u8], &mut Vec<Descriptor>) {
        (self.bytes.get(..self.filled).unwrap_or_default(), &mut self.frames)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The bytes from `start` on.
    pub(super) fn tail(&self, start: usize) -> &[u8] {
        self.bytes.get(start..self.filled).unwrap_or_default()
    }
}

/// Where a frame lies in its block. 32 bytes: a block of empty packets has 65,536 of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descriptor {
    pub(super) id: FrameId,
    pub(super) time: Timestamp,
    pub(super) offset: u32,
    pub(super) captured: u32,
    pub(super) original: u32,
    pub(super) link: LinkType,
}

impl Descriptor {
    fn frame<'a>(&self, bytes: &'a [u8]) -> Frame<'a> {
        let start = self.offset as usize;
        let end = start.saturating_add(self.captured as usize);
        Frame {
            id: self.id,
            time: self.time,
            link: self.link,
            bytes: bytes.get(start..end).unwrap_or_default(),
            original_len: self.original,
        }
    }
}
