//! From where, and how soon, one address answers the SYNs that are sent to it.

use super::shelf::Sum;
use crate::evidence::{Fact, Grade, Haste, Signal};
use crate::wire::{Duration, FrameId, Ttl};

/// How one address, or one port of it, answers. Merging is a minimum, a maximum and a sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) ttl_low: Ttl,
    pub(super) ttl_high: Ttl,
    /// The shortest handshake, and the frame of its SYN/ACK.
    pub(super) handshake_least: Option<(Duration, FrameId)>,
    /// The first SYN/ACK, that a reader can look at.
    pub(super) example: FrameId,
    pub(super) flows: u64,
    homes: [Option<Home>; HOMES_MAX],
}

/// What a place shows with one TTL: one machine, or several as far away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Home {
    ttl: Ttl,
    flows: u64,
    least: Option<(Duration, FrameId)>,
}

impl Place {
    /// What one handshake shows.
    pub(super) fn of((frame, ttl): (FrameId, Ttl), handshake: Option<Duration>) -> Self {
        let mut place = Self::blank((frame, ttl));
        place.note((frame, ttl), handshake);
        place
    }

    /// A place of which nothing is known yet but that it answers with a SYN/ACK, which is to be noted.
    pub(super) const fn blank((frame, ttl): (FrameId, Ttl)) -> Self {
        let homes = [None; HOMES_MAX];
        Self { ttl_low: ttl, ttl_high: ttl, handshake_least: None, example: frame, flows: 0, homes }
    }

    /// Notes what one handshake shows.
    pub(super) fn note(&mut self, (frame, ttl): (FrameId, Ttl), handshake: Option<Duration>) {
        let least = handshake.map(|took| (took, frame));
        self.ttl_low = self.ttl_low.min(ttl);
        self.ttl_high = self.ttl_high.max(ttl);
        self.handshake_least = self.handshake_least.into_iter().chain(least).min();
        self.example = self.example.min(frame);
        self.flows += 1;
        self.add_home(Home { ttl, flows: 1, least });
    }

    /// Of more TTLs than there is room for, the lowest are kept.
    fn add_home(&mut self, home: Home) {
        let known = self.homes.iter_mut().flatten().find(|own| own.ttl == home.ttl);
        if let Some(own) = known {
            own.flows += home.flows;
            own.least = own.least.into_iter().chain(home.least).min();
            return;
        }
        let rank = |own: &Option<Home>| own.map_or(u16::MAX, |own| u16::from(own.ttl.0));
        if let Some(last) = self.homes.iter_mut().max_by_key(|own| rank(own))
            && rank(last) > u16::from(home.ttl.0)
        {
            *last = Some(home);
            self.homes.sort_by_key(rank);
        }
    }

    /// The quickest handshake with a SYN/ACK from as far as `ttl`, and how many came from there. What
    /// answers the same port from elsewhere may be another machine, or somebody else.
    fn as_far_as(&self, ttl: Ttl) -> (Option<(Duration, FrameId)>, u64) {
        let near =
            self.homes.iter().flatten().filter(|home| home.ttl.0.abs_diff(ttl.0) <= TTL_MARGIN);
        let least = near.clone().filter_map(|home| home.least).min();
        (least, near.map(|home| home.flows).sum())
    }

    /// How far `ttl` lies off what this place shows.
    pub(super) fn off(&self, ttl: Ttl) -> u8 {
        self.ttl_low.0.saturating_sub(ttl.0).max(ttl.0.saturating_sub(self.ttl_high.0))
    }

    /// `ttl_shift` or `ttl_match` of an answer; `whose` says what it is held against.
    pub(super) fn ttl_fact(&self, frame: FrameId, ttl: Ttl, whose: &str) -> Option<Fact> {
        let signal = match self.off(ttl) {
            0 => Signal::TtlMatch,
            1..=TTL_MARGIN => return None,
            _ => Signal::TtlShift,
        };
        let range = if self.ttl_low == self.ttl_high {
            self.ttl_low.to_string()
        } else {
            format!("{} to {}", self.ttl_low, self.ttl_high)
        };
        Some(Fact {
            signal,
            grade: self.grade(),
            frame,
            expected: format!("TTL {range}"),
            observed: format!("TTL {ttl}"),
            text: format!(
                "{frame} has TTL {ttl}; {whose} answers with {range}, as in {}",
                self.example
            ),
        })
    }

