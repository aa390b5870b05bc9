//! `--max-memory` holds for the whole program, as its kernel counts: what the flows of a hostile
//! recording once had, and what is remembered of them later, fit in together.

#![cfg(target_os = "linux")]
#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "no bytes of strangers are read")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use workload::{Size, Workload};

// The other tests and benches use the rest.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../benches/workload/mod.rs"]
mod workload;

fn write(name: &str, scale: &str, path: &Path) {
    let workload = Workload::named(name).expect("a workload");
    let size = Size::scale(scale).expect("a scale");
    let file = File::create(path).expect("a file");
    workload::write(workload, size, file).expect("room for it");
}

/// Bytes that an analysis of `path` had resident at most.
fn peak(path: &Path, options: &[&str]) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tamperscope"))
        .args(["analyze", "--quiet", "--format", "jsonl"])
        .args(options)
        .arg(path)
        .stdout(Stdio::null())
        .spawn()
        .expect("the program");
    let mut peak = 0;
    loop {
        // It only grows: the last look before the end tells it, but for what came within a moment.
        peak = resident_at_most(&child).unwrap_or(peak);
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "{status}");
            return peak;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// `VmHWM` of proc(5); a process that has ended has none.
fn resident_at_most(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// Where it would take more than `mib` MiB, the workload does not with so many to use.
fn holds(name: &str, scale: &str, mib: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hostile.pcap");
    write(name, scale, &path);
    let usual = peak(&path, &["--lanes", "1"]);
    assert!(usual > mib << 20, "{name}: {usual} bytes are no test of {mib} MiB");
    for lanes in ["1", "2"] {
        let peak = peak(&path, &["--lanes", lanes, "--max-memory", &format!("{mib}M")]);
        assert!(peak <= mib << 20, "{name}, {lanes} lanes: {peak} bytes of {mib} MiB");
    }
}

#[test]
fn what_names_want_is_not_what_flows_have_had() {
    holds("names", "0.03", 64);
}

#[test]
fn many_short_flows_fit_in() {
    holds("small", "0.02", 64);
}

#[test]
fn many_half_open_flows_fit_in() {
    holds("halfopen", "0.02", 64);
}
