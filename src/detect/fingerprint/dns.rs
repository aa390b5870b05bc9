//! Rows of DNS lists: answers that are known to be given in place of the true ones.
//!
//! They are read with the other lists and looked up by whoever judges DNS answers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::row::{Scope, Strength};

/// An answer that some resolver or injector is known to give for blocked names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsEntry {
    /// Name of the row.
    pub name: String,
    /// The answer: an address, a prefix of addresses (`10.10.34.0/24`) or a host name, in lower
    /// case without a trailing dot.
    pub response: String,
    /// Who gives it.
    pub scope: Scope,
    /// How far it may accuse. Addresses that lead nowhere (0.0.0.0, 127.0.0.1, private ones) are
    /// `Broad`: split-horizon names and advertisement blockers answer so too.
    pub strength: Strength,
    /// Countries in which it is expected, two letters each.
    pub countries: Vec<String>,
    /// Index of its list in [`super::FingerprintSet::sources`].
    pub list: usize,
}

/// The rows by what they answer. Where several rows name one answer, the strongest is kept.
#[derive(Debug, Default)]
pub(super) struct DnsIndex {
    entries: Vec<DnsEntry>,
    addresses: BTreeMap<IpAddr, usize>,
    names: BTreeMap<String, usize>,
    prefixes: Vec<(Prefix, usize)>,
}

/// A block of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Prefix {
    start: IpAddr,
    bits: u8,
}

impl DnsIndex {
    /// Rows that stand for a block of addresses: each look-up walks over all of them.
    const PREFIXES_MAX: usize = 64;

    pub(super) fn add(&mut self, entry: DnsEntry) {
        let place = self.entries.len();
        let stronger = |old: usize, entries: &[DnsEntry]| {
            entries.get(old).is_none_or(|old| old.strength < entry.strength)
        };
        if let Ok(address) = entry.response.parse::<IpAddr>() {
            let kept = self.addresses.entry(address).or_insert(place);
            if stronger(*kept, &self.entries) {
                *kept = place;
            }
        } else if let Some(prefix) = Prefix::parse(&entry.response) {
            if self.prefixes.len() < Self::PREFIXES_MAX {
                self.prefixes.push((prefix, place));
            }
        } else {
            let kept = self.names.entry(entry.response.clone()).or_insert(place);
            if stronger(*kept, &self.entries) {
                *kept = place;
            }
        }
        self.entries.push(entry);
    }

    pub(super) fn entries(&self) -> &[DnsEntry] {
        &self.entries
    }

    pub(super) fn address(&self, address: IpAddr) -> Option<&DnsEntry> {
        let single = self.addresses.get(&address).copied();
        let place = single.or_else(|| {
            let (_, place) = self.prefixes.iter().find(|(prefix, _)| prefix.holds(address))?;
            Some(*place)
        });
        self.entries.get(place?)
    }

    pub(super) fn name(&self, name: &str) -> Option<&DnsEntry> {
        self.entries.get(*self.names.get(name)?)
    }
}

impl Prefix {
    fn parse(text: &str) -> Option<Self> {
        let (start, bits) = text.split_once('/')?;
        let start: IpAddr = start.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        (bits <= if start.is_ipv4() { 32 } else { 128 }).then_some(Self { start, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            (a ^ b).checked_shr(width - u32::from(self.bits)).unwrap_or_default() == 0
        };
        match (self.start, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

/// How far an answer may accuse, from its scope, its makers' confidence and its address.
pub(super) fn strength(scope: Scope, confidence: Option<u8>, response: &str) -> Strength {
    let scope = match scope {
        Scope::National | Scope::Isp => Strength::Specific,
        Scope::Product | Scope::Institution => Strength::Product,
        Scope::Benign => return Strength::Benign,
        Scope::Unknown | Scope::Vague | Scope::Provider => Strength::Broad,
    };
    let confidence = match confidence {
        Some(0..=5) => Strength::Broad,
        Some(6 | 7) => Strength::Weak,
        _ => Strength::Specific,
    };
    if leads_nowhere(response) { Strength::Broad } else { scope.min(confidence) }
}

fn leads_nowhere(response: &str) -> bool {
    match response.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            address.is_unspecified()
                || address.is_loopback()
                || address.is_private()
                || address.is_link_local()
        }
        Ok(IpAddr::V6(address)) => address.is_unspecified() || address.is_loopback(),
        Err(_) => response == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(response: &str, strength: Strength) -> DnsEntry {
        DnsEntry {
            name: format!("{response} {}", strength.name()),
            response: response.to_owned(),
            scope: Scope::National,
            strength,
            countries: Vec::new(),
            list: 0,
        }
    }

    #[test]
    fn answers_are_looked_up() {
        let mut index = DnsIndex::default();
        index.add(row("192.0.2.1", Strength::Weak));
        index.add(row("192.0.2.1", Strength::Specific));
        index.add(row("192.0.2.1", Strength::Broad));
        index.add(row("192.0.2.0/25", Strength::Weak));
        index.add(row("2001:db8::/32", Strength::Weak));
        index.add(row("block.example", Strength::Product));
        let address = |text: &str| index.address(text.parse().unwrap()).map(|row| &*row.name);
        assert_eq!(address("192.0.2.1"), Some("192.0.2.1 specific"));
        assert_eq!(address("192.0.2.127"), Some("192.0.2.0/25 weak"));
        assert_eq!(address("192.0.2.128"), None);
        assert_eq!(address("2001:db8:1::1"), Some("2001:db8::/32 weak"));
        assert_eq!(address("2001:db9::1"), None);
        assert_eq!(index.name("block.example").map(|row| row.strength), Some(Strength::Product));
        assert_eq!(index.entries().len(), 6);
        for wrong in ["1.2.3.4/33", "::/129", "1.2.3/8", "a/b"] {
            assert_eq!(Prefix::parse(wrong), None, "{wrong}");
        }
        assert!(Prefix::parse("0.0.0.0/0").unwrap().holds("9.9.9.9".parse().unwrap()));
    }

    #[test]
    fn addresses_that_lead_nowhere_are_broad() {
        for (response, expected) in [
            ("202.169.44.80", Strength::Specific),
            ("internetpositif.example", Strength::Specific),
            ("127.0.0.1", Strength::Broad),
            ("0.0.0.0", Strength::Broad),
            ("10.0.0.1", Strength::Broad),
            ("::1", Strength::Broad),
        ] {
            assert_eq!(strength(Scope::Isp, Some(10), response), expected, "{response}");
        }
        assert_eq!(strength(Scope::Product, None, "1.2.3.4"), Strength::Product);
        assert_eq!(strength(Scope::Isp, Some(7), "1.2.3.4"), Strength::Weak);
    }
}
