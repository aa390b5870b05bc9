//! Across flows: what happened to one host name over the whole recording, and to names that belong
//! together.
//!
//! *Enters:* flow records with the findings of each, and beforehand the user's own word on which
//! names belong together. *Leaves:* host and service records. *Kept:* one small
//! tally for each host name and one for each client that named it. *Bounds:* [`HostTally`] states
//! them; what is given up because of them is counted, and which hosts are given up does not
//! depend on the order of the flows.
//!
//! Everything here is a fold over records, never a walk over live state: tallies of several lanes,
//! files or machines merge into the tally of all of them, in any order.
//!
//! *Not done here:* weighing evidence (`verdict`); telling the result (`report`).

mod certificates;
mod domain;
mod hosts;
mod ledger;
mod names;
mod outpost;
mod passages;
mod peers;
mod place;
mod proxies;
mod rates;
mod refusals;
mod residual;
mod rows;
mod services;
mod shelf;
mod sight;
mod silence;
mod singled;
mod swift;
mod together;
mod voices;

pub use certificates::{CertificateSight, CertificateTally, private_authority};
pub use hosts::{FalseAnswers, HostRecords, HostTally, MAX_CLIENTS, MAX_HOSTS};
pub use names::{MAX_NAME, Name, Names};
pub use outpost::{Strike, outposts};
pub use passages::{Passage, Passages, Road, Subject};
pub use proxies::{Accepted, Proxies};
pub use rates::{Slow, Slows, Throttled};
pub use refusals::{Acceptances, Refusal};
pub use residual::{Episode, residual_of};
pub use services::{Fault, ServiceSet, ServicesError};
pub use sight::{Book, Opening};
pub use silence::{Judged, Silences, Silent};
pub use singled::{Struck, singled_out};
pub use swift::{Swift, Swifts};
pub use together::{MAX_LET_THROUGH_LISTED, MAX_NAMES_LISTED, MAX_SERVICES};
pub use voices::{Voice, Voices};
