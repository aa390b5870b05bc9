//! The reader's side: frames are counted, timed and decoded, and passed on.

use sha2::{Digest, Sha256};

use super::clock::{Clock, Tick};
use crate::decode::{
    self, Decoder, FRAGMENT_CONFLICTS_MAX, FragmentConflict, Packet, Skip, SkipCounts,
};
use crate::wire::{FlowKey, Frame, Side};

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

/// A packet that is to be sorted.
pub(super) struct Sorted<'a> {
    pub(super) key: FlowKey,
    /// The packet, where it was put together from fragments.
    pub(super) whole: Option<Packet<'a>>,
    /// The time that it is for all lanes.
    pub(super) clock: Tick,
}

impl Intake {
    /// Decodes `frame`; hands on the packet, if it is one, with its flow and the time that it is.
    #[inline]
    pub(super) fn frame<'a>(
        &'a mut self,
        frame: &Frame<'a>,
        mut taker: impl FnMut(&Packet<'a>, (FlowKey, Side), Tick),
    ) {
        self.count(frame);
        let clock = &mut self.clock;
        let handed = self.decoder.hand(frame, |packet, flow| {
            taker(packet, flow, clock.tick(frame.time, frame.id));
        });
        if let Err(reason) = handed {
            skip(&mut self.skipped, frame, reason);
        }
    }

    /// Looks at `frame` as far as is needed to sort it; gives the key of its flow, the packet if it
    /// cannot be read from the frame alone, and the time that it is.
    pub(super) fn sort<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Sorted<'a>> {
        if let Some((key, _)) = decode::flow(frame) {
            self.count(frame);
            return Some(Sorted { key, whole: None, clock: self.clock.tick(frame.time, frame.id) });
        }
        let mut sorted = None;
        self.frame(frame, |packet, (key, _), clock| {
            sorted = Some(Sorted { key, whole: Some(*packet), clock });
        });
        sorted
    }

    #[inline]
    fn count(&mut self, frame: &Frame<'_>) {
        self.packets += 1;
        self.bytes += u64::from(frame.original_len);
        self.first.get_or_insert_with(|| Sha256::digest(frame.bytes).into());
    }

    /// A block has been read: keeps what fragments disagreed about.
    pub(super) fn block_done(&mut self) {
        let room = FRAGMENT_CONFLICTS_MAX.saturating_sub(self.conflicts.len());
        self.conflicts.extend(self.decoder.take_fragment_conflicts().into_iter().take(room));
    }
}

#[cold]
fn skip(skipped: &mut Vec<SkipCounts>, frame: &Frame<'_>, reason: Skip) {
    let file = usize::from(frame.id.file());
    if skipped.len() <= file {
        skipped.resize_with(file + 1, SkipCounts::default);
    }
    if let Some(counts) = skipped.get_mut(file) {
        counts.record(reason);
    }
}
