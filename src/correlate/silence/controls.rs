//! What passed near a silence: the controls against which it is held.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::passages::{Passages, Passed};
use super::{NEAR, SOON, Silent};
use crate::evidence::{Fact, Grade, Signal};
use crate::wire::{FrameId, Timestamp};

/// What passed near the silence.
pub(super) struct Controls<'a> {
    /// The best control: its rank, the first frame of its flow, and what passed.
    pub(super) best: Option<(Rank, FrameId, &'a Passed)>,
    grade: Option<Grade>,
    /// There is a control to the same port of the same server, or none at all: where another port or
    /// server is compared, a service that is down would fail for the name each time too.
    pub(super) here: bool,
    /// A control had a packet as large as the one that was not answered.
    pub(super) large: bool,
    /// Other names that passed to the same server.
    names: BTreeSet<&'a str>,
    /// The same name passed: before or after, or both.
    same: Sides,
    same_at: Option<FrameId>,
    /// The name passed on the same connection.
    kept_alive: bool,
    /// The same server answered another client that asked for another name, in the flow that begins
    /// there: not sooner or later only.
    pub(super) alive: Option<FrameId>,
}

/// From when to when a name was not answered.
pub(super) type Span = (Timestamp, Timestamp);

/// What a server answered to somebody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elsewhere<'a> {
    pub(super) client: IpAddr,
    pub(super) passed: &'a Passed,
}

/// How near a control is, the nearest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    SameDuring,
    Same,
    PathDuring,
    Path,
}

/// On which sides of the silence something passed.
#[derive(Clone, Copy, Default, Debug)]
struct Sides {
    before: bool,
    during: bool,
    after: bool,
    /// After, and so soon that an outage would have been a short one.
    soon: bool,
}

impl Sides {
    fn both(self) -> bool {
        self.during || (self.before && self.after)
    }

    fn any(self) -> bool {
        self.before || self.during || self.after
    }
}

