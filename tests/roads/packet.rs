//! A TCP segment in Ethernet and IP, taken apart and put together again.

use std::net::IpAddr;

use tamperscope::wire::{InternetChecksum, transport_checksum};

use crate::stories::Shot;

/// Where the parts of a frame lie that holds a whole TCP segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    ip: usize,
    tcp: usize,
    pub(crate) data: usize,
    /// The end of the IP packet; what comes after it is padding.
    pub(crate) end: usize,
    v6: bool,
}

/// One direction of one connection.
pub(crate) type Way = (IpAddr, u16, IpAddr, u16);

impl Layout {
    /// `None` for what is no TCP segment, was cut by the capture or is a fragment.
    pub(crate) fn of(shot: &Shot) -> Option<Self> {
        let bytes = &shot.bytes;
        let ip = link_len(shot)?;
        let v6 = bytes.get(ip)? >> 4 == 6;
        let (tcp, total, protocol) = if v6 {
            (ip + 40, 40 + word(bytes, ip + 4)?, *bytes.get(ip + 6)?)
        } else {
            let fragment = word(bytes, ip + 6)? & 0x3fff;
            let header = usize::from(bytes.get(ip)? & 15) * 4;
            (ip + header, word(bytes, ip + 2)?, if fragment == 0 { *bytes.get(ip + 9)? } else { 0 })
        };
        let data = tcp + usize::from(bytes.get(tcp + 12)? >> 4) * 4;
        let end = ip + total;
        let whole = protocol == 6 && data <= end && end <= bytes.len();
        whole.then_some(Self { ip, tcp, data, end, v6 })
    }

    pub(crate) fn way(self, bytes: &[u8]) -> Way {
        let address = |at: usize, len: usize| match &bytes[at..at + len] {
            [a, b, c, d] => IpAddr::from([*a, *b, *c, *d]),
            long => IpAddr::from(<[u8; 16]>::try_from(long).expect("16 bytes")),
        };
        let (at, len) = if self.v6 { (self.ip + 8, 16) } else { (self.ip + 12, 4) };
        let port = |at| word(bytes, at).expect("a port") as u16;
        (address(at, len), port(self.tcp), address(at + len, len), port(self.tcp + 2))
    }

    /// Puts one address of IPv4 in the place of another, as sender or receiver.
    pub(crate) fn readdress(self, bytes: &mut [u8], from: [u8; 4], to: [u8; 4]) {
        for at in [self.ip + 12, self.ip + 16] {
            if !self.v6 && bytes[at..at + 4] == from {
                bytes[at..at + 4].copy_from_slice(&to);
            }
        }
    }

    pub(crate) fn data_len(self) -> usize {
        self.end - self.data
    }

    pub(crate) fn flags(self, bytes: &[u8]) -> u8 {
        bytes[self.tcp + 13]
    }

    pub(crate) fn seq(self, bytes: &[u8]) -> u32 {
        long_word(bytes, self.tcp + 4)
    }

    /// IPv4 identification.
    pub(crate) fn id(self, bytes: &[u8]) -> Option<u16> {
        (!self.v6).then(|| word(bytes, self.ip + 4).expect("a header") as u16)
    }

    pub(crate) fn set_id(self, bytes: &mut [u8], id: u16) {
        if !self.v6 {
            bytes[self.ip + 4..self.ip + 6].copy_from_slice(&id.to_be_bytes());
        }
    }

    pub(crate) fn set_flags(self, bytes: &mut [u8], flags: u8) {
        bytes[self.tcp + 13] = flags;
    }

    /// Shifts the sequence number, and what acknowledges the other side: the acknowledgment where
    /// there is one, and the edges of a selective one (RFC 2018 §3).
    pub(crate) fn shift(self, bytes: &mut [u8], own: u32, other: u32) {
        shift_word(bytes, self.tcp + 4, own);
        if self.flags(bytes) & ACK != 0 {
            shift_word(bytes, self.tcp + 8, other);
        }
        let mut at = self.tcp + 20;
        while at + 1 < self.data {
            let (kind, len) = (bytes[at], usize::from(bytes[at + 1]));
            match kind {
                0 => break,
                1 => at += 1,
                _ if len < 2 || at + len > self.data => break,
                5 => {
                    (at + 2..at + len).step_by(4).for_each(|edge| shift_word(bytes, edge, other));
                    at += len;
                }
                _ => at += len,
            }
        }
    }

    /// The frame with `data` from `offset` on instead of its own.
    pub(crate) fn with_piece(self, bytes: &[u8], offset: usize, len: usize) -> Vec<u8> {
        let from = self.data + offset;
        let mut frame = [&bytes[..self.data], &bytes[from..from + len]].concat();
        shift_word(&mut frame, self.tcp + 4, offset as u32);
        let total = (frame.len() - self.ip) as u16;
        let (at, total) = if self.v6 { (self.ip + 4, total - 40) } else { (self.ip + 2, total) };
        frame[at..at + 2].copy_from_slice(&total.to_be_bytes());
        frame
    }

    /// Makes the checksums right again, if they were.
    pub(crate) fn mend(self, bytes: &mut [u8]) {
        if !self.v6 {
            bytes[self.ip + 10..self.ip + 12].fill(0);
            let sum = InternetChecksum::default().with(&bytes[self.ip..self.tcp]).finish();
            bytes[self.ip + 10..self.ip + 12].copy_from_slice(&sum.to_be_bytes());
        }
        let end = Self::end_of(self, bytes);
        let (src, _, dst, _) = self.way(bytes);
        bytes[self.tcp + 16..self.tcp + 18].fill(0);
        let sum = transport_checksum(src, dst, 6, &bytes[self.tcp..end]);
        bytes[self.tcp + 16..self.tcp + 18].copy_from_slice(&sum.to_be_bytes());
    }

    fn end_of(self, bytes: &[u8]) -> usize {
        let at = if self.v6 { self.ip + 4 } else { self.ip + 2 };
        let total = word(bytes, at).expect("a header");
        self.ip + total + if self.v6 { 40 } else { 0 }
    }
}

/// Where the network layer begins, on the two link layers that the laboratory has.
pub(crate) fn link_len(shot: &Shot) -> Option<usize> {
    let (kind_at, len) = match shot.link {
        ETHERNET => (12, 14),
        LINUX_SLL2 => (0, 20),
        _ => return None,
    };
    matches!(word(&shot.bytes, kind_at)?, 0x0800 | 0x86dd).then_some(len)
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let [high, low] = bytes.get(at..at + 2)? else { return None };
    Some(usize::from(u16::from_be_bytes([*high, *low])))
}

fn long_word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn shift_word(bytes: &mut [u8], at: usize, by: u32) {
    let shifted = long_word(bytes, at).wrapping_add(by);
    bytes[at..at + 4].copy_from_slice(&shifted.to_be_bytes());
}

pub(crate) const ETHERNET: u16 = 1;
pub(crate) const LINUX_SLL2: u16 = 276;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;
