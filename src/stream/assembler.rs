//! The assembler of one direction.

use super::comparison::{Comparison, Tally};
use super::digests::Digests;
use super::history::History;
use super::pending::Pending;
use super::piece::Placed;
use super::{
    Chunk, Gap, GapReason, Limits, Piece, PushOutcome, Retention, Statistics, StreamOffset,
    StreamSink,
};
use crate::wire::{FrameId, SeqNumber};

/// Puts the bytes of one direction in order, and finds every disagreement about them.
///
/// It starts with [`Retention::Digests`]. A direction in order holds this value and a list of at most
/// 400 bytes; with [`Retention::Nothing`] not even that.
pub struct Assembler {
    /// Offset up to which all is delivered or declared missing.
    edge: u64,
    /// What the peer's last acknowledgment claims to have received; of no weight at the edge or
    /// below.
    claim: u64,
    pending: Option<Box<Pending>>,
    history: History,
    gap_bytes: u64,
    retransmitted: u64,
    overlaps: u32,
    overlaps_unreported: u32,
    out_of_window: u32,
    limit_gaps: u32,
    limits: Limits,
    /// The sequence number of offset 0.
    base: SeqNumber,
    anchored: bool,
}

impl Assembler {
    /// How far before the first byte a piece may begin and still be taken for a reordered start.
    const BEFORE_START_MAX: i64 = 256 * 1024;
    /// No segment has more, offload or not.
    const PLAIN_MAX: usize = 1 << 20;
    /// How far before or beyond the edge anything may lie: half of what can be told apart.
    const AHEAD_MAX: i64 = Limits::WINDOW_MAX as i64;

