//! Silence held against its controls: was it the name, or the path, the server, chance?
//!
//! Silence is interference only beside a control: the same client, another name, the same time,
//! answered by the same server or, at half the grade, by one in the same network. What speaks against
//! it is looked for as well: other names that met the same, and the same name that passed.
//! Everything here is a comparison of values; the order in which they were folded does not matter.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::passages::{Passages, Passed, Road, Subject};
use super::peers::{Peer, Peers};
use crate::evidence::{Fact, Grade, HostSource, Kind, Signal, Suspicion};
use crate::wire::{Duration, FrameId, Timestamp};

/// A flow in which something was sent again and not answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silent {
    /// Between whom.
    pub road: Road,
    /// What was not answered, as a signal.
    pub what: Signal,
    /// What it asked for; none for a SYN.
    pub subject: Option<Subject>,
    /// Where the name stood.
    pub source: HostSource,
    /// The packet that set it off.
    pub trigger: FrameId,
    /// First frame of the flow.
    pub begins: FrameId,
    /// When it was sent first.
    pub from: Timestamp,
    /// When it was sent for the last time.
    pub until: Timestamp,
    /// How often it was sent.
    pub copies: u32,
    /// Its size, in payload bytes.
    pub size: u32,
    /// How long the server had been silent before: a way that was alive a moment ago.
    pub idle: Duration,
    /// How long the recording went on after it was sent first, as far as it is of interest.
    pub watched: Duration,
}

/// What came of holding a flow against others.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// What is suspected.
    pub suspicion: Suspicion,
    /// First frame of the flow that is its control.
    pub control: Option<FrameId>,
}

/// All silent flows of a recording, by client and network of the server.
#[derive(Debug, Default)]
pub struct Silences<'a> {
    flows: Peers<'a, Silent>,
}

impl Peer for Silent {
    fn road(&self) -> Road {
        self.road
    }

    fn since(&self) -> (Timestamp, FrameId) {
        (self.from, self.begins)
    }
}

impl<'a> Silences<'a> {
    /// All of `flows`.
    pub fn of(flows: impl IntoIterator<Item = &'a Silent>) -> Self {
        Self { flows: Peers::of(flows) }
    }

    /// Holds `silent`, which is one of them, against the others and against what passed.
    pub fn judge(&self, silent: &Silent, passages: &Passages) -> Option<Judged> {
        let peers = self.peers(silent);
        let told = Told::of(silent, &peers);
        let controls = Controls::of(silent, passages)?;
        let mut grade = told.grade(silent)?;
        let sized = silent.size < LARGE || controls.large;
        if !sized {
            grade = Grade::Half;
        }
        let mut facts = vec![told.fact(silent, grade)];
        facts.extend(controls.passed(silent, sized));
        facts.extend(controls.failed(silent, &peers));
        facts.extend(controls.name_passed(silent));
        if controls.here {
            facts.extend(repeated(silent, &peers));
        }
        let control = controls.best.map(|(_, begins, _)| begins);
        let suspicion = Suspicion {
            kind: Kind::Drop,
            time: silent.from,
            trigger: Some(silent.trigger),
            forged: Vec::new(),
            genuine: Vec::new(),
            direction: None,
            facts,
            alternatives: alternatives(silent, control.is_some(), sized),
            injector: None,
            block_page: None,
        };
        Some(Judged { suspicion, control })
    }

    /// The others between the same two addresses, near in time.
    fn peers(&self, silent: &Silent) -> Vec<&'a Silent> {
        let window = (silent.from - NEAR, silent.until + NEAR);
        self.flows.near(silent, window).filter(|flow| flow.road == silent.road).collect()
    }
}

/// What was sent in vain. DNS questions for the same from several ports count together.
struct Told {
    copies: u32,
    from: Timestamp,
    until: Timestamp,
}

impl Told {
    fn of(silent: &Silent, peers: &[&Silent]) -> Self {
        let mut told = Self { copies: silent.copies, from: silent.from, until: silent.until };
        if silent.what == Signal::QueryUnanswered {
            for peer in peers.iter().filter(|peer| peer.subject == silent.subject) {
                told.copies = told.copies.saturating_add(peer.copies);
                told.from = told.from.min(peer.from);
                told.until = told.until.max(peer.until);
            }
        }
        told
    }

    fn span(&self) -> Duration {
        self.until.since(self.from)
    }

