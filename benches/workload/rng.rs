//! Numbers that are the same everywhere: integers only, no floating point, no platform's library.

/// `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// Numbers of their own for each pair of `seed` and `stream`.
    pub(crate) const fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed ^ mix(stream.wrapping_add(GOLDEN))))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number below `end`, which is not zero.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        ((self.next() as u128 * end as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(crate) const fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True `n` times in a thousand.
    pub(crate) const fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    /// A heavy tail: an octave above `least` is `ratio` per mille as likely as the one below it,
    /// so the tail index is log2(1000/ratio); flat within an octave; `doublings` at most.
    pub(crate) const fn heavy(&mut self, least: u64, ratio: u64, doublings: u32) -> u64 {
        let mut octave = 0;
        while octave < doublings && self.per_mille(ratio) {
            octave += 1;
        }
        let base = least << octave;
        base + self.below(base)
    }

    /// A rank from 1 below 2^`bits`, by Zipf's law with exponent 1: each octave is equally likely.
    pub(crate) const fn zipf(&mut self, bits: u32) -> u64 {
        let base = 1 << self.below(bits as u64);
        base + self.below(base)
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

pub(crate) const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
