//! A ceiling held against its controls: was it the name, or the line, the server, chance?
//!
//! Many lines are policed as a whole: up to 7 % of lossy transfers were in 2016 (Flach and others). So
//! a ceiling is told only beside a *control*: a flow of the same client for another name that, in the
//! same direction, carried more than the bucket of the ceiling can have let pass. If it began while
//! the ceiling was felt, or soon after, then not even a bucket that both flows share could have
//! held it: that is a control in full. One that came before may have emptied such a bucket first.
//! Everything here is a comparison of values; the order in which they were folded does not matter.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use super::passages::{Road, Subject};
use super::peers::{Peer, Peers};
use super::swift::{Swift, Swifts};
use crate::evidence::{Ceiling, Fact, Grade, HostSource, Kind, Policed, Signal, Suspicion};
use crate::wire::{Direction, Duration, FrameId, Timestamp};

/// A flow whose losses fit a ceiling.
#[derive(Clone, PartialEq, Debug)]
pub struct Slow {
    /// Between whom.
    pub road: Road,
    /// What it asked for.
    pub subject: Subject,
    /// Where the name stood.
    pub source: HostSource,
    /// The packet that carried it.
    pub trigger: FrameId,
    /// First frame of the flow.
    pub begins: FrameId,
    /// The shape.
    pub ceiling: Ceiling,
}

/// What came of holding a ceiling against other flows.
#[derive(Clone, PartialEq, Debug)]
pub struct Throttled {
    /// What is suspected.
    pub suspicion: Suspicion,
    /// First frame of the flow that is its control.
    pub control: FrameId,
    /// The rate and what goes with it.
    pub policed: Policed,
}

/// All flows of a recording that met a ceiling, by client and network of the server.
#[derive(Debug, Default)]
pub struct Slows<'a> {
    flows: Peers<'a, Slow>,
}

impl Peer for Slow {
    fn road(&self) -> Road {
        self.road
    }

    fn since(&self) -> (Timestamp, FrameId) {
        (self.ceiling.onset.1, self.begins)
    }
}

impl<'a> Slows<'a> {
    /// All of `flows`.
    pub fn of(flows: impl IntoIterator<Item = &'a Slow>) -> Self {
        Self { flows: Peers::of(flows) }
    }

    /// Holds `slow`, which is one of them, against the others and against who was fast. `None`
    /// where its shape says little, or nobody was faster.
    pub fn judge(&self, slow: &Slow, swifts: &Swifts) -> Option<Throttled> {
        let shape = shape(&slow.ceiling)?;
        let window = (slow.ceiling.begun - NEAR, slow.ceiling.last.1 + NEAR);
        let near = || swifts.near((slow.road, slow.ceiling.direction), window);
        let control =
            near().filter_map(|swift| Control::of(slow, swift)).min_by_key(Control::rank)?;
        let peers = self.peers(slow);
        let mut facts = vec![policed(slow, shape), control.fact(slow)];
        facts.extend(failed(slow, &control, &peers, near()));
        facts.extend(near().find_map(|swift| name_passed(slow, swift)));
        if control.grade == Grade::Full {
            facts.extend(repeated(slow, &peers));
        }
        let suspicion = Suspicion {
            kind: Kind::Throttle,
            time: slow.ceiling.onset.1,
            trigger: Some(slow.trigger),
            forged: Vec::new(),
            genuine: Vec::new(),
            direction: None,
            facts,
            alternatives: alternatives(&control),
            injector: None,
            until: Some(slow.ceiling.last.0),
            block_page: None,
            haste: None,
        };
        let control_bps = Some(control.swift.run.bits_per_second());
        let policed = Policed { control_bps, ..Policed::of(&slow.ceiling) };
        Some(Throttled { suspicion, control: control.swift.begins, policed })
    }

    /// The others of the same client and network in the same direction, near in time.
    fn peers(&self, slow: &Slow) -> Vec<&'a Slow> {
        let window = (slow.ceiling.begun - NEAR, slow.ceiling.last.1 + NEAR);
        let alike = |flow: &&Slow| flow.ceiling.direction == slow.ceiling.direction;
        self.flows.near(slow, window).filter(alike).collect()
    }
}

