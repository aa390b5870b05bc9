//! Which of several answers to one question to believe.

use super::again::Forgeries;
use super::content::{Difference, difference};
use super::exchange::{Exchange, Query, Reply};
use super::habit::{Habit, sender_of};
use super::{impossible, marks};
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::{Grade, Signal};
use crate::wire::{Direction, Duration, Timestamp};
use std::net::IpAddr;

/// An exchange with all that it is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) query: &'a Query,
    /// The resolver.
    pub(super) server: IpAddr,
    /// How it usually answers; this exchange left out.
    pub(super) habit: &'a Habit,
    /// The same, learnt only where nothing is contested.
    pub(super) uncontested: &'a Habit,
    pub(super) list: &'a FingerprintSet,
    /// What other exchanges show to be forged.
    pub(super) known: &'a Forgeries,
}

/// The answers, told apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Quarrel<'a> {
    /// Those held to be forged, in order.
    pub(super) forged: Vec<&'a Reply>,
    /// Those held to be the resolver's.
    pub(super) genuine: Vec<&'a Reply>,
    /// How well it is shown that they contradict each other; none where they do not, or where the
    /// client asked so often that honest answers may.
    pub(super) conflict: Option<Grade>,
    /// Something but the order tells which are forged.
    pub(super) resolved: bool,
}

/// Answers that say the same.
#[derive(Clone, Debug)]
struct Party<'a> {
    replies: Vec<&'a Reply>,
    /// How much speaks against the first of them, see [`Case::score`].
    score: u32,
    /// It is listed, or cannot be true.
    certain: bool,
}

