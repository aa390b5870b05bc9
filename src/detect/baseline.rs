//! How a sender's headers look in this flow, the suspects left out.

use std::fmt;

use super::Scene;
use crate::flow::Sighting;
use crate::wire::{Direction, FrameId, SeqNumber, Timestamp, Ttl};

/// The sender's own line, read off packets that nobody suspects.
#[derive(Clone, Debug)]
pub(super) struct Baseline<'a> {
    sightings: Vec<&'a Sighting>,
}

/// The TTLs that a sender showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TtlRange {
    pub(super) low: Ttl,
    pub(super) high: Ttl,
    pub(super) packets: usize,
    /// These came before the suspect; otherwise after it.
    pub(super) before: bool,
}

impl TtlRange {
    /// How far `ttl` lies outside.
    pub(super) fn off(self, ttl: Ttl) -> u8 {
        self.low.0.saturating_sub(ttl.0).max(ttl.0.saturating_sub(self.high.0))
    }

    /// Hops that its nearest packets travelled, if the guesses at their initial values are right.
    pub(super) fn hops(self) -> u8 {
        self.low.guess_hops().min(self.high.guess_hops())
    }
}

impl fmt::Display for TtlRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            self.low.fmt(f)
        } else {
            write!(f, "{} to {}", self.low, self.high)
        }
    }
}

/// How a sender numbers its packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum IpIdLine {
    /// Always the same number.
    Constant(u16),
    /// In small steps upwards.
    Rising,
}

impl<'a> Baseline<'a> {
    /// The line of `direction`'s sender without the frames in `suspects` and without its RSTs
    /// (stacks build these apart from the connection).
    pub(super) fn of(scene: &Scene<'a>, direction: Direction, suspects: &[FrameId]) -> Self {
        let opening = match direction {
            Direction::ToServer => scene.handshake.syn.as_ref(),
            Direction::ToClient => scene.handshake.syn_ack.as_ref(),
        };
        let logged = scene.sent(direction);
        let first_logged = scene.log.first().map(|seen| seen.frame);
        let opening = opening.filter(|seen| first_logged.is_none_or(|first| seen.frame < first));
        let sightings = opening
            .into_iter()
            .chain(logged)
            .filter(|seen| !seen.is_reset() && !suspects.contains(&seen.frame))
            .collect();
        Self { sightings }
    }

    /// Lowest and highest TTL before `frame`, and of how many packets; of all of them where none
    /// came before. What comes after a forged packet may be by the same hand.
    pub(super) fn ttl_range(&self, frame: FrameId) -> Option<TtlRange> {
        let before = self.sightings.iter().filter(|seen| seen.frame < frame).count();
        let counted = if before > 0 { before } else { self.sightings.len() };
        let ttls = || self.sightings.iter().take(counted).map(|seen| seen.ttl);
        Some(TtlRange {
            low: ttls().min()?,
            high: ttls().max()?,
            packets: counted,
            before: before > 0,
        })
    }

    /// The lowest and the highest window field before `frame`, SYNs left out, whose windows are not
    /// scaled (RFC 7323 §2.2).
    pub(super) fn windows(&self, frame: FrameId) -> Option<(u16, u16)> {
        let before = || {
            let plain = self.sightings.iter().filter(|seen| seen.frame < frame && !seen.is_syn());
            plain.map(|seen| seen.window)
        };
        Some((before().min()?, before().max()?))
    }

    /// DF as all packets before `frame` have it.
    pub(super) fn dont_fragment(&self, frame: FrameId) -> Option<bool> {
        let mut before = self.sightings.iter().filter(|seen| seen.frame < frame);
        let usual = before.next()?.dont_fragment;
        before.all(|seen| seen.dont_fragment == usual).then_some(usual)
    }

