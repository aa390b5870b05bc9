//! Captures written by hand, byte for byte.

/// Writes numbers in the order that a file wants.
#[derive(Clone, Copy)]
pub(super) enum Writer {
    Little,
    Big,
}

pub(super) const BOTH: [Writer; 2] = [Writer::Little, Writer::Big];

impl Writer {
    pub(super) fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn words(self, values: &[u32]) -> Vec<u8> {
        let word = |value: &u32| match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        };
        values.iter().flat_map(word).collect()
    }

    fn u64(self, value: u64) -> [u8; 8] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    /// The header of a classic pcap file.
    pub(super) fn pcap_header(self, magic: u32, version: (u16, u16), network: u32) -> Vec<u8> {
        let halves = [self.u16(version.0), self.u16(version.1)].concat();
        [self.words(&[magic]), halves, self.words(&[0, 0, 65_535, network])].concat()
    }

    pub(super) fn pcap_record(
        self,
        time: (u32, u32),
        lengths: (u32, u32),
        bytes: &[u8],
    ) -> Vec<u8> {
        [&self.words(&[time.0, time.1, lengths.0, lengths.1]), bytes].concat()
    }

    /// Any pcapng block; pads the body.
    pub(super) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0xee; body.len().next_multiple_of(4) - body.len()];
        let length = (body.len() + padding.len() + 12) as u32;
        [&self.words(&[kind, length]), body, &padding, &self.words(&[length])].concat()
    }

    /// Options with padding that is not zero, and the end mark.
    pub(super) fn options(self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, value) in options {
            bytes.extend(self.u16(*code));
            bytes.extend(self.u16(value.len() as u16));
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0xdd);
        }
        bytes.extend([0; 4]);
        bytes
    }

    pub(super) fn section(self) -> Vec<u8> {
        self.section_of(1)
    }

    pub(super) fn section_of(self, major: u16) -> Vec<u8> {
        let versions = [self.u16(major), self.u16(0)].concat();
        self.block(0x0a0d_0d0a, &[self.words(&[0x1a2b_3c4d]), versions, vec![0xff; 8]].concat())
    }

    pub(super) fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let options = if options.is_empty() { Vec::new() } else { self.options(options) };
        let link = [self.u16(link), [0; 2]].concat();
        self.block(1, &[link, self.words(&[snaplen]), options].concat())
    }

    pub(super) fn enhanced(self, interface: u32, ticks: u64, bytes: &[u8]) -> Vec<u8> {
        let length = bytes.len() as u32;
        self.block(6, &self.enhanced_body(interface, ticks, (length, length), bytes))
    }

    pub(super) fn enhanced_body(
        self,
        interface: u32,
        ticks: u64,
        lengths: (u32, u32),
        bytes: &[u8],
    ) -> Vec<u8> {
        let words = [interface, (ticks >> 32) as u32, ticks as u32, lengths.0, lengths.1];
        [&self.words(&words), bytes].concat()
    }

    pub(super) fn obsolete(self, interface: u16, ticks: u64, bytes: &[u8]) -> Vec<u8> {
        let length = bytes.len() as u32;
        let first = [self.u16(interface), self.u16(0xffff)].concat();
        let words = self.words(&[(ticks >> 32) as u32, ticks as u32, length, length]);
        self.block(2, &[&first, &words, bytes].concat())
    }

    pub(super) fn simple(self, original: u32, bytes: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.words(&[original]), bytes].concat())
    }

    /// Interface statistics with drops by the interface and by the system.
    pub(super) fn statistics(self, interface: u32, drops: (u64, u64)) -> Vec<u8> {
        let options = self.options(&[
            (4, &self.u64(1_000)),
            (5, &self.u64(drops.0)),
            (7, &self.u64(drops.1)),
        ]);
        self.block(5, &[self.words(&[interface, 0, 0]), options].concat())
    }

    pub(super) fn offset_option(self, seconds: i64) -> [u8; 8] {
        self.u64(seconds as u64)
    }
}

pub(super) const MICROS: u32 = 0xa1b2_c3d4;
pub(super) const NANOS: u32 = 0xa1b2_3c4d;
pub(super) const MODIFIED: u32 = 0xa1b2_cd34;

/// A little-endian Ethernet pcap whose packets have these lengths, one a second from `start`;
/// the bytes of packet n are all n.
pub(super) fn pcap(start: u32, lengths: &[usize]) -> Vec<u8> {
    let order = Writer::Little;
    let mut bytes = order.pcap_header(MICROS, (2, 4), 1);
    for (n, length) in lengths.iter().enumerate() {
        let both = (*length as u32, *length as u32);
        bytes.extend(order.pcap_record((start + n as u32, 0), both, &vec![n as u8; *length]));
    }
    bytes
}

/// Two sections of either order, three interfaces, all packet blocks and some others.
pub(super) fn pcapng() -> Vec<u8> {
    let (little, big) = BOTH.into();
    [
        little.section(),
        little.interface(1, 0, &[(2, b"eth0"), (9, &[9])]),
        little.enhanced(0, 1_000_000_000, &[1; 61]),
        little.block(4, &[0; 4]),
        little.interface(113, 0, &[]),
        little.enhanced(1, 2_000_000, &[2; 62]),
        little.obsolete(0, 3_000_000_000, &[3; 63]),
        little.block(0xbad, &[0; 9]),
        little.statistics(0, (3, 4)),
        big.section(),
        big.interface(101, 100, &[(9, &[0x80 | 0x0a])]),
        big.enhanced(0, 4 << 10, &[4; 64]),
        big.simple(120, &[5; 100]),
    ]
    .concat()
}
