//! Bytes in order, and every disagreement about them: one direction of a TCP connection.
//!
//! **Enters**: [`Piece`]s, the payloads of one sender with their sequence numbers, in the order in
//! which they were captured, and the peer's acknowledgments. **Leaves**, through a [`StreamSink`]:
//! each byte exactly once and in order ([`Chunk`]), each stretch that will never come ([`Gap`]),
//! and each pair of copies of the same sequence range that differ ([`Overlap`]), told apart by
//! their frames. What a single piece amounted to is the [`PushOutcome`].
//!
//! **The first copy wins.** It is what was on the wire first at the place of capture, not what the
//! receiver took nor what the true sender sent: which of two copies is forged is for others to
//! judge, so the later copy is handed over whole. Where it reaches beyond the first copy, the
//! remainder is new, and is delivered as such.
//!
//! **Kept**: a piece in order is delivered straight from the packet's slice. Copied are only
//! pieces that wait for a hole before them to be filled ([`Limits::pending_bytes`],
//! [`Limits::pending_pieces`]; beyond that the lowest hole is given up, never the data), and, as
//! far as [`Retention`] asks for it, a window of delivered bytes or eight digests against which
//! late copies are compared. Both live in boxes that are absent when not needed.
//!
//! **Time.** A push costs its bytes, the runs and remembered pieces that it touches, and at most
//! one shift of the bounded run list for each fragment that it adds. A piece can add one fragment
//! for each hole that it fills, and each earlier push made at most one hole, so that a script of n
//! pushes makes at most 2 n fragments.
//!
//! **Offsets** are 64 bits wide and unwrapped once, here: 0 is the byte after the SYN or, where
//! no SYN was seen, the first byte seen. A sequence number is read as the nearest one to the
//! delivered edge (RFC 9293 §3.4).
//!
//! **Not done here**: no clock, no receiver's policy (operating systems differ in which copy they
//! take), no judgement, no FIN or RST (the flow knows them), no urgent data. Bytes from before the
//! first byte seen are not kept, nor are two late copies of a gap compared with each other.

mod assembler;
mod comparison;
mod digests;
mod history;
mod limits;
mod pending;
mod piece;
mod sink;
mod window;

#[cfg(test)]
mod tests;

pub use assembler::Assembler;
pub use limits::{Limits, Retention, Statistics};
pub use piece::{Piece, PushOutcome};
pub use sink::{Chunk, Gap, GapReason, Overlap, StreamOffset, StreamSink};