/// How well the condition of `rate_policed` is met.
fn shape(ceiling: &Ceiling) -> Option<Grade> {
    let on_line = |part: u64| ceiling.wobble <= (ceiling.reach / part).max(SEGMENTS);
    let meets = |losses, slices, share, part, span| {
        ceiling.losses >= losses
            && ceiling.slices.count() >= slices
            && ceiling.lost.share() >= share
            && ceiling.span() >= span
            && on_line(part)
    };
    let millis = Duration::from_millis;
    let full = [
        meets(8, 5, 50, 25, millis(1_000)),
        // Where a quarter is lost and the control is spared, chance needs no more excluding.
        meets(8, 5, 250, 16, millis(1_000)),
        // A thin line is followed sooner: many losses apart from each other, or a long way.
        meets(10, 8, 100, 40, millis(600)),
        meets(9, 3, 100, 50, millis(2_000)),
    ];
    if ceiling.wobble <= THICK && full.contains(&true) {
        Some(Grade::Full)
    } else {
        meets(5, 3, 30, 16, millis(500)).then_some(Grade::Half)
    }
}

fn policed(slow: &Slow, grade: Grade) -> Fact {
    let ceiling = &slow.ceiling;
    let (rate, burst) = (speed(ceiling.bits_per_second()), size(ceiling.burst));
    let (onset, last) = (ceiling.onset.0, ceiling.last.0);
    let (losses, wobble) = (ceiling.losses, size(ceiling.wobble));
    let whose = match ceiling.direction {
        Direction::ToClient => "what the server sent",
        Direction::ToServer => "what the client sent",
    };
    let place = if ceiling.beyond { "behind" } else { "before" };
    let first = match ceiling.burst {
        0 => String::new(),
        _ => format!(", once about {burst} had passed freely"),
    };
    Fact {
        signal: Signal::RatePoliced,
        grade,
        frame: onset,
        expected: "a rate that varies, and losses that do not know it".to_owned(),
        observed: format!(
            "{rate} after a burst of about {burst}, {:.1} % sent again",
            f64::from(ceiling.lost.share()) / 10.0
        ),
        text: format!(
            "after {} in {}, {whose} was held to {rate} by losses {place} the capture point{first}: at all {losses} of them, from {onset} to {last}, what had passed lies within {wobble} of one straight line",
            slow.subject.name, slow.trigger
        ),
    }
}

/// A flow for another name that was faster than the ceiling allows.
struct Control<'a> {
    swift: &'a Swift,
    grade: Grade,
    /// It came to the same server.
    here: bool,
    /// Not even a bucket that both share could have let it pass.
    shared: bool,
    /// What the bucket would have let pass.
    allowed: u64,
}

impl<'a> Control<'a> {
    /// `None` where `swift` is no control, or was not clearly faster.
    fn of(slow: &Slow, swift: &'a Swift) -> Option<Self> {
        let ceiling = &slow.ceiling;
        let suits = swift.road.proto == slow.road.proto
            && swift.begins != slow.begins
            && swift.subject.name != slow.subject.name
            && is_free(ceiling, swift)
            && is_spared(slow, swift);
        if !suits {
            return None;
        }
        let filled = tokens(ceiling, swift).map(|tokens| ceiling.lets_pass(tokens, &swift.run));
        let shared = filled.into_iter().chain(bend(ceiling, swift)).min();
        let here = swift.road.server.ip == slow.road.server.ip;
        let faster = |allowed: u64| swift.run.bytes >= allowed.saturating_mul(FASTER);
        let (grade, allowed) = match shared.filter(|allowed| faster(*allowed)) {
            Some(allowed) if here => (Grade::Full, allowed),
            Some(allowed) => (Grade::Half, allowed),
            None if here => (Grade::Half, ceiling.lets_pass(ceiling.burst, &swift.run)),
            None => return None,
        };
        let shared = shared.is_some_and(faster);
        faster(allowed).then_some(Self { swift, grade, here, shared, allowed })
    }

    /// The best first.
    fn rank(&self) -> impl Ord + use<> {
        let (run, begins) = (self.swift.run, self.swift.begins);
        (Reverse(self.grade), !self.here, !self.shared, !self.swift.whole, run, begins)
    }

    /// `control_faster`.
    fn fact(&self, slow: &Slow) -> Fact {
        let Swift { run, begins, subject, .. } = self.swift;
        let whom = if self.here {
            format!("with the same server {}", slow.road.server.ip)
        } else {
            format!("with a server beside it, {}", self.swift.road.server.ip)
        };
        let when = match (self.shared, run.from > slow.ceiling.last.1) {
            (true, false) => "Meanwhile",
            (true, true) => "Soon after",
            (false, _) => "Within two minutes",
        };
        let (carried, allowed) = (size(run.bytes), size(self.allowed));
        let (name, span) = (&subject.name, run.span);
        Fact {
            signal: Signal::ControlFaster,
            grade: self.grade,
            frame: *begins,
            expected: format!("at most {allowed} in {span}, if it were the line"),
            observed: format!("{carried} in {span}, {}", speed(run.bits_per_second())),
            text: format!(
                "{when} the flow for {name} that begins in {begins}, of the same client {whom}, carried {carried} in {span}, where the ceiling allows {allowed}"
            ),
        }
    }
}

