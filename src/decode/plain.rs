//! The frame that nearly all are: Ethernet, IP without options or extensions, TCP or UDP.
//!
//! What it tells is what the [walk](super::walk) tells, by a shorter way; where it tells nothing,
//! the walk decides. A test holds the two against each other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{IpNumber, ip_number};

use super::ip::IpPacket;
use super::link::ETHERNET;
use super::octets::Octets;
use super::walk::Leaf;
use super::{tcp, udp, udp_tunnel};
use crate::wire::{Frame, IpHeader, Ttl};

/// Reads the transport header of a plain frame, and gives what `take` makes of it.
///
/// It is taken where it was read: the header would be put together in memory from small pieces and
/// moved in large ones, and a processor cannot load what lies in several of its pending stores
/// before all earlier stores are done.
#[inline(always)]
pub(super) fn leaf<'a, R>(frame: &Frame<'a>, take: impl FnOnce(Leaf<'a>) -> R) -> Option<R> {
    if frame.link != ETHERNET {
        return None;
    }
    let (&[.., high, low], _) = frame.bytes.split_first_chunk::<14>()?;
    let octets = Octets::new(frame.bytes, frame.original_len).skip(14)?;
    match [high, low] {
        [0x08, 0x00] => transport(v4(octets)?, take),
        [0x86, 0xdd] => transport(v6(octets)?, take),
        _ => None,
    }
}

#[inline(always)]
fn transport<'a, R>(packet: IpPacket<'a>, take: impl FnOnce(Leaf<'a>) -> R) -> Option<R> {
    if packet.protocol == ip_number::TCP {
        return tcp::locate(packet).ok().map(|leaf| take(Leaf::Tcp(leaf)));
    }
    let leaf = udp::locate(packet).ok()?;
    udp_tunnel::inside(&leaf).is_none().then(|| take(Leaf::Udp(leaf)))
}

#[inline(always)]
fn v4(octets: Octets<'_>) -> Option<IpPacket<'_>> {
    const DONT_FRAGMENT: u8 = 0x40;
    let header: [u8; 20] = octets.array(0)?;
    let [0x45, traffic_class, len @ .., id1, id2, flags, 0, ttl, protocol] =
        *header.first_chunk::<10>()?
    else {
        return None;
    };
    let body_len = u32::from(u16::from_be_bytes(len)).checked_sub(20)?;
    let protocol = carried(protocol).filter(|_| flags & !DONT_FRAGMENT == 0)?;
    let [.., s1, s2, s3, s4, d1, d2, d3, d4] = header;
    Some(IpPacket {
        src: IpAddr::V4(Ipv4Addr::new(s1, s2, s3, s4)),
        dst: IpAddr::V4(Ipv4Addr::new(d1, d2, d3, d4)),
        header: IpHeader {
            ttl: Ttl(ttl),
            id: Some(u16::from_be_bytes([id1, id2])),
            dont_fragment: flags & DONT_FRAGMENT != 0,
            traffic_class,
            reassembled: false,
            tunnels: 0,
        },
        protocol,
        body: octets.skip(20)?.limit(body_len),
    })
}

#[inline(always)]
fn v6(octets: Octets<'_>) -> Option<IpPacket<'_>> {
    let start: [u8; 8] = octets.array(0)?;
    let [first, second, _, _, len @ .., protocol, ttl] = start;
    let body_len = u32::from(u16::from_be_bytes(len));
    let protocol = carried(protocol).filter(|_| first >> 4 == 6 && body_len > 0)?;
    Some(IpPacket {
        src: IpAddr::V6(Ipv6Addr::from(octets.array::<16>(8)?)),
        dst: IpAddr::V6(Ipv6Addr::from(octets.array::<16>(24)?)),
        header: IpHeader {
            ttl: Ttl(ttl),
            id: None,
            dont_fragment: true,
            traffic_class: first << 4 | second >> 4,
            reassembled: false,
            tunnels: 0,
        },
        protocol,
        body: octets.skip(40)?.limit(body_len),
    })
}

/// The protocol, where it is TCP or UDP.
fn carried(protocol: u8) -> Option<IpNumber> {
    let protocol = IpNumber(protocol);
    matches!(protocol, ip_number::TCP | ip_number::UDP).then_some(protocol)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::walk::{self, Walked};
    use super::super::{Packet, packet};
    use super::*;
    use crate::wire::{FrameId, Timestamp};

    const V4_TCP: &str = "0200000000010200000000020800450000351234400040060000c0000201c6336401\
        c00001bb000000010000000280187fff000000000101080a00000007000000091603010000";
    const V6_UDP: &str = "02000000000102000000000286dd60300000001011ff20010db8000000000000000000\
        00000120010db8000000000000000000000002c000003500100000aabb010000010000";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
    }

    fn frame(bytes: &[u8], missing: u32) -> Frame<'_> {
        let original_len = bytes.len() as u32 + missing;
        let (id, time) = (FrameId::new(0, 1), Timestamp::ZERO);
        Frame { id, time, link: ETHERNET, bytes, original_len }
    }

    fn told(leaf: &Leaf<'_>, frame: &Frame<'_>) -> String {
        match packet(frame, leaf) {
            Packet::Tcp(segment) => format!("{segment:?}"),
            Packet::Udp(datagram) => format!("{datagram:?}"),
        }
    }

    #[test]
    fn ordinary_frames_are_plain() {
        for hex in [V4_TCP, V6_UDP] {
            assert!(leaf(&frame(&bytes(hex), 0), |_| ()).is_some());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_told_is_what_the_walk_tells(
            v6: bool,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
            (cuts, missing) in (prop::bool::weighted(0.2), 0_u32..40),
            padding in 0_usize..20,
            ports in prop::option::of(prop::sample::select(vec![4789_u16, 2152, 3544, 1701, 6081])),
        ) {
            let mut bytes = bytes(if v6 { V6_UDP } else { V4_TCP });
            if let Some(port) = ports.filter(|_| v6) {
                bytes[56..58].copy_from_slice(&port.to_be_bytes());
            }
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes.extend(std::iter::repeat_n(0, padding));
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            let frame = frame(&bytes, missing);
            if let Some(plain) = leaf(&frame, |leaf| told(&leaf, &frame)) {
                let walked = walk::headers(&frame);
                let Ok(Walked::Leaf(walked)) = walked else {
                    return Err(TestCaseError::fail(format!("{walked:?}")));
                };
                prop_assert_eq!(plain, told(&walked, &frame));
            }
        }
    }
}
