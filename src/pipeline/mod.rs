//! The corridor: the only room that knows the analysis rooms, and carries values between them.
//!
//! A frame is captured, decoded, joined to a flow, assembled into a stream, read by a protocol,
//! watched by detectors; when its flow ends, the suspicions are weighed into findings. All that
//! belongs to a flow is owned by one [`Lane`], that is by one thread: on the path of a packet there
//! is no lock, no shared map and no atomic read-modify-write. Lanes meet only at the end, where
//! their outcomes are put in the order of frames, so the answer does not depend on how many there
//! are.
//!
//! Bounds: flows ([`Limits::flows`]) and memory ([`Limits::memory`]); what had to be given up is
//! counted in the summary. A flood makes room before flows that both sides take part in. Of an ended flow without findings there remain one or two bytes
//! ([`Openings`]) and its share of the tally of hosts, unless its record is asked for
//! ([`Settings::flows`]). The one shared map is the [`Directory`], for who watches the run: it
//! is touched when a flow ends, never by a packet.

mod analysis;
mod beside;
mod budget;
mod clock;
mod closing;
mod consequence;
mod conversation;
mod desk;
mod directory;
mod dns;
mod http;
mod intake;
mod joining;
mod lane;
mod lanes;
mod openings;
mod parcel;
mod proxied;
mod quic;
mod quota;
mod rates;
mod reach;
mod refused;
mod resolvers;
mod settings;
mod shares;
mod silence;
mod talk;
mod telling;
mod tls;
mod udp;

pub use analysis::{Analysis, AnalysisError, Watcher, analyze};
pub use clock::Tick;
pub use closing::Outcome;
pub use directory::{Directory, Standing};
pub use lane::Lane;
pub use openings::Openings;
pub use settings::{Limits, Settings};

#[cfg(test)]
mod tests;
