//! Sequence numbers, modulo 2^32 (RFC 9293 §3.4).

use std::fmt;

/// A 32-bit sequence number. It has no order: unwrap it to an offset, or ask for a distance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// The number `n` further on, modulo 2^32.
    #[must_use]
    pub const fn plus(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// How far `self` lies beyond `other`: positive if later, by the shorter way round.
    pub const fn distance_from(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }

    /// Whether `self` comes after `other`, by the shorter way round.
    pub const fn is_after(self, other: Self) -> bool {
        self.distance_from(other) > 0
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_wrap() {
        let before = SeqNumber(u32::MAX - 1);
        let after = before.plus(5);
        assert_eq!(after, SeqNumber(3));
        assert_eq!(after.distance_from(before), 5);
        assert_eq!(before.distance_from(after), -5);
        assert!(after.is_after(before));
        assert!(!before.is_after(after));
    }
}
