//! Rates: how fast each direction was at its best, and whether what was lost of it fits a policer.
//!
//! A detector of one flow cannot tell a policer that knows a name from one that holds a whole line,
//! so nothing is judged here: the shape is described, and `correlate` holds it against other flows.
//! Kept: some numbers and the latest holes of a direction, and from the first retransmission on sums
//! for straight lines. A segment in order costs a few additions and comparisons.
//!
//! Whether the capture lies before or behind what drops is told by the lost packets: before it they
//! are in the capture, and what was delivered is what the peer acknowledged; behind it each byte is
//! seen once, and what was seen is what was delivered.
//!
//! The straight line at the losses is the test of Flach and others (SIGCOMM 2016, section 3), turned
//! round: there the tokens left at each loss must be about none.

mod line;

use line::{CUTS, Line, straightest};

use super::Watch;
use crate::evidence::{Ceiling, HostSource, Lost, Run, Slices};
use crate::flow::{Observation, Phase, Sighting, TcpFlow};
use crate::wire::{Direction, Duration, FrameId, SeqNumber, Timestamp};

/// Watches the rates of one flow.
#[derive(Default, Debug)]
pub struct Rates {
    ways: [Way; 2],
}

/// One direction. Times are ticks after the flow's first frame; 0 is never.
#[derive(Default, Debug)]
struct Way {
    first: u32,
    last: u32,
    /// Since when the run under way is counted, and the bytes sent before it.
    mark: u32,
    mark_bytes: u32,
    /// The fastest run of [`RUN`] bytes: when it began, and its ticks.
    best: Option<(u32, u32)>,
    /// Timestamp and IP identification of the latest new payload; 0 where it has none.
    newest: (u32, u16),
    /// What new payload left out: at most [`HOLES_MAX`], until the peer acknowledges it.
    holes: Vec<Hole>,
    /// When the peer was heard last.
    heard: u32,
    lone: Option<Box<Lone>>,
    losses: Option<Box<Losses>>,
}

/// Payload that was missing when what follows it passed.
#[derive(Clone, Copy, Debug)]
struct Hole {
    from: SeqNumber,
    to: SeqNumber,
    /// When payload had passed last before, and when the hole was left.
    before: u32,
    opened: u32,
}

/// A segment that was sent alone after a wait, with nothing left to be acknowledged.
///
/// Where all that follows the last acknowledged byte is lost, the capture has no hole, and what is
/// sent again looks new. But a sender whose timer has run out sends one segment, waits for its
/// acknowledgment, and then sends two (RFC 5681 §3.1). One that merely had nothing to send, or no
/// window, sends as soon as it may as much as it may.
#[derive(Debug)]
struct Lone {
    moment: (FrameId, Timestamp),
    end: SeqNumber,
    len: u32,
    at: u32,
    /// When payload had passed last before it, and how much had been sent and acknowledged by then.
    before: u32,
    sent: u64,
    acked: u64,
    /// When the next segment passed; 0 until then.
    followed: u32,
}

/// What is known of the losses of a direction.
#[derive(Debug)]
struct Losses {
    onset: (FrameId, Timestamp),
    felt: Timestamp,
    /// When the clocks stood at nought.
    base: Timestamp,
    last: (FrameId, Timestamp),
    count: u32,
    bytes: u64,
    slices: Slices,
    /// Ticks since the first loss with each wait cut down to one of [`CUTS`], and what was sent and
    /// acknowledged by it.
    clocks: [u32; CUTS.len()],
    sent: [Line; CUTS.len()],
    acked: [Line; CUTS.len()],
}

/// How fast a direction was, where it carried enough to tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speed {
    /// Which way.
    pub direction: Direction,
    /// From the first payload to the last, and the fastest 64 KiB.
    pub runs: [Option<Run>; 2],
    /// How much of the payload was sent again.
    pub lost: Lost,
}

/// A flow whose losses fit a ceiling.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    /// The shape.
    pub ceiling: Ceiling,
    /// The name that it asked for last before the first loss.
    pub host: Box<str>,
    /// Where the name stood.
    pub source: HostSource,
    /// The packet that carried it.
    pub trigger: FrameId,
}

