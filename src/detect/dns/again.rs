//! Addresses that were shown to be false answers, held against other questions.
//!
//! Who answers in a resolver's name has one address, or a few, for all names on his list. Where one of
//! his answers is caught, by the true one that came as well, the address is known to be false, and an
//! answer for another name that holds it is false too. What gives an address away must be shown by
//! itself: nothing is learnt from what was only told by this.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::exchange::{Exchange, Reply};
use crate::evidence::Suspicion;
use crate::protocol::dns::Data;
use crate::wire::FrameId;

/// Addresses that were given in forged answers, with who shows it.
///
/// Bounds: 4,096 addresses, the lowest; of each the first two names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FalseAddresses(BTreeMap<IpAddr, BTreeSet<Witness>>);

/// The forged answer that shows it, and the name asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Witness {
    pub(super) frame: FrameId,
    pub(super) name: Box<str>,
}

impl FalseAddresses {
    /// Adds the addresses of the forged answers of `exchange`, which `suspicion` tells, without those
    /// that its other answers have too.
    pub fn add(&mut self, exchange: &Exchange, suspicion: &Suspicion) {
        let is_forged = |reply: &&Reply| suspicion.forged.contains(&reply.stamp.frame);
        let (forged, others): (Vec<&Reply>, Vec<&Reply>) =
            exchange.replies.iter().partition(is_forged);
        let known: BTreeSet<IpAddr> = others.into_iter().flat_map(addresses).collect();
        for reply in forged {
            for address in addresses(reply).filter(|address| !known.contains(address)) {
                let witness = Witness { frame: reply.stamp.frame, name: exchange.name.clone() };
                self.put(address, witness);
            }
        }
    }

    fn put(&mut self, address: IpAddr, witness: Witness) {
        let witnesses = self.0.entry(address).or_default();
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
        if self.0.len() > ADDRESSES_MAX {
            self.0.pop_last();
        }
    }

    /// An address of `reply` that was shown to be false for another name than `exchange` asks for.
    pub(super) fn of(&self, exchange: &Exchange, reply: &Reply) -> Option<(IpAddr, &Witness)> {
        addresses(reply).find_map(|address| {
            let mut witnesses = self.0.get(&address)?.iter();
            Some((address, witnesses.find(|known| known.name != exchange.name)?))
        })
    }
}

fn addresses(reply: &Reply) -> impl Iterator<Item = IpAddr> {
    reply.records.iter().filter_map(|record| match record.data {
        Data::A(address) => Some(address.into()),
        Data::Aaaa(address) => Some(address.into()),
        _ => None,
    })
}

const ADDRESSES_MAX: usize = 4_096;
/// One name, and another for the answers to the first.
const WITNESSES_MAX: usize = 2;