    /// How well the condition of the signal is met.
    fn grade(&self, silent: &Silent) -> Option<Grade> {
        let millis = Duration::from_millis;
        let (full, half) = match silent.what {
            Signal::QueryUnanswered => {
                // A resolver that gives up says so within some seconds (SERVFAIL).
                let patient = silent.watched >= Duration::from_secs(10);
                (if patient { (3, millis(4_000)) } else { NEVER }, (2, millis(3_000)))
            }
            Signal::QuicUnanswered => ((3, millis(1_000)), (2, millis(300))),
            Signal::SynUnanswered => ((4, millis(3_000)), (3, millis(2_000))),
            _ => ((4, millis(1_500)), (3, millis(500))),
        };
        let meets = |(copies, span): (u32, Duration)| self.copies >= copies && self.span() >= span;
        match (meets(full), meets(half)) {
            (true, _) if silent.idle <= IDLE_MAX => Some(Grade::Full),
            (false, false) => None,
            _ => Some(Grade::Half),
        }
    }

    fn fact(&self, silent: &Silent, grade: Grade) -> Fact {
        let (trigger, server, copies) = (silent.trigger, silent.road.server.ip, self.copies);
        let span = self.span();
        let name = silent.subject.as_ref().map_or("no name", |subject| &*subject.name);
        let sent = format!("was sent {copies} times over {span}");
        let text = match silent.what {
            Signal::HelloUnanswered => format!(
                "the ClientHello for {name} in {trigger} {sent}, and the server {server} never acknowledged it"
            ),
            Signal::RequestUnanswered => format!(
                "the request to {name} in {trigger} {sent}, and the server {server} never acknowledged it"
            ),
            Signal::QueryUnanswered => format!(
                "the query for {name} in {trigger} {sent}, and the resolver {server} never answered"
            ),
            Signal::QuicUnanswered => format!(
                "after the Initial for {name} in {trigger}, sent again over {span}, nothing came from the server {server}"
            ),
            Signal::SynUnanswered => {
                format!("the SYN in {trigger} {sent}, and nothing came from {server}")
            }
            Signal::AckWithheld => format!(
                "after {name} in {trigger} one side sent the same data {copies} times over {span}, though the other had acknowledged them"
            ),
            _ => format!(
                "after {name} in {trigger} the client's data {sent}, and the server {server} never acknowledged them"
            ),
        };
        Fact {
            signal: silent.what,
            grade,
            frame: trigger,
            expected: "an answer, or an acknowledgment".to_owned(),
            observed: format!("none to {copies} copies over {span}"),
            text,
        }
    }
}

/// What passed near the silence.
struct Controls<'a> {
    /// The best control: its rank, the first frame of its flow, and what passed.
    best: Option<(Rank, FrameId, &'a Passed)>,
    grade: Option<Grade>,
    /// There is a control to the same port of the same server, or none at all: where another port or
    /// server is compared, a service that is down would fail for the name each time too.
    here: bool,
    /// A control had a packet as large as the one that was not answered.
    large: bool,
    /// Other names that passed to the same server.
    names: BTreeSet<&'a str>,
    /// The same name passed: before or after, or both.
    same: Sides,
    same_at: Option<FrameId>,
}