    /// The signal given, or `timing_match`, of an answer that took so long after the SYN.
    pub(super) fn timing_fact(
        &self,
        frame: FrameId,
        took: Duration,
        (fast, whose): (Signal, &str),
    ) -> Option<Fact> {
        let (least, example) = self.handshake_least?;
        let signal = if took < least.over(2) && least >= HANDSHAKE_MIN {
            fast
        } else if took.times(4) >= least.times(3) {
            Signal::TimingMatch
        } else {
            return None;
        };
        Some(Fact {
            signal,
            grade: self.grade(),
            frame,
            expected: format!("{least} or more"),
            observed: took.to_string(),
            text: format!(
                "{frame} came {took} after the SYN; {whose} never took less than {least}, as in {example}"
            ),
        })
    }

    /// Holds the haste of a packet that `fact` calls too fast against the quickest handshake of all
    /// flows that were accepted from as far as this one, by a SYN/ACK of the TTL `home`: what is left of
    /// the fact. One handshake alone may have been late on the way.
    pub(super) fn hold(
        &self,
        fact: Fact,
        haste: Haste,
        (home, whose): (Option<Ttl>, &str),
    ) -> Option<Fact> {
        let Haste { took, needs, .. } = haste;
        let (least, flows) =
            home.map_or((self.handshake_least, self.flows), |ttl| self.as_far_as(ttl));
        let quicker = least.filter(|(least, _)| *least < needs);
        // Of so many handshakes the quickest is what the way needs, and not much less can be enough.
        let surely_alone = |least: Duration| {
            flows >= MANY && haste.other.is_none_or(|other| other.times(4) < least.times(3))
        };
        let Some((least, example)) = quicker else {
            let gain = needs.as_nanos().saturating_sub(took.as_nanos());
            let thin = flows <= 1 && gain < LATENESS.as_nanos();
            let grade = if surely_alone(needs) { Grade::Full } else { fact.grade };
            return Some(Fact { grade: if thin { Grade::Half } else { grade }, ..fact });
        };
        let frame = fact.frame;
        let signal = if took < least.over(2) && least > TELLING_MIN {
            fact.signal
        } else if took.times(4) >= least.times(3) {
            Signal::TimingMatch
        } else {
            return None;
        };
        let grade = match haste.is_alone(least) {
            _ if surely_alone(least) => Grade::Full,
            true => fact.grade,
            false => Grade::Half,
        };
        Some(Fact {
            signal,
            grade,
            expected: format!("{least} or more"),
            text: format!(
                "{frame} came {took} after what it answers; {whose} needs {least}, as in {example}"
            ),
            ..fact
        })
    }

    const fn grade(&self) -> Grade {
        if self.flows > 1 { Grade::Full } else { Grade::Half }
    }
}

impl Sum for Place {
    fn add(&mut self, other: Self) {
        self.ttl_low = self.ttl_low.min(other.ttl_low);
        self.ttl_high = self.ttl_high.max(other.ttl_high);
        self.handshake_least = self.handshake_least.into_iter().chain(other.handshake_least).min();
        self.example = self.example.min(other.example);
        self.flows += other.flows;
        for home in other.homes.into_iter().flatten() {
            self.add_home(home);
        }
    }
}

/// Handshakes of which the quickest tells what a way needs.
const MANY: u64 = 3;
/// TTLs that are told apart at one place.
const HOMES_MAX: usize = 4;
/// TTLs this near may be one sender's.
pub(super) const TTL_MARGIN: u8 = 2;
/// By so much one packet may be late on a way that is otherwise quick.
const LATENESS: Duration = Duration::from_millis(10);
/// Below this round trip, the clock and the tap's own delay tell nothing.
const TELLING_MIN: Duration = Duration::from_millis(4);
/// Shorter handshakes leave no room to be nearer.
pub(super) const HANDSHAKE_MIN: Duration = Duration::from_millis(8);
