//! The workloads that `benches/` measures with are what they are said to be: the same bytes each
//! time, packets that decode, and interference that is found where it is and nowhere else.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "no bytes of strangers are read")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tamperscope::capture::Input;
use tamperscope::pipeline::Analysis;
use workload::names::{NAME_BITS, name};
use workload::rng::Rng;
use workload::stream::Stream;
use workload::{EDITION, Size, Workload, Written};

#[cfg(test)]
#[path = "common/run.rs"]
mod run;
#[cfg(test)]
#[path = "../benches/workload/mod.rs"]
mod workload;

fn made(name: &str, scale: &str) -> (Written, Vec<u8>) {
    let mut file = Vec::new();
    let workload = Workload::named(name).expect("a workload");
    let size = Size { established: 200, ..Size::scale(scale).expect("a scale") };
    let written = workload::write(workload, size, &mut file).expect("memory");
    assert_eq!(written.bytes, file.len() as u64);
    (written, file)
}

fn analysis(name: &str, file: Vec<u8>) -> Analysis {
    let input = Input::Bytes { name: name.to_owned(), bytes: Arc::from(file) };
    run::analyze(&[input], &run::settings())
}

/// Who accepts other bytes here raises the edition.
#[test]
fn the_same_bytes_every_time() {
    let mut told = format!("edition {EDITION}\n");
    for (name, _) in Workload::ALL {
        let (written, file) = made(name, "0.0005");
        let digest = Sha256::digest(&file);
        let short = u64::from_be_bytes(digest[..8].try_into().expect("eight bytes"));
        writeln!(
            told,
            "{name}: {} packets, {} bytes, {short:016x}",
            written.packets, written.bytes
        )
        .expect("memory");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_interfered_with_is_found_and_nothing_else() {
    for (name, scale) in [("mix", "0.01"), ("small", "0.001"), ("bulk", "0.001"), ("calm", "1")] {
        let (written, file) = made(name, scale);
        let analysis = analysis(name, file);
        assert_eq!(analysis.flows.len() as u64, written.tcp_flows + written.udp_flows, "{name}");
        let skipped: u64 =
            analysis.captures.iter().flat_map(|report| report.skipped.values()).sum();
        assert_eq!(skipped, 0, "{name}");
        let found: BTreeSet<_> = analysis.findings.iter().map(|finding| finding.flow).collect();
        let (found, struck) = (found.len() as u64, written.interfered);
        assert!(found <= struck && found * 10 >= struck * 9, "{name}: {found} of {struck}");
    }
}

#[test]
fn an_attack_changes_no_finding_beside_it() {
    let findings = |name: &str| -> Vec<_> {
        let findings = analysis(name, made(name, "0.0005").1).findings;
        let mut told: Vec<_> = findings
            .into_iter()
            .map(|finding| {
                (finding.time, finding.client, finding.host, finding.kind, finding.score)
            })
            .map(|told| format!("{told:?}"))
            .collect();
        told.sort();
        told
    };
    let calm = findings("calm");
    assert!(calm.len() > 5, "{calm:?}");
    for name in ["synflood", "halfopen", "holes", "fragments", "queries", "names"] {
        assert_eq!(findings(name), calm, "{name}");
    }
}

#[test]
fn with_little_memory_what_is_given_up_is_told_and_the_findings_stay() {
    let file: Arc<[u8]> = made("names", "0.01").1.into();
    let told = |memory| {
        let mut settings = run::settings();
        settings.flows = false;
        settings.limits.memory = memory;
        let input = Input::Bytes { name: "names".to_owned(), bytes: Arc::clone(&file) };
        let Analysis { findings, summary, .. } = run::analyze(&[input], &settings);
        let given_up =
            ["controls_given_up", "host_accesses_given_up"].map(|name| summary.limits[name]);
        let findings: Vec<_> = findings
            .into_iter()
            .map(|finding| (finding.flow, finding.kind, finding.score))
            .collect();
        (given_up, findings)
    };
    let (nothing, ample) = told(1 << 30);
    assert_eq!(nothing, [0, 0]);
    let ([controls, accesses], scarce) = told(32 << 20);
    assert!(controls > 0 && accesses > 1_000, "{controls}, {accesses}");
    assert!(ample.len() > 5 && ample == scarce, "{ample:?}, {scarce:?}");
}

#[test]
fn names_are_distinct() {
    let names: BTreeSet<String> = (1..1 << NAME_BITS).map(name).collect();
    assert_eq!(names.len(), (1 << NAME_BITS) - 1);
}

#[test]
fn however_a_stream_is_cut_its_bytes_are_the_same() {
    let mut rng = Rng::new(1, 1);
    let mut stream = Stream::default();
    stream.write(b"hello");
    stream.sealed(&mut rng, 40_000);
    stream.noise(&mut rng, 300_000);
    stream.write(b"end");
    let mut whole = vec![0; stream.len() as usize];
    stream.read(0, &mut whole);
    assert!(whole.starts_with(b"hello\x17\x03\x03\x40\x11") && whole.ends_with(b"end"));
    for size in [1, 7, 1448, 70_000] {
        let mut cut = vec![0; whole.len()];
        for (n, part) in cut.chunks_mut(size).enumerate() {
            stream.read((n * size) as u64, part);
        }
        assert!(cut == whole, "cut to {size}");
    }
}
