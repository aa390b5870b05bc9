//! Which questions each resolver was asked, and from how far each answer came.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::content::{addresses, ends};
use super::exchange::{Exchange, Reply};
use super::impossible::{is_local, is_private_name};
use crate::protocol::dns::Rcode;
use crate::wire::{Direction, Duration, FrameId, Least, Timestamp, mapped_octets, stable_hash};

/// The questions that resolvers were asked.
///
/// Bounds: [`Ledger::QUESTIONS_MAX`] questions, and of each the first [`Asked::FIRST_MAX`] answers
/// with their times. Beyond, the questions with the greatest hash are given up; one that is left at
/// the end was among the smallest all along, so its counts are whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ledger {
    questions: Least<Key, Asked>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::with_room(Self::QUESTIONS_MAX)
    }
}

/// Hash, resolver, name, type.
type Key = (u64, IpAddr, Box<str>, u16);

/// How one question was answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Asked {
    /// All answers by TTL, in order.
    pub(super) ttls: Vec<(u8, u32)>,
    /// The first of them, in order.
    pub(super) first: Vec<Sighting>,
}

/// One answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Sighting {
    /// When it was asked for.
    pub(super) asked: Timestamp,
    /// Its frame.
    pub(super) frame: FrameId,
    pub(super) client: IpAddr,
    pub(super) ttl: u8,
    pub(super) took: Option<Duration>,
    pub(super) saying: Saying,
}

/// What an answer says, as far as it is to be found again in the answers for other names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Saying {
    /// That there is no such data, or not all of it.
    Nothing,
    /// An address of the client's own network, where routers and portals live.
    Local,
    /// That the name does not exist, or that it will not be looked up.
    Denied(Rcode),
    /// Addresses, or without any the end of a chain of aliases, as a hash.
    Data(u64),
}

impl Saying {
    pub(super) fn of(reply: &Reply) -> Self {
        if reply.rcode != Rcode::NO_ERROR {
            return Self::Denied(reply.rcode);
        }
        let mut given: Vec<IpAddr> = addresses(reply).collect();
        given.sort_unstable();
        given.dedup();
        match given.as_slice() {
            _ if reply.flags.is_truncated() => Self::Nothing,
            [] => ends(reply).map_or(Self::Nothing, |end| Self::Data(stable_hash(end.bytes()))),
            all if all.iter().any(|address| is_local(*address)) => Self::Local,
            all => Self::Data(stable_hash(all.iter().copied().flat_map(mapped_octets))),
        }
    }
}

impl Ledger {
    /// Questions kept.
    pub(super) const QUESTIONS_MAX: usize = 16_384;
    /// What a question takes with its first answers, in bytes.
    const QUESTION_BYTES: usize = 800;

    /// A ledger of at most `questions` questions.
    pub(super) const fn with_room(questions: usize) -> Self {
        Self { questions: Least::with_room(questions) }
    }

    /// Whether there was no room for all.
    pub(super) const fn is_full(&self) -> bool {
        self.questions.is_full()
    }

    /// Bytes held, at most.
    pub(super) fn memory(&self) -> usize {
        self.questions.len() * Self::QUESTION_BYTES
    }

    /// Adds an exchange of `client` with the resolver `server`, of which the answers do not deny each
    /// other. Names that are no public ones are left out: who is nearer answers them by right.
    pub(super) fn add(&mut self, [client, server]: [IpAddr; 2], exchange: &Exchange) {
        let hash = hash(server, exchange);
        if self.questions.is_beyond(|(from, ..)| *from < hash) {
            return;
        }
        if is_private_name(&exchange.name) {
            return;
        }
        let Some(sighting) = sighting(client, exchange) else { return };
        let key = (hash, server, exchange.name.to_ascii_lowercase().into(), exchange.kind.0);
        self.questions.change(key, |asked| {
            asked.count(sighting.ttl, 1);
            asked.keep(sighting);
        });
    }

    /// How the question of `exchange` with `server` was answered, if that is kept.
    pub(super) fn asked(&self, server: IpAddr, exchange: &Exchange) -> Option<&Asked> {
        let name = exchange.name.to_ascii_lowercase().into();
        self.questions.get(&(hash(server, exchange), server, name, exchange.kind.0))
    }

