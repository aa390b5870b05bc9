//! One open-addressing table, a cache line a flow, linear probing, at most half full.

#![allow(unsafe_code, reason = "a prefetch is a hint to the processor; it has no safe form")]

/// An order-free five-tuple: the smaller end comes first.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Key {
    ends: [[u64; 2]; 2],
    /// Of the two ends.
    ports: u32,
    /// Zero only in an empty slot.
    protocol: u32,
}

/// What an update needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) hash: u64,
    pub(crate) key: Key,
    pub(crate) time: u64,
    pub(crate) len: u32,
    pub(crate) flags: u8,
}

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Flow {
    key: Key,
    bytes: u64,
    last: u64,
    packets: u32,
    /// All that were seen.
    flags: u32,
}

/// Flows by key.
pub(crate) struct Table {
    flows: Vec<Flow>,
    used: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { flows: vec![Flow::default(); FIRST], used: 0 }
    }
}

impl Key {
    #[inline]
    pub(crate) fn v4(header: &[u8; 20], (source, destination, protocol): (u16, u16, u8)) -> Self {
        let address = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let from = u64::from(address(12)) << 16 | u64::from(source);
        let to = u64::from(address(16)) << 16 | u64::from(destination);
        let (low, high) = if from <= to { (from, to) } else { (to, from) };
        let ports = (low as u32) << 16 | high as u32 & 0xffff;
        Self { ends: [[0, low >> 16], [0, high >> 16]], ports, protocol: protocol.into() }
    }

    #[inline]
    pub(crate) fn v6(header: &[u8; 40], (source, destination, protocol): (u16, u16, u8)) -> Self {
        let half = |at: usize| {
            let mut half = [0; 8];
            half.copy_from_slice(&header[at..at + 8]);
            u64::from_be_bytes(half)
        };
        let from = ([half(8), half(16)], source);
        let to = ([half(24), half(32)], destination);
        let (low, high) = if from <= to { (from, to) } else { (to, from) };
        let ports = u32::from(low.1) << 16 | u32::from(high.1);
        Self { ends: [low.0, high.0], ports, protocol: u32::from(protocol) | 0x100 }
    }

    pub(crate) const fn is_tcp(&self) -> bool {
        self.protocol & 0xff == 6
    }

    /// Folded products: as good as an open-addressing table needs, and a few cycles.
    #[inline]
    pub(crate) const fn hash(&self) -> u64 {
        let [[a, b], [c, d]] = self.ends;
        let rest = (self.ports as u64) << 32 | self.protocol as u64;
        let one = fold(a ^ b.rotate_left(32) ^ ODD[0], c ^ d.rotate_left(32) ^ ODD[1]);
        fold(one ^ rest, ODD[2])
    }
}

impl Table {
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let place = hash as usize & (self.flows.len() - 1);
            let flow: *const Flow = &raw const self.flows[place];
            // SAFETY: a prefetch never faults, and the pointer is to an element.
            unsafe { _mm_prefetch(flow.cast(), _MM_HINT_T0) };
        }
    }

    #[inline]
    pub(crate) fn update(&mut self, packet: &Packet) {
        let mask = self.flows.len() - 1;
        let mut place = packet.hash as usize & mask;
        loop {
            let flow = &mut self.flows[place];
            if flow.key == packet.key {
                flow.packets += 1;
                flow.bytes += u64::from(packet.len);
                flow.last = packet.time;
                flow.flags |= u32::from(packet.flags);
                return;
            }
            if flow.key.protocol == 0 {
                break;
            }
            place = (place + 1) & mask;
        }
        self.flows[place] = Flow {
            key: packet.key,
            bytes: packet.len.into(),
            last: packet.time,
            packets: 1,
            flags: packet.flags.into(),
        };
        self.used += 1;
        if self.used * 2 > self.flows.len() {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let len = self.flows.len() * 2;
        let old = std::mem::replace(&mut self.flows, vec![Flow::default(); len]);
        for flow in old.into_iter().filter(|flow| flow.key.protocol != 0) {
            let mut place = flow.key.hash() as usize & (len - 1);
            while self.flows[place].key.protocol != 0 {
                place = (place + 1) & (len - 1);
            }
            self.flows[place] = flow;
        }
    }

    /// The number of flows, and a digest of all that is known of them.
    pub(crate) fn summary(&self) -> (u64, u64) {
        let known = self.flows.iter().filter(|flow| flow.key.protocol != 0);
        let digest = known.fold(0_u64, |digest, flow| {
            let counts = u64::from(flow.packets) << 32 ^ u64::from(flow.flags) ^ flow.bytes;
            digest.wrapping_add(fold(flow.key.hash() ^ flow.last, counts ^ ODD[0]))
        });
        (self.used as u64, digest)
    }
}

#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Digits of pi.
const ODD: [u64; 3] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1];
const FIRST: usize = 1 << 12;