/// Whether `swift` cannot have been fast at the expense of the slow flow. In a full line it would
/// have lost at the same place, so what either lost on the other side of the capture point does not
/// count.
fn is_free(ceiling: &Ceiling, swift: &Swift) -> bool {
    let times = swift.run.bits_per_second() / ceiling.bits_per_second().max(1);
    let (lost, share) = (swift.lost.at(ceiling.beyond), ceiling.lost.at(ceiling.beyond));
    lost <= LITTLE
        || times >= MANY
        || (times >= SOME && lost <= share / 3)
        || (times >= FASTER && lost <= share / 6)
}

/// Whether `swift` lost clearly less than its share of what `slow` lost: otherwise it was the path.
/// Losses by chance are counted as Poisson's are, so that a control that is too small never tells.
fn is_spared(slow: &Slow, swift: &Swift) -> bool {
    let segments = swift.run.bytes as f64 / SEGMENT;
    let of = |share: u16| segments * f64::from(share) / 1e3;
    let beyond = slow.ceiling.beyond;
    let (due, lost) = (of(slow.ceiling.lost.at(beyond)), of(swift.lost.at(beyond)));
    due - lost >= (NO_CHANCE * due).sqrt()
}

/// What a bucket shared by both flows can have held when `swift` began: it was empty at the last
/// loss before. `None` where no loss came before.
fn tokens(ceiling: &Ceiling, swift: &Swift) -> Option<u64> {
    let from = swift.run.from;
    if from <= ceiling.felt {
        return None;
    }
    let lost = ceiling.slices.last_before(from.since(ceiling.onset.1));
    let empty = lost.map_or(ceiling.felt, |after| ceiling.onset.1 + after);
    let gained = ceiling.gained(from.since(empty));
    Some(gained.min(ceiling.holds.unwrap_or(u64::MAX)).max(ceiling.burst))
}

/// How much a bucket shared by both flows can have given `swift` between two losses of the slow one:
/// from there on the line would lie lower by as much. A step moves the points of a line away from it by
/// a fifth of its height or more (root mean square), if a twentieth of them lies on either side.
/// `None` where too few losses lie before or after the run.
fn bend(ceiling: &Ceiling, swift: &Swift) -> Option<u64> {
    if swift.run.from <= ceiling.onset.1 {
        return None;
    }
    let since = |time: Timestamp| time.since(ceiling.onset.1);
    let (before, after) = ceiling.slices.beside(since(swift.run.from), since(swift.run.until()));
    let enough = before.min(after) >= ceiling.losses.div_ceil(20).max(SIDE_MIN);
    enough.then(|| ceiling.wobble.max(SEGMENTS) * 5)
}

/// `control_failed`: other names that met a ceiling no higher than twice this one.
fn failed<'s>(
    slow: &Slow,
    control: &Control<'_>,
    peers: &[&Slow],
    near: impl Iterator<Item = &'s Swift>,
) -> Option<Fact> {
    let alike = |peer: &&&Slow| {
        peer.subject.name != slow.subject.name
            && shape(&peer.ceiling).is_some()
            && peer.ceiling.rate / 2 <= slow.ceiling.rate
    };
    let example = peers.iter().find(alike)?;
    let held: BTreeSet<_> = peers.iter().filter(alike).map(|peer| &peer.subject.name).collect();
    let fast = near.filter_map(|swift| Control::of(slow, swift));
    let fast: BTreeSet<_> = fast
        .filter(|control| control.shared && !held.contains(&control.swift.subject.name))
        .map(|control| &control.swift.subject.name)
        .collect();
    let grade = match (fast.len().cmp(&held.len()), control.grade) {
        // A control in full leaves no bucket that holds the whole line: several names may be listed.
        (_, Grade::Full) if held.len() <= LISTED * fast.len() => return None,
        (_, Grade::Full) | (Ordering::Equal, _) => Grade::Half,
        (Ordering::Greater, _) => return None,
        (Ordering::Less, _) => Grade::Full,
    };
    Some(Fact {
        signal: Signal::ControlFailed,
        grade,
        frame: example.ceiling.onset.0,
        expected: "other names that are not held".to_owned(),
        observed: format!("{} other names were held too, {} were not", held.len(), fast.len()),
        text: format!(
            "{} other names met such a ceiling between the same client and network within two minutes, as in {}",
            held.len(),
            example.ceiling.onset.0
        ),
    })
}

