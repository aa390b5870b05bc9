//! The straight line that a bucket draws through what had passed at each loss.

use crate::wire::Duration;

/// The line that a bucket draws. It fills up no further while the sender waits for its timer, so a
/// wait counts only until then. How long that is, is not known: a shorter cut must make the line
/// clearly straighter. With it come the cut, the rate and the wobble.
pub(super) fn straightest(lines: &[Line; CUTS.len()]) -> Option<(&Line, u32, (f64, f64))> {
    let mut best = None;
    for (line, cut) in lines.iter().zip(CUTS) {
        let fit = line.fit()?;
        if best.is_none_or(|(_, _, (_, wobble))| fit.1 < wobble * CLEARLY) {
            best = Some((line, cut, fit));
        }
    }
    best
}

/// A straight line through points of time and bytes, by least squares, without keeping the points
/// (Welford's sums).
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Line {
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
    pub(super) fn add(&mut self, time: Duration, bytes: u64) {
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
    pub(super) fn fit(&self) -> Option<(f64, f64)> {
        let rate = self.products / self.times;
        let left = (self.squares - rate * self.products).max(0.0) / self.count;
        (self.times > 0.0 && rate.is_finite() && left.is_finite()).then(|| (rate, left.sqrt()))
    }

    /// The height of the line of slope `rate` at `time`.
    pub(super) fn height(&self, time: f64, rate: f64) -> f64 {
        self.bytes + rate * (time - self.time)
    }

    pub(super) const fn reach(&self) -> u64 {
        self.latest.saturating_sub(self.first)
    }
}

/// Ticks of a wait that are counted: all, 400 ms, 200 ms (the least timer of common senders).
pub(super) const CUTS: [u32; 3] = [u32::MAX, 390_625, 195_313];
/// What a wobble must come down to where it is clearly less.
const CLEARLY: f64 = 0.8;
