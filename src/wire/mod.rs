//! The words that all rooms share: time, frame, endpoint, sequence number, segment.
//!
//! Nothing here does I/O and nothing here keeps state. A value in this room is a small `Copy`
//! type or a view that borrows the bytes of a packet; whoever wants to keep bytes beyond the
//! packet copies them. Beside these words there is [`Least`], in which several rooms keep what they
//! have no bound for otherwise.

mod checksum;
mod endpoint;
mod frame;
mod ip;
mod least;
mod prefetch;
mod seq;
mod stable;
mod tcp;
mod time;
mod udp;

pub use checksum::{InternetChecksum, transport_checksum};
pub use endpoint::{Direction, Endpoint, FlowKey, Side, Transport};
pub use frame::{Frame, FrameId, LinkType};
pub use ip::{IpHeader, Ttl};
pub use least::Least;
pub use prefetch::prefetch;
pub use seq::SeqNumber;
pub use stable::{address_words, mapped_octets, stable_hash, stable_mix};
pub use tcp::{Segment, TcpFlags, TcpOptions, TcpTimestamps};
pub use time::{Duration, Timestamp};
pub use udp::Datagram;
