//! Rates: how fast each direction was at its best, and whether what was lost of it fits a policer.
//!
//! A detector of one flow cannot tell a policer that knows a name from one that holds a whole line,
//! so nothing is judged here: the shape is described, and `correlate` holds it against other flows.
//! Kept: six numbers a direction, and from the first retransmission on two sums for straight lines.
//! A segment in order costs a few additions and comparisons.
//!
//! Whether the capture lies before or behind what drops is told by the lost packets: before it they
//! are in the capture, and what was delivered is what the peer acknowledged; behind it each byte is
//! seen once, and what was seen is what was delivered.
//!
//! The straight line at the losses is the test of Flach and others (SIGCOMM 2016, section 3), turned
//! round: there the tokens left at each loss must be about none.

use super::Watch;
use crate::evidence::{Ceiling, HostSource, Run, Slices};
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
    /// When new payload last left a hole before it.
    opened: u32,
    losses: Option<Box<Losses>>,
}

/// What is known of the losses of a direction.
#[derive(Debug)]
struct Losses {
    onset: (FrameId, Timestamp),
    felt: Timestamp,
    last: (FrameId, Timestamp),
    count: u32,
    bytes: u64,
    slices: Slices,
    sent: Line,
    acked: Line,
}

/// How fast a direction was, where it carried enough to tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speed {
    /// Which way.
    pub direction: Direction,
    /// From the first payload to the last, and the fastest 64 KiB.
    pub runs: [Option<Run>; 2],
    /// Share of the payload that was sent again, in thousandths.
    pub lost: u16,
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
    pub fn segment(&mut self, seen: &Observation, flow: &TcpFlow) {
        let sighting = &seen.sighting;
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
        let now = ticks(sighting.time.since(flow.first));
        let before = way.last;
        way.count(now, bytes as u32, sighting.payload_len);
        let next = seen.sender_before.next.unwrap_or(sighting.seq);
        if sighting.seq_end().is_after(next) {
            way.newest = marks(sighting);
            if sighting.seq.is_after(next) {
                way.opened = now;
            }
        } else if !way.was_overtaken(sighting, now) {
            way.lost(sighting, flow, (bytes, before));
        }
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
    /// taken for overtaken.
    fn was_overtaken(&self, sighting: &Sighting, now: u32) -> bool {
        let ((stamp, id), newest) = (marks(sighting), self.newest);
        let by_stamp = stamp.wrapping_sub(newest.0) as i32;
        let by_id = id.wrapping_sub(newest.1) as i16;
        if stamp != 0 && newest.0 != 0 && by_stamp != 0 {
            by_stamp < 0
        } else if id != 0 && newest.1 != 0 && by_id.unsigned_abs() < COUNTER_MAX {
            by_id < 0
        } else {
            self.opened != 0 && now.saturating_sub(self.opened) < HEELS
        }
    }

    /// Notes that a segment was sent again, `sent` bytes in all, the payload before it having passed
    /// at the tick `before`.
    #[cold]
    fn lost(&mut self, sighting: &Sighting, flow: &TcpFlow, (sent, before): (u64, u32)) {
        let moment = (sighting.frame, sighting.time);
        let losses = self.losses.get_or_insert_with(|| {
            Box::new(Losses {
                onset: moment,
                felt: flow.first + span_of(before.saturating_sub(1)),
                last: moment,
                count: 0,
                bytes: 0,
                slices: Slices::default(),
                sent: Line::default(),
                acked: Line::default(),
            })
        });
        losses.last = moment;
        losses.count = losses.count.saturating_add(1);
        losses.bytes += u64::from(sighting.payload_len);
        let after = sighting.time.since(losses.onset.1);
        losses.slices.note(after);
        losses.sent.add(after, sent);
        losses.acked.add(after, acked(flow, sighting.direction).unwrap_or(0));
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
        Some(Speed { direction, runs: [Some(whole), best], lost: self.share(bytes) })
    }

    /// The share of `bytes` that was sent again, in thousandths.
    fn share(&self, bytes: u64) -> u16 {
        let again = self.losses.as_ref().map_or(0, |losses| losses.bytes);
        (again.saturating_mul(1_000) / bytes.max(1)).min(1_000) as u16
    }

    fn ceiling(&self, direction: Direction, flow: &TcpFlow) -> Option<Ceiling> {
        let losses = self.losses.as_deref().filter(|losses| losses.count >= LOSSES_MIN)?;
        let (sender, start) = (flow.sender(direction), start_of(flow, direction)?);
        // Without the client's SYN it is not known who is who.
        flow.handshake.syn?;
        let reached = u64::from(sender.next?.0.wrapping_sub(start.0));
        if sender.bytes < reached - reached / MISSING_MAX {
            // The capture lacks what this would be judged by.
            return None;
        }
        let beyond = sender.bytes.saturating_sub(reached) * 2 > losses.bytes;
        let line = if beyond { &losses.acked } else { &losses.sent };
        let (rate, wobble) = line.fit()?;
        let begun = flow.first + span_of(self.first.saturating_sub(1));
        let burst = line.height(-losses.onset.1.since(begun).as_secs_f64(), rate);
        let ceiling = Ceiling {
            direction,
            begun,
            onset: losses.onset,
            felt: losses.felt,
            last: losses.last,
            losses: losses.count,
            share: self.share(sender.bytes),
            rate: rate as u64,
            burst: burst.max(0.0) as u64,
            wobble: wobble as u64,
            reach: line.reach(),
            slices: losses.slices,
            beyond,
        };
        (ceiling.rate > 0 && ceiling.reach >= REACH_MIN).then_some(ceiling)
    }
}

