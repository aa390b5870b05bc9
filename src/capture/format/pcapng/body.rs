//! The bodies of the three packet blocks, and the options after a body.

use super::Order;
use crate::capture::DamageReason;

/// A packet as its block states it; `start` counts from the body's start.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketBlock {
    pub(super) interface: u32,
    pub(super) ticks: Option<u64>,
    pub(super) start: usize,
    pub(super) captured: u32,
    pub(super) original: u32,
}

impl PacketBlock {
    /// Enhanced Packet Block (draft-ietf-opsawg-pcapng §4.3).
    pub(super) fn enhanced(order: Order, body: &[u8]) -> Result<Self, DamageReason> {
        let [interface, high, low, captured, original] =
            order.words(body).ok_or(DamageReason::BlockContent)?;
        Self { interface, ticks: Some(join(high, low)), start: 20, captured, original }.within(body)
    }

    /// Packet Block, obsolete: interface and drops share the first word (appendix A).
    pub(super) fn obsolete(order: Order, body: &[u8]) -> Result<Self, DamageReason> {
        let [halves, high, low, captured, original] =
            order.words(body).ok_or(DamageReason::BlockContent)?;
        let (interface, _drops) = order.halves(halves);
        let interface = u32::from(interface);
        Self { interface, ticks: Some(join(high, low)), start: 20, captured, original }.within(body)
    }

    /// Simple Packet Block (§4.4): no time, always of the first interface; how much was captured
    /// follows from the snapshot length.
    pub(super) fn simple(order: Order, body: &[u8], snaplen: u32) -> Result<Self, DamageReason> {
        let [original] = order.words(body).ok_or(DamageReason::BlockContent)?;
        let captured = if snaplen == 0 { original } else { original.min(snaplen) };
        let held = u32::try_from(body.len()).unwrap_or(u32::MAX).saturating_sub(4);
        let captured = captured.min(held);
        Self { interface: 0, ticks: None, start: 4, captured, original }.within(body)
    }

    fn within(self, body: &[u8]) -> Result<Self, DamageReason> {
        let end = self.start.saturating_add(self.captured as usize);
        if end <= body.len() { Ok(self) } else { Err(DamageReason::BlockContent) }
    }
}

fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Walks options (§3.5): code, length, value, padding that the length does not count.
///
/// Ends at the end mark, or silently where an option is longer than what is left.
pub(super) struct Options<'a> {
    pub(super) order: Order,
    pub(super) bytes: &'a [u8],
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([c0, c1, l0, l1], rest) = self.bytes.split_first_chunk::<4>()?;
        let code = self.order.u16([*c0, *c1]);
        let length = usize::from(self.order.u16([*l0, *l1]));
        let value = rest.get(..length).filter(|_| code != END_OF_OPTIONS)?;
        self.bytes = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}

const END_OF_OPTIONS: u16 = 0;
