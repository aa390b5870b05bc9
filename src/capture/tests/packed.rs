//! gzip and zstd.

use std::io::Write as _;

use flate2::write::GzEncoder;

use super::build::{pcap, pcapng};
use super::*;
use crate::capture::{Compression, DamageReason, Expansion, Unreadable};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[test]
fn packed_captures_read_like_plain_ones() {
    for whole in [pcap(1, &[60, 1_500, 0, 70_000]), pcapng()] {
        let (plain, plain_report) = read(&whole);
        for (packed, kind) in [(gzip(&whole), Compression::Gzip), (zstd(&whole), Compression::Zstd)]
        {
            let (frames, report) = read(&packed);
            assert_eq!(frames, plain);
            assert_eq!((report.compression, report.damage), (Some(kind), None));
            assert_eq!((report.format, report.bytes), (plain_report.format, packed.len() as u64));
        }
    }
}

#[test]
fn members_and_frames_are_joined_wherever_they_were_split() {
    let whole = pcap(1, &[60, 61, 62]);
    let (plain, _) = read(&whole);
    for split in [1, 24, 50, whole.len() - 1] {
        let (front, back) = whole.split_at(split);
        let skippable = [&[0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9][..]].concat();
        for packed in [
            [gzip(front), gzip(b""), gzip(back)].concat(),
            [skippable, zstd(front), zstd(back)].concat(),
        ] {
            let (frames, report) = read(&packed);
            assert_eq!((&frames, report.damage), (&plain, None), "split at {split}");
        }
    }
}

#[test]
fn a_packed_capture_cut_anywhere_gives_a_prefix_and_a_reason() {
    let whole = pcap(1, &[60, 61, 62, 63]);
    let (plain, _) = read(&whole);
    for packed in [gzip(&whole), zstd(&whole)] {
        for cut in 4..packed.len() {
            let (frames, report) = read(&packed[..cut]);
            assert_eq!(frames, plain[..frames.len()]);
            match report.damage {
                Some(damage) => {
                    assert_eq!(damage.reason, DamageReason::CompressedCut);
                    assert!(damage.offset <= whole.len() as u64);
                }
                None => assert_eq!(report.error, Some(Unreadable::Compressed), "cut at {cut}"),
            }
        }
    }
}

#[test]
fn a_wrong_checksum_or_trailing_rubbish_is_damage_after_the_last_frame() {
    let whole = pcap(1, &[60, 61]);
    let mut packed = gzip(&whole);
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let rubbish = [zstd(&whole), b"rubbish!".to_vec()].concat();
    for packed in [packed, rubbish] {
        let (frames, report) = read(&packed);
        let damage = report.damage.unwrap();
        assert_eq!((frames.len(), damage.reason), (2, DamageReason::Compressed));
        assert_eq!(damage.offset, whole.len() as u64, "in unpacked bytes");
    }
}

#[test]
fn expansion_ends_at_the_limit() {
    let whole = pcap(1, &[60_000; 40]);
    let limits = [
        Expansion { ratio: 10, free_bytes: 1 << 20, max_bytes: u64::MAX },
        Expansion { ratio: u64::MAX, free_bytes: 0, max_bytes: 1 << 20 },
    ];
    for expansion in limits {
        let options = OpenOptions { expansion, block_bytes: 64 << 10, ..OpenOptions::default() };
        for packed in [gzip(&whole), zstd(&whole)] {
            let (frames, report) = read_with(&packed, &options);
            let damage = report.damage.unwrap();
            assert_eq!(damage.reason, DamageReason::Expansion);
            assert!((10..30).contains(&frames.len()), "{}", frames.len());
        }
        assert_eq!(read_with(&whole, &options).1.damage, None, "plain bytes do not expand");
    }
}

#[test]
fn what_is_packed_must_be_a_capture() {
    assert_eq!(read(&gzip(b"")).1.error, Some(Unreadable::Empty));
    let report = read(&gzip(b"some text")).1;
    assert_eq!(report.error, Some(Unreadable::UnknownFormat));
    assert_eq!(report.compression, Some(Compression::Gzip));
    let twice = read(&zstd(&gzip(&pcap(1, &[60])))).1;
    assert_eq!(twice.error, Some(Unreadable::UnknownFormat), "one packing only");
    assert_eq!(read(&[0x1f, 0x8b, 8, 0, 0]).1.error, Some(Unreadable::Compressed));
}
