//! How each resolver usually answers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use smallvec::SmallVec;

use super::content::is_contested;
use super::exchange::{Exchange, Query, Reply};
use super::impossible;
use super::ledger::{Ledger, Saying, last};
use super::pairs::Pairs;
use super::split::{self, Split};
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::Grade;
use crate::wire::{Direction, Duration, Least, Ttl, mapped_octets, stable_hash};

/// How each resolver of the recording usually answers: sums, so that the order in which exchanges
/// are added does not matter, and one exchange can be taken out again to be held against the rest.
///
/// Bounds: [`Habits::RESOLVERS_MAX`] resolvers. Beyond, those with the greatest hash are given up;
/// one that is left at the end was among the smallest all along, so its sums are whole.
#[derive(Debug)]
pub struct Habits {
    /// From questions with one answer, and from those with several that deny each other.
    resolvers: Least<(u64, IpAddr), [Habit; 2]>,
    ledger: Ledger,
    /// Of the resolvers that show one, see [`Habits::settle`].
    splits: BTreeMap<IpAddr, Split>,
}

impl Default for Habits {
    fn default() -> Self {
        Self::with_room(Self::RESOLVERS_MAX, Self::QUESTIONS_MAX)
    }
}

/// How an answer looks; the greater, the rarer its flags are for a resolver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Look {
    /// EDNS was asked for and is missing.
    lacks_edns: bool,
    /// RA is not set.
    no_recursion: bool,
    /// AA is set.
    authority: bool,
    /// It is an answer, or that there is none, and no failure.
    plain: bool,
    /// The way that it came.
    ttl: u8,
}

impl Look {
    fn of(sample: Sample, reply: &Reply) -> Self {
        let Sample { ttl, flags: (recursion, authority), edns, .. } = sample;
        let (lacks_edns, plain) = (edns == Some(false), reply.is_plain());
        Self { lacks_edns, no_recursion: !recursion, authority, plain, ttl }
    }

    /// The flags alone; none of a failure, which shows no habit.
    pub fn flags(self) -> Option<[bool; 3]> {
        self.plain.then_some([self.lacks_edns, self.no_recursion, self.authority])
    }
}

/// The answer that counts for its resolver: the last one, because who forges must be first, unless it is known to be false or cannot be true; without a `list`, that is not asked.
fn counted<'a>(
    exchange: &'a Exchange,
    list: Option<&FingerprintSet>,
) -> Option<(&'a Query, &'a Reply)> {
    let query = exchange.query.as_ref().filter(|query| query.way == Direction::ToServer)?;
    let reply = last(exchange)?;
    let is_false = |list: &FingerprintSet| {
        matches!(impossible::reason(exchange, reply), Some((Grade::Full, _)))
            || impossible::listed(reply, list).is_some()
    };
    (!list.is_some_and(is_false)).then_some((query, reply))
}

/// How one resolver usually answers, by the TTLs of its answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Habit(BTreeMap<u8, Way>);

/// The answers of one TTL.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Way {
    answers: u32,
    /// By how long they took, in steps of [`step_of`].
    times: BTreeMap<u8, u32>,
    /// Answers by flags: RA, AA.
    flags: Pairs,
    /// Answers by DF and by whether there is an identification.
    senders: Pairs,
    /// Answers where the question had EDNS, and those of these that have it too.
    edns: [u32; 2],
    /// Answers where the question had an identification, and those of these that have the same.
    mirrored: [u32; 2],
}

/// The TTL that most answers have, and what goes with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Home {
    pub(super) ttl: Ttl,
    /// Answers with about that TTL.
    pub(super) answers: u32,
    /// What the quickest of them took.
    pub(super) quickest: Option<Duration>,
}

/// What one answer adds to a habit.
#[derive(Clone, Copy, Debug)]
struct Sample {
    ttl: u8,
    time: Option<u8>,
    flags: (bool, bool),
    sender: Option<(bool, bool)>,
    edns: Option<bool>,
    mirrored: Option<bool>,
}

impl Habits {
    /// Resolvers kept.
    pub const RESOLVERS_MAX: usize = 32_768;
    /// Questions kept, of all resolvers.
    pub const QUESTIONS_MAX: usize = Ledger::QUESTIONS_MAX;
    /// What a resolver takes whose answers have a few TTLs, in bytes.
    const RESOLVER_BYTES: usize = 1_500;

