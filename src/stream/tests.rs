//! Tables: what each kind of piece amounts to, what is said of a disagreement, what is given up.

use super::*;
use crate::wire::{FrameId, SeqNumber, Timestamp};

/// Everything that the assembler gave, flattened into lines that a table can hold.
#[derive(Default)]
struct Tape {
    lines: Vec<String>,
}

impl Tape {
    fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl StreamSink for Tape {
    fn bytes(&mut self, chunk: Chunk<'_>) {
        self.lines.push(format!("{} {} {}", chunk.offset, text(chunk.bytes), chunk.frame));
    }

    fn gap(&mut self, gap: Gap) {
        self.lines.push(format!("{} -{} {:?}", gap.offset, gap.len, gap.reason));
    }

    fn overlap(&mut self, o: Overlap<'_>) {
        let differing = o.differing.map_or("?".into(), |n| n.to_string());
        assert_eq!(o.len as usize, o.later_bytes.len());
        self.lines.push(format!(
            "{} {differing}/{} {}={} {}={} whole {}={}",
            o.offset,
            o.len,
            o.first_frame,
            text(o.first_bytes),
            o.later_frame,
            text(o.later_bytes),
            o.later_offset,
            text(o.later_whole),
        ));
    }
}

/// An assembler whose offset 0 lies just before the wrap, and its tape.
struct Bench {
    assembler: Assembler,
    tape: Tape,
    frame: u64,
}

const BASE: SeqNumber = SeqNumber(u32::MAX - 5);

impl Bench {
    fn new(limits: Limits, retention: Retention) -> Self {
        let mut assembler = Assembler::new(limits);
        assembler.retain(retention);
        assert!(assembler.anchor(BASE));
        Self { assembler, tape: Tape::default(), frame: 0 }
    }

    fn default() -> Self {
        Self::new(Limits::default(), Retention::Bytes(1 << 16))
    }

    /// Pushes `bytes` at `offset`; frames count from 1.
    fn push(&mut self, offset: i64, bytes: &str) -> PushOutcome {
        self.push_snapped(offset, bytes, bytes.len() as u32)
    }

    fn push_snapped(&mut self, offset: i64, bytes: &str, wire_len: u32) -> PushOutcome {
        self.frame += 1;
        let piece = Piece {
            seq: BASE.plus(offset as u32),
            bytes: bytes.as_bytes(),
            wire_len,
            frame: FrameId::new(0, self.frame),
            time: Timestamp::from_nanos(self.frame as i64),
        };
        self.assembler.push(piece, &mut self.tape)
    }

    fn ack(&mut self, offset: u32) {
        self.assembler.acknowledged(BASE.plus(offset), &mut self.tape);
    }

