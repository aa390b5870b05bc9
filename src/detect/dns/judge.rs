//! One exchange, judged.

use std::net::IpAddr;

use super::again::{Forgeries, Mark};
use super::content::{Difference, difference};
use super::exchange::{Exchange, Reply};
use super::habit::Habits;
use super::ledger::Saying;
use super::quarrel::{Case, Quarrel};
use super::split::Split;
use super::{device, impossible, marks};
use crate::detect::fingerprint::FingerprintSet;
use crate::detect::scene::{Words, fact};
use crate::evidence::{Fact, Grade, Kind, Signal, Suspicion};
use crate::wire::{Direction, FrameId};

/// What in an exchange with the resolver `server` speaks for forgery; `None` where nothing does that
/// could stand. `known` are the addresses that other exchanges show to be false.
pub fn judge(
    exchange: &Exchange,
    server: IpAddr,
    habits: &Habits,
    (list, known): (&FingerprintSet, &Forgeries),
) -> Option<Suspicion> {
    let split = habits.split(server, exchange);
    // Answers that split are two senders': each is held against the other's.
    let all = habits;
    let habits = all.without(server, exchange, list).map(|habit| match split {
        Some(split) => habit.without_ttls(&split.ttls),
        None => habit,
    });
    let case = Case::of(exchange, server, &habits, (list, known))?;
    let quarrel = case.quarrel()?;
    let facts = facts(&case, &quarrel, split);
    let first = quarrel.forged.first()?;
    let home = case.uncontested.home().map(|home| home.ttl);
    let is_true = || {
        home.is_some_and(|home| {
            !marks::is_near(first, home) && all.says_so_itself(server, (exchange, *first), home)
        })
    };
    if !could_stand(&facts) || (!speaks_by_content(&facts) && is_true()) {
        return None;
    }
    Some(Suspicion {
        kind: Kind::Dns,
        time: first.stamp.time,
        trigger: Some(case.query.stamp.frame),
        forged: frames(&quarrel.forged),
        genuine: frames(&quarrel.genuine),
        direction: Some(Direction::ToClient),
        alternatives: alternatives(&case, &quarrel, &facts),
        injector: first.stamp.ip.map(|_| device::portrait(&case, &quarrel)),
        facts,
        until: None,
        block_page: None,
        haste: None,
    })
}

/// A contradiction, a known or impossible answer; or an answer too soon that another program built;
/// or an odd one that came another way, or was built from the question. Marks of the path alone
/// (another TTL, another time) are every anycast resolver's.
fn could_stand(facts: &[Fact]) -> bool {
    let has = |signal, least| has(facts, signal, least);
    has(Signal::DnsConflict, Grade::Half)
        || has(Signal::DnsListed, Grade::Half)
        || has(Signal::DnsBogus, Grade::Full)
        || (has(Signal::DnsFast, Grade::Full)
            && (has(Signal::DnsHeaderBreak, Grade::Half) || has(Signal::IpIdBreak, Grade::Half)))
        || (has(Signal::DnsBogus, Grade::Half) && has(Signal::TtlShift, Grade::Full))
        || (has(Signal::DnsFalseAgain, Grade::Half)
            && (has(Signal::TtlShift, Grade::Half)
                || has(Signal::DnsHeaderBreak, Grade::Half)
                || has(Signal::DnsFast, Grade::Half)))
        || (has(Signal::DnsSplitByName, Grade::Half) && has(Signal::TtlShift, Grade::Full))
        || has(Signal::DnsSenderAgain, Grade::Half)
        || (has(Signal::IpIdMirror, Grade::Full)
            && (has(Signal::TtlShift, Grade::Full) || has(Signal::DnsFast, Grade::Full)))
}

fn has(facts: &[Fact], signal: Signal, least: Grade) -> bool {
    facts.iter().any(|fact| fact.signal == signal && fact.grade >= least)
}

/// Whether what the answer says accuses it. If not, and the resolver says the same itself, it is true,
/// whoever gave it: a cache on the way.
fn speaks_by_content(facts: &[Fact]) -> bool {
    let content = [Signal::DnsConflict, Signal::DnsListed, Signal::DnsBogus];
    facts.iter().any(|fact| content.contains(&fact.signal))
}

