//! pcapng (draft-ietf-opsawg-pcapng): sections of blocks.
//!
//! ```text
//! block     type | length | body, padded to 4 | length again
//! section   0A0D0D0A: byte order | major, minor | section length | options
//! ```
//!
//! Each section has its own byte order and counts its interfaces from 0. The section length is
//! not looked at: it is often wrong, and blocks lead from one to the next anyway.

use super::order::Order;
use super::{MAX_CAPTURED, Packet, Step, is_absurd};
use crate::capture::{DamageReason, Interface};

mod body;
mod interface;

use body::PacketBlock;
use interface::Interfaces;

/// Reads blocks; keeps the byte order of the section and the interfaces of all sections.
#[derive(Default, Debug)]
pub(in crate::capture) struct PcapNgWalker {
    order: Option<Order>,
    interfaces: Interfaces,
}

impl PcapNgWalker {
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        let order = match (bytes.first_chunk::<12>(), self.order) {
            (None, _) => return Step::Need(MIN_BLOCK_LEN),
            (Some([0x0a, 0x0d, 0x0d, 0x0a, _, _, _, _, mark @ ..]), _) => order_of(*mark),
            (Some(_), order) => order,
        };
        let Some(order) = order else { return Step::Fault(DamageReason::ByteOrder) };
        let Some([kind, length]) = order.words(bytes) else { return Step::Need(MIN_BLOCK_LEN) };
        if !(MIN_BLOCK_LEN as u32..=MAX_BLOCK_LEN).contains(&length) {
            return Step::Fault(DamageReason::BlockLength(length));
        }
        // Some writers do not count the padding in the length; Wireshark rounds up as well.
        let padded = (length as usize).next_multiple_of(4);
        let Some(block) = bytes.get(..padded) else { return Step::Need(padded) };
        let (rest, trailer) = block.split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
        if order.u32(*trailer) != length {
            return Step::Fault(DamageReason::BlockLengthMismatch);
        }
        let body = rest.get(8..).unwrap_or_default();
        self.block(order, kind, body).map_or_else(Step::Fault, |content| content.step(padded))
    }

    pub(super) fn interfaces(&self) -> &[Interface] {
        self.interfaces.all()
    }

    pub(super) fn capture_drops(&self) -> Option<u64> {
        self.interfaces.drops()
    }

    fn block(&mut self, order: Order, kind: u32, body: &[u8]) -> Result<Content, DamageReason> {
        match kind {
            SECTION_HEADER => self.section(order, body)?,
            INTERFACE_DESCRIPTION => self.interfaces.describe(order, body)?,
            INTERFACE_STATISTICS => self.interfaces.statistics(order, body),
            ENHANCED_PACKET => return self.packet(PacketBlock::enhanced(order, body)?),
            OBSOLETE_PACKET => return self.packet(PacketBlock::obsolete(order, body)?),
            SIMPLE_PACKET => {
                let snaplen = self.interfaces.snaplen(0)?;
                return self.packet(PacketBlock::simple(order, body, snaplen)?);
            }
            kind if NUMBERED.contains(&kind) => return Ok(Content::Numbered),
            _ => {}
        }
        Ok(Content::Nothing)
    }

    /// A new section: another byte order perhaps, and no interfaces yet. Of another major version
    /// nothing can be known (§4.1).
    fn section(&mut self, order: Order, body: &[u8]) -> Result<(), DamageReason> {
        let [_, versions] = order.words(body).ok_or(DamageReason::BlockContent)?;
        let (major, _) = order.halves(versions);
        if major != 1 {
            return Err(DamageReason::Version(u32::from(major)));
        }
        self.order = Some(order);
        self.interfaces.begin_section();
        Ok(())
    }

    fn packet(&self, block: PacketBlock) -> Result<Content, DamageReason> {
        let (interface, clock) = self.interfaces.find(block.interface)?;
        if is_absurd(block.captured, interface.snaplen) {
            return Err(DamageReason::CapturedLength(block.captured));
        }
        Ok(Content::Packet(Packet {
            record_len: 0,
            start: block.start.saturating_add(BLOCK_HEADER_LEN),
            captured: block.captured,
            original: block.original,
            time: block.ticks.map(|ticks| clock.time(ticks)),
            link: interface.link_type,
        }))
    }
}

/// What a block holds that matters to a reader of frames.
enum Content {
    Packet(Packet),
    Numbered,
    Nothing,
}

impl Content {
    fn step(self, record_len: usize) -> Step {
        match self {
            Self::Packet(packet) => Step::Packet(Packet { record_len, ..packet }),
            Self::Numbered => Step::Numbered(record_len),
            Self::Nothing => Step::Pass(record_len),
        }
    }
}

/// The byte-order mark 1A2B3C4D of a section header (§4.1).
const fn order_of(mark: [u8; 4]) -> Option<Order> {
    match mark {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        _ => None,
    }
}

const BLOCK_HEADER_LEN: usize = 8;
const MIN_BLOCK_LEN: usize = 12;
/// The longest packet with a megabyte of options.
const MAX_BLOCK_LEN: u32 = MAX_CAPTURED + (1 << 20);

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// Blocks without a packet that Wireshark (4.0) numbers among the frames: a journal entry, custom
/// blocks, system calls of Sysdig.
const NUMBERED: [u32; 6] = [9, 0xbad, 0x4000_0bad, 0x204, 0x216, 0x221];
