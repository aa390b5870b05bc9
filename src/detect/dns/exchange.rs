//! One question with all answers to it.

use crate::evidence::{DnsAnswer, DnsExchange};
use crate::protocol::dns::{Fault, Flags, Message, Rcode, Record, RecordType};
use crate::wire::{Datagram, Direction, Duration, FrameId, IpHeader, Timestamp};

/// The packet that brought a message: of a datagram the headers too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Its frame.
    pub frame: FrameId,
    /// When it was captured.
    pub time: Timestamp,
    /// The IP header; none in a stream, where the headers are the connection's.
    pub ip: Option<IpHeader>,
}

/// A question, as it was sent first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// The packet that brought it.
    pub stamp: Stamp,
    /// Which way it went.
    pub way: Direction,
    /// It had the pseudo-record of EDNS.
    pub edns: bool,
    /// How often it was seen.
    pub times: u32,
    /// How many of these are one frame captured again, as far as that can be told.
    pub doubles: u32,
    /// When it was sent again, the first [`Query::AGAIN_MAX`] times.
    pub again: Vec<Timestamp>,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The packet that brought it.
    pub stamp: Stamp,
    /// Flags.
    pub flags: Flags,
    /// Response code.
    pub rcode: Rcode,
    /// It has the pseudo-record of EDNS.
    pub edns: bool,
    /// The answers.
    pub records: Vec<Record>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// The frame of an earlier reply captured again.
    pub double: bool,
}

/// One question, however often it was sent, with all answers to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// Message ID.
    pub id: u16,
    /// Name asked for.
    pub name: Box<str>,
    /// Type asked for.
    pub kind: RecordType,
    /// The question; none where the recording has only answers.
    pub query: Option<Query>,
    /// The answers, the first [`Exchange::REPLIES_MAX`].
    pub replies: Vec<Reply>,
}

impl Query {
    /// Times of sending again that are kept: no client asks more often within an exchange.
    pub const AGAIN_MAX: usize = 16;
}

impl Stamp {
    /// The packet of a datagram.
    pub const fn of(datagram: &Datagram<'_>) -> Self {
        Self { frame: datagram.frame, time: datagram.time, ip: Some(datagram.ip) }
    }

    /// Whether this is the packet of `first` captured again: by its identification, or, where it has
    /// none, a router later or nearly at once.
    fn repeats(&self, first: &Self) -> bool {
        let (Some(one), Some(two)) = (first.ip, self.ip) else { return false };
        let apart = self.time.distance(first.time);
        let numbered = one.id.is_some_and(|id| id != 0) && one.id == two.id;
        let routed = (1..=2).contains(&one.ttl.0.abs_diff(two.ttl.0)) && one.id == two.id;
        let alike = one.ttl == two.ttl && one.id == two.id;
        (numbered && apart <= REPEATED_MAX)
            || (routed && apart <= ROUTED_MAX)
            || (alike && apart <= MIRRORED_MAX)
    }
}

impl Reply {
    fn of(message: Message, stamp: Stamp) -> Self {
        Self {
            stamp,
            flags: message.flags,
            rcode: message.rcode,
            edns: message.edns.is_some(),
            records: message.answers,
            fault: message.fault,
            double: false,
        }
    }

    /// Whether it is an answer to go by: that there is such data, or none, or no such name.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.rcode, Rcode::NO_ERROR | Rcode::NX_DOMAIN)
    }
}

impl Exchange {
    /// Replies that are kept.
    pub const REPLIES_MAX: usize = 8;

    pub(super) fn asked(mut message: Message, stamp: Stamp, way: Direction) -> Option<Self> {
        let edns = message.edns.is_some();
        let query = Query { stamp, way, edns, times: 1, doubles: 0, again: Vec::new() };
        Some(Self { query: Some(query), ..Self::blank(&mut message)? })
    }

    /// Answers to a question that the recording does not have.
    pub(super) fn unasked(message: &mut Message) -> Option<Self> {
        Self::blank(message)
    }

