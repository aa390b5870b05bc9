//! A hash that is the same on every machine and in every run.
//!
//! What a bound gives up is chosen by it, so that it depends neither on the order of flows nor on
//! the number of lanes, and tallies of several machines can be merged. Whoever steers it steers only
//! what is given up.

use std::net::IpAddr;

/// FNV-1a of 64 bits (Fowler, Noll and Vo; RFC 9923) of `bytes`.
pub fn stable_hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The same purpose for numbers, in one step each: a multiplication whose halves are folded.
pub fn stable_mix(words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(0x9e37_79b9_7f4a_7c15, |hash, word| {
        let product = u128::from(hash ^ word) * 0xa076_1d64_78bd_642f;
        (product as u64) ^ ((product >> 64) as u64)
    })
}

/// An address as two numbers, for [`stable_mix`].
pub const fn address_words(ip: IpAddr) -> [u64; 2] {
    let address = u128::from_be_bytes(mapped_octets(ip));
    [(address >> 64) as u64, address as u64]
}

/// The 16 octets of an address, those of IPv4 mapped into IPv6 (RFC 4291 §2.5.5.2).
pub const fn mapped_octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_rfc() {
        assert_eq!(stable_hash([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(stable_hash(*b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(stable_hash(*b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn numbers_beside_each_other_are_spread() {
        let hashes = (0..4096_u32).map(|last| {
            let ip = IpAddr::V4((0xc000_0200 + last).into());
            stable_mix(address_words(ip).into_iter().chain([443]))
        });
        let mut tops: Vec<u64> = hashes.map(|hash| hash >> 52).collect();
        tops.sort_unstable();
        tops.dedup();
        // Of 4,096 random numbers 63 % of as many places are hit.
        assert!((2_400..2_800).contains(&tops.len()), "{}", tops.len());
    }
}
