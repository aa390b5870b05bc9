//! Packet time as the pipeline counts it: monotonic, and not to be led astray by one frame.

use crate::wire::{Duration, FrameId, Timestamp};

/// The latest packet time.
///
/// It never runs backwards. One frame with a time stamp of the year 2262 must not end every flow,
/// so a leap is believed only when the next packet confirms it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Clock {
    now: Option<Timestamp>,
    leap: Option<(Timestamp, FrameId)>,
    leapt: Option<FrameId>,
}

/// The time that it is for all lanes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tick {
    /// The latest packet time that is believed.
    pub now: Timestamp,
    /// The packet that made the last leap: it came before the leap was believed, and what it
    /// touched is as young as the leap.
    pub leapt: Option<FrameId>,
}

impl Clock {
    /// A step further than this must be confirmed.
    const LEAP: Duration = Duration::from_secs(3600);

    /// Takes in the time of the next packet, `frame`; gives the time that it is.
    pub(super) fn tick(&mut self, time: Timestamp, frame: FrameId) -> Tick {
        let now = self.now.get_or_insert(time);
        if time.since(*now) <= Self::LEAP {
            *now = time.max(*now);
            self.leap = None;
        } else if let Some((leap, first)) = self.leap
            && leap.distance(time) <= Self::LEAP
        {
            *now = time.max(leap);
            self.leap = None;
            self.leapt = Some(first);
        } else {
            self.leap = Some((time, frame));
        }
        self.now()
    }

    /// The time that it is.
    pub(super) fn now(&self) -> Tick {
        Tick { now: self.now.unwrap_or_default(), leapt: self.leapt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stray_time_stamp_moves_nothing() {
        let at = |secs| Timestamp::ZERO + Duration::from_secs(secs);
        let mut clock = Clock::default();
        let mut number = 0;
        let mut tick = |time| {
            number += 1;
            clock.tick(time, FrameId::new(0, number))
        };
        assert_eq!(tick(at(100)).now, at(100));
        assert_eq!(tick(at(90)).now, at(100));
        assert_eq!(tick(Timestamp::from_nanos(i64::MAX)).now, at(100));
        assert_eq!(tick(at(101)).now, at(101));
        assert_eq!(tick(at(9_001)), Tick { now: at(101), leapt: None });
        let leapt = Tick { now: at(9_001), leapt: Some(FrameId::new(0, 5)) };
        assert_eq!(tick(at(9_000)), leapt);
        assert_eq!(clock.now(), leapt);
    }
}
