//! What sequence numbers tell about a RST or a FIN: could its stated sender have sent it?
//!
//! Numbers prove something of a capture that is complete, and of a host that does not refuse behind its
//! own stack's back. Captures lack packets without a trace, and packet filters on a server refuse in its
//! name while it goes on sending. So what orders and numbers show is a proof only where the suspect is
//! [foreign](is_foreign) besides, or where nothing that the capture may lack could explain it: a FIN that
//! its sender's data run over, a RST beyond the end of its sender's stream, and a RST too early to answer
//! an unseen packet.

use super::baseline::Baseline;
use super::scene::{SYN_AGAIN, Words, fact};
use super::{Scene, marks, reset_number, reset_timer};
use crate::evidence::{Fact, Grade, Signal};
use crate::flow::Sighting;
use crate::wire::{Direction, Duration, FrameId, SeqNumber};

/// A fact and the frames that contradict the suspect.
pub(super) struct Contradiction {
    pub(super) fact: Fact,
    pub(super) genuine: Vec<FrameId>,
    /// Other frames that the fact shows to be forged too.
    pub(super) also_forged: Vec<FrameId>,
}

impl Contradiction {
    pub(super) fn alone(fact: Fact) -> Self {
        Self { fact, genuine: Vec::new(), also_forged: Vec::new() }
    }

    fn by(fact: Fact, genuine: FrameId) -> Self {
        Self { fact, genuine: vec![genuine], also_forged: Vec::new() }
    }
}

/// All that the numbers say against `rst`.
pub(super) fn of_rst(scene: &Scene<'_>, rst: &Sighting) -> Vec<Contradiction> {
    let tests = [
        accepted_after,
        reset_number::of_refusal,
        reset_number::of_client,
        guesses_ahead,
        goes_on,
        reset_timer::of_data,
        reset_timer::of_rsts,
        falls_behind,
    ];
    tests.iter().filter_map(|test| test(scene, rst)).collect()
}

/// All that the numbers say against `fin`.
pub(super) fn of_fin(scene: &Scene<'_>, fin: &Sighting) -> Vec<Contradiction> {
    let tests = [closes_no_close, sends_after_fin];
    tests.iter().filter_map(|test| test(scene, fin)).collect()
}

/// `rst_then_synack`: the SYN that the RST refused is accepted.
fn accepted_after(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    let syn = scene.before(rst, rst.direction.reverse()).find(|seen| seen.is_syn())?;
    let opening = rst.direction == Direction::ToClient
        && !scene.before(rst, rst.direction).any(|seen| !seen.is_reset());
    if !opening {
        return None;
    }
    let accepted = scene
        .after(rst, rst.direction)
        .find(|seen| seen.is_syn_ack() && seen.ack == syn.seq.plus(1))?;
    let asked_again = scene
        .after(rst, rst.direction.reverse())
        .any(|seen| seen.is_syn() && seen.frame < accepted.frame);
    // Unless it echoes the clock of that very SYN.
    if asked_again && !echoes(accepted, syn) {
        return None;
    }
    // A SYN that the capture lacks may have been sent again by then (RFC 6298 §2.1).
    let in_time = accepted.after(syn) < SYN_AGAIN;
    let grade = match is_of_this_connection(scene, rst) && in_time {
        true if is_foreign(scene, rst) => Grade::Proof,
        true => Grade::Full,
        false => Grade::Half,
    };
    let claimed = scene.claimed(rst);
    let words = Words {
        expected: format!("nothing more after {}", rst.frame),
        observed: format!("SYN/ACK in {}, {} later", accepted.frame, accepted.after(rst)),
        text: format!(
            "{} refuses the SYN of {} in the name of {claimed}, yet {} accepts that same SYN {} later",
            rst.frame,
            syn.frame,
            accepted.frame,
            accepted.after(rst)
        ),
    };
    Some(Contradiction::by(fact(Signal::RstThenSynAck, grade, rst.frame, words), accepted.frame))
}

