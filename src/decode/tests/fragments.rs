//! Reassembly: orders, overlaps, floods.

use proptest::prelude::*;

use super::build::{RAW, ethernet, fragment4, fragment6, gre, ip4, tcp4, udp4};
use super::{Decoder, Seen, Skip, frame};
use crate::decode::{FRAGMENT_BYTES_MAX, FRAGMENT_CONFLICTS_MAX, FRAGMENTED_PACKETS_MAX};
use crate::wire::{Frame, FrameId, Timestamp};

/// The UDP datagram that the fragments are of, without its IP header.
fn datagram(len: usize) -> Vec<u8> {
    let payload: Vec<u8> = (0..len).map(|at| (at * 7 % 251) as u8).collect();
    udp4(1000, 2000, &payload)[20..].to_vec()
}

/// Its parts, cut every `size` bytes.
fn parts(whole: &[u8], size: usize, v6: bool) -> Vec<Vec<u8>> {
    let count = whole.len().div_ceil(size);
    let part = |(place, bytes): (usize, &[u8])| {
        let (offset, more) = ((place * size) as u16, place + 1 < count);
        if v6 {
            fragment6(17, 0xdead_beef, offset, more, bytes)
        } else {
            fragment4(17, 0xbeef, offset, more, bytes)
        }
    };
    whole.chunks(size).enumerate().map(part).collect()
}

/// Feeds packets as frames 1, 2, 3 …; what each of them gave.
fn feed(decoder: &mut Decoder, packets: &[Vec<u8>]) -> Vec<Result<Seen, Skip>> {
    let decode = |(place, bytes): (usize, &Vec<u8>)| {
        decoder.decode(&frame(place as u64 + 1, RAW, bytes)).map(Seen::from)
    };
    packets.iter().enumerate().map(decode).collect()
}

#[test]
fn fragments_in_any_order_make_the_packet() {
    let whole = datagram(300);
    for v6 in [false, true] {
        let in_order = parts(&whole, 64, v6);
        let mut reversed = in_order.clone();
        reversed.reverse();
        let mut last_first = in_order.clone();
        last_first.rotate_right(1);
        let mut twice: Vec<_> = in_order.iter().flat_map(|p| [p.clone(), p.clone()]).collect();
        twice.pop();
        for (name, packets) in [
            ("in order", in_order),
            ("reversed", reversed),
            ("last first", last_first),
            ("twice", twice),
        ] {
            let mut decoder = Decoder::new();
            let mut results = feed(&mut decoder, &packets);
            let seen = results.pop().unwrap().unwrap_or_else(|skip| panic!("{name}: {skip}"));
            assert!(results.iter().all(|r| r == &Err(Skip::IpFragmentPending)), "{name}");
            assert_eq!((seen.src.port, seen.dst.port), (1000, 2000), "{name}");
            assert_eq!(seen.payload, whole[8..], "{name}");
            assert!(seen.ip.reassembled, "{name}");
            assert_eq!(seen.ip.id, Some(0xbeef), "{name}");
            assert!(decoder.take_fragment_conflicts().is_empty(), "{name}");
            let stats = decoder.fragment_stats();
            assert_eq!(
                (stats.completed, stats.held_packets, stats.held_bytes),
                (1, 0, 0),
                "{name}"
            );
        }
    }
}

#[test]
fn the_completing_frame_and_the_first_header_are_told() {
    let whole = datagram(40);
    let mut packets = parts(&whole, 24, false);
    packets.reverse();
    packets[0][8] = 11;
    packets[1][8] = 22;
    let mut decoder = Decoder::new();
    assert!(decoder.decode(&frame(5, RAW, &packets[0])).is_err());
    let Ok(super::Packet::Udp(udp)) = decoder.decode(&frame(8, RAW, &packets[1])) else {
        panic!("not reassembled")
    };
    assert_eq!((udp.frame, udp.ip.ttl.0), (FrameId::new(0, 8), 22));
}

#[test]
fn overlaps_that_disagree_are_told_and_the_first_copy_wins() {
    let whole = datagram(56);
    let mut forged = whole.clone();
    forged[21] ^= 0xff;
    let packets = [
        fragment4(17, 1, 0, true, &whole[..32]),
        fragment4(17, 1, 16, true, &forged[16..48]),
        fragment4(17, 1, 8, true, &whole[8..16]),
        fragment4(17, 1, 48, false, &whole[48..]),
    ];
    let mut decoder = Decoder::new();
    let seen = feed(&mut decoder, &packets).pop().unwrap().unwrap();
    assert_eq!(seen.payload, whole[8..]);
    let conflicts = decoder.take_fragment_conflicts();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].first_frame, FrameId::new(0, 1));
    assert_eq!(conflicts[0].later_frame, FrameId::new(0, 2));
    assert_eq!((conflicts[0].id, conflicts[0].offset), (1, 21));
    assert_eq!(conflicts[0].src.to_string(), "10.0.0.1");
    assert!(decoder.take_fragment_conflicts().is_empty());
}

