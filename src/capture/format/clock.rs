//! Time stamps of capture files: ticks of some unit, made nanoseconds.

use std::fmt;

use crate::wire::Timestamp;

/// The unit of an interface's time stamps, in the encoding of pcapng's `if_tsresol`
/// (draft-ietf-opsawg-pcapng §4.2): the negative exponent of 10, or with the highest bit set, of 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeResolution(u8);

impl TimeResolution {
    /// Millionths of a second.
    pub const MICROS: Self = Self(6);
    /// Thousand-millionths of a second.
    pub const NANOS: Self = Self(9);

    pub(super) const fn from_option(value: u8) -> Self {
        Self(value)
    }

    const fn exponent(self) -> u8 {
        self.0 & !Self::BINARY
    }

    const fn is_binary(self) -> bool {
        self.0 & Self::BINARY != 0
    }

    const BINARY: u8 = 0x80;
}

impl fmt::Display for TimeResolution {
    /// In seconds: `1e-6`, `2^-10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = if self.is_binary() { "2^-" } else { "1e-" };
        write!(f, "{base}{}", self.exponent())
    }
}

/// How one interface's ticks become packet time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Clock {
    scale: Scale,
    offset_nanos: i128,
}

/// From ticks to nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scale {
    Times(u64),
    /// By a power of ten; none if the power is beyond all ticks.
    Over(Option<u64>),
    /// Ticks of 2^-n seconds.
    Binary(u8),
}

impl Clock {
    /// Ticks of `resolution`, which count from `offset_secs` after the epoch (`if_tsoffset`).
    pub(super) fn new(resolution: TimeResolution, offset_secs: i64) -> Self {
        let exponent = resolution.exponent();
        let scale = if resolution.is_binary() {
            Scale::Binary(exponent)
        } else if exponent <= NANO_EXPONENT {
            Scale::Times(10_u64.pow(u32::from(NANO_EXPONENT.saturating_sub(exponent))))
        } else {
            Scale::Over(10_u64.checked_pow(u32::from(exponent.saturating_sub(NANO_EXPONENT))))
        };
        Self { scale, offset_nanos: i128::from(offset_secs) * NANOS_PER_SEC }
    }

    /// The moment of the tick; saturates at the ends of packet time.
    pub(super) fn time(&self, ticks: u64) -> Timestamp {
        let nanos = match self.scale {
            Scale::Times(factor) => i128::from(ticks) * i128::from(factor),
            Scale::Over(divisor) => divisor.map_or(0, |divisor| i128::from(ticks / divisor)),
            Scale::Binary(exponent) => (i128::from(ticks) * NANOS_PER_SEC) >> exponent,
        };
        let nanos = nanos.saturating_add(self.offset_nanos);
        Timestamp::from_nanos(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

/// The time of a record that counts seconds and a fraction; a fraction above a second is added
/// like any other.
pub(super) fn seconds_and(secs: u32, fraction: u32, unit_nanos: u32) -> Timestamp {
    let nanos = u64::from(secs) * 1_000_000_000 + u64::from(fraction) * u64::from(unit_nanos);
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

const NANO_EXPONENT: u8 = 9;
const NANOS_PER_SEC: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_any_unit_become_nanoseconds() {
        let cases = [
            (6, 0, 1_500_000, 1_500_000_000),
            (9, 0, 1_500_000, 1_500_000),
            (0, 0, 7, 7_000_000_000),
            (12, 0, 1_999, 1),
            (127, 0, u64::MAX, 0),
            (0x8a, 0, 1_536, 1_500_000_000),
            (0x80, 0, 3, 3_000_000_000),
            (0xff, 0, u64::MAX, 0),
            (6, 10, 1, 10_000_001_000),
            (6, -10, 1, -9_999_999_000),
            (0, 0, u64::MAX, i64::MAX),
            (0, i64::MIN, 0, i64::MIN),
            (0, i64::MAX, u64::MAX, i64::MAX),
        ];
        for (resolution, offset, ticks, nanos) in cases {
            let clock = Clock::new(TimeResolution::from_option(resolution), offset);
            assert_eq!(clock.time(ticks).as_nanos(), nanos, "{resolution} {offset} {ticks}");
        }
    }

    #[test]
    fn fractions_beyond_a_second_carry_over() {
        assert_eq!(seconds_and(1, 2_000_001, 1_000).as_nanos(), 3_000_001_000);
        assert_eq!(seconds_and(u32::MAX, u32::MAX, 1_000).as_nanos(), 4_294_971_589_967_295_000);
    }

    #[test]
    fn resolutions_print_as_powers() {
        assert_eq!(TimeResolution::MICROS.to_string(), "1e-6");
        assert_eq!(TimeResolution::from_option(0x8a).to_string(), "2^-10");
    }
}