fn echoes(answer: &Sighting, asked: &Sighting) -> bool {
    answer.timestamps.zip(asked.timestamps).is_some_and(|(ours, theirs)| ours.echo == theirs.value)
}

/// Whether `rst` cannot belong to an earlier connection between the same ports, that ended while the
/// client was already opening this one: it acknowledges this one's SYN, if only about, or its number
/// lies beyond the one with which its sender began this one.
fn is_of_this_connection(scene: &Scene<'_>, rst: &Sighting) -> bool {
    let opening = match rst.direction {
        Direction::ToClient => scene.handshake.syn_ack,
        Direction::ToServer => scene.handshake.syn,
    };
    match (opening, scene.handshake.syn) {
        (Some(own), _) if own.frame < rst.frame => {
            (0..WINDOW_MAX as i32).contains(&rst.seq.distance_from(own.seq))
        }
        (_, Some(syn)) if syn.frame < rst.frame => {
            rst.has_ack() && rst.ack.distance_from(syn.seq).unsigned_abs() <= ISN_STEP_MIN
        }
        _ => true,
    }
}

/// Whether something but its place in the stream sets `rst` apart from its stated sender: it came from
/// elsewhere, too soon, or with numbers copied from what it answers.
pub(super) fn is_foreign(scene: &Scene<'_>, rst: &Sighting) -> bool {
    let own = Baseline::of(scene, rst.direction, &[]);
    marks::of(&scene.muted(), rst, &own).iter().any(|fact| match fact.signal {
        Signal::IpIdMirror => true,
        signal if marks::TTL_MARKS.contains(&signal) => true,
        Signal::RstFast => fact.grade == Grade::Full,
        _ => false,
    })
}

/// `rst_seq_ahead`: this RST guesses beyond another one, and beyond all that was sent.
fn guesses_ahead(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    const MARGIN: i32 = 2;
    let first = scene.before(rst, rst.direction).find(|seen| seen.is_reset())?;
    // A stack has two forms of RST: one with an acknowledgment that gives a connection up, and bare
    // ones that answer what comes for it afterwards (RFC 9293 §3.10.7.1). On a path that reorders
    // the one may arrive last, ahead of data that it overtook. Who guesses repeats one form.
    let alike = rst.has_ack() == first.has_ack();
    let near = rst.after(first) < Duration::from_secs(2);
    if !alike || !near || rst.seq.distance_from(first.seq) <= MARGIN {
        return None;
    }
    let sent = highest(
        scene.before(rst, rst.direction).filter(|seen| !seen.is_reset()),
        Sighting::seq_end,
    )?;
    let acked = highest(
        scene
            .before(rst, rst.direction.reverse())
            .filter(|seen| seen.has_ack() && !seen.is_reset()),
        |seen| seen.ack,
    )?;
    let closed = scene.before(rst, rst.direction).any(Sighting::is_fin);
    let ahead = rst.seq.distance_from(sent).min(rst.seq.distance_from(acked));
    // A zero sequence number goes with a RST that answers an ACK-less segment, not with a guess.
    if closed || ahead <= MARGIN || first.seq.0 == 0 {
        return None;
    }
    let claimed = scene.claimed(rst);
    let end = end_between(scene, first, rst);
    let ends = end.map_or(String::new(), |fin| {
        format!("; {claimed} never sent as much, as its FIN shows in {}", fin.frame)
    });
    let words = Words {
        expected: format!("sequence number {sent}, all that {claimed} had sent"),
        observed: format!("{} after {} in {}", rst.seq, first.seq, first.frame),
        text: format!(
            "{} follows the RST {} after {} with a sequence number {} higher, beyond all that {claimed} had sent or had acknowledged: a guess at where the connection is by now{ends}",
            rst.frame,
            first.frame,
            rst.after(first),
            rst.seq.distance_from(first.seq)
        ),
    };
    // Evasion software on the client may send any number in its name.
    let beyond = end.is_some() && rst.direction == Direction::ToClient;
    let proven = beyond || is_foreign(scene, rst) || is_too_early(scene, rst);
    let grade = if proven {
        Grade::Proof
    } else if is_unasked_for(scene, rst) || is_by_template(scene, first, rst) {
        Grade::Full
    } else {
        Grade::Half
    };
    Some(Contradiction {
        fact: fact(Signal::RstSeqAhead, grade, rst.frame, words),
        genuine: end.iter().map(|fin| fin.frame).collect(),
        also_forged: vec![first.frame],
    })
}

