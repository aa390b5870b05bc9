//! What is left of a TCP connection that is over and was judged, for as long as stragglers may come.

use super::TcpFlow;
use crate::wire::{FrameId, Segment, SeqNumber, Side, TcpFlags};

/// Enough to tell a straggler from a new connection on the same five-tuple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remains {
    client: Side,
    /// The number of the client's SYN, if it was seen.
    syn: Option<SeqNumber>,
    /// Its first frame.
    pub first_frame: FrameId,
}

impl Remains {
    /// What is left of `flow`, which is over.
    pub fn of(flow: &TcpFlow) -> Self {
        let syn = flow.handshake.syn.map(|syn| syn.seq);
        Self { client: flow.client, syn, first_frame: flow.first_frame }
    }

    /// Whether `segment` opens another connection, as [`TcpFlow::is_reopened_by`] tells it of a
    /// connection that is over.
    pub fn is_reopened_by(&self, segment: &Segment<'_>, sender: Side) -> bool {
        let flags = segment.flags;
        if !flags.contains(TcpFlags::SYN) || flags.intersects(TcpFlags::RST) {
            return false;
        }
        match self.syn {
            _ if flags.contains(TcpFlags::ACK) => self.syn.is_none(),
            Some(syn) => sender != self.client || syn != segment.seq,
            None => true,
        }
    }
}
