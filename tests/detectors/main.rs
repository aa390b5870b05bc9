//! Each signal on a hand-made flow, beside the innocent flow that comes nearest to it.

#![expect(clippy::unwrap_used, reason = "a play without packets is a fault of the test")]

mod beside_server;
mod company;
mod nearer;
mod play;
mod proxies;
mod resets;
#[cfg(test)]
#[path = "../common/run.rs"]
mod run;
mod silences;
mod templates;
