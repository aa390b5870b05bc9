//! Packet time as the pipeline counts it: monotonic, and not to be led astray by one frame.

use crate::wire::{Duration, Timestamp};

/// The latest packet time.
///
/// It never runs backwards. One frame with a time stamp of the year 2262 must not end every flow,
/// so a leap is believed only when the next packet confirms it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Clock {
    now: Option<Timestamp>,
    leap: Option<Timestamp>,
}

impl Clock {
    /// A step further than this must be confirmed.
    const LEAP: Duration = Duration::from_secs(3600);

    /// Takes in the time of the next packet; gives the time that it is.
    pub(super) fn tick(&mut self, time: Timestamp) -> Timestamp {
        let now = self.now.get_or_insert(time);
        if time.since(*now) <= Self::LEAP {
            *now = time.max(*now);
            self.leap = None;
        } else if self.leap.is_some_and(|leap| leap.distance(time) <= Self::LEAP) {
            *now = time;
            self.leap = None;
        } else {
            self.leap = Some(time);
        }
        *now
    }

    /// The time that it is.
    pub(super) fn now(&self) -> Timestamp {
        self.now.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stray_time_stamp_moves_nothing() {
        let at = |secs| Timestamp::ZERO + Duration::from_secs(secs);
        let mut clock = Clock::default();
        assert_eq!(clock.tick(at(100)), at(100));
        assert_eq!(clock.tick(at(90)), at(100));
        assert_eq!(clock.tick(Timestamp::from_nanos(i64::MAX)), at(100));
        assert_eq!(clock.tick(at(101)), at(101));
        assert_eq!(clock.tick(at(9_000)), at(101));
        assert_eq!(clock.tick(at(9_001)), at(9_001));
        assert_eq!(clock.now(), at(9_001));
    }
}
