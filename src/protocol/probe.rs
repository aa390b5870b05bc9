//! Which protocol a stream speaks, from its first bytes.
//!
//! A stream that begins in the clear and is upgraded later (STARTTLS of SMTP, IMAP, POP3, FTP,
//! XMPP) is [`Probe::Other`]: its first bytes decide.

use super::dns;

/// No decision needs more bytes than this.
pub const PROBE_BYTES_MAX: usize = 32;

/// What the first bytes of a direction say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Probe {
    /// TLS records, or the SSL 2.0 hello that old clients begin TLS with (RFC 5246 §E.2).
    Tls,
    /// An HTTP/1 request or response.
    Http,
    /// The HTTP/2 client preface in the clear (RFC 9113 §3.4).
    Http2,
    /// DNS messages behind their lengths (RFC 1035 §4.2.2).
    Dns,
    /// Something else.
    Other,
    /// Too few bytes to tell.
    NeedMore,
}

/// Judges the first bytes of either direction of a stream.
pub fn probe(first: &[u8]) -> Probe {
    let first = first.get(..PROBE_BYTES_MAX).unwrap_or(first);
    let judges = [probe_tls, probe_sslv2, probe_response, probe_request, dns::probe];
    let mut verdict = Probe::Other;
    for judge in judges {
        match judge(first) {
            Probe::Other => {}
            Probe::NeedMore => verdict = Probe::NeedMore,
            certain => return certain,
        }
    }
    if first.len() >= PROBE_BYTES_MAX { Probe::Other } else { verdict }
}

/// ```text
/// type (21 alert, 22 handshake) | 3 | 0..=4 | length, at most 2^14 + 2048
/// ```
/// RFC 8446 §5.1; the longer limit is that of RFC 5246 §6.2.3.
fn probe_tls(first: &[u8]) -> Probe {
    const LENGTH_MAX: u16 = (1 << 14) + 2048;
    let fits = |at: usize, test: fn(u8) -> bool| first.get(at).copied().is_none_or(test);
    let header = fits(0, |b| matches!(b, 21 | 22)) && fits(1, |b| b == 3) && fits(2, |b| b <= 4);
    match (header, first) {
        (false, _) => Probe::Other,
        (true, [_, _, _, high, low, ..]) if u16::from_be_bytes([*high, *low]) > LENGTH_MAX => {
            Probe::Other
        }
        (true, [_, _, _, _, _, ..]) => Probe::Tls,
        _ => Probe::NeedMore,
    }
}

/// ```text
/// 1 and 15 bits of length | 1 (client hello) | version 0.2 or 3.0..=3.4
/// ```
fn probe_sslv2(first: &[u8]) -> Probe {
    match first {
        [high, _, 1, major, minor, ..] if high & 0x80 != 0 => match (major, minor) {
            (0, 2) | (3, 0..=4) => Probe::Tls,
            _ => Probe::Other,
        },
        [high, rest @ ..] if high & 0x80 != 0 && rest.len() < 4 => {
            let hello = rest.get(1).is_none_or(|&b| b == 1);
            let major = rest.get(2).is_none_or(|&b| matches!(b, 0 | 3));
            if hello && major { Probe::NeedMore } else { Probe::Other }
        }
        [] => Probe::NeedMore,
        _ => Probe::Other,
    }
}

/// `HTTP` and then a slash or a space: a broken status line is still one.
pub(super) fn probe_response(first: &[u8]) -> Probe {
    match first.split_at_checked(4) {
        None if b"HTTP".starts_with(first) => Probe::NeedMore,
        Some((b"HTTP", [])) => Probe::NeedMore,
        Some((b"HTTP", [b'/' | b' ', ..])) => Probe::Http,
        _ => Probe::Other,
    }
}

/// A method, spaces, and the first letter of a target.
///
/// The case of the method is ignored and line ends before it are skipped (RFC 9112 §2.2), for
/// clients that evade filters write it so; the target's first letter keeps out other text
/// protocols that know the word `GET`. Only `Http`, `Http2`, `NeedMore` and `Other` come out.
pub(super) fn probe_request(first: &[u8]) -> Probe {
    let line = skip(first, |b| matches!(b, b'\r' | b'\n'));
    let mut verdict = Probe::Other;
    for method in METHODS {
        match line.split_at_checked(method.len()) {
            None if starts_with_ignoring_case(method, line) => verdict = Probe::NeedMore,
            Some((word, rest)) if word.eq_ignore_ascii_case(method) => {
                match probe_target(rest, *method == b"CONNECT") {
                    Probe::Http if *method == b"PRI" => return Probe::Http2,
                    Probe::Other => {}
                    other => return other,
                }
            }
            _ => {}
        }
    }
    verdict
}

