//! What the acknowledgment of a RST tells: could its stated sender have sent it?

use super::Scene;
use super::reset_sequence::{Contradiction, is_taken_at_its_word};
use super::scene::{Words, fact};
use crate::evidence::{Grade, Signal};
use crate::flow::Sighting;
use crate::wire::Direction;

/// `rst_bad_ack`: the answer to a SYN acknowledges something else.
pub(super) fn of_refusal(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    let opening = rst.direction == Direction::ToClient
        && rst.has_ack()
        && !scene.before(rst, rst.direction).any(|seen| !seen.is_reset());
    let mut asked = scene.before(rst, rst.direction.reverse());
    let latest = asked.next()?;
    // The SYN alone must be what it answers; its data may be acknowledged with it (RFC 7413).
    if !opening || !latest.is_syn() || latest.has_ack() || asked.any(|seen| !seen.is_syn()) {
        return None;
    }
    let fits = rst.ack == latest.seq.plus(1) || rst.ack == latest.seq_end();
    if fits {
        return None;
    }
    // What refuses a SYN has number 0 (RFC 9293 §3.10.7.1); with another one it may belong to an
    // earlier connection between the same ports.
    let grade = if rst.seq.0 == 0 { Grade::Full } else { Grade::Half };
    let off = rst.ack.distance_from(latest.seq.plus(1));
    let words = Words {
        expected: "an acknowledgment of the SYN's number plus 1".to_owned(),
        observed: format!("one that is {off:+} off"),
        text: format!(
            "{} answers the SYN of {} but acknowledges a number that is {off:+} off: no TCP stack does",
            rst.frame, latest.frame
        ),
    };
    Some(Contradiction::alone(fact(Signal::RstBadAck, grade, rst.frame, words)))
}

/// `rst_bad_ack`: a RST in the client's name, in its place in the stream, that acknowledges what the
/// server never sent. Who makes it from a SYN that he saw knows the client's number and not the server's.
///
/// A RST of an earlier connection between the same ports has neither number of this one. Evasion
/// software on the client may send any number, so long as its own connection does not end by it.
pub(super) fn of_client(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    let syn = scene.handshake.syn?;
    let answer = scene.handshake.syn_ack.filter(|seen| seen.frame < rst.frame)?;
    let ours = rst.direction == Direction::ToServer && rst.has_ack() && scene.is_near_server();
    let stands = |number| rst.seq == number;
    let in_place = || {
        let sent = scene.before(rst, rst.direction).filter(|seen| !seen.is_reset());
        stands(syn.seq.plus(1)) || sent.map(Sighting::seq_end).any(stands)
    };
    let heard = |seen: &Sighting| {
        let after = rst.ack.distance_from(seen.seq);
        (0..UNSEEN_MAX).contains(&after)
    };
    let ever_sent = || heard(&answer) || scene.before(rst, rst.direction.reverse()).any(heard);
    if !ours || !in_place() || ever_sent() {
        return None;
    }
    let goes_on = scene
        .after(rst, rst.direction)
        .any(|seen| !seen.is_reset() && seen.has_ack() && heard_of(seen, &answer));
    let cut_off = goes_on && is_taken_at_its_word(scene, rst);
    let grade = if cut_off { Grade::Full } else { Grade::Half };
    let words = Words {
        expected: format!("acknowledgment {} or more", answer.seq.plus(1)),
        observed: format!("acknowledgment {}", rst.ack),
        text: format!(
            "{} stands where the client's next byte does, but acknowledges {}, which the server, who began in {} with {}, never sent",
            rst.frame, rst.ack, answer.frame, answer.seq
        ),
    };
    Some(Contradiction::alone(fact(Signal::RstBadAck, grade, rst.frame, words)))
}

/// Whether `seen` acknowledges what `answer` began.
fn heard_of(seen: &Sighting, answer: &Sighting) -> bool {
    (1..UNSEEN_MAX).contains(&seen.ack.distance_from(answer.seq))
}

/// What the server may have sent besides, bytes that the capture lacks.
const UNSEEN_MAX: i32 = 1 << 26;
