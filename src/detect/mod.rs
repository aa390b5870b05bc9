//! Detectors: what in a flow one honest pair of stacks cannot have done.
//!
//! Enters: observations of segments (`flow`), disagreements about bytes (`stream`), answers read
//! (`protocol`). Leaves: for each flow that shows anything odd, one [`Suspicion`] a kind, with
//! facts for and against; innocent flows leave nothing. Kept: a [`Tape`] of the last headers of
//! each direction and, from the first odd packet on, a bounded log. Bounds: [`Tape::KEPT`]
//! sightings a direction, [`Watch::LOG_MAX`] logged ones, [`Watch::CONFLICTS_MAX`] conflicts and
//! [`Watch::ANSWERS_MAX`] answers a flow.
//!
//! A detector never says how sure it is: weights are the verdict's. It says what it expected, what
//! it saw, in which frame, and which innocent causes it could not rule out.
//!
//! [`Suspicion`]: crate::evidence::Suspicion

pub mod dns;
pub mod fingerprint;

mod baseline;
mod device;
mod handshake;
mod known;
mod marks;
mod rate;
mod reset;
mod reset_number;
mod reset_sequence;
mod reset_timer;
mod response;
#[cfg(test)]
mod sample;
mod scene;
mod silence;
mod tape;
mod tls;
mod unsaid;
mod watch;

pub use rate::{Held, Rates, Speed};
pub use scene::{Answer, Conflict, Notice, Reading, Said, Scene, TlsRefusal, Trigger};
pub use silence::{Silence, Unanswered};
pub use tape::Tape;
pub use watch::{Disagreement, Watch};
