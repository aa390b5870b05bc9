//! What single rooms cost in time: `decode`, `lane`, and `names` from their messages.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "no bytes of strangers are read")]

#[path = "rooms/mod.rs"]
mod rooms;
#[path = "workload/mod.rs"]
mod workload;

use criterion::{Criterion, Throughput, criterion_group};
use rooms::decode::{FRAMES, Headers, decode};
use rooms::lane::{Given, PACKETS, Whole};
use rooms::names::{Kind, MESSAGES};

fn of_decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(FRAMES as u64));
    for headers in [Headers::Ipv4, Headers::Ipv6, Headers::Vlan, Headers::Vxlan] {
        let frames = headers.frames();
        group.bench_function(format!("{headers:?}"), |bencher| bencher.iter(|| decode(&frames)));
    }
    group.finish();
}

fn of_lane(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lane");
    group.sample_size(20).throughput(Throughput::Elements(PACKETS as u64));
    let given = Given::mix();
    group.bench_function("packets", |bencher| bencher.iter_with_large_drop(|| given.run()));
    let whole = Whole::mix();
    group.bench_function("analyze", |bencher| bencher.iter_with_large_drop(|| whole.run()));
    group.finish();
}

fn of_names(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("names");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    let kinds = [Kind::ClientHello, Kind::Request, Kind::Response, Kind::Dns, Kind::QuicInitial];
    for kind in kinds {
        let messages = kind.messages();
        group.bench_function(format!("{kind:?}"), |bencher| bencher.iter(|| kind.read(&messages)));
    }
    group.finish();
}

criterion_group!(benches, of_decode, of_lane, of_names);

fn main() {
    // A test runner asks what there is to test: nothing.
    if std::env::args().any(|argument| argument == "--bench") {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
