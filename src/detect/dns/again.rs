//! What was shown to be false, held against other questions: addresses, and who gave them.
//!
//! Who answers in a resolver's name has one address, or a few, for all names on his list. Where one of
//! his answers is caught, by the true one that came as well, the address is known to be false, and an
//! answer for another name that holds it is false too. Where one of his answers is known to be forged,
//! another one that comes from as far, and that the same program made, is his as well. What gives an
//! address or a sender away must be shown by itself: nothing is learnt from what was only told by this.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::exchange::{Exchange, Reply};
use crate::evidence::{Grade, Suspicion};
use crate::protocol::dns::Data;
use crate::wire::{FrameId, Ttl};

/// What forged answers gave, and of what make they were, with who shows it.
///
/// Bounds: 4,096 addresses and as many makes, the lowest; of each the first two names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Forgeries {
    addresses: BTreeMap<IpAddr, BTreeSet<Witness>>,
    makes: BTreeMap<Make, BTreeSet<Witness>>,
}

/// How somebody answers in a resolver's name: from how far, and with what mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Make {
    server: IpAddr,
    ttl: Ttl,
    mark: Mark,
}

/// What a program writes into each of its answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Mark {
    /// An identification, which no stack gives two packets in a row.
    Id(u16),
    /// RA and AA.
    Flags(bool, bool),
}

/// The forged answer that shows it, and the name asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Witness {
    /// That it is forged is not proven, only likely: such a witness comes last.
    unproven: bool,
    pub(super) frame: FrameId,
    pub(super) name: Box<str>,
}

impl Witness {
    /// How well it shows what it shows.
    pub(super) const fn grade(&self) -> Grade {
        if self.unproven { Grade::Half } else { Grade::Full }
    }

    /// "Proven" or "likely".
    pub(super) const fn word(&self) -> &'static str {
        if self.unproven { "likely" } else { "proven" }
    }
}

impl Forgeries {
    /// A mark of `reply` that a forgery for another name has, which came from as far in the name of the
    /// same resolver; of the flags only where `strange`.
    pub(super) fn made(
        &self,
        exchange: &Exchange,
        server: IpAddr,
        (reply, strange): (&Reply, bool),
    ) -> Option<(Mark, &Witness)> {
        let told = |make: &Make| strange || matches!(make.mark, Mark::Id(_));
        makes(server, reply).filter(told).find_map(|make| {
            let mut witnesses = self.makes.get(&make)?.iter();
            Some((make.mark, witnesses.find(|known| known.name != exchange.name)?))
        })
    }

    /// Adds the forged answers of `exchange` with `server`, which `suspicion` tells: their makes, and
    /// their addresses without those that the other answers have too. It is likely that they are forged,
    /// or `proven`.
    pub fn add(
        &mut self,
        exchange: &Exchange,
        server: IpAddr,
        (suspicion, proven): (&Suspicion, bool),
    ) {
        let is_forged = |reply: &&Reply| suspicion.forged.contains(&reply.stamp.frame);
        let (forged, others): (Vec<&Reply>, Vec<&Reply>) =
            exchange.replies.iter().partition(is_forged);
        let known: BTreeSet<IpAddr> = others.into_iter().flat_map(addresses).collect();
        for reply in forged {
            let (frame, name) = (reply.stamp.frame, exchange.name.clone());
            let witness = Witness { unproven: !proven, frame, name };
            for address in addresses(reply).filter(|address| !known.contains(address)) {
                put(&mut self.addresses, address, witness.clone());
            }
            for make in makes(server, reply) {
                put(&mut self.makes, make, witness.clone());
            }
        }
    }

    /// An address of `reply` that was shown to be false for another name than `exchange` asks for.
    pub(super) fn of(&self, exchange: &Exchange, reply: &Reply) -> Option<(IpAddr, &Witness)> {
        addresses(reply).find_map(|address| {
            let mut witnesses = self.addresses.get(&address)?.iter();
            Some((address, witnesses.find(|known| known.name != exchange.name)?))
        })
    }
}

fn put<K: Ord>(known: &mut BTreeMap<K, BTreeSet<Witness>>, key: K, witness: Witness) {
    let witnesses = known.entry(key).or_default();
    let again = witnesses.iter().find(|known| known.name == witness.name).cloned();
    match again {
        Some(known) if known <= witness => return,
        Some(known) => drop(witnesses.remove(&known)),
        None => {}
    }
    witnesses.insert(witness);
    if witnesses.len() > WITNESSES_MAX {
        witnesses.pop_last();
    }
    if known.len() > KNOWN_MAX {
        known.pop_last();
    }
}

/// The makes that `reply` is of; none in a stream.
fn makes(server: IpAddr, reply: &Reply) -> impl Iterator<Item = Make> {
    let flags = Mark::Flags(reply.flags.recursion_available(), reply.flags.is_authoritative());
    reply.stamp.ip.into_iter().flat_map(move |ip| {
        let id = ip.id.filter(|id| *id != 0).map(Mark::Id);
        let marks = id.into_iter().chain([flags]);
        marks.map(move |mark| Make { server, ttl: ip.ttl, mark })
    })
}

fn addresses(reply: &Reply) -> impl Iterator<Item = IpAddr> {
    reply.records.iter().filter_map(|record| match record.data {
        Data::A(address) => Some(address.into()),
        Data::Aaaa(address) => Some(address.into()),
        _ => None,
    })
}

const KNOWN_MAX: usize = 4_096;
/// One name, and another for the answers to the first.
const WITNESSES_MAX: usize = 2;
