//! What crosses threads: blocks, with each lane's share of their frames.

use super::clock::Tick;
use super::intake::Sorted;
use crate::capture::Block;
use crate::decode::{self, Packet};
use crate::wire::{Datagram, FlowKey, Segment, Side};

/// A block, and its packets sorted to lanes. It is shared, read by each lane, and filled again when
/// nobody holds it any more, so that in the long run nothing is allocated.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) block: Block,
    /// For each lane its parcels, in the order of the block.
    pub(super) sorted: Vec<Vec<Parcel>>,
}

/// One packet of a batch: which frame it is in. A lane reads the frame itself, so that who reads the
/// block, one at a time, has little to do.
pub(super) struct Parcel {
    /// The time that it is for all lanes.
    pub(super) clock: Tick,
    /// The frame's index in the block.
    index: u32,
    /// The packet itself, where it was put together from fragments.
    whole: Option<Box<Whole>>,
}

/// A packet with bytes of its own.
struct Whole {
    /// The packet without its bytes.
    packet: Packet<'static>,
    /// Header and payload.
    transport: Box<[u8]>,
    /// Where the payload begins.
    header: usize,
}

impl Parcel {
    /// Packs what was sorted from the frame at `index` of its block.
    pub(super) fn pack(sorted: &Sorted<'_>, index: u32) -> Self {
        let whole = sorted.whole.as_ref().map(|packet| Box::new(Whole::of(packet)));
        Self { clock: sorted.clock, index, whole }
    }

    /// Lends the packet with its bytes, which are in `block` or in the parcel itself, and its flow.
    #[inline]
    pub(super) fn open(&self, block: &Block, mut taker: impl FnMut(&Packet<'_>, (FlowKey, Side))) {
        if let Some(whole) = &self.whole {
            let packet = whole.packet();
            taker(&packet, packet.flow());
        } else if let Some(frame) = block.frame(self.index as usize) {
            decode::lend(&frame, taker);
        }
    }
}

impl Whole {
    fn of(packet: &Packet<'_>) -> Self {
        let (detached, transport, payload) = match packet {
            Packet::Tcp(segment) => {
                (Packet::Tcp(segment.with_bytes(&[], &[])), segment.transport, segment.payload)
            }
            Packet::Udp(datagram) => {
                (Packet::Udp(datagram.with_bytes(&[])), datagram.payload, datagram.payload)
            }
        };
        let header = transport.len().saturating_sub(payload.len());
        Self { packet: detached, transport: transport.into(), header }
    }

    fn packet(&self) -> Packet<'_> {
        let payload = self.transport.get(self.header..).unwrap_or_default();
        match &self.packet {
            Packet::Tcp(segment) => Packet::Tcp(segment.with_bytes(&self.transport, payload)),
            Packet::Udp(datagram) => Packet::Udp(datagram.with_bytes(payload)),
        }
    }
}

// What crosses threads is values and shared blocks; the lanes share nothing that changes.
const _: () = {
    const fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<Batch>();
    crosses_threads::<Segment<'static>>();
    crosses_threads::<Datagram<'static>>();
};
