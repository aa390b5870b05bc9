//! What a file is, by its first bytes.

use super::Unreadable;

/// The layout of a capture file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Classic libpcap (draft-ietf-opsawg-pcap), with its nanosecond and modified variants.
    Pcap,
    /// pcapng (draft-ietf-opsawg-pcapng).
    PcapNg,
    /// Snoop version 2 (RFC 1761).
    Snoop,
}

impl Format {
    /// `pcap`, `pcapng` or `snoop`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::PcapNg => "pcapng",
            Self::Snoop => "snoop",
        }
    }

    /// The format that begins with `head`, of which [`HEAD_BYTES`] are enough.
    pub(super) fn of(head: &[u8]) -> Result<Self, Unreadable> {
        if head.is_empty() {
            return Err(Unreadable::Empty);
        }
        if let Some((_, format)) = FORMATS.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Ok(*format);
        }
        let foreign = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic));
        Err(foreign.map_or(Unreadable::UnknownFormat, |(_, name)| Unreadable::Unsupported(name)))
    }
}

/// How a capture file is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// Any number of gzip members (RFC 1952).
    Gzip,
    /// Any number of zstd frames (RFC 8878).
    Zstd,
}

impl Compression {
    /// `gzip` or `zstd`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The packing that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A zstd frame, or one of the skippable frames that parallel packers put before it
            // (RFC 8878 §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// How many bytes of a file decide what it is.
pub(super) const HEAD_BYTES: usize = 16;

const FORMATS: [(&[u8], Format); 8] = [
    (b"\xd4\xc3\xb2\xa1", Format::Pcap),
    (b"\xa1\xb2\xc3\xd4", Format::Pcap),
    (b"\x4d\x3c\xb2\xa1", Format::Pcap),
    (b"\xa1\xb2\x3c\x4d", Format::Pcap),
    (b"\x34\xcd\xb2\xa1", Format::Pcap),
    (b"\xa1\xb2\xcd\x34", Format::Pcap),
    (b"\x0a\x0d\x0d\x0a", Format::PcapNg),
    (b"snoop\0\0\0", Format::Snoop),
];

/// Files that people take for captures, so that the refusal can say what they have.
const FOREIGN: [(&[u8], &str); 14] = [
    (b"\xac\x01\x00\x1c", "IXIA pcap variant"),
    (b"\x1c\x00\x01\xac", "IXIA pcap variant"),
    (b"\xab\x01\x00\x1c", "IXIA pcap variant"),
    (b"\x1c\x00\x01\xab", "IXIA pcap variant"),
    (b"GMBU", "Microsoft Network Monitor 2 capture"),
    (b"RTSS", "Microsoft Network Monitor 1 capture"),
    (b"btsnoop\0", "btsnoop capture of Bluetooth"),
    (b"TRSNIFF data", "Sniffer capture"),
    (b"iptrace ", "AIX iptrace capture"),
    (b"\xfd7zXZ\0", "xz compressed data"),
    (b"BZh", "bzip2 compressed data"),
    (b"\x04\x22\x4d\x18", "lz4 compressed data"),
    (b"PK\x03\x04", "zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_decide_and_names_are_told() {
        assert_eq!(Format::of(b"\xa1\xb2\x3c\x4d\0\x02"), Ok(Format::Pcap));
        assert_eq!(Format::of(b"\x0a\x0d\x0d\x0a"), Ok(Format::PcapNg));
        assert_eq!(Format::of(b""), Err(Unreadable::Empty));
        assert_eq!(Format::of(b"\xa1\xb2\xc3"), Err(Unreadable::UnknownFormat));
        let refused = Format::of(b"BZh91AY").map_err(|e| e.to_string());
        assert_eq!(refused, Err("bzip2 compressed data, which is not supported".to_owned()));
        assert_eq!(Compression::of(&[0x1f, 0x8b]), Some(Compression::Gzip));
        assert_eq!(Compression::of(&[0x5a, 0x2a, 0x4d, 0x18]), Some(Compression::Zstd));
        assert_eq!(Compression::of(&[0x1f]), None);
    }
}
