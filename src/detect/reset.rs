//! Forged resets and closes: which RSTs and FINs of a flow are suspect, and what speaks for it.

use super::baseline::Baseline;
use super::reset_sequence::{self, Contradiction};
use super::scene::{LostTrack, Words, fact};
use super::{Scene, device, marks};
use crate::evidence::{Fact, Grade, Kind, Signal, Suspicion};
use crate::flow::Sighting;
use crate::wire::{Direction, Duration, FrameId};

/// Judges the RSTs and FINs of a scene. Frames in `spoken_for` are another finding's.
pub(super) fn judge(scene: &Scene<'_>, spoken_for: &[FrameId]) -> Option<Suspicion> {
    let candidates: Vec<&Sighting> = Direction::BOTH
        .iter()
        .flat_map(|direction| scene.sent(*direction))
        .filter(|seen| (seen.is_reset() || seen.is_fin()) && !spoken_for.contains(&seen.frame))
        .collect();
    let cases: Vec<Charge<'_>> =
        candidates.iter().map(|seen| Charge::against(scene, seen)).collect();
    let prime = strongest(&cases)?;
    let group = accomplices(scene, prime, &cases);
    Some(tell(scene, prime, &group))
}

/// What speaks for and against one candidate.
struct Charge<'a> {
    suspect: &'a Sighting,
    contradictions: Vec<Contradiction>,
    /// Without words: most charges come to nothing.
    marks: Vec<Fact>,
}

impl<'a> Charge<'a> {
    fn against(scene: &Scene<'a>, suspect: &'a Sighting) -> Self {
        let contradictions = if suspect.is_reset() {
            reset_sequence::of_rst(scene, suspect)
        } else {
            reset_sequence::of_fin(scene, suspect)
        };
        let worth_it = suspect.is_reset()
            || !contradictions.is_empty()
            || is_in_place_of_an_answer(scene, suspect);
        let marks = if worth_it { marks_of(&scene.muted(), suspect) } else { Vec::new() };
        Self { suspect, contradictions, marks }
    }

    /// All that speaks for and against it, in words.
    fn told(&self, scene: &Scene<'_>) -> Vec<Fact> {
        let contradictions = self.contradictions.iter().map(|found| found.fact.clone());
        let marks = if self.marks.is_empty() { Vec::new() } else { marks_of(scene, self.suspect) };
        contradictions.chain(marks).collect()
    }

    /// The strongest contradiction first, then the number of signals that speak for it.
    fn rank(&self) -> (Option<Grade>, usize, usize) {
        let grades = self.contradictions.iter().map(|found| found.fact.grade);
        let speaking = self.marks.iter().filter(|mark| !speaks_against(mark.signal)).count();
        (grades.max(), self.contradictions.len(), speaking)
    }

    fn is_proven(&self) -> bool {
        self.rank().0 == Some(Grade::Proof)
    }

    /// Beside a proven one, whoever guesses where the connection is by now is of the same company.
    fn guesses_ahead(&self) -> bool {
        self.contradictions.iter().any(|found| found.fact.signal == Signal::RstSeqAhead)
    }

    fn is_empty(&self) -> bool {
        self.rank() == (None, 0, 0)
    }
}

/// Whether a bare FIN of the server is its first word after a request, and acknowledges that.
fn is_in_place_of_an_answer(scene: &Scene<'_>, fin: &Sighting) -> bool {
    let speaks = |seen: &&Sighting| seen.payload_len > 0 && !seen.is_reset();
    let asked = scene.before(fin, Direction::ToServer).find(speaks);
    let bare = fin.payload_len == 0 && fin.direction == Direction::ToClient;
    bare && asked.is_some_and(|asked| {
        let answered =
            scene.before(fin, fin.direction).any(|seen| seen.frame > asked.frame && speaks(&seen));
        fin.has_ack() && fin.ack == asked.seq_end() && !answered
    })
}

fn marks_of(scene: &Scene<'_>, suspect: &Sighting) -> Vec<Fact> {
    marks::of(scene, suspect, &Baseline::of(scene, suspect.direction, &[suspect.frame]))
}

