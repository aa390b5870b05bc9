//! What the headers of a suspect answer tell, held against the resolver's habit, or, where it has
//! none, against the answer that is believed.

use super::exchange::Reply;
use super::habit::{is_mirrored, near, sender_of};
use super::quarrel::Case;
use crate::detect::scene::{Words, fact};
use crate::evidence::{Fact, Grade, Signal};
use crate::wire::{Duration, Ttl};

/// All marks of `suspect`; `believed` is the answer that is held to be the resolver's.
pub(super) fn of(case: &Case<'_>, suspect: &Reply, believed: Option<&Reply>) -> Vec<Fact> {
    [
        ttl(case, suspect, believed),
        sender(case, suspect, believed),
        mirror(case, suspect),
        header(case, suspect, believed),
        too_soon(case, suspect, believed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A TTL that the resolver's other answers have not, or that they have.
fn ttl(case: &Case<'_>, suspect: &Reply, believed: Option<&Reply>) -> Option<Fact> {
    let seen = suspect.stamp.ip?.ttl;
    let home = case.habit.home();
    let answered = believed.and_then(|reply| reply.stamp.ip).map(|ip| ip.ttl);
    let usual = home.map(|home| home.ttl).or(answered)?;
    let others = home.map_or(0, |home| home.answers);
    // A second route, or a second place behind one address, is no mark; but who only ever comes before
    // or behind another answer, and contradicts it, is neither.
    let alone = case.uncontested.home().is_some() && case.uncontested.with_ttl(seen) == 0;
    let has_company =
        case.habit.with_ttl(seen).saturating_mul(4) > others && home.is_some() && !alone;
    let signal = match seen.0.abs_diff(usual.0) {
        0 => Signal::TtlMatch,
        1..=2 => return None,
        _ if has_company => return None,
        // It does not tell the two answers apart.
        _ if answered.is_some_and(|answered| answered.0.abs_diff(seen.0) <= 2) => return None,
        _ => Signal::TtlShift,
    };
    let whose = match others {
        0 => "its other answer to the same question".to_owned(),
        1 => "its other answer".to_owned(),
        n => format!("{n} other answers"),
    };
    let words = Words {
        expected: format!("TTL {usual}"),
        observed: format!("TTL {seen}"),
        text: format!(
            "{} has TTL {seen}; {whose} from the resolver {} had {usual}",
            suspect.stamp.frame, case.server
        ),
    };
    Some(fact(signal, grade(others), suspect.stamp.frame, words))
}

/// Whether `reply` came from about as far as `home` tells, or in a stream.
pub(super) fn is_near(reply: &Reply, home: Ttl) -> bool {
    reply.stamp.ip.is_none_or(|ip| near(home).contains(&ip.ttl.0))
}

/// DF and an identification where the resolver has none, or the other way round.
fn sender(case: &Case<'_>, suspect: &Reply, believed: Option<&Reply>) -> Option<Fact> {
    let seen = sender_of(suspect)?;
    let habit = case.habit.usual_sender();
    let usual = habit.or_else(|| sender_of(believed?))?;
    if seen == usual {
        return None;
    }
    let told = |(whole, numbered): (bool, bool)| {
        format!(
            "{} DF, {}",
            if whole { "with" } else { "without" },
            if numbered { "an IP-ID" } else { "IP-ID 0" }
        )
    };
    let words = Words {
        expected: told(usual),
        observed: told(seen),
        text: format!(
            "{} came {}, the resolver's other answers {}",
            suspect.stamp.frame,
            told(seen),
            told(usual)
        ),
    };
    let grade = if habit.is_some() { Grade::Full } else { Grade::Half };
    Some(fact(Signal::IpIdBreak, grade, suspect.stamp.frame, words))
}

/// The question's own IP identification, as who turns the packet round in place leaves it there. A
/// resolver that answers so does it always.
fn mirror(case: &Case<'_>, suspect: &Reply) -> Option<Fact> {
    let (others, mirrored) = case.uncontested.mirrored();
    if !is_mirrored(case.query, suspect)? || mirrored > 0 {
        return None;
    }
    let id = suspect.stamp.ip?.id?;
    let words = Words {
        expected: "an identification of the resolver's own".to_owned(),
        observed: format!("IP-ID {id:#06x}"),
        text: format!(
            "{} carries IP-ID {id:#06x}, copied from the question in {}; none of {others} other answers from the resolver {} does that",
            suspect.stamp.frame, case.query.stamp.frame, case.server
        ),
    };
    Some(fact(Signal::IpIdMirror, grade(others), suspect.stamp.frame, words))
}

/// RA, AA or EDNS otherwise than usual.
fn header(case: &Case<'_>, suspect: &Reply, believed: Option<&Reply>) -> Option<Fact> {
    if !suspect.is_plain() {
        return None;
    }
    let edns = case.habit.usual_edns().map(|usual| (usual, Grade::Full));
    // Where the resolver's own answers differ, the one that is believed shows no habit.
    let believed = believed.filter(|_| !case.habit.is_mixed());
    let edns = edns.or_else(|| Some((believed?.edns, Grade::Half)));
    let flags = suspect.flags;
    let recursion = case.habit.usual_recursion().map(|usual| (usual, Grade::Full));
    let recursion =
        recursion.or_else(|| Some((believed?.flags.recursion_available(), Grade::Half)));
    // A forwarder answers with authority for the few names that it knows itself.
    let authority = case.habit.usual_authority().map(|usual| (usual, Grade::Half));
    let breaks = [
        edns.filter(|(usual, _)| case.query.edns && *usual && !suspect.edns)
            .map(|(_, grade)| (grade, "EDNS, as asked for", "no EDNS")),
        recursion.filter(|(usual, _)| *usual != flags.recursion_available()).map(
            |(usual, grade)| {
                if usual {
                    (grade, "RA set", "RA not set")
                } else {
                    (grade, "RA not set", "RA set")
                }
            },
        ),
        authority
            .filter(|(usual, _)| !*usual && flags.is_authoritative())
            .map(|(_, grade)| (grade, "AA not set", "AA set")),
    ];
    let broken: Vec<_> = breaks.into_iter().flatten().collect();
    let grade = broken.iter().map(|(grade, ..)| *grade).max()?;
    let list = |of: fn(&(Grade, &'static str, &'static str)) -> &'static str| {
        broken.iter().map(of).collect::<Vec<_>>().join(", ")
    };
    let (expected, observed) = (list(|(_, expected, _)| expected), list(|(.., seen)| seen));
    let text = format!(
        "{} has {observed}; the resolver {} otherwise answers with {expected}",
        suspect.stamp.frame, case.server
    );
    let words = Words { expected, observed, text };
    Some(fact(Signal::DnsHeaderBreak, grade, suspect.stamp.frame, words))
}

/// Sooner than the resolver ever answers.
fn too_soon(case: &Case<'_>, suspect: &Reply, believed: Option<&Reply>) -> Option<Fact> {
    let took = case.exchange.took(suspect)?;
    let home = case.habit.home();
    let usual = home.and_then(|home| Some((home.quickest?, grade(home.answers))));
    let (usual, grade) = usual.or_else(|| Some((case.exchange.took(believed?)?, Grade::Half)))?;
    if usual < QUICKEST_MIN || took.times(2) >= usual {
        return None;
    }
    let words = Words {
        expected: format!("{usual} or more"),
        observed: took.to_string(),
        text: format!(
            "{} came {took} after the question; the resolver {} needs {usual}",
            suspect.stamp.frame, case.server
        ),
    };
    Some(fact(Signal::DnsFast, grade, suspect.stamp.frame, words))
}

/// Three answers make a habit.
const fn grade(answers: u32) -> Grade {
    if answers >= 3 { Grade::Full } else { Grade::Half }
}

/// Below this the clock and the tap's own delay tell nothing.
pub(super) const QUICKEST_MIN: Duration = Duration::from_millis(4);
