//! TCP headers and options (RFC 9293 §3.1, §3.2).

use etherparse::TcpHeaderSlice;
use etherparse::err::tcp::HeaderSliceError;

use super::Skip;
use super::ip::IpPacket;
use super::octets::Octets;
use crate::wire::{
    Endpoint, FlowKey, Frame, Segment, SeqNumber, Side, TcpFlags, TcpOptions, TcpTimestamps,
    Transport,
};

/// A TCP header with its place.
#[derive(Clone, Debug)]
pub(super) struct TcpLeaf<'a> {
    packet: IpPacket<'a>,
    header: TcpHeaderSlice<'a>,
    body: Octets<'a>,
}

/// Reads the fixed header and checks that its options were captured.
#[inline(always)]
pub(super) fn locate(packet: IpPacket<'_>) -> Result<TcpLeaf<'_>, Skip> {
    let cut = || packet.body.too_short(Skip::TruncatedTcp, Skip::BadTcpHeader);
    let header = TcpHeaderSlice::from_slice(packet.body.bytes()).map_err(|error| match error {
        HeaderSliceError::Len(_) => cut(),
        HeaderSliceError::Content(_) => Skip::BadTcpHeader,
    })?;
    let body = packet.body.skip(header.slice().len()).ok_or_else(cut)?;
    Ok(TcpLeaf { packet, header, body })
}

impl<'a> TcpLeaf<'a> {
    /// The key of the flow, and which end sent this.
    #[inline(always)]
    pub(super) fn flow(&self) -> (FlowKey, Side) {
        let src = Endpoint::new(self.packet.src, self.header.source_port());
        let dst = Endpoint::new(self.packet.dst, self.header.destination_port());
        FlowKey::of(Transport::Tcp, src, dst)
    }

    /// The segment that `frame` brought or completed.
    #[inline(always)]
    pub(super) fn segment(&self, frame: &Frame<'_>) -> Segment<'a> {
        let header = &self.header;
        Segment {
            frame: frame.id,
            time: frame.time,
            ip: self.packet.header,
            src: Endpoint::new(self.packet.src, header.source_port()),
            dst: Endpoint::new(self.packet.dst, header.destination_port()),
            seq: SeqNumber(header.sequence_number()),
            ack: SeqNumber(header.acknowledgment_number()),
            flags: flags(self.packet.body),
            window: header.window_size(),
            checksum: header.checksum(),
            options: options(header.options()),
            payload: self.body.bytes(),
            payload_len: self.body.wire_len(),
            transport: self.packet.body.bytes(),
        }
    }
}

/// The twelve bits beside the data offset; the crate's accessors leave the reserved ones out.
#[inline]
fn flags(transport: Octets<'_>) -> TcpFlags {
    TcpFlags(transport.be16(12).unwrap_or_default() & 0x0fff)
}

/// Walks the options; unknown ones are passed over by their length.
///
/// The crate's iterator ends at the first kind that it does not know, such as fast open (RFC
/// 7413), authentication (RFC 5925) or multipath (RFC 8684).
#[inline]
fn options(bytes: &[u8]) -> TcpOptions {
    // What nearly all stacks send once they have agreed on timestamps (RFC 7323 §A).
    const STAMPED: [u8; 4] = [NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10];
    if let Some((&STAMPED, stamps)) = bytes.split_first_chunk::<4>()
        && let ([value, echo], []) = stamps.as_chunks::<4>()
    {
        let (value, echo) = (u32::from_be_bytes(*value), u32::from_be_bytes(*echo));
        let timestamps = Some(TcpTimestamps { value, echo });
        return TcpOptions { timestamps, len: 12, ..TcpOptions::default() };
    }
    walk(bytes)
}

fn walk(bytes: &[u8]) -> TcpOptions {
    let mut options = TcpOptions { len: bytes.len() as u8, ..TcpOptions::default() };
    let mut rest = bytes;
    while let Some((&kind, behind)) = rest.split_first() {
        rest = match kind {
            END => break,
            NO_OPERATION => behind,
            _ => option(kind, behind, &mut options).unwrap_or_else(|| {
                options.malformed = true;
                &[]
            }),
        };
    }
    options
}

/// Reads one option behind its kind; `None` where its length is impossible.
fn option<'a>(kind: u8, bytes: &'a [u8], options: &mut TcpOptions) -> Option<&'a [u8]> {
    let (&len, bytes) = bytes.split_first()?;
    let (value, behind) = bytes.split_at_checked(usize::from(len).checked_sub(2)?)?;
    match kind {
        MAXIMUM_SEGMENT_SIZE => options.mss = Some(u16::from_be_bytes(value.try_into().ok()?)),
        WINDOW_SCALE => options.window_scale = Some(u8::from_be_bytes(value.try_into().ok()?)),
        SACK_PERMITTED if value.is_empty() => options.sack_permitted = true,
        SACK_PERMITTED => return None,
        TIMESTAMPS => {
            let (stamp, echo) = value.split_at_checked(4)?;
            options.timestamps = Some(TcpTimestamps {
                value: u32::from_be_bytes(stamp.try_into().ok()?),
                echo: u32::from_be_bytes(echo.try_into().ok()?),
            });
        }
        _ => {}
    }
    Some(behind)
}

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MAXIMUM_SEGMENT_SIZE: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const TIMESTAMPS: u8 = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> (Option<u16>, Option<u8>, bool, Option<u32>, bool) {
        let o = options(bytes);
        (o.mss, o.window_scale, o.sack_permitted, o.timestamps.map(|t| t.value), o.malformed)
    }

    #[test]
    fn options_are_read_up_to_the_first_impossible_length() {
        let linux = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];
        assert_eq!(read(&linux), (Some(1460), Some(7), true, Some(7), false));
        let fast_open_first = [34, 2, 1, 1, 2, 4, 5, 180];
        assert_eq!(read(&fast_open_first), (Some(1460), None, false, None, false));
        let behind_the_end = [0, 3, 3, 7];
        assert_eq!(read(&behind_the_end), (None, None, false, None, false));
        for malformed in [&[2, 4, 5][..], &[2, 3, 5, 1], &[3, 0, 7], &[3, 1], &[8], &[4, 3, 0]] {
            assert_eq!(read(malformed), (None, None, false, None, true), "{malformed:?}");
        }
        assert_eq!(read(&[3, 3, 7, 8, 10, 0]), (None, Some(7), false, None, true));
    }

    proptest! {
        #[test]
        fn the_usual_options_are_read_as_any_others(stamps: [u8; 8], more in 0_usize..3) {
            let mut bytes = vec![NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10];
            bytes.extend(stamps);
            bytes.extend(std::iter::repeat_n(NO_OPERATION, more));
            prop_assert_eq!(options(&bytes), walk(&bytes));
        }

        #[test]
        fn any_option_bytes_are_walked_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..41)) {
            prop_assert_eq!(usize::from(options(&bytes).len), bytes.len());
        }
    }
}