    /// An exchange about the question of `message`, or about none where it is to have one that
    /// cannot be read.
    fn blank(message: &mut Message) -> Option<Self> {
        let asked = message.question.take();
        let unreadable = message.fault.is_some() && message.counts.first() != Some(&0);
        if asked.is_none() && !unreadable {
            return None;
        }
        let (name, kind) = asked.map(|asked| (asked.name, asked.kind)).unwrap_or_default();
        Some(Self { id: message.id, name, kind, query: None, replies: Vec::new() })
    }

    /// The question was seen once more.
    pub(super) fn asked_again(&mut self, stamp: &Stamp) {
        if let Some(query) = &mut self.query {
            query.times = query.times.saturating_add(1);
            if stamp.repeats(&query.stamp) {
                query.doubles += 1;
            } else if query.again.len() < Query::AGAIN_MAX {
                query.again.push(stamp.time);
            }
        }
    }

    pub(super) fn answered(&mut self, message: Message, stamp: Stamp) {
        if self.replies.len() >= Self::REPLIES_MAX {
            return;
        }
        let mut reply = Reply::of(message, stamp);
        reply.double = self.replies.iter().any(|first| {
            stamp.repeats(&first.stamp)
                && (first.flags, &first.records) == (reply.flags, &reply.records)
        });
        if self.replies.is_empty() {
            self.replies.reserve_exact(1);
        }
        self.replies.push(reply);
    }

    /// When its first packet came.
    pub(super) fn since(&self) -> Timestamp {
        let query = self.query.as_ref().map(|query| query.stamp.time);
        query.or_else(|| Some(self.replies.first()?.stamp.time)).unwrap_or_default()
    }

    /// How often the resolver was asked until `time`. A frame captured twice counts once, if the
    /// answers were captured twice as well; where the network doubled it, the resolver answered
    /// twice.
    pub(super) fn asked_until(&self, time: Timestamp) -> u32 {
        let Some(query) = &self.query else { return 0 };
        let single = self.replies.iter().filter(|reply| !reply.double).count();
        let all_doubled = self.replies.len() >= single * 2;
        let doubles = if all_doubled { 0 } else { query.doubles };
        let again = query.again.iter().filter(|again| **again <= time).count();
        1 + again as u32 + doubles
    }

    /// From the question to `reply`; none where it was sent again before.
    pub(super) fn took(&self, reply: &Reply) -> Option<Duration> {
        let query = self.query.as_ref()?;
        let again = query.again.iter().any(|again| *again <= reply.stamp.time);
        (!again).then(|| reply.stamp.time.since(query.stamp.time))
    }

    /// The first frame of all.
    pub fn first_frame(&self) -> FrameId {
        let query = self.query.as_ref().map(|query| query.stamp.frame);
        query.or_else(|| Some(self.replies.first()?.stamp.frame)).unwrap_or_default()
    }

    /// What the flow record tells of it.
    pub fn record(&self) -> DnsExchange {
        let answer = |reply: &Reply| DnsAnswer {
            frame: reply.stamp.frame,
            rcode: reply.rcode.to_string(),
            data: reply.records.iter().map(ToString::to_string).collect(),
            malformed: reply.fault.is_some(),
        };
        DnsExchange {
            id: self.id,
            name: self.name.to_string(),
            qtype: self.kind.to_string(),
            frame: self.query.as_ref().map(|query| query.stamp.frame),
            queries: self.query.as_ref().map_or(0, |query| query.times),
            answers: self.replies.iter().map(answer).collect(),
        }
    }

    /// Bytes on the heap, about.
    pub(super) fn memory(&self) -> usize {
        let replies = self
            .replies
            .iter()
            .map(|reply| size_of::<Reply>() + reply.records.len() * RECORD_BYTES);
        size_of::<Self>() + self.name.len() + replies.sum::<usize>()
    }
}

/// A record with the text that it usually has.
const RECORD_BYTES: usize = size_of::<Record>() + 16;
/// Two taps, or both ports of a mirrored switch, see a frame within this time.
const REPEATED_MAX: Duration = Duration::from_secs(1);
/// Both ports of a switch see a frame within this time; IPv6 has no identification.
const MIRRORED_MAX: Duration = Duration::from_micros(500);
/// A router that is tapped on both sides takes less than this.
const ROUTED_MAX: Duration = Duration::from_millis(2);
