//! What the stream assembler costs: in order, with one segment in a hundred late, in tiny
//! segments, and at its worst.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use tamperscope::stream::{Assembler, Chunk, Gap, Limits, Overlap, Piece, Retention, StreamSink};
use tamperscope::wire::{FrameId, SeqNumber, Timestamp};

/// Takes everything and keeps nothing.
struct Drain;

impl StreamSink for Drain {
    fn bytes(&mut self, chunk: Chunk<'_>) {
        black_box(chunk.bytes);
    }

    fn gap(&mut self, gap: Gap) {
        black_box(gap);
    }

    fn overlap(&mut self, overlap: Overlap<'_>) {
        black_box(overlap.differing);
    }
}

/// Segments as (offset, length), in the order of their capture.
type Script = Vec<(usize, usize)>;

fn in_order(segment: usize) -> Script {
    (0..TOTAL / segment).map(|n| (n * segment, segment)).collect()
}

/// Each hundredth segment comes three places late.
fn reordered(segment: usize) -> Script {
    let mut script = in_order(segment);
    for late in script.chunks_mut(100).filter_map(|hundred| hundred.get_mut(..4)) {
        late.rotate_left(1);
    }
    script
}

/// Every second byte, then segments over all of them, again and again: the most fragments that
/// a sender can make the list hold.
fn combed() -> Script {
    let mut script = Script::new();
    for start in (0..TOTAL / 64).step_by(1024) {
        script.extend((0..511).map(|n| (start + 1 + 2 * n, 1)));
        script.push((start + 1, 1023));
        script.push((start, 1));
    }
    script
}

fn run(script: &Script, bytes: &[u8], retention: Retention) -> u64 {
    let mut assembler = Assembler::new(Limits::default());
    assembler.anchor(SeqNumber(u32::MAX - 1000));
    assembler.retain(retention);
    for (n, &(offset, len)) in script.iter().enumerate() {
        let piece = Piece {
            seq: SeqNumber(u32::MAX - 1000).plus(offset as u32),
            bytes: bytes.get(offset..offset + len).unwrap_or_default(),
            wire_len: len as u32,
            frame: FrameId::new(0, n as u64),
            time: Timestamp::from_nanos(n as i64),
        };
        black_box(assembler.push(piece, &mut Drain));
    }
    assembler.delivered().0
}

fn assembler(criterion: &mut Criterion) {
    let bytes: Vec<u8> = (0..TOTAL).map(|n| ((n * 31) >> 3) as u8).collect();
    let scripts = [
        ("in order, 1460", in_order(1460)),
        ("1 % late, 1460", reordered(1460)),
        ("in order, 8", in_order(8)),
        ("combed", combed()),
    ];
    let retentions = [Retention::Nothing, Retention::Digests, Retention::Bytes(64 * 1024)];
    let mut group = criterion.benchmark_group("assembler");
    for (name, script) in &scripts {
        group.throughput(Throughput::Elements(script.len() as u64));
        for retention in retentions {
            let id = BenchmarkId::new(*name, format!("{retention:?}"));
            group.bench_function(id, |bencher| bencher.iter(|| run(script, &bytes, retention)));
        }
    }
    group.finish();
}

/// Bytes of the stream.
const TOTAL: usize = 16 << 20;

criterion_group!(benches, assembler);
criterion_main!(benches);
