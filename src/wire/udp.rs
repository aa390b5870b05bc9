//! A UDP datagram as it was captured (RFC 768).

use super::{Endpoint, FrameId, IpHeader, Timestamp};

/// A datagram; its bytes belong to the frame that it came in.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The frame that completed it.
    pub frame: FrameId,
    /// When that frame was captured.
    pub time: Timestamp,
    /// The innermost IP header.
    pub ip: IpHeader,
    /// Sender as stated.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// Captured payload.
    pub payload: &'a [u8],
    /// Payload bytes on the wire.
    pub payload_len: u32,
}

impl Datagram<'_> {
    /// The same headers over another payload.
    pub const fn with_bytes<'b>(&self, payload: &'b [u8]) -> Datagram<'b> {
        let Self { frame, time, ip, src, dst, payload_len, .. } = *self;
        Datagram { frame, time, ip, src, dst, payload, payload_len }
    }
}
