//! The host record: what happened to one name, over all flows.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::Kind;
use crate::wire::{FrameId, Timestamp};

/// What can be said of a host in this recording.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostVerdict {
    /// Every access that could be judged was interfered with.
    Blocked,
    /// Some were, some were not.
    Partly,
    /// None was.
    Untouched,
    /// Nothing could be judged.
    Unclear,
}

impl HostVerdict {
    /// Its name in records and text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Partly => "partly",
            Self::Untouched => "untouched",
            Self::Unclear => "unclear",
        }
    }
}

/// One access to a host, which shows what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct AccessRecord {
    /// Number of the flow.
    pub flow: u64,
    /// Address of its client.
    pub client: IpAddr,
    /// File of the frame.
    pub capture: String,
    /// The frame to look at: of an answer its beginning; of interference the first forged frame,
    /// or its trigger, or the first of the flow.
    pub frame: FrameId,
    /// When the interference set in, or when the answered flow began.
    pub time: Timestamp,
}

/// One host name and what happened to the flows that asked for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct HostRecord {
    /// The name, lower-case, without trailing dot.
    pub host: String,
    /// Flows that named it.
    pub accesses: u64,
    /// Addresses that did.
    pub clients: u64,
    /// Interfered flows by kind (`likely` and `confirmed`).
    pub interfered: BTreeMap<Kind, u64>,
    /// Flows that were answered and not interfered with, nor led astray by a forged answer to a
    /// question for the name.
    pub untouched: u64,
    /// Flows that were neither.
    pub unclear: u64,
    /// First interference.
    pub first_interfered: Option<Timestamp>,
    /// Last interference.
    pub last_interfered: Option<Timestamp>,
    /// Server ports on which they were, the lowest four.
    pub untouched_ports: Vec<u16>,
    /// When the first flow began that was answered and not interfered with.
    pub first_untouched: Option<Timestamp>,
    /// When the last of them began.
    pub last_untouched: Option<Timestamp>,
    /// What can be said.
    pub verdict: HostVerdict,
    /// Addresses that were interfered with.
    pub clients_interfered: u64,
    /// Addresses that got through untouched and were never interfered with.
    pub clients_untouched: u64,
    /// The domain that somebody registered, by the public suffix list; null where the name has
    /// none: an address, a single label, a public suffix or a name below no known one.
    pub domain: Option<String>,
    /// The service that a file given by `--services` counts it to.
    pub service: Option<String>,
    /// The first access that was interfered with.
    pub interfered_in: Option<AccessRecord>,
    /// The last access that was answered and not interfered with. Of a name that is `untouched`,
    /// while others of its service are not, the last of a client that was interfered with at one
    /// of these, if there is one.
    pub untouched_in: Option<AccessRecord>,
}
