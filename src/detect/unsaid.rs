//! What the stated sender of an answer says later of what it has sent so far.
//!
//! A bare acknowledgment has the number of the next byte that its sender will send (RFC 9293 §3.10.7.4,
//! `SND.NXT`). Where it comes after an answer and stands before that, its sender has not sent that answer.
//! Packets overtake each other, so it must have been sent later by the sender's own clock, or come so
//! much later that nothing on the way explains it. Keep-alives and probes stand one byte before what was
//! acknowledged (RFC 9293 §3.8.4), never before a whole answer.

use super::Scene;
use super::reset_sequence::{PADDING_MAX, REORDERING, is_later_by_clock};
use super::scene::{Words, fact};
use crate::evidence::{Fact, Grade, Signal};
use crate::flow::Sighting;
use crate::wire::FrameId;

/// Adds to `facts`, all others of `suspect`, what its stated sender says later; the packet in which.
pub(super) fn add(
    facts: &mut Vec<Fact>,
    scene: &Scene<'_>,
    suspect: &Sighting,
    forged: &[FrameId],
) -> Option<FrameId> {
    let foreign = facts.iter().any(|fact| fact.signal == Signal::TtlShift);
    let (fact, denies) = fact_of(scene, suspect, (forged, foreign))?;
    facts.push(fact);
    Some(denies)
}

/// `answer_unsaid`: the stated sender of `suspect`, one of `forged`, has not sent it; and the packet that
/// says so.
fn fact_of(
    scene: &Scene<'_>,
    suspect: &Sighting,
    (forged, foreign): (&[FrameId], bool),
) -> Option<(Fact, FrameId)> {
    if suspect.payload_len <= PADDING_MAX {
        return None;
    }
    let patience = scene.server_rtt().unwrap_or(REORDERING).max(REORDERING);
    let later = |seen: &Sighting| is_later_by_clock(seen, suspect);
    let before_it = |seen: &&Sighting| {
        let behind = suspect.seq.distance_from(seen.seq);
        seen.is_bare_ack()
            && !forged.contains(&seen.frame)
            && (0..BEHIND_MAX).contains(&behind)
            && (later(seen) || seen.after(suspect) >= patience)
    };
    // It must not be from before the suspect, whatever comes first: the best witness is by the clock.
    let denies = scene
        .after(suspect, suspect.direction)
        .filter(before_it)
        .min_by_key(|seen| (!later(seen), seen.frame))?;
    let grade = match (later(denies), foreign) {
        (true, true) => Grade::Proof,
        (true, false) => Grade::Full,
        (false, _) => Grade::Half,
    };
    let claimed = scene.claimed(suspect);
    let (end, next) = (suspect.seq_end(), denies.seq);
    let clock = if later(denies) { ", by its own clock" } else { "" };
    let words = Words {
        expected: format!("sequence number {end} or more after {}", suspect.frame),
        observed: format!("{next} in {}", denies.frame),
        text: format!(
            "{} has bytes of {claimed} up to number {end}; {} later{clock}, {claimed} says in {} that it has sent none beyond {next}",
            suspect.frame,
            denies.after(suspect),
            denies.frame
        ),
    };
    Some((fact(Signal::AnswerUnsaid, grade, suspect.frame, words), denies.frame))
}

/// Numbers further back are of another connection between the same ports.
const BEHIND_MAX: i32 = 1 << 24;

#[cfg(test)]
mod tests {
    use super::super::sample::{SERVER_ISN, down, handshake, opening, scene, up};
    use super::*;
    use crate::wire::{SeqNumber, TcpFlags};

    const DATA: TcpFlags = TcpFlags::PSH.union(TcpFlags::ACK);

    /// Handshake, request, an answer of 300 bytes in frame 5 at 64 ms, and one more packet of the
    /// server; it is 56 ms away.
    fn after(answer: Sighting, late: Sighting) -> Option<Grade> {
        let [syn, accepted] = opening();
        let asked = Sighting { payload_len: 100, ..up(4, 60, DATA) };
        let log = [syn, accepted, up(3, 57, TcpFlags::ACK), asked, answer, late];
        let handshake = handshake(&log);
        let found = fact_of(&scene(&handshake, &log), &answer, (&[answer.frame], false));
        found.map(|(fact, denies)| {
            assert_eq!(denies, late.frame);
            fact.grade
        })
    }

    fn answer() -> Sighting {
        Sighting { payload_len: 300, ..down(5, 64, DATA) }
    }

    /// A bare acknowledgment at `ms`, `sent` bytes having been sent.
    fn bare(ms: i64, sent: u32) -> Sighting {
        Sighting { seq: SeqNumber(SERVER_ISN + 1 + sent), ..down(6, ms, TcpFlags::ACK) }
    }

    #[test]
    fn who_says_later_that_nothing_was_sent_did_not_send_it() {
        assert_eq!(after(answer(), bare(70, 0)), Some(Grade::Full));
        let unstamped = |seen| Sighting { timestamps: None, ..seen };
        assert_eq!(after(unstamped(answer()), unstamped(bare(130, 0))), Some(Grade::Half));
    }

    #[test]
    fn an_acknowledgment_that_was_overtaken_says_nothing() {
        let sent_before = Sighting { timestamps: answer().timestamps, ..bare(90, 0) };
        assert_eq!(after(answer(), sent_before), None);
        let unstamped = Sighting { timestamps: None, ..bare(90, 0) };
        assert_eq!(after(Sighting { timestamps: None, ..answer() }, unstamped), None);
    }

    #[test]
    fn keep_alives_and_what_follows_the_answer_say_nothing() {
        assert_eq!(after(answer(), bare(5_000, 299)), None);
        assert_eq!(after(answer(), bare(5_000, 300)), None);
        let other = Sighting { seq: SeqNumber(SERVER_ISN.wrapping_sub(1 << 30)), ..bare(5_000, 0) };
        assert_eq!(after(answer(), other), None);
    }

    #[test]
    fn link_padding_is_no_answer() {
        assert_eq!(after(Sighting { payload_len: 6, ..answer() }, bare(70, 0)), None);
    }
}
