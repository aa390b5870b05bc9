//! The interfaces of a pcapng file: what was described, and what was said of their losses.

use super::Order;
use super::body::Options;
use crate::capture::format::clock::{Clock, TimeResolution};
use crate::capture::{DamageReason, Interface};
use crate::wire::LinkType;

/// All interfaces of the file; those from `section_start` on belong to the current section.
#[derive(Default, Debug)]
pub(super) struct Interfaces {
    all: Vec<Interface>,
    /// For each of `all`: how its time stamps are read, and what its last statistics said.
    clocks: Vec<(Clock, Option<u64>)>,
    section_start: usize,
}

impl Interfaces {
    pub(super) fn all(&self) -> &[Interface] {
        &self.all
    }

    pub(super) fn begin_section(&mut self) {
        self.section_start = self.all.len();
    }

    /// Interface `number` of the current section.
    pub(super) fn find(&self, number: u32) -> Result<(&Interface, &Clock), DamageReason> {
        let index = self.section_start.saturating_add(number as usize);
        match (self.all.get(index), self.clocks.get(index)) {
            (Some(interface), Some((clock, _))) => Ok((interface, clock)),
            _ => Err(DamageReason::UnknownInterface(number)),
        }
    }

    pub(super) fn snaplen(&self, number: u32) -> Result<u32, DamageReason> {
        self.find(number).map(|(interface, _)| interface.snaplen)
    }

    /// Interface Description Block (draft-ietf-opsawg-pcapng §4.2).
    pub(super) fn describe(&mut self, order: Order, body: &[u8]) -> Result<(), DamageReason> {
        let [halves, snaplen] = order.words(body).ok_or(DamageReason::BlockContent)?;
        if self.all.len() >= MAX_INTERFACES {
            return Err(DamageReason::TooManyInterfaces);
        }
        let (link, _reserved) = order.halves(halves);
        let mut time_resolution = TimeResolution::MICROS;
        let mut offset_secs = 0;
        for (code, value) in (Options { order, bytes: body.get(8..).unwrap_or_default() }) {
            match (code, value) {
                (IF_TSRESOL, [resolution, ..]) => {
                    time_resolution = TimeResolution::from_option(*resolution);
                }
                (IF_TSOFFSET, value) => offset_secs = number(order, value).unwrap_or(0) as i64,
                _ => {}
            }
        }
        self.all.push(Interface { link_type: LinkType(link), snaplen, time_resolution });
        self.clocks.push((Clock::new(time_resolution, offset_secs), None));
        Ok(())
    }

    /// Interface Statistics Block (§4.6). Counters run from the start of the capture, so that the
    /// last block of an interface says it all. One of an undescribed interface says nothing.
    pub(super) fn statistics(&mut self, order: Order, body: &[u8]) {
        let Some([interface]) = order.words(body) else { return };
        let index = self.section_start.saturating_add(interface as usize);
        let Some((_, drops)) = self.clocks.get_mut(index) else { return };
        let bytes = body.get(12..).unwrap_or_default();
        let counts = Options { order, bytes }
            .filter(|(code, _)| matches!(*code, ISB_IFDROP | ISB_OSDROP))
            .filter_map(|(_, value)| number(order, value));
        if let Some(sum) = counts.reduce(u64::saturating_add) {
            *drops = Some(sum);
        }
    }

    /// The sum over all interfaces that have statistics.
    pub(super) fn drops(&self) -> Option<u64> {
        self.clocks.iter().filter_map(|(_, drops)| *drops).reduce(u64::saturating_add)
    }
}

fn number(order: Order, value: &[u8]) -> Option<u64> {
    value.first_chunk::<8>().map(|bytes| order.u64(*bytes))
}

/// Bounds what one file can make us keep; no capture program comes near it.
const MAX_INTERFACES: usize = 1 << 16;

const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;
