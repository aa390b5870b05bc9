//! Messages in a stream, each behind its length (RFC 1035 §4.2.2, RFC 7766 §8).

use super::{Flags, Message};
use crate::protocol::bounded;
use crate::protocol::probe::Probe;

/// Something that one direction of a stream says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A message.
    Message(Box<Message>),
    /// A length too small for a header: the stream is no DNS. The last event.
    Malformed,
    /// Bytes missing from the capture hide where the next message begins: the last event.
    Lost,
}

/// Reads one direction of a stream, see the [module](super).
///
/// ```text
/// LENGTH 2 | message | LENGTH 2 | message …
/// ```
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// A length of which one byte has come, and what has come of a message.
    held: Vec<u8>,
    stopped: bool,
}

impl Reader {
    /// Whether more bytes can lead to more events.
    pub const fn wants_more(&self) -> bool {
        !self.stopped
    }

    /// How many bytes the reader holds on the heap.
    pub const fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Reads the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Event)) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.stopped {
            rest = if self.held.is_empty() {
                self.in_place(rest, sink)
            } else {
                self.joined(rest, sink)
            };
        }
    }

    /// `missing` bytes will not come.
    pub fn gap(&mut self, missing: u64, sink: &mut impl FnMut(Event)) {
        if missing > 0 && !self.stopped {
            self.stop(Event::Lost, sink);
        }
    }

    /// Reads the message that begins with `bytes`, or keeps what there is of it.
    fn in_place<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Event)) -> &'a [u8] {
        let split = bytes
            .split_first_chunk()
            .and_then(|(len, rest)| rest.split_at_checked(usize::from(u16::from_be_bytes(*len))));
        if let Some((message, rest)) = split {
            self.message(message, sink);
            rest
        } else {
            bounded::extend(&mut self.held, bytes, HELD_BYTES_MAX);
            &[]
        }
    }

    /// Adds to what is held what it lacks: the rest of a length, then that of a message.
    fn joined<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Event)) -> &'a [u8] {
        let whole = self.whole().unwrap_or(LENGTH_BYTES);
        let lacks = whole.saturating_sub(self.held.len());
        let (more, rest) = bytes.split_at_checked(lacks).unwrap_or((bytes, &[]));
        bounded::extend(&mut self.held, more, HELD_BYTES_MAX);
        if self.whole() == Some(self.held.len()) {
            let held = std::mem::take(&mut self.held);
            self.message(held.get(LENGTH_BYTES..).unwrap_or_default(), sink);
        }
        rest
    }

    /// Bytes of the held message with its length, once the length has come.
    fn whole(&self) -> Option<usize> {
        let len = self.held.first_chunk()?;
        Some(LENGTH_BYTES + usize::from(u16::from_be_bytes(*len)))
    }

    fn message(&mut self, bytes: &[u8], sink: &mut impl FnMut(Event)) {
        match Message::read(bytes, false) {
            Some(message) => sink(Event::Message(Box::new(message))),
            None => self.stop(Event::Malformed, sink),
        }
    }

    fn stop(&mut self, event: Event, sink: &mut impl FnMut(Event)) {
        self.stopped = true;
        self.held = Vec::new();
        sink(event);
    }
}

const LENGTH_BYTES: usize = 2;
/// The longest message and its length.
const HELD_BYTES_MAX: usize = LENGTH_BYTES + 65_535;

/// Whether a stream begins with DNS: a length below 4,096, a header with one question of a standard
/// query and no counts that a first message does not have, and a label of graphic ASCII.
///
/// ```text
/// LENGTH 2 | ID 2 | FLAGS 2 | 0 1 | ANCOUNT 2 | NSCOUNT 2 | ARCOUNT 2 | label length | label …
/// ```
pub(in crate::protocol) fn probe(first: &[u8]) -> Probe {
    let byte = |at: usize| first.get(at).copied();
    let is = |at: usize, test: fn(u8) -> bool| byte(at).is_none_or(test);
    let [high, low] = [4, 5].map(|at| byte(at).unwrap_or_default());
    let flags = Flags(u16::from_be_bytes([high, low]));
    let length =
        is(0, |high| high < 0x10) && first.get(..2).is_none_or(|len| len > [0, 16].as_slice());
    let standard = flags.opcode() == 0 && !flags.is_reserved_set();
    let one_question = is(6, |high| high == 0) && is(7, |low| low == 1);
    let counts = [8, 10, 12].iter().all(|at| is(*at, |high| high == 0))
        && (flags.is_response()
            || [9, 11].iter().all(|at| is(*at, |low| low == 0)) && is(13, |low| low <= 2));
    match (length && standard && one_question && counts && label(first), first.len()) {
        (false, _) => Probe::Other,
        (true, 17..) => Probe::Dns,
        (true, _) => Probe::NeedMore,
    }
}

fn label(first: &[u8]) -> bool {
    first.get(14..).and_then(<[u8]>::split_first).is_none_or(|(len, rest)| {
        let label = rest.get(..usize::from(*len)).unwrap_or(rest);
        *len < 64 && label.iter().all(u8::is_ascii_graphic)
    })
}
