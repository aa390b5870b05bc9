//! What each fuzz target does with its bytes.
//!
//! Every target is one function from bytes to nothing that panics where a promise is broken. Two
//! drivers call it: libFuzzer (`fuzz_targets/`, on nightly, for as long as one likes) and
//! `tests/fuzz_smoke.rs` (on stable, for two seconds a target, in every test run). So that both
//! can, a target takes plain bytes: a short head of its own, then what it is about.

pub mod analyze;
pub mod assembler;
pub mod capture;
pub mod conversation;
pub mod decode;
pub mod dns;
pub mod fingerprint;
pub mod head;
pub mod http;
pub mod quic;
pub mod tls;

#[path = "../../common/run.rs"]
mod run;
#[path = "../../stream_model/mod.rs"]
mod stream_model;

/// A target: its name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 10] = [
    ("capture", capture::check),
    ("decode", decode::check),
    ("assembler", assembler::check),
    ("tls", tls::check),
    ("http", http::check),
    ("dns", dns::check),
    ("quic", quic::check),
    ("fingerprint", fingerprint::check),
    ("conversation", conversation::check),
    ("analyze", analyze::check),
];
