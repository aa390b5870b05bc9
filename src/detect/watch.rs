//! The watch over one TCP flow: records headers, and opens a log when something odd comes.

use std::net::IpAddr;

use super::scene::Said;
use super::{Answer, Conflict, Scene, Tape, TlsRefusal, Trigger, handshake, reset, response, tls};
use crate::evidence::{Grade, Suspicion};
use crate::flow::{Handshake, Observation, Sighting, TcpFlow};
use crate::wire::{Direction, FrameId, prefetch};

/// Watches one flow.
#[derive(Debug, Default)]
pub struct Watch {
    tape: Tape,
    /// Client data is waiting for the server's first payload.
    awaiting: bool,
    triggers: Vec<Trigger>,
    /// The latest ordinary answer: what seems odd may be seen only after it.
    latest: Option<Box<Answer>>,
    case: Option<Box<Case>>,
}

/// What is kept from the first odd packet on.
#[derive(Debug, Default)]
struct Case {
    log: Vec<Sighting>,
    /// How many more sightings are to be logged.
    open: usize,
    conflicts: Vec<Conflict>,
    answers: Vec<Answer>,
    refusal: Option<TlsRefusal>,
}

impl Watch {
    /// Sightings logged after an odd packet.
    const AFTERMATH: usize = 64;
    /// Sightings logged in all.
    pub const LOG_MAX: usize = 256;
    /// Conflicts kept.
    pub const CONFLICTS_MAX: usize = 32;
    /// Answers kept.
    pub const ANSWERS_MAX: usize = 4;
    /// Triggers kept.
    const TRIGGERS_MAX: usize = 64;

    /// Takes in the next segment. `flow` has already observed it.
    #[inline]
    pub fn segment(&mut self, seen: &Observation, flow: &TcpFlow) {
        let sighting = &seen.sighting;
        if self.is_odd(seen, flow) {
            self.open_case();
        }
        self.tape.record(sighting);
        if let Some(case) = &mut self.case {
            case.log(sighting);
        }
        if sighting.payload_len > 0 && !sighting.is_reset() {
            self.awaiting = sighting.direction == Direction::ToServer;
        }
    }

    /// A packet of the client carried a name.
    pub fn named(&mut self, trigger: Trigger) {
        if self.triggers.len() >= Self::TRIGGERS_MAX {
            self.triggers.remove(0);
        }
        if self.triggers.is_empty() {
            // Most flows have one.
            self.triggers.reserve_exact(1);
        }
        self.triggers.push(trigger);
    }

    /// The name that was asked for in `frame`, or last before it.
    pub fn name_at(&self, frame: FrameId) -> Option<&Trigger> {
        self.triggers.iter().rev().find(|trigger| trigger.frame <= frame)
    }

