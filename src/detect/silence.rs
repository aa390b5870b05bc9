//! Silence: what a client sent again and again without being heard, and what a side went on sending
//! though the other had acknowledged it.
//!
//! A detector of one flow cannot tell a censor from a dead host, so nothing is judged here: what was
//! not answered is described, and `correlate` holds it against other flows. Kept: a few numbers of a
//! fixed size; a packet in order costs a handful of comparisons.
//!
//! Not taken for silence: what was sent once (the client gave up), flows whose handshake the capture
//! lacks, flows with bytes missing near by, an acknowledgment of data that the capture does not have
//! (the server did answer), a server that goes on repeating its SYN/ACK (its queue is full, and it
//! forgot the connection), and a server that reset.

use super::{Trigger, Watch};
use crate::evidence::{HostSource, Signal};
use crate::flow::{Observation, Phase, Sighting, TcpFlow};
use crate::wire::{Direction, Duration, FrameId, SeqNumber, Timestamp};

/// Watches one flow for silence.
#[derive(Clone, Default, Debug)]
pub struct Silence {
    /// The client's oldest data that the server has not acknowledged.
    wait: Option<Wait>,
    /// The client's latest new data.
    newest: (FrameId, Timestamp),
    /// When the server was heard last.
    heard: Option<Timestamp>,
    /// Of each direction: data sent though the peer had acknowledged them. Few flows have any.
    withheld: [Option<Box<Repeats>>; 2],
    /// The largest segment of the client that was acknowledged, in payload bytes.
    passed: u32,
    /// The server repeated its SYN/ACK after it was sent data, or reset the connection.
    refused: bool,
}

/// Data that wait for an acknowledgment.
#[derive(Clone, Copy, Debug)]
struct Wait {
    seq: SeqNumber,
    end: SeqNumber,
    size: u32,
    repeats: Repeats,
    /// How long the server had been silent when it was sent first.
    idle: Duration,
}

/// How often something was sent, from when to when.
#[derive(Clone, Copy, Debug)]
struct Repeats {
    first: FrameId,
    from: Timestamp,
    until: Timestamp,
    last: FrameId,
    copies: u32,
}

/// Something that was sent again and not answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unanswered {
    /// What it was, as a signal.
    pub what: Signal,
    /// The name that it asked for, or that was asked for last before it.
    pub host: Option<Box<str>>,
    /// Where the name stood.
    pub source: HostSource,
    /// The packet that set it off.
    pub trigger: FrameId,
    /// The first packet that was not answered.
    pub first: FrameId,
    /// When that was sent.
    pub from: Timestamp,
    /// When it was sent for the last time.
    pub until: Timestamp,
    /// The frame of that.
    pub last: FrameId,
    /// How often it was sent.
    pub copies: u32,
    /// Its size, in payload bytes.
    pub size: u32,
    /// How long the server had been silent when it was sent first.
    pub idle: Duration,
}

impl Silence {
    /// Takes in the next segment. `flow` has already observed it.
    #[inline]
    pub fn segment(&mut self, seen: &Observation, flow: &TcpFlow) {
        let sighting = &seen.sighting;
        if sighting.duplicate {
            return;
        }
        if sighting.direction == Direction::ToClient {
            self.heard(sighting, flow);
        } else if sighting.payload_len > 0 && !sighting.is_reset() {
            self.sent(sighting, flow);
        }
        if sighting.payload_len > 1 && !sighting.is_reset() {
            self.repeated(seen, flow);
        }
    }

    /// The largest segment of the client that the server acknowledged, in payload bytes.
    pub const fn passed(&self) -> u32 {
        self.passed
    }

    /// Whether nothing waits for an answer.
    pub const fn is_quiet(&self) -> bool {
        matches!((&self.wait, &self.withheld), (None, [None, None]))
    }

    /// What the flow, which has ended, did not get an answer to. `gaps` counts payload bytes that
    /// the capture lacks.
    pub fn conclude(&self, flow: &TcpFlow, watch: &Watch, gaps: u64) -> Option<Unanswered> {
        let handshake = &flow.handshake;
        let (up, down) = (flow.sender(Direction::ToServer), flow.sender(Direction::ToClient));
        if handshake.syn_ack.is_none() {
            return unanswered_syn(flow);
        }
        let unseen = match (up.acked, down.next) {
            (Some(acked), Some(next)) => acked.is_after(next),
            _ => false,
        };
        if handshake.syn.is_none() || gaps > 0 || unseen || self.refused {
            return None;
        }
        let unheard = self.wait.filter(|wait| wait.repeats.copies >= COPIES_MIN);
        unheard.and_then(|wait| wait.tell(watch)).or_else(|| self.tell_withheld(watch))
    }

    fn sent(&mut self, sighting: &Sighting, flow: &TcpFlow) {
        let acked = flow.sender(Direction::ToClient).acked;
        if acked.is_some_and(|acked| !sighting.seq_end().is_after(acked)) {
            return;
        }
        match &mut self.wait {
            Some(wait) if !sighting.seq.is_after(wait.seq) => {
                if sighting.seq_end().is_after(wait.seq) {
                    wait.repeats.again(sighting);
                }
            }
            Some(wait) => {
                if sighting.seq_end().is_after(wait.end) {
                    wait.end = sighting.seq_end();
                    self.newest = (sighting.frame, sighting.time);
                }
            }
            None => {
                self.newest = (sighting.frame, sighting.time);
                self.wait = Some(Wait {
                    seq: sighting.seq,
                    end: sighting.seq_end(),
                    size: sighting.payload_len,
                    repeats: Repeats::of(sighting),
                    idle: self.heard.map_or(Duration::ZERO, |heard| sighting.time.since(heard)),
                });
            }
        }
    }