/// A straight line through points of time and bytes, by least squares, without keeping the points
/// (Welford's sums).
#[derive(Clone, Copy, Default, Debug)]
struct Line {
    count: f64,
    time: f64,
    bytes: f64,
    times: f64,
    squares: f64,
    products: f64,
    first: u64,
    latest: u64,
}

impl Line {
    fn add(&mut self, time: Duration, bytes: u64) {
        if self.count == 0.0 {
            self.first = bytes;
        }
        self.latest = bytes;
        let (time, bytes) = (time.as_secs_f64(), bytes as f64);
        self.count += 1.0;
        let (by_time, by_bytes) = (time - self.time, bytes - self.bytes);
        self.time += by_time / self.count;
        self.bytes += by_bytes / self.count;
        self.times += by_time * (time - self.time);
        self.squares += by_bytes * (bytes - self.bytes);
        self.products += by_time * (bytes - self.bytes);
    }

    /// Bytes a second, and the root mean square of the distance from the line in bytes.
    fn fit(&self) -> Option<(f64, f64)> {
        let rate = self.products / self.times;
        let left = (self.squares - rate * self.products).max(0.0) / self.count;
        (self.times > 0.0 && rate.is_finite() && left.is_finite()).then(|| (rate, left.sqrt()))
    }

    /// The height of the line of slope `rate` at `time`.
    fn height(&self, time: f64, rate: f64) -> f64 {
        self.bytes + rate * (time - self.time)
    }

    const fn reach(&self) -> u64 {
        self.latest.saturating_sub(self.first)
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

/// Bytes of a run.
const RUN: u32 = 64 * 1024;
/// Less than this tells nothing of a rate.
const SPEED_MIN: u64 = 40_000;
/// Identifications further apart are no counter's.
const COUNTER_MAX: u16 = 256;
/// Ticks after a hole was left in which no round trip fits, 1 ms.
const HEELS: u32 = 1_000;
/// Fewer losses than this show no line.
const LOSSES_MIN: u32 = 5;
/// Fewer bytes from the first loss to the last show no rate.
const REACH_MIN: u64 = 12_000;
/// One part in so many may be missing from the capture.
const MISSING_MAX: u64 = 50;