    /// The name that was asked for in `frame`, or first after it.
    pub fn name_from(&self, frame: FrameId) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.frame >= frame)
    }

    /// Two copies of the same bytes differ. `first` and `later` are their frames and `sample` is
    /// the conflict without its sightings.
    pub fn conflict(&mut self, first: FrameId, later: &Sighting, sample: Disagreement) {
        self.open_case();
        let Some(case) = &mut self.case else { return };
        let known = case.log.iter().find(|seen| seen.frame == first).copied();
        let Some(first) = known else { return };
        if case.conflicts.len() < Self::CONFLICTS_MAX {
            let Disagreement { len, differing, first_bytes, later_bytes } = sample;
            let later = *later;
            case.conflicts.push(Conflict {
                first,
                later,
                len,
                differing,
                first_bytes,
                later_bytes,
            });
        }
    }

    /// An answer was read. Of the ordinary ones only the latest is kept.
    pub fn answer(&mut self, answer: Answer) {
        if answer.notice.is_some() {
            self.open_case();
        }
        match &mut self.case {
            Some(case) => case.answered(answer),
            None => self.latest = Some(Box::new(answer)),
        }
    }

    /// The server's RST that ended a connection which it had not accepted.
    pub fn refusal(&self, flow: &TcpFlow) -> Option<&Sighting> {
        let log = self.case.as_ref().filter(|_| flow.handshake.syn_ack.is_none())?.log.iter();
        log.clone().find(|seen| seen.is_reset() && seen.direction == Direction::ToClient)
    }

    /// The first name that the client asked for.
    pub fn first_name(&self) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.host.is_some())
    }

    /// The server's first word was a fatal TLS alert.
    pub fn refused(&mut self, refusal: TlsRefusal) {
        self.open_case();
        if let Some(case) = &mut self.case {
            case.refusal.get_or_insert(refusal);
        }
    }

    /// Whether nothing odd came.
    pub const fn is_quiet(&self) -> bool {
        self.case.is_none()
    }

    /// The flow has ended a while ago, and nothing odd came of its last answer.
    pub fn cool(&mut self) {
        self.latest = None;
    }

    /// Forgets all but the memory of its lists.
    pub fn clear(&mut self) {
        self.tape.clear();
        self.triggers.clear();
        (self.awaiting, self.latest, self.case) = (false, None, None);
    }

    /// Prefetches what it points to.
    pub fn prefetch(&self) {
        self.tape.prefetch();
        prefetch(&*self.triggers);
        self.latest.as_deref().into_iter().for_each(prefetch);
    }

    /// Prefetches what that points to in turn.
    pub fn prefetch_leaves(&self) {
        self.triggers.iter().filter_map(|trigger| trigger.host.as_deref()).for_each(prefetch);
        if let Some(Said::Read(words)) = self.latest.as_ref().map(|answer| &answer.said) {
            prefetch(&**words);
        }
    }

    /// Bytes held beside this value, about.
    pub fn memory(&self) -> usize {
        let triggers = self.triggers.capacity() * size_of::<Trigger>();
        let latest = self.latest.as_ref().map_or(0, |answer| answer.memory());
        let case = self.case.as_ref().map_or(0, |case| case.memory());
        self.tape.memory() + triggers + latest + case
    }

    /// Exchanges the directions, where the roles turn out to be the other way round.
    pub fn swap_roles(&mut self) {
        self.tape.swap_roles();
        for sighting in self.case.iter_mut().flat_map(|case| case.log.iter_mut()) {
            sighting.direction = sighting.direction.reverse();
        }
    }

    /// Judges what was seen. `gaps` counts payload bytes that the capture lacks.
    pub fn conclude(&self, flow: &TcpFlow, server: IpAddr, gaps: u64) -> Vec<Suspicion> {
        let Some(case) = &self.case else { return Vec::new() };
        let scene = Scene {
            server,
            handshake: &flow.handshake,
            log: &case.log,
            triggers: &self.triggers,
            conflicts: &case.conflicts,
            answers: &case.answers,
            refusal: case.refusal,
            gaps,
            mute: false,
        };
        let (handshake, explained) =
            handshake::judge(&scene).map(|judged| (judged.suspicion, judged.explained)).unzip();
        let mut spoken_for: Vec<FrameId> = explained.unwrap_or_default();
        let cleared = Cleared::of(&scene, handshake.as_ref());
        let scene = cleared.as_ref().map_or(scene, |left| left.scene(&scene));
        // A forged alert contradicts the answer that it displaces: one story, told once.
        let tls = tls::judge(&scene);
        let response = if tls.is_some() { None } else { response::judge(&scene) };
        let cleared = Cleared::of(&scene, tls.iter().chain(&response));
        let others: Vec<Suspicion> = [handshake, tls, response].into_iter().flatten().collect();
        spoken_for.extend(others.iter().flat_map(|found| &found.forged));
        let scene = cleared.as_ref().map_or(scene, |left| left.scene(&scene));
        reset::judge(&scene, &spoken_for).into_iter().chain(others).collect()
    }

    fn open_case(&mut self) {
        let case = self.case.get_or_insert_default();
        let last = case.log.last().map(|seen| seen.frame);
        let taped = self.tape.in_order();
        if let Some(last) = last {
            let room = Self::LOG_MAX.saturating_sub(case.log.len());
            case.log.extend(taped.into_iter().filter(|seen| seen.frame > last).take(room));
        } else {
            case.log = taped;
        }
        case.open = Self::AFTERMATH;
        if let Some(latest) = self.latest.take() {
            case.answered(*latest);
        }
    }

    /// Whether this segment is worth a closer look. Cheap: most segments of the world pass here.
    fn is_odd(&self, seen: &Observation, flow: &TcpFlow) -> bool {
        let sighting = &seen.sighting;
        if sighting.duplicate {
            return false;
        }
        let answered_again = handshake::is_second_answer(sighting, flow);
        answered_again
            || sighting.is_reset()
            || goes_on_after_fin(seen)
            || acknowledges_no_fin(seen, flow)
            || {
                let first_answer = self.awaiting
                    && sighting.direction == Direction::ToClient
                    && (sighting.payload_len > 0 || sighting.is_fin());
                first_answer && has_foreign_headers(sighting, flow)
            }
    }
}

impl Case {
    fn memory(&self) -> usize {
        let conflicts = size_of::<Conflict>() + 2 * Conflict::SHOWN;
        size_of::<Self>()
            + self.log.capacity() * size_of::<Sighting>()
            + self.conflicts.len() * conflicts
            + self.answers.iter().map(Answer::memory).sum::<usize>()
    }

