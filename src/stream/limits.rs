//! What one direction may cost, how much of it is remembered, and what was counted.

/// Bounds of one direction. A bound that is reached is counted in [`Statistics`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Payload bytes that may wait behind holes.
    pub pending_bytes: u32,
    /// Runs of bytes that may wait behind holes.
    pub pending_pieces: u16,
    /// Pieces that the window of delivered bytes may consist of; binds before
    /// [`Retention::Bytes`] does when segments are tiny.
    pub history_pieces: u16,
    /// Overlaps reported for one piece; the others are counted only.
    pub overlaps_per_push: u16,
    /// How far beyond the delivered edge a piece may begin. A window cannot be larger than 1 GiB
    /// (RFC 7323 §2.3), which is the default; smaller values cost the way back into the stream
    /// after the capture lost more than that. Values above 1 GiB count as 1 GiB.
    pub window: u32,
}

impl Limits {
    /// The widest window that can be told from an old one, in bytes.
    pub const WINDOW_MAX: u32 = 1 << 30;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_bytes: 256 * 1024,
            pending_pieces: 512,
            history_pieces: 512,
            overlaps_per_push: 8,
            window: Self::WINDOW_MAX,
        }
    }
}

/// What is remembered of delivered bytes, so that later copies of them can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retention {
    /// Nothing: only copies of bytes that still wait are compared.
    Nothing,
    /// Digests of the last eight pieces, some 400 bytes: a later piece that contains one of them
    /// whole is compared with it, and what differs is not known. One that has only the beginning
    /// of a piece is compared with its first twelve bytes.
    Digests,
    /// The last bytes delivered, at most so many.
    Bytes(u32),
}

/// What a direction has come to so far. All counts saturate.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Statistics {
    /// Bytes delivered.
    pub delivered: u64,
    /// Bytes declared missing.
    pub gap_bytes: u64,
    /// Bytes that came again, whether equal or no longer comparable; contradicting ranges are not
    /// among them.
    pub retransmitted: u64,
    /// Ranges in which two copies differ.
    pub overlaps: u32,
    /// Those of them that [`Limits::overlaps_per_push`] kept from being reported.
    pub overlaps_unreported: u32,
    /// Pieces too far from the delivered edge.
    pub out_of_window: u32,
    /// Holes given up because more data waited than allowed.
    pub limit_gaps: u32,
}
