//! Byte order, which each file and each pcapng section chooses.

/// Which byte of a number comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) const fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) const fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    pub(super) const fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }

    /// The first `N` 32-bit words of `bytes`, if there are as many.
    pub(super) fn words<const N: usize>(self, bytes: &[u8]) -> Option<[u32; N]> {
        let (chunks, _) = bytes.as_chunks::<4>();
        chunks.first_chunk::<N>().map(|words| words.map(|word| self.u32(word)))
    }

    /// The two 16-bit halves of `word`, in the order in which they stand in the file.
    pub(super) const fn halves(self, word: u32) -> (u16, u16) {
        let (high, low) = ((word >> 16) as u16, word as u16);
        match self {
            Self::Little => (low, high),
            Self::Big => (high, low),
        }
    }
}
