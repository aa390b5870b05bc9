//! The Internet checksum (RFC 1071) over a transport header with its pseudo-header.

use std::net::IpAddr;

/// Sums 16-bit words in one's complement.
#[derive(Clone, Copy, Default, Debug)]
pub struct InternetChecksum(u64);

impl InternetChecksum {
    /// Adds `bytes`; an odd last byte is padded with zero, so it must come last.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        let mut words = bytes.chunks_exact(2);
        for word in &mut words {
            self.0 += u64::from(u16::from_be_bytes(word.try_into().unwrap_or_default()));
        }
        if let [odd] = words.remainder() {
            self.0 += u64::from(*odd) << 8;
        }
        self
    }

    /// The folded, inverted sum: 0 over data that includes a right checksum.
    pub const fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }
}

/// The checksum of a TCP or UDP packet with its pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1).
///
/// `transport` is the header and the payload; the result is 0 where the carried checksum is right.
pub fn transport_checksum(src: IpAddr, dst: IpAddr, protocol: u8, transport: &[u8]) -> u16 {
    let sum = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            InternetChecksum::default().with(&src.octets()).with(&dst.octets())
        }
        (src, dst) => InternetChecksum::default().with(&octets(src)).with(&octets(dst)),
    };
    sum.with(&[0, protocol]).with(&(transport.len() as u32).to_be_bytes()).with(transport).finish()
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_holds() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(InternetChecksum::default().with(&bytes).finish(), !0xddf2);
    }

    #[test]
    fn a_udp_packet_with_its_own_checksum_sums_to_zero() {
        let (src, dst) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut udp = vec![0x12, 0x34, 0, 53, 0, 11, 0, 0, b'a', b'b', b'c'];
        let sum = transport_checksum(src, dst, 17, &udp);
        udp[6..8].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(transport_checksum(src, dst, 17, &udp), 0);
    }
}
