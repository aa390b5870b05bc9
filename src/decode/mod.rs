//! From a captured frame to a TCP segment or a UDP datagram, or a counted reason why not.
//!
//! What enters: a [`Frame`] of any link type. What leaves: a [`Packet`] that borrows the frame's
//! bytes, or a [`Skip`]. The headers are walked in a loop: link layer (Ethernet, Linux cooked,
//! PPP, 802.11 …), shims (VLAN, MPLS, PPPoE), IP, tunnels in IP and in UDP, and again, until TCP
//! or UDP is reached. The addresses and the IP header told are those of the innermost IP packet.
//!
//! What is kept: fragments of IP packets, in a [`Decoder`], and nothing else. What bounds it:
//! [`FRAGMENTED_PACKETS_MAX`], [`FRAGMENT_BYTES_MAX`], [`FRAGMENT_CONFLICTS_MAX`] and a timeout.
//! Time per frame is linear in its length; a frame without fragments allocates nothing.
//!
//! A frame that was cut by the capture is read as far as it goes: lengths are those that the IP
//! headers state, payloads what was captured. A length of zero, as segmentation offload leaves
//! it, means all that the frame has. A UDP datagram that looks like a tunnel's and leads to no
//! packet is an ordinary datagram, so that none is lost to a guess.
//!
//! What is not done: checksums are not verified; a routing header's final destination is not
//! looked up; encrypted or compressed layers are counted, not opened; aggregated or fragmented
//! 802.11 frames are counted; the packet quoted in an ICMP error is not a packet.

#![expect(
    clippy::inline_always,
    reason = "a header in small pieces must not be put together in memory: see `plain::leaf`"
)]

mod ethertype;
mod fragment;
mod ieee80211;
mod ip;
mod link;
mod octets;
mod plain;
mod skip;
mod tcp;
mod tunnel;
mod udp;
mod udp_tunnel;
mod walk;

#[cfg(test)]
mod tests;

pub use self::fragment::{
    BYTES_MAX as FRAGMENT_BYTES_MAX, CONFLICTS_MAX as FRAGMENT_CONFLICTS_MAX,
    DATAGRAMS_MAX as FRAGMENTED_PACKETS_MAX, FragmentConflict, FragmentStats,
};
pub use self::skip::{Skip, SkipCounts};

use self::fragment::{Fragment, Reassembler};
use self::ip::IpPacket;
use self::octets::Octets;
use self::walk::{Leaf, Walked};
use crate::wire::{Datagram, FlowKey, Frame, Segment, Side, Transport};

/// What a frame carries.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
}

impl Packet<'_> {
    /// The key of its flow, and which end sent it.
    pub fn flow(&self) -> (FlowKey, Side) {
        match self {
            Self::Tcp(segment) => FlowKey::of(Transport::Tcp, segment.src, segment.dst),
            Self::Udp(datagram) => FlowKey::of(Transport::Udp, datagram.src, datagram.dst),
        }
    }
}

/// The flow of the packet in `frame`, and which end sent it; none where fragments, or nothing, come
/// of it: then a [`Decoder`] must decide.
///
/// Whoever only sorts packets need not read them.
#[inline]
pub fn flow(frame: &Frame<'_>) -> Option<(FlowKey, Side)> {
    plain::leaf(
        frame,
        #[inline(always)]
        |leaf| leaf.flow(),
    )
    .or_else(|| Some(odd_leaf(frame)?.flow()))
}

/// Reads a frame that is no fragment as [`Decoder::decode`] does, and lends `taker` the packet with
/// its [flow](Packet::flow): it is large, and to move it costs a good part of what it costs to read
/// it.
#[inline]
pub fn lend<'a, R>(
    frame: &Frame<'a>,
    mut taker: impl FnMut(&Packet<'a>, (FlowKey, Side)) -> R,
) -> Option<R> {
    plain::leaf(
        frame,
        #[inline(always)]
        |leaf| taker(&packet(frame, &leaf), leaf.flow()),
    )
    .or_else(|| {
        let leaf = odd_leaf(frame)?;
        Some(taker(&packet(frame, &leaf), leaf.flow()))
    })
}

