//! A TCP segment as it was captured (RFC 9293 §3.1).

use std::fmt;

use super::{Endpoint, FrameId, IpHeader, SeqNumber, Timestamp, checksum};

/// The twelve bits beside the data offset: three reserved ones, AE (RFC 9768), and the flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x001);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x002);
    /// Reset the connection.
    pub const RST: Self = Self(0x004);
    /// Push.
    pub const PSH: Self = Self(0x008);
    /// The acknowledgment number counts.
    pub const ACK: Self = Self(0x010);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x020);
    /// ECN echo.
    pub const ECE: Self = Self(0x040);
    /// Congestion window reduced.
    pub const CWR: Self = Self(0x080);
    /// Accurate ECN, formerly NS.
    pub const AE: Self = Self(0x100);
    /// The three bits that every sender must leave at zero.
    pub const RESERVED: Self = Self(0xe00);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The union of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for TcpFlags {
    /// `SYN+ACK`, `RST`, `PSH+ACK`; `none` where no bit is set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(TcpFlags, &str); 10] = [
            (TcpFlags::SYN, "SYN"),
            (TcpFlags::RST, "RST"),
            (TcpFlags::FIN, "FIN"),
            (TcpFlags::PSH, "PSH"),
            (TcpFlags::URG, "URG"),
            (TcpFlags::ACK, "ACK"),
            (TcpFlags::ECE, "ECE"),
            (TcpFlags::CWR, "CWR"),
            (TcpFlags::AE, "AE"),
            (TcpFlags::RESERVED, "reserved"),
        ];
        let mut separator = "";
        for (flag, name) in NAMES {
            if self.intersects(flag) {
                write!(f, "{separator}{name}")?;
                separator = "+";
            }
        }
        if separator.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

/// The timestamps option (RFC 7323 §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TcpTimestamps {
    /// The sender's clock.
    pub value: u32,
    /// The peer's clock, echoed.
    pub echo: u32,
}

/// The options that the analysis reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct TcpOptions {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale shift (RFC 7323 §2).
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018).
    pub sack_permitted: bool,
    /// Timestamps.
    pub timestamps: Option<TcpTimestamps>,
    /// How many bytes of options the header has.
    pub len: u8,
    /// An option's length did not fit: the rest was not read.
    pub malformed: bool,
}

/// A segment; its bytes belong to the frame that it came in.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
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
    /// Sequence number of the first byte, or of the SYN.
    pub seq: SeqNumber,
    /// Acknowledgment number; meaningful with ACK only.
    pub ack: SeqNumber,
    /// Flags and reserved bits.
    pub flags: TcpFlags,
    /// Window, unscaled.
    pub window: u16,
    /// Checksum as carried.
    pub checksum: u16,
    /// Options.
    pub options: TcpOptions,
    /// Captured payload; shorter than `payload_len` in a snapped frame.
    pub payload: &'a [u8],
    /// Payload bytes on the wire, after the IP header's total length (link padding is no payload).
    pub payload_len: u32,
    /// Header and captured payload.
    pub transport: &'a [u8],
}

impl Segment<'_> {
    /// Sequence space that the segment consumes: payload, and one each for SYN and FIN.
    pub const fn sequence_len(&self) -> u32 {
        self.payload_len
            .wrapping_add(self.flags.contains(TcpFlags::SYN) as u32)
            .wrapping_add(self.flags.contains(TcpFlags::FIN) as u32)
    }

    /// The sequence number after the segment.
    pub const fn seq_end(&self) -> SeqNumber {
        self.seq.plus(self.sequence_len())
    }

    /// The sequence number of the first payload byte (a SYN occupies the one before).
    pub const fn payload_seq(&self) -> SeqNumber {
        self.seq.plus(self.flags.contains(TcpFlags::SYN) as u32)
    }

    /// The same headers over other bytes: header and captured payload, and the payload alone.
    pub const fn with_bytes<'b>(&self, transport: &'b [u8], payload: &'b [u8]) -> Segment<'b> {
        let Self { frame, time, ip, src, dst, seq, ack, .. } = *self;
        let Self { flags, window, checksum, options, payload_len, .. } = *self;
        Segment {
            frame,
            time,
            ip,
            src,
            dst,
            seq,
            ack,
            flags,
            window,
            checksum,
            options,
            payload,
            payload_len,
            transport,
        }
    }

    /// Whether all payload bytes were captured.
    pub const fn is_complete(&self) -> bool {
        self.payload.len() as u64 == self.payload_len as u64
    }

    /// Whether the checksum is right; `None` where bytes are missing.
    ///
    /// A wrong one is no mark by itself: captures made on the sending host show checksums before
    /// the network card fills them in.
    pub fn checksum_valid(&self) -> Option<bool> {
        let complete = self.is_complete();
        complete
            .then(|| checksum::transport_checksum(self.src.ip, self.dst.ip, 6, self.transport) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_as_people_say_them() {
        assert_eq!(TcpFlags(0x12).to_string(), "SYN+ACK");
        assert_eq!(TcpFlags(0x14).to_string(), "RST+ACK");
        assert_eq!(TcpFlags(0xf14).to_string(), "RST+ACK+AE+reserved");
        assert_eq!(TcpFlags(0).to_string(), "none");
    }
}