/// Signals that take weight from a suspicion.
pub(super) fn speaks_against(signal: Signal) -> bool {
    matches!(
        signal,
        Signal::TimingMatch
            | Signal::TtlMatch
            | Signal::IpIdMatch
            | Signal::TsvalMatch
            | Signal::OrderlyClose
    )
}

/// The candidate that most speaks against; the earliest of equals. Packets to the client count
/// first: those to the server are the client's own more often than not.
fn strongest<'a, 'b>(cases: &'b [Charge<'a>]) -> Option<&'b Charge<'a>> {
    let worthy = cases.iter().filter(|charge| !charge.is_empty());
    worthy.max_by_key(|charge| {
        let to_client = charge.suspect.direction == Direction::ToClient;
        (charge.rank(), to_client, std::cmp::Reverse(charge.suspect.frame))
    })
}

/// The candidates that share the prime suspect's making.
fn accomplices<'a, 'b>(
    scene: &Scene<'_>,
    prime: &'b Charge<'a>,
    cases: &'b [Charge<'a>],
) -> Vec<&'b Charge<'a>> {
    let proven = prime.is_proven();
    let alone = |charge: &&Charge<'_>| {
        let by_proof = proven && (charge.is_proven() || charge.guesses_ahead());
        std::ptr::eq(*charge, prime) || by_proof || is_alike(scene, prime, charge)
    };
    let mut group: Vec<&Charge<'_>> = cases.iter().filter(alone).collect();
    // What a member shows of others: one after another, as each may name the one before it.
    let mut told = 0;
    while let Some(member) = group.get(told) {
        let named: Vec<FrameId> =
            member.contradictions.iter().flat_map(|found| found.also_forged.clone()).collect();
        let known = |charge: &&Charge<'_>| group.iter().any(|one| std::ptr::eq(*one, *charge));
        let new: Vec<&Charge<'_>> = cases
            .iter()
            .filter(|charge| named.contains(&charge.suspect.frame) && !known(charge))
            .collect();
        group.extend(new);
        told += 1;
    }
    group.sort_by_key(|charge| charge.suspect.frame);
    group
}

/// Whether `other` looks made by the same hand as `prime`: near in time, and foreign to its own
/// stated sender in the same way. A RST with its stated sender's own TTL is that sender's, where
/// the prime suspect has another.
fn is_alike(scene: &Scene<'_>, prime: &Charge<'_>, other: &Charge<'_>) -> bool {
    let (one, two) = (prime.suspect, other.suspect);
    if one.is_reset() != two.is_reset() || one.time.distance(two.time) > Duration::from_secs(10) {
        return false;
    }
    let shows = |charge: &Charge<'_>, signal| charge.marks.iter().any(|mark| mark.signal == signal);
    let shifted =
        |charge: &Charge<'_>| marks::TTL_MARKS.iter().any(|signal| shows(charge, *signal));
    if shifted(prime) && shows(other, Signal::TtlMatch) {
        return false;
    }
    let same_way = one.direction == two.direction;
    let near = one.time.distance(two.time) <= ONE_BURST;
    let copy = same_way && one.ttl == two.ttl && one.flags == two.flags && one.window == two.window;
    // Every connection ends by a FIN of either side: one that nothing speaks against is its sender's.
    if !two.is_reset() && other.is_empty() && !(copy && one.seq == two.seq) {
        return false;
    }
    if same_way {
        // Where all that was heard of the sender is forged, its own reaction looks alien too.
        let own = own_reaction(scene, two) && !near;
        let alien = shifted(prime) && shifted(other);
        return (alien && !(own && one.ttl.0.abs_diff(two.ttl.0) > 2))
            || (copy && (near || shifted(prime)))
            || (near && two.ttl >= one.ttl && !own_reaction(scene, two));
    }
    shifted(prime) && shifted(other)
        || (near && shifted(other))
        || (near
            && one.ttl == two.ttl
            && one.ip_id == two.ip_id
            && one.ip_id.is_some_and(|id| id != 0))
}

/// Whether a RST is the plain reaction of its own stack to a packet before it.
fn own_reaction(scene: &Scene<'_>, rst: &Sighting) -> bool {
    let answered = |seen: &Sighting| seen.has_ack() && seen.ack == rst.seq;
    !rst.has_ack() && rst.window == 0 && scene.before(rst, rst.direction.reverse()).any(answered)
}

