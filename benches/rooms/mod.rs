//! What single rooms do to real bytes: timed by the bench `rooms`, counted by `instructions`.
//!
//! Each work is checked while it runs: a bench of bytes that nothing is read from measures nothing.

pub(crate) mod decode;
pub(crate) mod input;
pub(crate) mod lane;
pub(crate) mod names;
