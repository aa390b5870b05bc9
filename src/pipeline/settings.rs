//! What a run is asked to do.

use std::num::NonZeroUsize;
use std::sync::Arc;

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
    /// Threads that own flows. The answer does not depend on it, as long as no limit is reached.
    pub lanes: NonZeroUsize,
    /// Known notices.
    pub fingerprints: Arc<FingerprintSet>,
    /// Bounds.
    pub limits: Limits,
}

/// What may be kept at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Flows alive.
    pub flows: usize,
    /// Bytes of streams: what waits for a hole to be filled, and what later copies are held
    /// against.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { flows: 1_000_000, memory: 1 << 30 }
    }
}
