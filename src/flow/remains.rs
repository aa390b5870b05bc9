//! What tells a connection from the next one on the same five-tuple.

use super::{Phase, TcpFlow};
use crate::wire::{FrameId, Segment, SeqNumber, Side, TcpFlags};

/// What must be left of a TCP connection that was judged, for as long as stragglers may come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remains {
    client: Side,
    phase: Phase,
    /// The number of the client's SYN, if it was seen.
    syn: Option<SeqNumber>,
    /// Its first frame.
    pub first_frame: FrameId,
}

impl Remains {
    /// What is left of `flow`.
    pub fn of(flow: &TcpFlow) -> Self {
        let syn = flow.handshake.syn.map(|syn| syn.seq);
        Self { client: flow.client, phase: flow.phase, syn, first_frame: flow.first_frame }
    }

    /// Whether `segment` opens another connection: a SYN with another initial sequence number (RFC 9293
    /// §3.6.1; as Wireshark splits conversations).
    pub fn is_reopened_by(&self, segment: &Segment<'_>, sender: Side) -> bool {
        let flags = segment.flags;
        if !flags.contains(TcpFlags::SYN) || flags.intersects(TcpFlags::RST) {
            return false;
        }
        if flags.contains(TcpFlags::ACK) {
            // A SYN/ACK belongs to the SYN that it acknowledges; after the end it can only be new.
            return self.phase.is_over() && self.syn.is_none();
        }
        match self.syn {
            Some(syn) if sender == self.client => syn != segment.seq,
            Some(_) => self.phase != Phase::SynSent && self.phase != Phase::SimultaneousOpen,
            None => self.phase != Phase::SynAcked,
        }
    }
}