    fn answered(&mut self, answer: Answer) {
        if self.answers.len() < Watch::ANSWERS_MAX {
            if self.answers.is_empty() {
                // Most cases have one.
                self.answers.reserve_exact(1);
            }
            self.answers.push(answer);
        }
    }

    fn log(&mut self, sighting: &Sighting) {
        if self.open > 0 && self.log.len() < Watch::LOG_MAX {
            if self.log.len() == self.log.capacity() {
                // Most cases are a reset at the end of a short flow.
                self.log.reserve_exact((self.log.len() / 2).max(2));
            }
            self.log.push(*sighting);
            self.open -= 1;
        }
    }
}

/// What is left of a scene without the packets that are proven to be forged: they are no measure of
/// their stated sender, and no witness against it.
struct Cleared {
    log: Vec<Sighting>,
    handshake: Handshake,
}

impl Cleared {
    /// `None` where all of it is left.
    fn of<'a>(scene: &Scene<'_>, found: impl IntoIterator<Item = &'a Suspicion>) -> Option<Self> {
        let proven = |found: &&Suspicion| found.facts.iter().any(|fact| fact.grade == Grade::Proof);
        let forged: Vec<FrameId> =
            found.into_iter().filter(proven).flat_map(|found| found.forged.clone()).collect();
        if forged.is_empty() {
            return None;
        }
        let log: Vec<Sighting> =
            scene.log.iter().filter(|seen| !forged.contains(&seen.frame)).copied().collect();
        let mut handshake = *scene.handshake;
        if handshake.syn_ack.is_some_and(|seen| forged.contains(&seen.frame)) {
            handshake.syn_ack = log.iter().find(|seen| seen.is_syn_ack()).copied();
        }
        Some(Self { log, handshake })
    }

    fn scene<'a>(&'a self, scene: &Scene<'a>) -> Scene<'a> {
        Scene { log: &self.log, handshake: &self.handshake, ..*scene }
    }
}

/// A conflict as the assembler reports it, its samples cut to [`Conflict::SHOWN`].
#[derive(Clone, Debug, Default)]
pub struct Disagreement {
    /// Bytes that both copies claim.
    pub len: u32,
    /// Bytes of these that differ.
    pub differing: u32,
    /// The start of the first copy.
    pub first_bytes: Vec<u8>,
    /// The start of the later copy.
    pub later_bytes: Vec<u8>,
}

/// Data at or beyond the place of the same sender's FIN.
fn goes_on_after_fin(seen: &Observation) -> bool {
    let sighting = &seen.sighting;
    // One byte may be a keep-alive's (RFC 9293 §3.8.4).
    seen.sender_before
        .fin
        .is_some_and(|fin| sighting.payload_len > 1 && sighting.seq_end().distance_from(fin) >= 0)
}

/// A server's FIN that acknowledges one more than the client, who sent no FIN, ever sent.
fn acknowledges_no_fin(seen: &Observation, flow: &TcpFlow) -> bool {
    let sighting = &seen.sighting;
    let client = flow.sender(Direction::ToServer);
    sighting.direction == Direction::ToClient
        && sighting.is_fin()
        && sighting.has_ack()
        && client.fin.is_none()
        && client.next.is_some_and(|next| sighting.ack == next.plus(1))
}

/// Headers that differ from the SYN/ACK's as another sender's would.
fn has_foreign_headers(sighting: &Sighting, flow: &TcpFlow) -> bool {
    let handshake = &flow.handshake;
    handshake.syn_ack.is_some_and(|syn_ack| {
        syn_ack.ttl.0.abs_diff(sighting.ttl.0) > 2
            || (sighting.timestamps.is_none() && handshake.negotiated_timestamps() == Some(true))
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{down, up};
    use super::*;
    use crate::evidence::HostSource;
    use crate::wire::TcpFlags;

    #[test]
    fn a_watch_that_was_cleared_is_as_new() {
        let told = |watch: &Watch| format!("{watch:?}");
        let mut watch = Watch { awaiting: true, ..Watch::default() };
        for frame in 0..40 {
            watch.tape.record(&up(4 * frame, 0, TcpFlags::ACK));
            for more in 1..4 {
                let seen = down(4 * frame + more, 0, TcpFlags::ACK);
                watch.tape.record(&Sighting { payload_len: 1, ..seen });
            }
        }
        let (frame, host) = (FrameId::new(0, 1), Some("a.example".into()));
        watch.named(Trigger { frame, host, source: HostSource::Sni });
        watch.open_case();
        assert_ne!(told(&watch), told(&Watch::default()));
        watch.clear();
        assert_eq!(told(&watch), told(&Watch::default()));
    }
}
