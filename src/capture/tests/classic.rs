//! Classic pcap and snoop.

use super::build::{BOTH, MICROS, MODIFIED, NANOS, Writer};
use super::*;
use crate::capture::{Format, TimeResolution, Unreadable};

#[test]
fn both_byte_orders_and_both_units_are_read() {
    for order in BOTH {
        for (magic, unit, resolution) in
            [(MICROS, 1_000, TimeResolution::MICROS), (NANOS, 1, TimeResolution::NANOS)]
        {
            let mut bytes = order.pcap_header(magic, (2, 4), 1);
            bytes.extend(order.pcap_record((7, 999_999), (3, 90), b"abc"));
            bytes.extend(order.pcap_record((5, 1), (4, 4), b"defg"));
            let (frames, report) = read(&bytes);
            let [first, second] = frames.as_slice() else { panic!("{frames:?}") };
            assert_eq!(first.time.as_nanos(), 7_000_000_000 + 999_999 * unit);
            assert_eq!((first.bytes.as_slice(), first.original_len), (&b"abc"[..], 90));
            assert_eq!((first.id, second.id), (FrameId::new(0, 1), FrameId::new(0, 2)));
            assert_eq!(report.format, Some(Format::Pcap));
            assert_eq!((report.packets, report.packets_truncated), (2, 1));
            assert_eq!((report.first, report.last), (Some(second.time), Some(first.time)));
            assert_eq!(report.interfaces[0].time_resolution, resolution);
            assert_eq!((report.interfaces[0].snaplen, report.damage), (65_535, None));
            assert_eq!(report.bytes, bytes.len() as u64);
        }
    }
}

#[test]
fn the_modified_layout_has_longer_record_headers() {
    for order in BOTH {
        let mut bytes = order.pcap_header(MODIFIED, (2, 4), 1);
        for fill in [b"abc", b"def"] {
            bytes.extend(order.pcap_record((7, 5), (3, 3), &[9; 8]));
            bytes.extend(fill);
        }
        let (frames, report) = read(&bytes);
        assert_eq!(frames.iter().map(|f| f.bytes.as_slice()).collect::<Vec<_>>(), [b"abc", b"def"]);
        assert_eq!(report.damage, None);
    }
}

#[test]
fn old_versions_wrote_the_lengths_the_other_way_round() {
    let order = Writer::Big;
    let cases = [
        ((2, 4), (3, 9)),
        ((2, 3), (3, 9)),
        ((2, 3), (9, 3)),
        ((2, 2), (9, 3)),
        ((543, 0), (9, 3)),
        ((0, 0), (3, 9)),
        ((7, 2), (3, 9)),
    ];
    for (version, lengths) in cases {
        let mut bytes = order.pcap_header(MICROS, version, 1);
        bytes.extend(order.pcap_record((7, 5), lengths, b"abc"));
        let (frames, _) = read(&bytes);
        assert_eq!((frames[0].bytes.len(), frames[0].original_len), (3, 9), "{version:?}");
    }
}

#[test]
fn the_frame_check_sequence_is_no_part_of_the_link_type() {
    let order = Writer::Little;
    let mut bytes = order.pcap_header(MICROS, (2, 4), 0x3400_0001);
    bytes.extend(order.pcap_record((7, 5), (3, 3), b"abc"));
    assert_eq!(read(&bytes).0[0].link, LinkType(1));
}

#[test]
fn odd_records_are_delivered_and_counted() {
    let order = Writer::Little;
    let mut bytes = order.pcap_header(MICROS, (2, 4), 1);
    bytes.extend(order.pcap_record((7, 3_000_000), (3, 2), b"abc"));
    bytes.extend(order.pcap_record((7, 0), (0, 60), b""));
    let (frames, report) = read(&bytes);
    assert_eq!(frames[0].time.as_nanos(), 10_000_000_000);
    assert_eq!((frames[0].bytes.len(), frames[0].original_len), (3, 3));
    assert_eq!((frames[1].bytes.len(), frames[1].original_len), (0, 60));
    assert_eq!((report.packets_caplen_above_original, report.packets_truncated), (1, 1));
}

#[test]
fn snoop_is_read_with_its_padding_and_drops() {
    let order = Writer::Big;
    let mut bytes = b"snoop\0\0\0".to_vec();
    bytes.extend(order.words(&[2, 4]));
    bytes.extend(order.words(&[90, 3, 28, 0, 7, 5]));
    bytes.extend(b"abc\0");
    bytes.extend(order.words(&[2, 2, 26, 11, 8, 0]));
    bytes.extend(b"de");
    let (frames, report) = read(&bytes);
    assert_eq!(frames[0].bytes, b"abc");
    assert_eq!((frames[0].link, frames[0].original_len), (LinkType(1), 90));
    assert_eq!(frames[1].time.as_nanos(), 8_000_000_000);
    assert_eq!((report.format, report.capture_drops), (Some(Format::Snoop), Some(11)));
    assert_eq!(report.damage, None);
}

#[test]
fn what_is_no_capture_is_called_by_its_name() {
    assert_eq!(read(b"").1.error, Some(Unreadable::Empty));
    assert_eq!(read(b"GET / HTTP/1.1").1.error, Some(Unreadable::UnknownFormat));
    let error = read(b"btsnoop\0\0\0\0\x01").1.error.unwrap();
    assert!(error.to_string().contains("Bluetooth"));
}
