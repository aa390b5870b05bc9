//! Joins the fragments of records to handshake messages (RFC 8446 §4, §5.1).
//!
//! A hello with post-quantum keys spans two segments and now and then two records; one that
//! evades a filter is cut into many records. A message that lies in one fragment is handed on in
//! place; only a cut one is copied, up to the limit of its kind.

use std::borrow::Cow;

use crate::protocol::bounded;

/// Which message, as far as the reader cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    ClientHello,
    /// The hello of SSL 2.0, which has no message header.
    ClientHelloV2,
    ServerHello,
    Certificate,
    /// Of no interest, only its length counts.
    Other,
    /// A number that no registry knows.
    Unknown,
}

impl Kind {
    const fn of(byte: u8) -> Self {
        match byte {
            1 => Self::ClientHello,
            2 => Self::ServerHello,
            11 => Self::Certificate,
            0 | 3..=6 | 8 | 12..=16 | 20..=26 | 67 | 254 => Self::Other,
            _ => Self::Unknown,
        }
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::ClientHello | Self::ClientHelloV2 | Self::ServerHello => HELLO_BYTES_MAX,
            Self::Certificate => CERTIFICATE_BYTES_MAX,
            Self::Other | Self::Unknown => 0,
        }
    }
}

/// A handshake message without its header.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: Kind,
    pub(super) body: Cow<'a, [u8]>,
    /// Whether the body is whole: not cut by the end, by missing bytes or by the limit.
    pub(super) complete: bool,
}

impl Message<'_> {
    /// Whether a hello may be as long.
    pub(super) fn is_hello_sized(&self) -> bool {
        self.complete && self.body.len() >= HELLO_BYTES_MIN
    }
}

/// The message that is being put together.
///
/// Invariant: `kept` is the start of the body without a hole, and never longer than the limit of
/// its kind.
#[derive(Clone, Default, Debug)]
pub(super) struct Joiner {
    head: [u8; 4],
    head_len: u8,
    body: Option<Body>,
    kept: Vec<u8>,
    /// Missing bytes hide where the next message begins.
    lost: bool,
}

#[derive(Clone, Copy, Debug)]
struct Body {
    kind: Kind,
    len: u32,
    remaining: u32,
    /// Bytes were not kept: a hole, or the limit was reached.
    cut: bool,
}

impl Joiner {
    /// The message that has begun: its kind, and whether a hello may be as long.
    pub(super) fn begun(&self) -> Option<(Kind, bool)> {
        self.body.map(|body| {
            let sizes = HELLO_BYTES_MIN..=HELLO_BYTES_MAX;
            (body.kind, sizes.contains(&(body.len as usize)))
        })
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.kept.capacity()
    }

    /// Takes bytes from `fragment`; gives the next message that is finished by them.
    pub(super) fn push<'a>(&mut self, fragment: &mut &'a [u8]) -> Option<Message<'a>> {
        if self.lost {
            return None;
        }
        let mut body = match self.body {
            Some(body) => body,
            None => self.start(fragment)?,
        };
        let take = fragment.len().min(body.remaining as usize);
        let (bytes, rest) = fragment.split_at_checked(take)?;
        *fragment = rest;
        body.remaining -= take as u32;
        if body.remaining == 0 && self.kept.is_empty() && !body.cut {
            return Some(self.finish_in_place(body, bytes));
        }
        self.keep(&mut body, bytes);
        self.body = Some(body);
        if body.remaining == 0 { self.finish() } else { None }
    }

    /// `missing` bytes of the record are not there; gives the message that ended within them.
    pub(super) fn gap(&mut self, missing: usize) -> Option<Message<'static>> {
        match &mut self.body {
            Some(body) if body.remaining as usize >= missing => {
                body.remaining -= missing as u32;
                body.cut = true;
                if body.remaining == 0 { self.finish() } else { None }
            }
            _ => {
                let message = self.flush();
                self.lost = true;
                message
            }
        }
    }

    /// Gives the unfinished message, as far as it came.
    pub(super) fn flush(&mut self) -> Option<Message<'static>> {
        if let Some(body) = &mut self.body {
            body.cut = true;
        }
        self.head_len = 0;
        self.finish()
    }

    /// Begins the hello of SSL 2.0, `len` bytes long, of which `first` came with the header.
    pub(super) fn start_sslv2(&mut self, len: u16, first: [u8; 3]) {
        let (kind, len) = (Kind::ClientHelloV2, u32::from(len));
        let remaining = len.saturating_sub(first.len() as u32);
        self.kept = first.to_vec();
        self.body = Some(Body { kind, len, remaining, cut: false });
    }

    fn start(&mut self, fragment: &mut &[u8]) -> Option<Body> {
        if self.head_len == 0
            && let Some((head, after)) = fragment.split_first_chunk()
        {
            *fragment = after;
            return Some(self.begin(*head));
        }
        while let Some(free) = self.head.get_mut(usize::from(self.head_len)) {
            let (&first, after) = fragment.split_first()?;
            *free = first;
            *fragment = after;
            self.head_len += 1;
        }
        self.head_len = 0;
        Some(self.begin(self.head))
    }

    fn begin(&mut self, [kind, a, b, c]: [u8; 4]) -> Body {
        let len = u32::from_be_bytes([0, a, b, c]);
        let body = Body { kind: Kind::of(kind), len, remaining: len, cut: false };
        self.body = Some(body);
        body
    }

    fn keep(&mut self, body: &mut Body, bytes: &[u8]) {
        if body.cut {
            return;
        }
        body.cut = !bounded::extend(&mut self.kept, bytes, body.kind.bytes_max());
    }

    fn finish_in_place<'a>(&mut self, body: Body, bytes: &'a [u8]) -> Message<'a> {
        self.body = None;
        let kept = bytes.get(..body.kind.bytes_max()).unwrap_or(bytes);
        let complete = kept.len() == bytes.len();
        Message { kind: body.kind, body: Cow::Borrowed(kept), complete }
    }

    fn finish(&mut self) -> Option<Message<'static>> {
        let body = self.body.take()?;
        let kept = std::mem::take(&mut self.kept);
        Some(Message { kind: body.kind, body: Cow::Owned(kept), complete: !body.cut })
    }
}

/// Real hellos have up to 2 KiB, with post-quantum signatures a few more.
const HELLO_BYTES_MAX: usize = 64 << 10;

/// Version, random, and the length of an empty session identifier.
const HELLO_BYTES_MIN: usize = 35;

/// Real chains have 2 to 8 KiB; the longest seen in test captures has about 100 KiB.
const CERTIFICATE_BYTES_MAX: usize = 128 << 10;
