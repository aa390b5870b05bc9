//! How long a message's body is (RFC 9112 §6).

use super::{Headers, HttpMalformed, chunked::Chunked};

/// How the end of a body is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    /// By its length; bytes left.
    Length(u64),
    /// By its last chunk.
    Chunked(Chunked),
    /// By the end of the connection.
    UntilClose,
}

impl Framing {
    pub(super) const EMPTY: Self = Self::Length(0);

    /// Of a request: no length means no body (RFC 9112 §6.3, points 3 to 6).
    pub(super) fn of_request(headers: &Headers) -> Result<Self, HttpMalformed> {
        match (last_transfer_coding(headers), Stated::of(headers)) {
            (Some(coding), _) if is_chunked(coding) => Ok(Self::Chunked(Chunked::START)),
            (Some(_), _) | (None, Stated::Nonsense) => Err(HttpMalformed::BodyLength),
            (None, Stated::Length(len)) => Ok(Self::Length(len)),
            (None, Stated::Nothing) => Ok(Self::EMPTY),
        }
    }

    /// Of a response that may have a body: no length, or an unreadable one, means until close.
    pub(super) fn of_response(headers: &Headers) -> Self {
        match (last_transfer_coding(headers), Stated::of(headers)) {
            (Some(coding), _) if is_chunked(coding) => Self::Chunked(Chunked::START),
            (None, Stated::Length(len)) => Self::Length(len),
            _ => Self::UntilClose,
        }
    }

    pub(super) const fn is_done(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunked::Done))
    }

    /// Takes bytes from `rest`, as long as they are of this body; gives content to `sink`.
    pub(super) fn push(
        &mut self,
        rest: &mut &[u8],
        sink: &mut impl FnMut(&[u8]),
    ) -> Result<(), HttpMalformed> {
        let take = match self {
            Self::Chunked(chunked) => return chunked.push(rest, sink),
            Self::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                *left -= take as u64;
                take
            }
            Self::UntilClose => rest.len(),
        };
        let (content, after) = rest.split_at_checked(take).unwrap_or((rest, &[]));
        *rest = after;
        if !content.is_empty() {
            sink(content);
        }
        Ok(())
    }

    /// `missing` bytes are not there; whether it is still known where the body ends.
    pub(super) fn gap(&mut self, missing: u64) -> bool {
        match self {
            Self::Length(left) if *left >= missing => *left -= missing,
            Self::Chunked(chunked) if chunked.skippable() >= missing => {
                *chunked = chunked.skipped(missing);
            }
            Self::UntilClose => {}
            _ => return false,
        }
        true
    }
}

fn last_transfer_coding(headers: &Headers) -> Option<&str> {
    let named = headers.members("transfer-encoding");
    named.filter(|coding| !coding.eq_ignore_ascii_case("identity")).last()
}

const fn is_chunked(coding: &str) -> bool {
    coding.eq_ignore_ascii_case("chunked")
}

/// What the `Content-Length` lines say (RFC 9112 §6.3, point 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stated {
    Nothing,
    Length(u64),
    /// No number, or several that differ.
    Nonsense,
}

impl Stated {
    fn of(headers: &Headers) -> Self {
        headers.members("content-length").map(Self::read).fold(Self::Nothing, |agreed, next| {
            match agreed {
                Self::Nothing => next,
                same if same == next => same,
                _ => Self::Nonsense,
            }
        })
    }

    fn read(text: &str) -> Self {
        // `parse` alone would take a plus sign.
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number.map_or(Self::Nonsense, Self::Length)
    }
}