    fn flush(&mut self) -> Vec<String> {
        self.assembler.flush(&mut self.tape);
        self.tape.take()
    }
}

#[test]
fn an_idle_direction_is_small() {
    assert!(size_of::<Assembler>() <= 112, "{}", size_of::<Assembler>());
    let mut bench = Bench::new(Limits::default(), Retention::Digests);
    assert_eq!(bench.assembler.memory(), size_of::<Assembler>());
    for n in 0..100 {
        assert_eq!(bench.push(n * 10, "0123456789"), PushOutcome::InOrder);
    }
    let memory = bench.assembler.memory();
    assert!(memory <= 96 + 400, "{memory}");
    bench.assembler.retain(Retention::Nothing);
    assert_eq!(bench.assembler.memory(), size_of::<Assembler>());
}

#[test]
fn every_outcome_has_its_case() {
    use PushOutcome::*;
    let cases: [(i64, &str, PushOutcome); 22] = [
        (0, "", Empty),
        (-1, "", KeepAlive),
        (-1, "x", KeepAlive),
        (-3, "ab", BeforeStart),
        (0, "abcd", InOrder),
        (0, "abcd", Retransmission),
        (1, "bc", Retransmission),
        (2, "cdef", PartlyNew),
        (5, "\0", KeepAlive),
        (5, "", KeepAlive),
        (3, "dX", Conflicting),
        (10, "kl", OutOfOrder),
        (11, "\0", KeepAlive),
        (10, "kl", Retransmission),
        (9, "jKl", Conflicting),
        (14, "op", OutOfOrder),
        (11, "lmno", PartlyNew),
        (6, "ghi", InOrder),
        (-2, "??ab", Retransmission),
        ((1 << 30) + 20, "far", OutOfWindow),
        (-(1 << 29), "old", OutOfWindow),
        (16, "q", InOrder),
    ];
    let mut bench = Bench::default();
    for (offset, bytes, outcome) in cases {
        assert_eq!(bench.push(offset, bytes), outcome, "{bytes:?} at {offset}");
    }
    let chunks: String = bench
        .tape
        .take()
        .iter()
        .filter(|line| !line.contains("whole"))
        .filter_map(|line| line.split(' ').nth(1).map(String::from))
        .collect();
    assert_eq!(chunks, "abcdefghijklmnopq");
    let seen = bench.assembler.statistics();
    assert_eq!((seen.delivered, seen.gap_bytes, seen.overlaps, seen.out_of_window), (17, 0, 2, 2));
}

#[test]
fn what_is_forgotten_is_stale_and_not_called_equal() {
    for (retention, again) in [
        (Retention::Nothing, PushOutcome::Stale),
        (Retention::Bytes(4), PushOutcome::Stale),
        (Retention::Bytes(6), PushOutcome::Retransmission),
        (Retention::Digests, PushOutcome::Retransmission),
    ] {
        let mut bench = Bench::new(Limits::default(), retention);
        bench.push(0, "abcdef");
        assert_eq!(bench.push(0, "abcdef"), again, "{retention:?}");
        assert_eq!(bench.assembler.statistics().retransmitted, 6);
    }
    let mut bench = Bench::new(Limits::default(), Retention::Bytes(4));
    bench.push(0, "abcdef");
    assert_eq!(bench.push(0, "XbcdeX"), PushOutcome::Conflicting);
    assert_eq!(bench.tape.take().last().unwrap(), "2 1/4 f1=cdef f2=cdeX whole 0=XbcdeX");
}

#[test]
fn an_overlap_names_both_frames_and_carries_both_copies() {
    let mut bench = Bench::default();
    bench.push(0, "HTTP/1.1 403\r\n");
    bench.push(0, "HTTP/1.1 200 OK\r\n");
    assert_eq!(
        bench.tape.take(),
        [
            "0 HTTP/1.1 403\r\n f1",
            "0 4/14 f1=HTTP/1.1 403\r\n f2=HTTP/1.1 200 O whole 0=HTTP/1.1 200 OK\r\n",
            "14 K\r\n f2",
        ]
    );
}

#[test]
fn there_is_one_overlap_for_each_first_piece() {
    let mut bench = Bench::default();
    bench.push(0, "ab");
    bench.push(2, "cd");
    bench.push(6, "gh");
    bench.push(9, "jk");
    assert_eq!(bench.push(1, "BcDefGhiJ"), PushOutcome::Conflicting);
    assert_eq!(
        bench.tape.take(),
        [
            "0 ab f1",
            "2 cd f2",
            "1 1/1 f1=b f5=B whole 1=BcDefGhiJ",
            "2 1/2 f2=cd f5=cD whole 1=BcDefGhiJ",
            "6 1/2 f3=gh f5=Gh whole 1=BcDefGhiJ",
            "9 1/1 f4=j f5=J whole 1=BcDefGhiJ",
            "4 ef f5",
            "6 gh f3",
            "8 i f5",
            "9 jk f4",
        ]
    );
    for (offset, frame) in [(0, 1), (4, 5), (7, 3), (8, 5), (10, 4)] {
        let found = bench.assembler.frame_of(StreamOffset(offset));
        assert_eq!(found, Some(FrameId::new(0, frame)));
    }
    assert_eq!(bench.assembler.frame_of(StreamOffset(11)), None);
}

#[test]
fn reports_of_one_piece_are_bounded_and_the_rest_is_counted() {
    let limits = Limits { overlaps_per_push: 2, ..Limits::default() };
    let mut bench = Bench::new(limits, Retention::Bytes(100));
    for n in 0..5 {
        bench.push(n, "a");
    }
    bench.tape.take();
    assert_eq!(bench.push(0, "bbbbb"), PushOutcome::Conflicting);
    assert_eq!(bench.tape.take().len(), 2);
    let seen = bench.assembler.statistics();
    assert_eq!((seen.overlaps, seen.overlaps_unreported, seen.retransmitted), (5, 3, 0));
}

#[test]
fn digests_notice_a_changed_copy_of_whole_pieces() {
    let mut bench = Bench::new(Limits::default(), Retention::Digests);
    bench.push(0, "abcd");
    bench.push(4, "efgh");
    bench.tape.take();
    assert_eq!(bench.push(0, "abcdefgh"), PushOutcome::Retransmission);
    assert_eq!(bench.push(4, "efgX"), PushOutcome::Conflicting);
    assert_eq!(bench.tape.take(), ["4 ?/4 f2= f4=efgX whole 4=efgX"]);
    assert_eq!(bench.push(5, "fgX"), PushOutcome::Stale);
    assert_eq!(bench.push(4, "efg"), PushOutcome::Retransmission);
    assert_eq!(bench.push(4, "eX"), PushOutcome::Conflicting);
    assert_eq!(bench.tape.take(), ["4 1/2 f2=ef f7=eX whole 4=eX"]);
    for n in 0..8 {
        bench.push(8 + n * 2, "xx");
    }
    assert_eq!(bench.push(0, "abcd"), PushOutcome::Stale, "only eight are remembered");
    assert_eq!(bench.assembler.frame_of(StreamOffset(8)), Some(FrameId::new(0, 8)));
}

#[test]
fn digests_keep_the_heads_of_long_pieces() {
    let mut bench = Bench::new(Limits::default(), Retention::Digests);
    bench.push(0, "HTTP/1.1 200 OK\r\n");
    bench.push(17, "Server: x\r\n");
    bench.tape.take();
    // What begins alike and goes on differently is unknown beyond the head.
    assert_eq!(bench.push(0, "HTTP/1.1 200 KO"), PushOutcome::Stale);
    assert_eq!(bench.push(0, "HTTP/1.1 403 No"), PushOutcome::Conflicting);
    assert_eq!(
        bench.tape.take(),
        ["0 2/12 f1=HTTP/1.1 200 f4=HTTP/1.1 403 whole 0=HTTP/1.1 403 No"]
    );
}

#[test]
fn a_window_turns_into_digests_and_back_into_less() {
    let mut bench = Bench::new(Limits::default(), Retention::Bytes(100));
    bench.push(0, "abcd");
    bench.push(4, "efgh");
    bench.assembler.retain(Retention::Bytes(6));
    assert_eq!(bench.push(2, "cdefgh"), PushOutcome::Retransmission);
    assert_eq!(bench.push(0, "abcdefgh"), PushOutcome::Stale);
    bench.assembler.retain(Retention::Digests);
    assert_eq!(bench.push(4, "efgX"), PushOutcome::Conflicting);
    bench.assembler.retain(Retention::Bytes(0));
    assert_eq!(bench.push(4, "efgX"), PushOutcome::Stale);
}

#[test]
fn tiny_segments_bind_the_window_by_their_number() {
    let limits = Limits { history_pieces: 4, ..Limits::default() };
    let mut bench = Bench::new(limits, Retention::Bytes(1 << 16));
    for n in 0..10 {
        bench.push(n * 2, "ab");
    }
    assert_eq!(bench.push(12, "abababab"), PushOutcome::Retransmission);
    assert_eq!(bench.push(10, "ab"), PushOutcome::Stale);
}

#[test]
fn a_snapped_tail_is_a_gap_in_its_place() {
    let mut bench = Bench::default();
    assert_eq!(bench.push_snapped(0, "abc", 5), PushOutcome::InOrder);
    assert_eq!(bench.push(5, "fg"), PushOutcome::InOrder);
    assert_eq!(bench.push_snapped(0, "abc", 5), PushOutcome::Retransmission);
    assert_eq!(bench.push(0, "abcde"), PushOutcome::Stale);
    assert_eq!(bench.push_snapped(7, "", 4), PushOutcome::InOrder);
    assert_eq!(bench.push_snapped(7, "", 4), PushOutcome::Stale);
    assert_eq!(bench.push_snapped(5, "fg", 9), PushOutcome::PartlyNew);
    let expected = ["0 abc f1", "3 -2 Snapped", "5 fg f2", "7 -4 Snapped", "11 -3 Snapped"];
    assert_eq!(bench.tape.take(), expected);
}

#[test]
fn a_snapped_tail_that_waits_can_still_be_filled() {
    let mut bench = Bench::default();
    bench.push_snapped(2, "cd", 6);
    bench.push_snapped(8, "", 4);
    bench.push(10, "kl");
    assert_eq!(bench.push(2, "cdef"), PushOutcome::PartlyNew);
    bench.push(0, "ab");
    let expected = ["0 ab f5", "2 cd f1", "4 ef f4", "6 -4 Snapped", "10 kl f3"];
    assert_eq!(bench.tape.take(), expected);
    assert!(!bench.assembler.has_hole());
}

#[test]
fn a_hole_that_the_peer_acknowledged_is_given_up() {
    let mut bench = Bench::default();
    bench.push(0, "ab");
    bench.push(4, "ef");
    bench.ack(2);
    assert_eq!(bench.tape.take(), ["0 ab f1"]);
    bench.ack(6);
    assert_eq!(bench.tape.take(), ["2 -2 MissingFromCapture", "4 ef f2"]);
    // The acknowledgment comes first: nothing happens before data shows how far the hole goes.
    bench.ack(10);
    assert_eq!(bench.tape.take(), [""; 0]);
    assert_eq!(bench.push(8, "ij"), PushOutcome::InOrder);
    assert_eq!(bench.tape.take(), ["6 -2 MissingFromCapture", "8 ij f3"]);
    // It reaches only into the hole: the rest of it stays open.
    bench.ack(11);
    assert_eq!(bench.push(12, "mn"), PushOutcome::OutOfOrder);
    assert_eq!(bench.tape.take(), ["10 -1 MissingFromCapture"]);
    assert_eq!(bench.push(10, "kl"), PushOutcome::PartlyNew);
    assert_eq!(bench.tape.take(), ["11 l f5", "12 mn f4"]);
}

#[test]
fn a_forged_acknowledgment_creates_nothing() {
    let mut bench = Bench::default();
    for ack in [1 << 29, (1 << 30) + 1, 1 << 31, u32::MAX, 77] {
        bench.ack(ack);
    }
    assert_eq!(bench.push(0, "ab"), PushOutcome::InOrder);
    // The sender goes on below the claim, which is therefore void.
    assert_eq!(bench.push(4, "ef"), PushOutcome::OutOfOrder);
    assert_eq!(bench.push(2, "cd"), PushOutcome::InOrder);
    bench.ack(1 << 29);
    bench.ack(6);
    assert_eq!(bench.push(8, "ij"), PushOutcome::OutOfOrder, "the next one corrects it");
    assert_eq!(bench.tape.take(), ["0 ab f1", "2 cd f3", "4 ef f2"]);
    assert_eq!(bench.flush(), ["6 -2 Unfilled", "8 ij f4"]);
}

#[test]
fn what_waits_is_bounded_and_never_dropped() {
    let limits = Limits { pending_bytes: 6, pending_pieces: 3, ..Limits::default() };
    let mut bench = Bench::new(limits, Retention::Nothing);
    for n in 1..=4 {
        assert_eq!(bench.push(n * 3, "x"), PushOutcome::OutOfOrder);
    }
    assert_eq!(bench.tape.take(), ["0 -3 LimitReached", "3 x f1"]);
    bench.push(20, "yyyy");
    bench.push(30, "zzzz");
    let given_up = ["4 -2 LimitReached", "6 x f2", "7 -2 LimitReached", "9 x f3"];
    let expected = ["10 -2 LimitReached", "12 x f4", "13 -7 LimitReached", "20 yyyy f5"];
    let lines = bench.tape.take();
    assert_eq!(lines, [&given_up[..], &expected[..]].concat());
    assert_eq!(bench.push(2, "late"), PushOutcome::Stale);
    assert_eq!(bench.assembler.statistics().limit_gaps, 5);
    assert_eq!(bench.flush(), ["24 -6 Unfilled", "30 zzzz f6"]);
    assert_eq!(bench.assembler.memory(), size_of::<Assembler>());
}

#[test]
fn memory_stays_under_the_sum_of_the_limits() {
    let limits = Limits { pending_bytes: 4096, pending_pieces: 64, ..Limits::default() };
    let mut bench = Bench::new(limits, Retention::Bytes(8192));
    let piece = "x".repeat(100);
    let mut most = 0;
    for n in 0..2000_i64 {
        bench.push(n * 7919 % 50_000, &piece);
        most = most.max(bench.assembler.memory());
    }
    // Lists double: 128 runs of 48 bytes, 1024 records of 56 bytes, and the two boxes. The window has
    // a piece more, which is half forgotten, and the memory for the next one.
    let bound = 112 + 4096 + 8192 + 200 + 128 * 48 + 1024 * 56 + 200;
    assert!(most <= bound, "{most} > {bound}");
    assert!(most > 8192, "{most}: the limits were reached");
}

#[test]
fn bytes_that_wait_are_accounted_for_one_by_one() {
    let mut bench = Bench::new(Limits::default(), Retention::Nothing);
    bench.push(10, "0123456789");
    bench.push(30, "abc");
    let two = bench.assembler.memory();
    assert_eq!(bench.push(0, "0123456789"), PushOutcome::InOrder);
    assert_eq!(bench.assembler.memory(), two - 10);
    assert_eq!(bench.push(33, "d"), PushOutcome::OutOfOrder);
    assert_eq!(bench.assembler.memory(), two - 9);
    assert_eq!(bench.push(20, "0123456789"), PushOutcome::InOrder);
    assert_eq!(bench.assembler.memory(), size_of::<Assembler>());
}

#[test]
fn without_a_syn_the_first_piece_is_the_start() {
    let mut assembler = Assembler::new(Limits::default());
    let mut tape = Tape::default();
    assert!(!assembler.is_anchored());
    assert_eq!(assembler.next_expected(), None);
    assert_eq!(assembler.offset_of(SeqNumber(7)), None);
    assembler.acknowledged(SeqNumber(7), &mut tape);
    let piece = |seq: u32, bytes: &'static str| Piece {
        seq: SeqNumber(seq),
        bytes: bytes.as_bytes(),
        wire_len: 0,
        frame: FrameId::new(0, 1),
        time: Timestamp::ZERO,
    };
    assert_eq!(assembler.push(piece(5, ""), &mut tape), PushOutcome::Empty);
    assert!(!assembler.is_anchored());
    assert_eq!(assembler.push(piece(5, "cd"), &mut tape), PushOutcome::InOrder);
    assert_eq!(assembler.push(piece(3, "ab"), &mut tape), PushOutcome::BeforeStart);
    assert_eq!(assembler.push(piece(3, "abcdef"), &mut tape), PushOutcome::PartlyNew);
    assert_eq!(tape.take(), ["0 cd f1", "2 ef f1"]);
    assert!(!assembler.anchor(SeqNumber(3)), "the stream has begun");
    assert_eq!(assembler.next_expected(), Some(SeqNumber(9)));
    assert_eq!(assembler.seq_of(StreamOffset(2)), Some(SeqNumber(7)));
    assert_eq!(assembler.offset_of(SeqNumber(12)), Some(StreamOffset(7)));
    assert_eq!(assembler.offset_of(SeqNumber(4)), None);
}

