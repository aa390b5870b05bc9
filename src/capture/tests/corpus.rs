//! Captures of other projects, where they lie beside the checkout, against two other readers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use pcap::{Capture, Offline, Precision};

use super::*;
use crate::capture::{DamageReason, expand};

fn inputs() -> Option<Vec<Input>> {
    let top: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if !top.is_dir() {
        eprintln!("skipped: no {}", top.display());
        return None;
    }
    let inputs = expand(&[top.canonicalize().unwrap()]).unwrap().inputs;
    assert!(inputs.len() > 1_000, "{}", inputs.len());
    Some(inputs)
}

/// Packets, earliest and latest time of each file, in the words of `capinfos`; files that it
/// refuses to the end are missing.
fn lines_of_capinfos(paths: &[&str]) -> Option<HashMap<String, [String; 3]>> {
    let mut found = HashMap::new();
    for chunk in paths.chunks(200) {
        let mut command = Command::new("capinfos");
        let Ok(output) =
            command.args(["-c", "-a", "-e", "-S", "-M", "-T", "-r"]).args(chunk).output()
        else {
            eprintln!("skipped: capinfos is not installed");
            return None;
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            if let [path, rest @ ..] = line.split('\t').collect::<Vec<_>>().as_slice()
                && let [packets, first, last] = rest
            {
                found.insert((*path).to_owned(), [packets, first, last].map(|s| (*s).to_owned()));
            }
        }
    }
    Some(found)
}

/// `12.345` as nanoseconds.
fn nanos(text: &str) -> Option<Timestamp> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
    let nanos = secs.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction)?;
    Some(Timestamp::from_nanos(nanos))
}

#[test]
fn public_captures_count_as_wireshark_counts() {
    let Some(inputs) = inputs() else { return };
    let (_, reports) = drain(Recording::open(&inputs, &OpenOptions::default()).unwrap());
    assert!(reports.iter().all(|report| report.error.is_none()));
    let paths: Vec<_> = reports.iter().map(|report| report.path.as_str()).collect();
    let Some(theirs) = lines_of_capinfos(&paths) else { return };
    let (mut compared, mut other_times) = (0, Vec::new());
    for report in &reports {
        let Some([packets, first, last]) = theirs.get(&report.path) else { continue };
        // Zeros are records without bytes to Wireshark, and the end of the file to us.
        if report.damage.is_some_and(|damage| damage.reason == DamageReason::ZeroHeader) {
            continue;
        }
        compared += 1;
        assert_eq!(report.packets.to_string(), *packets, "{}", report.path);
        let same = (report.first, report.last) == (nanos(first), nanos(last));
        if !same && report.packets > 0 && report.packets_without_time == 0 {
            other_times.push(&report.path);
        }
    }
    eprintln!("compared {compared} of {} files; other times: {other_times:?}", reports.len());
    assert!(compared > 1_000);
    // A fraction of more than a second, which Wireshark adds up in 32 bits; hand-made files.
    assert!(other_times.len() <= 10);
}

#[test]
fn public_captures_hold_the_packets_that_libpcap_reads() {
    let Some(inputs) = inputs() else { return };
    let mut compared = 0;
    for input in &inputs {
        let path = input.to_string();
        let Ok(mut theirs) = Capture::from_file_with_precision(&path, Precision::Nano) else {
            continue;
        };
        let recording = Recording::open(std::slice::from_ref(input), &OpenOptions::default());
        let (frames, _) = drain(recording.unwrap());
        compared += compare(&mut theirs, &frames, &path);
    }
    eprintln!("compared {compared} packets");
    assert!(compared > 100_000);
}

/// Compares packet by packet until libpcap has enough, and counts. Libpcap cuts packets at the
/// snapshot length, reads seconds as signed, and leaves fractions above a second as they are.
fn compare(theirs: &mut Capture<Offline>, frames: &[Owned], path: &str) -> usize {
    let mut compared = 0;
    for frame in frames {
        let Ok(packet) = theirs.next_packet() else { break };
        let (length, time) = (packet.header.len as usize, packet.header.ts);
        let place = format!("{path} {}", frame.id);
        assert!(frame.bytes.starts_with(packet.data), "{place}");
        assert_eq!(frame.original_len as usize, length.max(frame.bytes.len()), "{place}");
        if time.tv_sec > 0 && (0..1_000_000_000).contains(&time.tv_usec) {
            let nanos = time.tv_sec * 1_000_000_000 + time.tv_usec;
            assert_eq!(frame.time.as_nanos(), nanos, "{place}");
        }
        compared += usize::from(frame.bytes.len() == packet.data.len());
    }
    compared
}
