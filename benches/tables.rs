//! The table of a lane beside the maps that threads can share, on one stream of keys.
//!
//! Each packet is looked up, entered if its flow is new, and counted. With two threads, a table of
//! lanes is two tables: each thread hashes every key and takes those of its lane. The shared maps
//! are given every second packet by each thread, as they may be. All hash alike. The lanes' table
//! also keeps the order in which flows leave; the shared maps do nothing of the kind.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use dashmap::DashMap;
use foldhash::fast::FixedState;
use tamperscope::flow::{Class, FlowHasher, FlowTable, Idle};
use tamperscope::wire::{Endpoint, FlowKey, Timestamp, Transport};

/// Keys of packets, one after the other.
type Keys = Vec<FlowKey>;

/// Counts the packets of all keys on so many threads; gives the flows.
type Run = fn(&Keys, usize) -> usize;

fn key(flow: u64) -> FlowKey {
    let client = std::net::Ipv4Addr::from(0x0a00_0000 | (flow >> 14) as u32);
    let client = Endpoint::new(client.into(), 1024 + (flow & 0x3fff) as u16);
    let server = std::net::Ipv4Addr::from(0xc633_6400 | (flow % 200) as u32);
    FlowKey::of(Transport::Tcp, client, Endpoint::new(server.into(), 443)).0
}

/// `flows` flows of `packets` packets each, `together` of them at any time, in an order like chance.
fn keys(flows: u64, packets: u64, together: u64) -> Keys {
    let mut left: Vec<(u64, u64)> = Vec::new();
    let mut keys = Vec::new();
    let (mut next, mut state) = (0, 1_u64);
    loop {
        while next < flows && (left.len() as u64) < together {
            left.push((next, packets));
            next += 1;
        }
        if left.is_empty() {
            return keys;
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let place = (state >> 33) as usize % left.len();
        if let Some((flow, packets)) = left.get_mut(place) {
            keys.push(key(*flow));
            *packets -= 1;
            if *packets == 0 {
                left.swap_remove(place);
            }
        }
    }
}

/// One table for each of `lanes` threads; gives the flows.
fn lanes(keys: &Keys, lanes: usize) -> usize {
    let lane = |own: usize| {
        let hasher = FlowHasher::recorded();
        let mut table = FlowTable::new(usize::MAX, Idle::default(), hasher.clone());
        let own = keys.iter().filter(|key| lanes == 1 || hasher.lane_of(key, lanes) == own);
        for (key, nanos) in own.zip(0..) {
            let (hash, now) = (table.hash(key), Timestamp::from_nanos(nanos));
            let id = table
                .find(hash, key)
                .unwrap_or_else(|| table.insert(hash, *key, (now, Class::Opening), || 0_u64));
            if let Some(packets) = table.flow_mut(id) {
                *packets += 1;
            }
            table.touch(id, now, Class::Established);
        }
        table.len()
    };
    on_threads(lanes, lane).iter().sum()
}

fn dashmap(keys: &Keys, threads: usize) -> usize {
    let map = DashMap::<FlowKey, u64, FixedState>::with_hasher(FixedState::with_seed(1));
    on_threads(threads, |own| {
        for key in keys.iter().skip(own).step_by(threads) {
            *map.entry(*key).or_default() += 1;
        }
    });
    map.len()
}

/// Pinned for a batch at a time, and grown in one go: its incremental way is several times slower
/// here.
fn papaya(keys: &Keys, threads: usize) -> usize {
    let map = papaya::HashMap::<FlowKey, AtomicU64>::builder()
        .hasher(FixedState::with_seed(1))
        .resize_mode(papaya::ResizeMode::Blocking)
        .build();
    on_threads(threads, |own| {
        for batch in keys.chunks(BATCH).skip(own).step_by(threads) {
            let map = map.pin();
            for key in batch {
                let found = map.get(key);
                let packets =
                    found.unwrap_or_else(|| map.get_or_insert_with(*key, AtomicU64::default));
                packets.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    map.len()
}

/// What `work` gives on each of `threads` threads; the first is this one.
fn on_threads<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads).map(|own| scope.spawn(move || work(own))).collect();
        let first = work(0);
        let others = others.into_iter().filter_map(|other| other.join().ok());
        std::iter::once(first).chain(others).collect()
    })
}

fn tables(criterion: &mut Criterion) {
    let streams = [
        ("long flows", 20_000, keys(20_000, 40, 2_000)),
        ("short flows", 200_000, keys(200_000, 2, 20_000)),
    ];
    let maps: [(&str, Run); 3] = [("lanes", lanes), ("dashmap", dashmap), ("papaya", papaya)];
    let mut group = criterion.benchmark_group("tables");
    group.sample_size(10);
    for (stream, flows, keys) in &streams {
        group.throughput(Throughput::Elements(keys.len() as u64));
        for (map, run) in maps {
            for threads in [1, 2] {
                assert_eq!(run(keys, threads), *flows, "{map} has all flows");
                let id = BenchmarkId::new(format!("{stream}/{map}"), threads);
                group.bench_function(id, |bencher| bencher.iter(|| run(black_box(keys), threads)));
            }
        }
    }
    group.finish();
}

/// Packets for which a map is pinned.
const BATCH: usize = 64;

criterion_group!(benches, tables);

fn main() {
    // A test runner asks what there is to test: nothing.
    if std::env::args().any(|argument| argument == "--bench") {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