#[test]
fn a_narrow_window_refuses_what_begins_beyond_it() {
    let mut bench = Bench::default();
    bench.assembler.set_window(10);
    assert_eq!(bench.push(0, "0123456789ab"), PushOutcome::InOrder);
    assert_eq!(bench.push(22, "x"), PushOutcome::OutOfOrder);
    assert_eq!(bench.push(23, "x"), PushOutcome::OutOfWindow);
    bench.assembler.set_window(0);
    assert_eq!(bench.push(12, "c"), PushOutcome::InOrder, "a probe of a closed window");
}

#[test]
fn streams_run_beyond_four_gibibytes() {
    const PIECE: usize = 48 << 20;
    let zeros = vec![0; PIECE];
    let mut assembler = Assembler::new(Limits::default());
    assembler.retain(Retention::Nothing);
    assembler.anchor(BASE);
    let mut tape = Counter::default();
    for n in 0..100_u64 {
        let piece = Piece {
            seq: BASE.plus((n * PIECE as u64) as u32),
            bytes: &zeros,
            wire_len: PIECE as u32,
            frame: FrameId::new(0, n),
            time: Timestamp::ZERO,
        };
        assert_eq!(assembler.push(piece, &mut tape), PushOutcome::InOrder);
    }
    let end = 100 * PIECE as u64;
    assert!(end > u64::from(u32::MAX));
    assert_eq!((tape.0, assembler.delivered()), (end, StreamOffset(end)));
    let seq = BASE.plus(end as u32);
    assert_eq!(assembler.next_expected(), Some(seq));
    assert_eq!(assembler.offset_of(seq.plus(9)), Some(StreamOffset(end + 9)));
    assert_eq!(assembler.seq_of(StreamOffset(end)), Some(seq));
}

/// Counts bytes, and checks that they come in order.
#[derive(Default)]
struct Counter(u64);

impl StreamSink for Counter {
    fn bytes(&mut self, chunk: Chunk<'_>) {
        assert_eq!(chunk.offset.0, self.0);
        self.0 += chunk.bytes.len() as u64;
    }

    fn gap(&mut self, gap: Gap) {
        panic!("{gap:?}");
    }

    fn overlap(&mut self, overlap: Overlap<'_>) {
        panic!("{overlap:?}");
    }
}
