//! A naive model of a stream: one cell for each offset, and the first copy wins.
//!
//! `check` runs a script through the assembler and through the model and panics where they differ.
//! The property test and the fuzz target share it.

use std::collections::BTreeSet;

use tamperscope::stream::{
    Assembler, Chunk, Gap, GapReason, Limits, Overlap, Piece, PushOutcome, Retention, StreamOffset,
    StreamSink,
};
use tamperscope::wire::{FrameId, SeqNumber, Timestamp};

/// One thing that happens to a direction. Offsets count from the byte after the SYN.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A segment of `len` bytes, the last `cut` of them snapped, with the bytes of `version`.
    Push { offset: u16, len: u8, cut: u8, version: u8 },
    /// The peer acknowledged all below `offset`.
    Ack { offset: u16 },
    /// The history changes its form.
    Retain(Retention),
}

/// A direction's whole life.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Sequence number of offset 0.
    pub(crate) base: u32,
    /// Whether the SYN was seen.
    pub(crate) anchored: bool,
    pub(crate) limits: Limits,
    pub(crate) steps: Vec<Step>,
}

/// Limits that are never reached: the model is then exact.
pub(crate) const ROOMY: Limits = Limits {
    pending_bytes: u32::MAX,
    pending_pieces: u16::MAX,
    history_pieces: u16::MAX,
    overlaps_per_push: u16::MAX,
    window: Limits::WINDOW_MAX,
};

/// Limits that are reached all the time.
pub(crate) const TIGHT: Limits = Limits {
    pending_bytes: 300,
    pending_pieces: 6,
    history_pieces: 5,
    overlaps_per_push: 2,
    window: 1000,
};

/// Reads a script from arbitrary bytes.
pub(crate) fn decode(bytes: &[u8]) -> Script {
    let (head, steps) = bytes.split_at(bytes.len().min(5));
    let head: Vec<u32> = head.iter().copied().map(u32::from).chain([0; 5]).take(5).collect();
    let base = head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
    let limits = if head[4] & 1 == 0 { ROOMY } else { TIGHT };
    let steps = steps.chunks_exact(6).map(decode_step).collect();
    Script { base, anchored: head[4] & 2 == 0, limits, steps }
}

fn decode_step(bytes: &[u8]) -> Step {
    let offset = u16::from_le_bytes([bytes[1], bytes[2]]) % 2048;
    match (bytes[0] % 16, bytes[3] % 4) {
        (0, _) => Step::Ack { offset },
        (1, 0) => Step::Retain(Retention::Nothing),
        (1, 1) => Step::Retain(Retention::Digests),
        (1, _) => Step::Retain(Retention::Bytes(u32::from(offset))),
        (kind, _) => {
            let cut = if kind == 2 { bytes[4].min(bytes[3]) } else { 0 };
            Step::Push { offset, len: bytes[3], cut, version: bytes[5] % 4 }
        }
    }
}

/// Version 0 of the byte at `offset`; the others differ from it here and there.
fn content(offset: i64, version: u8) -> u8 {
    let genuine = (offset.wrapping_mul(31) >> 2) as u8;
    let forged = version > 0 && (offset + i64::from(version)) % 3 == 0;
    if forged { genuine ^ version } else { genuine }
}

/// A byte that differs from its first copy: offset, first frame, later frame.
type Conflict = (u64, FrameId, FrameId);

/// What the assembler gave.
#[derive(Default)]
struct Tape {
    /// `None` where a gap was declared.
    delivered: Vec<Option<(u8, FrameId)>>,
    gaps: Vec<Gap>,
    conflicts: BTreeSet<Conflict>,
    /// Ranges of which only a digest was left, with the later frame.
    digests: Vec<(u64, u32, FrameId)>,
}

impl StreamSink for Tape {
    fn bytes(&mut self, chunk: Chunk<'_>) {
        assert_eq!(chunk.offset.0, self.delivered.len() as u64, "once, and in order");
        assert!(!chunk.bytes.is_empty());
        self.delivered.extend(chunk.bytes.iter().map(|byte| Some((*byte, chunk.frame))));
    }