/// Whether two RSTs are apart by full segments of IPv4 without options (1,460 bytes, RFC 9293 §3.7.1),
/// which this connection does not have: by numbers of a template, where what was sent and acknowledged
/// in between, and is not in the capture, would have made others. In the client's name evasion software
/// does so too, but not to its own harm.
fn is_by_template(scene: &Scene<'_>, first: &Sighting, rst: &Sighting) -> bool {
    const FULL: i32 = 1460;
    let apart = rst.seq.distance_from(first.seq);
    let has_none = scene.server.is_ipv6() || scene.handshake.negotiated_timestamps() == Some(true);
    let to_client = rst.direction == Direction::ToClient;
    let harms = to_client || (scene.is_near_server() && ends_by(scene, rst));
    has_none && apart > 0 && apart % FULL == 0 && apart <= 4 * FULL && harms
}

/// Whether nothing but RSTs follows `rst` from its sender, or else from its receiver.
fn ends_by(scene: &Scene<'_>, rst: &Sighting) -> bool {
    scene.after(rst, rst.direction).all(Sighting::is_reset) || is_taken_at_its_word(scene, rst)
}

/// Whether `rst`, in the client's name, answers nothing: beside the server all is seen that it can
/// refuse, and it bears no number that the server acknowledged (RFC 9293 §3.10.7.1). Nor is it evasion
/// software's, which has no use for a connection that ends there.
fn is_unasked_for(scene: &Scene<'_>, rst: &Sighting) -> bool {
    let to_server = rst.direction == Direction::ToServer && scene.is_near_server();
    let refuses = |seen: &Sighting| seen.has_ack() && seen.ack == rst.seq && !seen.is_reset();
    let refusal = || scene.sent(Direction::ToClient).any(refuses);
    to_server && !rst.has_ack() && !refusal() && ends_by(scene, rst)
}

/// The FIN behind two RSTs with which their stated sender ended its stream between their numbers: it
/// never came to the second one, whatever the capture may lack.
fn end_between<'a>(scene: &Scene<'a>, first: &Sighting, second: &Sighting) -> Option<&'a Sighting> {
    scene.after(second, second.direction).find(|seen| {
        let end = seen.seq_end();
        seen.is_fin() && end.distance_from(first.seq) >= 0 && second.seq.distance_from(end) > 0
    })
}

/// Whether `rst`, which lies ahead of what its receiver had acknowledged in the packet before it, came
/// too soon after that packet to answer a later one, which the capture may lack. A bare RST has the
/// number of an acknowledgment that it answers (RFC 9293 §3.10.7.1).
fn is_too_early(scene: &Scene<'_>, rst: &Sighting) -> bool {
    let mut asked = scene.before(rst, rst.direction.reverse()).filter(|seen| seen.has_ack());
    let latest = asked.find(|seen| !seen.is_reset());
    let rtt = scene.quickest_answer().filter(|rtt| *rtt >= Duration::from_millis(4));
    let to_client = rst.direction == Direction::ToClient;
    latest.zip(rtt).is_some_and(|(asked, rtt)| {
        to_client && !rst.has_ack() && rst.after(asked).times(4) < rtt.times(3)
    })
}

