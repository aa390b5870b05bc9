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
    content_type: Option<Box<str>>,
    start: Box<[u8]>,
    /// Digest of the whole body, where `start` is not all of it.
    sha256: Option<[u8; 32]>,
}

impl Excerpt {
    /// Bytes kept: 2,000 characters, however they are coded, and what a charset is guessed by.
    pub const BYTES_MAX: usize = 12 << 10;

    /// Takes the start of `body`; `None` where that would not tell what [`Page::read`] tells of all
    /// of it.
    pub fn of(content_type: Option<&str>, body: &[u8]) -> Option<Self> {
        let kept = body.get(..Self::BYTES_MAX).unwrap_or(body);
        let tells = !may_have_tag(body, b"title")
            && !is_of_wide_charset(content_type, body)
            && (kept.len() == body.len() || charset::first_telling(kept).is_some_and(is_early));
        tells.then(|| Self {
            content_type: content_type.map(Box::from),
            start: kept.into(),
            sha256: (kept.len() < body.len()).then(|| Sha256::digest(body).into()),
        })
    }

    /// Bytes held on the heap.
    pub fn held_bytes(&self) -> usize {
        self.start.len() + self.content_type.as_ref().map_or(0, |told| told.len())
    }

    /// SHA-256 of the whole body, in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        text::hex(&self.sha256.unwrap_or_else(|| Sha256::digest(&self.start).into()))
    }

    /// Reads it. Charset, title and text are those of the whole body.
    pub fn read(&self) -> Page {
        Page::read(self.content_type.as_deref(), &self.start)
    }
}

/// Whether all that a charset is guessed by lies within what is kept.
fn is_early(first_telling: usize) -> bool {
    first_telling + charset::GUESS_BYTES_MAX <= Excerpt::BYTES_MAX
}

/// Whether there may be a start tag of `name`, in any charset in which ASCII is ASCII.
fn may_have_tag(body: &[u8], name: &[u8]) -> bool {
    memchr_iter(b'<', body).any(|at| {
        let own = body.get(at + 1..at + 1 + name.len());
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// Whether the charset may be one in which ASCII is not ASCII, or in which bytes come to nothing.
fn is_of_wide_charset(content_type: Option<&str>, body: &[u8]) -> bool {
    let named = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    let named = named.or_else(|| content_type.and_then(charset::parameter));
    named.map_or_else(
        || may_have_meta(body) || may_be_guessed_wide(body),
        |named| [UTF_16BE, UTF_16LE, ISO_2022_JP].contains(&named),
    )
}

/// Whether a `<meta>` may stand where one is looked for.
fn may_have_meta(body: &[u8]) -> bool {
    may_have_tag(body.get(..charset::META_BYTES_MAX).unwrap_or(body), b"meta")
}

/// ISO-2022-JP has escapes, and no byte that is not ASCII.
fn may_be_guessed_wide(body: &[u8]) -> bool {
    charset::first_telling(body).and_then(|at| body.get(at)).is_some_and(u8::is_ascii)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(page: &Page) -> (&str, super::super::CharsetSource, &str, Option<&str>) {
        (page.charset, page.charset_source, &page.text, page.title.as_deref())
    }

    #[test]
    fn what_the_start_does_not_tell_is_not_put_off() {
        let late = [&[b' '; 9000][..], "é".repeat(9000).as_bytes()].concat();
        let table: [(Option<&str>, &[u8], bool); 10] = [
            (None, b"GIF89a <titl", true),
            (None, b"<html><TITLE>x", false),
            (Some("image/png; charset=utf-16le"), b"<\0t\0i\0t\0l\0e\0", false),
            (Some("image/png; charset=iso-2022-jp"), b"x", false),
            (None, b"\xff\xfe<\0t\0", false),
            (None, b"<\x1b(Btitle>", false),
            (None, b"\x80\x1b(B", true),
            (None, b"<meta charset=iso-2022-jp>\x80", false),
            (None, &late, false),
            (None, &late[8000..], true),
        ];
        for (content_type, body, kept) in table {
            assert_eq!(Excerpt::of(content_type, body).is_some(), kept, "{content_type:?}");
        }
    }

    proptest! {
        #[test]
        fn an_excerpt_tells_what_the_whole_body_tells(
            content_type in prop::option::of("(text/html|image/png)(; charset=(euc-kr|utf-8|x|gbk|utf-16))?"),
            start in "(|<meta charset=(gbk|shift_jis|windows-1251|iso-2022-jp|utf-16)>)[a-z]{0,40}",
            piece in prop::collection::vec(any::<u8>(), 1..60),
            times in 0_usize..900,
        ) {
            let body = [start.as_bytes(), &piece.repeat(times)].concat();
            if let Some(excerpt) = Excerpt::of(content_type.as_deref(), &body) {
                let whole = Page::read(content_type.as_deref(), &body);
                let read = excerpt.read();
                prop_assert_eq!(told(&read), told(&whole));
                prop_assert_eq!(excerpt.sha256(), text::hex(&Sha256::digest(&body)));
            }
        }
    }
}