    fn gap(&mut self, gap: Gap) {
        assert_eq!(gap.offset.0, self.delivered.len() as u64, "once, and in order");
        assert!(gap.len > 0);
        self.delivered.resize(self.delivered.len() + gap.len as usize, None);
        self.gaps.push(gap);
    }

    fn overlap(&mut self, o: Overlap<'_>) {
        assert_eq!(o.later_bytes.len(), o.len as usize);
        let skip = (o.offset.0 - o.later_offset.0) as usize;
        assert_eq!(&o.later_whole[skip..][..o.len as usize], o.later_bytes);
        let Some(differing) = o.differing else {
            self.digests.push((o.offset.0, o.len, o.later_frame));
            return;
        };
        let pairs = o.first_bytes.iter().zip(o.later_bytes);
        let differ: Vec<u64> =
            (o.offset.0..).zip(pairs).filter(|(_, (f, l))| f != l).map(|(at, _)| at).collect();
        assert_eq!(o.first_bytes.len(), o.len as usize);
        assert_eq!(differ.len(), differing as usize);
        assert!(differing > 0);
        for at in differ {
            let new = self.conflicts.insert((at, o.first_frame, o.later_frame));
            assert!(new, "each disagreement once");
        }
    }
}

/// What ought to come out.
#[derive(Default)]
struct Model {
    first: Vec<Option<(u8, FrameId)>>,
    conflicts: BTreeSet<Conflict>,
    /// The highest end of a piece on the wire.
    end: u64,
    highest_ack: u64,
    origin: Option<i64>,
    snapped: bool,
}

/// How many captured bytes of one piece fared how.
#[derive(Default)]
struct Fate {
    fresh: usize,
    known: usize,
    lost: usize,
    differing: usize,
}

impl Model {
    fn push(&mut self, start: i64, bytes: &[u8], frame: FrameId, edge: u64) -> Fate {
        let mut fate = Fate::default();
        for (at, byte) in (start..).zip(bytes) {
            let Ok(at) = usize::try_from(at) else { continue };
            if self.first.len() <= at {
                self.first.resize(at + 1, None);
            }
            match self.first[at] {
                Some((first, _)) if first == *byte => fate.known += 1,
                Some((_, first_frame)) => {
                    self.conflicts.insert((at as u64, first_frame, frame));
                    fate.differing += 1;
                }
                None if (at as u64) < edge => fate.lost += 1,
                None => {
                    self.first[at] = Some((*byte, frame));
                    fate.fresh += 1;
                }
            }
        }
        fate
    }
}

/// Runs the script both ways.
pub(crate) fn check(script: &Script) {
    let roomy = script.limits == ROOMY;
    let exact = roomy && !script.steps.iter().any(|step| matches!(step, Step::Retain(_)));
    let base = SeqNumber(script.base);
    let mut assembler = Assembler::new(script.limits);
    assembler.retain(Retention::Bytes(if roomy { u32::MAX } else { 700 }));
    let (mut tape, mut model) = (Tape::default(), Model::default());
    if script.anchored {
        assert!(assembler.anchor(base));
        model.origin = Some(0);
    }
    for (step, number) in script.steps.iter().zip(1..) {
        match *step {
            Step::Ack { offset } => {
                assembler.acknowledged(base.plus(u32::from(offset)), &mut tape);
                let relative = i64::from(offset) - model.origin.unwrap_or(i64::MAX);
                model.highest_ack = model.highest_ack.max(relative.try_into().unwrap_or(0));
            }
            Step::Retain(retention) => assembler.retain(retention),
            Step::Push { .. } => {
                push(&mut assembler, &mut tape, &mut model, (step, base, number, exact));
            }
        }
        check_state(&assembler, &tape, script);
    }
    assembler.flush(&mut tape);
    check_end(&assembler, &tape, &model, exact);
}

