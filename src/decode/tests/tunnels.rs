//! Every tunnel, around one and the same packet, and what only looks like one.

use super::build::{RAW, ethernet, gre, ip4, ip6, join, tcp4, tcp6, udp4};
use super::{Skip, seen};
use crate::decode::TUNNELS_MAX;

fn gtp_u(flags: u8, options: &[u8], inner: &[u8]) -> Vec<u8> {
    let len = ((options.len() + inner.len()) as u16).to_be_bytes();
    udp4(2152, 2152, &join(&[&[flags, 255], &len, &[0, 0, 0, 7], options, inner]))
}

fn vxlan(flags: u8, inner: &[u8]) -> Vec<u8> {
    udp4(40_000, 4789, &join(&[&[flags, 0, 0, 0, 0, 0, 42, 0], &ethernet(0x0800, inner)]))
}

/// Every tunnel around `v4` or `v6`, by name; each counts once.
fn tunnels(v4: &[u8], v6: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let frame4 = ethernet(0x0800, v4);
    let frame6 = ethernet(0x86dd, v6);
    let ppp = join(&[&[0xff, 3, 0, 0x21], v4]);
    let ppp_len = (ppp.len() as u16).to_be_bytes();
    let teredo_auth = [0, 1, 1, 2, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0];
    vec![
        ("IPv4 in IPv4", ip4(4, v4)),
        ("IPv6 in IPv4", ip4(41, v6)),
        ("IPv4 in IPv6", ip6(4, v4)),
        ("IPv6 in IPv6", ip6(41, v6)),
        ("GRE", gre(0, 0x0800, &[], v4)),
        ("GRE, checksum, key, sequence", gre(0xb000, 0x86dd, &[0; 12], v6)),
        ("GRE, Ethernet, VLAN", {
            gre(0x2000, 0x6558, &[0; 4], &ethernet(0x8100, &join(&[&[0, 5, 8, 0], v4])))
        }),
        ("GRE, MPLS", gre(0, 0x8847, &[], &join(&[&[0, 1, 1, 64], v4]))),
        ("GRE, WCCP 1", gre(0, 0x883e, &[], v4)),
        ("GRE, WCCP 2", gre(0, 0x883e, &[0, 1, 2, 3], v4)),
        ("ERSPAN I", gre(0, 0x88be, &[], &frame4)),
        ("ERSPAN II", gre(0x1000, 0x88be, &[0; 12], &frame6)),
        ("ERSPAN III", gre(0x1000, 0x22eb, &[0; 16], &frame6)),
        ("ERSPAN III, longer", {
            gre(0x1000, 0x22eb, &[[0; 15].as_slice(), &[1], &[0; 8]].concat(), &frame6)
        }),
        ("PPTP", gre(0x3001, 0x880b, &join(&[&ppp_len, &[0; 6]]), &ppp)),
        ("PPTP, acknowledging", gre(0x3081, 0x880b, &join(&[&ppp_len, &[0; 10]]), &ppp)),
        ("Ethernet in IP", ip4(97, &join(&[&[0x30, 0], &frame4]))),
        ("Ethernet straight in IPv6", ip6(143, &frame4)),
        ("MPLS in IP", ip4(137, &join(&[&[0, 1, 1, 64], v6]))),
        ("VXLAN", vxlan(8, v4)),
        ("VXLAN, group policy", vxlan(0x88, v4)),
        ("VXLAN, Linux port", udp4(9, 8472, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &frame6]))),
        ("Geneve", udp4(9, 6081, &join(&[&[0, 0, 0x65, 0x58, 0, 0, 1, 0], &frame4]))),
        ("Geneve, options", udp4(9, 6081, &join(&[&[2, 0, 0x86, 0xdd], &[0; 12], v6]))),
        ("GTP-U", gtp_u(0x30, &[], v4)),
        ("GTP-U, sequence", gtp_u(0x32, &[0, 1, 0, 0], v6)),
        ("GTP-U, extensions", gtp_u(0x34, &[0, 0, 0, 0x85, 1, 0, 9, 0x20, 1, 0, 9, 0], v4)),
        ("Teredo", udp4(9, 3544, v6)),
        ("Teredo, from the server", udp4(3544, 9, &join(&[&[0, 0, 1, 2, 3, 4, 5, 6], v6]))),
        ("Teredo, authenticated", udp4(9, 3544, &join(&[&teredo_auth, v6]))),
        ("L2TP", udp4(1701, 1701, &join(&[&[0, 2, 0, 1, 0, 1], &ppp]))),
        ("L2TP, everything", {
            udp4(9, 1701, &join(&[&[0x4a, 2], &[0; 6], &[0; 4], &[0, 2, 0, 0], &ppp]))
        }),
    ]
}

