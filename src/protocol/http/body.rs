//! The body of a response, as far as it is kept.

use sha2::{Digest, Sha256};

use super::{
    Headers,
    coding::{self, Coding, Decoded},
};
use crate::protocol::{bounded, text};

/// The start of a response's body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// The first 64 KiB without a hole: chunks joined, but coded as received.
    pub bytes: Vec<u8>,
    /// How the bytes ended.
    pub end: BodyEnd,
    /// The codings that were applied, in order.
    pub codings: Vec<Coding>,
}

/// Why no more bytes are there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BodyEnd {
    /// More may come.
    Open,
    /// By its length or its last chunk, the body is whole.
    Whole,
    /// The stream ended, and this body has no other end.
    Closed,
    /// The stream ended before the body did.
    CutShort,
    /// Bytes are missing from the capture.
    Hole,
    /// No more is kept.
    Full,
    /// The chunks are malformed.
    Broken,
}

impl Body {
    /// An empty body of the response that has these headers.
    pub(super) fn of(headers: &Headers) -> Self {
        Self { bytes: Vec::new(), end: BodyEnd::Open, codings: coding::codings(headers) }
    }

    /// The bytes without their codings, at most [`DECODED_BYTES_MAX`](super::DECODED_BYTES_MAX).
    pub fn decoded(&self) -> Decoded<'_> {
        coding::decode(&self.bytes, &self.codings)
    }

    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        text::hex(&Sha256::digest(&self.bytes))
    }

    /// Makes room for a body that is said to have `len` bytes; not for many, which it may not have.
    pub(super) fn expect(&mut self, len: u64) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve_exact(len.min(EXPECTED_BYTES_MAX) as usize);
        }
    }

    /// Keeps more bytes; whether all were kept.
    pub(super) fn keep(&mut self, more: &[u8]) -> bool {
        bounded::extend(&mut self.bytes, more, BODY_BYTES_MAX)
    }
}

/// Notices of blocking have a few KiB.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// Most bodies have less.
const EXPECTED_BYTES_MAX: u64 = 16 << 10;
