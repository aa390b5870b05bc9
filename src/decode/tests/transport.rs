//! IP, TCP and UDP headers, honest and not.

use std::net::IpAddr;

use etherparse::PacketBuilder;

use super::build::{RAW, ip4, ip6, join, tcp4, tcp6, udp4};
use super::{Decoder, Packet, Skip, frame, seen};
use crate::wire::{Endpoint, SeqNumber, TcpFlags, TcpTimestamps};

#[test]
fn a_segment_tells_every_field() {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 7], [198, 51, 100, 1], 57)
        .tcp(50_000, 443, 0xffff_fff0, 4096)
        .syn()
        .ece()
        .options(&[
            etherparse::TcpOptionElement::MaximumSegmentSize(1400),
            etherparse::TcpOptionElement::SelectiveAcknowledgementPermitted,
            etherparse::TcpOptionElement::Timestamp(5, 6),
            etherparse::TcpOptionElement::WindowScale(7),
        ])
        .unwrap()
        .write(&mut bytes, b"early")
        .unwrap();
    bytes[1] = 0x2e;
    bytes[4..6].copy_from_slice(&[0xab, 0xcd]);
    bytes[32] |= 0x0f;
    let frame = frame(9, RAW, &bytes);
    let mut decoder = Decoder::new();
    let Ok(Packet::Tcp(segment)) = decoder.decode(&frame) else { panic!("not TCP") };
    assert_eq!((segment.frame, segment.time), (frame.id, frame.time));
    assert_eq!(segment.src, Endpoint::new(IpAddr::from([192, 0, 2, 7]), 50_000));
    assert_eq!(segment.dst, Endpoint::new(IpAddr::from([198, 51, 100, 1]), 443));
    assert_eq!((segment.seq, segment.window), (SeqNumber(0xffff_fff0), 4096));
    assert_eq!(segment.flags, TcpFlags(0xf42), "reserved bits, AE, ECE, SYN");
    assert_eq!((segment.ip.ttl.0, segment.ip.id), (57, Some(0xabcd)));
    assert_eq!((segment.ip.traffic_class, segment.ip.dont_fragment), (0x2e, true));
    assert!(!segment.ip.reassembled);
    let options = segment.options;
    assert_eq!((options.mss, options.window_scale, options.len), (Some(1400), Some(7), 20));
    assert_eq!(options.timestamps, Some(TcpTimestamps { value: 5, echo: 6 }));
    assert!(options.sack_permitted && !options.malformed);
    assert_eq!((segment.payload, segment.payload_len), (&b"early"[..], 5));
    assert_eq!(segment.transport, &bytes[20..]);
}

#[test]
fn checksums_of_whole_segments_can_be_verified() {
    for (mut bytes, transport_at) in [(tcp4(b"hello"), 20), (tcp6(b"hello"), 40)] {
        for expected in [true, false] {
            let mut decoder = Decoder::new();
            let Ok(Packet::Tcp(segment)) = decoder.decode(&frame(1, RAW, &bytes)) else {
                panic!("not TCP")
            };
            assert_eq!(segment.checksum_valid(), Some(expected));
            bytes[transport_at + 22] ^= 1;
        }
    }
}

#[test]
fn ipv6_extension_headers_are_passed_over() {
    let tcp = &tcp6(b"x")[40..];
    let options = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let auth = |next: u8| [&[next, 4, 0, 0][..], &[0; 20]].concat();
    let atomic = |next: u8| [next, 0, 0, 0, 0, 1, 2, 3];
    let cases = [
        ("hop by hop", 0, options(6).to_vec()),
        ("hop by hop, routing, destination", 0, [options(43), options(60), options(6)].concat()),
        ("authentication", 51, auth(6)),
        ("atomic fragment", 44, atomic(6).to_vec()),
        ("fifteen options", 60, [options(60).repeat(14), options(6).to_vec()].concat()),
    ];
    for (name, first, headers) in cases {
        let seen = seen(RAW, &ip6(first, &join(&[&headers, tcp]))).unwrap();
        assert_eq!((seen.src.port, seen.payload.as_slice()), (50_000, &b"x"[..]), "{name}");
        assert_eq!(seen.ip.id, (first == 44).then_some(0x0203), "{name}");
    }
    let endless = ip6(60, &join(&[&options(60).repeat(40), tcp]));
    assert_eq!(seen(RAW, &endless), Err(Skip::IpExtensionLimit));
    assert_eq!(seen(RAW, &ip6(0, &[6, 9, 0, 0])), Err(Skip::BadIpHeader));
    let auth4 = ip4(51, &join(&[&auth(6), &tcp4(b"x")[20..]]));
    assert_eq!(seen(RAW, &auth4).map(|seen| seen.src.port), Ok(50_000));
}

#[test]
fn a_length_of_zero_means_all_there_is() {
    let mut v4 = tcp4(b"offloaded");
    v4[2..4].fill(0);
    let mut v6 = tcp6(b"offloaded");
    v6[4..6].fill(0);
    let mut udp = udp4(1, 2, b"offloaded");
    udp[24..26].fill(0);
    for bytes in [v4, v6, udp] {
        let seen = seen(RAW, &bytes).unwrap();
        assert_eq!((seen.payload.as_slice(), seen.payload_len), (&b"offloaded"[..], 9));
    }
}

#[test]
fn lengths_that_disagree_are_settled() {
    let mut beyond = tcp4(b"hello");
    beyond[3] += 100;
    assert_eq!(seen(RAW, &beyond).map(|s| (s.payload.len(), s.payload_len)), Ok((5, 105)));
    let mut shorter = udp4(1, 2, b"hello");
    shorter[25] -= 2;
    assert_eq!(seen(RAW, &shorter).map(|s| (s.payload.len(), s.payload_len)), Ok((3, 3)));
    let mut longer = udp4(1, 2, b"hello");
    longer[25] += 2;
    assert_eq!(seen(RAW, &longer).map(|s| (s.payload.len(), s.payload_len)), Ok((5, 5)));
}

#[test]
fn bad_transport_headers_are_told_from_cut_ones() {
    let with = |at: usize, value: u8, mut bytes: Vec<u8>| {
        bytes[at] = value;
        bytes
    };
    let cases = [
        ("data offset 4", Skip::BadTcpHeader, with(32, 0x40, tcp4(b"hello"))),
        ("data offset beyond the packet", Skip::BadTcpHeader, with(32, 0xf0, tcp4(b"hello"))),
        ("packet too short for TCP", Skip::BadTcpHeader, ip4(6, &[0; 19])),
        ("packet too short for UDP", Skip::BadUdpHeader, ip4(17, &[0; 7])),
        ("UDP length 7", Skip::BadUdpHeader, with(25, 7, udp4(1, 2, b"hello"))),
        ("captured 19 bytes of TCP", Skip::TruncatedTcp, tcp4(b"")[..39].to_vec()),
        ("captured 7 bytes of UDP", Skip::TruncatedUdp, udp4(1, 2, b"")[..27].to_vec()),
    ];
    for (name, skip, bytes) in cases {
        assert_eq!(seen(RAW, &bytes), Err(skip), "{name}");
    }
}
