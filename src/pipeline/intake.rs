//! The reader's side: frames are counted, timed and decoded, and passed on.

use sha2::{Digest, Sha256};

use super::clock::{Clock, Tick};
use crate::decode::{Decoder, FRAGMENT_CONFLICTS_MAX, FragmentConflict, Packet, SkipCounts};
use crate::wire::Frame;

/// Decodes frames, and counts what is read and what is passed over, file by file.
#[derive(Default)]
pub(super) struct Intake {
    pub(super) decoder: Decoder,
    pub(super) clock: Clock,
    pub(super) skipped: Vec<SkipCounts>,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// Digest of the first frame: it names the recording in the findings' ids.
    pub(super) first: Option<[u8; 32]>,
    /// Disagreements between fragments; the decoder bounds each lot, this bounds them all.
    pub(super) conflicts: Vec<FragmentConflict>,
}

impl Intake {
    /// Decodes `frame`; gives the packet, if it is one, and the time that it is.
    pub(super) fn frame<'a>(&'a mut self, frame: &Frame<'a>) -> Option<(Packet<'a>, Tick)> {
        self.packets += 1;
        self.bytes += u64::from(frame.original_len);
        self.first.get_or_insert_with(|| Sha256::digest(frame.bytes).into());
        match self.decoder.decode(frame) {
            Ok(packet) => Some((packet, self.clock.tick(frame.time, frame.id))),
            Err(reason) => {
                let file = usize::from(frame.id.file());
                if self.skipped.len() <= file {
                    self.skipped.resize_with(file + 1, SkipCounts::default);
                }
                if let Some(counts) = self.skipped.get_mut(file) {
                    counts.record(reason);
                }
                None
            }
        }
    }

    /// A block has been read: keeps what fragments disagreed about.
    pub(super) fn block_done(&mut self) {
        let room = FRAGMENT_CONFLICTS_MAX.saturating_sub(self.conflicts.len());
        self.conflicts.extend(self.decoder.take_fragment_conflicts().into_iter().take(room));
    }
}
