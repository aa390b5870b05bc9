//! pcapng: sections, interfaces, blocks, options.

use super::build::{BOTH, Writer, pcapng};
use super::*;
use crate::capture::{DamageReason, Format};

#[test]
fn sections_interfaces_and_packet_blocks_are_read() {
    let (frames, report) = read(&pcapng());
    let found: Vec<_> = frames
        .iter()
        .map(|f| (f.id.number(), f.link.0, f.time.as_nanos() / 1_000_000, f.bytes.len()))
        .collect();
    // Frame 4 is the custom block, as in Wireshark; the last one has no time of its own.
    let expected = [
        (1, 1, 1_000, 61),
        (2, 113, 2_000, 62),
        (3, 1, 3_000, 63),
        (5, 101, 4_000, 64),
        (6, 101, 4_000, 100),
    ];
    assert_eq!(found, expected);
    assert!(frames.iter().all(|f| f.bytes.iter().all(|b| *b == f.bytes[0])));
    assert_eq!((report.format, report.packets), (Some(Format::PcapNg), 5));
    assert_eq!((report.packets_without_time, report.packets_truncated), (1, 1));
    assert_eq!(report.capture_drops, Some(7));
    let interfaces: Vec<_> = report
        .interfaces
        .iter()
        .map(|i| (i.link_type.0, i.snaplen, i.time_resolution.to_string()))
        .collect();
    let expected =
        [(1, 0, "1e-9".into()), (113, 0, "1e-6".into()), (101, 100, "2^-10".to_string())];
    assert_eq!(interfaces, expected);
    assert_eq!(report.damage, None);
}

#[test]
fn time_resolution_and_offset_are_applied_whatever_pads_them() {
    for order in BOTH {
        let offset = order.offset_option(-2);
        let bytes = [
            order.section(),
            order.interface(1, 0, &[(9, &[3]), (14, &offset), (2, b"odd")]),
            order.enhanced(0, 5_500, &[1; 3]),
            order.interface(1, 0, &[(14, &offset[..4]), (9, &[])]),
            order.enhanced(1, 5_500, &[1; 3]),
        ]
        .concat();
        let (frames, _) = read(&bytes);
        assert_eq!(frames[0].time.as_nanos(), 3_500_000_000);
        assert_eq!(frames[1].time.as_nanos(), 5_500_000, "options too short to be true");
    }
}

#[test]
fn options_after_a_packet_and_a_missing_end_mark_do_no_harm() {
    let order = Writer::Little;
    let mut body = order.enhanced_body(0, 1, (5, 5), b"abcde");
    body.extend([0xee; 3]);
    body.extend(order.options(&[(1, b"a comment"), (4, &[0; 8])]));
    let unended =
        [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 200, 0]].concat();
    let bytes = [order.section(), order.block(1, &unended), order.block(6, &body)].concat();
    let (frames, report) = read(&bytes);
    assert_eq!(frames[0].bytes, b"abcde");
    assert_eq!(report.interfaces[0].time_resolution.to_string(), "1e-9");
}

#[test]
fn a_simple_packet_is_as_long_as_the_snapshot_allows() {
    let order = Writer::Big;
    let bytes = [
        order.section(),
        order.interface(1, 0, &[]),
        order.simple(5, b"abcde"),
        order.simple(u32::MAX, b"abcdefgh"),
    ]
    .concat();
    let (frames, report) = read(&bytes);
    assert_eq!((frames[0].bytes.as_slice(), frames[0].time), (&b"abcde"[..], Timestamp::ZERO));
    assert_eq!((frames[1].bytes.len(), frames[1].original_len), (8, u32::MAX));
    assert_eq!((report.first, report.packets_without_time), (None, 2));
}

#[test]
fn a_length_that_leaves_out_the_padding_is_rounded_up() {
    let order = Writer::Little;
    let body = order.enhanced_body(0, 1, (5, 5), b"abcde\0\0\0");
    let mut block = order.block(6, &body);
    let length = (block.len() as u32 - 3).to_le_bytes();
    block[4..8].copy_from_slice(&length);
    let end = block.len() - 4;
    block[end..].copy_from_slice(&length);
    let bytes = [order.section(), order.interface(1, 0, &[]), block.clone(), block].concat();
    let (frames, report) = read(&bytes);
    assert_eq!((frames.len(), report.damage), (2, None));
}

#[test]
fn the_last_statistics_of_each_interface_count() {
    let order = Writer::Little;
    let bytes = [
        order.section(),
        order.interface(1, 0, &[]),
        order.statistics(0, (1, 0)),
        order.statistics(0, (5, 2)),
        order.statistics(9, (100, 100)),
        order.section(),
        order.interface(1, 0, &[]),
        order.statistics(0, (u64::MAX, 1)),
    ]
    .concat();
    assert_eq!(read(&bytes).1.capture_drops, Some(u64::MAX));
    assert_eq!(read(&bytes[..bytes.len() - 20]).1.capture_drops, Some(7));
}

#[test]
fn each_fault_is_named_with_the_offset_of_its_block() {
    let order = Writer::Little;
    let start = [order.section(), order.interface(1, 96, &[])].concat();
    let good = order.enhanced(0, 1, &[7; 40]);
    let long = order.enhanced_body(0, 1, (41, 41), &[7; 40]);
    let absurd = order.enhanced_body(0, 1, (96 + (256 << 10) + 1, 60), &vec![0; 300_000]);
    let mut mismatch = good.clone();
    let end = mismatch.len() - 4;
    mismatch[end] ^= 4;
    let mut no_mark = order.section();
    no_mark[8] = 0;
    let cases = [
        (order.enhanced(3, 1, &[7; 40]), DamageReason::UnknownInterface(3)),
        (order.block(6, &long), DamageReason::BlockContent),
        (order.block(6, &[0; 16]), DamageReason::BlockContent),
        (order.block(1, &[0; 4]), DamageReason::BlockContent),
        (order.block(6, &absurd), DamageReason::CapturedLength(96 + (256 << 10) + 1)),
        (mismatch, DamageReason::BlockLengthMismatch),
        (no_mark, DamageReason::ByteOrder),
        (order.section_of(2), DamageReason::Version(2)),
        (order.words(&[6, 11, 11]), DamageReason::BlockLength(11)),
        (order.words(&[6, u32::MAX, 0]), DamageReason::BlockLength(u32::MAX)),
        (vec![0; 32], DamageReason::BlockLength(0)),
        (vec![0; 8], DamageReason::CutShort),
    ];
    for (fault, reason) in cases {
        let bytes = [&start[..], &good, &fault, &good].concat();
        let bytes = if reason == DamageReason::CutShort {
            &bytes[..bytes.len() - good.len()]
        } else {
            &bytes
        };
        let (frames, report) = read(bytes);
        let damage = report.damage.unwrap();
        assert_eq!((damage.reason, frames.len()), (reason, 1));
        assert_eq!(damage.offset, (start.len() + good.len()) as u64, "{reason}");
    }
}

#[test]
fn interfaces_are_kept_only_so_many() {
    let order = Writer::Little;
    let mut bytes = order.section();
    for _ in 0..=1 << 16 {
        bytes.extend(order.interface(1, 0, &[]));
    }
    let (_, report) = read(&bytes);
    assert_eq!(report.interfaces.len(), 1 << 16);
    assert_eq!(report.damage.unwrap().reason, DamageReason::TooManyInterfaces);
}