    /// Adds what `other` has of other exchanges; there is then as much room as the larger one has.
    pub(super) fn merge(&mut self, other: Self) {
        self.questions.merge(other.questions, |asked, more| {
            for (ttl, count) in more.ttls {
                asked.count(ttl, count);
            }
            for sighting in more.first {
                asked.keep(sighting);
            }
        });
    }

    /// The questions by resolver: name, type, answers.
    pub(super) fn by_resolver(&self) -> BTreeMap<IpAddr, Vec<(&str, u16, &Asked)>> {
        let mut resolvers: BTreeMap<IpAddr, Vec<(&str, u16, &Asked)>> = BTreeMap::new();
        for ((_, server, name, kind), asked) in &self.questions {
            resolvers.entry(*server).or_default().push((name, *kind, asked));
        }
        resolvers
    }
}

impl Asked {
    /// Answers kept with their times.
    pub(super) const FIRST_MAX: usize = 8;

    fn count(&mut self, ttl: u8, more: u32) {
        if let Some((_, count)) = self.ttls.iter_mut().find(|(of, _)| *of == ttl) {
            *count = count.saturating_add(more);
            return;
        }
        let place = self.ttls.partition_point(|(of, _)| *of < ttl);
        self.ttls.reserve_exact(1);
        self.ttls.insert(place, (ttl, more));
    }

    fn keep(&mut self, sighting: Sighting) {
        let place = self.first.partition_point(|earlier| *earlier < sighting);
        if place >= Self::FIRST_MAX {
            return;
        }
        self.first.truncate(Self::FIRST_MAX - 1);
        if self.first.is_empty() {
            self.first.reserve_exact(1);
        }
        self.first.insert(place, sighting);
    }
}

/// Which questions are given up once there are more than fit.
fn hash(server: IpAddr, exchange: &Exchange) -> u64 {
    let bytes = mapped_octets(server).into_iter().chain(exchange.kind.0.to_be_bytes());
    stable_hash(bytes.chain(exchange.name.bytes().map(|byte| byte.to_ascii_lowercase())))
}

/// The answer that the exchange adds: the last one, because who forges beside the path must be first.
fn sighting(client: IpAddr, exchange: &Exchange) -> Option<Sighting> {
    let query = exchange.query.as_ref().filter(|query| query.way == Direction::ToServer)?;
    let reply = last(exchange)?;
    Some(Sighting {
        asked: query.stamp.time,
        frame: reply.stamp.frame,
        client,
        ttl: reply.stamp.ip?.ttl.0,
        took: exchange.took(reply),
        saying: Saying::of(reply),
    })
}

/// The answer that counts for its resolver.
pub(super) fn last(exchange: &Exchange) -> Option<&Reply> {
    exchange.replies.iter().rfind(|reply| !reply.double)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(number: u64) -> Sighting {
        Sighting {
            asked: Timestamp::from_nanos(number as i64),
            frame: FrameId::new(0, number),
            client: IpAddr::from([198, 51, 100, 10]),
            ttl: 53,
            took: None,
            saying: Saying::Nothing,
        }
    }

    fn ledger(numbers: impl Iterator<Item = u64>) -> Ledger {
        let mut ledger = Ledger::default();
        for number in numbers {
            // Fewer names than answers, more names than fit.
            let name: Box<str> = format!("n{}.example", number % 40_000).into();
            let hash = stable_hash(name.bytes());
            ledger.questions.change((hash, IpAddr::from([0; 4]), name, 1), |asked| {
                asked.count(53 + (number % 3) as u8, 1);
                asked.keep(sighting(number));
            });
        }
        ledger
    }

    #[test]
    fn bounded_and_the_same_in_any_order() {
        let whole = ledger(0..90_000);
        assert_eq!(whole.questions.len(), Ledger::QUESTIONS_MAX);
        let mut parts = ledger((45_000..90_000).rev());
        parts.merge(ledger(0..45_000));
        assert_eq!(whole, parts);
        let mut asked = Asked::default();
        for number in (0..20).rev() {
            asked.keep(sighting(number));
        }
        let kept: Vec<u64> = asked.first.iter().map(|one| one.frame.number()).collect();
        assert_eq!(kept, (0..Asked::FIRST_MAX as u64).collect::<Vec<_>>());
    }
}
