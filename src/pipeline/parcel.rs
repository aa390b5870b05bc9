//! A decoded packet on its way to another thread: its headers by value, its bytes by place.

use std::ops::Range;
use std::sync::Arc;

use super::clock::Tick;
use crate::capture::Block;
use crate::decode::Packet;
use crate::wire::{Datagram, Frame, Segment};

/// The packets of one block that belong to one lane.
pub(super) struct Batch {
    pub(super) block: Arc<Block>,
    pub(super) parcels: Vec<Parcel>,
}

/// One packet of a batch.
pub(super) struct Parcel {
    /// The packet without its bytes.
    packet: Packet<'static>,
    bytes: Bytes,
    /// The time that it is for all lanes.
    pub(super) clock: Tick,
}

/// Where the bytes of a packet are.
enum Bytes {
    /// In a frame of the block: its index, and the places of header and payload in it.
    Frame { index: u32, transport: Range<u32>, payload: Range<u32> },
    /// Put together from fragments: header and payload, and where the payload begins.
    Own { transport: Box<[u8]>, header: usize },
}

impl Parcel {
    /// Packs `packet`, which was decoded from the frame at `index` of its block.
    pub(super) fn pack(packet: &Packet<'_>, frame: &Frame<'_>, index: u32, clock: Tick) -> Self {
        let (detached, transport, payload) = match packet {
            Packet::Tcp(segment) => {
                (Packet::Tcp(segment.with_bytes(&[], &[])), segment.transport, segment.payload)
            }
            Packet::Udp(datagram) => {
                (Packet::Udp(datagram.with_bytes(&[])), datagram.payload, datagram.payload)
            }
        };
        let places = place_in(frame.bytes, transport).zip(place_in(frame.bytes, payload));
        let bytes = match places {
            Some((transport, payload)) => Bytes::Frame { index, transport, payload },
            None => Bytes::Own {
                transport: transport.into(),
                header: transport.len().saturating_sub(payload.len()),
            },
        };
        Self { packet: detached, bytes, clock }
    }

    /// The packet with its bytes, which are in `block` or in the parcel itself.
    pub(super) fn open<'a>(&'a self, block: &'a Block) -> Packet<'a> {
        let (transport, payload) = match &self.bytes {
            Bytes::Frame { index, transport, payload } => {
                let frame = block.frame(*index as usize).map_or(&[][..], |frame| frame.bytes);
                (slice(frame, transport), slice(frame, payload))
            }
            Bytes::Own { transport, header } => {
                (&transport[..], transport.get(*header..).unwrap_or_default())
            }
        };
        match &self.packet {
            Packet::Tcp(segment) => Packet::Tcp(segment.with_bytes(transport, payload)),
            Packet::Udp(datagram) => Packet::Udp(datagram.with_bytes(payload)),
        }
    }
}

/// Where `part` lies in `whole`, if it does.
fn place_in(whole: &[u8], part: &[u8]) -> Option<Range<u32>> {
    if part.is_empty() {
        return Some(0..0);
    }
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start as u32..end as u32)
}

fn slice<'a>(bytes: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    bytes.get(range.start as usize..range.end as usize).unwrap_or_default()
}

// What crosses threads is values and shared blocks; the lanes share nothing that changes.
const _: () = {
    const fn crosses_threads<T: Send>() {}
    crosses_threads::<Batch>();
    crosses_threads::<Segment<'static>>();
    crosses_threads::<Datagram<'static>>();
};