    /// An assembler that has seen nothing.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            edge: 0,
            claim: 0,
            pending: None,
            history: History::Digests(Digests::default()),
            gap_bytes: 0,
            retransmitted: 0,
            overlaps: 0,
            overlaps_unreported: 0,
            out_of_window: 0,
            limit_gaps: 0,
            limits,
            base: SeqNumber::default(),
            anchored: false,
        }
    }

    /// Sets the sequence number of offset 0: the one after the SYN.
    ///
    /// Without it, the first piece with payload sets it. Has no effect, and returns false, once
    /// anything was delivered, declared missing or kept.
    pub fn anchor(&mut self, first_payload_seq: SeqNumber) -> bool {
        let untouched = self.edge == 0 && self.pending.is_none();
        if untouched {
            self.base = first_payload_seq;
            self.anchored = true;
        }
        untouched
    }

    /// Whether offset 0 is known.
    pub const fn is_anchored(&self) -> bool {
        self.anchored
    }

    /// The sequence number of the next byte to deliver.
    pub const fn next_expected(&self) -> Option<SeqNumber> {
        if self.anchored { Some(self.next_seq()) } else { None }
    }

    /// The offset of the next byte to deliver: all before it was delivered or declared missing.
    pub const fn delivered(&self) -> StreamOffset {
        StreamOffset(self.edge)
    }

    /// Whether bytes wait behind a hole.
    pub const fn has_hole(&self) -> bool {
        self.pending.is_some()
    }

    /// The offset that `seq` stands for, nearest to the delivered edge; `None` before the start.
    pub fn offset_of(&self, seq: SeqNumber) -> Option<StreamOffset> {
        let ahead = i64::from(seq.distance_from(self.next_seq()));
        let offset = self.edge.checked_add_signed(ahead).map(StreamOffset);
        offset.filter(|_| self.anchored)
    }

    /// The sequence number of `offset`; `None` without an anchor.
    pub const fn seq_of(&self, offset: StreamOffset) -> Option<SeqNumber> {
        if self.anchored { Some(self.base.plus(offset.0 as u32)) } else { None }
    }

    /// Narrows or widens the window to what the receiver advertised; see [`Limits::window`].
    pub fn set_window(&mut self, window: u32) {
        self.limits.window = window;
    }

    /// Changes what is remembered of delivered bytes; the past is kept as far as the new form
    /// can hold it.
    pub fn retain(&mut self, retention: Retention) {
        self.history.retain(retention);
    }

    /// Prefetches what is remembered of delivered bytes.
    pub fn prefetch(&self) {
        self.history.prefetch();
    }

    /// Prefetches what that points to.
    pub fn prefetch_leaves(&self) {
        self.history.prefetch_leaves();
    }

    /// Takes one piece, and gives the sink what became known by it.
    #[inline]
    pub fn push(&mut self, piece: Piece<'_>, sink: &mut (impl StreamSink + ?Sized)) -> PushOutcome {
        if self.follows(&piece) {
            let (offset, bytes) = (StreamOffset(self.edge), piece.bytes);
            self.deliver(Chunk { offset, bytes, frame: piece.frame, time: piece.time }, sink);
            return PushOutcome::InOrder;
        }
        self.push_odd(piece, sink)
    }

    /// Whether a piece is what nearly all are: whole, the next in order, with nothing in doubt before
    /// it and nothing waiting behind.
    #[inline]
    fn follows(&self, piece: &Piece<'_>) -> bool {
        let plain = piece.bytes.len() > 1 && piece.bytes.len() <= Self::PLAIN_MAX;
        plain
            && piece.bytes.len() as u64 == u64::from(piece.wire_len)
            && self.anchored
            && self.pending.is_none()
            && piece.seq == self.next_seq()
            && self.claim <= self.edge
    }

    fn push_odd(&mut self, piece: Piece<'_>, sink: &mut (impl StreamSink + ?Sized)) -> PushOutcome {
        if !self.anchored && piece.len() > 0 {
            self.anchor(piece.seq);
        }
        let placed = match self.place(&piece) {
            Ok(placed) => placed,
            Err(outcome) => {
                let strange = u32::from(outcome == PushOutcome::OutOfWindow);
                self.out_of_window = self.out_of_window.saturating_add(strange);
                return outcome;
            }
        };
        self.skip_acknowledged(placed.start, sink);
        let edge = self.edge;
        if placed.start == edge && placed.is_whole() && self.pending.is_none() {
            self.pass(&placed, sink);
            return PushOutcome::InOrder;
        }
        let mut comparison = Comparison::new(placed, self.limits.overlaps_per_push, sink);
        self.history.compare(edge, &mut comparison);
        if placed.start > edge {
            self.keep(&mut comparison);
        } else {
            self.advance(&mut comparison);
        }
        let tally = comparison.tally;
        self.count(&tally);
        tally.outcome(&placed, edge)
    }

    /// Learns that the peer acknowledged all before `ack`.
    ///
    /// A hole below `ack` was filled on the wire, and the capture lacks it: it is given up, but
    /// never beyond the first byte that waits behind it, because an acknowledgment can be forged.
    /// Where nothing waits, the claim is remembered until the next piece. It then justifies a gap
    /// up to that piece; it is dropped when the piece fills the hole after all, or when the next
    /// acknowledgment says otherwise.
    pub fn acknowledged(&mut self, ack: SeqNumber, sink: &mut (impl StreamSink + ?Sized)) {
        if !self.anchored {
            return;
        }
        let ahead = i64::from(ack.distance_from(self.next_seq()));
        if ahead > self.window() {
            return;
        }
        self.claim = self.edge.saturating_add_signed(ahead);
        while let Some(first) = self.first_pending().filter(|_| self.claim > self.edge) {
            self.declare(self.claim.min(first), GapReason::MissingFromCapture, sink);
            self.drain(0, sink);
        }
    }

    /// Ends the stream: gives up all holes and delivers what waits behind them.
    pub fn flush(&mut self, sink: &mut (impl StreamSink + ?Sized)) {
        while let Some(first) = self.first_pending() {
            self.declare(first, GapReason::Unfilled, sink);
            self.drain(0, sink);
        }
    }

    /// The frame that brought the byte at `offset`, as far as it is remembered.
    pub fn frame_of(&self, offset: StreamOffset) -> Option<FrameId> {
        let pending = self.pending.as_ref().and_then(|pending| pending.frame_of(offset.0));
        pending.or_else(|| self.history.frame_of(offset.0))
    }

    /// What has come of the stream so far.
    pub const fn statistics(&self) -> Statistics {
        Statistics {
            delivered: self.edge.saturating_sub(self.gap_bytes),
            gap_bytes: self.gap_bytes,
            retransmitted: self.retransmitted,
            overlaps: self.overlaps,
            overlaps_unreported: self.overlaps_unreported,
            out_of_window: self.out_of_window,
            limit_gaps: self.limit_gaps,
        }
    }

    /// Bytes of memory held, this value included.
    pub fn memory(&self) -> usize {
        let pending = self.pending.as_ref().map_or(0, |pending| pending.memory());
        size_of::<Self>() + pending + self.history.memory()
    }

    const fn next_seq(&self) -> SeqNumber {
        self.base.plus(self.edge as u32)
    }

    fn window(&self) -> i64 {
        i64::from(self.limits.window).min(Self::AHEAD_MAX)
    }

    fn first_pending(&self) -> Option<u64> {
        self.pending.as_ref().and_then(|pending| pending.first_start())
    }

    /// Finds the piece's place, or says why it has none.
    fn place<'a>(&self, piece: &Piece<'a>) -> Result<Placed<'a>, PushOutcome> {
        let len = i64::from(piece.len());
        let edge = i64::try_from(self.edge).unwrap_or(i64::MAX);
        let ahead = i64::from(piece.seq.distance_from(self.next_seq()));
        let start = edge.saturating_add(ahead);
        if len <= 1 && self.is_just_below_next(start) {
            return Err(PushOutcome::KeepAlive);
        }
        if len == 0 {
            return Err(PushOutcome::Empty);
        }
        let end = start.saturating_add(len);
        let too_old = ahead < -Self::AHEAD_MAX || start < -Self::BEFORE_START_MAX;
        let too_new = ahead > self.window() || ahead.saturating_add(len) > Self::AHEAD_MAX;
        if too_old || too_new {
            return Err(PushOutcome::OutOfWindow);
        }
        let end = u64::try_from(end).unwrap_or_default();
        if end == 0 {
            return Err(PushOutcome::BeforeStart);
        }
        let before = usize::try_from(start.saturating_neg()).unwrap_or_default();
        let bytes = piece.bytes.get(before..).unwrap_or_default();
        let start = u64::try_from(start).unwrap_or_default();
        Ok(Placed { start, bytes, end, frame: piece.frame, time: piece.time })
    }

    /// Whether `start` is one below the sender's next byte. With holes there are two candidates
    /// for that: the edge, and the end of all that was seen.
    fn is_just_below_next(&self, start: i64) -> bool {
        let above = u64::try_from(start.saturating_add(1)).ok();
        let last = self.pending.as_ref().and_then(|pending| pending.last_reach());
        self.anchored && above.is_some_and(|above| above == self.edge || Some(above) == last)
    }

    /// A piece at or below the edge: delivers what is new of it, and what waited for that.
    fn advance(&mut self, comparison: &mut Comparison<'_, '_, impl StreamSink + ?Sized>) {
        let piece = comparison.piece;
        if piece.end <= self.edge {
            return;
        }
        let touched = |pending: &&mut Box<Pending>| {
            pending.first_start().is_some_and(|start| start < piece.captured_end())
        };
        if let Some(pending) = self.pending.as_mut().filter(touched) {
            pending.insert(self.edge, comparison);
        } else {
            comparison.tally.fresh += piece.captured_end().saturating_sub(self.edge);
            self.pass(&piece, comparison.sink);
        }
        // What was kept of the piece touches the edge, so this leaves less waiting than before.
        self.drain(piece.end, comparison.sink);
    }

    /// Delivers what the piece has from the edge on, straight from the packet.
    fn pass(&mut self, piece: &Placed<'_>, sink: &mut (impl StreamSink + ?Sized)) {
        if piece.end < self.claim {
            // What the peer is said to have received is being sent only now.
            self.claim = 0;
        }
        let (offset, bytes) = (StreamOffset(self.edge), piece.range(self.edge, piece.end));
        let chunk = Chunk { offset, bytes, frame: piece.frame, time: piece.time };
        self.deliver(chunk, sink);
    }

    /// A piece behind a hole: keeps what is new of it.
    fn keep(&mut self, comparison: &mut Comparison<'_, '_, impl StreamSink + ?Sized>) {
        let start = comparison.piece.start;
        self.pending.get_or_insert_default().insert(start, comparison);
        self.enforce_limits(comparison.sink);
    }

    /// Gives up the lowest holes until no more waits than allowed.
    fn enforce_limits(&mut self, sink: &mut (impl StreamSink + ?Sized)) {
        while self.pending.as_ref().is_some_and(|pending| pending.exceeds(&self.limits)) {
            let Some(first) = self.first_pending() else { return };
            self.limit_gaps = self.limit_gaps.saturating_add(1);
            self.declare(first, GapReason::LimitReached, sink);
            self.drain(0, sink);
        }
    }

    /// Gives up what the peer acknowledged below a new piece, where nothing waits.
    fn skip_acknowledged(&mut self, start: u64, sink: &mut (impl StreamSink + ?Sized)) {
        // With anything waiting, the claim was spent when it was made.
        debug_assert!(self.pending.is_none() || self.claim <= self.edge);
        self.declare(self.claim.min(start), GapReason::MissingFromCapture, sink);
    }

    /// Delivers all that waits at the edge. Up to `known_to` the wire carried bytes: what is
    /// missing of them is missing because it was snapped.
    fn drain(&mut self, mut known_to: u64, sink: &mut (impl StreamSink + ?Sized)) {
        loop {
            let next = self.first_pending().unwrap_or(u64::MAX);
            self.declare(next.min(known_to), GapReason::Snapped, sink);
            if next > self.edge {
                break;
            }
            let Some(run) = self.pending.as_mut().and_then(|pending| pending.pop_first()) else {
                break;
            };
            known_to = known_to.max(run.reach);
            self.deliver(run.chunk(), sink);
        }
        if self.pending.as_ref().is_some_and(|pending| pending.is_empty()) {
            self.pending = None;
        }
    }

    fn deliver(&mut self, chunk: Chunk<'_>, sink: &mut (impl StreamSink + ?Sized)) {
        if !chunk.bytes.is_empty() {
            sink.bytes(chunk);
            self.history.remember(chunk, self.limits.history_pieces);
            self.edge = self.edge.saturating_add(chunk.bytes.len() as u64);
        }
    }

    /// Declares all from the edge to `to` missing, if there is anything between them.
    fn declare(&mut self, to: u64, reason: GapReason, sink: &mut (impl StreamSink + ?Sized)) {
        let len = to.saturating_sub(self.edge);
        if len > 0 {
            sink.gap(Gap { offset: StreamOffset(self.edge), len, reason });
            self.gap_bytes = self.gap_bytes.saturating_add(len);
            self.edge = to;
        }
    }

    fn count(&mut self, tally: &Tally) {
        self.retransmitted = self.retransmitted.saturating_add(tally.same + tally.unknown);
        self.overlaps = self.overlaps.saturating_add(tally.overlaps);
        self.overlaps_unreported = self.overlaps_unreported.saturating_add(tally.unreported);
    }
}
