//! The bodies of the fuzz targets (`tests/fuzz`) for two seconds each, without a fuzzer.
//!
//! Seeds from `captures/` are mutated by a generator with a fixed seed: the n-th input of a target
//! is the same on every machine, and only their number depends on its speed. What breaks a body is
//! kept as `target/tmp/fuzz-TARGET`, for `cargo fuzz run` or for the next run of this test, which
//! begins with it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, fs};

#[cfg(test)]
#[expect(unreachable_pub, reason = "the fuzz crate has it as its library")]
#[path = "fuzz/bodies/mod.rs"]
mod bodies;
#[cfg(test)]
#[path = "fuzz/mutate.rs"]
mod mutate;
#[cfg(test)]
#[path = "fuzz/seeds.rs"]
mod seeds;
#[cfg(test)]
#[path = "common/stories.rs"]
mod stories;

use bodies::{TARGETS, analyze, conversation};
use mutate::Mutator;

/// How long each target runs.
const SPAN: Duration = Duration::from_secs(2);
/// No input may take longer, even without optimization on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

static SEEDS: LazyLock<BTreeMap<&'static str, seeds::Seeds>> = LazyLock::new(seeds::all);

fn smoke(name: &str) {
    let target = TARGETS.into_iter().find(|(target, _)| *target == name);
    let (Some((name, body)), Some(seeds)) = (target, SEEDS.get(name)) else {
        panic!("{name} has no body or no seeds")
    };
    assert!(seeds.len() >= 10, "{name} has only {} seeds", seeds.len());
    if let Ok(bytes) = fs::read(kept(name)) {
        try_one(name, body, &bytes, "what broke it last time");
        let _ = fs::remove_file(kept(name));
    }
    let begun = Instant::now();
    for (seed, bytes) in seeds {
        try_one(name, body, bytes, &format!("the seed {seed}"));
    }
    let mut mutator = Mutator::new(seeds);
    let mut count: u64 = 0;
    while begun.elapsed() < SPAN || count < 20 {
        count += 1;
        let bytes = mutator.next();
        try_one(name, body, &bytes, &format!("input {count}"));
    }
    eprintln!("{name}: {} seeds and {count} inputs", seeds.len());
}

fn try_one(name: &str, body: fn(&[u8]), bytes: &[u8], what: &str) {
    let begun = Instant::now();
    let fine = catch_unwind(AssertUnwindSafe(|| body(bytes))).is_ok();
    if fine && begun.elapsed() < PATIENCE {
        return;
    }
    let written = fs::write(kept(name), bytes);
    let fault = if fine { "takes too long" } else { "breaks a promise" };
    panic!("{name}: {what} {fault}; kept in {}: {written:?}", kept(name).display());
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"))
}

macro_rules! smoke_tests {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            smoke(stringify!($name));
        }
    )*};
}

smoke_tests!(capture decode assembler tls http dns quic fingerprint conversation analyze);

#[test]
fn every_target_is_run_both_ways() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/fuzz_targets");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("fuzz_targets")
        .map(|entry| entry.expect("entry").path())
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut bodies: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    bodies.sort();
    assert_eq!(names, bodies);
}

#[test]
fn the_seeds_of_conversations_reach_the_detectors() {
    let scripts = SEEDS["conversation"].iter();
    let findings =
        scripts.map(|(_, script)| analyze::judge(&conversation::pcap(script))).filter(|n| *n > 0);
    assert!(findings.count() >= 25);
}

#[test]
fn a_broken_promise_is_told_and_kept() {
    let told = catch_unwind(|| try_one("broken", |_| panic!("on purpose"), b"bytes", "this"));
    let told = told.expect_err("a body that panics");
    let text = told.downcast_ref::<String>().expect("a message");
    assert!(text.contains("broken: this breaks a promise"), "{text}");
    assert_eq!(fs::read(kept("broken")).expect("the kept input"), b"bytes");
}

/// Fills the corpora of libFuzzer where `tests/fuzz/seed` says so; otherwise a folder that goes.
#[test]
fn corpora_are_seeded() {
    let passing = tempfile::tempdir().expect("a folder");
    let corpus = env::var_os("FUZZ_CORPUS").map_or(passing.path().to_owned(), PathBuf::from);
    for (target, seeds) in SEEDS.iter() {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).expect("a folder for the corpus");
        for (name, bytes) in seeds {
            fs::write(folder.join(name), bytes).expect("room for the corpus");
        }
        assert!(!seeds.is_empty(), "{target}");
        assert!(fs::read_dir(folder).expect("it is there").count() >= seeds.len());
        println!("{target}: {} seeds", seeds.len());
    }
}
