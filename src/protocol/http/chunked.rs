//! The chunked coding, as it arrives (RFC 9112 §7.1).

use super::HttpMalformed;

/// Where in the chunks the reader is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chunked {
    /// In the line that tells the size.
    Size { size: u64, digits: u8, line: Part, len: u16 },
    /// In the content; bytes left, never 0.
    Content(u64),
    /// In the line end after the content.
    ContentEnd,
    /// In the lines after the last chunk: bytes of the line, of all lines.
    Trailer { line_len: u32, len: u32 },
    /// After the last line.
    Done,
}

/// Which part of the size line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Digits,
    /// Spaces and extensions, which say nothing.
    Rest,
}

impl Chunked {
    pub(super) const START: Self = Self::Size { size: 0, digits: 0, line: Part::Digits, len: 0 };

    /// Takes bytes from `rest`, as long as they are of this message; gives content to `sink`.
    pub(super) fn push(
        &mut self,
        rest: &mut &[u8],
        sink: &mut impl FnMut(&[u8]),
    ) -> Result<(), HttpMalformed> {
        while *self != Self::Done {
            if let Self::Content(left) = *self {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                let (content, after) = rest.split_at_checked(take).unwrap_or((rest, &[]));
                *rest = after;
                if !content.is_empty() {
                    sink(content);
                }
                *self = self.skipped(take as u64);
                if after.is_empty() {
                    return Ok(());
                }
            } else {
                let Some((&byte, after)) = rest.split_first() else { return Ok(()) };
                *rest = after;
                *self = self.step(byte).ok_or(HttpMalformed::Chunk)?;
            }
        }
        Ok(())
    }

    /// How many bytes may be missing here without hiding where the next chunk begins.
    pub(super) const fn skippable(self) -> u64 {
        match self {
            Self::Content(left) => left,
            _ => 0,
        }
    }

    /// After `bytes` of the content, at most as many as are skippable.
    pub(super) const fn skipped(self, bytes: u64) -> Self {
        match self {
            Self::Content(left) if left > bytes => Self::Content(left - bytes),
            Self::Content(_) => Self::ContentEnd,
            other => other,
        }
    }

    /// After one byte that is no content.
    fn step(self, byte: u8) -> Option<Self> {
        match self {
            Self::Size { size, digits, line, len } => {
                if len >= LINE_BYTES_MAX {
                    return None;
                }
                step_size((size, digits), line, len + 1, byte)
            }
            Self::ContentEnd => match byte {
                b'\r' => Some(self),
                b'\n' => Some(Self::START),
                _ => None,
            },
            Self::Trailer { line_len, len } => match byte {
                b'\n' if line_len == 0 => Some(Self::Done),
                _ if len >= TRAILER_BYTES_MAX => None,
                b'\n' => Some(Self::Trailer { line_len: 0, len: len + 1 }),
                b'\r' => Some(Self::Trailer { line_len, len: len + 1 }),
                _ => Some(Self::Trailer { line_len: line_len + 1, len: len + 1 }),
            },
            Self::Content(_) | Self::Done => Some(self),
        }
    }
}

fn step_size((size, digits): (u64, u8), line: Part, len: u16, byte: u8) -> Option<Chunked> {
    match (line, byte) {
        (_, b'\n') => match (digits, size) {
            (0, _) => None,
            (_, 0) => Some(Chunked::Trailer { line_len: 0, len: 0 }),
            _ => Some(Chunked::Content(size)),
        },
        (Part::Rest, _) | (Part::Digits, b'\r' | b';' | b' ' | b'\t') => {
            Some(Chunked::Size { size, digits, line: Part::Rest, len })
        }
        (Part::Digits, _) => {
            let digit = char::from(byte).to_digit(16)?;
            let size = size.checked_mul(16)?.checked_add(u64::from(digit))?;
            let digits = digits.saturating_add(1);
            Some(Chunked::Size { size, digits, line, len })
        }
    }
}

/// Real size lines have ten bytes; extensions are not in use.
const LINE_BYTES_MAX: u16 = 4096;

const TRAILER_BYTES_MAX: u32 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], chunk: usize) -> Result<(String, bool, usize), HttpMalformed> {
        let (mut state, mut content, mut left) = (Chunked::START, Vec::new(), 0);
        for part in bytes.chunks(chunk) {
            let mut rest = part;
            state.push(&mut rest, &mut |bytes| content.extend_from_slice(bytes))?;
            left += rest.len();
        }
        Ok((String::from_utf8(content).unwrap(), state == Chunked::Done, left))
    }

    #[test]
    fn chunks_are_joined() {
        type Read = Result<(&'static str, bool, usize), HttpMalformed>;
        let table: [(&str, Read); 9] = [
            ("3\r\nabc\r\n0\r\n\r\nNEXT", Ok(("abc", true, 4))),
            ("A;x=\"y\"\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\n", Ok(("0123456789", true, 0))),
            ("2 \nab\n1\nc\n0\n\n", Ok(("abc", true, 0))),
            ("5\r\nab", Ok(("ab", false, 0))),
            ("\r\nab", Err(HttpMalformed::Chunk)),
            ("zz\r\n", Err(HttpMalformed::Chunk)),
            ("-1\r\n", Err(HttpMalformed::Chunk)),
            ("1\r\nab", Err(HttpMalformed::Chunk)),
            ("10000000000000000\r\n", Err(HttpMalformed::Chunk)),
        ];
        for (bytes, expected) in table {
            for chunk in [1, 3, usize::MAX] {
                let expected = expected.map(|(text, done, left)| (text.to_owned(), done, left));
                assert_eq!(read(bytes.as_bytes(), chunk), expected, "{bytes:?}");
            }
        }
        let long = vec![b' '; 1 << 20];
        assert_eq!(read(&[b"1", &long[..]].concat(), 1000), Err(HttpMalformed::Chunk));
    }
}
