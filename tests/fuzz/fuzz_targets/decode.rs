//! Any frames of any link types, one after the other through one decoder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamperscope::decode::{Decoder, FRAGMENT_BYTES_MAX, FRAGMENTED_PACKETS_MAX, Packet, Skip};
use tamperscope::wire::{Frame, FrameId, LinkType, Timestamp};

fuzz_target!(|frames: Vec<(u16, u16, Vec<u8>)>| {
    let mut decoder = Decoder::new();
    for (number, (link, missing, bytes)) in (1..).zip(&frames) {
        let frame = Frame {
            id: FrameId::new(0, number),
            time: Timestamp::from_nanos(number as i64 * 1_000_000_000),
            link: LinkType(*link),
            bytes,
            original_len: bytes.len() as u32 + u32::from(*missing),
        };
        match decoder.decode(&frame) {
            Ok(Packet::Tcp(segment)) => {
                assert!(segment.payload.len() as u64 <= u64::from(segment.payload_len));
                assert!(segment.transport.ends_with(segment.payload));
                let _ = segment.checksum_valid();
            }
            Ok(Packet::Udp(datagram)) => {
                assert!(datagram.payload.len() as u64 <= u64::from(datagram.payload_len));
            }
            Err(skip) => assert!(Skip::ALL.contains(&skip)),
        }
        let stats = decoder.fragment_stats();
        assert!(stats.held_bytes <= FRAGMENT_BYTES_MAX);
        assert!(stats.held_packets <= FRAGMENTED_PACKETS_MAX);
    }
    let _ = decoder.take_fragment_conflicts();
});
