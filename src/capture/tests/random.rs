//! Bytes that nobody wrote on purpose.

use proptest::collection::vec;
use proptest::prelude::*;

use super::build::{pcap, pcapng};
use super::*;

const MAGICS: [&[u8]; 9] = [
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\xcd\x34",
    b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0",
    b"snoop\0\0\0\0\0\0\x02\0\0\0\x04",
    b"\x1f\x8b\x08\0",
    b"\x28\xb5\x2f\xfd",
    b"",
];

/// What must hold of any bytes.
fn check(bytes: &[u8], block_bytes: usize) -> Result<(), TestCaseError> {
    let (frames, report) = read_with(bytes, &in_blocks_of(block_bytes));
    let (expected, expected_report) = read(bytes);
    prop_assert_eq!(&frames, &expected, "the size of blocks must not matter");
    prop_assert_eq!(&report.damage, &expected_report.damage);
    prop_assert_eq!(report.packets, frames.len() as u64);
    prop_assert!(frames.is_sorted_by(|a, b| a.id < b.id));
    prop_assert!(frames.iter().all(|f| f.original_len as usize >= f.bytes.len()));
    prop_assert_eq!(report.error.is_some(), report.format.is_none());
    if report.compression.is_none() {
        let held: usize = frames.iter().map(|f| f.bytes.len() + 16).sum();
        prop_assert!(held <= bytes.len(), "more packets than bytes");
        prop_assert!(report.damage.is_none_or(|d| d.offset < bytes.len() as u64));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_after_any_magic_are_survived(
        magic in 0..MAGICS.len(),
        rest in vec(any::<u8>(), 0..400),
        block_bytes in 1_usize..300,
    ) {
        check(&[MAGICS[magic], &rest].concat(), block_bytes)?;
    }

    #[test]
    fn a_capture_with_a_few_changed_bytes_is_survived(
        ng in any::<bool>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        block_bytes in 1_usize..300,
    ) {
        let mut bytes = if ng { pcapng() } else { pcap(1, &[60, 0, 3, 90]) };
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len() * 4).min(bytes.len()));
        check(&bytes, block_bytes)?;
    }

    #[test]
    fn packed_captures_with_changed_bytes_are_survived(
        gzip in any::<bool>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        use std::io::Write as _;
        let plain = pcap(1, &[60, 0, 3, 90]);
        let mut bytes = if gzip {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&plain).unwrap();
            encoder.finish().unwrap()
        } else {
            zstd::encode_all(&plain[..], 1).unwrap()
        };
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        let _ = read(&bytes);
    }
}
