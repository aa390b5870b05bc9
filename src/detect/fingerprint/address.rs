//! The address in a pattern: a host, a path, and whom it reaches.

use std::net::Ipv4Addr;

/// Whom an address reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// A host name, or an address of the public Internet.
    Public,
    /// A path without a host.
    Path,
    /// Some network's own (RFC 1918).
    Private,
    /// The reader's own machine, or a private network as a whole, of which everybody has one.
    Nowhere,
}

/// An address in a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Host; empty for a path without one.
    pub(super) host: String,
    /// More than a home page: a path, a query, a mailbox.
    pub(super) deep: bool,
    pub(super) reach: Reach,
}

impl Address {
    /// The first address in a pattern of lower-case letters.
    pub(super) fn find(lower: &str) -> Option<Self> {
        let host_like = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let mut from = 0_usize;
        for token in lower.split(|c: char| !host_like(c)) {
            let end = from.saturating_add(token.len());
            let scheme = lower.get(..from).is_some_and(|before| before.ends_with("://"));
            let host = token.trim_end_matches(['.', '-']);
            if is_host(host) || (scheme && !host.is_empty()) {
                return Some(Self::new(lower, host, from, end));
            }
            // One separator; not-ASCII ones are longer.
            let separator = lower.get(end..).and_then(|rest| rest.chars().next());
            from = end.saturating_add(separator.map_or(0, char::len_utf8));
        }
        let path =
            !lower.contains([' ', '<', '>']) && lower.contains(['/', '?']) && lower.len() >= 6;
        path.then(|| Self { host: String::new(), deep: true, reach: Reach::Path })
    }

    fn new(lower: &str, host: &str, from: usize, end: usize) -> Self {
        let mut rest = lower.get(end..).unwrap_or_default().chars();
        let path = match rest.next() {
            Some('/') => rest.next().is_some_and(|c| c.is_alphanumeric() || "?%_".contains(c)),
            Some(':') => rest.next().is_some_and(|c| c.is_ascii_digit()),
            Some('?') => true,
            _ => false,
        };
        let mailbox = lower.get(..from).is_some_and(|before| before.ends_with('@'));
        Self { host: host.to_owned(), deep: path || mailbox, reach: reach_of(host) }
    }
}

/// A dotted name that is no file name, or an IPv4 address.
fn is_host(token: &str) -> bool {
    let Some((rest, last)) = token.rsplit_once('.') else { return false };
    if token.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    rest.split('.').all(|label| !label.is_empty())
        && rest.contains(|c: char| c.is_ascii_alphabetic())
        && (2..=12).contains(&last.len())
        && last.chars().all(|c| c.is_ascii_alphabetic())
        && !FILE_TYPES.contains(&last)
}

fn reach_of(host: &str) -> Reach {
    match host.parse::<Ipv4Addr>() {
        Ok(address) if address.is_loopback() || address.is_unspecified() => Reach::Nowhere,
        Ok(address) if address.is_private() || address.is_link_local() => Reach::Private,
        Err(_) if host == "localhost" => Reach::Nowhere,
        Err(_) if host == "10" || host.starts_with("10.") || host.starts_with("192.168") => {
            Reach::Nowhere
        }
        Ok(_) | Err(_) => Reach::Public,
    }
}

/// Last parts of file names, which look like top-level domains.
const FILE_TYPES: [&str; 18] = [
    "html", "htm", "php", "asp", "aspx", "jsp", "cgi", "pl", "css", "js", "png", "jpg", "jpeg",
    "gif", "xml", "svg", "ico", "nsf",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_in_patterns() {
        for (text, host) in [
            ("see http://a.example/x", Some("a.example")),
            ("location: http://103.208.24.21", Some("103.208.24.21")),
            ("запрет: zapret.isp.example/", Some("zapret.isp.example")),
            ("argon_files/stop.jpg", Some("")),
            ("?dpid=", Some("")),
            ("it is blocked. by order.", None),
            ("mail it-security@isp.example", Some("isp.example")),
        ] {
            assert_eq!(Address::find(text).map(|address| address.host).as_deref(), host, "{text}");
        }
    }
}
