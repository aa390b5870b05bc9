//! Hostile bytes as text that can be stored and printed.

/// A name as text, and whether it is what a host name may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct HostName {
    /// Lower-case, without a trailing dot; odd bytes replaced.
    pub(super) text: String,
    /// Whether the bytes are a host name or an address, letter by letter.
    pub(super) valid: bool,
}

/// Reads a host name: lower-case, one trailing dot removed (RFC 6066 §3 sends none).
///
/// Underscores are let through: they are no letters of a host name (RFC 1123 §2.1) but of many
/// names in use. An IPv4 address passes as a name; an IPv6 address is known by its colons.
pub(super) fn host_name(bytes: &[u8]) -> HostName {
    let trimmed = bytes.strip_suffix(b".").unwrap_or(bytes);
    let mut text = lossy(trimmed, HOST_BYTES_MAX);
    text.make_ascii_lowercase();
    HostName { valid: is_host_name(trimmed) || is_ipv6(trimmed), text }
}

/// Text of at most `bytes_max` input bytes; bytes that are no UTF-8, and control characters that
/// a terminal would obey, become U+FFFD.
pub(super) fn lossy(bytes: &[u8], bytes_max: usize) -> String {
    let cut = bytes.get(..bytes_max).unwrap_or(bytes);
    // Nearly all text is this, and is told in one go.
    let plain = |b: &u8| (b' '..=b'~').contains(b) || *b == b'\t';
    if cut.iter().fold(true, |all, b| all & plain(b))
        && let Ok(text) = std::str::from_utf8(cut)
    {
        return text.to_owned();
    }
    let text = String::from_utf8_lossy(cut);
    if text.chars().any(is_unsafe) {
        text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
    } else {
        text.into_owned()
    }
}

/// The text of `bytes`, if all of it is printable ASCII, tabs and line ends, a CR only before an LF.
pub(super) fn plain(bytes: &[u8]) -> Option<&str> {
    let odd = |b: u8, next: u8| {
        let printed = (b' '..=b'~').contains(&b) || matches!(b, b'\t' | b'\r' | b'\n');
        u8::from(!printed) | u8::from(b == b'\r') & u8::from(next != b'\n')
    };
    let (last, before) = bytes.split_last()?;
    let pairs = before.iter().zip(bytes.get(1..)?);
    let odd = pairs.fold(odd(*last, 0), |any, (b, next)| any | odd(*b, *next));
    std::str::from_utf8(bytes).ok().filter(|_| odd == 0)
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    push_hex(&mut text, bytes);
    text
}

/// Adds lower-case hexadecimal digits to `text`.
pub(super) fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit =
        |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
}

/// Cuts a text to at most `chars_max` characters.
pub(super) fn first_chars(text: &str, chars_max: usize) -> &str {
    text.char_indices().nth(chars_max).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn is_host_name(bytes: &[u8]) -> bool {
    let mut letters = 0;
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            letters += 1;
        } else if *byte == b'.' && (1..=63).contains(&letters) {
            letters = 0;
        } else {
            return false;
        }
    }
    (1..=63).contains(&letters) && bytes.len() <= 253
}

fn is_ipv6(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Twice the longest legal name: what is longer says nothing more.
const HOST_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lowered_and_judged() {
        let table: [(&[u8], &str, bool); 9] = [
            (b"WWW.Example.ORG.", "www.example.org", true),
            (b"_dmarc.example.org", "_dmarc.example.org", true),
            (b"192.0.2.1", "192.0.2.1", true),
            (b"2001:db8::1", "2001:db8::1", true),
            (b"xn--bcher-kva.example", "xn--bcher-kva.example", true),
            (b"", "", false),
            (b"a..b", "a..b", false),
            (b"ex\xffample.org", "ex\u{fffd}ample.org", false),
            (b"a\x1b[31mb", "a\u{fffd}[31mb", false),
        ];
        for (bytes, text, valid) in table {
            assert_eq!(host_name(bytes), HostName { text: text.into(), valid });
        }
        assert!(!host_name(&[b'a'; 64]).valid, "a label has at most 63 letters");
        assert!(!host_name("a.".repeat(140).as_bytes()).valid);
        assert!(host_name(&[&[b'a'; 63][..], b".b"].concat()).valid);
        for odd in [".a", "a..", "a.b.c d", "."] {
            assert!(!host_name(odd.as_bytes()).valid, "{odd}");
        }
        assert_eq!(host_name(&vec![b'a'; 100_000]).text.len(), HOST_BYTES_MAX);
    }

    #[test]
    fn hex_and_cuts() {
        assert_eq!(hex(&[0x00, 0x9f, 0xff]), "009fff");
        assert_eq!(first_chars("가나다", 2), "가나");
        assert_eq!(first_chars("가나다", 3), "가나다");
    }
}