/// `rst_then_data`: its sender goes on as if nothing had been reset. So it does, too, where a gateway
/// of the user's own has lost track of the connection.
fn goes_on(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    if scene.lost_track(rst).is_some() {
        return None;
    }
    let reopened = |seen: &Sighting| seen.is_syn() && seen.frame > rst.frame;
    if scene.log.iter().any(|seen| reopened(seen) && !seen.is_syn_ack()) {
        return None;
    }
    let acked_before = highest(
        scene.before(rst, rst.direction).filter(|seen| seen.has_ack() && !seen.is_reset()),
        |seen| seen.ack,
    );
    let goes_on =
        |seen: &&Sighting| !seen.is_reset() && !seen.is_syn() && continues(seen, rst, acked_before);
    let bare = |seen: &Sighting| seen.payload_len == 0 && !seen.is_fin();
    let unaware = || scene.after(rst, rst.direction).filter(goes_on);
    // Within that time, what was sent before the RST may still arrive behind it, unless its sender's
    // own clock says that it was sent after it.
    let patience = scene.server_rtt().map_or(REORDERING, |rtt| rtt.over(4).max(REORDERING));
    let settled = |seen: &Sighting| seen.after(rst) >= patience || is_later_by_clock(seen, rst);
    let to_server = rst.direction == Direction::ToServer;
    let next = unaware().min_by_key(|seen| {
        let hasty = to_server && !settled(seen);
        (bare(seen), !is_later_by_clock(seen, rst), hasty, seen.frame)
    })?;
    let (later, settled) = (next.after(rst), settled(next));
    let grade = match (rst.direction, settled) {
        (Direction::ToClient, true) if !is_of_this_connection(scene, rst) => Grade::Half,
        // A bare acknowledgment may have been overtaken by the RST: seen on a jittery path.
        (Direction::ToClient, true) if bare(next) => Grade::Full,
        (Direction::ToClient, true) if is_foreign(scene, rst) => Grade::Proof,
        (Direction::ToClient, true) => Grade::Full,
        // Evasion software on the client sends resets that the server is not to see; so beside
        // the client such a RST proves nothing, and beside the server it does.
        (Direction::ToServer, true)
            if scene.is_near_server() && !bare(next) && is_foreign(scene, rst) =>
        {
            Grade::Proof
        }
        // Nor would such software have its own connection ended.
        (Direction::ToServer, true)
            if scene.is_near_server() && is_taken_at_its_word(scene, rst) =>
        {
            Grade::Full
        }
        (Direction::ToClient, false) if cannot_have_preceded(scene, next, rst) => Grade::Full,
        (Direction::ToClient, false) | (Direction::ToServer, true) => Grade::Half,
        (Direction::ToServer, false) => return None,
    };
    let claimed = scene.claimed(rst);
    let what = match next.payload_len {
        0 if next.is_fin() => "a FIN of its own".to_owned(),
        0 => "an acknowledgment of new data".to_owned(),
        bytes => format!("{bytes} bytes of data"),
    };
    let words = Words {
        expected: format!("nothing more from {claimed} after its RST"),
        observed: format!("{what} in {}, {later} later", next.frame),
        text: format!(
            "{} resets the connection in the name of {claimed}, yet {claimed} sends {what} in {}, {later} later",
            rst.frame, next.frame
        ),
    };
    Some(Contradiction {
        fact: fact(Signal::RstThenData, grade, rst.frame, words),
        genuine: unaware().take(GENUINE_SHOWN).map(|seen| seen.frame).collect(),
        also_forged: Vec::new(),
    })
}

/// Whether the clock of their stated sender stood later in `seen` than in `other` (RFC 7323 §5.4).
pub(super) fn is_later_by_clock(seen: &Sighting, other: &Sighting) -> bool {
    let clocks = seen.timestamps.zip(other.timestamps);
    clocks.is_some_and(|(seen, other)| SeqNumber(seen.value).is_after(SeqNumber(other.value)))
}