impl<'a> Case<'a> {
    /// Tells the answers apart; `None` where nothing speaks against any of them.
    pub(super) fn quarrel(&self) -> Option<Quarrel<'a>> {
        let parties = self.parties();
        match parties.as_slice() {
            [] => None,
            [only] => (only.score > 0).then(|| Quarrel {
                forged: only.replies.clone(),
                resolved: true,
                ..Quarrel::default()
            }),
            _ => self.among(&parties),
        }
    }

    /// The answers grouped by what they say, in order. Answers that were cut to fit are left out,
    /// and those that come long after the first.
    fn parties(&self) -> Vec<Party<'a>> {
        let mut parties: Vec<Party<'a>> = Vec::new();
        let replies = &self.exchange.replies;
        let first = replies.first().map(|reply| reply.stamp.time).unwrap_or_default();
        for reply in replies.iter().filter(|reply| !reply.flags.is_truncated()) {
            if reply.stamp.time.since(first) > CONFLICT_WINDOW {
                continue;
            }
            let says_the_same = |party: &&mut Party<'a>| {
                party.replies.first().is_some_and(|one| difference(one, reply).is_none())
            };
            match parties.iter_mut().find(says_the_same) {
                Some(party) => party.replies.push(reply),
                None => parties.push(self.party(reply)),
            }
        }
        parties
    }

    fn party(&self, reply: &'a Reply) -> Party<'a> {
        let reason = impossible::reason(self.exchange, reply);
        let certain = impossible::listed(reply, self.list).is_some()
            || matches!(reason, Some((Grade::Full, _)));
        Party { replies: vec![reply], score: self.score(reply), certain }
    }

    /// How much speaks against `reply`, to rank it among the others.
    fn score(&self, reply: &Reply) -> u32 {
        let listed = if impossible::listed(reply, self.list).is_some() { 16 } else { 0 };
        let impossible = match impossible::reason(self.exchange, reply) {
            Some((Grade::Half, _)) => 1,
            Some(_) => 10,
            None => 0,
        };
        // Of one of several programs behind the resolver, at its distance, that is no mark beside an
        // answer from elsewhere.
        let bears_it =
            |other: &&Reply| other.edns && (!self.is_from_home(reply) || self.is_from_home(other));
        let lacks_edns = self.query.edns
            && !reply.edns
            && self.exchange.replies.iter().any(|other| bears_it(&other));
        let marks: u32 = marks::of(self, reply, None)
            .iter()
            .map(|fact| match fact.signal {
                Signal::DnsFast => 4,
                Signal::TtlShift | Signal::DnsHeaderBreak => 3,
                Signal::IpIdBreak | Signal::IpIdMirror => 2,
                _ => 0,
            })
            .sum();
        listed + impossible + marks + if lacks_edns { 4 } else { 0 }
    }

    /// Whether the TTL is the one that three or more other answers of the resolver have.
    fn is_from_home(&self, reply: &Reply) -> bool {
        let home = self.habit.home().filter(|home| home.answers >= 3);
        home.zip(reply.stamp.ip).is_some_and(|(home, ip)| home.ttl.0.abs_diff(ip.ttl.0) <= 2)
    }

    fn among(&self, parties: &[Party<'a>]) -> Option<Quarrel<'a>> {
        // Who forges must be first: of answers against which nothing speaks the last is believed.
        let believed = parties.iter().rev().min_by_key(|party| party.score)?;
        if believed.certain || self.is_foreign(believed) {
            return Some(self.all_forged(parties));
        }
        let contradicts = |party: &&Party<'a>| {
            party.certain || party.difference(believed) == Some(Difference::Opposed)
        };
        let accused: Vec<&Party<'a>> = parties.iter().filter(contradicts).collect();
        let first = accused
            .iter()
            .filter_map(|party| party.replies.first())
            .min_by_key(|reply| reply.stamp.frame)?;
        let genuine = *believed.replies.first()?;
        let resolved = accused.iter().all(|party| party.score > believed.score)
            || self.is_far_sooner(first, genuine);
        let two_senders = accused.iter().all(|party| {
            party.replies.first().is_some_and(|reply| self.are_two_senders(reply, genuine))
        });
        let apart = genuine.stamp.time.distance(first.stamp.time);
        let later = genuine.stamp.time.max(first.stamp.time);
        let asked = self.exchange.asked_until(later) as usize;
        let conflict = match answered_until(parties, later) > asked {
            true if asked == 1 && resolved && two_senders && apart <= PROOF_WINDOW => {
                Some(Grade::Proof)
            }
            true => Some(Grade::Full),
            // Each question may have had an answer of its own, so something else must accuse.
            false => resolved.then_some(Grade::Half),
        };
        let mut forged: Vec<&Reply> =
            accused.iter().flat_map(|party| &party.replies).copied().collect();
        forged.sort_by_key(|reply| reply.stamp.frame);
        Some(Quarrel { forged, genuine: believed.replies.clone(), conflict, resolved })
    }

    /// Whether not even the answer that is believed before the others can be the resolver's: it came
    /// sooner than that ever answers, and another way or from another program, or with an address that is
    /// known to be false. (Sooner alone is what it has in its cache.)
    fn is_foreign(&self, party: &Party<'_>) -> bool {
        let held = Self { habit: self.uncontested, ..*self };
        let marks = party.replies.first().map(|reply| marks::of(&held, reply, None));
        let marks = marks.unwrap_or_default();
        let full =
            |signal| marks.iter().any(|fact| fact.signal == signal && fact.grade == Grade::Full);
        let elsewhere =
            [Signal::TtlShift, Signal::DnsHeaderBreak, Signal::IpIdBreak, Signal::IpIdMirror];
        full(Signal::DnsFast) && (elsewhere.into_iter().any(full) || self.is_known(party))
    }

    /// Whether its address is known to be false for another name.
    fn is_known(&self, party: &Party<'_>) -> bool {
        party.replies.first().is_some_and(|reply| self.known.of(self.exchange, reply).is_some())
    }

    /// No answer is the resolver's: the true one was swallowed, or is lost.
    fn all_forged(&self, parties: &[Party<'a>]) -> Quarrel<'a> {
        let mut forged: Vec<&Reply> =
            parties.iter().flat_map(|party| &party.replies).copied().collect();
        forged.sort_by_key(|reply| reply.stamp.frame);
        let last = forged.last().map(|reply| reply.stamp.time).unwrap_or_default();
        let asked = self.exchange.asked_until(last) as usize;
        let pairs = parties.iter().enumerate().flat_map(|(place, party)| {
            parties.iter().skip(place + 1).map(move |other| (party, other))
        });
        let opposed = pairs
            .filter(|(party, other)| party.difference(other) == Some(Difference::Opposed))
            .filter_map(|(party, other)| Some((*party.replies.first()?, *other.replies.first()?)));
        let proof = |(one, other): (&Reply, &Reply)| {
            let apart = one.stamp.time.distance(other.stamp.time);
            asked == 1 && self.are_two_senders(one, other) && apart <= PROOF_WINDOW
        };
        let conflict = opposed
            .map(|pair| if proof(pair) { Grade::Proof } else { Grade::Full })
            .max()
            .filter(|_| parties.len() > asked);
        Quarrel { forged, genuine: Vec::new(), conflict, resolved: true }
    }

    /// Whether the headers of two answers are those of two programs, or of two places, and not of two
    /// that answer behind one address anyway.
    fn are_two_senders(&self, one: &Reply, other: &Reply) -> bool {
        let (Some(here), Some(there)) = (one.stamp.ip, other.stamp.ip) else { return false };
        let mixed = self.habit.is_mixed();
        let far = here.ttl.0.abs_diff(there.ttl.0) > 2;
        (far && !self.habit.has_both(here.ttl, there.ttl))
            || sender_of(one).zip(sender_of(other)).is_some_and(|(one, other)| one != other)
            || (!mixed && one.flags.recursion_available() != other.flags.recursion_available())
            || (!mixed && self.query.edns && one.edns != other.edns)
    }

    fn is_far_sooner(&self, suspect: &Reply, genuine: &Reply) -> bool {
        let took = self.exchange.took(suspect).zip(self.exchange.took(genuine));
        took.is_some_and(|(suspect, genuine)| {
            genuine >= marks::QUICKEST_MIN && suspect.times(2) < genuine
        })
    }
}

impl Party<'_> {
    fn difference(&self, other: &Self) -> Option<Difference> {
        difference(self.replies.first()?, other.replies.first()?)
    }
}

impl<'a> Case<'a> {
    /// The case of an exchange whose question went to the server.
    pub(super) fn of(
        exchange: &'a Exchange,
        server: IpAddr,
        [habit, uncontested]: &'a [Habit; 2],
        (list, known): (&'a FingerprintSet, &'a Forgeries),
    ) -> Option<Self> {
        let query = exchange.query.as_ref().filter(|query| query.way == Direction::ToServer)?;
        Some(Self { exchange, query, server, habit, uncontested, list, known })
    }
}

/// How many different answers had come until `time`.
fn answered_until(parties: &[Party<'_>], time: Timestamp) -> usize {
    let came =
        |party: &&Party<'_>| party.replies.first().is_some_and(|reply| reply.stamp.time <= time);
    parties.iter().filter(came).count()
}

/// How long after the first answer others are held against it.
const CONFLICT_WINDOW: Duration = Duration::from_secs(5);
/// Within this time no client has asked again unseen.
const PROOF_WINDOW: Duration = Duration::from_secs(1);
