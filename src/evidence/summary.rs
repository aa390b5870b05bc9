//! The summary record, last of all.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Confidence, Kind, Reach, ServiceRecord};

/// A list that was used, of block-page fingerprints or of services.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct ListSource {
    /// `builtin`, or the file's name.
    pub name: String,
    /// SHA-256 of its text, in hex.
    pub sha256: String,
    /// Usable entries.
    pub entries: u64,
}

/// Which program with which knowledge made the records.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct ToolRecord {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Commit that it was built from; null where unknown.
    pub commit: Option<String>,
    /// Version of the signal catalogue and its weights.
    pub signals_version: u32,
    /// Fingerprint lists.
    pub fingerprints: Vec<ListSource>,
    /// Files that say which names belong together.
    pub services: Vec<ListSource>,
}

/// Totals.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// Packets read.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Flows.
    pub flows: u64,
    /// Findings by kind and confidence.
    pub findings: BTreeMap<Kind, BTreeMap<Confidence, u64>>,
    /// How much of the connections could be seen.
    pub reach: Reach,
    /// Names that belong together and of which some were interfered with, by name: those with the
    /// most accesses that were. `services_given_up` of `limits` counts the others.
    pub services: Vec<ServiceRecord>,
    /// How often each limit was reached.
    pub limits: BTreeMap<String, u64>,
    /// Which program.
    pub tool: ToolRecord,
}
