//! HTTP/1 requests and responses (RFC 9110, 9112), broken ones included.
//!
//! *Enters:* the bytes of one direction; to the reader of responses also the methods that were
//! asked, in order. *Leaves:* [`RequestEvent`]s and [`ResponseEvent`]s. *Kept:* one unfinished
//! head, at most 64 KiB, and of a response the first 64 KiB of the body, as received. *Not done:*
//! the body of a request is skipped; a tunnel's content is not read; HTTP/2 is another protocol.
//!
//! Names and values are told by one line splitter; whether the head is well-formed is asked of
//! `httparse`, and of the line ends (RFC 9112 §2.2: a lone LF is tolerated, and a mark).

mod body;
mod chunked;
mod coding;
mod framing;
mod head;
mod request;
mod response;
mod split;
mod target;

pub use body::{Body, BodyEnd};
pub use coding::{Coding, DECODED_BYTES_MAX, Decoded};
pub use request::{Request, RequestEvent, RequestReader};
pub use response::{Response, ResponseEvent, ResponseReader};
pub use split::Headers;

/// Why bytes are no HTTP/1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HttpMalformed {
    /// The first bytes are those of something else.
    NotHttp,
    /// The start line has too few parts, or no status.
    StartLine,
    /// The head is longer than 64 KiB.
    HeadTooLong,
    /// The length of a request's body is contradictory (RFC 9112 §6.3).
    BodyLength,
    /// A chunk has no readable size, or does not end where it should (RFC 9112 §7.1).
    Chunk,
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
