//! Tamperscope shows, from packets alone, that somebody interfered with a connection.
//!
//! It reads captures, puts TCP streams together, learns the names that clients asked for, and
//! looks for packets that the stated sender cannot have sent: injected resets and substituted
//! answers. Each finding names the frames that show it, says what speaks for and against it, and
//! how sure that makes us. A person with Wireshark can check every claim.
//!
//! # The whole on one page
//!
//! A frame is *captured*, *decoded* into a segment or datagram, joined to a *flow*, *assembled*
//! into a stream, read by a *protocol*, judged by *detectors*, weighed into a *verdict*,
//! *correlated* with other flows, and told in a *report*. Each of these words is a room:
//!
//! | room | what happens there |
//! |---|---|
//! | [`wire`] | the words all rooms share: time, frame, endpoint, sequence number, segment |
//! | [`capture`] | files, compressed files and standard input become frames |
//! | [`decode`] | a frame becomes a segment or datagram, or a counted reason why not |
//! | [`flow`] | who speaks with whom, in what phase |
//! | [`stream`] | bytes in order, and every disagreement about them |
//! | [`protocol`] | bytes become names: TLS, HTTP, pages |
//! | [`evidence`] | what may be claimed: the signal catalogue, facts, findings, records |
//! | [`detect`] | what no honest pair of stacks can have done |
//! | [`verdict`] | facts become a confidence, by one rule and one table of weights |
//! | [`correlate`] | across flows: what happened to each host, and to whom |
//! | [`report`] | records become text, JSON Lines, EVE |
//! | [`pipeline`] | the corridor: the only room that knows the others and carries values between them |
//! | [`cli`] | what was typed becomes settings, a run, an exit status |
//!
//! A room returns a value and never calls the next one; the corridor carries it. So the arrows
//! point one way, and every room is tested with three lines. `tests/house` holds the walls.
//!
//! # What is never done
//!
//! - No finding without facts, no fact without a frame number.
//! - No `confirmed` without a proof: two packets that one honest stack cannot both have sent, or a
//!   packet that came before its stated sender could have reacted.
//! - No room reads the clock: time is packet time, and the same capture gives the same answer at
//!   any speed and at any hour.
//! - No packet takes a lock. A *lane* is one thread that owns its flow table, streams and
//!   detectors outright; the order-free flow key picks the lane, so on the path of a packet there
//!   is no lock, no shared map and no atomic read-modify-write. This is what "lock-free flow table"
//!   means here. The one shared map (`dashmap`, an array of read-write-locked shards, so not
//!   lock-free) is the directory of hosts that a live view reads; it is touched when a flow ends.
//! - No byte of a packet reaches a terminal raw.
//! - No input makes it panic, and nothing grows without a stated bound; what had to be given up is
//!   counted in the summary.
//!
//! # As a library
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::sync::Arc;
//! use tamperscope::capture;
//! use tamperscope::detect::fingerprint::FingerprintSet;
//! use tamperscope::pipeline::{self, Limits, Settings};
//!
//! let settings = Settings {
//!     filter: None,
//!     hash: false,
//!     flows: false,
//!     lanes: NonZeroUsize::MIN,
//!     fingerprints: Arc::new(FingerprintSet::builtin()),
//!     services: Arc::default(),
//!     limits: Limits::default(),
//! };
//! let inputs = capture::expand(&["captures/koryolink/3g-client.pcap"])?.inputs;
//! let analysis = pipeline::analyze(&inputs, &settings, &mut ())?;
//! let blocked = analysis.findings.iter().filter_map(|finding| finding.host.as_deref());
//! assert!(blocked.into_iter().any(|host| host == "instagram.com"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod capture;
pub mod cli;
pub mod correlate;
pub mod decode;
pub mod detect;
pub mod evidence;
pub mod flow;
pub mod pipeline;
pub mod protocol;
pub mod report;
pub mod stream;
pub mod verdict;
pub mod wire;