fn facts(case: &Case<'_>, quarrel: &Quarrel<'_>, split: Option<&Split>) -> Vec<Fact> {
    let mut plausible = true;
    let mut facts: Vec<Fact> = conflict(case, quarrel).into_iter().collect();
    let forged = || quarrel.forged.iter().copied();
    facts.extend(forged().find_map(|reply| listed(case, reply)));
    let impossible = forged().filter_map(|reply| bogus(case, reply));
    // The strongest; of equals the first.
    facts.extend(impossible.min_by_key(|fact| (std::cmp::Reverse(fact.grade), fact.frame)));
    facts.extend(split.and_then(|split| by_name(case, quarrel, split)));
    facts.extend(forged().find_map(|reply| false_again(case, reply)));
    if let Some(suspect) = quarrel.forged.first() {
        let marks = marks::of(case, suspect, quarrel.genuine.first().copied());
        facts.extend(sender_again(case, suspect, &marks));
        plausible = facts.is_empty();
        facts.extend(marks);
    }
    if plausible {
        for fact in facts.iter_mut().filter(|fact| fact.signal == Signal::IpIdBreak) {
            // Another machine of an anycast address may run another system, too.
            fact.grade = Grade::Half;
        }
    }
    facts
}

/// `dns_conflict`: two answers to one question deny each other.
fn conflict(case: &Case<'_>, quarrel: &Quarrel<'_>) -> Option<Fact> {
    let grade = quarrel.conflict?;
    let one = *quarrel.forged.first()?;
    let denies = |other: &&&Reply| difference(one, other) == Some(Difference::Opposed);
    let other = *quarrel.genuine.first().or_else(|| quarrel.forged.iter().rfind(denies))?;
    let (says, denies) = (told(one), told(other));
    let times = match asked(case, one, other) {
        1 => "asked once".to_owned(),
        times => format!("asked {times} times"),
    };
    let words = Words {
        expected: "one answer to one question".to_owned(),
        observed: format!("{says} and {denies}"),
        text: format!(
            "{} and {} answer one question ({} {}, {times} from one port with id {:#06x}, first in {}) and contradict each other: {says}, and {denies}",
            one.stamp.frame,
            other.stamp.frame,
            case.exchange.name,
            case.exchange.kind,
            case.exchange.id,
            case.query.stamp.frame,
        ),
    };
    Some(fact(Signal::DnsConflict, grade, one.stamp.frame, words))
}

/// `dns_listed`: a list knows the answer.
fn listed(case: &Case<'_>, reply: &Reply) -> Option<Fact> {
    let (record, row) = impossible::listed(reply, case.list)?;
    let sources = case.list.sources();
    let list = sources.get(row.list).map_or("a list", |source| source.name.as_str());
    let words = Words {
        expected: format!("an address of {}", case.exchange.name),
        observed: format!("{record}, known as {}", row.name),
        text: format!(
            "{} answers {} with {record}, which is known as {} ({list})",
            reply.stamp.frame, case.exchange.name, row.name
        ),
    };
    Some(fact(Signal::DnsListed, impossible::grade(row), reply.stamp.frame, words))
}

/// `dns_bogus`: the answer cannot be true.
fn bogus(case: &Case<'_>, reply: &Reply) -> Option<Fact> {
    let (grade, reason) = impossible::reason(case.exchange, reply)?;
    let words = Words {
        expected: format!("an answer that {} can have", case.exchange.name),
        observed: told(reply),
        text: format!("{} cannot be true: {reason}", reply.stamp.frame),
    };
    Some(fact(Signal::DnsBogus, grade, reply.stamp.frame, words))
}

/// `dns_false_again`: another question shows that the address is a false answer.
fn false_again(case: &Case<'_>, reply: &Reply) -> Option<Fact> {
    let (address, witness) = case.known.of(case.exchange, reply)?;
    let words = Words {
        expected: format!("an address of {}", case.exchange.name),
        observed: format!("{address}, a false answer for {}", witness.name),
        text: format!(
            "{} answers {} with {address}, which is {} to be a false answer in {}, for {}",
            reply.stamp.frame,
            case.exchange.name,
            witness.word(),
            witness.frame,
            witness.name
        ),
    };
    Some(fact(Signal::DnsFalseAgain, witness.grade(), reply.stamp.frame, words))
}

/// `dns_sender_again`: the answer comes from where forgeries come from in the resolver's name, and its
/// own answers do not, and has a mark that these have.
fn sender_again(case: &Case<'_>, reply: &Reply, marks: &[Fact]) -> Option<Fact> {
    let has = |signal, least| has(marks, signal, least);
    if !has(Signal::TtlShift, Grade::Full) {
        return None;
    }
    let strange = has(Signal::DnsHeaderBreak, Grade::Half);
    let (mark, witness) = case.known.made(case.exchange, case.server, (reply, strange))?;
    let ttl = reply.stamp.ip?.ttl;
    let mark = match mark {
        Mark::Id(id) => format!("IP-ID {id:#06x}"),
        Mark::Flags(recursion, authority) => {
            format!("RA {}, AA {}", u8::from(recursion), u8::from(authority))
        }
    };
    let words = Words {
        expected: "the make of the resolver's own answers".to_owned(),
        observed: format!("TTL {ttl}, {mark}"),
        text: format!(
            "{} has TTL {ttl} and {mark}, as {} has, which is {} to be forged, for {}",
            reply.stamp.frame,
            witness.frame,
            witness.word(),
            witness.name
        ),
    };
    Some(fact(Signal::DnsSenderAgain, witness.grade(), reply.stamp.frame, words))
}

