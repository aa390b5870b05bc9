//! Long header packets, as many as one datagram holds (RFC 9000 §12.2, §17.2, RFC 8999 §5.1).

use super::{QuicVersion, cursor::Cursor};

/// A connection ID of at most 20 bytes (RFC 9000 §17.2).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ConnectionId {
    bytes: [u8; Self::BYTES_MAX],
    len: u8,
}

impl ConnectionId {
    const BYTES_MAX: usize = 20;

    pub(super) fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::BYTES_MAX];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { bytes, len: id.len() as u8 })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let len = cursor.byte()?;
        Self::new(cursor.take(u64::from(len))?)
    }
}

impl std::fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a long header packet is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
    VersionNegotiation,
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) version: QuicVersion,
    pub(super) kind: Kind,
    pub(super) destination: ConnectionId,
    pub(super) source: ConnectionId,
    /// The whole packet, still protected.
    pub(super) bytes: &'a [u8],
    /// Where the packet number begins; of packets without one, where the header ends.
    pub(super) number_at: usize,
}

impl<'a> Packet<'a> {
    /// Reads the packet that `datagram` begins with, and gives what follows it.
    ///
    /// `None` of a short header, of a version whose layout is not known, and of a packet that is
    /// not there to its end.
    ///
    /// ```text
    /// 1 | 1 | type 2 | protected 4 || version 4 | 1+destination | 1+source | of Initials: v+token |
    ///     v length of what follows | packet number 1..=4 | payload | tag 16
    /// ```
    pub(super) fn read(datagram: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut cursor = Cursor::new(datagram);
        let first = cursor.byte().filter(|first| first & LONG_HEADER != 0)?;
        let version = QuicVersion(cursor.u32()?);
        let destination = ConnectionId::read(&mut cursor)?;
        let source = ConnectionId::read(&mut cursor)?;
        let kind = match version.0 {
            0 => Kind::VersionNegotiation,
            _ if version.protections().is_empty() => return None,
            _ => version.kind(first),
        };
        if kind == Kind::Initial {
            let token = cursor.varint()?;
            cursor.take(token)?;
        }
        // Two kinds have no length and so end with the datagram (RFC 9000 §17.2.1, §17.2.5).
        let has_length = !matches!(kind, Kind::VersionNegotiation | Kind::Retry);
        let len = if has_length { cursor.varint()? } else { cursor.rest().len() as u64 };
        let number_at = datagram.len() - cursor.rest().len();
        cursor.take(len)?;
        let (bytes, rest) = datagram.split_at_checked(datagram.len() - cursor.rest().len())?;
        Some((Self { version, kind, destination, source, bytes, number_at }, rest))
    }
}

/// All packets of a datagram, up to the first that cannot be told from what follows it.
pub(super) fn packets(datagram: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let (packet, after) = Packet::read(rest)?;
        rest = after;
        Some(packet)
    })
}

/// Whether a datagram begins with a long header packet of a version that is known.
///
/// Cheap: reads a few bytes, copies none. Only a decrypted Initial proves that it is QUIC.
pub fn is_quic_long_header(datagram: &[u8]) -> bool {
    Packet::read(datagram).is_some()
}

/// Whether a datagram begins with an Initial of a version that is known, as cheaply.
pub fn is_quic_initial(datagram: &[u8]) -> bool {
    Packet::read(datagram).is_some_and(|(packet, _)| packet.kind == Kind::Initial)
}

/// Whether a datagram begins with a short header: its sender has left the handshake behind.
pub(super) fn is_short_header(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first & LONG_HEADER == 0 && first & FIXED_BIT != 0)
}

const LONG_HEADER: u8 = 0x80;
const FIXED_BIT: u8 = 0x40;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn long(first: u8, version: u32, rest: &[u8]) -> Vec<u8> {
        [&[first][..], &version.to_be_bytes(), &[2, 7, 8, 1, 9], rest].concat()
    }

    #[test]
    fn a_datagram_is_cut_into_its_packets() {
        let initial = long(0xc0, 1, &[2, 0xaa, 0xbb, 0x40, 3, 1, 2, 3]);
        let handshake = long(0xe0, 1, &[2, 4, 5]);
        let datagram = [&initial[..], &handshake, &[0x40, 1, 2, 3]].concat();
        let found: Vec<_> = packets(&datagram).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].kind, found[0].bytes), (Kind::Initial, &initial[..]));
        assert_eq!(&found[0].bytes[found[0].number_at..], [1, 2, 3]);
        assert_eq!((found[1].kind, found[1].bytes), (Kind::Handshake, &handshake[..]));
        assert_eq!(found[1].source.as_bytes(), [9]);
        assert_eq!(format!("{:?}", found[1].destination), "0708");
    }

    #[test]
    fn negotiation_and_retry_end_with_the_datagram() {
        let versions = long(0x80, 0, &[0, 0, 0, 1]);
        let retry = long(0xf0, 1, &[0; 20]);
        for (datagram, kind) in [(versions, Kind::VersionNegotiation), (retry, Kind::Retry)] {
            let found: Vec<_> = packets(&datagram).collect();
            assert_eq!((found.len(), found[0].kind, found[0].number_at), (1, kind, 10));
            assert!(is_quic_long_header(&datagram) && !is_quic_initial(&datagram));
        }
    }

    #[test]
    fn what_is_no_known_packet_is_passed_over() {
        let whole = long(0xc0, 1, &[0, 3, 1, 2, 3]);
        assert!(is_quic_initial(&whole));
        assert!((0..whole.len()).all(|end| !is_quic_long_header(&whole[..end])));
        assert!(!is_quic_long_header(&long(0x40, 1, &[0, 3, 1, 2, 3])));
        assert!(!is_quic_long_header(&long(0xc0, 0x5130_3433, &[0, 3, 1, 2, 3])));
        let long_id = [&[0xc0, 0, 0, 0, 1, 21][..], &[0; 40]].concat();
        assert!(!is_quic_long_header(&long_id));
    }

    proptest! {
        #[test]
        fn packets_lie_one_behind_the_other(
            datagram in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                proptest::collection::vec(any::<u8>(), 0..200).prop_map(|rest| long(0xc0, 1, &rest)),
            ],
        ) {
            let mut at = 0;
            for packet in packets(&datagram) {
                prop_assert_eq!(packet.bytes, &datagram[at..at + packet.bytes.len()]);
                prop_assert!(packet.number_at <= packet.bytes.len());
                at += packet.bytes.len();
            }
        }
    }
}
