//! What one file was and held.

use crate::wire::{LinkType, Timestamp};

use super::format::{Packet, TimeResolution};
use super::{Compression, Damage, Format, Unreadable};

/// What one file was and held, as far as it has been read.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FileReport {
    /// The path as it was given or found; `-` for standard input.
    pub path: String,
    /// Its size as stored; of a stream, the bytes read.
    pub bytes: u64,
    /// Its layout; none if it was not recognized, or not yet looked at.
    pub format: Option<Format>,
    /// How it is packed, if it is.
    pub compression: Option<Compression>,
    /// The interfaces described in it, in their order, over all sections.
    pub interfaces: Vec<Interface>,
    /// Packets in it, filtered ones too. In pcapng other records may have numbers as well
    /// (Wireshark numbers journal entries, custom blocks and system calls), so that the last
    /// frame number can be higher.
    pub packets: u64,
    /// The earliest packet time.
    pub first: Option<Timestamp>,
    /// The latest packet time.
    pub last: Option<Timestamp>,
    /// Packets of which fewer bytes were captured than were on the wire.
    pub packets_truncated: u64,
    /// Packets that the filter refused.
    pub filtered: u64,
    /// Packets that claim more captured bytes than were on the wire; delivered as captured.
    pub packets_caplen_above_original: u64,
    /// Packets without a time (pcapng Simple Packet Blocks); delivered with the time before.
    pub packets_without_time: u64,
    /// Where and why reading ended early.
    pub damage: Option<Damage>,
    /// Why nothing could be read.
    pub error: Option<Unreadable>,
    /// Link types of this file for which the filter does not compile; their frames count as
    /// filtered.
    pub filter_faults: Vec<FilterFault>,
    /// Packets that the capturing system dropped, if the file says.
    pub capture_drops: Option<u64>,
    /// SHA-256 of the file as stored, in lower-case hexadecimal, if asked for and read to its end.
    pub sha256: Option<String>,
}

impl FileReport {
    pub(super) fn note(&mut self, packet: &Packet) {
        self.packets += 1;
        self.packets_truncated += u64::from(packet.captured < packet.original);
        self.packets_caplen_above_original += u64::from(packet.captured > packet.original);
        let Some(time) = packet.time else {
            self.packets_without_time += 1;
            return;
        };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }
}

/// An interface that packets were captured on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interface {
    /// How its packets begin.
    pub link_type: LinkType,
    /// Bytes kept of each packet; 0 means all.
    pub snaplen: u32,
    /// The unit of its time stamps.
    pub time_resolution: TimeResolution,
}

/// A link type for which the filter does not compile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterFault {
    /// The link type.
    pub link: LinkType,
    /// What libpcap said.
    pub message: String,
}
