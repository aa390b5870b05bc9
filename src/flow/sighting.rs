//! A segment as it is remembered: its headers, without its bytes.

use crate::wire::{
    Direction, Duration, FrameId, Segment, SeqNumber, TcpFlags, TcpTimestamps, Timestamp, Ttl,
};

/// The headers of one segment, and which way it went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sighting {
    /// Its frame.
    pub frame: FrameId,
    /// When it was captured.
    pub time: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// Sequence number.
    pub seq: SeqNumber,
    /// Acknowledgment number.
    pub ack: SeqNumber,
    /// Payload bytes on the wire.
    pub payload_len: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Window, unscaled.
    pub window: u16,
    /// Window scale option, which SYNs carry (RFC 7323 §2).
    pub window_scale: Option<u8>,
    /// Time to live or hop limit.
    pub ttl: Ttl,
    /// IP identification.
    pub ip_id: Option<u16>,
    /// The DF flag.
    pub dont_fragment: bool,
    /// TCP timestamps.
    pub timestamps: Option<TcpTimestamps>,
    /// The same frame was captured before.
    pub duplicate: bool,
}

impl Sighting {
    /// What is remembered of `segment`.
    pub const fn of(segment: &Segment<'_>, direction: Direction, duplicate: bool) -> Self {
        Self {
            frame: segment.frame,
            time: segment.time,
            direction,
            seq: segment.seq,
            ack: segment.ack,
            payload_len: segment.payload_len,
            flags: segment.flags,
            window: segment.window,
            window_scale: segment.options.window_scale,
            ttl: segment.ip.ttl,
            ip_id: segment.ip.id,
            dont_fragment: segment.ip.dont_fragment,
            timestamps: segment.options.timestamps,
            duplicate,
        }
    }

    /// Whether RST is set.
    pub const fn is_reset(&self) -> bool {
        self.flags.contains(TcpFlags::RST)
    }

    /// Whether FIN is set, and RST is not.
    pub const fn is_fin(&self) -> bool {
        self.flags.contains(TcpFlags::FIN) && !self.is_reset()
    }

    /// Whether SYN is set.
    pub const fn is_syn(&self) -> bool {
        self.flags.contains(TcpFlags::SYN)
    }

    /// Whether SYN and ACK are both set.
    pub const fn is_syn_ack(&self) -> bool {
        self.flags.contains(TcpFlags::SYN.union(TcpFlags::ACK)) && !self.is_reset()
    }

    /// Whether ACK is set.
    pub const fn has_ack(&self) -> bool {
        self.flags.contains(TcpFlags::ACK)
    }

    /// Whether it does nothing but acknowledge.
    pub const fn is_bare_ack(&self) -> bool {
        self.has_ack()
            && self.payload_len == 0
            && !self.is_syn()
            && !self.is_fin()
            && !self.is_reset()
    }

    /// The sequence number after it (see [`Segment::sequence_len`]). A RST's payload is text
    /// about the reset (RFC 9293 §3.5.3) and consumes nothing.
    pub const fn seq_end(&self) -> SeqNumber {
        let payload = if self.is_reset() { 0 } else { self.payload_len };
        self.seq
            .plus(payload)
            .plus(self.is_syn() as u32)
            .plus((self.flags.contains(TcpFlags::FIN) && !self.is_reset()) as u32)
    }

    /// Time from `earlier` to this one.
    pub fn after(&self, earlier: &Self) -> Duration {
        self.time.since(earlier.time)
    }
}
