//! What an IP header tells about its sender.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Time to live (RFC 791 §3.2), or hop limit (RFC 8200 §3): what is left of it at the tap.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, JsonSchema,
)]
pub struct Ttl(pub u8);

impl Ttl {
    /// The initial value that a stack probably started from: the next of 32, 64, 128 and 255.
    pub const fn guess_initial(self) -> Self {
        match self.0 {
            0..=32 => Self(32),
            33..=64 => Self(64),
            65..=128 => Self(128),
            _ => Self(255),
        }
    }

    /// Hops travelled, if the guess at the initial value is right.
    pub const fn guess_hops(self) -> u8 {
        self.guess_initial().0 - self.0
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The fields of the innermost IP header that identify a sender.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IpHeader {
    /// Time to live or hop limit.
    pub ttl: Ttl,
    /// Identification; IPv6 has none outside its fragment header.
    pub id: Option<u16>,
    /// The DF flag; always set in IPv6.
    pub dont_fragment: bool,
    /// DSCP and ECN, or the IPv6 traffic class.
    pub traffic_class: u8,
    /// The packet was put together from fragments.
    pub reassembled: bool,
    /// How many tunnel headers (GRE, GTP-U, IP-in-IP …) stood around it.
    pub tunnels: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_ttls_are_guessed_upwards() {
        for (seen, initial, hops) in [(64, 64, 0), (56, 64, 8), (241, 255, 14), (128, 128, 0)] {
            assert_eq!(Ttl(seen).guess_initial(), Ttl(initial));
            assert_eq!(Ttl(seen).guess_hops(), hops);
        }
    }
}
