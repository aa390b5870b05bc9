//! Every link type and shim, around one and the same packet.

use super::build::{ETHERNET, RAW, ethernet, ip4, join, tcp4, tcp6};
use super::{Decoder, Skip, frame, seen};
use crate::decode::SkipCounts;

const SNAP_IPV4: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

fn wifi(kind: u8, flags: u8, extra: usize, body: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 24 + extra];
    header[..2].copy_from_slice(&[kind, flags]);
    join(&[&header, body])
}

fn radiotap(present: u32, fields: &[u8], body: &[u8]) -> Vec<u8> {
    let len = (8 + fields.len() as u16).to_le_bytes();
    join(&[&[0, 0], &len, &present.to_le_bytes(), fields, body])
}

/// A frame of a link type, by name.
type Case = (&'static str, u16, Vec<u8>);

/// Every way to bring `v4` or `v6`.
fn brought(v4: &[u8], v6: &[u8]) -> Vec<Case> {
    [over_ethernet(v4, v6), over_ppp(v4, v6), cooked_and_raw(v4, v6), over_the_air(v4)].concat()
}

fn pppoe(ppp: &[u8]) -> Vec<u8> {
    join(&[&[0x11, 0, 0, 9], &(ppp.len() as u16).to_be_bytes(), ppp])
}

const LABELS: [u8; 8] = [0, 1, 0, 64, 0, 2, 1, 64];

fn over_ethernet(v4: &[u8], v6: &[u8]) -> Vec<Case> {
    let snap4 = join(&[&SNAP_IPV4, v4]);
    let vlan_in_vlan = join(&[&[0, 5, 0x81, 0, 0, 6, 0x91, 0, 0, 7, 8, 0], v4]);
    let many_vlans = join(&[&[0, 1, 0x81, 0].repeat(12), &[0, 1, 8, 0], v4]);
    let mpls = |inner: &[u8]| ethernet(0x8847, &join(&[&LABELS, inner]));
    let pseudowire = ethernet(0x0800, v4);
    vec![
        ("ethernet", 1, ethernet(0x0800, v4)),
        ("ethernet, IPv6", 1, ethernet(0x86dd, v6)),
        ("802.3 with SNAP", 1, ethernet(snap4.len() as u16, &snap4)),
        ("802.3 with LLC", 1, ethernet(v4.len() as u16 + 3, &join(&[&[6, 6, 3], v4]))),
        ("three VLAN tags", 1, ethernet(0x88a8, &vlan_in_vlan)),
        ("thirteen VLAN tags", 1, ethernet(0x8100, &many_vlans)),
        ("MPLS", 1, mpls(v4)),
        ("MPLS, IPv6", 1, mpls(v6)),
        ("pseudowire with control word", 1, mpls(&join(&[&[0; 4], &pseudowire]))),
        ("pseudowire without", 1, mpls(&join(&[&[0x22], &pseudowire[1..]]))),
        ("MACsec, signed", 1, ethernet(0x88e5, &join(&[&[0, 0, 0, 0, 0, 1, 8, 0], v4]))),
        ("MACsec, with channel", 1, ethernet(0x88e5, &join(&[&[0x20], &[0; 13], &[8, 0], v4]))),
        ("FabricPath", 1, ethernet(0x8903, &join(&[&[0, 1], &ethernet(0x0800, v4)]))),
        ("PPPoE", 1, ethernet(0x8864, &pppoe(&join(&[&[0, 0x21], v4])))),
        ("PPPoE, IPv6", 1, ethernet(0x8864, &pppoe(&join(&[&[0, 0x57], v6])))),
    ]
}

fn over_ppp(v4: &[u8], v6: &[u8]) -> Vec<Case> {
    vec![
        ("PPP", 9, join(&[&[0, 0x21], v4])),
        ("PPP, short protocol", 9, join(&[&[0x21], v4])),
        ("PPP, framed", 9, join(&[&[0xff, 3, 0, 0x57], v6])),
        ("PPP, framed, short", 50, join(&[&[0xff, 3, 0x57], v6])),
        ("PPP, MPLS", 50, join(&[&[0xff, 3, 2, 0x81], &LABELS, v4])),
        ("Cisco HDLC as PPP", 50, join(&[&[0x0f, 0, 8, 0], v4])),
        ("PPPoE alone", 51, pppoe(&join(&[&[0, 0x21], v4]))),
        ("Cisco HDLC", 104, join(&[&[0x8f, 0, 0x86, 0xdd], v6])),
    ]
}

fn cooked(device: u16, protocol: u16, body: &[u8]) -> Vec<u8> {
    join(&[&[0, 0], &device.to_be_bytes(), &[0; 10], &protocol.to_be_bytes(), body])
}

fn cooked_and_raw(v4: &[u8], v6: &[u8]) -> Vec<Case> {
    let snap4 = join(&[&SNAP_IPV4, v4]);
    let nflog_len = (v4.len() as u16 + 4).to_le_bytes();
    let nflog = join(&[&[2, 0, 0, 0, 5, 0, 10, 0, b'x', 0, 0, 0], &nflog_len, &[9, 0], v4]);
    vec![
        ("null, little-endian", 0, join(&[&[2, 0, 0, 0], v4])),
        ("null, big-endian, BSD's IPv6", 0, join(&[&[0, 0, 0, 30], v6])),
        ("null, Cisco HDLC", 0, join(&[&[0x0f, 0, 8, 0], v4])),
        ("loop", 108, join(&[&[0, 0, 0, 2], v4])),
        ("raw 12", 12, v4.to_vec()),
        ("raw 14", 14, v6.to_vec()),
        ("raw 101", 101, v6.to_vec()),
        ("IPv4", 228, v4.to_vec()),
        ("IPv6", 229, v6.to_vec()),
        ("Linux cooked", 113, cooked(1, 0x0800, v4)),
        ("Linux cooked, VLAN", 113, cooked(1, 0x8100, &join(&[&[0, 5, 8, 0], v4]))),
        ("Linux cooked, LLC", 113, cooked(1, 4, &snap4)),
        ("Linux cooked 2", 276, join(&[&[0x86, 0xdd], &[0; 18], v6])),
        ("netfilter log", 239, nflog),
        ("packet tap", 258, join(&[&[20, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0], &[0; 8], v4])),
    ]
}

fn over_the_air(v4: &[u8]) -> Vec<Case> {
    let snap4 = join(&[&SNAP_IPV4, v4]);
    let air = wifi(8, 0, 0, &snap4);
    let prism = join(&[&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136], &air]);
    let avs = join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &air]);
    // Two masks, an aligned timer, flags that announce padding behind the QoS header.
    let padded = wifi(0x88, 0, 2, &join(&[&[0, 0], &snap4]));
    let padded = radiotap(0x8000_0003, &[[0; 16].as_slice(), &[0x20]].concat(), &padded);
    vec![
        ("802.11", 105, wifi(0x08, 0x01, 0, &snap4)),
        ("802.11 QoS", 105, wifi(0x88, 0x02, 2, &snap4)),
        ("802.11 QoS, HT control", 105, wifi(0x88, 0x82, 6, &snap4)),
        ("802.11, four addresses", 105, wifi(0x08, 0x03, 6, &snap4)),
        ("802.11 QoS, four addresses", 105, wifi(0x88, 0x03, 8, &snap4)),
        ("radiotap", 127, radiotap(0, &[], &air)),
        ("radiotap, padded", 127, padded),
        ("Prism", 119, prism.clone()),
        ("AVS under Prism's number", 119, avs.clone()),
        ("AVS", 163, avs),
        ("PPI", 192, join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &air])),
        ("Linux cooked, radiotap", 113, cooked(803, 0, &radiotap(0, &[], &air))),
        ("Linux cooked, 802.11", 113, cooked(801, 0, &air)),
        ("Linux cooked, Prism", 113, cooked(802, 0, &prism)),
    ]
}

