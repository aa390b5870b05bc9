//! How far the reading has come, for whoever draws a bar.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes read so far, of how many. Shared; updated once a block.
#[derive(Debug)]
pub struct Progress {
    read: AtomicU64,
    total: Option<u64>,
}

impl Progress {
    pub(super) const fn new(total: Option<u64>) -> Self {
        Self { read: AtomicU64::new(0), total }
    }

    /// Bytes of the files as stored (packed, where they are packed) that were read or passed over.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes of all files as stored; unknown when one of them is a stream.
    pub const fn bytes_total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn set(&self, read: u64) {
        self.read.store(read, Ordering::Relaxed);
    }
}