#[test]
fn fragments_that_fit_no_packet_are_refused() {
    let cases = [
        ("empty", vec![fragment4(17, 1, 8, false, &[])]),
        ("odd length", vec![fragment4(17, 1, 0, true, &[0; 9])]),
        ("beyond 65,535", vec![fragment4(17, 1, 65_528, false, &[0; 8])]),
        (
            "two ends",
            vec![fragment4(17, 1, 8, false, &[0; 8]), fragment4(17, 1, 8, false, &[0; 9])],
        ),
        (
            "behind the end",
            vec![fragment4(17, 1, 8, false, &[0; 8]), fragment4(17, 1, 16, true, &[0; 8])],
        ),
        (
            "end too early",
            vec![fragment4(17, 1, 16, true, &[0; 8]), fragment4(17, 1, 8, false, &[0; 8])],
        ),
    ];
    for (name, packets) in cases {
        let last = feed(&mut Decoder::new(), &packets).pop();
        assert_eq!(last, Some(Err(Skip::BadIpFragment)), "{name}");
    }
    let bytes = fragment4(17, 1, 0, true, &[0; 64]);
    let snapped = Frame { bytes: &bytes[..40], ..frame(1, RAW, &bytes) };
    assert_eq!(Decoder::new().decode(&snapped).err(), Some(Skip::IpFragmentTruncated));
}

#[test]
fn a_packet_in_too_many_pieces_is_refused() {
    let pieces: Vec<_> = (0..1100).map(|n| fragment4(17, 1, n * 16, true, &[0; 8])).collect();
    let mut decoder = Decoder::new();
    let results = feed(&mut decoder, &pieces);
    let refused = results.iter().filter(|r| **r == Err(Skip::IpFragmentLimit)).count();
    assert_eq!(refused, 1100 - 1024);
}

#[test]
fn fragments_inside_tunnels_inside_fragments_are_put_together() {
    let inner = tcp4(b"a payload that needs fragments, if only for a test of them");
    let inner_parts =
        [fragment4(6, 3, 0, true, &inner[20..60]), fragment4(6, 3, 40, false, &inner[60..])];
    let outer = inner_parts.map(|part| gre(0, 0x6558, &[], &ethernet(0x0800, &part)));
    let mut packets = Vec::new();
    for (id, packet) in outer.iter().enumerate() {
        packets.push(fragment4(47, id as u16, 0, true, &packet[20..44]));
        packets.push(fragment4(47, id as u16, 24, false, &packet[44..]));
    }
    let seen = feed(&mut Decoder::new(), &packets).pop().unwrap().unwrap();
    assert_eq!(seen.payload, inner[40..]);
    assert_eq!((seen.ip.tunnels, seen.ip.reassembled), (1, true));
}

#[test]
fn fragments_nested_beyond_the_depth_end_somewhere() {
    let mut packet = tcp4(b"0123456789abcdef")[20..].to_vec();
    let mut protocol = 6;
    for _ in 0..20 {
        packet.resize(packet.len().next_multiple_of(8), 0);
        packet = fragment4(protocol, 9, 0, true, &packet);
        protocol = 4;
    }
    let mut decoder = Decoder::new();
    assert_eq!(decoder.decode(&frame(1, RAW, &packet)).err(), Some(Skip::IpFragmentPending));
    assert_eq!(decoder.fragment_stats().held_packets, 1);
}

#[test]
fn a_packet_is_given_up_after_its_time() {
    let packets = parts(&datagram(40), 24, false);
    let mut decoder = Decoder::new();
    let at = |secs: i64, bytes| Frame {
        time: Timestamp::from_nanos(secs * 1_000_000_000),
        ..frame(1, RAW, bytes)
    };
    assert!(decoder.decode(&at(0, &packets[0])).is_err());
    assert!(decoder.decode(&at(31, &packets[1])).is_err());
    assert_eq!(decoder.fragment_stats().timed_out, 1);
    assert!(decoder.decode(&at(60, &packets[0])).is_ok());
    assert!(decoder.decode(&at(61, &packets[0])).is_err());
    // The clock went back to another epoch: what was held has nothing to do with it.
    assert!(decoder.decode(&at(-5000, &packets[1])).is_err());
    assert_eq!(decoder.fragment_stats().timed_out, 2);
}