/// The transport header of a frame that is not plain.
#[cold]
fn odd_leaf<'a>(frame: &Frame<'a>) -> Option<Leaf<'a>> {
    match walk::headers(frame) {
        Ok(Walked::Leaf(leaf)) => Some(leaf),
        Ok(Walked::Fragment(_)) | Err(_) => None,
    }
}

/// Reads frames; keeps the fragments of IP packets between them.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Reassembler,
    /// The packet that was put together last; what is lent points into it.
    assembled: Vec<u8>,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a frame.
    ///
    /// The packet borrows the frame's bytes, or the decoder's where it was made from fragments;
    /// then `frame` and `time` are those of the fragment that completed it.
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Packet<'a>, Skip> {
        match plain::leaf(
            frame,
            #[inline(always)]
            |leaf| packet(frame, &leaf),
        ) {
            Some(packet) => Ok(packet),
            None => self.decode_odd(frame),
        }
    }

    /// Reads a frame as [`Self::decode`] does, and lends what it carries as [`lend`] does.
    #[inline]
    pub fn hand<'a>(
        &'a mut self,
        frame: &Frame<'a>,
        mut taker: impl FnMut(&Packet<'a>, (FlowKey, Side)),
    ) -> Result<(), Skip> {
        let plain = plain::leaf(
            frame,
            #[inline(always)]
            |leaf| taker(&packet(frame, &leaf), leaf.flow()),
        );
        if plain.is_none() {
            let packet = self.decode_odd(frame)?;
            taker(&packet, packet.flow());
        }
        Ok(())
    }

    /// Reads a frame that is not a plain one.
    #[cold]
    fn decode_odd<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Packet<'a>, Skip> {
        match walk::headers(frame)? {
            Walked::Leaf(leaf) => Ok(packet(frame, &leaf)),
            Walked::Fragment(fragment) => self.decode_fragment(frame, &fragment),
        }
    }

    /// Fragments that contradicted earlier ones since the last call, in the order of frames.
    ///
    /// At most [`FRAGMENT_CONFLICTS_MAX`] wait here; the rest is counted in [`FragmentStats`].
    pub fn take_fragment_conflicts(&mut self) -> Vec<FragmentConflict> {
        self.fragments.take_conflicts()
    }

    /// What became of fragmented packets, and how much of them is held.
    pub fn fragment_stats(&self) -> FragmentStats {
        self.fragments.stats()
    }

    /// Takes a fragment. What it completes may be a tunnel with another fragment inside, and
    /// each of these lies one tunnel deeper.
    #[cold]
    fn decode_fragment<'a>(
        &'a mut self,
        frame: &Frame<'a>,
        fragment: &Fragment<'a>,
    ) -> Result<Packet<'a>, Skip> {
        let (mut head, whole) = self.fragments.add(frame, fragment)?;
        self.assembled = whole;
        for _ in 0..TUNNELS_MAX {
            let Walked::Fragment(inner) = walk::reassembled(body(head, &self.assembled))? else {
                break;
            };
            let (inner_head, whole) = self.fragments.add(frame, &inner)?;
            head = inner_head;
            self.assembled = whole;
        }
        match walk::reassembled(body(head, &self.assembled))? {
            Walked::Leaf(leaf) => Ok(packet(frame, &leaf)),
            Walked::Fragment(_) => Err(Skip::TunnelDepth),
        }
    }
}

/// The reassembled packet that `head` describes.
fn body<'a>(head: IpPacket<'_>, bytes: &'a [u8]) -> IpPacket<'a> {
    let IpPacket { src, dst, header, protocol, body: _ } = head;
    IpPacket { src, dst, header, protocol, body: Octets::new(bytes, bytes.len() as u32) }
}

#[inline(always)]
fn packet<'a>(frame: &Frame<'_>, leaf: &Leaf<'a>) -> Packet<'a> {
    match leaf {
        Leaf::Tcp(leaf) => Packet::Tcp(leaf.segment(frame)),
        Leaf::Udp(leaf) => Packet::Udp(leaf.datagram(frame)),
    }
}

/// How many tunnels inside each other are followed, counted in IP headers.
const TUNNELS_MAX: u8 = 8;
