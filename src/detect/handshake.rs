//! Forged SYN/ACKs: two answers of different sequence numbers to one SYN.
//!
//! A stack takes one initial sequence number for a connection and repeats it (RFC 9293 §3.10.7.4).
//! So two of them mean two responders. That alone is no interference: a SYN sent twice may meet
//! two machines behind one balancer, and a SYN proxy answers before its server. What speaks for a
//! forgery is a single SYN, headers of another stack, and a server that disowns what the client
//! was told.

use super::baseline::Baseline;
use super::scene::{SYN_AGAIN, Words, fact};
use super::{Scene, device, marks};
use crate::evidence::{Fact, Grade, Kind, Signal, Suspicion};
use crate::flow::{Sighting, TcpFlow};
use crate::wire::{Direction, Duration, FrameId, SeqNumber};

/// A forged SYN/ACK, and the resets that follow from it and are nobody's forgery.
pub(super) struct Judged {
    pub(super) suspicion: Suspicion,
    pub(super) explained: Vec<FrameId>,
}

/// Judges the SYN/ACKs of a scene.
pub(super) fn judge(scene: &Scene<'_>) -> Option<Judged> {
    let rivalry = Rivalry::of(scene)?;
    let forged = rivalry.forged_frames(scene);
    let suspicion = Suspicion {
        kind: Kind::Handshake,
        time: rivalry.forged.time,
        trigger: rivalry.syn.map(|syn| syn.frame),
        direction: Some(Direction::ToClient),
        facts: rivalry.facts(scene, &forged),
        alternatives: rivalry.alternatives(scene),
        injector: Some(device::portrait(scene, &forged, Some(Direction::ToClient))),
        genuine: rivalry.genuine_frames(scene),
        forged,
        until: None,
        block_page: None,
        haste: None,
    };
    Some(Judged { suspicion, explained: rivalry.consequences(scene) })
}

/// Whether `sighting` answers the SYN that was answered before, with another number.
pub(super) fn is_second_answer(sighting: &Sighting, flow: &TcpFlow) -> bool {
    sighting.is_syn_ack()
        && sighting.direction == Direction::ToClient
        && flow.handshake.syn_ack.is_some_and(|first| is_rival(sighting, &first))
}

fn is_rival(later: &Sighting, first: &Sighting) -> bool {
    later.ack == first.ack && later.seq != first.seq
}

/// Two SYN/ACKs to one SYN, told apart.
struct Rivalry<'a> {
    syn: Option<&'a Sighting>,
    /// One SYN was seen, once, before the later answer.
    asked_once: bool,
    forged: &'a Sighting,
    genuine: &'a Sighting,
    /// Something told which of the two is forged.
    resolved: bool,
    /// Header fields in which the two differ as two stacks do.
    differences: Vec<String>,
}

impl<'a> Rivalry<'a> {
    fn of(scene: &Scene<'a>) -> Option<Self> {
        let first = scene.handshake.syn_ack.as_ref()?;
        let later = scene
            .sent(Direction::ToClient)
            .find(|seen| seen.is_syn_ack() && seen.frame > first.frame && is_rival(seen, first))?;
        let syn = scene.handshake.syn.as_ref();
        let (one, two) = (strange(scene, first, later), strange(scene, later, first));
        let (forged, genuine) = if two > one { (later, first) } else { (first, later) };
        Some(Self {
            syn,
            asked_once: syn.is_some() && asked_once(scene, later),
            forged,
            genuine,
            resolved: one != two,
            differences: differences(syn, forged, genuine),
        })
    }