impl Rates {
    /// Takes in the next segment. `flow` has already observed it.
    #[inline]
    pub fn segment(&mut self, seen: &Observation, flow: &TcpFlow) {
        let sighting = &seen.sighting;
        let now = ticks(sighting.time.since(flow.first));
        if let Some(peer) = self.ways.get_mut(sighting.direction.reverse().index()) {
            peer.heard = now;
        }
        // A single byte may be a keep-alive's (RFC 9293 §3.8.4).
        if sighting.payload_len <= 1 || sighting.duplicate || sighting.is_reset() {
            return;
        }
        // What is sent again to somebody who has left tells nothing of the way.
        if seen.before == Phase::Reset {
            return;
        }
        let Some(way) = self.ways.get_mut(sighting.direction.index()) else { return };
        let bytes = flow.sender(sighting.direction).bytes;
        let before = way.last;
        way.count(now, bytes as u32, sighting.payload_len);
        if let Some(losses) = &mut way.losses {
            losses.wait(now.saturating_sub(before));
        }
        let next = seen.sender_before.next.unwrap_or(sighting.seq);
        if sighting.seq_end().is_after(next) {
            way.newest = marks(sighting);
            if sighting.seq == next {
                way.alone(sighting, flow, (now, before));
            } else if sighting.seq.is_after(next) {
                way.lone = None;
                let acked = flow.sender(sighting.direction.reverse()).acked;
                way.opened(Hole { from: next, to: sighting.seq, before, opened: now }, acked);
            }
        } else if !way.was_overtaken(sighting, flow, now) {
            way.lone = None;
            let felt = way.hole_of(sighting).map_or(before, |hole| hole.before);
            way.lost(sighting, flow, (bytes, felt));
        }
    }

    /// Whether nothing was lost.
    pub fn is_quiet(&self) -> bool {
        self.ways.iter().all(|way| way.losses.is_none())
    }

    /// Bytes held beside this value.
    pub fn memory(&self) -> usize {
        let of = |way: &Way| {
            way.holes.capacity() * size_of::<Hole>()
                + way.losses.as_ref().map_or(0, |_| size_of::<Losses>())
                + way.lone.as_ref().map_or(0, |_| size_of::<Lone>())
        };
        self.ways.iter().map(of).sum()
    }

    /// Exchanges the directions, where the roles turn out to be the other way round.
    pub fn swap_roles(&mut self) {
        self.ways.swap(0, 1);
    }

    /// How fast each direction of the flow, which has ended, was.
    pub fn speeds(&self, flow: &TcpFlow) -> impl Iterator<Item = Speed> {
        let ways = Direction::BOTH.into_iter().zip(&self.ways);
        ways.filter_map(|(direction, way)| way.speed(direction, flow))
    }

    /// The direction of the flow, which has ended, whose losses fit a ceiling best.
    pub fn conclude(&self, flow: &TcpFlow, watch: &Watch) -> Option<Held> {
        let ways = Direction::BOTH.into_iter().zip(&self.ways);
        let found = ways.filter_map(|(direction, way)| way.ceiling(direction, flow));
        let ceiling = found.max_by_key(|ceiling| (ceiling.losses, ceiling.reach))?;
        let trigger = watch.name_at(ceiling.onset.0)?;
        let (host, source) = (trigger.host.clone()?, trigger.source);
        Some(Held { ceiling, host, source, trigger: trigger.frame })
    }
}

impl Way {
    /// Counts a segment of `len` bytes at `now`, `bytes` being all that was sent with it.
    fn count(&mut self, now: u32, bytes: u32, len: u32) {
        if self.first == 0 {
            (self.first, self.mark) = (now, now);
            self.mark_bytes = bytes.wrapping_sub(len);
        }
        self.last = now;
        if bytes.wrapping_sub(self.mark_bytes) >= RUN {
            let took = now.saturating_sub(self.mark);
            if self.best.is_none_or(|(_, best)| took < best) {
                self.best = Some((self.mark, took));
            }
            (self.mark, self.mark_bytes) = (now, bytes);
        }
    }

