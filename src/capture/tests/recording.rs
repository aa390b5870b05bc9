//! Several files as one recording, filters, hashes, progress.

use std::io::Cursor;

use super::build::{MICROS, Writer, pcap};
use super::*;
use crate::capture::candidate::{Candidate, Origin};
use crate::capture::stored::Stored;
use crate::capture::{CaptureError, MAX_FILES};

const fn is_send<T: Send>() {}

/// An Ethernet frame with an IPv4 header of this protocol.
fn ethernet(protocol: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12] = 8;
    frame[14] = 0x45;
    frame[23] = protocol;
    frame
}

fn one_packet(link: u32, second: u32, bytes: &[u8]) -> Vec<u8> {
    let order = Writer::Little;
    let length = bytes.len() as u32;
    [
        order.pcap_header(MICROS, (2, 4), link),
        order.pcap_record((second, 0), (length, length), bytes),
    ]
    .concat()
}

fn filtered(text: &str) -> OpenOptions {
    OpenOptions { filter: Some(text.to_owned()), ..OpenOptions::default() }
}

#[test]
fn a_recording_moves_between_threads_and_blocks_are_shared() {
    is_send::<Recording>();
    is_send::<Block>();
    is_send::<Arc<Block>>();
}

#[test]
fn files_stand_in_the_order_of_their_first_packet() {
    let inputs = [
        memory("late", &pcap(30, &[60, 60])),
        memory("none", &pcap(1, &[])),
        memory("tie", &pcap(20, &[60])),
        memory("early", &pcap(10, &[60, 60, 60])),
        memory("second tie", &pcap(20, &[60])),
    ];
    let (frames, reports) = drain(Recording::open(&inputs, &OpenOptions::default()).unwrap());
    let names: Vec<_> = reports.iter().map(|r| r.path.as_str()).collect();
    assert_eq!(names, ["early", "tie", "second tie", "late", "none"]);
    let found: Vec<_> = frames.iter().map(|f| (f.id.file(), f.id.number())).collect();
    assert_eq!(found, [(0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (3, 1), (3, 2)]);
    assert!(frames.is_sorted_by_key(|f| f.id));
}

#[test]
fn the_size_of_blocks_changes_nothing_but_the_blocks() {
    let whole = pcap(1, &[60, 1_500, 0, 9_000, 60, 60, 3]);
    let (expected, expected_report) = read(&whole);
    for block_bytes in [1, 16, 17, 100, 1_516, 4_096, 1 << 20] {
        let (frames, report) = read_with(&whole, &in_blocks_of(block_bytes));
        assert_eq!((frames, report), (expected.clone(), expected_report.clone()), "{block_bytes}");
    }
}

#[test]
fn a_stream_is_looked_at_first_and_then_read_whole() {
    let bytes = pcap(5, &[60, 60]);
    let stream = || Stored::new(Box::new(Cursor::new(bytes.clone())));
    let mut candidate = Candidate {
        origin: Some(Origin::Stream(stream())),
        report: FileReport::default(),
        first: None,
        links: Vec::new(),
    };
    candidate.peek(&OpenOptions::default(), &mut Block::new()).unwrap();
    assert_eq!(candidate.first, Some(Timestamp::from_nanos(5_000_000_000)));
    assert_eq!(candidate.links, [LinkType(1)]);
    let Some(Origin::Stream(mut stored)) = candidate.origin else { panic!("not kept") };
    let mut again = Vec::new();
    std::io::Read::read_to_end(&mut stored, &mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn frames_that_the_filter_refuses_keep_their_numbers() {
    let order = Writer::Little;
    let mut bytes = order.pcap_header(MICROS, (2, 4), 1);
    for protocol in [17, 6, 17, 6] {
        bytes.extend(order.pcap_record((1, 0), (60, 60), &ethernet(protocol)));
    }
    for block_bytes in [16, 1 << 20] {
        let options = OpenOptions { block_bytes, ..filtered("ip proto 6") };
        let (frames, report) = read_with(&bytes, &options);
        assert_eq!(frames.iter().map(|f| f.id.number()).collect::<Vec<_>>(), [2, 4]);
        assert_eq!((report.packets, report.filtered), (4, 2));
        assert!(report.filter_faults.is_empty());
    }
}

#[test]
fn a_filter_is_compiled_for_the_link_types_of_the_files() {
    let raw = ethernet(6)[14..].to_vec();
    let inputs = [
        memory("ethernet", &one_packet(1, 1, &ethernet(6))),
        memory("raw", &one_packet(101, 2, &raw)),
        memory("usb", &one_packet(249, 3, &raw)),
    ];
    let recording = Recording::open(&inputs, &filtered("ip proto 6")).unwrap();
    let (frames, reports) = drain(recording);
    assert_eq!(frames.iter().map(|f| f.id.file()).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((reports[2].filtered, reports[2].packets), (1, 1));
    assert_eq!(reports[2].filter_faults[0].link, LinkType(249));
    assert!(!reports[2].filter_faults[0].message.is_empty());
}

#[test]
fn a_filter_that_fits_no_file_is_an_error_in_the_words_of_libpcap() {
    let input = [memory("m", &one_packet(1, 1, &ethernet(6)))];
    for inputs in [&input[..], &[]] {
        let error = Recording::open(inputs, &filtered("tcp prot 80")).err().unwrap();
        assert!(matches!(error, CaptureError::Filter { link: LinkType(1), .. }));
        assert!(error.to_string().contains("syntax error"), "{error}");
    }
}

#[test]
fn hashes_cover_the_stored_bytes_even_after_damage() {
    let mut bytes = pcap(1, &[60]);
    let plain = OpenOptions { hash: true, ..OpenOptions::default() };
    assert_eq!(read_with(&bytes, &plain).1.sha256, Some(sha2_of(&bytes)));
    bytes.resize(bytes.len() + 100_000, 0);
    let damaged = read_with(&bytes, &plain).1;
    assert!(damaged.damage.is_some());
    assert_eq!(damaged.sha256, Some(sha2_of(&bytes)));
    assert_eq!(read(&bytes).1.sha256, None);
}

fn sha2_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let hex = |byte: &u8| {
        [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
    };
    sha2::Sha256::digest(bytes).iter().flat_map(hex).collect()
}

#[test]
fn progress_ends_at_the_total_whatever_happens() {
    let cut = pcap(1, &[60, 60]);
    let zeros = [&cut[..], &[0; 10_000]].concat();
    let inputs = [memory("a", &zeros), memory("b", b"text"), memory("c", &pcap(3, &[60]))];
    let total = zeros.len() + 4 + pcap(3, &[60]).len();
    let recording = Recording::open(&inputs, &in_blocks_of(16)).unwrap();
    let progress = recording.progress();
    assert_eq!((progress.bytes_read(), progress.bytes_total()), (0, Some(total as u64)));
    drain(recording);
    assert_eq!(progress.bytes_read(), total as u64);
}

#[test]
fn what_cannot_be_one_recording_is_refused() {
    let open = |inputs: &[Input]| Recording::open(inputs, &OpenOptions::default()).err();
    let empty = memory("m", b"");
    let too_many = open(&vec![empty; MAX_FILES + 1]);
    assert!(matches!(too_many, Some(CaptureError::TooManyFiles { count: 65_536 })));
    let twice = open(&[Input::Stdin, Input::Stdin]);
    assert!(matches!(twice, Some(CaptureError::StdinTwice)));
    for path in ["/nowhere/at/all.pcap", "/"] {
        let error = open(&[Input::File(path.into())]).unwrap();
        assert!(error.to_string().starts_with(path), "{error}");
    }
}
