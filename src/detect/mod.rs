//! Detectors: what each signal family sees in a flow, one file or folder a family.
//!
//! A detector takes what the rooms before it made (segments, streams, parsed messages) and returns
//! facts; it never calls the room that weighs them.

pub mod fingerprint;