    /// Whether a segment was sent before one that came first: it was overtaken, and not sent again.
    /// What is sent again bears the timestamp of that time (RFC 7323 §4.1) and the next
    /// identification. Without either, only what comes at the heels of the hole that it fills is
    /// taken for overtaken: before anybody can have asked for it.
    fn was_overtaken(&self, sighting: &Sighting, flow: &TcpFlow, now: u32) -> bool {
        let ((stamp, id), newest) = (marks(sighting), self.newest);
        let by_stamp = stamp.wrapping_sub(newest.0) as i32;
        let by_id = id.wrapping_sub(newest.1) as i16;
        if stamp != 0 && newest.0 != 0 && by_stamp != 0 {
            by_stamp < 0
        } else if id != 0 && newest.1 != 0 && by_id.unsigned_abs() < COUNTER_MAX {
            by_id < 0
        } else {
            let heels = (trips(flow, sighting.direction).0 / 2).clamp(HEELS, HEELS_MAX);
            self.hole_of(sighting).is_some_and(|hole| now.saturating_sub(hole.opened) < heels)
        }
    }

    /// Notes a hole; those of which the peer has `acked` all are forgotten. The first of many is kept,
    /// for it tells when a loss was felt.
    #[cold]
    fn opened(&mut self, hole: Hole, acked: Option<SeqNumber>) {
        self.holes.retain(|hole| acked.is_none_or(|acked| hole.to.is_after(acked)));
        if self.holes.len() >= HOLES_MAX {
            self.holes.remove(1);
        }
        self.holes.push(hole);
    }

    /// The hole that a segment fills, or begins to.
    fn hole_of(&self, sighting: &Sighting) -> Option<&Hole> {
        let covers =
            |hole: &&Hole| !hole.from.is_after(sighting.seq) && hole.to.is_after(sighting.seq);
        self.holes.iter().find(covers)
    }

    /// Notes that a segment was sent again, `sent` bytes in all, the payload before it having passed
    /// at the tick `before`.
    #[cold]
    fn lost(&mut self, sighting: &Sighting, flow: &TcpFlow, (sent, before): (u64, u32)) {
        let moment = (sighting.frame, sighting.time);
        let felt = flow.first + span_of(before.saturating_sub(1));
        let losses = self.losses.get_or_insert_with(|| Losses::new(moment, felt, moment.1));
        losses.note(moment, sighting.payload_len);
        losses.slices.note(sighting.time.since(losses.onset.1));
        let acked = acked(flow, sighting.direction).unwrap_or(0);
        losses.draw([0; CUTS.len()], (sent, acked));
    }

    /// Looks whether a segment in order was sent alone, and what becomes of one that was.
    fn alone(&mut self, sighting: &Sighting, flow: &TcpFlow, (now, before): (u32, u32)) {
        let waited = before != 0 && now.saturating_sub(before) >= TIMER;
        if !waited && self.lone.is_none() {
            return;
        }
        let peer = flow.sender(sighting.direction.reverse());
        let asked = peer.acked.is_some_and(|acked| !sighting.seq.is_after(acked));
        let (trip, whole) = trips(flow, sighting.direction);
        if let Some(mut lone) = self.lone.take() {
            let answered = asked && now.saturating_sub(lone.at) >= trip - trip / 4;
            if lone.followed == 0 && answered && sighting.seq == lone.end {
                lone.followed = now;
                self.lone = Some(lone);
            } else if lone.followed != 0
                && now.saturating_sub(lone.followed) <= whole / 2
                && sighting.payload_len <= lone.len
            {
                self.timed_out(&lone, flow, now);
            }
        }
        if waited && asked && now.saturating_sub(self.heard) >= TIMER.saturating_add(trip) {
            self.lone = Some(Box::new(Lone {
                moment: (sighting.frame, sighting.time),
                end: sighting.seq_end(),
                len: sighting.payload_len,
                at: now,
                before,
                sent: flow.sender(sighting.direction).bytes - u64::from(sighting.payload_len),
                acked: acked(flow, sighting.direction).unwrap_or(0),
                followed: 0,
            }));
        }
    }

