//! Puts the client's handshake together from its CRYPTO frames (RFC 9000 §19.6).
//!
//! Clients cut their hello into many frames and shuffle them on purpose, so that no box in the
//! path gets used to finding it whole. A hello that comes in one frame is read in place; the parts
//! of others are laid in a buffer until there is no hole left.
//!
//! Bounds: [`BYTES_MAX`] bytes and [`RUNS_MAX`] runs of them; what lies beyond is not taken.

use std::borrow::Cow;
use std::ops::Range;

/// The start of the client's handshake stream, until its first message is whole.
///
/// Invariant: `runs` are the parts of `bytes` that have come, in order, with holes between them.
#[derive(Clone, Default, Debug)]
pub(super) struct Handshake {
    bytes: Vec<u8>,
    runs: Vec<Range<usize>>,
}

/// A handshake message.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u8,
    pub(super) body: Cow<'a, [u8]>,
    /// Whether the body is whole.
    pub(super) complete: bool,
}

impl Handshake {
    /// Takes the bytes at `offset`; gives the first message once it is whole.
    ///
    /// Where bytes were there before, the first ones stand.
    pub(super) fn push<'a>(&mut self, offset: u64, bytes: &'a [u8]) -> Option<Message<'a>> {
        let at = usize::try_from(offset).ok().filter(|at| *at < BYTES_MAX)?;
        if at == 0
            && self.runs.is_empty()
            && let Some(message) = message(bytes).filter(|message| message.complete)
        {
            return Some(message);
        }
        self.lay(at, bytes.get(..BYTES_MAX - at).unwrap_or(bytes));
        message(self.start()).filter(|message| message.complete)?;
        self.take()
    }

    /// Gives what there is of the first message without a hole, and forgets everything.
    pub(super) fn take<'a>(&mut self) -> Option<Message<'a>> {
        let Self { mut bytes, runs } = std::mem::take(self);
        bytes.truncate(first_hole(&runs));
        let Message { kind, body, complete } = message(&bytes)?;
        Some(Message { kind, complete, body: Cow::Owned(body.into_owned()) })
    }

    /// How many bytes are held on the heap.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.capacity() + self.runs.capacity() * size_of::<Range<usize>>()
    }

    /// Lays of `more` into the buffer what was not there yet.
    fn lay(&mut self, at: usize, more: &[u8]) {
        let end = at + more.len();
        let first = self.runs.partition_point(|run| run.end < at);
        let last = self.runs.partition_point(|run| run.start <= end);
        let Some(met) = self.runs.get(first..last) else { return };
        if more.is_empty() || met.is_empty() && self.runs.len() == RUNS_MAX {
            return;
        }
        if end > self.bytes.len() {
            let roomy = end.next_multiple_of(GROWTH_BYTES);
            self.bytes.reserve_exact(roomy - self.bytes.len());
            self.bytes.resize(end, 0);
        }
        let mut from = at;
        let mut whole = at..end;
        for run in met {
            copy(&mut self.bytes, more, at, from..run.start.min(end));
            from = from.max(run.end);
            whole = whole.start.min(run.start)..whole.end.max(run.end);
        }
        copy(&mut self.bytes, more, at, from..end);
        self.runs.splice(first..last, [whole]);
    }

    /// The bytes before the first hole.
    fn start(&self) -> &[u8] {
        self.bytes.get(..first_hole(&self.runs)).unwrap_or_default()
    }
}

fn first_hole(runs: &[Range<usize>]) -> usize {
    runs.first().filter(|run| run.start == 0).map_or(0, |run| run.end)
}

/// Copies `part` of `bytes`, which begin at `at`, to its place in `buffer`; empty parts too.
fn copy(buffer: &mut [u8], bytes: &[u8], at: usize, part: Range<usize>) {
    let source = part.start.checked_sub(at).zip(part.end.checked_sub(at));
    let source = source.and_then(|(from, to)| bytes.get(from..to));
    if let (Some(target), Some(source)) = (buffer.get_mut(part), source) {
        target.copy_from_slice(source);
    }
}

/// The message that `bytes` begin with.
///
/// ```text
/// type 1 | length 3 | body     RFC 8446 §4
/// ```
fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let (&[kind, len @ ..], rest) = bytes.split_first_chunk::<HEAD_LEN>()?;
    let body = rest.get(..body_len(len));
    Some(Message { kind, body: Cow::Borrowed(body.unwrap_or(rest)), complete: body.is_some() })
}

