//! How fast a direction of a flow was, and the shape that a policer gives it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::{Direction, Duration, FrameId, Timestamp};

/// Payload that passed in one stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Run {
    /// When it began.
    pub from: Timestamp,
    /// How long it took.
    pub span: Duration,
    /// Payload bytes.
    pub bytes: u64,
}

impl Run {
    /// When it was over.
    pub fn until(&self) -> Timestamp {
        self.from + self.span
    }

    /// Bits a second.
    pub fn bits_per_second(&self) -> u64 {
        rate_of(self.bytes, self.span).saturating_mul(8)
    }
}

/// Shares of a direction's payload that were sent again, in thousandths.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lost {
    /// What the capture had not seen: it was lost before the capture point.
    pub before: u16,
    /// What the capture had seen already: it was lost beyond it, or thought so.
    pub beyond: u16,
}

impl Lost {
    /// Both.
    pub const fn share(&self) -> u16 {
        self.before.saturating_add(self.beyond)
    }

    /// On one side of the capture point.
    pub const fn at(&self, beyond: bool) -> u16 {
        if beyond { self.beyond } else { self.before }
    }
}

/// What was lost of one direction of a flow, and how the delivered bytes lie in time.
///
/// A token bucket (RFC 2697) is empty whenever it drops a packet, so what has passed at each loss
/// lies on one straight line: slope the rate, height at the start the burst. Loss by chance, by
/// congestion or on a bad link does not know the line.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ceiling {
    /// Which way the payload travels.
    pub direction: Direction,
    /// When the first payload passed.
    pub begun: Timestamp,
    /// The first sign of a loss.
    pub onset: (FrameId, Timestamp),
    /// When payload had passed last before it: then the bucket was empty first.
    pub felt: Timestamp,
    /// The last one.
    pub last: (FrameId, Timestamp),
    /// Payload segments that were sent again.
    pub losses: u32,
    /// Their share of all payload bytes.
    pub lost: Lost,
    /// The slope of the line, in payload bytes a second.
    pub rate: u64,
    /// The height of the line when the first payload passed, in bytes.
    pub burst: u64,
    /// What the bucket holds at most, in bytes, where waits of the sender show that it runs over.
    pub holds: Option<u64>,
    /// How far what was delivered lies from the line, in bytes (root mean square).
    pub wobble: u64,
    /// Bytes delivered from the first loss to the last.
    pub reach: u64,
    /// When there were losses.
    pub slices: Slices,
    /// The lost packets are in the capture: they were lost beyond the capture point.
    pub beyond: bool,
}

impl Ceiling {
    /// From the first sign of a loss to the last.
    pub fn span(&self) -> Duration {
        self.last.1.since(self.onset.1)
    }

    /// Bits a second.
    pub const fn bits_per_second(&self) -> u64 {
        self.rate.saturating_mul(8)
    }

    /// What a bucket that held `tokens` bytes when `run` began lets pass until it ends.
    pub fn lets_pass(&self, tokens: u64, run: &Run) -> u64 {
        tokens.saturating_add(self.gained(run.span))
    }

    /// Bytes by which the bucket fills in `span`.
    pub fn gained(&self, span: Duration) -> u64 {
        let gained = u128::from(self.rate) * u128::from(span.as_nanos()) / NANOS;
        u64::try_from(gained).unwrap_or(u64::MAX)
    }
}

/// In which of at most 64 equal slices of time something happened. The slices double in width when
/// time runs out of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slices {
    hit: u64,
    /// Width of a slice, as a power of two of nanoseconds.
    width: u32,
}

impl Default for Slices {
    fn default() -> Self {
        // 8.4 ms, so that half a second can be told before they double.
        Self { hit: 0, width: 23 }
    }
}

impl Slices {
    /// Notes that it happened `after` the beginning.
    pub fn note(&mut self, after: Duration) {
        while after.as_nanos() >> self.width >= 64 {
            self.hit = halved(self.hit);
            self.width += 1;
        }
        self.hit |= 1 << (after.as_nanos() >> self.width);
    }

    /// How many slices it happened in.
    pub const fn count(&self) -> u32 {
        self.hit.count_ones()
    }

    /// How many slices it happened in that end before `from` the beginning, and that begin after
    /// `until`.
    pub fn beside(&self, from: Duration, until: Duration) -> (u32, u32) {
        let below = |at: u64| if at >= 64 { u64::MAX } else { (1 << at) - 1 };
        let before = self.hit & below(from.as_nanos() >> self.width);
        let after = self.hit & !below((until.as_nanos() >> self.width) + 1);
        (before.count_ones(), after.count_ones())
    }

    /// The end of the last slice in which it happened, of those that end before `after` the
    /// beginning.
    pub fn last_before(&self, after: Duration) -> Option<Duration> {
        let ended = (after.as_nanos() >> self.width).min(64);
        let mask = if ended == 64 { u64::MAX } else { (1 << ended) - 1 };
        let last = 63_u64.checked_sub(u64::from((self.hit & mask).leading_zeros()))?;
        Some(Duration::from_nanos((last + 1) << self.width))
    }
}

/// Each two neighbours of 64 bits joined into one, in the lower half.
fn halved(hit: u64) -> u64 {
    (0..32).filter(|at| hit >> (2 * at) & 3 != 0).fold(0, |half, at| half | 1 << at)
}

/// Payload bytes a second; 1 ns where no time passed.
fn rate_of(bytes: u64, span: Duration) -> u64 {
    let rate = u128::from(bytes) * NANOS / u128::from(span.as_nanos().max(1));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

const NANOS: u128 = 1_000_000_000;

/// To what rate a flow was held, as a finding tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Policed {
    /// Which way it was held: `to_client` or `to_server`.
    pub direction: Direction,
    /// Payload bits a second.
    pub rate_bps: u64,
    /// About how many payload bytes passed before it was felt.
    pub burst_bytes: u64,
    /// When the first loss showed.
    pub onset: Timestamp,
    /// Thousandths of the payload that were lost.
    pub lost_permille: u16,
    /// Payload bits a second of the control.
    pub control_bps: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_double_when_time_runs_out_and_keep_what_happened() {
        let mut slices = Slices::default();
        let millis = Duration::from_millis;
        [0, 100, 400, 3_000, 9_000].map(millis).into_iter().for_each(|time| slices.note(time));
        assert_eq!(slices.count(), 4, "0 and 100 ms are one slice when 9 s are told");
        let last = slices.last_before(millis(8_000)).expect("one");
        assert!(last > millis(3_000) && last < millis(3_400), "{last}");
        assert_eq!(slices.last_before(Duration::ZERO), None);
        assert!(slices.last_before(Duration::from_nanos(u64::MAX)) > Some(millis(9_000)));
        slices.note(Duration::from_nanos(u64::MAX));
        assert!(slices.count() > 0);
    }

    #[test]
    fn a_bucket_lets_pass_what_it_holds_and_gains() {
        let run = Run { from: Timestamp::ZERO, span: Duration::from_millis(500), bytes: 64_000 };
        assert_eq!(run.bits_per_second(), 1_024_000);
        let instant = Run { span: Duration::ZERO, bytes: u64::MAX, ..run };
        assert_eq!(instant.bits_per_second(), u64::MAX);
    }
}