    /// Notes that `lone` was sent again: the bucket was empty when payload had passed last before it.
    #[cold]
    fn timed_out(&mut self, lone: &Lone, flow: &TcpFlow, now: u32) {
        let empty = flow.first + span_of(lone.before.saturating_sub(1));
        let span = |from: u32, until: u32| until.saturating_sub(from);
        let waits =
            [span(lone.before, lone.at), span(lone.at, lone.followed), span(lone.followed, now)];
        let since = CUTS
            .map(|cut| waits.iter().fold(0_u32, |sum, wait| sum.saturating_add(*wait.min(&cut))));
        let losses = self.losses.get_or_insert_with(|| {
            Box::new(Losses { clocks: since, ..*Losses::new(lone.moment, empty, empty) })
        });
        losses.note(lone.moment, lone.len);
        if empty > losses.onset.1 {
            losses.slices.note(empty.since(losses.onset.1));
        }
        losses.draw(since, (lone.sent, lone.acked));
    }

    fn speed(&self, direction: Direction, flow: &TcpFlow) -> Option<Speed> {
        let bytes = flow.sender(direction).bytes;
        if bytes < SPEED_MIN || self.last == u32::MAX {
            return None;
        }
        let run = |from: u32, ticks: u32, bytes: u64| Run {
            from: flow.first + span_of(from.saturating_sub(1)),
            span: span_of(ticks),
            bytes,
        };
        let whole = run(self.first, self.last.saturating_sub(self.first), bytes);
        let best = self.best.map(|(from, ticks)| run(from, ticks, u64::from(RUN)));
        Some(Speed { direction, runs: [Some(whole), best], lost: self.shares(direction, flow) })
    }

    /// How much was sent again. Where it is not known on which side it was lost, it counts for both.
    fn shares(&self, direction: Direction, flow: &TcpFlow) -> Lost {
        let again = self.losses.as_ref().map_or(0, |losses| losses.bytes);
        let sent = flow.sender(direction).bytes;
        let share = |bytes: u64| (bytes.saturating_mul(1_000) / sent.max(1)).min(1_000) as u16;
        let Some(reached) = reached(flow, direction) else {
            return Lost { before: share(again), beyond: share(again) };
        };
        let twice = sent.saturating_sub(reached).min(again);
        Lost { before: share(again - twice), beyond: share(twice) }
    }

    fn ceiling(&self, direction: Direction, flow: &TcpFlow) -> Option<Ceiling> {
        let losses = self.losses.as_deref().filter(|losses| losses.count >= LOSSES_MIN)?;
        let (sender, reached) = (flow.sender(direction), reached(flow, direction)?);
        // Without the client's SYN it is not known who is who.
        flow.handshake.syn?;
        // What was lost last, and never sent again before the flow ended, is not missing.
        let arrived = acked(flow, direction).map_or(reached, |acked| acked.min(reached));
        if sender.bytes < arrived - arrived / MISSING_MAX {
            // The capture lacks what this would be judged by.
            return None;
        }
        let beyond = sender.bytes.saturating_sub(reached) * 2 > losses.bytes;
        let lines = if beyond { &losses.acked } else { &losses.sent };
        let (line, cut, (rate, wobble)) = straightest(lines)?;
        let (_, unbroken) = lines[0].fit()?;
        let begun = flow.first + span_of(self.first.saturating_sub(1));
        let height = line.height(-losses.base.since(begun).as_secs_f64(), rate);
        let filled = if cut == u32::MAX { 0.0 } else { span_of(cut).as_secs_f64() * rate };
        let burst = height.max(filled);
        let ceiling = Ceiling {
            direction,
            begun,
            onset: losses.onset,
            felt: losses.felt,
            last: losses.last,
            losses: losses.count,
            lost: self.shares(direction, flow),
            rate: rate as u64,
            burst: burst.max(0.0) as u64,
            holds: (wobble * 2.0 < unbroken).then_some((filled * 2.0) as u64),
            wobble: wobble as u64,
            reach: line.reach(),
            slices: losses.slices,
            beyond,
        };
        (ceiling.rate > 0 && ceiling.reach >= REACH_MIN).then_some(ceiling)
    }
}

impl Losses {
    fn new(onset: (FrameId, Timestamp), felt: Timestamp, base: Timestamp) -> Box<Self> {
        Box::new(Self {
            onset,
            felt,
            base,
            last: onset,
            count: 0,
            bytes: 0,
            slices: Slices::default(),
            clocks: Default::default(),
            sent: Default::default(),
            acked: Default::default(),
        })
    }