    /// How it numbers its packets, if a rule is to be seen. Numbers of zero are left out: Linux
    /// gives them to SYN/ACKs, whatever it does afterwards.
    pub(super) fn ip_id_line(&self) -> Option<IpIdLine> {
        let ids: Vec<u16> =
            self.sightings.iter().filter_map(|seen| seen.ip_id).filter(|id| *id != 0).collect();
        let first = *ids.first()?;
        if ids.len() < 3 {
            return None;
        }
        if ids.iter().all(|id| *id == first) {
            return Some(IpIdLine::Constant(first));
        }
        let steps = ids.iter().zip(ids.iter().skip(1)).map(|(one, next)| next.wrapping_sub(*one));
        let small = steps.filter(|step| (1..=Self::STEP_MAX).contains(step)).count();
        (small * 5 >= (ids.len() - 1) * 4).then_some(IpIdLine::Rising)
    }

    /// Whether one of its packets has this identification.
    pub(super) fn has_ip_id(&self, id: u16) -> bool {
        self.sightings.iter().any(|seen| seen.ip_id == Some(id))
    }

    /// The largest step of a counter that serves several connections at once.
    pub(super) const STEP_MAX: u16 = 1000;

    /// The last numbered packet before `frame`, and the first one after it.
    pub(super) fn ip_id_neighbours(&self, frame: FrameId) -> (Option<u16>, Option<u16>) {
        let numbered = || self.sightings.iter().filter(|seen| seen.ip_id.is_some_and(|id| id != 0));
        let before = numbered().rfind(|seen| seen.frame < frame);
        let after = numbered().find(|seen| seen.frame > frame);
        (before.and_then(|seen| seen.ip_id), after.and_then(|seen| seen.ip_id))
    }

    /// The timestamp that the sender's clock should show at `time`, and how far off is too far.
    ///
    /// The rate is read off the line where it spans half a second, otherwise 1 kHz is taken
    /// (RFC 7323 §5.4 allows 1 Hz to 1 kHz), with a tolerance to match.
    pub(super) fn expected_tsval(&self, time: Timestamp) -> Option<(u32, u32)> {
        let stamped =
            || self.sightings.iter().filter_map(|seen| Some((seen.time, seen.timestamps?.value)));
        let (first_time, first) = stamped().next()?;
        let (last_time, last) = stamped().next_back()?;
        let span_ms = last_time.since(first_time).as_millis_f64();
        let measured = span_ms >= 500.0;
        let rate = if measured { f64::from(last.wrapping_sub(first)) / span_ms } else { 1.0 };
        if !(0.0..=1100.0).contains(&rate) {
            return None;
        }
        let since_last = (time.as_nanos() as f64 - last_time.as_nanos() as f64) / 1e6;
        let expected = (i64::from(last) + (since_last * rate) as i64) as u32;
        let tolerance = (rate * 2_000.0 + since_last.abs() * rate) as u32;
        Some((expected, tolerance.max(10)))
    }

    /// Whether `echo` in `suspect` can be a timestamp of this sender: not older than its first, and
    /// not beyond what its clock, at 1 kHz at most (RFC 7323 §5.4), can have come to since the last
    /// one that was seen. The packet that is echoed need not be in the capture.
    pub(super) fn may_have_sent(&self, echo: u32, suspect: &Sighting) -> Option<bool> {
        let mut stamped = self
            .sightings
            .iter()
            .filter(|seen| seen.frame < suspect.frame)
            .filter_map(|seen| Some((seen, SeqNumber(seen.timestamps?.value))));
        let (first, lowest) = stamped.next()?;
        let (last, highest) = stamped.next_back().unwrap_or((first, lowest));
        let since = (suspect.after(last).as_millis_f64() * 1.1) as i32;
        let echo = SeqNumber(echo);
        let after = echo.distance_from(highest);
        Some(echo.distance_from(lowest) >= 0 && after <= since.saturating_add(ECHO_SLACK))
    }
}

/// Ticks by which an echo may be ahead of what is reckoned.
const ECHO_SLACK: i32 = 10;