/// `name_passed`.
fn name_passed(slow: &Slow, swift: &Swift) -> Option<Fact> {
    let ceiling = &slow.ceiling;
    let same = swift.subject == slow.subject
        && swift.begins != slow.begins
        && swift.road.server == slow.road.server;
    let allowed = ceiling.lets_pass(ceiling.burst, &swift.run);
    if !same || swift.run.bytes < allowed.saturating_mul(FASTER) {
        return None;
    }
    let (name, begins) = (&slow.subject.name, swift.begins);
    Some(Fact {
        signal: Signal::NamePassed,
        grade: if swift.run.from > ceiling.onset.1 { Grade::Full } else { Grade::Half },
        frame: begins,
        expected: format!("{name} that is slow each time"),
        observed: format!("{name} at {}", speed(swift.run.bits_per_second())),
        text: format!(
            "within two minutes {name} was fast between the same endpoints, in the flow that begins in {begins}"
        ),
    })
}

/// `name_repeated`.
fn repeated(slow: &Slow, peers: &[&Slow]) -> Option<Fact> {
    let alike = |peer: &&&Slow| {
        let (one, other) = (peer.ceiling.rate, slow.ceiling.rate);
        peer.subject == slow.subject
            && shape(&peer.ceiling).is_some()
            && one.abs_diff(other) <= other / SAME_RATE
    };
    let others = peers.iter().filter(alike).count();
    let first = peers.iter().find(alike)?;
    let (name, frame) = (&slow.subject.name, first.trigger);
    Some(Fact {
        signal: Signal::NameRepeated,
        grade: if others >= 2 { Grade::Full } else { Grade::Half },
        frame,
        expected: "chance, which does not choose by name".to_owned(),
        observed: format!("{} flows for {name} held to about the same rate", others + 1),
        text: format!(
            "{} flows for {name} were held to about the same rate within two minutes, as in {frame}",
            others + 1
        ),
    })
}

fn alternatives(control: &Control<'_>) -> Vec<String> {
    let mut open = vec![
        "The server, or whoever houses it, polices what it sends for this name; a service may slow its own users.".to_owned(),
        "A full line on which this flow came off much worse than the other.".to_owned(),
        "A bad link among several side by side, on which this flow was put by its ports.".to_owned(),
    ];
    if !control.here {
        open.push("This server's own line is policed, and its neighbour's is not.".to_owned());
    }
    if !control.shared {
        open.push(
            "The client's whole line is policed, and the faster flow had used up its burst before."
                .to_owned(),
        );
    }
    open
}

impl Policed {
    /// What a finding tells of `ceiling`, without a control.
    pub(super) fn of(ceiling: &Ceiling) -> Self {
        Self {
            direction: ceiling.direction,
            rate_bps: ceiling.bits_per_second(),
            burst_bytes: ceiling.burst,
            onset: ceiling.onset.1,
            lost_permille: ceiling.lost.share(),
            control_bps: None,
        }
    }
}

/// Bits a second in the unit that a reader would choose.
fn speed(bits: u64) -> String {
    match bits {
        0..1_000_000 => format!("{:.0} kbit/s", bits as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} Mbit/s", bits as f64 / 1e6),
        _ => format!("{:.1} Gbit/s", bits as f64 / 1e9),
    }
}

/// Bytes in the unit that a reader would choose.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Flows so far from each other are compared.
const NEAR: Duration = Duration::from_secs(120);
/// How many times what the ceiling allows a control must have carried.
const FASTER: u64 = 3;
/// Flows that share a full or policed line are seldom so many times as fast as each other: in 60
/// recordings of such and of lossy lines with 2 to 4 downloads up to 8 times, and who was faster lost
/// as large a share as who was slower, 16 to 49 %.
const MANY: u64 = 10;
/// With a third of the losses fewer will do, and with a sixth [`FASTER`].
const SOME: u64 = 5;
/// Thousandths lost that show no share in a full line.
const LITTLE: u16 = 20;
/// Payload bytes of a segment, about.
const SEGMENT: f64 = 1_448.0;
/// The square of how many standard deviations are no chance.
const NO_CHANCE: f64 = 4.0;
/// Slices with losses on either side of a run that show where the line lies there.
const SIDE_MIN: u32 = 2;
/// Held names to each fast one that a list of names explains.
const LISTED: usize = 2;
/// Two segments: a bucket's line is known no better.
const SEGMENTS: u64 = 2_920;
/// Three segments: a bucket's line is no thicker, however long it is. Of 232 full ceilings of the even
/// scenarios 98 % were thinner; loss by chance on one of several links side by side, 10 to 35 % in 96
/// recordings, mostly draws thicker ones.
const THICK: u64 = 4_380;
/// Rates that differ by less than one part in so many are one.
const SAME_RATE: u64 = 4;

#[cfg(test)]
mod tests;