    /// Counts what was sent again.
    fn note(&mut self, moment: (FrameId, Timestamp), len: u32) {
        self.last = moment;
        self.count = self.count.saturating_add(1);
        self.bytes += u64::from(len);
    }

    /// Adds what was sent and acknowledged `ago` ticks before to the lines.
    fn draw(&mut self, ago: [u32; CUTS.len()], (sent, acked): (u64, u64)) {
        let lines = self.sent.iter_mut().zip(&mut self.acked);
        for ((clock, ago), (by_sent, by_acked)) in self.clocks.iter().zip(ago).zip(lines) {
            let time = span_of(clock.saturating_sub(ago));
            by_sent.add(time, sent);
            by_acked.add(time, acked);
        }
    }

    /// Lets the clocks run by the ticks since payload had passed last.
    fn wait(&mut self, waited: u32) {
        for (clock, cut) in self.clocks.iter_mut().zip(CUTS) {
            *clock = clock.saturating_add(waited.min(cut));
        }
    }
}

/// By what it is known when a segment was sent.
fn marks(sighting: &Sighting) -> (u32, u16) {
    let stamp = sighting.timestamps.map_or(0, |stamps| stamps.value);
    (stamp, sighting.ip_id.unwrap_or(0))
}

/// Where the payload of a direction begins.
fn start_of(flow: &TcpFlow, direction: Direction) -> Option<SeqNumber> {
    let opening = match direction {
        Direction::ToServer => flow.handshake.syn,
        Direction::ToClient => flow.handshake.syn_ack,
    };
    Some(opening?.seq.plus(1))
}

/// Ticks from the capture point to the sender of a direction and back, and from end to end and back;
/// 0 where it is not known.
fn trips(flow: &TcpFlow, direction: Direction) -> (u32, u32) {
    let ticks = |trip: Option<Duration>| trip.map_or(0, ticks);
    let client = ticks(flow.handshake.client_rtt());
    let server = ticks(flow.handshake.server_rtt());
    let sender = if direction == Direction::ToServer { client } else { server };
    (sender, client.saturating_add(server))
}

/// How far what was sent in `direction` reaches, in bytes.
fn reached(flow: &TcpFlow, direction: Direction) -> Option<u64> {
    let next = flow.sender(direction).next?;
    Some(u64::from(next.0.wrapping_sub(start_of(flow, direction)?.0)))
}

/// How much of what went in `direction` was acknowledged, in bytes.
fn acked(flow: &TcpFlow, direction: Direction) -> Option<u64> {
    let acked = flow.sender(direction.reverse()).acked?;
    Some(u64::from(acked.0.wrapping_sub(start_of(flow, direction)?.0)))
}

/// A tick is 1,024 ns: 73 minutes fit, and what comes later is not measured.
fn ticks(after: Duration) -> u32 {
    u32::try_from((after.as_nanos() >> 10) + 1).unwrap_or(u32::MAX)
}

fn span_of(ticks: u32) -> Duration {
    Duration::from_nanos(u64::from(ticks) << 10)
}

/// The least timer of common senders in ticks, less a little: 195 ms.
const TIMER: u32 = 190_000;
/// Holes kept of a direction.
const HOLES_MAX: usize = 32;
/// Bytes of a run.
const RUN: u32 = 64 * 1024;
/// Less than this tells nothing of a rate.
const SPEED_MIN: u64 = 40_000;
/// Identifications further apart are no counter's.
const COUNTER_MAX: u16 = 256;
/// Ticks after a hole was left in which nobody can have asked for what is missing, 1 ms, where half
/// the round trip between the capture point and the sender is no longer.
const HEELS: u32 = 1_000;
/// The same, 50 ms: a handshake can have waited.
const HEELS_MAX: u32 = 50_000;
/// Fewer losses than this show no line.
const LOSSES_MIN: u32 = 5;
/// Fewer bytes from the first loss to the last show no rate.
const REACH_MIN: u64 = 12_000;
/// One part in so many may be missing from the capture: it moves the line by no more than the line is
/// straight. What the capture lacks is not sent again, so it adds no loss.
const MISSING_MAX: u64 = 25;
