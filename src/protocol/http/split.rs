//! Splits a head into its lines and the lines into names and values, whatever they look like.

use crate::protocol::text;

/// One header line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The name as sent, without spaces around it; the whole line where it has no colon.
    pub name: String,
    /// The value without spaces around it; bytes that are no UTF-8 became U+FFFD.
    pub value: String,
}

/// The header lines of a message, in order, at most 256.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Headers {
    /// The lines.
    pub list: Vec<Header>,
    /// How many more there were.
    pub dropped: usize,
}

impl Headers {
    /// The first value of a name, in whatever case.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name, in whatever case, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }

    /// All members of a comma-separated list header, lower-case (RFC 9110 §5.6.1).
    pub(super) fn members(&self, name: &str) -> impl Iterator<Item = String> {
        self.all(name)
            .flat_map(|value| value.split(','))
            .map(|member| member.trim().to_ascii_lowercase())
            .filter(|member| !member.is_empty())
    }

    fn push(&mut self, line: &[u8]) {
        if self.list.len() == HEADERS_MAX {
            self.dropped += 1;
            return;
        }
        let (name, value) = split_once(line, |b| b == b':').unwrap_or((line, &[]));
        self.list.push(Header { name: trimmed_text(name), value: trimmed_text(value) });
    }

    /// A line that begins with a space continues the one before (RFC 9112 §5.2).
    fn fold(&mut self, line: &[u8]) -> bool {
        let Some(last) = self.list.last_mut() else { return false };
        last.value.push(' ');
        last.value.push_str(&trimmed_text(line));
        true
    }
}

/// A head in its parts.
pub(super) struct Split<'a> {
    pub(super) start_line: &'a [u8],
    pub(super) headers: Headers,
    /// A line ended with LF alone.
    pub(super) bare_lf: bool,
}

/// Splits a head at its line ends.
pub(super) fn split(head: &[u8]) -> Split<'_> {
    let mut split = Split { start_line: &[], headers: Headers::default(), bare_lf: false };
    for (place, raw) in head.split_inclusive(|&b| b == b'\n').enumerate() {
        let ended = raw.strip_suffix(b"\n");
        let line = ended.unwrap_or(raw);
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        split.bare_lf |= ended.is_some() && text.len() == line.len();
        if place == 0 {
            split.start_line = text;
        } else if !text.is_empty() {
            let folds = matches!(text, [b' ' | b'\t', ..]) && split.headers.fold(text);
            if !folds {
                split.headers.push(text);
            }
        }
    }
    split
}

/// The words of a start line, however many spaces part them: the first, the second, and the
/// rest, spaces around it removed.
pub(super) fn words(line: &[u8]) -> [&[u8]; 3] {
    let cut = |text| split_once(trim(text), is_space).unwrap_or((trim(text), &[]));
    let (first, rest) = cut(line);
    let (second, rest) = cut(rest);
    [first, second, trim(rest)]
}

/// The last word and what is before it.
pub(super) fn last_word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = trim(line);
    let at = line.iter().rposition(|&b| is_space(b)).map_or(0, |at| at + 1);
    let (before, last) = line.split_at_checked(at).unwrap_or((&[], line));
    (trim(before), last)
}

fn split_once(bytes: &[u8], at: impl Fn(u8) -> bool) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|&b| at(b))?;
    let (before, after) = bytes.split_at_checked(place)?;
    Some((before, after.get(1..)?))
}

fn trimmed_text(bytes: &[u8]) -> String {
    text::lossy(trim(bytes), super::head::HEAD_BYTES_MAX)
}

fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&b| !is_space(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|&b| !is_space(b)).map_or(start, |at| at + 1);
    bytes.get(start..end).unwrap_or_default()
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// Servers take about 100.
const HEADERS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn odd_lines_are_split() {
        let head =
            b"GET  /  HTTP/1.1\r\nHost : a\r\nno colon\n x\r\nEmpty:\r\n\xb0\xa1: \xff\r\n\r\n";
        let split = split(head);
        assert!(split.bare_lf);
        assert_eq!(words(split.start_line), [&b"GET"[..], b"/", b"HTTP/1.1"]);
        let lines: Vec<_> =
            split.headers.list.iter().map(|h| (h.name.as_str(), h.value.as_str())).collect();
        let expected =
            [("Host", "a"), ("no colon", " x"), ("Empty", ""), ("\u{fffd}\u{fffd}", "\u{fffd}")];
        assert_eq!(lines, expected);
        assert_eq!(split.headers.first("HOST"), Some("a"));
    }

    #[test]
    fn headers_are_bounded() {
        let head = ["GET / HTTP/1.1\r\n".to_owned(), "a: b\r\n".repeat(1000)].concat();
        let headers = split(head.as_bytes()).headers;
        assert_eq!((headers.list.len(), headers.dropped), (256, 744));
    }

    proptest! {
        #[test]
        fn the_splitter_agrees_with_the_strict_parser(
            lines in proptest::collection::vec("[!-9;-~]{1,9}:[ \t]?[ -~]{0,20}", 0..9),
        ) {
            let head = format!("GET /x HTTP/1.1\r\n{}\r\n\r\n", lines.join("\r\n"));
            let mut space = [httparse::EMPTY_HEADER; 16];
            let mut strict = httparse::Request::new(&mut space);
            if strict.parse(head.as_bytes()).is_ok_and(|status| status.is_complete()) {
                let own = split(head.as_bytes()).headers;
                let own: Vec<_> =
                    own.list.iter().map(|h| (h.name.as_str(), h.value.as_bytes())).collect();
                let strict: Vec<_> = strict.headers.iter().map(|h| (h.name, h.value)).collect();
                prop_assert_eq!(own, strict);
            }
        }
    }
}
