//! DNS messages, in datagrams and in streams (RFC 1035, 6891, 7766).
//!
//! *Enters:* the payload of one datagram ([`Message::read`]), or the bytes of one direction of a
//! stream ([`Reader`]). *Leaves:* messages, as far as they could be read; the first thing that is
//! wrong with one stands in [`Message::fault`]. *Kept:* nothing of a datagram; of a stream one
//! unfinished message, at most 64 KiB. *Bounds:* [`Message::ANSWERS_MAX`] answers of a message are
//! told and [`Message::RECORDS_MAX`] records walked over; a name has at most 255 bytes however its
//! pointers lead, so that reading takes time linear in the message.
//!
//! Forged answers are often malformed, and stricter readers refuse them: here a wrong length, a
//! pointer into nowhere or a record that is missing ends only what depends on it. Names are
//! lower-case without the last dot; bytes that are no printable ASCII are written as in master
//! files, `\DDD` (RFC 1035 §5.1), so that a name is safe to store and to print.
//!
//! *Not done here:* nothing is looked up, verified (DNSSEC) or judged. Multicast DNS
//! (RFC 6762) has the same messages and another grammar of asking: who calls tells it by its port.

mod codes;
mod message;
mod name;
mod record;
mod stream;
#[cfg(test)]
mod tests;

pub use codes::{Rcode, RecordType};
pub use message::{Edns, Fault, Flags, Message, Question};
pub use record::{Data, Record};
pub use stream::{Event, Reader};

pub(super) use stream::probe;