    /// The forged SYN/ACK, its repetitions, and what continues its line from the same distance.
    fn forged_frames(&self, scene: &Scene<'_>) -> Vec<FrameId> {
        let forged = self.forged;
        let by_ttl = forged.ttl != self.genuine.ttl;
        let alike = |seen: &&Sighting| {
            let repeated = seen.is_syn_ack() && seen.seq == forged.seq;
            let continued = by_ttl
                && seen.ttl == forged.ttl
                && !seen.is_reset()
                && !seen.is_syn()
                && is_on_line(seen, forged.seq);
            repeated || (continued && seen.frame > forged.frame)
        };
        let mut frames: Vec<FrameId> = vec![forged.frame];
        frames.extend(scene.sent(Direction::ToClient).filter(alike).map(|seen| seen.frame));
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    fn genuine_frames(&self, scene: &Scene<'_>) -> Vec<FrameId> {
        let mut frames = vec![self.genuine.frame];
        let repeated = |seen: &&Sighting| seen.is_syn_ack() && seen.seq == self.genuine.seq;
        frames.extend(scene.sent(Direction::ToClient).filter(repeated).map(|seen| seen.frame));
        frames.sort_unstable();
        frames.dedup();
        frames.truncate(GENUINE_SHOWN);
        frames
    }

    /// RSTs that either end sends because it was told another number than its peer: no forgeries,
    /// as long as they come from where that end's own packets come from.
    fn consequences(&self, scene: &Scene<'_>) -> Vec<FrameId> {
        let since = self.forged.frame.max(self.genuine.frame);
        let own = |seen: &&Sighting| match seen.direction {
            Direction::ToClient => seen.ttl.0.abs_diff(self.genuine.ttl.0) <= TTL_MARGIN,
            Direction::ToServer => {
                self.syn.is_none_or(|syn| seen.ttl.0.abs_diff(syn.ttl.0) <= TTL_MARGIN)
            }
        };
        let resets = scene.log.iter().filter(|seen| seen.is_reset() && seen.frame > since);
        resets.filter(own).map(|seen| seen.frame).collect()
    }

    /// A packet in which the server shows that it never said what the forged one says in its name.
    fn disowned(&self, scene: &Scene<'a>) -> Option<&'a Sighting> {
        let first = if self.forged.frame < self.genuine.frame { self.forged } else { self.genuine };
        scene.after(first, Direction::ToClient).find(|seen| {
            let near = seen.ttl.0.abs_diff(self.genuine.ttl.0) <= TTL_MARGIN;
            let again = seen.frame > self.genuine.frame;
            let repeats = again && seen.is_syn_ack() && seen.seq == self.genuine.seq;
            // RFC 9293 §3.10.7.4: in SYN-RECEIVED an unacceptable acknowledgment is answered by a
            // RST that carries it as its number.
            let rejects = seen.is_reset() && is_on_line(seen, self.forged.seq);
            near && seen.frame > self.forged.frame && (repeats || rejects)
        })
    }

    /// Whether data follow on both lines.
    fn both_continue(&self, scene: &Scene<'_>) -> bool {
        let continues = |line: SeqNumber| {
            scene
                .sent(Direction::ToClient)
                .any(|seen| seen.payload_len > 0 && !seen.is_reset() && is_on_line(seen, line))
        };
        continues(self.forged.seq) && continues(self.genuine.seq)
    }

    fn facts(&self, scene: &Scene<'_>, forged: &[FrameId]) -> Vec<Fact> {
        let own = Baseline::of(scene, Direction::ToClient, forged);
        let marks = [
            Some(self.conflict(scene)),
            self.fast(),
            marks::ttl(scene, self.forged, &own),
            marks::ip_id_copied(scene, self.forged),
            self.missing_timestamp(),
        ];
        marks.into_iter().flatten().collect()
    }

    /// `synack_conflict`.
    fn conflict(&self, scene: &Scene<'_>) -> Fact {
        let disowned = self.disowned(scene);
        let denied = disowned.is_some() || self.both_continue(scene);
        let grade = match self.asked_once {
            true if self.resolved
                && self.differences.len() >= 2
                && denied
                && !self.are_side_by_side() =>
            {
                Grade::Proof
            }
            // A SYN that the capture lacks may have met another machine, which then serves the client.
            true if self.resolved && (denied || self.is_hollow(scene)) => Grade::Full,
            _ => Grade::Half,
        };
        let (one, two) = (self.forged, self.genuine);
        let repeated =
            if self.asked_once { "" } else { "; the SYN was sent more than once, or was not seen" };
        let denial = disowned.map_or(String::new(), |seen| {
            let how = if seen.is_reset() { "rejects" } else { "knows nothing of" };
            format!(", and the server {how} the one in {} ({})", one.frame, seen.frame)
        });
        let text = format!(
            "{} and {} both accept the connection in the name of {}, with different initial sequence numbers: two responders{repeated}{denial}",
            one.frame.min(two.frame),
            one.frame.max(two.frame),
            scene.claimed(one)
        );
        let words = Words {
            expected: format!("one SYN/ACK, repeated with its number {}", two.seq),
            observed: format!("numbers {} and {}; {}", one.seq, two.seq, self.told_apart()),
            text,
        };
        fact(Signal::SynAckConflict, grade, one.frame, words)
    }

    /// Whether the forged one is of another stack, and nothing on its line follows.
    fn is_hollow(&self, scene: &Scene<'_>) -> bool {
        let mut said =
            scene.sent(Direction::ToClient).filter(|seen| !seen.is_reset() && !seen.is_syn());
        !self.differences.is_empty() && !said.any(|seen| is_on_line(seen, self.forged.seq))
    }

    /// Whether both came at the same moment, and not at once: so do two machines at one place that both
    /// took the address, as a pair does that has lost sight of each other.
    fn are_side_by_side(&self) -> bool {
        let Some(syn) = self.syn else { return false };
        let apart = self.forged.time.distance(self.genuine.time);
        apart < TOGETHER && self.forged.after(syn) >= TOGETHER.times(2)
    }

    fn told_apart(&self) -> String {
        if self.differences.is_empty() {
            return "headers alike".to_owned();
        }
        format!("headers differ in {}", self.differences.join(", "))
    }

    /// `synack_fast`: the forged answer took less than half the time of the other.
    fn fast(&self) -> Option<Fact> {
        let syn = self.syn.filter(|_| self.asked_once)?;
        let (quick, slow) = (self.forged.after(syn), self.genuine.after(syn));
        let words = Words {
            expected: format!("about {slow}, as {} took", self.genuine.frame),
            observed: quick.to_string(),
            text: format!(
                "{} came {quick} after the SYN, {} took {slow}",
                self.forged.frame, self.genuine.frame
            ),
        };
        is_far_sooner(quick, slow)
            .then(|| fact(Signal::SynAckFast, Grade::Full, self.forged.frame, words))
    }

    /// `no_timestamp`: a stack may decline timestamps, so it weighs half.
    fn missing_timestamp(&self) -> Option<Fact> {
        if !declines_timestamps(self.syn, self.forged, self.genuine) {
            return None;
        }
        let words = Words {
            expected: format!("a TCP timestamp, as {} has", self.genuine.frame),
            observed: "no timestamp".to_owned(),
            text: format!("{} declines the timestamps that the client offered", self.forged.frame),
        };
        Some(fact(Signal::NoTimestamp, Grade::Half, self.forged.frame, words))
    }

    fn alternatives(&self, scene: &Scene<'_>) -> Vec<String> {
        let mut open = vec![
            "A SYN proxy or balancer in front of the server that answered besides it: also a third party, but the server's own.".to_owned(),
        ];
        if !self.asked_once {
            open.push("The SYN was repeated and met two machines behind one address.".to_owned());
        }
        if !self.resolved {
            open.push("Nothing in the headers tells which of the two answers is the server's; the first to come is listed as forged.".to_owned());
        }
        if scene.gaps > 0 {
            open.push(format!("{} payload bytes are missing from the capture.", scene.gaps));
        }
        open
    }
}

/// Whether one SYN alone preceded `later`. A copy counts as a second one, because the network may
/// have made it; unless the tap sees each frame twice.
fn asked_once(scene: &Scene<'_>, later: &Sighting) -> bool {
    let doubles = scene.log.iter().filter(|seen| seen.duplicate).count();
    let tap_doubles = scene.log.len() >= DOUBLED_MIN && doubles * 5 >= scene.log.len() * 2;
    let is_syn = |seen: &&Sighting| {
        seen.direction == Direction::ToServer
            && seen.is_syn()
            && !seen.has_ack()
            && seen.frame < later.frame
            && !(tap_doubles && seen.duplicate)
    };
    // A SYN that was sent again need not be in the capture; who was answered sends none.
    let in_time = scene.handshake.syn.is_some_and(|syn| {
        let taken = scene.handshake.completed.map(|taken| taken.since(syn.time));
        later.after(&syn).min(taken.unwrap_or(SYN_AGAIN)) < SYN_AGAIN
    });
    in_time && scene.handshake.syns == 1 && scene.log.iter().filter(is_syn).count() <= 1
}

/// How much speaks for `one` to be the forged of the two.
fn strange(scene: &Scene<'_>, one: &Sighting, other: &Sighting) -> i32 {
    let syn = scene.handshake.syn.as_ref();
    let since = one.frame.max(other.frame);
    let mut later = scene.sent(Direction::ToClient).filter(|seen| seen.frame > since);
    let near = |seen: &Sighting, to: &Sighting| seen.ttl.0.abs_diff(to.ttl.0) <= TTL_MARGIN;
    let far = later.any(|seen| near(seen, other) && !near(seen, one));
    let repeated = scene
        .sent(Direction::ToClient)
        .any(|seen| seen.is_syn_ack() && seen.seq == one.seq && seen.frame > one.frame);
    let quick = syn.is_some_and(|syn| is_far_sooner(one.after(syn), other.after(syn)));
    i32::from(far) * 2
        + i32::from(copies_id(syn, one)) * 2
        + i32::from(declines_timestamps(syn, one, other)) * 2
        + i32::from(quick)
        - i32::from(repeated)
}

fn differences(syn: Option<&Sighting>, one: &Sighting, other: &Sighting) -> Vec<String> {
    let found = [
        (one.ttl.0.abs_diff(other.ttl.0) > TTL_MARGIN, "TTL"),
        (one.timestamps.is_some() != other.timestamps.is_some(), "timestamps"),
        (one.window != other.window, "window"),
        (one.dont_fragment != other.dont_fragment, "DF"),
        (copies_id(syn, one) && !copies_id(syn, other), "IP-ID"),
    ];
    found.iter().filter(|(differs, _)| *differs).map(|(_, field)| (*field).to_owned()).collect()
}

fn copies_id(syn: Option<&Sighting>, answer: &Sighting) -> bool {
    let asked = syn.and_then(|syn| syn.ip_id).filter(|id| *id != 0);
    asked.zip(answer.ip_id).is_some_and(|(asked, id)| id == asked || id == asked.wrapping_add(1))
}

fn declines_timestamps(syn: Option<&Sighting>, one: &Sighting, other: &Sighting) -> bool {
    syn.is_some_and(|syn| syn.timestamps.is_some())
        && one.timestamps.is_none()
        && other.timestamps.is_some()
}

fn is_far_sooner(quick: Duration, slow: Duration) -> bool {
    quick < slow.over(2) && slow >= Duration::from_millis(8)
}

/// Whether `seen` continues a stream that began at `isn`.
fn is_on_line(seen: &Sighting, isn: SeqNumber) -> bool {
    (1..=LINE_MAX).contains(&seen.seq.distance_from(isn))
}

/// Frames of which two in five must be copies before the tap is held to make them.
const DOUBLED_MIN: usize = 8;
/// How far a stream is followed from its start.
const LINE_MAX: i32 = 1 << 20;
/// Machines at one place answer within this time of each other.
const TOGETHER: Duration = Duration::from_millis(2);
/// TTLs this near may be the same sender's.
const TTL_MARGIN: u8 = 2;
/// Contradicting frames that are listed.
const GENUINE_SHOWN: usize = 8;

#[cfg(test)]
mod tests;
