//! What differs from one version of QUIC to the next: salts, labels, the numbers of packet types.

use std::fmt;

use super::packet::Kind;

/// A version of QUIC; printed as `1`, `2`, `draft-29`, others as `0x1a2a3a4a`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QuicVersion(pub u32);

impl QuicVersion {
    /// RFC 9000.
    pub const V1: Self = Self(1);
    /// RFC 9369.
    pub const V2: Self = Self(0x6b33_43cf);

    /// How its Initials may be protected: in one way if the version is known, in none if it is not.
    ///
    /// Besides the two standards: the drafts that were deployed before them, with the numbers
    /// that Meta gave to some, and the numbers that no server may know (RFC 9000 §15). Clients use
    /// these to have the versions told, and protect them as they would a version that they know.
    pub(super) const fn protections(self) -> &'static [Protection] {
        match self.0 {
            1 | 0xff00_0021..=0xff00_0022 => &[V1],
            0x6b33_43cf => &[V2],
            0xff00_001d..=0xff00_0020 => &[DRAFT_29],
            0xff00_0019..=0xff00_001c => &[DRAFT_25],
            0xff00_0017..=0xff00_0018 | 0xface_b002 | 0xface_b00e => &[DRAFT_23],
            0xff00_0016 | 0xface_b001 => &[DRAFT_22],
            number if number & 0x0f0f_0f0f == 0x0a0a_0a0a => &[V1, DRAFT_29],
            _ => &[],
        }
    }

    /// The type of a long header packet, from the first byte (RFC 9000 §17.2, RFC 9369 §3.2).
    pub(super) const fn kind(self, first: u8) -> Kind {
        let number = first >> 4 & 3;
        let number = if self.0 == Self::V2.0 { (number + 3) & 3 } else { number };
        match number {
            0 => Kind::Initial,
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry,
        }
    }
}

impl fmt::Display for QuicVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V1 => f.write_str("1"),
            Self::V2 => f.write_str("2"),
            Self(draft) if draft >> 8 == 0x00ff_0000 => write!(f, "draft-{}", draft & 0xff),
            Self(other) => write!(f, "{other:#010x}"),
        }
    }
}

/// How the Initials of a version are protected, with what anybody may know.
///
/// The salts were replaced on purpose from version to version (RFC 9001 §5.2), so that no box in a
/// path could rely on one.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Protection {
    pub(super) salt: [u8; 20],
    pub(super) labels: Labels,
    /// What a Retry is sealed with; `None` of versions whose Retry is not sealed.
    pub(super) retry: Option<RetryKey>,
}

/// The labels that keys are expanded with.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Labels {
    pub(super) key: &'static [u8],
    pub(super) iv: &'static [u8],
    pub(super) header: &'static [u8],
}

/// The published key and nonce that a Retry is sealed with.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct RetryKey {
    pub(super) key: [u8; 16],
    pub(super) nonce: [u8; 12],
}

/// RFC 9001 §5.1.
const LABELS_V1: Labels = Labels { key: b"quic key", iv: b"quic iv", header: b"quic hp" };

/// RFC 9001 §5.2, §5.8.
const V1: Protection = Protection {
    salt: *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
    labels: LABELS_V1,
    retry: Some(RetryKey {
        key: *b"\xbe\x0c\x69\x0b\x9f\x66\x57\x5a\x1d\x76\x6b\x54\xe3\x68\xc8\x4e",
        nonce: *b"\x46\x15\x99\xd3\x5d\x63\x2b\xf2\x23\x98\x25\xbb",
    }),
};

/// RFC 9369 §3.3.
const V2: Protection = Protection {
    salt: *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
    labels: Labels { key: b"quicv2 key", iv: b"quicv2 iv", header: b"quicv2 hp" },
    retry: Some(RetryKey {
        key: *b"\x8f\xb4\xb0\x1b\x56\xac\x48\xe2\x60\xfb\xcb\xce\xad\x7c\xcc\x92",
        nonce: *b"\xd8\x69\x69\xbc\x2d\x7c\x6d\x99\x90\xef\xb0\x4a",
    }),
};

/// draft-ietf-quic-tls-29 §5.2, §5.8.
const DRAFT_29: Protection = Protection {
    salt: *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99",
    labels: LABELS_V1,
    retry: Some(RetryKey {
        key: *b"\xcc\xce\x18\x7e\xd0\x9a\x09\xd0\x57\x28\x15\x5a\x6c\xb9\x6b\xe1",
        nonce: *b"\xe5\x49\x30\xf9\x7f\x21\x36\xf0\x53\x0a\x8c\x1c",
    }),
};

/// draft-ietf-quic-tls-25 §5.2, §5.8.
const DRAFT_25: Protection = Protection {
    retry: Some(RetryKey {
        key: *b"\x4d\x32\xec\xdb\x2a\x21\x33\xc8\x41\xe4\x04\x3d\xf2\x7d\x44\x30",
        nonce: *b"\x4d\x16\x11\xd0\x55\x13\xa5\x52\xc5\x87\xd5\x75",
    }),
    ..DRAFT_23
};

/// draft-ietf-quic-tls-23 §5.2.
const DRAFT_23: Protection = Protection {
    salt: *b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02",
    labels: LABELS_V1,
    retry: None,
};

/// draft-ietf-quic-tls-22 §5.2.
const DRAFT_22: Protection = Protection {
    salt: *b"\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a",
    labels: LABELS_V1,
    retry: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_names() {
        let table = [
            (1, "1"),
            (0x6b33_43cf, "2"),
            (0xff00_001d, "draft-29"),
            (0xface_b002, "0xfaceb002"),
            (0x1a2a_3a4a, "0x1a2a3a4a"),
            (0x51, "0x00000051"),
        ];
        for (number, name) in table {
            assert_eq!(QuicVersion(number).to_string(), name);
        }
    }

    #[test]
    fn version_2_turns_the_types_by_one() {
        let kinds = [Kind::Initial, Kind::ZeroRtt, Kind::Handshake, Kind::Retry];
        for (number, kind) in kinds.into_iter().enumerate() {
            let turned = (number as u8 + 1) % 4;
            assert_eq!(QuicVersion::V1.kind(0xc0 | (number as u8) << 4), kind);
            assert_eq!(QuicVersion::V2.kind(0xcf | turned << 4), kind);
        }
    }
}
