//! The host record: what happened to one name, over all flows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Kind;
use crate::wire::Timestamp;

/// What can be said of a host in this recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
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
    /// Flows that were answered and not interfered with.
    pub untouched: u64,
    /// Flows that were neither.
    pub unclear: u64,
    /// First interference.
    pub first_interfered: Option<Timestamp>,
    /// Last interference.
    pub last_interfered: Option<Timestamp>,
    /// What can be said.
    pub verdict: HostVerdict,
    /// Addresses that were interfered with.
    pub clients_interfered: u64,
    /// Addresses that got through untouched and were never interfered with.
    pub clients_untouched: u64,
}
