//! How a recording is to be read.

/// How a recording is to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenOptions {
    /// A filter in libpcap's language; frames that it refuses are numbered but not delivered.
    /// `len`, `less` and `greater` look at the captured length.
    pub filter: Option<String>,
    /// Hash the bytes of each file as stored (SHA-256).
    pub hash: bool,
    /// How far packed input may expand.
    pub expansion: Expansion,
    /// How many bytes of records a block holds, where a single record is not larger.
    pub block_bytes: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            filter: None,
            hash: false,
            expansion: Expansion::default(),
            block_bytes: DEFAULT_BLOCK_BYTES,
        }
    }
}

/// How far packed input may expand before it counts as damaged.
///
/// Expansion costs time, not memory: unpacked bytes pass through the block. Headers of a flood
/// of like packets shrink about 50-fold; deflate ends at 1032-fold, zstd does not end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expansion {
    /// Unpacked bytes for each packed byte.
    pub ratio: u64,
    /// Unpacked bytes of one file to which the ratio does not apply.
    pub free_bytes: u64,
    /// Unpacked bytes of one file in all.
    pub max_bytes: u64,
}

impl Expansion {
    /// May `packed` bytes have become `unpacked` bytes?
    pub(super) fn allows(&self, packed: u64, unpacked: u64) -> bool {
        let by_ratio = packed.saturating_mul(self.ratio).saturating_add(self.free_bytes);
        unpacked <= by_ratio.min(self.max_bytes)
    }
}

impl Default for Expansion {
    /// 200-fold beyond the first 256 MiB, 4 TiB in all.
    fn default() -> Self {
        Self { ratio: 200, free_bytes: 256 << 20, max_bytes: 4 << 40 }
    }
}

const DEFAULT_BLOCK_BYTES: usize = 1 << 20;
