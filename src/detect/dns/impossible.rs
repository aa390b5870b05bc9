//! Answers that are known for what they are, and answers that cannot be true.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::content::addresses;
use super::exchange::{Exchange, Reply};
use crate::detect::fingerprint::{DnsEntry, FingerprintSet, Strength};
use crate::evidence::Grade;
use crate::protocol::dns::{Data, Fault, Rcode, Record, RecordType};

/// The row of a list that knows the answer, and the record that it knows.
pub(super) fn listed<'a>(
    reply: &'a Reply,
    list: &'a FingerprintSet,
) -> Option<(&'a Record, &'a DnsEntry)> {
    let known = |record: &'a Record| {
        let row = match &record.data {
            Data::A(address) => list.dns_address(IpAddr::V4(*address)),
            Data::Aaaa(address) => list.dns_address(IpAddr::V6(*address)),
            Data::Name(name) => list.dns_name(name),
            Data::Words(_) | Data::Malformed(_) => None,
        };
        row.filter(|row| row.strength.accuses()).map(|row| (record, row))
    };
    reply.records.iter().filter_map(known).max_by_key(|(_, row)| row.strength)
}

/// How far a listed answer accuses.
pub(super) fn grade(row: &DnsEntry) -> Grade {
    if row.strength == Strength::Specific { Grade::Full } else { Grade::Half }
}

/// Why the answer cannot be true; the weaker reasons are [`Grade::Half`].
pub(super) fn reason(exchange: &Exchange, reply: &Reply) -> Option<(Grade, String)> {
    of_another_type(exchange, reply)
        .or_else(|| impossible_address(reply))
        .or_else(|| malformed(reply))
        .or_else(|| address_without_use(exchange, reply))
}

/// Records, and none of the type that was asked for or that leads there.
fn of_another_type(exchange: &Exchange, reply: &Reply) -> Option<(Grade, String)> {
    let asked = exchange.kind;
    let all_at_once =
        matches!(asked, RecordType::ANY | RecordType::AXFR | RecordType::IXFR | RecordType::RRSIG);
    let fits = |record: &Record| {
        matches!(record.kind, RecordType::CNAME | RecordType::DNAME | RecordType::RRSIG)
            || record.kind == asked
    };
    if all_at_once || reply.rcode != Rcode::NO_ERROR || reply.records.iter().any(fits) {
        return None;
    }
    let other = reply.records.first()?;
    Some((Grade::Full, format!("{asked} was asked for, and {} answered", other.kind)))
}

fn impossible_address(reply: &Reply) -> Option<(Grade, String)> {
    addresses(reply).find(|address| is_never_given(*address)).map(|address| {
        (Grade::Full, format!("{address} lies in a block that no public name has addresses in"))
    })
}

/// Blocks that are no host's: the Teredo tunnel's prefix, whose addresses are not given to names
/// (RFC 4380), the formerly reserved class E, multicast for an ordinary name, "this network".
fn is_never_given(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [0, 0, 0, 0] | [255, 255, 255, 255] => false,
            [first, ..] => first == 0 || first >= 240,
        },
        IpAddr::V6(address) => matches!(address.segments(), [0x2001, 0, ..]),
    }
}

fn malformed(reply: &Reply) -> Option<(Grade, String)> {
    let what = match reply.fault.filter(|_| !reply.flags.is_truncated())? {
        Fault::Short | Fault::Records => "the message ends before what its counts promise",
        Fault::Name => "a name in the message cannot be read",
        Fault::Data => "a record is not what its type needs",
        // Padding is not worth a word.
        Fault::Trailing => return None,
    };
    Some((Grade::Half, what.to_owned()))
}

/// A private, loopback or unspecified address for a public name.
fn address_without_use(exchange: &Exchange, reply: &Reply) -> Option<(Grade, String)> {
    let address = addresses(reply).find(|address| match address {
        IpAddr::V4(address) => is_of_no_use(*address),
        IpAddr::V6(address) => is_of_no_use6(*address),
    })?;
    let private = is_private_name(&exchange.name);
    (!private).then(|| (Grade::Half, format!("{address} is nobody's address on the Internet")))
}

fn is_of_no_use(address: Ipv4Addr) -> bool {
    address.is_private()
        || address.is_loopback()
        || address.is_unspecified()
        || address.is_link_local()
}

/// Whether the address is one of a network that anybody may set up for himself.
pub(super) fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

fn is_of_no_use6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

/// Names that are no public ones: single labels and the special-use domains (RFC 6761, 6762, 8375,
/// and what routers and offices make use of).
pub(super) fn is_private_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || PRIVATE_DOMAINS.contains(&last)
}

const PRIVATE_DOMAINS: [&str; 11] = [
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
    "test",
];
