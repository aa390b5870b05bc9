//! What retransmission timers tell about a RST: a stack repeats what waits for an acknowledgment
//! (RFC 6298 §5), and a RST waits for none.

use super::Scene;
use super::reset_sequence::{Contradiction, PADDING_MAX, is_foreign};
use super::scene::{Words, fact};
use crate::evidence::{Grade, Signal};
use crate::flow::Sighting;
use crate::wire::{Direction, Duration};

/// `rst_by_timer`: the same RST again and again, with waits that grow, and nothing that it could
/// answer. So it looks where a device on the way turns what a server sends, and sends again, into RSTs
/// (Xue and others, "TSPU: Russia's Decentralized Censorship System", IMC 2022).
///
/// What answers data that nobody expects has no acknowledgment (RFC 9293 §3.10.7.1); so the repeated
/// ones of a host that does not know a connection, or a firewall, are left out, whatever the capture
/// lacks. A SYN is refused with number 0.
pub(super) fn of_rsts(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    let theirs = rst.direction.reverse();
    let asked = scene.before(rst, theirs).next()?;
    let refusal = !scene.before(rst, rst.direction).any(|seen| !seen.is_reset());
    if !rst.has_ack() || rst.ack != asked.seq_end() || (refusal && rst.seq.0 == 0) {
        return None;
    }
    let is_copy = |seen: &&Sighting| {
        seen.is_reset() && (seen.seq, seen.ack, seen.flags) == (rst.seq, rst.ack, rst.flags)
    };
    let earlier = scene.before(rst, rst.direction).any(|seen| is_copy(&seen));
    let copies: Vec<&Sighting> = scene.after(rst, rst.direction).filter(is_copy).collect();
    let last = copies.last()?;
    let provoked = scene.after(rst, theirs).any(|seen| seen.frame < last.frame);
    let (times, grows) = timed(rst, &copies);
    if earlier || provoked || !grows || times < if refusal { 3 } else { 4 } {
        return None;
    }
    let claimed = scene.claimed(rst);
    let words = Words {
        expected: "one RST".to_owned(),
        observed: format!("{times} with waits that grow, until {}", last.frame),
        text: format!(
            "{} comes again and again until {}, {} later, {times} times with waits that grow, though nothing came that {claimed} could answer: so data are sent again that wait for an acknowledgment, never a RST",
            rst.frame,
            last.frame,
            last.after(rst)
        ),
    };
    // What waits with it is turned too.
    let company = scene.after(rst, rst.direction).filter(|seen| seen.is_reset());
    let company = company.filter(|seen| (seen.ack, seen.flags) == (rst.ack, rst.flags));
    let also_forged = company.map(|seen| seen.frame).collect();
    let fact = fact(Signal::RstByTimer, Grade::Proof, rst.frame, words);
    Some(Contradiction { fact, genuine: Vec::new(), also_forged })
}

/// How often a packet was sent by a timer, and whether that took its time as one does that doubles its
/// wait: `first`, and those of its `copies` before which the wait was [`WAIT_MIN`] or more, if no wait
/// was shorter than the one before it.
fn timed(first: &Sighting, copies: &[&Sighting]) -> (usize, bool) {
    let (mut times, mut latest, mut waits) = (1, first, None);
    for copy in copies {
        let next = copy.after(latest);
        if next < WAIT_MIN {
            // A tail loss probe, or two segments at once.
            continue;
        }
        let (shortest, longest) = waits.unwrap_or((next, next));
        if next < longest {
            return (1, false);
        }
        (times, latest, waits) = (times + 1, copy, Some((shortest, next)));
    }
    (times, waits.is_some_and(|(one, last)| last.times(5) >= one.times(9)))
}

/// `rst_then_data` at a tap beside the server: after a RST in its name the client sends the same
/// data again by its timer, so it knows of no RST.
///
/// A gateway beside the client that refuses what the server sends does so in the client's name too,
/// without its knowledge; but not sooner than a packet of the server can have come there.
pub(super) fn of_data(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    if rst.direction != Direction::ToServer || !scene.is_near_server() {
        return None;
    }
    let theirs = Direction::ToClient;
    let there_and_back = scene.handshake.client_rtt()?;
    let asks_for = |seen: &&Sighting| !seen.is_reset() && seen.ack == rst.seq;
    let refused = scene.before(rst, theirs).filter(asks_for).last();
    if refused.is_some_and(|seen| rst.after(seen).times(4) >= there_and_back.times(3)) {
        return None;
    }
    let data = |seen: &&Sighting| !seen.is_reset() && seen.payload_len > PADDING_MAX;
    let sent: Vec<&Sighting> = scene.after(rst, rst.direction).filter(data).collect();
    let first = sent.first()?;
    let copies: Vec<&Sighting> =
        sent.iter().skip(1).filter(|seen| seen.seq == first.seq).copied().collect();
    if first.after(rst) < WAIT_MIN || timed(first, &copies).0 < 2 {
        return None;
    }
    let last = copies.last()?;
    // Software on the client that evades censors sends RSTs which the server is not to see.
    let grade = if is_foreign(scene, rst) { Grade::Proof } else { Grade::Full };
    let words = Words {
        expected: "nothing more from the client after its RST".to_owned(),
        observed: format!("the same {} bytes until {}", first.payload_len, last.frame),
        text: format!(
            "{} resets the connection in the name of the client, yet the client sends the same {} bytes in {} and, as its timer bids, until {}, {} later",
            rst.frame,
            first.payload_len,
            first.frame,
            last.frame,
            last.after(rst)
        ),
    };
    let genuine = [first].into_iter().chain(&copies).map(|seen| seen.frame).collect();
    let fact = fact(Signal::RstThenData, grade, rst.frame, words);
    Some(Contradiction { fact, genuine, also_forged: Vec::new() })
}

/// No retransmission timer is shorter (RFC 6298 §2.4 asks for a second; Linux takes 200 ms).
const WAIT_MIN: Duration = Duration::from_millis(180);
