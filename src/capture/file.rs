//! One capture file: its bytes, its walker, and the incomplete record between two blocks.

use crate::wire::{FrameId, Timestamp};

use super::block::Descriptor;
use super::filter::Filter;
use super::format::{Packet, Step, Walker};
use super::magic::HEAD_BYTES;
use super::source::{End, Source};
use super::stored::Stored;
use super::{
    Block, Damage, DamageReason, FileReport, FilterFault, Format, OpenOptions, Unreadable,
};

/// Reads one file block by block.
pub(super) struct FileReader {
    source: Source,
    walker: Walker,
    file: u16,
    block_bytes: usize,
    /// The incomplete record that the last block ended with.
    tail: Vec<u8>,
    /// Bytes that the walker must see to get on.
    need: usize,
    /// Where the next record begins in the unpacked bytes.
    offset: u64,
    /// The last number given to a frame.
    number: u64,
    /// The last packet time, lent to packets without one.
    time: Timestamp,
    end: Option<End>,
    done: bool,
}

/// Who hears of each packet beside the block.
pub(super) struct Listeners<'a> {
    pub(super) report: &'a mut FileReport,
    pub(super) filter: Option<&'a mut Filter>,
}

impl FileReader {
    /// Looks at the first bytes of file number `file`; what they say goes to the report.
    pub(super) fn open(
        stored: Stored,
        file: u16,
        options: &OpenOptions,
        report: &mut FileReport,
    ) -> Result<Self, Unreadable> {
        let mut source = Source::new(stored, options.expansion)?;
        report.compression = source.compression();
        let mut tail = vec![0; HEAD_BYTES];
        let (got, end) = source.fill(&mut tail);
        tail.truncate(got);
        let format = Format::of(&tail).map_err(|error| match end {
            Some(End::Fault(DamageReason::ReadFailed(kind))) => Unreadable::Io(kind),
            Some(End::Fault(_)) => Unreadable::Compressed,
            _ => error,
        })?;
        report.format = Some(format);
        Ok(Self {
            source,
            walker: Walker::new(format),
            file,
            block_bytes: options.block_bytes.max(HEAD_BYTES),
            tail,
            need: 0,
            offset: 0,
            number: 0,
            time: Timestamp::ZERO,
            end,
            done: false,
        })
    }

    /// One read and its records; false once the file has ended. A block may stay empty before
    /// that, where all its records were refused by the filter or hold no packet.
    pub(super) fn fill(&mut self, block: &mut Block, mut listeners: Listeners<'_>) -> bool {
        block.restart(&self.tail, self.block_bytes);
        self.tail.clear();
        if self.done {
            return false;
        }
        self.pull(block);
        let walked = self.walk(block, &mut listeners);
        let tail = block.tail(walked);
        if !self.done
            && let Some(end) = self.end
        {
            self.done = true;
            listeners.report.damage = self.damage_at_end(end, tail);
        }
        if !self.done {
            self.tail.extend_from_slice(tail);
        }
        self.tell_interfaces(listeners);
        true
    }

    /// Bytes of the file as stored that were read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.source.stored().served()
    }

    /// Bytes after unpacking whose records were read.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn into_stored(self) -> Stored {
        self.source.into_stored()
    }

    fn pull(&mut self, block: &mut Block) {
        let target = self.block_bytes.max(self.need);
        while self.end.is_none() {
            let room = block.room(target, self.block_bytes);
            if room.is_empty() {
                return;
            }
            let (count, end) = self.source.fill(room);
            block.advance(count);
            self.end = end;
        }
    }

    /// Walks the complete records and returns where the first one begins that is not.
    fn walk(&mut self, block: &mut Block, listeners: &mut Listeners<'_>) -> usize {
        let (bytes, frames) = block.parts();
        let mut at = 0_usize;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let length = match self.walker.step(rest) {
                Step::Packet(packet) => {
                    if let Some(descriptor) = self.packet(&packet, at, rest, listeners) {
                        frames.push(descriptor);
                    }
                    packet.record_len
                }
                Step::Numbered(length) => {
                    self.number += 1;
                    length
                }
                Step::Pass(length) => length,
                Step::Need(need) => {
                    self.need = need.max(rest.len().saturating_add(1));
                    return at;
                }
                Step::Fault(reason) => {
                    self.done = true;
                    listeners.report.damage = Some(Damage { offset: self.offset, reason });
                    return at;
                }
            };
            at = at.saturating_add(length);
            self.offset = self.offset.saturating_add(length as u64);
        }
        self.need = 0;
        at
    }

    /// Numbers and counts the packet whose record `rest` begins with, `at` bytes into the block.
    fn packet(
        &mut self,
        packet: &Packet,
        at: usize,
        rest: &[u8],
        listeners: &mut Listeners<'_>,
    ) -> Option<Descriptor> {
        self.number += 1;
        self.time = packet.time.unwrap_or(self.time);
        listeners.report.note(packet);
        if let Some(filter) = &mut listeners.filter {
            let end = packet.start.saturating_add(packet.captured as usize);
            let bytes = rest.get(packet.start..end).unwrap_or_default();
            if !filter.admits(packet.link, bytes) {
                listeners.report.filtered += 1;
                return None;
            }
        }
        Some(Descriptor {
            id: FrameId::new(self.file, self.number),
            time: self.time,
            offset: u32::try_from(at.saturating_add(packet.start)).ok()?,
            captured: packet.captured,
            original: packet.original.max(packet.captured),
            link: packet.link,
        })
    }

    fn damage_at_end(&self, end: End, tail: &[u8]) -> Option<Damage> {
        let reason = match end {
            End::Fault(reason) => reason,
            End::Clean if tail.is_empty() => return None,
            End::Clean => DamageReason::CutShort,
        };
        Some(Damage { offset: self.offset, reason })
    }

    /// Brings the report up to date with the interfaces described since the last block.
    fn tell_interfaces(&self, listeners: Listeners<'_>) {
        let Listeners { report, mut filter } = listeners;
        let known = report.interfaces.len();
        for interface in self.walker.interfaces().iter().skip(known) {
            report.interfaces.push(*interface);
            let link = interface.link_type;
            let Some(Err(message)) = filter.as_mut().map(|filter| filter.compile(link)) else {
                continue;
            };
            if report.filter_faults.len() < MAX_FILTER_FAULTS
                && report.filter_faults.iter().all(|fault| fault.link != link)
            {
                report.filter_faults.push(FilterFault { link, message: message.to_owned() });
            }
        }
        report.capture_drops = self.walker.capture_drops();
    }
}

/// More link types than this in one file are nobody's capture; one message says as much.
const MAX_FILTER_FAULTS: usize = 64;
