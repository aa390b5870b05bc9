//! The start of a body, kept so that it can be read as a page if somebody asks what it said.
//!
//! Most bodies are asked nothing: a picture, a film, a font. To find the charset of such bytes costs
//! a hundred times what it costs to carry them, so that is put off.

use encoding_rs::{Encoding, ISO_2022_JP, UTF_16BE, UTF_16LE};
use memchr::memchr_iter;
use sha2::{Digest, Sha256};

use super::{Page, charset};
use crate::protocol::text;

/// A body of which the title is known to be none and the first words can be read later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The charset that the header names.
    named: Option<&'static Encoding>,
    start: Vec<u8>,
    /// Digest of the whole body, where `start` is not all of it.
    sha256: Option<Box<[u8; 32]>>,
}

impl Excerpt {
    /// Bytes kept at most.
    pub const BYTES_MAX: usize = 12 << 10;

    /// Takes the start of `body`; gives it back where that would not tell what [`Page::read`] tells
    /// of all of it.
    pub fn of(content_type: Option<&str>, body: Vec<u8>) -> Result<Self, Vec<u8>> {
        let named = content_type.and_then(charset::parameter);
        let telling = charset::first_telling(&body);
        if may_have_tag(&body, b"title") || is_of_wide_charset(named, &body, telling) {
            return Err(body);
        }
        if body.len() <= Self::BYTES_MAX {
            let mut start = body;
            start.shrink_to_fit();
            return Ok(Self { named, start, sha256: None });
        }
        let needed = telling.map(|at| needed(named, &body, at));
        let start = needed.filter(|len| *len <= Self::BYTES_MAX).and_then(|len| body.get(..len));
        let Some(start) = start.map(<[u8]>::to_vec) else { return Err(body) };
        Ok(Self { named, start, sha256: Some(Box::new(Sha256::digest(&body).into())) })
    }

    /// Bytes held on the heap.
    pub fn held_bytes(&self) -> usize {
        self.start.capacity() + self.sha256.as_ref().map_or(0, |digest| digest.len())
    }

    /// SHA-256 of the whole body, in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        let whole = || Sha256::digest(&self.start).into();
        text::hex(&self.sha256.as_deref().copied().unwrap_or_else(whole))
    }

    /// Reads it. Charset, title and text are those of the whole body.
    pub fn read(&self) -> Page {
        Page::read_in(self.named, &self.start)
    }
}

/// How many bytes tell charset and text, where the first that tells a charset stands at `telling`.
fn needed(named: Option<&'static Encoding>, body: &[u8], telling: usize) -> usize {
    let guessed = telling + charset::GUESS_BYTES_MAX;
    let Some(start) = body.get(..guessed) else { return guessed };
    let is_guessed = named.is_none() && Encoding::for_bom(body).is_none();
    let narrow = is_guessed && !charset::is_utf8(charset::sample(body, telling));
    // Then no character has more than two bytes, but for the long ones.
    let words = 2 * super::TEXT_CHARS_MAX + beyond_two(start) + LONG_BYTES;
    if narrow && words <= guessed { guessed } else { guessed.max(WORDS_BYTES_MAX) }
}

/// Bytes that characters may have beyond two each, in the old charsets that have such: four in
/// GB 18030, the second and the last of them a digit, and three in EUC-JP behind 0x8f.
fn beyond_two(start: &[u8]) -> usize {
    let from = |at: usize| start.get(at..).unwrap_or_default();
    let fours = start.iter().zip(from(1)).zip(from(2)).zip(from(3));
    let fours = fours.fold(0_u32, |fours, (((first, second), third), last)| {
        let letters = first & third & 0x80 != 0;
        fours + u32::from(letters & second.is_ascii_digit() & last.is_ascii_digit())
    });
    2 * fours as usize + memchr_iter(0x8f, start).count()
}

/// Bytes of the longest characters.
const LONG_BYTES: usize = 4;

