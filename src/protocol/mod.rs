//! Bytes to names: what a stream says, read as it arrives.
//!
//! *Enters:* the bytes of one direction of one stream, in order, cut into chunks of any size; the
//! news that bytes are missing from the capture; the news that nothing more will come. QUIC's reader
//! takes datagrams of both directions instead, as they come.
//! *Leaves:* events, handed to a closure while the chunk is being read, so that the caller can
//! relate them to the frame that it is pushing. How the bytes are cut into chunks never changes
//! the events or their order.
//! *Kept:* at most one unfinished message a reader: a TLS message up to 64 KiB (certificates
//! 128 KiB), an HTTP head up to 64 KiB, the first 64 KiB of an HTTP body. A message that arrives in
//! one chunk is read in place and never copied.
//! *Not done here:* nothing knows of packets, times or addresses; nothing is decrypted but QUIC's
//! Initials, whose keys are public; nothing is judged.
//!
//! Censors send bytes that no strict parser takes, and such bytes are what this program is
//! about. So each format has one tolerant reader of our own that tells whatever can be told, and
//! one strict parser of the trade (`tls-parser`, `httparse`) that is asked only whether the bytes
//! are well-formed; where it refuses, the event is marked `lenient`. DNS messages tell their own
//! faults instead, one by one.

mod bounded;
pub mod dns;
pub mod http;
pub mod page;
mod probe;
pub mod quic;
mod text;
pub mod tls;

pub use http::{
    Body, BodyEnd, Coding, Decoded, Headers, HttpMalformed, Request, RequestEvent, RequestReader,
    Response, ResponseEvent, ResponseReader,
};
pub use page::{CharsetSource, Excerpt, Page};
pub use probe::{PROBE_BYTES_MAX, Probe, probe};
pub use quic::{
    QuicEvent, QuicMalformed, QuicReader, QuicSender, QuicVersion, is_quic_initial,
    is_quic_long_header,
};
pub use tls::{
    Alert, CertificateChain, CertificateClaims, CertificateInfo, CipherSuite, ClientHello,
    ServerHello, TlsCarrier, TlsEvent, TlsMalformed, TlsReader, TlsSender, TlsVersion,
};