fn tell(scene: &Scene<'_>, prime: &Charge<'_>, group: &[&Charge<'_>]) -> Suspicion {
    let mut forged: Vec<FrameId> = group.iter().map(|charge| charge.suspect.frame).collect();
    forged.sort_unstable();
    let copies = scene.log.iter().filter(|seen| seen.duplicate && is_copy(scene, seen, group));
    let copies: Vec<FrameId> = copies.map(|seen| seen.frame).collect();
    let mut genuine: Vec<FrameId> = group
        .iter()
        .flat_map(|charge| charge.contradictions.iter().flat_map(|found| found.genuine.clone()))
        .filter(|frame| !forged.contains(frame))
        .collect();
    forged.extend(copies);
    forged.sort_unstable();
    genuine.sort_unstable();
    genuine.dedup();
    let first = group.iter().map(|charge| charge.suspect.frame).min().unwrap_or_default();
    let trigger = trigger_of(scene, first);
    let facts = facts(scene, prime, group);
    Suspicion {
        kind: Kind::Reset,
        time: scene.sighting(first).map_or(prime.suspect.time, |seen| seen.time),
        trigger,
        direction: one_way(group),
        haste: marks::haste_of(scene, &facts),
        facts,
        alternatives: alternatives(scene, prime),
        injector: Some(device::portrait(scene, &forged, one_way(group))),
        forged,
        genuine,
        until: None,
        block_page: None,
    }
}

/// Whether `seen` is a packet of `group` captured again: of all packets that it may be a copy of, the
/// one from as far away counts.
fn is_copy(scene: &Scene<'_>, seen: &Sighting, group: &[&Charge<'_>]) -> bool {
    let fields = |one: &Sighting| (one.seq, one.ack, one.flags, one.ip_id, one.window);
    let alike = scene.before(seen, seen.direction).filter(|one| fields(one) == fields(seen));
    let first = alike.min_by_key(|one| one.ttl.0.abs_diff(seen.ttl.0));
    first.is_some_and(|first| group.iter().any(|charge| charge.suspect.frame == first.frame))
}

