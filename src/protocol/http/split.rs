//! Splits a head into its lines and the lines into names and values, whatever they look like.

use std::ops::Range;

use memchr::memchr;
use smallvec::SmallVec;

use super::head::HEAD_BYTES_MAX;
use crate::protocol::text;

/// The header lines of a message, in order, at most 256.
#[derive(Clone, Default, Debug)]
pub struct Headers {
    /// The whole head where it is plain text, otherwise name after value; and what had to be replaced.
    text: String,
    /// The text begins with the whole head.
    whole: bool,
    /// Words of the start line, where they stand in the text.
    words: [Range<u32>; 3],
    lines: SmallVec<[Line; LINES_USUAL]>,
    /// How many more there were.
    pub dropped: usize,
}

/// Where a header line stands in the text.
#[derive(Clone, Debug)]
struct Line {
    name: Range<u32>,
    value: Range<u32>,
}

impl Headers {
    /// The lines, as name and value: the name as sent, without spaces around it, and the whole line
    /// where it has no colon; the value without spaces around it. Bytes that are no UTF-8 became
    /// U+FFFD.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().map(|line| (self.at(&line.name), self.at(&line.value)))
    }

    /// The first value of a name, in whatever case.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name, in whatever case, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let long_as_it = self.lines.iter().filter(|line| line.name.len() == name.len());
        long_as_it
            .filter(|line| self.at(&line.name).eq_ignore_ascii_case(name))
            .map(|line| self.at(&line.value))
    }

    /// All members of a comma-separated list header (RFC 9110 §5.6.1).
    pub(super) fn members(&self, name: &str) -> impl Iterator<Item = &str> {
        let members = self.all(name).flat_map(|value| value.split(',')).map(str::trim);
        members.filter(|member| !member.is_empty())
    }

    /// The words of the start line, as [`Self::keep_words`] got them.
    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| self.at(word))
    }

    /// Keeps the first bytes of the words of the start line of `head`, which this was split from: for
    /// each word the bytes, and how many of them.
    pub(super) fn keep_words(&mut self, head: &[u8], words: [(&[u8], usize); 3]) {
        self.words = words.map(|(word, bytes_max)| {
            let word = word.get(..bytes_max).unwrap_or(word);
            let place = word.as_ptr().addr().wrapping_sub(head.as_ptr().addr());
            let range =
                if self.whole { place..place + word.len() } else { self.add(word, bytes_max) };
            range.start as u32..range.end as u32
        });
    }

    /// Adds text behind all others.
    fn add(&mut self, bytes: &[u8], bytes_max: usize) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(&text::lossy(bytes, bytes_max));
        start..self.text.len()
    }

    fn at(&self, range: &Range<u32>) -> &str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// Adds a line, which stands in the text already if it has a `place` there.
    fn push(&mut self, line: &[u8], place: Option<usize>) {
        if self.lines.len() == HEADERS_MAX {
            self.dropped += 1;
            return;
        }
        let (name, value) = split_once(line, |b| b == b':').unwrap_or((line, &[]));
        let after = line.len() - value.len();
        let name = self.keep(name, place);
        let value = self.keep(value, place.map(|place| place + after));
        self.lines.push(Line { name, value });
    }

    /// Where the text of `bytes` stands, without spaces around it.
    fn keep(&mut self, bytes: &[u8], place: Option<usize>) -> Range<u32> {
        let inner = trimmed(bytes);
        let kept = bytes.get(inner.clone()).unwrap_or_default();
        let range = match place {
            Some(place) => place + inner.start..place + inner.end,
            None => self.add(kept, HEAD_BYTES_MAX),
        };
        range.start as u32..range.end as u32
    }

    /// A line that begins with a space continues the one before (RFC 9112 §5.2).
    fn fold(&mut self, line: &[u8]) -> bool {
        let Some(mut value) = self.lines.last().map(|last| last.value.clone()) else {
            return false;
        };
        // It grows where it stands if nothing stands behind it.
        if value.end as usize != self.text.len() {
            let first = self.at(&value).to_owned();
            value.start = self.text.len() as u32;
            self.text.push_str(&first);
        }
        self.text.push(' ');
        self.text.push_str(&text::lossy(trim(line), HEAD_BYTES_MAX));
        value.end = self.text.len() as u32;
        if let Some(last) = self.lines.last_mut() {
            last.value = value;
        }
        true
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.dropped == other.dropped
            && (0..self.words.len()).all(|at| self.word(at) == other.word(at))
            && self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

/// A head in its parts.
pub(super) struct Split<'a> {
    pub(super) start_line: &'a [u8],
    pub(super) headers: Headers,
    /// A line ended with LF alone.
    pub(super) bare_lf: bool,
}