impl<'a> Controls<'a> {
    /// `None` where it is not known whether the name itself passed.
    pub(super) fn of(
        silent: &Silent,
        (span, others_fell_silent): (Span, bool),
        passages: &'a Passages,
        elsewhere: &[Elsewhere<'_>],
    ) -> Option<Self> {
        let mut controls = Self {
            best: None,
            grade: None,
            here: true,
            large: false,
            names: BTreeSet::new(),
            same: Sides::default(),
            same_at: None,
            kept_alive: false,
            alive: None,
        };
        let window = (silent.from - NEAR, silent.until + NEAR);
        let (mut here, mut path) = (Sides::default(), Sides::default());
        let mut beside = BTreeSet::new();
        for (server, passed) in passages.near(silent.road, window) {
            let same = server == silent.road.server.ip && passed.port == silent.road.server.port;
            for (time, begins) in [passed.earliest, passed.latest] {
                let suits = passed.proto == silent.road.proto && begins != silent.begins;
                if !suits || !passed.counts_for(silent) || time < window.0 || time > window.1 {
                    continue;
                }
                if !is_same_name(silent, passed) {
                    let sides = if same { &mut here } else { &mut path };
                    let during = note(sides, span, time);
                    if !same && passed.port == silent.road.server.port {
                        beside.insert(server);
                    }
                    controls.note(passed, begins, (same, during), silent);
                }
            }
        }
        if let Some(subject) = &silent.subject {
            for (time, begins) in passages.times_of(silent.road, subject, window)? {
                // On a connection that is kept alive, the name may have passed a moment ago.
                let own = begins == silent.begins;
                let earlier = silent.what == Signal::RequestUnanswered && time < silent.from;
                controls.kept_alive |= own && earlier;
                if !own || earlier {
                    note(&mut controls.same, (silent.from, silent.until), time);
                    controls.same_at = controls.same_at.into_iter().chain([begins]).min();
                }
            }
        }
        controls.alive = alive_for_others(silent, span, elsewhere);
        controls.here = here.any() || !path.any();
        if silent.answered_before() {
            here.before |= here.soon;
            path.before |= path.soon;
        }
        let others = (beside.len(), others_fell_silent);
        controls.grade = controls.grade(silent, (here, path), others);
        Some(controls)
    }

    /// How good the controls are, which passed to the same port and beside it; of `beside` servers.
    fn grade(
        &self,
        silent: &Silent,
        (here, path): (Sides, Sides),
        (beside, others_fell_silent): (usize, bool),
    ) -> Option<Grade> {
        let several = beside + usize::from(here.any()) >= 2;
        match silent.what {
            // Firewalls and limits of the server's own are too near.
            Signal::SynUnanswered if here.any() || path.both() => Some(Grade::Half),
            Signal::SynUnanswered => None,
            _ if here.during => Some(Grade::Full),
            // What passed before and after leaves room for an outage between. It would have begun in
            // the moment between handshake and name, and have met nobody else.
            _ if here.both()
                && silent.answered_before()
                && !self.kept_alive
                && !others_fell_silent =>
            {
                Some(Grade::Full)
            }
            // Several beside it show that the way lives, and what others got, that the server does.
            // Its handshake does not: a full queue behind SYN cookies forgets it.
            _ if path.during && several && self.alive.is_some() => Some(Grade::Full),
            // Servers beside it say nothing of this one, unless it is known to have lived.
            _ if here.any() || (path.both() && self.alive.is_some()) => Some(Grade::Half),
            _ => None,
        }
    }

    /// The best control passed while the silence lasted.
    fn meanwhile(&self) -> bool {
        self.best.is_some_and(|(rank, ..)| matches!(rank, Rank::SameDuring | Rank::PathDuring))
    }

    fn note(
        &mut self,
        passed: &'a Passed,
        begins: FrameId,
        (same, during): (bool, bool),
        silent: &Silent,
    ) {
        let rank = match (same, during) {
            (true, true) => Rank::SameDuring,
            (true, false) => Rank::Same,
            (false, true) => Rank::PathDuring,
            (false, false) => Rank::Path,
        };
        if self.best.is_none_or(|(own, first, _)| (rank, begins) < (own, first)) {
            self.best = Some((rank, begins, passed));
        }
        if same {
            self.names.insert(&passed.subject.name);
            self.large |= passed.size >= silent.size - silent.size / 8;
        }
    }

    /// `control_passed`.
    pub(super) fn passed(&self, silent: &Silent, sized: bool) -> Option<Fact> {
        let grade = self.grade.map(|grade| if sized { grade } else { Grade::Half })?;
        let (rank, begins, passed) = self.best?;
        let name = &passed.subject.name;
        let what = if passed.answered { "was answered" } else { "was accepted" };
        let whom = match rank {
            Rank::SameDuring | Rank::Same => format!("the same server {}", silent.road.server.ip),
            Rank::PathDuring | Rank::Path => {
                format!("a server beside it, in the network of {}", silent.road.server.ip)
            }
        };
        let when = match rank {
            Rank::SameDuring | Rank::PathDuring => "meanwhile",
            Rank::Same | Rank::Path => "within two minutes",
        };
        let alive = match self.alive {
            Some(alive) if !self.here => format!(
                "; the server {} answered another client, who asked for another name, in the flow that begins in {alive}",
                silent.road.server.ip
            ),
            _ => String::new(),
        };
        Some(Fact {
            signal: Signal::ControlPassed,
            grade,
            frame: begins,
            expected: "other names that fare no better".to_owned(),
            observed: format!("{name} {what} {when}"),
            text: format!(
                "{when} the same client asked {whom} for {name}, in the flow that begins in {begins}, and {what}{alive}"
            ),
        })
    }

    /// `control_failed`.
    pub(super) fn failed(&self, silent: &Silent, peers: &[&Silent]) -> Option<Fact> {
        let name = |flow: &Silent| flow.subject.as_ref().map(|subject| subject.name.clone());
        let own = name(silent)?;
        let failed: BTreeSet<_> =
            peers.iter().filter_map(|peer| name(peer)).filter(|name| *name != own).collect();
        let example = peers.iter().find(|peer| name(peer).is_some_and(|name| name != own))?;
        let passed = self.names.iter().filter(|name| !failed.contains(**name)).count();
        let grade = match passed.cmp(&failed.len()) {
            Ordering::Greater if passed > 3 * failed.len() => return None,
            Ordering::Greater | Ordering::Equal => Grade::Half,
            Ordering::Less => Grade::Full,
        };
        Some(Fact {
            signal: Signal::ControlFailed,
            grade,
            frame: example.trigger,
            expected: "other names that pass".to_owned(),
            observed: format!("{} other names met the same, {} passed", failed.len(), passed),
            text: format!(
                "{} other names met the same at the same server within two minutes, as in {}",
                failed.len(),
                example.trigger
            ),
        })
    }

    /// `name_passed`.
    pub(super) fn name_passed(&self, silent: &Silent) -> Option<Fact> {
        let begins = self.same_at?;
        let name = &silent.subject.as_ref()?.name;
        Some(Fact {
            signal: Signal::NamePassed,
            grade: if self.same.both() || (self.kept_alive && !self.meanwhile()) {
                Grade::Full
            } else {
                Grade::Half
            },
            frame: begins,
            expected: format!("{name} that fails each time"),
            observed: format!("{name} passed"),
            text: format!(
                "within two minutes {name} passed between the same endpoints, in the flow that begins in {begins}"
            ),
        })
    }
}

/// First frame of a flow in which the server of `silent` answered another client that asked for
/// another name, if it did so meanwhile, and nobody near that time got the name itself.
fn alive_for_others(silent: &Silent, span: Span, elsewhere: &[Elsewhere<'_>]) -> Option<FrameId> {
    let window = (silent.from - NEAR, silent.until + NEAR);
    let mut first = None;
    for Elsewhere { client, passed } in elsewhere {
        let moments = [passed.earliest, passed.latest];
        // A capture near the server has the answer that was withheld from the client.
        let withheld = silent.what == Signal::AckWithheld && moments == [moments[0]; 2];
        if withheld && moments[0].1 == silent.begins {
            continue;
        }
        for (time, begins) in
            moments.into_iter().filter(|(time, _)| *time >= window.0 && *time <= window.1)
        {
            if is_same_name(silent, passed) {
                return None;
            }
            if *client != silent.road.client && time >= span.0 && time <= span.1 {
                first = first.into_iter().chain([begins]).min();
            }
        }
    }
    first
}

impl Passed {
    /// A SYN is answered by a SYN/ACK; all else needs an answer.
    fn counts_for(&self, silent: &Silent) -> bool {
        self.answered || silent.what == Signal::SynUnanswered
    }
}

fn is_same_name(silent: &Silent, passed: &Passed) -> bool {
    silent.subject.as_ref().is_some_and(|subject| subject.name == passed.subject.name)
}

/// Notes on which side of the silence `time` lies; whether it lies within.
fn note(sides: &mut Sides, (from, until): Span, time: Timestamp) -> bool {
    if time < from {
        sides.before = true;
    } else if time > until {
        sides.after = true;
        sides.soon |= time.since(until) <= SOON;
    } else {
        sides.during = true;
        return true;
    }
    false
}