/// Whether `next`, which came soon after `rst`, is not data that was on its way before: who gives up a
/// connection says so with the number after all that he has sent (RFC 9293 §3.10.5), and acknowledges
/// what he got. A bare RST has the number that its receiver acknowledged.
fn cannot_have_preceded(scene: &Scene<'_>, next: &Sighting, rst: &Sighting) -> bool {
    let sent = scene.before(rst, rst.direction).filter(|seen| !seen.is_reset());
    let stood = highest(sent, Sighting::seq_end).is_some_and(|sent| rst.seq == sent);
    rst.has_ack() && stood && next.payload_len > PADDING_MAX && next.seq_end().is_after(rst.seq)
}

/// Whether the receiver of `rst` refuses from then on what comes for the connection.
pub(super) fn is_taken_at_its_word(scene: &Scene<'_>, rst: &Sighting) -> bool {
    let mut theirs = scene.after(rst, rst.direction.reverse()).peekable();
    theirs.peek().is_some() && theirs.all(Sighting::is_reset)
}

/// Whether `seen` shows its sender unaware of `rst`: data at or beyond the RST's place, a FIN there,
/// or an acknowledgment of what it had not acknowledged before.
fn continues(seen: &Sighting, rst: &Sighting, acked_before: Option<SeqNumber>) -> bool {
    let place = seen.seq_end().distance_from(rst.seq);
    // A RST of no plausible number (0, or copied from elsewhere) gives no place to compare with.
    let comparable = place.unsigned_abs() < WINDOW_MAX;
    let new_data = seen.payload_len > PADDING_MAX && (!comparable || place > 0);
    // Data below the RST's place was sent before it, whatever it acknowledges.
    let new_ack = seen.has_ack()
        && seen.payload_len == 0
        && acked_before.is_some_and(|before| seen.ack.is_after(before))
        && (!comparable || place >= 0);
    let new_fin = seen.is_fin() && comparable && place > 0;
    new_data || new_ack || new_fin
}

/// `rst_behind_data`: built from an older state of the connection.
fn falls_behind(scene: &Scene<'_>, rst: &Sighting) -> Option<Contradiction> {
    let sent = highest(
        scene.before(rst, rst.direction).filter(|seen| !seen.is_reset()),
        Sighting::seq_end,
    )?;
    let behind = sent.distance_from(rst.seq);
    let acked = scene
        .before(rst, rst.direction.reverse())
        .any(|seen| seen.has_ack() && seen.ack == rst.seq);
    if behind <= 0 || behind.unsigned_abs() > WINDOW_MAX || acked {
        return None;
    }
    let claimed = scene.claimed(rst);
    let words = Words {
        expected: format!(
            "sequence number {sent}, where {claimed} stood, or what the peer last acknowledged"
        ),
        observed: format!("{}, {behind} bytes behind", rst.seq),
        text: format!(
            "{} stands {behind} bytes behind what {claimed} had already sent, at a place that the peer never acknowledged",
            rst.frame
        ),
    };
    Some(Contradiction::alone(fact(Signal::RstBehindData, Grade::Full, rst.frame, words)))
}

/// `fin_ack_skew`: a server's FIN that acknowledges a FIN which the client never sent.
fn closes_no_close(scene: &Scene<'_>, fin: &Sighting) -> Option<Contradiction> {
    let theirs = || scene.before(fin, Direction::ToServer).filter(|seen| !seen.is_reset());
    let sent = highest(theirs(), Sighting::seq_end)?;
    let skewed = fin.direction == Direction::ToClient
        && fin.has_ack()
        && fin.ack == sent.plus(1)
        && !theirs().any(Sighting::is_fin);
    // The capture may lack the client's FIN. Then what the client sends next counts it.
    let after = || scene.after(fin, Direction::ToServer).filter(|seen| !seen.is_reset());
    if !skewed || scene.gaps > 0 || after().any(|seen| seen.seq.is_after(sent)) {
        return None;
    }
    let grade = if after().next().is_some() { Grade::Full } else { Grade::Half };
    let words = Words {
        expected: format!("acknowledgment {sent}, all that the client had sent"),
        observed: format!("acknowledgment {}", fin.ack),
        text: format!(
            "{} acknowledges one more than the client ever sent, as if the client had closed; it had not",
            fin.frame
        ),
    };
    Some(Contradiction::alone(fact(Signal::FinAckSkew, grade, fin.frame, words)))
}