/// Splits a head at its line ends.
pub(super) fn split(head: &[u8]) -> Split<'_> {
    let plain = text::plain(head);
    let text = plain.unwrap_or_default().to_owned();
    let headers = Headers { text, whole: plain.is_some(), ..Headers::default() };
    let mut split = Split { start_line: &[], headers, bare_lf: false };
    let mut begins = 0;
    while let Some(rest) = head.get(begins..).filter(|rest| !rest.is_empty()) {
        let end = memchr(b'\n', rest);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        split.bare_lf |= end.is_some() && text.len() == line.len();
        if begins == 0 {
            split.start_line = text;
        } else if !text.is_empty() {
            let folds = matches!(text, [b' ' | b'\t', ..]) && split.headers.fold(text);
            if !folds {
                split.headers.push(text, plain.is_some().then_some(begins));
            }
        }
        begins += line.len() + 1;
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

fn trim(bytes: &[u8]) -> &[u8] {
    bytes.get(trimmed(bytes)).unwrap_or_default()
}

/// What is left without spaces around it.
fn trimmed(bytes: &[u8]) -> Range<usize> {
    let start = bytes.iter().position(|&b| !is_space(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|&b| !is_space(b)).map_or(start, |at| at + 1);
    start..end
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// Servers take about 100.
const HEADERS_MAX: usize = 256;

/// Lines for which there is room at first.
const LINES_USUAL: usize = 12;

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
        let lines: Vec<_> = split.headers.iter().collect();
        let expected =
            [("Host", "a"), ("no colon", " x"), ("Empty", ""), ("\u{fffd}\u{fffd}", "\u{fffd}")];
        assert_eq!(lines, expected);
        assert_eq!(split.headers.first("HOST"), Some("a"));
    }

    #[test]
    fn plain_heads_are_split_as_others_are() {
        let plain = b"GET / HTTP/1.1\r\nHost:\ta \r\nodd\rone: b\rc\r\nlong: d\r\n e\r\n\tf\nlast";
        let odd = [&plain[..], b"\r\n\xff: \x01"].concat();
        let lines = [("Host", "a"), ("odd\u{fffd}one", "b\u{fffd}c"), ("long", "d e f")];
        let (plain, odd) = (split(plain).headers, split(&odd).headers);
        assert_eq!(plain.iter().collect::<Vec<_>>(), [&lines[..], &[("last", "")]].concat());
        let more = [("last", ""), ("\u{fffd}", "\u{fffd}")];
        assert_eq!(odd.iter().collect::<Vec<_>>(), [&lines[..], &more].concat());
        assert_ne!(plain, odd);
    }

    #[test]
    fn headers_are_bounded() {
        let head = ["GET / HTTP/1.1\r\n".to_owned(), "a: b\r\n".repeat(1000)].concat();
        let headers = split(head.as_bytes()).headers;
        assert_eq!((headers.iter().count(), headers.dropped), (256, 744));
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
                    own.iter().map(|(name, value)| (name, value.as_bytes())).collect();
                let strict: Vec<_> = strict.headers.iter().map(|h| (h.name, h.value)).collect();
                prop_assert_eq!(own, strict);
            }
        }
    }
}
