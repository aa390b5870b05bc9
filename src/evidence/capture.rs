//! The capture record: what was read of one file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::{FrameId, Timestamp};

/// Format of a capture file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FormatName {
    /// Classic pcap.
    Pcap,
    /// pcapng.
    PcapNg,
    /// snoop (RFC 1761).
    Snoop,
}

/// Compression around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CompressionName {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// An interface that the file describes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct InterfaceRecord {
    /// Link-layer header type (`LINKTYPE_` number).
    pub link_type: u16,
    /// Snapshot length; 0 for none.
    pub snaplen: u32,
    /// Resolution of time stamps, as in `1e-6`.
    pub time_resolution: String,
}

/// Two fragments that claim the same bytes of one IP packet and differ.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct FragmentConflictRecord {
    /// Frame of the copy that came first, and was used.
    pub first_frame: FrameId,
    /// Frame of the other copy.
    pub later_frame: FrameId,
    /// Where in the packet's payload they begin to differ, in bytes.
    pub offset: u32,
}

/// Where and why reading stopped.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct DamageRecord {
    /// Byte offset of the fault, in the decompressed stream where there is compression.
    pub offset: u64,
    /// What is wrong there.
    pub reason: String,
}

/// One capture file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct CaptureRecord {
    /// Path as given; `-` for standard input.
    pub path: String,
    /// Size as stored.
    pub bytes: u64,
    /// SHA-256 as stored, in hex; null unless asked for.
    pub sha256: Option<String>,
    /// Format; null where nothing could be read.
    pub format: Option<FormatName>,
    /// Compression.
    pub compression: Option<CompressionName>,
    /// Interfaces, in order.
    pub interfaces: Vec<InterfaceRecord>,
    /// Packets read.
    pub packets: u64,
    /// Earliest packet time.
    pub first: Option<Timestamp>,
    /// Latest packet time.
    pub last: Option<Timestamp>,
    /// Packets of which fewer bytes were captured than were on the wire.
    pub packets_truncated: u64,
    /// Packets that were not analysed, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Fragments of one IP packet that claim the same bytes and differ (the first 256 of a
    /// recording): a stack does not send them, evasion and attacks do.
    pub fragment_conflicts: Vec<FragmentConflictRecord>,
    /// Where and why reading stopped.
    pub damage: Option<DamageRecord>,
    /// Packets that the capturing system dropped, where the file says so.
    pub capture_drops: Option<u64>,
}
