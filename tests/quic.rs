//! The names in QUIC handshakes against `TShark`'s, flow by flow, on captures that lie beside the
//! checkout.

#![expect(clippy::unwrap_used, reason = "a capture that cannot be read fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tamperscope::capture;

#[cfg(test)]
#[path = "common/run.rs"]
mod run;

/// The client's address and port, and the name that it asked for.
type Named = BTreeSet<(String, String)>;

#[test]
fn names_are_read_as_the_referee_reads_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/benign");
    if !root.is_dir() || Command::new("tshark").arg("-v").output().is_err() {
        eprintln!("skipped: needs ../shared/captures and tshark");
        return;
    }
    let mut paths = Vec::new();
    find(&root, &mut paths);
    assert!(paths.len() > 30, "{} captures", paths.len());
    let (first, second) = paths.split_at(paths.len() / 2);
    let (mut differences, agreed) = std::thread::scope(|scope| {
        let other = scope.spawn(|| compare(second));
        let (mut differences, agreed) = compare(first);
        let (more, also) = other.join().unwrap();
        differences.extend(more);
        (differences, agreed + also)
    });
    for (name, ours, theirs) in KNOWN {
        let found = differences.remove(*name).unwrap_or_default();
        assert_eq!((found.0.len(), found.1.len()), (*ours, *theirs), "{name}: {found:?}");
    }
    assert!(differences.is_empty(), "ours, theirs: {differences:#?}");
    assert!(agreed > 150, "only {agreed} names");
}

/// What only we and only the referee reads, file by file, and how much both do.
fn compare(paths: &[PathBuf]) -> (BTreeMap<String, (Named, Named)>, usize) {
    let mut differences = BTreeMap::new();
    let mut agreed = 0;
    for path in paths {
        let (ours, theirs) = (ours(path), theirs(path));
        agreed += ours.intersection(&theirs).count();
        if ours != theirs {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let less = |one: &Named, other| one.difference(other).cloned().collect();
            differences.insert(name, (less(&ours, &theirs), less(&theirs, &ours)));
        }
    }
    (differences, agreed)
}

/// Names that only we, and only the referee reads.
const KNOWN: &[(&str, usize, usize)] = &[
    // After a negotiation of versions the client goes on with the same connection IDs.
    ("quic_vn.pcap", 1, 0),
    // Google's T050 and T051 of 2020: TLS in frames of its own, which nobody speaks any more.
    ("quic_t50.pcap", 0, 1),
    ("quic_t51.pcap", 0, 1),
];

/// All captures with `quic` in their name.
fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, found);
        } else if path.file_name().unwrap().to_string_lossy().contains("quic") {
            found.push(path);
        }
    }
}

fn ours(path: &Path) -> Named {
    let inputs = capture::expand(&[path]).unwrap().inputs;
    let analysis = run::analyze(&inputs, &run::settings());
    assert!(analysis.findings.is_empty(), "{}", path.display());
    let named = analysis.flows.into_iter().filter_map(|flow| {
        let sni = flow.quic?.sni?;
        Some((format!("{} {}", flow.client.ip, flow.client.port), sni))
    });
    named.collect()
}

fn theirs(path: &Path) -> Named {
    let fields = ["ip.src", "ipv6.src", "udp.srcport", "tls.handshake.extensions_server_name"];
    let output = Command::new("tshark")
        .args(["-n", "-Y", "quic && tls.handshake.type == 1", "-T", "fields"])
        .args(["-E", "occurrence=l"])
        .args(fields.iter().flat_map(|field| ["-e", field]))
        .arg("-r")
        .arg(path)
        .output()
        .unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let named = lines.lines().filter_map(|line| {
        let [v4, v6, port, sni] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        (!sni.is_empty()).then(|| (format!("{v4}{v6} {port}"), sni.to_lowercase()))
    });
    named.collect()
}