    /// The habits of at most so many resolvers, with so many questions.
    pub const fn with_room(resolvers: usize, questions: usize) -> Self {
        Self {
            resolvers: Least::with_room(resolvers),
            ledger: Ledger::with_room(questions),
            splits: BTreeMap::new(),
        }
    }

    /// Whether there was no room for all.
    pub const fn is_full(&self) -> bool {
        self.resolvers.is_full() || self.ledger.is_full()
    }

    /// Bytes held, about.
    pub fn memory(&self) -> usize {
        self.resolvers.len() * Self::RESOLVER_BYTES + self.ledger.memory()
    }

    /// Adds an exchange of `client` with the resolver `server`; the look of the answer by which it is to
    /// be judged. Without a `list`, it is known that none of its answers stands out.
    pub fn add(
        &mut self,
        [client, server]: [IpAddr; 2],
        exchange: &Exchange,
        list: Option<&FingerprintSet>,
    ) -> Option<Look> {
        let is_contested = is_contested(exchange);
        // Answers that deny each other: it is not known which one counts.
        if !is_contested {
            self.ledger.add([client, server], exchange);
        }
        let (query, reply) = counted(exchange, list)?;
        let sample = Sample::read(exchange, query, reply)?;
        if reply.is_plain() {
            self.resolvers.change(place(server), |[plain, contested]| {
                let habit = if is_contested { contested } else { plain };
                habit.count(sample, u32::saturating_add);
            });
        }
        Some(Look::of(sample, reply))
    }

    /// Adds what `other` has learnt from other exchanges; there is then as much room as the larger one
    /// has.
    pub fn merge(&mut self, other: Self) {
        self.ledger.merge(other.ledger);
        self.resolvers.merge(other.resolvers, |habits, more| {
            for (habit, more) in habits.iter_mut().zip(&more) {
                habit.merge(more);
            }
        });
    }

    /// Once all exchanges are added: learns which resolvers' answers split by name.
    pub fn settle(&mut self) {
        self.splits = split::splits(&self.ledger);
    }

    /// Whether the answer of an exchange with `server` is one that its resolver's answers split by.
    pub fn splits(&self, server: IpAddr, exchange: &Exchange) -> bool {
        self.split(server, exchange).is_some()
    }

    /// The split of the answers of `server`, if that of `exchange` came from nearer by it.
    pub(super) fn split(&self, server: IpAddr, exchange: &Exchange) -> Option<&Split> {
        self.splits.get(&server).filter(|split| split.has(exchange))
    }

    /// Whether an answer with about the TTL `home` said the same of the question of `exchange` as
    /// `reply` does.
    pub(super) fn says_so_itself(
        &self,
        server: IpAddr,
        (exchange, reply): (&Exchange, &Reply),
        home: Ttl,
    ) -> bool {
        let (own, saying) = (near(home), Saying::of(reply));
        let asked = self.ledger.asked(server, exchange);
        asked.is_some_and(|asked| {
            asked.first.iter().any(|seen| own.contains(&seen.ttl) && seen.saying == saying)
        })
    }

    /// The habit of `server` as its exchanges but `exchange` show it; and the same without questions
    /// whose answers deny each other: of two injectors the later one would pass for the resolver.
    pub(super) fn without(
        &self,
        server: IpAddr,
        exchange: &Exchange,
        list: &FingerprintSet,
    ) -> [Habit; 2] {
        let known = self.resolvers.get(&place(server)).cloned();
        let [mut plain, mut contested] = known.unwrap_or_default();
        if let Some(sample) = Sample::of(exchange, list) {
            let habit = if is_contested(exchange) { &mut contested } else { &mut plain };
            habit.count(sample, u32::saturating_sub);
        }
        contested.merge(&plain);
        [contested, plain]
    }
}

/// Where a resolver is kept.
fn place(server: IpAddr) -> (u64, IpAddr) {
    (stable_hash(mapped_octets(server)), server)
}

impl Sample {
    /// What the exchange adds to its resolver's habit.
    fn of(exchange: &Exchange, list: &FingerprintSet) -> Option<Self> {
        let (query, reply) = counted(exchange, Some(list))?;
        if !reply.is_plain() {
            return None;
        }
        Self::read(exchange, query, reply)
    }

    fn read(exchange: &Exchange, query: &Query, reply: &Reply) -> Option<Self> {
        let ip = reply.stamp.ip?;
        Some(Self {
            ttl: ip.ttl.0,
            time: exchange.took(reply).map(step_of),
            flags: flags_of(reply),
            sender: sender_of(reply),
            edns: query.edns.then_some(reply.edns),
            mirrored: is_mirrored(query, reply),
        })
    }
}

