//! Tests of the room as a whole, on frames built by hand.

mod build;
mod fragments;
mod layers;
mod properties;
mod referee;
mod transport;
mod tunnels;

use super::{Decoder, Packet, Skip};
use crate::wire::{Endpoint, Frame, FrameId, IpHeader, LinkType, Timestamp};

/// What a test compares: a packet without its frame.
#[derive(Clone, PartialEq, Debug)]
struct Seen {
    tcp: bool,
    src: Endpoint,
    dst: Endpoint,
    ip: IpHeader,
    payload: Vec<u8>,
    payload_len: u32,
}

impl From<Packet<'_>> for Seen {
    fn from(packet: Packet<'_>) -> Self {
        match packet {
            Packet::Tcp(s) => Self {
                tcp: true,
                src: s.src,
                dst: s.dst,
                ip: s.ip,
                payload: s.payload.to_vec(),
                payload_len: s.payload_len,
            },
            Packet::Udp(d) => Self {
                tcp: false,
                src: d.src,
                dst: d.dst,
                ip: d.ip,
                payload: d.payload.to_vec(),
                payload_len: d.payload_len,
            },
        }
    }
}

fn frame(number: u64, link: u16, bytes: &[u8]) -> Frame<'_> {
    Frame {
        id: FrameId::new(0, number),
        time: Timestamp::from_nanos(number as i64 * 1_000_000),
        link: LinkType(link),
        bytes,
        original_len: bytes.len() as u32,
    }
}

fn seen(link: u16, bytes: &[u8]) -> Result<Seen, Skip> {
    Decoder::new().decode(&frame(1, link, bytes)).map(Seen::from)
}
