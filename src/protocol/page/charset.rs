//! In which charset a body is written, and how that is known.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memchr;

use super::markup::{Tag, Tags};

/// How a charset was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CharsetSource {
    /// By a byte order mark.
    Bom,
    /// By the `Content-Type` header.
    Header,
    /// By the page's own `<meta>`.
    Meta,
    /// By the bytes.
    Guess,
}

impl CharsetSource {
    /// How a reader is told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bom => "byte order mark",
            Self::Header => "header",
            Self::Meta => "meta",
            Self::Guess => "guessed",
        }
    }
}

/// A charset and how it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) encoding: &'static Encoding,
    pub(super) source: CharsetSource,
}

/// Finds the charset in the order of browsers (Encoding Standard, "decode"; HTML, "encoding
/// sniffing algorithm"): a byte order mark cannot be there by accident, so it goes first. `named` is
/// what the header names.
pub(super) fn find(named: Option<&'static Encoding>, body: &[u8]) -> Found {
    let found = |source| move |encoding| Found { encoding, source };
    let bom = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    bom.map(found(CharsetSource::Bom))
        .or_else(|| named.map(found(CharsetSource::Header)))
        .or_else(|| of_meta(body).map(found(CharsetSource::Meta)))
        .unwrap_or_else(|| found(CharsetSource::Guess)(guess(body)))
}

/// The charset of `text/html; charset="euc-kr"`; `None` where there is none that is known.
pub(super) fn parameter(content_type: &str) -> Option<&'static Encoding> {
    const WORD: &[u8] = b"charset";
    let mut places = content_type.as_bytes().windows(WORD.len());
    let at = places.position(|place| place.eq_ignore_ascii_case(WORD))?;
    let after = content_type.get(at + WORD.len()..)?;
    let label = after.trim_start().strip_prefix('=')?.trim_start();
    let label = label.trim_start_matches(['"', '\'']);
    let end = label.find(['"', '\'', ';', ',', ' ', '\t']).unwrap_or(label.len());
    Encoding::for_label(label.get(..end)?.as_bytes())
}

/// The charset that a `<meta>` in the first bytes names.
fn of_meta(body: &[u8]) -> Option<&'static Encoding> {
    let start = body.get(..META_BYTES_MAX).unwrap_or(body);
    let source = encoding_rs::mem::decode_latin1(start);
    let mut tags = Tags::of(&source);
    let named = std::iter::from_fn(|| tags.next())
        .filter(|tag| tag.is("meta"))
        .find_map(|tag| of_meta_tag(&tag))?;
    // A page whose tags could be read as ASCII is in no such charset.
    Some(if named == UTF_16LE || named == UTF_16BE { UTF_8 } else { named })
}

fn of_meta_tag(tag: &Tag<'_>) -> Option<&'static Encoding> {
    let attributes = tag.attributes();
    match attributes.value("charset") {
        Some(label) => Encoding::for_label(label.trim().as_bytes()),
        None => parameter(&attributes.value("content")?),
    }
}

/// Guesses by the bytes from the first one on that is not plain ASCII: what stands before it is
/// the same in every charset, and a few thousand bytes of a language tell it as well as all do.
fn guess(body: &[u8]) -> &'static Encoding {
    let Some(start) = first_telling(body) else { return UTF_8 };
    let sample = sample(body, start);
    if !sample.is_ascii() && is_utf8(sample) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, false);
    detector.guess(None, Utf8Detection::Allow)
}

/// Where the first byte is that is not the same in every charset.
pub(super) fn first_telling(body: &[u8]) -> Option<usize> {
    let plain = Encoding::ascii_valid_up_to(body);
    let escape = memchr(ESCAPE, body.get(..plain).unwrap_or_default());
    escape.or_else(|| (plain < body.len()).then_some(plain))
}

/// What a guess is made by, if `first_telling` is there.
pub(super) fn sample(body: &[u8], first_telling: usize) -> &[u8] {
    let rest = body.get(first_telling..).unwrap_or_default();
    rest.get(..GUESS_BYTES_MAX).unwrap_or(rest)
}

/// Whether it is UTF-8, a last character that is cut short left aside.
pub(super) fn is_utf8(sample: &[u8]) -> bool {
    std::str::from_utf8(sample).map_or_else(|wrong| wrong.error_len().is_none(), |_| true)
}

/// With it, charsets of seven bits (ISO-2022-JP) change their alphabet.
const ESCAPE: u8 = 0x1b;

/// Bytes that a guess is made by: enough for some thousand characters.
pub(super) const GUESS_BYTES_MAX: usize = 4096;

/// As far as browsers look.
pub(super) const META_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use encoding_rs::EUC_KR;
    use proptest::prelude::*;

    use super::*;

    /// What the detector alone says.
    fn detected(body: &[u8]) -> &'static Encoding {
        let Some(start) = body.iter().position(|byte| !byte.is_ascii() || *byte == ESCAPE) else {
            return UTF_8;
        };
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
        detector.feed(sample(body, start), false);
        detector.guess(None, Utf8Detection::Allow)
    }

    proptest! {
        #[test]
        fn a_guess_is_the_detectors(
            parts in prop::collection::vec(prop_oneof![
                "[ -~]{0,9}".prop_map(String::into_bytes),
                "\\PC{0,9}".prop_map(String::into_bytes),
                Just(b"\x1b$B&)\x1b(B".to_vec()),
                prop::collection::vec(any::<u8>(), 0..4),
            ], 0..6),
            times in 1_usize..300,
        ) {
            let body = parts.concat().repeat(times);
            prop_assert_eq!(guess(&body), detected(&body));
            prop_assert_eq!(guess(&body[body.len() / 3..]), detected(&body[body.len() / 3..]));
        }
    }

    #[test]
    fn a_long_page_is_guessed_by_its_first_words_of_another_alphabet() {
        let words = EUC_KR.encode("경고! 이 웹사이트는 접속할 수 없습니다. ").0.into_owned();
        let page = |before: usize, times: usize| [vec![b' '; before], words.repeat(times)].concat();
        for body in [page(0, 3), page(50_000, 3), page(50_000, 1_000)] {
            assert_eq!(find(None, &body).encoding, EUC_KR);
        }
        let within = |body: &str| !body.is_char_boundary(GUESS_BYTES_MAX);
        let shifted = (0..3).map(|n| "é".repeat(n) + &"접속할수없습니다".repeat(1_000));
        let cut: Vec<_> = shifted.filter(|body| within(body)).collect();
        assert_eq!(cut.len(), 2, "two of three shifts end a sample within a character");
        for body in cut {
            assert_eq!(find(None, body.as_bytes()).encoding, UTF_8);
        }
        assert_eq!(find(None, &[b'a'; 9_000]).encoding, UTF_8);
    }
}