#[test]
fn every_tunnel_leads_to_the_inner_packet() {
    let (v4, v6) = (tcp4(b"inner"), tcp6(b"inner"));
    for (name, bytes) in tunnels(&v4, &v6) {
        let inner = seen(RAW, &bytes).unwrap_or_else(|skip| panic!("{name}: {skip}"));
        let bare = if inner.src.ip.is_ipv6() { &v6 } else { &v4 };
        let mut expected = seen(RAW, bare).unwrap();
        expected.ip.tunnels = 1;
        assert_eq!(inner, expected, "{name}");
    }
}

#[test]
fn a_snapped_tunnel_tells_the_inner_length() {
    let (v4, v6) = (tcp4(b"inner"), tcp6(b"inner"));
    for (name, bytes) in tunnels(&v4, &v6) {
        let cut = crate::wire::Frame {
            bytes: &bytes[..bytes.len() - 2],
            original_len: bytes.len() as u32,
            ..super::frame(1, RAW, &[])
        };
        let mut decoder = super::Decoder::new();
        let packet = super::Seen::from(decoder.decode(&cut).unwrap());
        assert_eq!((packet.payload.as_slice(), packet.payload_len), (&b"inn"[..], 5), "{name}");
    }
}

#[test]
fn tunnels_nest_up_to_a_depth() {
    let mut packet = tcp4(b"x");
    for depth in 0..=TUNNELS_MAX {
        assert_eq!(seen(RAW, &packet).map(|seen| seen.ip.tunnels), Ok(depth));
        packet = ip4(4, &packet);
    }
    assert_eq!(seen(RAW, &packet), Err(Skip::TunnelDepth));
    let datagram = udp4(9, 2152, &packet);
    assert!(!seen(RAW, &datagram).unwrap().tcp);
}

#[test]
fn a_datagram_whose_tunnel_leads_nowhere_stays_a_datagram() {
    let ping = ip4(1, &[8, 0, 0, 0]);
    let too_deep = (0..=TUNNELS_MAX).fold(tcp4(b"x"), |packet, _| ip4(4, &packet));
    let cases = [
        (
            "ARP in VXLAN",
            udp4(9, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(0x0806, &[0; 28])])),
        ),
        ("ICMP in GTP-U", gtp_u(0x30, &[], &ping)),
        ("GTP-U echo", udp4(2152, 2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0])),
        (
            "GTP-U that states too much",
            udp4(9, 2152, &join(&[&[0x30, 255, 9, 9, 0, 0, 0, 0], &tcp4(b"")])),
        ),
        ("GTP-U extension of no length", gtp_u(0x34, &[0, 0, 0, 0x85, 0, 0, 0, 0], &tcp4(b""))),
        ("VXLAN without its flag", vxlan(0, &tcp4(b"x"))),
        ("a name server's port", udp4(4789, 53, b"anything")),
        ("L2TP control", udp4(1701, 1701, &[0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("empty", udp4(9, 6081, &[])),
        ("too deep", gtp_u(0x30, &[], &too_deep)),
    ];
    for (name, bytes) in cases {
        let outer = seen(RAW, &bytes).unwrap_or_else(|skip| panic!("{name}: {skip}"));
        assert!(!outer.tcp, "{name}");
        assert_eq!(outer.payload, bytes[28..], "{name}");
        assert_eq!((outer.ip.tunnels, outer.ip.ttl.0), (0, 200), "{name}");
    }
}

#[test]
fn tunnels_that_carry_no_packet_are_told_apart() {
    let cases = [
        (Skip::TunnelControl, gre(0, 0, &[], &[])),
        (Skip::TunnelControl, gre(0x2081, 0x880b, &[0, 0, 0, 0, 0, 0, 0, 1], &[])),
        (Skip::BadTunnelHeader, gre(0x0003, 0x0800, &[], &tcp4(b""))),
        (Skip::BadTunnelHeader, gre(0x4000, 0x0800, &[0; 8], &tcp4(b""))),
        (Skip::BadTunnelHeader, ip4(97, &[0x40, 0, 0, 0])),
        (Skip::TruncatedTunnel, ip4(47, &[0, 0, 8])),
        (Skip::TruncatedTunnel, gre(0x1000, 0x88be, &[0; 8], &[])),
        (Skip::Arp, gre(0, 0x6558, &[], &ethernet(0x0806, &[0; 28]))),
        (Skip::Icmp, ip4(4, &ip4(1, &[0; 8]))),
    ];
    for (skip, bytes) in cases {
        assert_eq!(seen(RAW, &bytes), Err(skip), "{bytes:02x?}");
    }
}
