//! In which charset a body is written, and how that is known.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

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
/// sniffing algorithm"): a byte order mark cannot be there by accident, so it goes first.
pub(super) fn find(content_type: Option<&str>, body: &[u8]) -> Found {
    let found = |source| move |encoding| Found { encoding, source };
    let bom = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    bom.map(found(CharsetSource::Bom))
        .or_else(|| content_type.and_then(parameter).map(found(CharsetSource::Header)))
        .or_else(|| of_meta(body).map(found(CharsetSource::Meta)))
        .unwrap_or_else(|| found(CharsetSource::Guess)(guess(body)))
}

/// The charset of `text/html; charset="euc-kr"`; `None` where there is none that is known.
pub(super) fn parameter(content_type: &str) -> Option<&'static Encoding> {
    let lower = content_type.to_ascii_lowercase();
    let (_, after) = lower.split_once("charset")?;
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
        .filter(|tag| tag.name() == "meta")
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
    let rest = body.get(start..).unwrap_or_default();
    let sample = rest.get(..GUESS_BYTES_MAX).unwrap_or(rest);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, false);
    detector.guess(None, Utf8Detection::Allow)
}

/// Where the first byte is that is not the same in every charset.
pub(super) fn first_telling(body: &[u8]) -> Option<usize> {
    body.iter().position(|byte| !byte.is_ascii() || *byte == ESCAPE)
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

    use super::*;

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
