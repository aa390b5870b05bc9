//! What two answers to one question have to do with each other.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::exchange::{Exchange, Reply};
use crate::protocol::dns::{Data, Rcode};

/// How two answers differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Difference {
    /// As the answers of one honest resolver to two questions may: a set that rotates or grows, a
    /// failure and then a success.
    Akin,
    /// They deny each other: addresses of different networks, or an address and that there is none.
    Opposed,
}

/// How `one` and `other` differ; `None` where they say the same, or where one was cut to fit and is
/// not to be compared (TC, RFC 2181 §9).
pub(super) fn difference(one: &Reply, other: &Reply) -> Option<Difference> {
    if one.flags.is_truncated() || other.flags.is_truncated() {
        return None;
    }
    let (ours, theirs) = (content(one), content(other));
    match (one.rcode, other.rcode) {
        (a, b) if a == b && ours == theirs => None,
        (Rcode::NO_ERROR, Rcode::NO_ERROR) if !ours.is_empty() && !theirs.is_empty() => {
            Some(between(one, other))
        }
        // One has something, the other denies it.
        _ if one.is_plain() && other.is_plain() && ours.is_empty() != theirs.is_empty() => {
            Some(Difference::Opposed)
        }
        _ => Some(Difference::Akin),
    }
}

/// Whether answers to one question deny each other.
pub(super) fn is_contested(exchange: &Exchange) -> bool {
    let replies = exchange.replies.iter().enumerate();
    let mut pairs = replies.flat_map(|(place, one)| {
        exchange.replies.iter().skip(place + 1).map(move |other| (one, other))
    });
    pairs.any(|(one, other)| difference(one, other) == Some(Difference::Opposed))
}

/// The addresses that a reply gives.
pub(super) fn addresses(reply: &Reply) -> impl Iterator<Item = IpAddr> {
    reply.records.iter().filter_map(|record| match record.data {
        Data::A(address) => Some(IpAddr::V4(address)),
        Data::Aaaa(address) => Some(IpAddr::V6(address)),
        _ => None,
    })
}

/// What it says, without order and ages.
fn content(reply: &Reply) -> BTreeSet<(u16, &Data)> {
    reply.records.iter().map(|record| (record.kind.0, &record.data)).collect()
}

fn between(one: &Reply, other: &Reply) -> Difference {
    let networks = |reply: &Reply| addresses(reply).map(network).collect::<BTreeSet<u128>>();
    let (ours, theirs) = (networks(one), networks(other));
    let shared = if ours.is_empty() || theirs.is_empty() {
        ours.is_empty() == theirs.is_empty() && !content(one).is_disjoint(&content(other))
    } else {
        !ours.is_disjoint(&theirs)
    };
    if shared || ends(one).is_some_and(|end| ends(other) == Some(end)) {
        Difference::Akin
    } else {
        Difference::Opposed
    }
}

/// Where a chain of aliases ends.
pub(super) fn ends(reply: &Reply) -> Option<&str> {
    reply.records.iter().rev().find_map(|record| match &record.data {
        Data::Name(alias) if record.on_topic => Some(&**alias),
        _ => None,
    })
}

/// The network of an address as far as one operator's addresses usually share it: 16 bits of IPv4,
/// 32 of IPv6.
fn network(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits() >> 16),
        IpAddr::V6(address) => 1 << 64 | address.to_bits() >> 96,
    }
}
