//! Takes content codings off a body (RFC 9110 §8.4), as far as the bytes go.
//!
//! The bytes come from the network, so what they expand to is capped, and so is the window that
//! they may ask for (RFC 8878 §3.1.1.1.2 advises 8 MiB; brotli has 16 MiB at most).

use std::{
    borrow::Cow,
    io::{self, Read},
};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::Headers;

/// A content coding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Coding {
    /// `gzip` (RFC 1952).
    Gzip,
    /// `deflate`: with the frame of RFC 1950 or, against the rules, without.
    Deflate,
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878).
    Zstd,
    /// One that is not known here.
    Unknown,
}

/// A body without its codings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decoded<'a> {
    /// The bytes; those received where nothing could be decoded.
    pub bytes: Cow<'a, [u8]>,
    /// Whether the coding was cut short or is not what was said.
    pub failed: bool,
    /// Whether there was more than is kept.
    pub capped: bool,
}

/// The codings that a message's headers name, in the order in which they were applied.
pub(super) fn codings(headers: &Headers) -> Vec<Coding> {
    let named = headers.members("content-encoding").chain(headers.members("transfer-encoding"));
    named.filter_map(Coding::of).take(CODINGS_MAX).collect()
}

/// Takes the codings off, the last one first.
pub(super) fn decode<'a>(bytes: &'a [u8], codings: &[Coding]) -> Decoded<'a> {
    let mut decoded = Decoded { bytes: Cow::Borrowed(bytes), failed: false, capped: false };
    for coding in codings.iter().rev() {
        let step = coding.decode(&decoded.bytes);
        decoded.failed |= step.failed;
        // A server that names a coding and sends plain text is a known sight.
        if step.bytes.is_empty() && step.failed {
            break;
        }
        decoded.capped |= step.capped;
        decoded.bytes = Cow::Owned(step.bytes);
    }
    decoded
}

impl Coding {
    fn of(name: &str) -> Option<Self> {
        const NAMES: [(&str, Option<Coding>); 7] = [
            ("identity", None),
            ("chunked", None),
            ("gzip", Some(Coding::Gzip)),
            ("x-gzip", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("br", Some(Coding::Brotli)),
            ("zstd", Some(Coding::Zstd)),
        ];
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map_or(Some(Self::Unknown), |(_, coding)| *coding)
    }

    fn decode(self, bytes: &[u8]) -> Step {
        match self {
            Self::Gzip => read_capped(MultiGzDecoder::new(bytes)),
            Self::Deflate if has_zlib_frame(bytes) => read_capped(ZlibDecoder::new(bytes)),
            Self::Deflate => read_capped(DeflateDecoder::new(bytes)),
            Self::Brotli => read_capped(brotli::Decompressor::new(bytes, READ_BYTES)),
            Self::Zstd => zstd_decoder(bytes).map_or_else(|_| Step::FAILED, read_capped),
            Self::Unknown => Step::FAILED,
        }
    }
}

struct Step {
    bytes: Vec<u8>,
    failed: bool,
    capped: bool,
}

impl Step {
    const FAILED: Self = Self { bytes: Vec::new(), failed: true, capped: false };
}

fn zstd_decoder(bytes: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// Method 8 and a header that is divisible by 31 (RFC 1950 §2.2).
fn has_zlib_frame(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|&[method, flags]| {
        method & 15 == 8 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
    })
}

/// Reads until the end, a mistake or the cap; what came before a mistake counts.
fn read_capped(mut reader: impl Read) -> Step {
    let mut step = Step { bytes: Vec::new(), failed: false, capped: false };
    let mut buffer = [0; READ_BYTES];
    while step.bytes.len() < DECODED_BYTES_MAX {
        match reader.read(&mut buffer) {
            Ok(0) => return step,
            Ok(len) => step.bytes.extend_from_slice(buffer.get(..len).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                step.failed = true;
                return step;
            }
        }
    }
    step.bytes.truncate(DECODED_BYTES_MAX);
    step.capped = true;
    step
}

/// How many bytes a body may expand to.
pub const DECODED_BYTES_MAX: usize = 256 << 10;

/// More than one is rare, more than two unheard of.
const CODINGS_MAX: usize = 4;

const READ_BYTES: usize = 4096;

const ZSTD_WINDOW_LOG_MAX: u32 = 23;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn coded(coding: Coding, plain: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                out.write_all(plain).unwrap();
                out.finish().unwrap()
            }
            Coding::Deflate => {
                let mut out =
                    flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                out.write_all(plain).unwrap();
                out.finish().unwrap()
            }
            Coding::Brotli => {
                let mut out = Vec::new();
                brotli::CompressorReader::new(plain, 4096, 5, 22).read_to_end(&mut out).unwrap();
                out
            }
            Coding::Zstd => zstd::stream::encode_all(plain, 3).unwrap(),
            Coding::Unknown => plain.to_vec(),
        }
    }

    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    /// Text that does not shrink to nothing.
    fn page() -> Vec<u8> {
        (0..4000u32).map(|i| b'a' + (i.wrapping_mul(2_654_435_761) >> 20) as u8 % 26).collect()
    }

    #[test]
    fn whole_bodies_are_decoded() {
        for coding in ALL {
            let bytes = coded(coding, &page());
            let decoded = decode(&bytes, &[coding]);
            assert_eq!(decoded.bytes, page(), "{coding:?}");
            assert!(!decoded.failed && !decoded.capped);
        }
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(&page()).unwrap();
        assert_eq!(decode(&raw.finish().unwrap(), &[Coding::Deflate]).bytes, page());
        let twice = coded(Coding::Brotli, &coded(Coding::Gzip, &page()));
        assert_eq!(decode(&twice, &[Coding::Gzip, Coding::Brotli]).bytes, page());
    }

    #[test]
    fn the_start_of_a_cut_body_is_decoded() {
        let long = page().repeat(30);
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli] {
            let bytes = coded(coding, &long);
            let decoded = decode(&bytes[..bytes.len() - 9], &[coding]);
            assert!(decoded.failed && decoded.bytes.len() > 1000, "{coding:?}");
            assert!(long.starts_with(&decoded.bytes));
        }
    }

    #[test]
    fn plain_bytes_that_claim_a_coding_are_left() {
        for coding in [Coding::Gzip, Coding::Zstd, Coding::Unknown] {
            let decoded = decode(b"<html>blocked</html>", &[coding]);
            assert_eq!((&decoded.bytes[..], decoded.failed), (&b"<html>blocked</html>"[..], true));
        }
    }

    #[test]
    fn bombs_are_capped() {
        for coding in ALL {
            let bytes = coded(coding, &vec![0; 8 << 20]);
            let decoded = decode(&bytes, &[coding]);
            assert_eq!((decoded.bytes.len(), decoded.capped), (DECODED_BYTES_MAX, true));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(
            bytes: Vec<u8>,
            codings in proptest::collection::vec(prop::sample::select(ALL.to_vec()), 0..4),
        ) {
            prop_assert!(decode(&bytes, &codings).bytes.len() <= DECODED_BYTES_MAX);
        }

        #[test]
        fn damaged_codings_are_survived(
            coding in prop::sample::select(ALL.to_vec()),
            at: prop::sample::Index,
            byte: u8,
        ) {
            let mut bytes = coded(coding, &page());
            let place = at.index(bytes.len());
            bytes[place] = byte;
            prop_assert!(decode(&bytes, &[coding]).bytes.len() <= DECODED_BYTES_MAX);
        }
    }
}