#[test]
fn every_link_type_leads_to_the_same_packet() {
    let (v4, v6) = (tcp4(b"hello"), tcp6(b"hello"));
    let (bare4, bare6) = (seen(RAW, &v4), seen(RAW, &v6));
    assert_eq!(bare4.as_ref().unwrap().payload, b"hello");
    assert_eq!(bare6.as_ref().unwrap().ip.ttl.0, 57);
    for (name, link, bytes) in brought(&v4, &v6) {
        let brought = seen(link, &bytes);
        let expected =
            if brought.as_ref().is_ok_and(|s| s.src.ip.is_ipv6()) { &bare6 } else { &bare4 };
        assert_eq!(&brought, expected, "{name}");
    }
}

#[test]
fn padding_of_the_link_is_no_payload() {
    let mut padded = ethernet(0x0800, &tcp4(b""));
    padded.extend([0; 6]);
    let signature = [9; 16];
    let signed = join(&[&[0, 0, 0, 0, 0, 1, 8, 0], &tcp4(b""), &signature]);
    for bytes in [padded, ethernet(0x88e5, &signed)] {
        let seen = seen(ETHERNET, &bytes).unwrap();
        assert_eq!((seen.payload.len(), seen.payload_len), (0, 0));
    }
}

#[test]
fn a_frame_cut_anywhere_is_the_same_packet_with_less_payload_or_a_skip() {
    let (v4, v6) = (tcp4(b"hello"), tcp6(b"hello"));
    for (name, link, bytes) in brought(&v4, &v6) {
        let whole = seen(link, &bytes).unwrap_or_else(|skip| panic!("{name}: {skip}"));
        for cut in 0..bytes.len() {
            let snapped = crate::wire::Frame {
                bytes: &bytes[..cut],
                original_len: bytes.len() as u32,
                ..frame(1, link, &[])
            };
            let mut decoder = Decoder::new();
            let Ok(packet) = decoder.decode(&snapped) else { continue };
            let packet = super::Seen::from(packet);
            assert!(whole.payload.starts_with(&packet.payload), "{name} cut at {cut}");
            let payload = whole.payload.clone();
            assert_eq!(super::Seen { payload, ..packet }, whole, "{name} cut at {cut}");
        }
        let last = seen_snapped(link, &bytes);
        assert_eq!(last, Ok((4, 5)), "{name}");
    }
}