#[test]
fn a_flood_of_first_fragments_stays_within_its_bounds() {
    let mut decoder = Decoder::new();
    let body = vec![0; 1480];
    for n in 0..30_000u32 {
        let mut bytes = fragment4(17, n as u16, 0, true, &body);
        bytes[12..16].copy_from_slice(&n.to_be_bytes());
        let same_time = Frame { time: Timestamp::ZERO, ..frame(u64::from(n), RAW, &bytes) };
        assert!(decoder.decode(&same_time).is_err());
        let stats = decoder.fragment_stats();
        assert!(stats.held_bytes <= FRAGMENT_BYTES_MAX);
        assert!(stats.held_packets <= FRAGMENTED_PACKETS_MAX);
    }
    let stats = decoder.fragment_stats();
    assert_eq!(stats.evicted, 30_000 - FRAGMENTED_PACKETS_MAX as u64);
}

#[test]
fn large_packets_that_never_complete_stay_within_the_bytes() {
    let mut decoder = Decoder::new();
    let body = vec![0; 60_000];
    for n in 0..1000 {
        let bytes = fragment4(17, n, 0, true, &body);
        assert!(decoder.decode(&frame(u64::from(n) / 100, RAW, &bytes)).is_err());
        assert!(decoder.fragment_stats().held_bytes <= FRAGMENT_BYTES_MAX);
    }
    assert!(decoder.fragment_stats().evicted > 700);
}

#[test]
fn conflicts_that_nobody_takes_are_counted() {
    let mut decoder = Decoder::new();
    for n in 0..1000u16 {
        let bytes = fragment4(17, 1, 0, true, &n.to_be_bytes().repeat(4));
        assert!(decoder.decode(&frame(1, RAW, &bytes)).is_err());
    }
    assert_eq!(decoder.fragment_stats().conflicts_lost, 999 - FRAGMENT_CONFLICTS_MAX as u64);
    assert_eq!(decoder.take_fragment_conflicts().len(), FRAGMENT_CONFLICTS_MAX);
}

#[test]
fn icmp_in_fragments_is_icmp() {
    let whole = ip4(1, &[8; 64])[20..].to_vec();
    let packets =
        [fragment4(1, 1, 0, true, &whole[..32]), fragment4(1, 1, 32, false, &whole[32..])];
    assert_eq!(feed(&mut Decoder::new(), &packets).pop(), Some(Err(Skip::Icmp)));
}

/// What reassembly should do, written naively: a cell for each byte.
fn naive(pieces: &[(u16, Vec<u8>, bool)]) -> Option<Vec<u8>> {
    let mut cells: Vec<Option<u8>> = Vec::new();
    let mut end = None;
    for (start, bytes, more) in pieces {
        let (from, until) = (usize::from(*start), usize::from(*start) + bytes.len());
        let fits = match (end, more) {
            (Some(end), true) => until <= end,
            (Some(end), false) => until == end,
            (None, true) => true,
            (None, false) => cells.len() <= until,
        };
        if !fits {
            continue;
        }
        cells.resize(cells.len().max(until), None);
        for (cell, byte) in cells[from..until].iter_mut().zip(bytes) {
            cell.get_or_insert(*byte);
        }
        end = end.or((!more).then_some(until));
        if end.is_some_and(|end| cells.len() == end) && cells.iter().all(Option::is_some) {
            return cells.into_iter().collect();
        }
    }
    None
}

proptest! {
    #[test]
    fn reassembly_agrees_with_a_naive_model(
        pieces in prop::collection::vec((0u16..12, 1usize..6, any::<bool>(), 0u8..3), 1..40),
    ) {
        let head = [0x03, 0xe8, 0x07, 0xd0, 0, 0, 0, 0];
        let pieces: Vec<_> = pieces
            .into_iter()
            // Offset 0 and nothing more to come is no fragment.
            .filter(|(start, _, more, _)| *start > 0 || *more)
            .map(|(start, len, more, fill)| {
                let mut bytes = vec![fill; len * 8];
                if start == 0 {
                    bytes[..8].copy_from_slice(&head);
                }
                (start * 8, bytes, more)
            })
            .collect();
        let packets: Vec<_> =
            pieces.iter().map(|(at, bytes, more)| fragment4(17, 1, *at, *more, bytes)).collect();
        let expected = naive(&pieces).map(|whole| whole[8..].to_vec());
        let first = feed(&mut Decoder::new(), &packets).into_iter().find_map(Result::ok);
        prop_assert_eq!(first.map(|seen| seen.payload), expected);
    }
}
