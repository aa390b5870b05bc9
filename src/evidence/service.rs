//! What happened to names that belong together, as the summary has it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::HostVerdict;
use crate::wire::Timestamp;

/// Why names belong together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JoinedBy {
    /// They are names of one registrable domain, by the public suffix list.
    Domain,
    /// A file given by `--services` says so.
    File,
}

/// The names of a service that got one verdict.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct NamesRecord {
    /// How many there are.
    pub count: u64,
    /// The first of them, in order.
    pub names: Vec<String>,
}

/// Names that belong together, at least two of which could be judged and at least one of which was
/// interfered with. It counts what the host records say and adds no evidence: that a name is
/// interfered with says nothing of its siblings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct ServiceRecord {
    /// The domain, or the name that the file gives it.
    pub service: String,
    /// Why the names belong together.
    pub by: JoinedBy,
    /// `blocked`: all names that could be judged are; `partly`: some are, or are at times.
    pub verdict: HostVerdict,
    /// Its names by their verdicts.
    pub hosts: BTreeMap<HostVerdict, NamesRecord>,
    /// Addresses that asked for one of the names.
    pub clients: u64,
    /// Addresses that were interfered with at one of them.
    pub clients_interfered: u64,
    /// Addresses that got answers from names at which others were interfered with, and never were
    /// themselves, at any name of the service.
    pub clients_let_through: u64,
    /// The first of these, in order.
    pub let_through: Vec<IpAddr>,
    /// First interference.
    pub first_interfered: Option<Timestamp>,
    /// Last interference.
    pub last_interfered: Option<Timestamp>,
}
