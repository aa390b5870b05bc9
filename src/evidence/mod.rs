//! What may be claimed: the signal catalogue, facts, findings, and the records that tell them.
//!
//! Plain values only. Detectors make [`Fact`]s, the verdict room weighs a [`Suspicion`] into a
//! [`Finding`], the corridor fills [`FlowRecord`]s and [`CaptureRecord`]s, `correlate` folds them
//! into [`HostRecord`]s and [`ServiceRecord`]s, and `report` writes them down. The field names of
//! the records are the program's contract (`--format jsonl`); other programs read them.
//!
//! No fact without a frame number, no finding without facts: whoever doubts a claim opens the
//! capture at that frame.

mod capture;
mod fact;
mod finding;
mod flow;
mod host;
mod parting;
mod rate;
mod reach;
mod service;
mod signal;
mod summary;

pub use capture::{
    CaptureRecord, CompressionName, DamageRecord, FormatName, FragmentConflictRecord,
    InterfaceRecord,
};
pub use fact::{Fact, Grade, Haste, Suspicion, Weighed};
pub use finding::{
    BlockPage, Confidence, Finding, FrameRole, HostSource, Injector, Kind, Residual, RoledFrame,
    Tuple,
};
pub use flow::{
    ByDirection, DnsAnswer, DnsExchange, FlowEnd, FlowRecord, HttpExchange, QuicNames, RoleSource,
    TlsNames,
};
pub use host::{AccessRecord, HostRecord, HostVerdict};
pub use parting::chance_of_parting;
pub use rate::{Ceiling, Lost, Policed, Run, Slices};
pub use reach::Reach;
pub use service::{JoinedBy, NamesRecord, ServiceRecord};
pub use signal::{Family, Signal, SignalEntry};
pub use summary::{ListSource, Summary, ToolRecord};

/// The `version` that every record carries.
pub const RECORD_VERSION: u32 = 1;
