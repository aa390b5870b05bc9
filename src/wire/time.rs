//! Packet time. Nothing in the analysis asks what time it is now.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Serialize, Serializer};

/// A moment of the recording, in nanoseconds since the Unix epoch (UTC).
///
/// Negative values are legal: a capture may carry any number in its time field. Arithmetic
/// saturates, so that a forged time stamp can mislead but not panic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const ZERO: Self = Self(0);

    /// `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if the clock ran backwards.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// The time between the two moments, whichever came first.
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_nanos(self.0.abs_diff(other.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, nine digits of a second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(stamp) => write!(f, "{stamp:.9}"),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "RFC 3339, UTC, nine digits of a second; packet time"
        })
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(span.0))
    }
}

/// A span of packet time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole microseconds, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// Milliseconds with their fraction.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds with their fraction.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span divided by `n`; `n` of zero counts as one.
    #[must_use]
    pub const fn over(self, n: u64) -> Self {
        Self(self.0 / if n == 0 { 1 } else { n })
    }

    /// The span `n` times over, saturating.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl fmt::Display for Duration {
    /// The unit that a reader would choose: `870 µs`, `1.7 ms`, `143 ms`, `1.03 s`, `180 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0 as f64;
        match self.0 {
            0..1_000_000 => write!(f, "{:.0} µs", nanos / 1e3),
            1_000_000..100_000_000 => write!(f, "{:.1} ms", nanos / 1e6),
            100_000_000..1_000_000_000 => write!(f, "{:.0} ms", nanos / 1e6),
            1_000_000_000..60_000_000_000 => write!(f, "{:.2} s", nanos / 1e9),
            _ => write!(f, "{:.0} s", nanos / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_as_rfc_3339_with_nine_digits() {
        let stamp = Timestamp::from_nanos(1_435_000_000_000_000_001);
        assert_eq!(stamp.to_string(), "2015-06-22T19:06:40.000000001Z");
        assert_eq!(Timestamp::ZERO.to_string(), "1970-01-01T00:00:00.000000000Z");
    }

    #[test]
    fn every_representable_time_prints_and_saturates() {
        for nanos in [i64::MIN, -1, 0, i64::MAX] {
            let stamp = Timestamp::from_nanos(nanos);
            assert!(!stamp.to_string().is_empty());
            let _ = stamp + Duration::from_nanos(u64::MAX);
            let _ = stamp - Duration::from_nanos(u64::MAX);
            let _ = stamp.since(Timestamp::from_nanos(i64::MIN));
        }
    }

    #[test]
    fn durations_print_in_the_unit_a_reader_would_choose() {
        let cases = [
            (Duration::from_micros(870), "870 µs"),
            (Duration::from_micros(1_700), "1.7 ms"),
            (Duration::from_millis(143), "143 ms"),
            (Duration::from_millis(1_030), "1.03 s"),
            (Duration::from_secs(180), "180 s"),
        ];
        for (span, text) in cases {
            assert_eq!(span.to_string(), text);
        }
    }
}