fn push(
    assembler: &mut Assembler,
    tape: &mut Tape,
    model: &mut Model,
    (step, base, number, exact): (&Step, SeqNumber, u64, bool),
) {
    let Step::Push { offset, len, cut, version } = *step else { return };
    let offset = i64::from(offset);
    let bytes: Vec<u8> =
        (offset..).take(usize::from(len - cut)).map(|at| content(at, version)).collect();
    let frame = FrameId::new(0, number);
    let piece = Piece {
        seq: base.plus(offset as u32),
        bytes: &bytes,
        wire_len: u32::from(len),
        frame,
        time: Timestamp::from_nanos(number as i64),
    };
    let edge = assembler.delivered().0;
    let outcome = assembler.push(piece, tape);
    if len == 0 {
        assert!(matches!(outcome, PushOutcome::Empty | PushOutcome::KeepAlive));
        return;
    }
    let start = offset - *model.origin.get_or_insert(offset);
    let end = u64::try_from(start + i64::from(len)).unwrap_or(0);
    match outcome {
        PushOutcome::KeepAlive => return assert!(len == 1 && end <= model.end),
        PushOutcome::BeforeStart => return assert_eq!(end, 0),
        PushOutcome::OutOfWindow => return assert!(start > edge as i64 + 1000, "{start} {edge}"),
        _ => assert!(end > 0),
    }
    model.end = model.end.max(end);
    model.snapped |= cut > 0;
    let fate = model.push(start, &bytes, frame, edge);
    if exact && cut == 0 {
        let inside = start >= 0 || fate.fresh == 0;
        check_outcome(outcome, &fate, inside);
    }
}

fn check_outcome(outcome: PushOutcome, fate: &Fate, inside: bool) {
    let seen = fate.known + fate.lost + fate.differing;
    let expected: &[PushOutcome] = match (fate.fresh, seen) {
        _ if fate.differing > 0 => &[PushOutcome::Conflicting],
        (0, _) if fate.lost > 0 => &[PushOutcome::Stale],
        (0, _) => &[PushOutcome::Retransmission],
        (_, 0) if inside => &[PushOutcome::InOrder, PushOutcome::OutOfOrder],
        (_, 0) => &[PushOutcome::InOrder, PushOutcome::PartlyNew],
        _ => &[PushOutcome::PartlyNew],
    };
    assert!(expected.contains(&outcome), "{outcome:?}, not {expected:?}");
}

fn check_state(assembler: &Assembler, tape: &Tape, script: &Script) {
    assert_eq!(assembler.delivered().0, tape.delivered.len() as u64);
    if script.limits == TIGHT {
        let lists = 2048 + 16 * 48 + 16 * 40 + 512;
        assert!(assembler.memory() < 96 + 300 + lists + 700, "{}", assembler.memory());
    }
    if let Some(next) = assembler.next_expected() {
        assert_eq!(assembler.offset_of(next), Some(assembler.delivered()));
        assert_eq!(assembler.seq_of(assembler.delivered()), Some(next));
    }
}

fn check_end(assembler: &Assembler, tape: &Tape, model: &Model, exact: bool) {
    assert_eq!(tape.delivered.len() as u64, model.end, "all that waited came out");
    assert!(!assembler.has_hole());
    let mut expected = model.first.clone();
    expected.resize(tape.delivered.len(), None);
    assert_eq!(tape.delivered, expected, "the first copy of each byte, with its frame");
    check_gaps(tape, model);
    let seen = assembler.statistics();
    let missing: u64 = tape.gaps.iter().map(|gap| gap.len).sum();
    assert_eq!(seen.gap_bytes, missing);
    assert_eq!(seen.delivered + seen.gap_bytes, model.end);
    assert!(tape.conflicts.is_subset(&model.conflicts));
    for (start, len, later) in &tape.digests {
        let range = *start..*start + u64::from(*len);
        let real = |(at, _, frame): &Conflict| range.contains(at) && frame == later;
        assert!(model.conflicts.iter().any(real), "a digest that differs has a byte that does");
    }
    if exact {
        assert_eq!(tape.conflicts, model.conflicts, "every disagreement was found");
        for (at, cell) in (0..).zip(&model.first) {
            assert_eq!(assembler.frame_of(StreamOffset(at)), cell.map(|(_, frame)| frame));
        }
    }
}

fn check_gaps(tape: &Tape, model: &Model) {
    for gap in &tape.gaps {
        match gap.reason {
            GapReason::Snapped => assert!(model.snapped),
            GapReason::MissingFromCapture => {
                assert!(gap.offset.0 + gap.len <= model.highest_ack, "{gap:?}");
            }
            GapReason::LimitReached | GapReason::Unfilled => {}
        }
    }
}
