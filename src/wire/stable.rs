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
}