/// Whether there may be a start tag of `name`, in any charset in which ASCII is ASCII.
fn may_have_tag(body: &[u8], name: &[u8]) -> bool {
    memchr_iter(b'<', body).any(|at| {
        let own = body.get(at + 1..at + 1 + name.len());
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// Whether the charset may be one in which ASCII is not ASCII, or in which bytes come to nothing.
fn is_of_wide_charset(
    named: Option<&'static Encoding>,
    body: &[u8],
    telling: Option<usize>,
) -> bool {
    let named = Encoding::for_bom(body).map(|(encoding, _)| encoding).or(named);
    named.map_or_else(
        || may_have_meta(body) || may_be_guessed_wide(body, telling),
        |named| [UTF_16BE, UTF_16LE, ISO_2022_JP].contains(&named),
    )
}

/// Whether a `<meta>` may stand where one is looked for.
fn may_have_meta(body: &[u8]) -> bool {
    may_have_tag(body.get(..charset::META_BYTES_MAX).unwrap_or(body), b"meta")
}

/// ISO-2022-JP has escapes, and no byte that is not ASCII.
fn may_be_guessed_wide(body: &[u8], telling: Option<usize>) -> bool {
    telling.is_some_and(|at| charset::sample(body, at).is_ascii())
}

/// Bytes of 2,000 characters, however they are coded, and of a byte order mark.
const WORDS_BYTES_MAX: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(page: &Page) -> (&str, super::super::CharsetSource, &str, Option<&str>) {
        (page.charset, page.charset_source, &page.text, page.title.as_deref())
    }

    /// Long characters of GB 18030 and EUC-JP, and what ends them early.
    const LONG: [&[u8]; 5] = [b"\x812\x819", b"\x8f\xb0\xa1", b"\xb0\xa1", b"\x81", b"8"];

    #[test]
    fn what_the_start_does_not_tell_is_not_put_off() {
        let late = [&[b' '; 9000][..], "é".repeat(9000).as_bytes()].concat();
        let escaped = |between| [b"<\x1b(B", &vec![b'x'; between][..], b"\x80"].concat();
        let table: [(Option<&str>, &[u8], bool); 13] = [
            (None, b"GIF89a <titl", true),
            (None, b"<html><TITLE>x", false),
            (Some("image/png; charset=utf-16le"), b"<\0t\0i\0t\0l\0e\0", false),
            (Some("image/png; charset=iso-2022-jp"), b"x", false),
            (None, b"\xff\xfe<\0t\0", false),
            (None, b"<\x1b(Btitle>", false),
            (None, b"\x80\x1b(B", true),
            (None, b"<\x1b(B\x80", true),
            (None, &escaped(4092), true),
            (None, &escaped(4093), false),
            (None, b"<meta charset=iso-2022-jp>\x80", false),
            (None, &late, false),
            (None, &late[8000..], true),
        ];
        for (content_type, body, kept) in table {
            let taken = Excerpt::of(content_type, body.to_vec());
            assert_eq!(taken.is_ok(), kept, "{content_type:?} {:?}", &body[..body.len().min(20)]);
            assert!(taken.is_ok() || taken == Err(body.to_vec()), "it is given back");
        }
    }

    #[test]
    fn no_more_is_kept_than_tells() {
        let body = |piece: &[u8]| [&b"\x80\xff"[..], &piece.repeat(10_000)].concat();
        let table: [(Option<&str>, &[u8], usize); 5] = [
            (None, b"\xb0\xa1", 4096),
            (None, b"\xb0\xa1\xb0\xa1 0x81a9b\n", 4096),
            (None, b"\x812\x819", 8192),
            (None, b"\x8f\xb0\xa1", 8192),
            (Some("image/png; charset=gbk"), b"\xb0\xa1", 8192),
        ];
        for (content_type, piece, kept) in table {
            let excerpt = Excerpt::of(content_type, body(piece)).expect("it is put off");
            assert_eq!(excerpt.start.len(), kept, "{piece:x?}");
        }
        let utf8 = Excerpt::of(None, "é".repeat(9_000).into_bytes()).expect("it is put off");
        assert_eq!(utf8.start.len(), 8192);
    }

    proptest! {
        #[test]
        fn an_excerpt_tells_what_the_whole_body_tells(
            content_type in prop::option::of("(text/html|image/png)(; charset=(euc-kr|utf-8|x|gbk|utf-16))?"),
            start in "(|<meta charset=(gbk|shift_jis|windows-1251|iso-2022-jp|utf-16)>)[a-z]{0,40}",
            piece in prop_oneof![
                prop::collection::vec(any::<u8>(), 1..60),
                "(\\PC|[0-9]){1,20}".prop_map(String::into_bytes),
                prop::collection::vec(prop::sample::select(LONG.to_vec()), 1..20)
                    .prop_map(|parts| parts.concat()),
            ],
            times in 0_usize..900,
        ) {
            let body = [start.as_bytes(), &piece.repeat(times)].concat();
            if let Ok(excerpt) = Excerpt::of(content_type.as_deref(), body.clone()) {
                prop_assert!(excerpt.held_bytes() <= Excerpt::BYTES_MAX + 32);
                let whole = Page::read(content_type.as_deref(), &body);
                let read = excerpt.read();
                prop_assert_eq!(told(&read), told(&whole));
                prop_assert_eq!(excerpt.sha256(), text::hex(&Sha256::digest(&body)));
            }
        }
    }
}
