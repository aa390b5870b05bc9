//! Files cut at every byte, and lengths that nobody can mean.

use super::build::{MICROS, Writer, pcap, pcapng};
use super::*;
use crate::capture::{DamageReason, Unreadable};

/// Where the records of a whole capture begin, by cutting it: a cut at a boundary is no damage.
fn check_every_prefix(whole: &[u8], options: &OpenOptions) {
    let (all, _) = read_with(whole, options);
    let mut boundary = 0;
    for cut in 0..=whole.len() {
        let (frames, report) = read_with(&whole[..cut], options);
        assert_eq!(frames, all[..frames.len()], "cut at {cut}");
        if cut < 4 {
            assert!(report.error.is_some() && report.format.is_none());
            continue;
        }
        match report.damage {
            None => boundary = cut as u64,
            Some(damage) => {
                assert_eq!(damage.reason, DamageReason::CutShort, "cut at {cut}");
                assert_eq!(damage.offset, boundary, "cut at {cut}");
            }
        }
        assert_eq!((report.error, report.packets), (None, frames.len() as u64));
    }
    assert_eq!(boundary, whole.len() as u64);
}

#[test]
fn a_pcap_cut_anywhere_gives_what_was_whole() {
    check_every_prefix(&pcap(1, &[60, 0, 1, 90]), &OpenOptions::default());
    check_every_prefix(&pcap(1, &[60, 0, 1, 90]), &in_blocks_of(32));
}

#[test]
fn a_pcapng_cut_anywhere_gives_what_was_whole() {
    check_every_prefix(&pcapng(), &OpenOptions::default());
    check_every_prefix(&pcapng(), &in_blocks_of(32));
}

#[test]
fn a_snoop_cut_anywhere_gives_what_was_whole() {
    let order = Writer::Big;
    let mut bytes = b"snoop\0\0\0".to_vec();
    bytes.extend(order.words(&[2, 4, 3, 3, 28, 0, 7, 5]));
    bytes.extend(b"abc\0");
    bytes.extend(order.words(&[2, 2, 26, 11, 8, 0]));
    bytes.extend(b"de");
    for cut in 8..bytes.len() {
        let (_, report) = read(&bytes[..cut]);
        let boundary = [0, 16, 44].into_iter().rfind(|at| *at <= cut).unwrap();
        assert_eq!(
            report.damage.map(|d| d.offset),
            (boundary != cut || cut < 16).then_some(boundary as u64)
        );
    }
    assert_eq!(read(&bytes).1.damage, None);
}

#[test]
fn lengths_that_nobody_captured_are_damage() {
    let order = Writer::Little;
    let header = order.pcap_header(MICROS, (2, 4), 1);
    let limit = 65_535 + (256 << 10);
    let whole = order.pcap_record((1, 0), (limit, limit), &vec![1; limit as usize]);
    let (frames, report) = read(&[&header[..], &whole].concat());
    assert_eq!((frames[0].bytes.len(), report.damage), (limit as usize, None));
    for claimed in [limit + 1, 64 << 20, u32::MAX] {
        let record = order.pcap_record((1, 0), (claimed, claimed), &[0; 100]);
        let report = read(&[&header[..], &whole, &record].concat()).1;
        let damage = report.damage.unwrap();
        assert_eq!(damage.reason, DamageReason::CapturedLength(claimed));
        assert_eq!(damage.offset, (header.len() + whole.len()) as u64);
    }
}

#[test]
fn an_unwritten_tail_of_zeros_is_damage_and_no_packets() {
    let whole = pcap(1, &[60, 61]);
    let (frames, report) = read(&[&whole[..], &[0; 4_096]].concat());
    let damage = report.damage.unwrap();
    assert_eq!((frames.len(), damage.offset), (2, whole.len() as u64));
    assert_eq!(damage.reason, DamageReason::ZeroHeader);
    assert_eq!(damage.to_string(), format!("a record header is all zeros at byte {}", whole.len()));
}

#[test]
fn a_large_claim_costs_memory_only_as_it_arrives() {
    let order = Writer::Little;
    let mut bytes = order.pcap_header(MICROS, (2, 4), 1);
    bytes[16..20].copy_from_slice(&0_u32.to_le_bytes());
    bytes.extend(order.pcap_record((1, 0), (64 << 20, 64 << 20), &[0; 5_000]));
    let mut recording = Recording::open(&[memory("m", &bytes)], &in_blocks_of(1_024)).unwrap();
    let mut block = Block::new();
    assert!(!recording.next_block(&mut block));
    assert_eq!(recording.files()[0].damage.unwrap().offset, 24);
    assert!(block.capacity() <= 4 * 1_024, "memory goes back: {}", block.capacity());
}

#[test]
fn a_damaged_file_does_not_end_the_recording() {
    let cut = pcap(1, &[60, 60]);
    let inputs = [
        memory("cut", &cut[..cut.len() - 1]),
        memory("empty", b""),
        memory("text", b"no capture at all"),
        memory("whole", &pcap(10, &[60])),
    ];
    let (frames, reports) = drain(Recording::open(&inputs, &OpenOptions::default()).unwrap());
    let found: Vec<_> = frames.iter().map(|f| (f.id.file(), f.id.number())).collect();
    assert_eq!(found, [(0, 1), (1, 1)]);
    assert!(reports[0].damage.is_some() && reports[1].damage.is_none());
    assert_eq!(reports[2].error, Some(Unreadable::Empty));
    assert_eq!(reports[3].error, Some(Unreadable::UnknownFormat));
}
