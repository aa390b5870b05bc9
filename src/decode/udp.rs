//! UDP headers (RFC 768).

use etherparse::UdpHeaderSlice;

use super::Skip;
use super::ip::IpPacket;
use super::octets::Octets;
use crate::wire::{Datagram, Endpoint, FlowKey, Frame, Side, Transport};

/// A UDP header with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct UdpLeaf<'a> {
    packet: IpPacket<'a>,
    /// Port of the sender.
    pub(super) src_port: u16,
    /// Port of the receiver.
    pub(super) dst_port: u16,
    /// The payload.
    pub(super) body: Octets<'a>,
}

/// Reads the header and settles the payload's length: the smaller of what UDP and IP state.
#[inline(always)]
pub(super) fn locate(packet: IpPacket<'_>) -> Result<UdpLeaf<'_>, Skip> {
    let cut = || packet.body.too_short(Skip::TruncatedUdp, Skip::BadUdpHeader);
    let header = UdpHeaderSlice::from_slice(packet.body.bytes()).map_err(|_| cut())?;
    let body = packet.body.skip(HEADER_LEN).ok_or_else(cut)?;
    let body = match usize::from(header.length()) {
        // A jumbogram (RFC 2675 §4), or captured before segmentation offload.
        0 => body,
        stated => {
            let stated = stated.checked_sub(HEADER_LEN).ok_or(Skip::BadUdpHeader)?;
            body.limit(body.wire_len().min(stated as u32))
        }
    };
    let (src_port, dst_port) = (header.source_port(), header.destination_port());
    Ok(UdpLeaf { packet, src_port, dst_port, body })
}

impl<'a> UdpLeaf<'a> {
    /// The key of the flow, and which end sent this.
    #[inline(always)]
    pub(super) fn flow(&self) -> (FlowKey, Side) {
        let src = Endpoint::new(self.packet.src, self.src_port);
        let dst = Endpoint::new(self.packet.dst, self.dst_port);
        FlowKey::of(Transport::Udp, src, dst)
    }

    /// The datagram that `frame` brought or completed.
    #[inline(always)]
    pub(super) fn datagram(&self, frame: &Frame<'_>) -> Datagram<'a> {
        Datagram {
            frame: frame.id,
            time: frame.time,
            ip: self.packet.header,
            src: Endpoint::new(self.packet.src, self.src_port),
            dst: Endpoint::new(self.packet.dst, self.dst_port),
            payload: self.body.bytes(),
            payload_len: self.body.wire_len(),
        }
    }
}

const HEADER_LEN: usize = 8;
