//! What single rooms cost in instructions, which a busy machine does not change (gungraun).
//!
//! Each count is that of a round number of packets or messages. The bytes are made and read, and
//! packets decoded for the lane, before counting begins.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "no bytes of strangers are read")]

#[path = "rooms/mod.rs"]
mod rooms;
#[path = "workload/mod.rs"]
mod workload;

use std::env;
use std::process::ExitCode;

use mimalloc::MiMalloc;

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let typed: Vec<String> = env::args().skip(1).collect();
    let is_counted = typed.first().is_some_and(|first| first == "--gungraun-run");
    // A test runner asks what there is to test: nothing.
    if !is_counted && !typed.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let missing = if is_counted { Vec::new() } else { missing() };
    if missing.is_empty() {
        counted::run();
        return ExitCode::SUCCESS;
    }
    eprintln!("No instructions were counted. Missing on the path:");
    for line in missing {
        eprintln!("  {line}");
    }
    ExitCode::FAILURE
}

/// The programs that count, where they are not to be found, each with the way to get it.
fn missing() -> Vec<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &str| env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let install = format!("cargo install gungraun-runner --version {} --locked", version());
    let wanted = [("valgrind", "the package valgrind"), ("gungraun-runner", &install)];
    let missing = wanted.into_iter().filter(|(name, _)| !is_there(name));
    missing.map(|(name, way)| format!("{name} ({way})")).collect()
}

/// The version of gungraun that this was built with: the runner must have the same.
fn version() -> &'static str {
    let (_, after) = include_str!("../Cargo.lock")
        .split_once("name = \"gungraun\"\nversion = \"")
        .expect("a dependency");
    after.split('"').next().unwrap_or_default()
}

mod counted {
    use gungraun::{
        Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
    };
    use tamperscope::pipeline::{Analysis, Outcome};
    use tamperscope::wire::Frame;

    use crate::rooms::decode::{Headers, decode};
    use crate::rooms::lane::{Given, Whole};
    use crate::rooms::names::Kind;

    fn framed(headers: Headers) -> &'static [Frame<'static>] {
        headers.frames().leak()
    }

    #[library_benchmark(setup = framed)]
    #[bench::ipv4(Headers::Ipv4)]
    #[bench::ipv6(Headers::Ipv6)]
    #[bench::vlan(Headers::Vlan)]
    #[bench::vxlan(Headers::Vxlan)]
    fn frames(frames: &'static [Frame<'static>]) {
        decode(frames);
    }

    fn given() -> &'static Given {
        Box::leak(Box::new(Given::mix()))
    }

    #[library_benchmark]
    #[bench::mix(setup = given)]
    fn packets(given: &'static Given) -> Outcome {
        given.run()
    }

    fn whole() -> &'static Whole {
        Box::leak(Box::new(Whole::mix()))
    }

    #[library_benchmark]
    #[bench::mix(setup = whole)]
    fn analyze(whole: &'static Whole) -> Analysis {
        whole.run()
    }

    fn told(kind: Kind) -> (Kind, &'static [Vec<u8>]) {
        (kind, kind.messages().leak())
    }

    #[library_benchmark(setup = told)]
    #[bench::client_hello(Kind::ClientHello)]
    #[bench::request(Kind::Request)]
    #[bench::response(Kind::Response)]
    #[bench::dns(Kind::Dns)]
    #[bench::quic_initial(Kind::QuicInitial)]
    fn messages((kind, messages): (Kind, &'static [Vec<u8>])) {
        kind.read(messages);
    }

    library_benchmark_group!(name = decode, benchmarks = frames);
    library_benchmark_group!(name = lane, benchmarks = [packets, analyze]);
    library_benchmark_group!(name = names, benchmarks = messages);

    main!(
        config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
        library_benchmark_groups = [decode, lane, names]
    );

    pub(super) fn run() {
        main();
    }
}
