//! Rows of DNS lists: answers that are known to be given in place of the true ones.
//!
//! They are read with the other lists and kept for whoever compares DNS answers; nothing here does.

use std::net::IpAddr;

use super::row::{Scope, Strength};

/// An answer that some resolver or injector is known to give for blocked names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsEntry {
    /// Name of the row.
    pub name: String,
    /// The answer: an address or a host name, in lower case without a trailing dot.
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
