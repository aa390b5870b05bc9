//! What a run is asked to do.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::correlate::ServiceSet;
use crate::detect::fingerprint::FingerprintSet;

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A BPF expression; frames that it does not match are left out.
    pub filter: Option<String>,
    /// Hash the capture files.
    pub hash: bool,
    /// Keep the records of all flows, and not only of those with findings. Memory then grows with
    /// the recording.
    pub flows: bool,
    /// Threads that own flows, if there is memory for so many. The answer does not depend on it, as
    /// long as no limit is reached.
    pub lanes: NonZeroUsize,
    /// Known notices.
    pub fingerprints: Arc<FingerprintSet>,
    /// Which names belong together, beside those of one registrable domain.
    pub services: Arc<ServiceSet>,
    /// Bounds.
    pub limits: Limits,
}

/// What may be kept at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Flows alive.
    pub flows: usize,
    /// Bytes of memory. Most are for the lanes: flows themselves, what waits for a hole to be filled,
    /// what later copies are held against, messages that are not whole yet, what ended flows keep
    /// until they can be judged, and the tallies of hosts, certificates, resolvers and the like, which
    /// have a part of their own. The rest is set aside: [`Self::SET_ASIDE`].
    pub memory: usize,
}

impl Limits {
    /// Bytes for all that is no lane's: the program with its lists of notices, the blocks under way,
    /// fragments. At most three quarters of the memory are set aside.
    pub const SET_ASIDE: usize = 36 << 20;
    /// Bytes more for each lane but the first: what waits for it, its thread, and what an allocator wastes
    /// where several threads allocate.
    pub const SET_ASIDE_FOR_LANE: usize = 20 << 20;

    /// With less memory the program itself, and the little that is left to flows, can take more.
    pub const LEAST: usize = 40 << 20;

    /// With less a lane is not worth its thread, in bytes.
    const LEAST_OF_LANE: usize = 16 << 20;

    /// The usual bounds, with memory enough for each of so many lanes to keep half at least of what one
    /// would keep to hold flows against: it has fewer flows, and what is found should not depend on the
    /// number of lanes.
    pub fn for_lanes(lanes: NonZeroUsize) -> Self {
        let usual = Self::default();
        Self { memory: usual.memory.max(lanes.get().saturating_mul(256 << 20)), ..usual }
    }

    /// The lanes for which there is memory, of as many as are wished for: beside what is set aside each
    /// needs some for itself, and the fewer there are the more has each.
    pub(super) fn lanes(&self, wished: NonZeroUsize) -> NonZeroUsize {
        let more = self.memory.saturating_sub(Self::SET_ASIDE + Self::LEAST_OF_LANE);
        let more = more / (Self::SET_ASIDE_FOR_LANE + Self::LEAST_OF_LANE);
        wished.min(NonZeroUsize::MIN.saturating_add(more))
    }

    /// Blocks that may wait for a lane. A lane whose flows have just more to say falls behind; with too
    /// few of them nothing more could be read then, and the other lanes would wait for it. Of a megabyte
    /// each, they are no more than one in 64 parts of the memory, where that leaves four.
    pub(super) fn blocks_ahead(&self) -> usize {
        (self.memory / (64 << 20)).clamp(4, 16)
    }

    /// Bytes that one of `lanes` lanes may hold.
    pub(super) fn memory_of_lane(&self, lanes: NonZeroUsize) -> usize {
        let aside = Self::SET_ASIDE + Self::SET_ASIDE_FOR_LANE * (lanes.get() - 1);
        self.memory.saturating_sub(aside).max(self.memory / 4) / lanes
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { flows: 1_000_000, memory: 1 << 30 }
    }
}
