//! Whom a request is for (RFC 9112 §3.2, §3.3).

use crate::protocol::text::{self, HostName};

/// The host that a request names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Authority {
    pub(super) host: HostName,
    pub(super) port: Option<u16>,
}

/// The host of a request: that of its target where it has one (RFC 9112 §3.2.2), otherwise that
/// of its `Host` line.
pub(super) fn authority(method: &str, target: &str, host: Option<&str>) -> Option<Authority> {
    let of_target = if method.eq_ignore_ascii_case("CONNECT") {
        Some(target)
    } else {
        absolute_authority(target)
    };
    of_target.filter(|authority| !authority.is_empty()).or(host).and_then(parse)
}

/// The authority of `http://user@host:port/path?query`.
fn absolute_authority(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let is_scheme = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.bytes().all(is_scheme) {
        return None;
    }
    rest.split(['/', '?', '#', '\\']).next()
}

/// `host`, `host:port`, `[address]:port`, any of them after `user@`.
fn parse(authority: &str) -> Option<Authority> {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).trim();
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (authority, None),
        },
    };
    (!host.is_empty()).then(|| Authority {
        host: text::host_name(host.as_bytes()),
        port: port.and_then(|digits| digits.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found() {
        type Found = Option<(&'static str, Option<u16>)>;
        let table: [(&str, &str, Option<&str>, Found); 14] = [
            ("GET", "/", Some("Example.ORG"), Some(("example.org", None))),
            ("GET", "/", Some("example.org.:8080"), Some(("example.org", Some(8080)))),
            ("GET", "/", Some("[2001:DB8::1]:81"), Some(("2001:db8::1", Some(81)))),
            ("GET", "/", Some("2001:db8::1"), Some(("2001:db8::1", None))),
            ("GET", "/", Some("a:port"), Some(("a", None))),
            ("GET", "/", Some(""), None),
            ("GET", "/", None, None),
            ("GET", "/?u=http://x.org/", Some("a.org"), Some(("a.org", None))),
            ("GET", "http://b.org/x", Some("a.org"), Some(("b.org", None))),
            ("GET", "http://me:pw@B.org:82?q", Some("a"), Some(("b.org", Some(82)))),
            ("GET", "http:///x", Some("a.org"), Some(("a.org", None))),
            ("CONNECT", "b.org:443", Some("a.org"), Some(("b.org", Some(443)))),
            ("connect", "[::1]:443", None, Some(("::1", Some(443)))),
            ("OPTIONS", "*", Some("a.org"), Some(("a.org", None))),
        ];
        for (method, target, host, expected) in table {
            let found = authority(method, target, host);
            let found = found.as_ref().map(|a| (a.host.text.as_str(), a.port));
            assert_eq!(found, expected, "{method} {target} {host:?}");
        }
    }
}
