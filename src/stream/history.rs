//! What is remembered of delivered bytes, as far as [`Retention`] asks for it.

use super::comparison::Comparison;
use super::digests::Digests;
use super::window::Window;
use super::{Chunk, Retention, StreamSink};
use crate::wire::{FrameId, prefetch};

/// The memory of a direction; nothing is allocated before the first byte.
pub(super) enum History {
    Nothing,
    Digests(Digests),
    Bytes(u32, Option<Box<Window>>),
}

impl History {
    pub(super) fn prefetch(&self) {
        match self {
            Self::Nothing => {}
            Self::Digests(digests) => digests.prefetch(),
            Self::Bytes(_, window) => window.as_deref().into_iter().for_each(prefetch),
        }
    }

    pub(super) fn prefetch_leaves(&self) {
        if let Self::Bytes(_, Some(window)) = self {
            window.prefetch();
        }
    }

    /// Changes what is remembered from now on, and keeps of the past what the new form can hold.
    pub(super) fn retain(&mut self, retention: Retention) {
        if matches!((retention, &*self), (Retention::Digests, Self::Digests(_))) {
            return;
        }
        let past = std::mem::replace(self, Self::Nothing);
        *self = match (retention, past) {
            (Retention::Nothing | Retention::Bytes(0), _) => Self::Nothing,
            (Retention::Digests, Self::Bytes(_, Some(window))) => {
                let mut digests = Digests::default();
                window.last_pieces(Digests::PIECES, |chunk| digests.remember(chunk));
                Self::Digests(digests)
            }
            (Retention::Digests, _) => Self::Digests(Digests::default()),
            (Retention::Bytes(bytes_max), Self::Bytes(_, Some(mut window))) => {
                window.shrink(bytes_max);
                Self::Bytes(bytes_max, Some(window))
            }
            (Retention::Bytes(bytes_max), _) => Self::Bytes(bytes_max, None),
        };
    }

    /// Remembers a delivered chunk.
    pub(super) fn remember(&mut self, chunk: Chunk<'_>, pieces_max: u16) {
        match self {
            Self::Nothing => {}
            Self::Digests(digests) => digests.remember(chunk),
            Self::Bytes(bytes_max, window) => {
                window.get_or_insert_default().remember(chunk, *bytes_max, pieces_max);
            }
        }
    }

    /// Compares what the piece has below `edge`, and counts the rest of that as unknown.
    pub(super) fn compare<S>(&self, edge: u64, comparison: &mut Comparison<'_, '_, S>)
    where
        S: StreamSink + ?Sized,
    {
        let to = comparison.piece.captured_end().min(edge);
        let below = to.saturating_sub(comparison.piece.start);
        if below == 0 {
            return;
        }
        match self {
            Self::Digests(digests) => digests.compare(to, comparison),
            Self::Bytes(_, Some(window)) => window.compare(to, comparison),
            Self::Nothing | Self::Bytes(_, None) => {}
        }
        comparison.tally.unknown += below.saturating_sub(comparison.tally.compared());
    }

    pub(super) fn frame_of(&self, offset: u64) -> Option<FrameId> {
        match self {
            Self::Digests(digests) => digests.frame_of(offset),
            Self::Bytes(_, Some(window)) => window.frame_of(offset),
            Self::Nothing | Self::Bytes(_, None) => None,
        }
    }

    /// Heap bytes.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Digests(digests) => digests.memory(),
            Self::Bytes(_, Some(window)) => window.memory(),
            Self::Nothing | Self::Bytes(_, None) => 0,
        }
    }
}
