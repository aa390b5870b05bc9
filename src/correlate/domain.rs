//! Which part of a name somebody registered.

use std::net::IpAddr;

use psl::Psl;

/// The registrable domain of `name`, by the public suffix list (publicsuffix.org), its private part
/// included: names below `github.io` or `co.uk` belong to different customers.
///
/// `name` has the form of records: lower-case, without a trailing dot. `None` where nothing can be
/// said: an address, a single label, a public suffix itself, a name below no suffix of the list
/// (the list's own rule that any last label is a suffix says nothing of who owns what), or what is
/// no host name in ASCII. Names of other scripts are sent as A-labels (RFC 5890 §2.3.2.1), and the
/// list knows these.
pub(super) fn registrable(name: &str) -> Option<&str> {
    if !is_host_name(name) || is_address(name) {
        return None;
    }
    let domain = psl::List.domain(name.as_bytes())?;
    if !domain.suffix().is_known() {
        return None;
    }
    std::str::from_utf8(domain.as_bytes()).ok()
}

/// Whether `name` is a suffix below which anybody may register names: `com`, `co.uk`.
///
/// Suffixes of the private part of the list are somebody's own, though they have customers there.
pub(super) fn is_public(name: &str) -> bool {
    psl::List.suffix(name.as_bytes()).is_some_and(|suffix| {
        suffix.as_bytes().len() == name.len() && suffix.typ() != Some(psl::Type::Private)
    })
}

/// Whether `name` has the form of a host name: labels of 1 to 63 letters, digits, hyphens and, as
/// they occur, underscores (RFC 1123 §2.1), at most 253 characters in all.
pub(super) fn is_host_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let label = |label: &str| (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(plain);
    name.len() <= NAME_MAX && name.split('.').all(label)
}

/// Whether `name` is an IP address, as a URL has it (RFC 3986 §3.2.2).
pub(super) fn is_address(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    bare.parse::<IpAddr>().is_ok()
}

/// RFC 1035 §2.3.4.
const LABEL_MAX: usize = 63;

/// The 255 octets of RFC 1035 §2.3.4, without the length of the first label and the root.
const NAME_MAX: usize = 253;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_domain_is_what_somebody_registered() {
        let cases = [
            ("instagram.com", Some("instagram.com")),
            ("i.instagram.com", Some("instagram.com")),
            ("a.b.bbc.co.uk", Some("bbc.co.uk")),
            // Customers of one private suffix.
            ("alice.github.io", Some("alice.github.io")),
            ("www.alice.github.io", Some("alice.github.io")),
            ("d1.cloudfront.net", Some("d1.cloudfront.net")),
            // Wildcards and their exceptions.
            ("x.a.kobe.jp", Some("x.a.kobe.jp")),
            ("x.city.kobe.jp", Some("city.kobe.jp")),
            // Other scripts: xn--p1ai is that of Russia, xn--55qx5d.cn is for companies.
            ("www.xn--e1afmkfd.xn--p1ai", Some("xn--e1afmkfd.xn--p1ai")),
            ("a.b.xn--55qx5d.cn", Some("b.xn--55qx5d.cn")),
            ("_dmarc.instagram.com", Some("instagram.com")),
        ];
        for (name, domain) in cases {
            assert_eq!(registrable(name), domain, "{name}");
        }
    }

    #[test]
    fn what_nobody_registered_has_no_domain() {
        let names = [
            "com",
            "co.uk",
            "github.io",
            "xn--p1ai",
            "localhost",
            "router",
            "printer.local",
            "blocked.example",
            "a.b.example",
            "198.51.100.7",
            "10.1.2.3",
            "2001:db8::1",
            "[2001:db8::1]",
            "",
            ".",
            ".com",
            "a..com",
            "instagram.com.",
            "a b.com",
            "\u{1b}.com",
            "b\u{fc}cher.com",
            "1.2.3.4.5",
        ];
        for name in names {
            assert_eq!(registrable(name), None, "{name}");
        }
        let long = format!("{}.com", "a".repeat(LABEL_MAX + 1));
        assert_eq!(registrable(&long), None);
    }

    #[test]
    fn anybody_may_register_below_a_public_suffix() {
        for (name, public) in [
            ("com", true),
            ("co.uk", true),
            ("internal", true),
            ("github.io", false),
            ("instagram.com", false),
            ("corp.internal", false),
        ] {
            assert_eq!(is_public(name), public, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_domain_is_the_end_of_its_name(name in "([a-z0-9-]{1,5}\\.){0,4}(com|co\\.uk|github\\.io|jp|zz)") {
            if let Some(domain) = registrable(&name) {
                let rest = name.strip_suffix(domain);
                prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
                prop_assert_eq!(registrable(domain), Some(domain));
            }
        }

        #[test]
        fn no_name_is_too_odd(name: String) {
            let domain = registrable(&name).unwrap_or_default();
            prop_assert!(name.ends_with(domain) && !registrable(&name).is_some_and(str::is_empty));
        }
    }
}
