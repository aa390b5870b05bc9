//! Collects a message's head up to its empty line.

use std::borrow::Cow;

use memchr::memchr_iter;

use super::HttpMalformed;
use crate::protocol::bounded;

/// The head that is being collected.
///
/// Invariant: `kept` is shorter than the limit and holds no empty line; it is empty between
/// messages.
#[derive(Clone, Default, Debug)]
pub(super) struct Collector {
    kept: Vec<u8>,
    line: Line,
}

/// What the last, unfinished line holds so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Line {
    #[default]
    Empty,
    OneCr,
    Text,
}

impl Collector {
    pub(super) fn held_bytes(&self) -> usize {
        self.kept.capacity()
    }

    /// Takes bytes from `rest`; gives the head, its empty line included, when it is whole.
    ///
    /// Line ends before the start line are skipped (RFC 9112 §2.2). `refuse` is asked about the
    /// first [`PREFIX_BYTES`] bytes, as soon and as often as there are more of them.
    pub(super) fn push<'a>(
        &mut self,
        rest: &mut &'a [u8],
        refuse: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Cow<'a, [u8]>>, HttpMalformed> {
        if self.kept.is_empty() {
            let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            *rest = rest.get(blank..).unwrap_or_default();
        }
        let end = self.find_end(rest);
        let (bytes, after) = end.and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, &[]));
        *rest = after;
        if self.is_refused(bytes, refuse) {
            return Err(HttpMalformed::NotHttp);
        }
        if self.kept.len().saturating_add(bytes.len()) > HEAD_BYTES_MAX {
            return Err(HttpMalformed::HeadTooLong);
        }
        if end.is_some() && self.kept.is_empty() {
            return Ok(Some(Cow::Borrowed(bytes)));
        }
        bounded::extend(&mut self.kept, bytes, HEAD_BYTES_MAX);
        Ok(end.map(|_| Cow::Owned(std::mem::take(&mut self.kept))))
    }

    /// Gives the unfinished head, as far as it came.
    pub(super) fn flush(&mut self) -> Vec<u8> {
        self.line = Line::Empty;
        std::mem::take(&mut self.kept)
    }

    /// Where the head ends in `bytes`: after its first empty line.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut start = 0;
        for at in memchr_iter(b'\n', bytes) {
            let line = self.line.with(bytes.get(start..at).unwrap_or_default());
            self.line = Line::Empty;
            start = at + 1;
            if line != Line::Text {
                return Some(start);
            }
        }
        self.line = self.line.with(bytes.get(start..).unwrap_or_default());
        None
    }

    fn is_refused(&self, bytes: &[u8], refuse: impl Fn(&[u8]) -> bool) -> bool {
        if self.kept.len() >= PREFIX_BYTES {
            return false;
        }
        if self.kept.is_empty() {
            let prefix = bytes.get(..PREFIX_BYTES).unwrap_or(bytes);
            return !prefix.is_empty() && refuse(prefix);
        }
        let prefix: Vec<u8> = self.kept.iter().chain(bytes).take(PREFIX_BYTES).copied().collect();
        refuse(&prefix)
    }
}

impl Line {
    fn with(self, more: &[u8]) -> Self {
        match (self, more) {
            (line, []) => line,
            (Self::Empty, b"\r") => Self::OneCr,
            _ => Self::Text,
        }
    }
}

/// How many bytes decide whether this can be HTTP.
pub(super) const PREFIX_BYTES: usize = crate::protocol::PROBE_BYTES_MAX;

/// Servers take 8 to 64 KiB.
pub(super) const HEAD_BYTES_MAX: usize = 64 << 10;
