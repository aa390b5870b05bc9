//! What must hold for any bytes at all.

use proptest::prelude::*;

use super::build::{ETHERNET, ethernet, fragment4, gre, join, tcp4, tcp6, udp4};
use super::{Decoder, Packet};
use crate::decode::{FRAGMENT_BYTES_MAX, TUNNELS_MAX};
use crate::wire::{Frame, FrameId, LinkType, Timestamp};

const LINKS: [u16; 23] = [
    0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 119, 127, 163, 192, 228, 229, 239, 258, 276,
    147, 65_535,
];

/// Frames that get far, to be damaged.
fn seeds() -> Vec<(u16, Vec<u8>)> {
    let v4 = tcp4(b"payload");
    let v6 = tcp6(b"payload");
    let vxlan = udp4(9, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(0x86dd, &v6)]));
    let gtp = udp4(9, 2152, &join(&[&[0x34, 255, 0, 59, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0], &v4]));
    let mut radiotap = vec![0, 0, 13, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0x20];
    radiotap.extend([0x88, 0, 0, 0]);
    radiotap.resize(13 + 28, 0);
    radiotap.extend([0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    radiotap.extend(&v4);
    vec![
        (ETHERNET, ethernet(0x0800, &v4)),
        (ETHERNET, ethernet(0x8100, &join(&[&[0, 5, 0x86, 0xdd], &v6]))),
        (ETHERNET, ethernet(0x0800, &vxlan)),
        (ETHERNET, ethernet(0x0800, &gtp)),
        (ETHERNET, ethernet(0x0800, &gre(0xb000, 0x6558, &[0; 12], &ethernet(0x0800, &v4)))),
        (ETHERNET, ethernet(0x0800, &fragment4(17, 1, 0, true, &v4[..32]))),
        (127, radiotap),
    ]
}

/// Decodes, and checks what must hold for every packet.
fn check(decoder: &mut Decoder, link: u16, bytes: &[u8], missing: u32) {
    let frame = Frame {
        id: FrameId::new(0, 1),
        time: Timestamp::ZERO,
        link: LinkType(link),
        bytes,
        original_len: bytes.len() as u32 + missing,
    };
    match decoder.decode(&frame) {
        Ok(Packet::Tcp(s)) => {
            assert!(s.payload.len() as u64 <= u64::from(s.payload_len));
            assert!(s.transport.ends_with(s.payload));
            let header = s.transport.len() - s.payload.len();
            assert_eq!(header, 20 + usize::from(s.options.len));
            assert_eq!(s.src.ip.is_ipv4(), s.dst.ip.is_ipv4());
            assert!(s.flags.0 <= 0xfff && s.ip.tunnels <= TUNNELS_MAX);
        }
        Ok(Packet::Udp(d)) => {
            assert!(d.payload.len() as u64 <= u64::from(d.payload_len));
            assert!(d.ip.tunnels <= TUNNELS_MAX);
        }
        Err(_) => {}
    }
    assert!(decoder.fragment_stats().held_bytes <= FRAGMENT_BYTES_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_it_panic(
        link in prop::sample::select(LINKS.as_slice()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        missing in 0u32..2000,
    ) {
        check(&mut Decoder::new(), link, &bytes, missing);
    }

    #[test]
    fn no_damage_makes_it_panic(
        seed in prop::sample::select(seeds()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        link in prop::sample::select(LINKS.as_slice()),
    ) {
        let (own_link, mut bytes) = seed;
        let mut decoder = Decoder::new();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
            check(&mut decoder, own_link, &bytes, 0);
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        check(&mut decoder, own_link, &bytes, 100);
        check(&mut decoder, link, &bytes, 0);
    }
}