fn body_len(len: [u8; 3]) -> usize {
    let [a, b, c] = len;
    u32::from_be_bytes([0, a, b, c]) as usize
}

const HEAD_LEN: usize = 4;

/// Real hellos have up to 2 KiB, with post-quantum signatures a few more.
pub(super) const BYTES_MAX: usize = 64 << 10;

/// Divides [`BYTES_MAX`]; most hellos fit into one or two.
const GROWTH_BYTES: usize = 2 << 10;

/// A browser that shuffles leaves about 20; only a hello in single bytes comes near.
pub(super) const RUNS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello(len: usize) -> Vec<u8> {
        let head = [1, 0, (len >> 8) as u8, len as u8];
        head.into_iter().chain((0..len).map(|n| (n % 251) as u8)).collect()
    }

    #[test]
    fn a_whole_hello_is_read_in_place() {
        let stream = [hello(300), vec![4; 9]].concat();
        let mut handshake = Handshake::default();
        let message = handshake.push(0, &stream).expect("whole");
        assert!(matches!(message.body, Cow::Borrowed(_)) && message.complete);
        assert_eq!((message.kind, message.body.as_ref()), (1, &stream[4..304]));
        assert_eq!(handshake.held_bytes(), 0);
    }

    #[test]
    fn an_unfinished_hello_is_told_up_to_its_first_hole() {
        let stream = hello(300);
        let mut handshake = Handshake::default();
        for part in [200..304, 0..3, 3..100, 3..3] {
            assert_eq!(handshake.push(part.start as u64, &stream[part]), None);
        }
        let message = handshake.take().expect("a head");
        assert_eq!((message.body.as_ref(), message.complete), (&stream[4..100], false));
        assert_eq!((handshake.take(), handshake.held_bytes()), (None, 0));
    }

    #[test]
    fn the_first_bytes_stand() {
        let mut handshake = Handshake::default();
        handshake.push(1, &[0, 0, 2, 7]);
        let message = handshake.push(0, &[1, 9, 9, 9, 9, 8]).expect("whole");
        assert_eq!(message.body.as_ref(), [7, 8]);
    }

    #[test]
    fn a_hello_in_single_bytes_backwards() {
        let stream = hello(2000);
        let mut handshake = Handshake::default();
        let told = (0..stream.len()).rev().find_map(|at| {
            handshake.push(at as u64, &stream[at..=at]).map(|message| (at, message.complete))
        });
        assert_eq!(told, Some((0, true)));
    }

    #[test]
    fn nothing_grows_beyond_its_bound() {
        let mut handshake = Handshake::default();
        for offset in (0..1 << 20).step_by(3) {
            handshake.push(offset, &[1, 0xff]);
        }
        assert_eq!(handshake.runs.len(), RUNS_MAX);
        for offset in (4..1 << 20).step_by(1000) {
            handshake.push(offset, &[0xff; 1000]);
        }
        assert_eq!(handshake.bytes.capacity(), BYTES_MAX);
        assert!(handshake.held_bytes() <= BYTES_MAX + (RUNS_MAX * size_of::<Range<usize>>()));
        assert_eq!(handshake.push(u64::MAX, &[1]), None);
    }

    proptest! {
        #[test]
        fn cuts_order_and_repeats_do_not_matter(
            len in 0_usize..600,
            cuts in proptest::collection::vec((0_usize..600, 1_usize..200), 0..60),
            turn in any::<prop::sample::Index>(),
        ) {
            let stream = hello(len);
            let mut parts: Vec<_> = cuts
                .iter()
                .map(|(at, len)| (*at.min(&stream.len()), (at + len).min(stream.len())))
                .filter(|(at, end)| at < end)
                .collect();
            // All of it comes in the end, in pieces that straddle those before.
            parts.extend((0..stream.len()).step_by(7).map(|at| (at, (at + 7).min(stream.len()))));
            let turn = turn.index(parts.len());
            parts.rotate_left(turn);
            let mut handshake = Handshake::default();
            let mut told = parts
                .iter()
                .filter_map(|(at, end)| handshake.push(*at as u64, &stream[*at..*end]));
            let message = told.next().expect("whole at the last part at the latest");
            prop_assert!(message.complete);
            prop_assert_eq!(message.body.as_ref(), &stream[4..]);
        }
    }
}