fn one_way(group: &[&Charge<'_>]) -> Option<Direction> {
    let first = group.first()?.suspect.direction;
    group.iter().all(|charge| charge.suspect.direction == first).then_some(first)
}

/// The packet that set it off: the last that carried a name, or what the suspect answers.
pub(super) fn trigger_of(scene: &Scene<'_>, first: FrameId) -> Option<FrameId> {
    scene.trigger_before(first).or_else(|| {
        let first = scene.sighting(first)?;
        scene
            .before(first, Direction::ToServer)
            .find(|seen| !seen.is_reset() && (seen.payload_len > 0 || seen.is_syn()))
            .map(|seen| seen.frame)
    })
}

/// The prime suspect's facts, the proofs against its accomplices, and what the pattern says.
fn facts(scene: &Scene<'_>, prime: &Charge<'_>, group: &[&Charge<'_>]) -> Vec<Fact> {
    let mut facts = prime.told(scene);
    for charge in group.iter().filter(|charge| !std::ptr::eq(**charge, prime)) {
        for found in charge.told(scene) {
            let known = facts.iter().any(|fact| fact.signal.family() == found.signal.family());
            if !known && !speaks_against(found.signal) {
                facts.push(found);
            }
        }
    }
    facts.extend(reserved_bits(prime.suspect));
    facts.extend(burst(group));
    facts.extend(right_after_name(scene, prime.suspect));
    facts.extend(after_close(scene, prime.suspect));
    facts
}

fn reserved_bits(rst: &Sighting) -> Option<Fact> {
    use crate::wire::TcpFlags;
    let odd = rst.flags.intersects(TcpFlags::RESERVED.union(TcpFlags::AE));
    (odd && rst.is_reset()).then(|| {
        let words = Words {
            expected: "reserved bits at zero".to_owned(),
            observed: rst.flags.to_string(),
            text: format!(
                "{} has reserved bits set ({}): no stack sends such a RST",
                rst.frame, rst.flags
            ),
        };
        fact(Signal::RstReserved, Grade::Full, rst.frame, words)
    })
}

fn burst(group: &[&Charge<'_>]) -> Option<Fact> {
    let resets: Vec<&Sighting> =
        group.iter().map(|charge| charge.suspect).filter(|seen| seen.is_reset()).collect();
    let (first, last) = (resets.first()?, resets.last()?);
    let close = resets.len() > 1 && last.time.distance(first.time) <= Duration::from_millis(10);
    close.then(|| {
        let words = Words {
            expected: "one RST".to_owned(),
            observed: format!("{} within {}", resets.len(), last.time.distance(first.time)),
            text: format!(
                "{} RSTs from {} on within {}",
                resets.len(),
                first.frame,
                last.time.distance(first.time)
            ),
        };
        fact(Signal::RstBurst, Grade::Full, first.frame, words)
    })
}

/// `rst_trigger`: the first thing after the name is the RST. After a long pause it may be anything
/// that was sent.
fn right_after_name(scene: &Scene<'_>, rst: &Sighting) -> Option<Fact> {
    let named = scene.trigger_before(rst.frame)?;
    let answered = scene
        .before(rst, Direction::ToClient)
        .any(|seen| seen.frame > named && seen.payload_len > 0 && !seen.is_reset());
    let forgotten = scene.lost_track(rst).is_some();
    let ours = rst.direction == Direction::ToClient && !answered && !forgotten;
    ours.then(|| {
        let words = Words {
            expected: "an answer".to_owned(),
            observed: rst.flags.to_string(),
            text: format!("{} is the first thing that follows the name in {named}", rst.frame),
        };
        fact(Signal::RstTrigger, Grade::Full, rst.frame, words)
    })
}

/// `orderly_close`: a RST after a close is ordinary.
fn after_close(scene: &Scene<'_>, suspect: &Sighting) -> Option<Fact> {
    let close = Direction::BOTH
        .iter()
        .flat_map(|direction| scene.before(suspect, *direction))
        .filter(|seen| seen.is_fin())
        .min_by_key(|seen| seen.frame)?;
    let words = Words {
        expected: "a RST out of the middle of a connection".to_owned(),
        observed: format!("a FIN in {} before it", close.frame),
        text: format!(
            "the connection was already being closed in {}, before {}",
            close.frame, suspect.frame
        ),
    };
    Some(fact(Signal::OrderlyClose, Grade::Full, suspect.frame, words))
}

/// Innocent causes that this capture leaves open.
fn alternatives(scene: &Scene<'_>, prime: &Charge<'_>) -> Vec<String> {
    let mut open = Vec::new();
    let proven = prime.is_proven();
    if prime.suspect.direction == Direction::ToServer {
        open.push(
            "The client, or a gateway or firewall beside it that resets on its behalf.".to_owned(),
        );
    } else if proven {
        open.push("A load balancer or firewall in front of the server that resets on its behalf, or a gateway before the client that lost track of the connection: also a third party, but none that chose this name.".to_owned());
    } else {
        open.push(
            "The server, or a load balancer in front of it, reset the connection itself."
                .to_owned(),
        );
    }
    if scene.server_rtt().is_none_or(|rtt| rtt <= Duration::from_millis(4)) {
        open.push("The capture does not show a round trip to the server above 4 ms, so timing tells nothing here.".to_owned());
    }
    if let Some(lost) = scene.lost_track(prime.suspect).filter(|_| !proven) {
        let why = match lost {
            LostTrack::Forgot(pause) => format!("its sender had said nothing for {pause}"),
            LostTrack::Unseen => "what its sender said before is not in the capture".to_owned(),
            LostTrack::Refused(asked) => {
                format!("it refuses what belongs to the middle of an answer, at {asked}")
            }
        };
        open.push(format!("A gateway or firewall on the way had lost track of it: {why}."));
    }
    if scene.gaps > 0 {
        open.push(format!("{} payload bytes are missing from the capture.", scene.gaps));
    }
    if prime.suspect.direction == Direction::ToServer {
        open.push("Evasion software on the client sends such packets itself.".to_owned());
    }
    open
}

/// What is sent at one go arrives within this time.
const ONE_BURST: Duration = Duration::from_millis(20);