    fn heard(&mut self, sighting: &Sighting, flow: &TcpFlow) {
        // One that comes before the data do answers a SYN that was sent twice, or was doubled.
        let forgotten =
            sighting.is_syn_ack() && flow.handshake.completed.is_some() && self.wait.is_some();
        self.refused |= forgotten || sighting.is_reset();
        self.heard = Some(sighting.time);
        let Some(wait) = &mut self.wait else { return };
        if !sighting.has_ack() || !sighting.ack.is_after(wait.seq) {
            return;
        }
        self.passed = self.passed.max(wait.size);
        if wait.end.is_after(sighting.ack) {
            let (first, from) = self.newest;
            let size = wait.end.distance_from(sighting.ack).unsigned_abs().min(wait.size);
            let repeats = Repeats { first, from, until: from, last: first, copies: 1 };
            *wait = Wait { seq: sighting.ack, size, repeats, idle: Duration::ZERO, ..*wait };
        } else {
            self.wait = None;
        }
    }

    /// Counts data that the peer had acknowledged before, until there is something new. A single
    /// byte may be a keep-alive's (RFC 9293 §3.8.4).
    fn repeated(&mut self, seen: &Observation, flow: &TcpFlow) {
        let sighting = &seen.sighting;
        let end = sighting.seq_end();
        let Some(withheld) = self.withheld.get_mut(sighting.direction.index()) else { return };
        let known = seen.sender_before.next.is_some_and(|next| !end.is_after(next));
        let peer = flow.sender(sighting.direction.reverse());
        // Who has closed has got what it came for.
        let closing = flow.sender(Direction::ToServer).fin.is_some();
        if !known || (closing && withheld.is_none()) {
            *withheld = None;
        } else if peer.acked.is_some_and(|acked| !end.is_after(acked)) {
            match withheld {
                Some(repeats) => repeats.again(sighting),
                None => *withheld = Some(Box::new(Repeats::of(sighting))),
            }
        }
    }

    fn tell_withheld(&self, watch: &Watch) -> Option<Unanswered> {
        let mut withheld = self.withheld.iter().flatten();
        let repeats = withheld.find(|repeats| repeats.copies >= COPIES_MIN)?;
        let trigger = watch.name_at(repeats.first)?;
        Some(repeats.tell(Signal::AckWithheld, trigger, 0))
    }
}

impl Wait {
    fn tell(&self, watch: &Watch) -> Option<Unanswered> {
        let first = self.repeats.first;
        let (what, trigger) = match watch.name_from(first) {
            Some(trigger) if trigger.source == HostSource::Sni => {
                (Signal::HelloUnanswered, trigger)
            }
            Some(trigger) => (Signal::RequestUnanswered, trigger),
            None => (Signal::DataUnanswered, watch.name_at(first)?),
        };
        let together = self.end.distance_from(self.seq).unsigned_abs().min(SEGMENT_MAX);
        let unanswered = self.repeats.tell(what, trigger, self.size.max(together));
        Some(Unanswered { idle: self.idle, ..unanswered })
    }
}

impl Repeats {
    const fn of(sighting: &Sighting) -> Self {
        let (first, from) = (sighting.frame, sighting.time);
        Self { first, from, until: from, last: first, copies: 1 }
    }

    fn again(&mut self, sighting: &Sighting) {
        self.copies = self.copies.saturating_add(1);
        self.until = self.until.max(sighting.time);
        self.last = self.last.max(sighting.frame);
    }

    fn tell(&self, what: Signal, trigger: &Trigger, size: u32) -> Unanswered {
        Unanswered {
            what,
            host: trigger.host.clone(),
            source: trigger.source,
            trigger: trigger.frame,
            first: self.first,
            from: self.from,
            until: self.until,
            last: self.last,
            copies: self.copies,
            size,
            idle: Duration::ZERO,
        }
    }
}

/// A SYN that was sent several times, and to which nothing came. Scanners send one.
fn unanswered_syn(flow: &TcpFlow) -> Option<Unanswered> {
    let syn = flow.handshake.syn?;
    let silent = flow.sender(Direction::ToClient).packets == 0 && flow.phase == Phase::SynSent;
    (silent && flow.handshake.syns >= COPIES_MIN).then_some(Unanswered {
        what: Signal::SynUnanswered,
        host: None,
        source: HostSource::Correlation,
        trigger: flow.first_frame,
        first: flow.first_frame,
        from: flow.first,
        until: syn.time,
        last: syn.frame,
        copies: flow.handshake.syns,
        size: 0,
        idle: Duration::ZERO,
    })
}

/// Data that were cut into smaller segments might have been sent in one of this size.
const SEGMENT_MAX: u32 = 1_460;
/// Fewer copies than this are what any loss makes.
const COPIES_MIN: u32 = 3;