fn probe_target(after_method: &[u8], is_connect: bool) -> Probe {
    let spaces = |b: u8| matches!(b, b' ' | b'\t');
    match (after_method, skip(after_method, spaces)) {
        ([], _) | ([b' ' | b'\t', ..], []) => Probe::NeedMore,
        ([b' ' | b'\t', ..], [b'/' | b'*' | b'h' | b'H' | b'?' | b'%' | b'.' | b'[', ..]) => {
            Probe::Http
        }
        ([b' ' | b'\t', ..], [_, ..]) if is_connect => Probe::Http,
        _ => Probe::Other,
    }
}

fn skip(bytes: &[u8], what: impl Fn(u8) -> bool) -> &[u8] {
    let at = bytes.iter().position(|&b| !what(b)).unwrap_or(bytes.len());
    bytes.get(at..).unwrap_or_default()
}

fn starts_with_ignoring_case(whole: &[u8], start: &[u8]) -> bool {
    whole.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// RFC 9110 §9.3, RFC 5789, distributed authoring (RFC 4918, 3744, 5323, 4791), events of `UPnP`
/// (Device Architecture 2.0 §4.1), and the preface of HTTP/2.
const METHODS: &[&[u8]] = &[
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"DELETE",
    b"CONNECT",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"ACL",
    b"SEARCH",
    b"MKCALENDAR",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"NOTIFY",
    b"PRI",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn first_bytes_decide() {
        let table: &[(&[u8], Probe)] = &[
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", Probe::Tls),
            (b"\x15\x03\x03\x00\x02\x02\x28", Probe::Tls),
            (b"\x16\x03\x01\xff\xff\x01", Probe::Other),
            (b"\x16\x03", Probe::NeedMore),
            (b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00", Probe::Tls),
            (b"\x80\x2e\x01\x00\x02", Probe::Tls),
            (b"\x80\x2e\x04\x00\x02", Probe::Other),
            (b"GET / HTTP/1.1\r\n", Probe::Http),
            (b"\r\nGET / HTTP/1.1\r\n", Probe::Http),
            (b"gEt  /index", Probe::Http),
            (b"OPTIONS * HTTP/1.1\r\n", Probe::Http),
            (b"CONNECT example.org:443 HTTP/1.1\r\n", Probe::Http),
            (b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n", Probe::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Probe::Http2),
            (b"HTTP/1.1 403 Forbidden\r\n", Probe::Http),
            (b"HTTP 403\n", Probe::Http),
            (b"PRO", Probe::NeedMore),
            (b"GET ", Probe::NeedMore),
            (b"", Probe::NeedMore),
            (b"SUBSCRIBE /evt/CmnIfCfg HTTP/1.1\r\n", Probe::Http),
            (b"SUBSCRIBE sip:a@b.example SIP/2.0\r\n", Probe::Other),
            (b"NOTIFY /", Probe::Http),
            (b"GET key\r\n", Probe::Other),
            (b"EHLO mail.example.org\r\n", Probe::Other),
            (b"* OK IMAP4 ready, STARTTLS\r\n", Probe::Other),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Probe::Other),
            (b"\x17\x03\x03\x00\x20", Probe::Other),
            (b"\x00\x1d\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x04news\x07example", Probe::Dns),
            (b"\x00\x2d\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x04news\x07example", Probe::Dns),
            (b"\x00\x1d", Probe::NeedMore),
            (b"\x00\x1d\x12\x34\x01\x00\0\x02\0\0\0\0\0\0\x04news\x07example", Probe::Other),
            (b"\x00\x1d\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x04n\x01ws\x07example", Probe::Other),
        ];
        for (bytes, verdict) in table {
            assert_eq!(probe(bytes), *verdict, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn a_decision_stands_whatever_follows(
            start in prop_oneof![
                Just(b"GET /".to_vec()), Just(b"HTTP/1.1 200".to_vec()),
                Just(b"\x16\x03\x01\x02\x00\x01".to_vec()), Just(b"CONNECT a.b:443".to_vec()),
                Just(b"\x80\x2e\x01\x03\x01".to_vec()), Just(vec![]),
                Just(b"\x00\x1d\x12\x34\x01\x00\0\x01\0\0\0\0".to_vec()),
            ],
            more in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let bytes = [start, more].concat();
            let mut decided = Probe::NeedMore;
            for end in 0..=bytes.len() {
                let now = probe(&bytes[..end]);
                prop_assert!(decided == Probe::NeedMore || now == decided);
                prop_assert!(end < PROBE_BYTES_MAX || now != Probe::NeedMore);
                decided = now;
            }
        }
    }
}
