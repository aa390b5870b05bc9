//! Header marks of a suspect packet, held against its stated sender's own line.
//!
//! One function a family, each giving at most one fact for and one against. They are the same for
//! resets and for content; what a mark weighs is the verdict's business.

use super::Scene;
use super::baseline::{Baseline, IpIdLine, TtlRange};
use super::device::HOPS_MAX;
use super::scene::{Words, fact};
use crate::evidence::{Fact, Grade, Haste, Signal};
use crate::flow::Sighting;
use crate::wire::{Direction, Duration};

/// All header marks of `suspect`, `own` being its stated sender's line.
pub(super) fn of(scene: &Scene<'_>, suspect: &Sighting, own: &Baseline<'_>) -> Vec<Fact> {
    [
        ttl(scene, suspect, own),
        ip_id_copied(scene, suspect)
            .or_else(|| ip_id_line(scene, suspect, own))
            .or_else(|| fragment_bit(scene, suspect, own)),
        missing_timestamp(scene, suspect).or_else(|| timestamp_line(scene, suspect, own)),
        refusal_window(scene, suspect, own).or_else(|| answer_window(scene, suspect, own)),
        timing(scene, suspect).or_else(|| unasked(scene, suspect)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What sets the TTL of a packet apart from its stated sender's.
pub(super) const TTL_MARKS: [Signal; 3] =
    [Signal::TtlShift, Signal::RstTtlSplit, Signal::RstTtlNear];

/// A TTL that its sender did not show elsewhere, or one that it did.
pub(super) fn ttl(scene: &Scene<'_>, suspect: &Sighting, own: &Baseline<'_>) -> Option<Fact> {
    let range = own.ttl_range(suspect.frame)?;
    let seen = suspect.ttl;
    let signal = match range.off(seen) {
        0 => Signal::TtlMatch,
        1..=2 => return None,
        _ => Signal::TtlShift,
    };
    let signal = match signal {
        Signal::TtlShift if is_nearer(scene, suspect, range) => Signal::RstTtlNear,
        Signal::TtlShift if is_outdone(scene, suspect, range) => Signal::RstTtlSplit,
        _ => signal,
    };
    // One sample of the sender is half a line.
    let grade = if range.packets > 1 { Grade::Full } else { Grade::Half };
    let words = scene.words(|| {
        let side = if range.before { "before" } else { "after" };
        let others = match range.packets {
            1 => format!("the only packet {side} it"),
            n => format!("{n} packets {side} it"),
        };
        let claimed = scene.claimed(suspect);
        let text = if signal == Signal::TtlMatch {
            format!("{} has TTL {seen}, as {others} from {claimed} had", suspect.frame)
        } else {
            let more = match signal {
                Signal::RstTtlSplit => ", as other RSTs have".to_owned(),
                Signal::RstTtlNear => format!(
                    ": {} hops away where the server is {} away, if both began as usual",
                    seen.guess_hops(),
                    range.hops()
                ),
                _ => String::new(),
            };
            format!("{} has TTL {seen}; {others} from {claimed} had {range}{more}", suspect.frame)
        };
        Words { expected: format!("TTL {range}"), observed: format!("TTL {seen}"), text }
    });
    Some(fact(signal, grade, suspect.frame, words))
}

/// Whether `suspect`, whose TTL is out of `range`, is a RST, and another RST of its stated sender is not
/// out of it.
fn is_outdone(scene: &Scene<'_>, suspect: &Sighting, range: TtlRange) -> bool {
    suspect.is_reset()
        && scene.sent(suspect.direction).any(|seen| seen.is_reset() && range.off(seen.ttl) == 0)
}

/// Whether `suspect`, a RST or a bare FIN to the client whose TTL is out of `range`, comes from well this
/// side of its stated sender: from no more than half as far, by usual initial values. What stands before
/// a server, and resets for it, is about as far as the server is. A stack that begins its RSTs with a value
/// of its own seems further, never nearer. A gateway that lost track is near, too.
fn is_nearer(scene: &Scene<'_>, suspect: &Sighting, range: TtlRange) -> bool {
    let closes = suspect.is_reset() || (suspect.is_fin() && suspect.payload_len == 0);
    let (seen, own) = (suspect.ttl.guess_hops(), range.hops());
    closes
        && suspect.direction == Direction::ToClient
        && own <= HOPS_MAX
        && seen <= own / 2
        && own - seen >= NEARER_MIN
        && scene.lost_track(suspect).is_none()
}

/// An identification copied from the packet that it answers, together with the window: from the
/// latest, or the latest with data.
pub(super) fn ip_id_copied(scene: &Scene<'_>, suspect: &Sighting) -> Option<Fact> {
    let id = suspect.ip_id.filter(|id| *id != 0)?;
    let theirs = suspect.direction.reverse();
    let latest = scene.before(suspect, theirs).find(|seen| !seen.is_reset());
    let fits = |model: &&Sighting| {
        model.ip_id.is_some_and(|own| own != 0 && (id == own || id == own.wrapping_add(1)))
    };
    let model = latest.into_iter().chain(scene.provocation(suspect)).find(fits)?;
    let copied = model.ip_id?;
    // Both sides constant, or one counter for both: seen in benign captures.
    let constant = scene.before(suspect, theirs).filter(|seen| seen.ip_id == Some(copied)).count();
    if constant > 1 {
        return None;
    }
    let grade = if suspect.window == model.window { Grade::Full } else { Grade::Half };
    let words = scene.words(|| Words {
        expected: "an identification of the sender's own".to_owned(),
        observed: format!("IP-ID {id:#06x}, window {}", suspect.window),
        text: format!(
            "{} carries IP-ID {id:#06x}, copied from {} ({copied:#06x}), which it answers",
            suspect.frame, model.frame
        ),
    });
    Some(fact(Signal::IpIdMirror, grade, suspect.frame, words))
}

/// An identification off its sender's line, or on it.
fn ip_id_line(scene: &Scene<'_>, suspect: &Sighting, own: &Baseline<'_>) -> Option<Fact> {
    let id = suspect.ip_id?;
    if id == 0 && suspect.is_reset() {
        return None;
    }
    let line = own.ip_id_line()?;
    let (before, after) = own.ip_id_neighbours(suspect.frame);
    let fits = match line {
        IpIdLine::Constant(own) => id == own,
        // A counter gives no number twice.
        IpIdLine::Rising if own.has_ip_id(id) => false,
        IpIdLine::Rising => {
            let near = |from: u16, to: u16| to.wrapping_sub(from) <= Baseline::STEP_MAX;
            match (before, after) {
                // Between its neighbours, or no further outside than these are from each other:
                // packets overtake each other.
                (Some(before), Some(after)) if near(before, after) => {
                    let step = after.wrapping_sub(before).max(OVERTAKEN);
                    id.wrapping_sub(before.wrapping_sub(step)) <= step.saturating_mul(3)
                }
                _ => {
                    before.is_some_and(|before| near(before, id))
                        || after.is_some_and(|after| near(id, after))
                }
            }
        }
    };
    let words = scene.words(|| {
        let show = |id: Option<u16>| id.map_or("none".to_owned(), |id| format!("{id:#06x}"));
        let expected = match line {
            IpIdLine::Constant(own) => format!("IP-ID {own:#06x}"),
            IpIdLine::Rising => match (before, after) {
                (Some(_), None) => format!("IP-ID after {}", show(before)),
                (None, Some(_)) => format!("IP-ID before {}", show(after)),
                _ => format!("IP-ID between {} and {}", show(before), show(after)),
            },
        };
        let claimed = scene.claimed(suspect);
        let text = if fits {
            format!("{} continues the IP-ID line of {claimed}", suspect.frame)
        } else {
            format!(
                "{} carries IP-ID {id:#06x}, off the line of {claimed} ({expected})",
                suspect.frame
            )
        };
        Words { expected, observed: format!("IP-ID {id:#06x}"), text }
    });
    let signal = if fits { Signal::IpIdMatch } else { Signal::IpIdBreak };
    Some(fact(signal, Grade::Full, suspect.frame, words))
}

/// DF unlike all that its sender had sent before. Stacks build RSTs apart from the connection, some
/// without DF, and a sender whose identifications run on has changed its own mind.
fn fragment_bit(scene: &Scene<'_>, suspect: &Sighting, own: &Baseline<'_>) -> Option<Fact> {
    let usual = own.dont_fragment(suspect.frame)?;
    if suspect.is_reset() || suspect.ip_id.is_none() || suspect.dont_fragment == usual {
        return None;
    }
    // Who loses DF on the way is rarer than who gains it after a SYN/ACK of cookies.
    let grade = if usual { Grade::Full } else { Grade::Half };
    let told = |set: bool| if set { "DF set" } else { "DF not set" };
    let words = scene.words(|| Words {
        expected: told(usual).to_owned(),
        observed: told(suspect.dont_fragment).to_owned(),
        text: format!(
            "{} has {}, unlike all that {} had sent before",
            suspect.frame,
            told(suspect.dont_fragment),
            scene.claimed(suspect)
        ),
    });
    Some(fact(Signal::DfBreak, grade, suspect.frame, words))
}

/// No timestamp where timestamps were agreed on.
fn missing_timestamp(scene: &Scene<'_>, suspect: &Sighting) -> Option<Fact> {
    let agreed = scene.handshake.negotiated_timestamps() == Some(true)
        && scene.handshake.syn_ack.is_some_and(|answer| answer.frame < suspect.frame);
    if !agreed || suspect.timestamps.is_some() {
        return None;
    }
    let grade = if suspect.is_reset() { Grade::Half } else { Grade::Full };
    let words = scene.words(|| Words {
        expected: "a TCP timestamp, as agreed in the handshake".to_owned(),
        observed: "no timestamp".to_owned(),
        text: format!(
            "{} has no TCP timestamp, though both sides agreed on them in the handshake",
            suspect.frame
        ),
    });
    Some(fact(Signal::NoTimestamp, grade, suspect.frame, words))
}

/// A timestamp off its sender's clock, or an echo of what was never sent; or both in order.
fn timestamp_line(scene: &Scene<'_>, suspect: &Sighting, own: &Baseline<'_>) -> Option<Fact> {
    let stamps = suspect.timestamps?;
    let (expected, tolerance) = own.expected_tsval(suspect.time)?;
    let off = (stamps.value.wrapping_sub(expected) as i32).unsigned_abs();
    let theirs = Baseline::of(scene, suspect.direction.reverse(), &[]);
    let echo_fits = theirs.may_have_sent(stamps.echo, suspect).unwrap_or(true);
    let fits = off <= tolerance && (echo_fits || stamps.echo == 0);
    let words = scene.words(|| {
        let claimed = scene.claimed(suspect);
        let text = if fits {
            format!("{} continues the clock of {claimed}", suspect.frame)
        } else {
            format!(
                "{} carries timestamps {} and {}, off the clock of {claimed}",
                suspect.frame, stamps.value, stamps.echo
            )
        };
        Words {
            expected: format!("TSval about {expected}"),
            observed: format!("TSval {}, TSecr {}", stamps.value, stamps.echo),
            text,
        }
    });
    let signal = if fits { Signal::TsvalMatch } else { Signal::TsvalBreak };
    Some(fact(signal, Grade::Full, suspect.frame, words))
}

/// A window where a RST has none to offer. A stack that gives a connection up may say in its RST with
/// acknowledgment what it said before; a bare one answers what belongs to no connection.
fn refusal_window(scene: &Scene<'_>, suspect: &Sighting, own: &Baseline<'_>) -> Option<Fact> {
    let seen = suspect.window;
    if !suspect.is_reset() || seen == 0 {
        return None;
    }
    let (grade, expected) = if suspect.has_ack() {
        let (low, high) = own.windows(suspect.frame).or_else(|| first_windows(scene, suspect))?;
        if (low / 2..=high.saturating_mul(2)).contains(&seen) {
            return None;
        }
        let before =
            if high > 0 { format!(", or {low} to {high} as before") } else { String::new() };
        (Grade::Half, format!("window 0{before}"))
    } else {
        (Grade::Full, "window 0".to_owned())
    };
    Some(odd_window(scene, suspect, (Signal::RstWindow, grade), (&expected, "")))
}

/// The windows that the server may offer in its first packet after the SYN/ACK: about what that said,
/// scaled.
fn first_windows(scene: &Scene<'_>, suspect: &Sighting) -> Option<(u16, u16)> {
    let answer = scene.handshake.syn_ack.filter(|seen| seen.frame < suspect.frame)?;
    let scale = scene.handshake.server_window_scale()?;
    let high = (u64::from(answer.window) * u64::from(UNLIKE)) >> scale;
    let to_client = suspect.direction == Direction::ToClient;
    to_client.then_some((0, u16::try_from(high).unwrap_or(u16::MAX).max(1)))
}

/// A window that the server cannot have to offer with an answer, or that it did not offer before. Who
/// builds an answer without having read the handshake does not know by how much windows are scaled.
fn answer_window(scene: &Scene<'_>, suspect: &Sighting, own: &Baseline<'_>) -> Option<Fact> {
    if suspect.is_reset() || suspect.payload_len == 0 || suspect.direction != Direction::ToClient {
        return None;
    }
    let seen = suspect.window;
    let scale = scene.handshake.server_window_scale();
    let bytes = u64::from(seen) << scale.unwrap_or(0);
    let opened = u64::from(scene.handshake.syn_ack?.window);
    let received =
        scene.before(suspect, Direction::ToServer).map(|sent| u64::from(sent.payload_len));
    let full_by_now = opened <= 2 * received.sum::<u64>();
    let (grade, expected) = if (seen == 0 && !full_by_now) || bytes >= WINDOW_HUGE {
        (Grade::Full, format!("a window of about {opened}, as the SYN/ACK offered"))
    } else {
        let (low, high) = own.windows(suspect.frame)?;
        if (low / UNLIKE..=high.saturating_mul(UNLIKE)).contains(&seen) {
            return None;
        }
        (Grade::Half, format!("window {low} to {high} as before"))
    };
    let scaled = scale.filter(|_| seen > 0).map_or(String::new(), |scale| {
        format!(", {bytes} bytes with the scale of {scale} of its handshake")
    });
    Some(odd_window(scene, suspect, (Signal::WindowBreak, grade), (&expected, &scaled)))
}

/// A window unlike what is `expected`; `scaled` says what it comes to.
fn odd_window(
    scene: &Scene<'_>,
    suspect: &Sighting,
    (signal, grade): (Signal, Grade),
    (expected, scaled): (&str, &str),
) -> Fact {
    let seen = suspect.window;
    let words = scene.words(|| {
        let of = if suspect.is_reset() { "a RST of " } else { "" };
        let claimed = scene.claimed(suspect);
        Words {
            expected: expected.to_owned(),
            observed: format!("window {seen}"),
            text: format!(
                "{} offers a window of {seen}{scaled}, where {of}{claimed} has {expected}",
                suspect.frame
            ),
        }
    });
    fact(signal, grade, suspect.frame, words)
}

/// How soon the packet to the client came that a fact of `facts` calls too fast.
pub(super) fn haste_of(scene: &Scene<'_>, facts: &[Fact]) -> Option<Haste> {
    let fast =
        facts.iter().find(|fact| matches!(fact.signal, Signal::RstFast | Signal::DataFast))?;
    // What the handshakes of servers need is no measure of a client's.
    haste(scene, scene.sighting(fast.frame).filter(|seen| seen.direction == Direction::ToClient)?)
}

fn haste(scene: &Scene<'_>, suspect: &Sighting) -> Option<Haste> {
    let needs = scene.quickest_answer()?;
    let asked = scene.provocation(suspect)?;
    let others = scene.before(suspect, Direction::ToServer).map(|seen| (seen, suspect.after(seen)));
    let other = others
        .filter(|(seen, ago)| !seen.is_syn() && seen.frame != asked.frame && *ago <= needs.times(2))
        .map(|(_, ago)| ago)
        .max()
        .filter(|_| !reacts(suspect, asked));
    Some(Haste { took: suspect.after(asked), needs, other })
}

/// Whether `suspect` acknowledges the packet that it can be an answer to.
fn reacts(suspect: &Sighting, asked: &Sighting) -> bool {
    suspect.has_ack() && suspect.ack == asked.seq_end()
}

/// Sooner than the server could have reacted, or not. Only packets to the client can tell: the
/// handshake measured the way from the tap to the server.
pub(super) fn timing(scene: &Scene<'_>, suspect: &Sighting) -> Option<Fact> {
    if suspect.direction != Direction::ToClient {
        return None;
    }
    let asked = scene.provocation(suspect)?;
    let haste = haste(scene, suspect)?;
    let Haste { took, needs: rtt, .. } = haste;
    // What refuses a SYN that is accepted all the same is held against that, if it is not a late
    // answer to a connection before between the same ports: that does not acknowledge this SYN.
    let refuses = asked.is_syn()
        && suspect.is_reset()
        && suspect.has_ack()
        && suspect.ack == asked.seq.plus(1);
    if rtt <= RTT_MIN || (asked.is_syn() && !refuses) {
        return None;
    }
    let fast = took < rtt.over(2);
    if refuses && !fast {
        return None;
    }
    let signal = match (fast, suspect.is_reset()) {
        (false, _) if took.times(4) < rtt.times(3) => return None,
        (false, _) => Signal::TimingMatch,
        (true, true) if scene.lost_track(suspect).is_some() => return None,
        (true, true) => Signal::RstFast,
        (true, false) => Signal::DataFast,
    };
    // It must be a reaction: it acknowledges that very packet, or there is nothing else that the
    // server could have reacted to.
    let alone = fast && haste.is_alone(rtt);
    let full = (reacts(suspect, asked) || alone) && !refuses;
    let grade = if full { Grade::Full } else { Grade::Half };
    let words = scene.words(|| {
        let claimed = scene.claimed(suspect);
        let text = if fast {
            let kind = match suspect.payload_len {
                1.. if !suspect.is_reset() => "an answer".to_owned(),
                _ => suspect.flags.to_string(),
            };
            format!(
                "{} ({kind}) claims to come from {claimed} but arrived {took} after {}; the server needs {rtt}",
                suspect.frame, asked.frame
            )
        } else {
            let how = if took < rtt { "not much" } else { "no" };
            format!(
                "{} came {took} after {}, {how} sooner than the server, which needs {rtt}",
                suspect.frame, asked.frame
            )
        };
        Words { expected: format!("{rtt} or more"), observed: took.to_string(), text }
    });
    Some(fact(signal, grade, suspect.frame, words))
}

/// A RST without acknowledgment in the client's name, too soon to come from there. Such a RST has the
/// number that the packet acknowledges which it refuses (RFC 9293 §3.10.7.1), and beside the server all
/// is seen that it can refuse. Programs that give up a connection on their own account are left.
fn unasked(scene: &Scene<'_>, suspect: &Sighting) -> Option<Fact> {
    let to_server = suspect.direction == Direction::ToServer && scene.is_near_server();
    if !to_server || !suspect.is_reset() || suspect.has_ack() {
        return None;
    }
    let rtt = scene.handshake.client_rtt()?;
    let refused = |seen: &&Sighting| seen.has_ack() && seen.ack == suspect.seq && !seen.is_reset();
    let asked = scene.before(suspect, Direction::ToClient).filter(refused).last()?;
    let took = suspect.after(asked);
    if took >= rtt.over(2) {
        return None;
    }
    let words = scene.words(|| Words {
        expected: format!("{rtt} or more"),
        observed: took.to_string(),
        text: format!(
            "{} refuses in the client's name what {} was the first to acknowledge, {took} after it; the client needs {rtt}",
            suspect.frame, asked.frame
        ),
    });
    Some(fact(Signal::RstFast, Grade::Half, suspect.frame, words))
}

/// Hops by which a packet is well this side of its stated sender.
const NEARER_MIN: u8 = 5;
/// Identifications that a packet may have been overtaken by.
const OVERTAKEN: u16 = 32;
/// No server offers as much with its first answers.
const WINDOW_HUGE: u64 = 16 << 20;
/// Windows of one receiver do not differ so many times from one packet to the next.
const UNLIKE: u16 = 8;
/// Below this round trip, the clock and the tap's own delay tell nothing.
const RTT_MIN: Duration = Duration::from_millis(4);

#[cfg(test)]
mod tests;