/// Captured and stated payload of a frame that lacks its last byte.
fn seen_snapped(link: u16, bytes: &[u8]) -> Result<(usize, u32), Skip> {
    let snapped = crate::wire::Frame {
        bytes: &bytes[..bytes.len() - 1],
        original_len: bytes.len() as u32,
        ..frame(1, link, &[])
    };
    let mut decoder = Decoder::new();
    let packet = super::Seen::from(decoder.decode(&snapped)?);
    Ok((packet.payload.len(), packet.payload_len))
}

#[test]
fn frames_without_a_packet_are_told_apart() {
    let snap4 = join(&[&SNAP_IPV4, &tcp4(b"x")]);
    let cases: [(Skip, u16, Vec<u8>); 27] = [
        (Skip::UnsupportedLinkType, 147, tcp4(b"x")),
        (Skip::TruncatedLink, 1, vec![0; 13]),
        (Skip::TruncatedLink, 1, ethernet(0x8100, &[0, 1, 8])),
        (Skip::TruncatedLink, 1, ethernet(0x8847, &[0, 1, 0, 64, 0, 2])),
        (Skip::Arp, 1, ethernet(0x0806, &[0; 28])),
        (Skip::NonIp, 1, ethernet(0x88cc, &[0; 28])),
        (Skip::NonIp, 1, ethernet(38, &[0x42; 38])),
        (Skip::NonIp, 1, ethernet(1501, &tcp4(b"x"))),
        (Skip::NonIp, 0, vec![7, 0, 0, 0, 0]),
        (Skip::NonIp, 9, vec![0xff, 3, 0xc0, 0x21, 1]),
        (Skip::PppTransformed, 9, vec![0xff, 3, 0, 0xfd, 1]),
        (Skip::NonIp, 113, [&[0, 4, 3, 56][..], &[0; 16]].concat()),
        (Skip::Macsec, 1, ethernet(0x88e5, &[0x0c; 40])),
        (Skip::Ieee80211NotData, 105, wifi(0x80, 0, 0, &snap4)),
        (Skip::Ieee80211NotData, 105, wifi(0xc8, 0, 2, &snap4)),
        (Skip::Ieee80211Encrypted, 105, wifi(0x08, 0x40, 0, &snap4)),
        (Skip::Ieee80211Fragment, 105, wifi(0x08, 0x04, 0, &snap4)),
        (Skip::Ieee80211Aggregate, 105, {
            let mut frame = wifi(0x88, 0, 2, &snap4);
            frame[24] = 0x80;
            frame
        }),
        (Skip::TruncatedIp, 1, ethernet(0x0800, &[])),
        (Skip::BadIpHeader, 1, ethernet(0x0800, &[0x44; 40])),
        (Skip::BadIpHeader, 1, ethernet(0x0800, &[0x55; 40])),
        (Skip::Icmp, RAW, ip4(1, &[8, 0, 0, 0])),
        (Skip::Icmp, RAW, ip4(58, &[8, 0, 0, 0])),
        (Skip::Sctp, RAW, ip4(132, &[0; 12])),
        (Skip::Esp, RAW, ip4(50, &[0; 12])),
        (Skip::OtherTransport, RAW, ip4(2, &[0; 12])),
        (Skip::BadIpHeader, RAW, {
            let mut packet = tcp4(b"x");
            packet[3] = 19;
            packet
        }),
    ];
    let mut counts = SkipCounts::default();
    for (skip, link, bytes) in &cases {
        let result = seen(*link, bytes);
        assert_eq!(result.as_ref().err(), Some(skip), "{skip} {link} {bytes:02x?}");
        counts.record(*skip);
    }
    assert_eq!(counts.total(), cases.len() as u64);
}