/// `data_after_fin`: its sender sends data at or beyond its own FIN.
fn sends_after_fin(scene: &Scene<'_>, fin: &Sighting) -> Option<Contradiction> {
    let end = fin.seq_end();
    let beyond = |seen: &&Sighting| {
        !seen.is_reset()
            && !seen.is_syn()
            && seen.payload_len > PADDING_MAX
            && seen.seq_end().distance_from(end) >= 0
            && seen.seq_end().distance_from(end).unsigned_abs() < WINDOW_MAX
            && !seen.is_fin_of(end)
    };
    // What goes on where the FIN stood. Data far beyond may be of a later connection between the same
    // ports, of which the capture lacks the SYN; and what begins anew further back may itself be by
    // somebody else, who came late.
    let adjoins = |seen: &&Sighting| {
        beyond(seen) && seen.seq.distance_from(end) <= 0 && seen.seq.distance_from(fin.seq) >= 0
    };
    let adjoining = scene.after(fin, fin.direction).find(adjoins);
    let next = adjoining.or_else(|| scene.after(fin, fin.direction).find(beyond))?;
    let claimed = scene.claimed(fin);
    let later = next.after(fin);
    let grade = match fin.direction {
        Direction::ToClient if adjoining.is_some() => Grade::Proof,
        Direction::ToClient | Direction::ToServer => Grade::Half,
    };
    let words = Words {
        expected: format!("no data from {claimed} beyond its FIN"),
        observed: format!("{} bytes in {}, {later} later", next.payload_len, next.frame),
        text: format!(
            "{} closes the connection in the name of {claimed}, yet {claimed} sends {} bytes beyond that end in {}, {later} later",
            fin.frame, next.payload_len, next.frame
        ),
    };
    let genuine = scene.after(fin, fin.direction).filter(beyond).take(GENUINE_SHOWN);
    Some(Contradiction {
        fact: fact(Signal::DataAfterFin, grade, fin.frame, words),
        genuine: genuine.map(|seen| seen.frame).collect(),
        also_forged: Vec::new(),
    })
}

impl Sighting {
    /// Whether it carries a FIN that ends at `end`: the same close, sent again with its last data.
    fn is_fin_of(&self, end: SeqNumber) -> bool {
        self.is_fin() && self.seq_end() == end
    }
}

/// The highest of the numbers that `read` finds, the first one taken as the origin.
fn highest<'a>(
    mut sightings: impl Iterator<Item = &'a Sighting>,
    read: impl Fn(&Sighting) -> SeqNumber,
) -> Option<SeqNumber> {
    let first = read(sightings.next()?);
    Some(
        sightings
            .map(read)
            .fold(first, |highest, number| if number.is_after(highest) { number } else { highest }),
    )
}

/// Connections between the same ports begin at numbers that lie further apart than this: the clock
/// behind them takes 4 µs or less a step (RFC 6528 §3), so a quarter of a second.
const ISN_STEP_MIN: u32 = 1 << 16;
/// How long packets may overtake each other before the tap.
pub(super) const REORDERING: Duration = Duration::from_millis(10);
/// The largest window that TCP can have (RFC 7323 §2.3).
const WINDOW_MAX: u32 = 1 << 30;
/// Link padding that some captures count as data: a frame of 60 bytes holds 6 beside the headers,
/// and 18 where an anonymiser or a tunnel has lost more of them.
pub(super) const PADDING_MAX: u32 = 18;
/// Contradicting frames that are listed for one suspect.
const GENUINE_SHOWN: usize = 8;