impl Way {
    fn count(&mut self, sample: Sample, with: fn(u32, u32) -> u32) {
        let step = |count: &mut u32| *count = with(*count, 1);
        step(&mut self.answers);
        step(self.flags.of(sample.flags));
        if let Some(sender) = sample.sender {
            step(self.senders.of(sender));
        }
        if let Some(time) = sample.time {
            step(self.times.entry(time).or_default());
        }
        for (counts, has) in [(&mut self.edns, sample.edns), (&mut self.mirrored, sample.mirrored)]
        {
            let [asked, given] = counts;
            if let Some(has) = has {
                step(asked);
                if has {
                    step(given);
                }
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.answers = self.answers.saturating_add(other.answers);
        for (step, count) in &other.times {
            let sum = self.times.entry(*step).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.flags.merge(other.flags);
        self.senders.merge(other.senders);
        for (sum, count) in self.edns.iter_mut().zip(other.edns) {
            *sum = sum.saturating_add(count);
        }
        for (sum, count) in self.mirrored.iter_mut().zip(other.mirrored) {
            *sum = sum.saturating_add(count);
        }
    }
}

impl Habit {
    fn count(&mut self, sample: Sample, with: fn(u32, u32) -> u32) {
        self.0.entry(sample.ttl).or_default().count(sample, with);
    }

    fn merge(&mut self, other: &Self) {
        for (ttl, way) in &other.0 {
            self.0.entry(*ttl).or_default().merge(way);
        }
    }

    /// What is left of it without the answers whose TTLs lie in `ttls`.
    pub(super) fn without_ttls(mut self, ttls: &RangeInclusive<u8>) -> Self {
        self.0.retain(|ttl, _| !ttls.contains(ttl));
        self
    }

    fn answers(&self) -> u32 {
        self.ways().map(|way| way.answers).fold(0, u32::saturating_add)
    }

    fn ways(&self) -> impl Iterator<Item = &Way> {
        self.0.values()
    }

    /// The TTL that most answers have; of two as frequent the lower, which came the longer way.
    pub(super) fn home(&self) -> Option<Home> {
        let rank = |ttl: u8| (self.with_ttl(Ttl(ttl)), u8::MAX - ttl);
        let ttl = self.0.iter().filter(|(_, way)| way.answers > 0).map(|(ttl, _)| *ttl);
        let ttl = ttl.max_by_key(|ttl| rank(*ttl))?;
        Some(Home {
            ttl: Ttl(ttl),
            answers: self.with_ttl(Ttl(ttl)),
            quickest: self.quickest(Ttl(ttl)),
        })
    }

    /// Answers with about this TTL.
    pub(super) fn with_ttl(&self, ttl: Ttl) -> u32 {
        self.0.range(near(ttl)).map(|(_, way)| way.answers).sum()
    }

    /// Whether answers with either TTL are the resolver's everyday ones: machines behind one address.
    pub(super) fn has_both(&self, one: Ttl, other: Ttl) -> bool {
        let all = self.answers();
        all >= 3 && [one, other].iter().all(|ttl| self.with_ttl(*ttl).saturating_mul(4) >= all)
    }

    /// What the quickest tenth of the answers with about this TTL took at least.
    fn quickest(&self, ttl: Ttl) -> Option<Duration> {
        let mut steps: BTreeMap<u8, u32> = BTreeMap::new();
        for (step, count) in self.0.range(near(ttl)).flat_map(|(_, way)| &way.times) {
            *steps.entry(*step).or_default() += count;
        }
        let tenth = steps.values().sum::<u32>() / 10;
        let mut passed = 0;
        let quick = steps.iter().find(|(_, count)| {
            passed += **count;
            passed > tenth
        });
        quick.map(|(step, _)| shortest_of(*step))
    }

    /// The RA and AA that at least three quarters of three or more answers have.
    pub(super) fn usual_recursion(&self) -> Option<bool> {
        usual(self.flags().map(|((recursion, _), count)| (recursion, count)))
    }

    /// See [`Habit::usual_recursion`].
    pub(super) fn usual_authority(&self) -> Option<bool> {
        usual(self.flags().map(|((_, authority), count)| (authority, count)))
    }

    /// Whether EDNS is usually given where it is asked for.
    pub(super) fn usual_edns(&self) -> Option<bool> {
        let [asked, given] = self.edns();
        usual([(true, given), (false, asked.saturating_sub(given))].into_iter())
    }

    /// Whether several programs seem to answer behind the address: EDNS or RA come and go.
    pub(super) fn is_mixed(&self) -> bool {
        let ([asked, _], flagged) =
            (self.edns(), self.flags().map(|(_, count)| count).sum::<u32>());
        (asked >= 3 && self.usual_edns().is_none())
            || (flagged >= 3 && self.usual_recursion().is_none())
    }

    /// Answers to questions with an identification, and those of these that have the same.
    pub(super) fn mirrored(&self) -> (u32, u32) {
        let sum = |of: fn(&Way) -> u32| self.ways().map(of).fold(0, u32::saturating_add);
        (sum(|way| way.mirrored[0]), sum(|way| way.mirrored[1]))
    }

    /// DF, and whether there is an identification.
    pub(super) fn usual_sender(&self) -> Option<(bool, bool)> {
        usual(self.ways().flat_map(|way| way.senders.counts()))
    }

    /// RA and AA, and how many answers have them.
    fn flags(&self) -> impl Iterator<Item = ((bool, bool), u32)> {
        self.ways().flat_map(|way| way.flags.counts())
    }

    fn edns(&self) -> [u32; 2] {
        let sum = |of: fn(&Way) -> u32| self.ways().map(of).fold(0, u32::saturating_add);
        [sum(|way| way.edns[0]), sum(|way| way.edns[1])]
    }
}

/// RA and AA.
fn flags_of(reply: &Reply) -> (bool, bool) {
    (reply.flags.recursion_available(), reply.flags.is_authoritative())
}

/// Whether the answer has the question's identification; none where that had none.
pub(super) fn is_mirrored(query: &Query, reply: &Reply) -> Option<bool> {
    let asked = query.stamp.ip?.id.filter(|id| *id != 0)?;
    Some(reply.stamp.ip?.id == Some(asked))
}

/// DF, and whether there is an identification. Whoever sends a fragment clears the one and needs the
/// other, whatever its habit.
pub(super) fn sender_of(reply: &Reply) -> Option<(bool, bool)> {
    let ip = reply.stamp.ip.filter(|ip| !ip.reassembled)?;
    Some((ip.dont_fragment, ip.id.is_some_and(|id| id != 0)))
}

fn usual<T: PartialEq + Copy>(counts: impl Iterator<Item = (T, u32)>) -> Option<T> {
    let mut sums: SmallVec<[(T, u32); 4]> = SmallVec::new();
    for (value, count) in counts {
        match sums.iter_mut().find(|(known, _)| *known == value) {
            Some((_, sum)) => *sum += count,
            None => sums.push((value, count)),
        }
    }
    let all: u32 = sums.iter().map(|(_, count)| count).sum();
    let (value, most) = sums.into_iter().max_by_key(|(_, count)| *count)?;
    (all >= 3 && u64::from(most) * 4 >= u64::from(all) * 3).then_some(value)
}

/// Routes change by a hop or two.
pub(super) fn near(ttl: Ttl) -> RangeInclusive<u8> {
    ttl.0.saturating_sub(2)..=ttl.0.saturating_add(2)
}

/// Times in four steps an octave, from 1 µs: fine enough for "half the time".
fn step_of(time: Duration) -> u8 {
    let micros = time.as_micros().max(1);
    let octave = micros.ilog2();
    let quarter = if octave < 2 { 0 } else { micros >> (octave - 2) & 3 };
    (octave * 4) as u8 + quarter as u8
}

/// The shortest time of a step.
fn shortest_of(step: u8) -> Duration {
    Duration::from_micros(
        (4 + u64::from(step % 4)).checked_shl(u32::from(step / 4)).unwrap_or(0) / 4,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_close_below_the_time() {
        for micros in [1_u64, 2, 3, 4, 5, 999, 1_000, 56_000, 5_000_000, u64::MAX / 1000] {
            let shortest = shortest_of(step_of(Duration::from_micros(micros))).as_micros();
            assert!(
                shortest <= micros && micros - shortest <= micros / 4 + 1,
                "{micros} {shortest}"
            );
        }
    }

    #[test]
    fn what_most_do_is_usual() {
        let counts = |yes, no| usual([(true, yes), (false, no)].into_iter());
        assert_eq!(counts(2, 0), None, "two are no habit");
        assert_eq!(
            (counts(3, 0), counts(3, 1), counts(1, 3)),
            (Some(true), Some(true), Some(false))
        );
        assert_eq!((counts(2, 2), counts(0, 0)), (None, None));
    }
}