/// How near a control is, the nearest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
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
    fn of(silent: &Silent, passages: &'a Passages) -> Option<Self> {
        let mut controls = Self {
            best: None,
            grade: None,
            here: true,
            large: false,
            names: BTreeSet::new(),
            same: Sides::default(),
            same_at: None,
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
                    let during = note(sides, silent, time);
                    if !same && passed.port == silent.road.server.port {
                        beside.insert(server);
                    }
                    controls.note(passed, begins, (same, during), silent);
                }
            }
        }
        if let Some(subject) = &silent.subject {
            for (time, begins) in passages.times_of(silent.road, subject, window)? {
                if begins != silent.begins {
                    note(&mut controls.same, silent, time);
                    controls.same_at = controls.same_at.into_iter().chain([begins]).min();
                }
            }
        }
        controls.here = here.any() || !path.any();
        controls.grade = match silent.what {
            // Firewalls and limits of the server's own are too near.
            Signal::SynUnanswered if here.any() || path.both() => Some(Grade::Half),
            Signal::SynUnanswered => None,
            _ if here.both() => Some(Grade::Full),
            // The handshake showed that the server lives; several beside it, that the way does.
            _ if path.both() && beside.len() >= 2 => Some(Grade::Full),
            _ if here.any() || path.both() => Some(Grade::Half),
            _ => None,
        };
        Some(controls)
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
    fn passed(&self, silent: &Silent, sized: bool) -> Option<Fact> {
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
        Some(Fact {
            signal: Signal::ControlPassed,
            grade,
            frame: begins,
            expected: "other names that fare no better".to_owned(),
            observed: format!("{name} {what} {when}"),
            text: format!(
                "{when} the same client asked {whom} for {name}, in the flow that begins in {begins}, and {what}"
            ),
        })
    }

    /// `control_failed`.
    fn failed(&self, silent: &Silent, peers: &[&Silent]) -> Option<Fact> {
        let name = |flow: &Silent| flow.subject.as_ref().map(|subject| subject.name.clone());
        let own = name(silent)?;
        let failed: BTreeSet<_> =
            peers.iter().filter_map(|peer| name(peer)).filter(|name| *name != own).collect();
        let example = peers.iter().find(|peer| name(peer).is_some_and(|name| name != own))?;
        let passed = self.names.iter().filter(|name| !failed.contains(**name)).count();
        let grade = match passed.cmp(&failed.len()) {
            Ordering::Greater => return None,
            Ordering::Equal => Grade::Half,
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
    fn name_passed(&self, silent: &Silent) -> Option<Fact> {
        let begins = self.same_at?;
        let name = &silent.subject.as_ref()?.name;
        Some(Fact {
            signal: Signal::NamePassed,
            grade: if self.same.both() { Grade::Full } else { Grade::Half },
            frame: begins,
            expected: format!("{name} that fails each time"),
            observed: format!("{name} passed"),
            text: format!(
                "within two minutes {name} passed between the same endpoints, in the flow that begins in {begins}"
            ),
        })
    }
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
fn note(sides: &mut Sides, silent: &Silent, time: Timestamp) -> bool {
    if time < silent.from {
        sides.before = true;
    } else if time > silent.until {
        sides.after = true;
    } else {
        sides.during = true;
        return true;
    }
    false
}

/// `name_repeated`.
fn repeated(silent: &Silent, peers: &[&Silent]) -> Option<Fact> {
    let subject = silent.subject.as_ref()?;
    // Questions for the same were counted together already.
    let counted = silent.what != Signal::QueryUnanswered;
    let alike = |peer: &&&Silent| peer.subject.as_ref() == Some(subject) && counted;
    let others = peers.iter().filter(alike).count();
    let first = peers.iter().find(alike)?;
    Some(Fact {
        signal: Signal::NameRepeated,
        grade: if others >= 2 { Grade::Full } else { Grade::Half },
        frame: first.trigger,
        expected: "chance, which does not choose by name".to_owned(),
        observed: format!("{} flows for {} that met the same", others + 1, subject.name),
        text: format!(
            "{} flows for {} met the same within two minutes, as in {}",
            others + 1,
            subject.name,
            first.trigger
        ),
    })
}

fn alternatives(silent: &Silent, controlled: bool, sized: bool) -> Vec<String> {
    let mut open = Vec::new();
    if controlled {
        open.push(
            "The server itself, or a firewall in front of it, discards what asks for this name."
                .to_owned(),
        );
    } else {
        open.push(
            "The server or the way to it was down: no flow for another name shows that they were not."
                .to_owned(),
        );
    }
    if !sized {
        open.push(format!(
            "Large packets are lost on the way (MTU black hole): no control had a packet of {} bytes.",
            silent.size
        ));
    }
    match silent.what {
        Signal::QueryUnanswered => open.push(
            "The resolver cannot reach the name's own servers, and does not say so.".to_owned(),
        ),
        Signal::QuicUnanswered => {
            open.push("The server does not speak QUIC for this name.".to_owned());
        }
        _ => {}
    }
    open
}

/// Flows so far from the silence are compared with it.
const NEAR: Duration = Duration::from_secs(120);
/// A server that was heard so shortly before was alive, and so was the way to it. Later it may have
/// died, or an address translation may have forgotten the connection.
const IDLE_MAX: Duration = Duration::from_millis(1_000);
/// From this size on a packet may be too large for a path whose small packets pass: what IPv6
/// guarantees (RFC 8200 §5), less headers.
const LARGE: u32 = 1_180;
/// A condition that nothing meets.
const NEVER: (u32, Duration) = (u32::MAX, Duration::ZERO);

#[cfg(test)]
mod tests;