/// `dns_split_by_name`: these names are answered from nearer, all others from afar.
fn by_name(case: &Case<'_>, quarrel: &Quarrel<'_>, split: &Split) -> Option<Fact> {
    let suspect = *quarrel.forged.first()?;
    let domains = split.sayings.get(&Saying::of(suspect))?;
    let (near, far) = (split.near, split.far);
    let says = told(suspect);
    let words = Words {
        expected: "near and far answers without regard to the name".to_owned(),
        observed: format!(
            "{} questions always answered from nearer, {} always from afar",
            near.questions, far.questions
        ),
        text: format!(
            "of what the resolver {} was asked, {} questions were answered {} times, always from nearer, with {says} for {domains} unrelated domains; {} other questions were answered {} times, always from afar; by chance answers part so with a probability of {}",
            case.server,
            near.questions,
            near.answers,
            far.questions,
            far.answers,
            percent(split.chance),
        ),
    };
    Some(fact(Signal::DnsSplitByName, split.grade(), suspect.stamp.frame, words))
}

/// A small probability, in words.
fn percent(chance: f64) -> String {
    match chance * 100.0 {
        ..0.01 => "less than 0.01 %".to_owned(),
        percent => format!("{percent:.2} %"),
    }
}

/// What an answer says, in a few words.
fn told(reply: &Reply) -> String {
    let mut shown: Vec<String> =
        reply.records.iter().take(RECORDS_SHOWN).map(ToString::to_string).collect();
    match reply.records.len().saturating_sub(RECORDS_SHOWN) {
        0 => {}
        more => shown.push(format!("{more} more")),
    }
    match (reply.rcode, shown.is_empty()) {
        (rcode, true) if reply.is_plain() && rcode.0 == 0 => "no such data".to_owned(),
        (rcode, true) => rcode.to_string(),
        (_, false) => shown.join(", "),
    }
}

fn alternatives(case: &Case<'_>, quarrel: &Quarrel<'_>, facts: &[Fact]) -> Vec<String> {
    let mut open = Vec::new();
    let pair = quarrel.forged.first().zip(quarrel.genuine.first());
    let asked = pair.map_or(1, |(forged, genuine)| asked(case, forged, genuine));
    let conflict = quarrel.conflict.is_some();
    if conflict && asked > 1 {
        open.push(format!(
            "The question was sent {asked} times, and honest answers to each may differ."
        ));
    }
    if conflict && !quarrel.resolved {
        open.push("Nothing in the headers tells which of the answers is the resolver's; the first to come is listed as forged.".to_owned());
    }
    if quarrel.conflict == Some(Grade::Full) && asked == 1 {
        open.push("A second question that the capture lacks, and a name whose addresses rotate between networks.".to_owned());
    }
    if let Some(genuine) = quarrel.genuine.first()
        && let Some((address, witness)) = case.known.of(case.exchange, genuine)
    {
        open.push(format!(
            "{} holds {address}, a false answer for {} in {}: it may be forged as well.",
            genuine.stamp.frame, witness.name, witness.frame
        ));
    }
    let known =
        facts.iter().any(|fact| matches!(fact.signal, Signal::DnsListed | Signal::DnsBogus));
    if known && !conflict {
        open.push("The resolver itself gives this answer, by policy or order; then nothing was put in on the way.".to_owned());
    }
    if facts.iter().any(|fact| fact.signal == Signal::DnsSplitByName) {
        open.push("A gateway or filter of the line's own owner, in the path, that answers these names by his policy: then the block is his.".to_owned());
    } else if !known && !conflict {
        open.push("A forwarder nearer to the client that answers some names itself.".to_owned());
    }
    open
}

/// How often the question had been sent when the later of two answers came.
fn asked(case: &Case<'_>, one: &Reply, other: &Reply) -> u32 {
    case.exchange.asked_until(one.stamp.time.max(other.stamp.time))
}

fn frames(replies: &[&Reply]) -> Vec<FrameId> {
    replies.iter().map(|reply| reply.stamp.frame).collect()
}

/// Records of an answer that are told.
const RECORDS_SHOWN: usize = 3;
