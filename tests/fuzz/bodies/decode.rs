//! Any frames of any link types, one after the other through one decoder.
//!
//! Each frame: link type (2), bytes that the capture cut off (2), length (2), bytes.

use tamperscope::decode::{Decoder, FRAGMENT_BYTES_MAX, FRAGMENTED_PACKETS_MAX, Packet, Skip};
use tamperscope::wire::{Frame, FrameId, LinkType, Timestamp};

use super::head::Head;

/// Payloads lie within what was captured, and the fragments held stay within their bounds.
pub fn check(bytes: &[u8]) {
    let mut head = Head(bytes);
    let mut decoder = Decoder::new();
    for number in 1.. {
        if head.is_empty() {
            break;
        }
        let (link, missing, len) = (head.u16(), head.u16(), head.u16());
        let bytes = head.bytes(usize::from(len));
        one(
            &mut decoder,
            &Frame {
                id: FrameId::new(0, number),
                time: Timestamp::from_nanos(number as i64 * 1_000_000_000),
                link: LinkType(link),
                bytes,
                original_len: bytes.len() as u32 + u32::from(missing),
            },
        );
    }
    let _ = decoder.take_fragment_conflicts();
}

fn one(decoder: &mut Decoder, frame: &Frame<'_>) {
    match decoder.decode(frame) {
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
