//! Host names and who serves them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::rng::{Rng, mix};

/// How many names there are, as a power of two.
pub(crate) const NAME_BITS: u32 = 15;

/// The name of `rank`; no two ranks have the same one. All are below `example` (RFC 2606 §3).
pub(crate) fn name(rank: u64) -> String {
    let mut name = String::from(match rank % 5 {
        0 | 1 => "www.",
        2 => "api.",
        3 => "",
        _ => "static.cdn.",
    });
    // An odd factor keeps different ranks apart.
    let mut rest = rank.wrapping_mul(0x9e37_79b1) & 0x00ff_ffff;
    for _ in 0..4 {
        name.push(char::from(b"bdfgklmnprstvzhj"[(rest & 15) as usize]));
        name.push(char::from(b"aeio"[(rest >> 4 & 3) as usize]));
        rest >>= 6;
    }
    name.push_str(
        [".com", ".net", ".org", ".co", ".info", "-shop", ".media", ""][(rank & 7) as usize],
    );
    name.push_str(".example");
    name
}

/// The address of the server of `rank`: 198.18.0.0/15 (RFC 2544) or `2001:db8:2::/48` (RFC 3849).
pub(crate) fn server(rank: u64, v6: bool) -> IpAddr {
    if v6 {
        return long(2, rank);
    }
    let low = mix(rank) as u32 & 0x0001_ffff;
    Ipv4Addr::from(0xc612_0000 | low).into()
}

/// The address of client `n`: 10.0.0.0/8 or `2001:db8:1::/48`.
pub(crate) fn client(n: u64, v6: bool) -> IpAddr {
    if v6 { long(1, n) } else { Ipv4Addr::from(0x0a00_0000 | (n as u32 + 2) & 0x00ff_ffff).into() }
}

fn long(network: u16, n: u64) -> IpAddr {
    let n = n as u32 + 1;
    Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, (n >> 16) as u16, n as u16).into()
}

/// The resolver that clients ask.
pub(crate) fn resolver(rng: &mut Rng, v6: bool) -> IpAddr {
    let n = rng.below(4);
    if v6 { long(3, n * 2) } else { Ipv4Addr::new(192, 0, 2, 53 + n as u8).into() }
}
