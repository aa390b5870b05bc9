//! Any bytes as a capture file, from the front door to the reports.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use tamperscope::capture::Input;
use tamperscope::evidence::{CaptureRecord, Finding};
use tamperscope::pipeline::{Analysis, Settings};
use tamperscope::report::{escape, eve, jsonl, text};
use tamperscope::wire::FrameId;

use super::run;

/// The whole program runs, and what it says can be looked up in the file.
pub fn check(bytes: &[u8]) {
    // Packed input may honestly unpack to gigabytes, which is no fault, and no use here: the
    // target `capture` unpacks.
    let packed = [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd"].iter().any(|mark| bytes.starts_with(mark));
    if !packed {
        judge(bytes);
    }
}

/// Analyses the capture, holds the records to what they promise, and says how many findings there
/// are.
pub fn judge(bytes: &[u8]) -> usize {
    static SETTINGS: LazyLock<Settings> = LazyLock::new(run::settings);
    static LANES: LazyLock<Settings> = LazyLock::new(|| several_lanes(SETTINGS.clone()));
    let capture = [Input::Bytes { name: "fuzz".to_owned(), bytes: Arc::from(bytes) }];
    let analysis = run::analyze(&capture, &SETTINGS);
    if bytes.len() % 8 == 1 {
        let other = run::analyze(&capture, &LANES);
        assert_eq!(format!("{analysis:?}"), format!("{other:?}"), "whatever the lanes");
    }
    let [file] = &analysis.captures[..] else { panic!("one file, one record") };
    let skipped: u64 = file.skipped.values().sum();
    let carried: u64 = analysis.flows.iter().map(|flow| packets_of(flow.packets)).sum();
    assert_eq!(file.packets, analysis.summary.packets);
    assert_eq!(carried + skipped, file.packets, "every frame is told of once");
    assert_eq!(analysis.summary.flows, analysis.flows.len() as u64);
    for flow in &analysis.flows {
        exists(flow.first_frame, file);
        exists(flow.last_frame, file);
    }
    for host in &analysis.hosts {
        for access in host.interfered_in.iter().chain(&host.untouched_in) {
            exists(access.frame, file);
            let flow = analysis.flows.iter().find(|flow| flow.flow == access.flow);
            assert_eq!(flow.map(|flow| flow.client.ip), Some(access.client));
        }
    }
    let mut ids = HashSet::new();
    for finding in &analysis.findings {
        check_finding(finding, file, analysis.flows.len() as u64);
        assert!(ids.insert((finding.flow, finding.kind)), "one for each flow and kind");
    }
    // Reports cost as much as all the rest; findings are where they have most to say.
    if !analysis.findings.is_empty() || bytes.len().is_multiple_of(8) {
        tell(&analysis);
    }
    analysis.findings.len()
}

fn several_lanes(settings: Settings) -> Settings {
    Settings { lanes: NonZeroUsize::new(3).unwrap_or(settings.lanes), ..settings }
}

fn packets_of(packets: tamperscope::evidence::ByDirection) -> u64 {
    packets.to_server + packets.to_client
}

fn check_finding(finding: &Finding, file: &CaptureRecord, flows: u64) {
    assert!((1..=flows).contains(&finding.flow));
    assert!((0.0..=1.0).contains(&finding.score), "{}", finding.score);
    assert!(!finding.evidence.is_empty(), "no finding without facts");
    let told = finding.evidence.iter().chain(&finding.against).map(|fact| fact.frame);
    let named = [&finding.forged_frames, &finding.genuine_frames].into_iter().flatten().copied();
    let roled = finding.frames.iter().map(|one| one.frame);
    for frame in told.chain(named).chain(roled).chain(finding.trigger_frame) {
        exists(frame, file);
    }
    assert!(finding.forged_frames.is_sorted() && finding.genuine_frames.is_sorted());
    let genuine: HashSet<_> = finding.genuine_frames.iter().collect();
    assert!(!finding.forged_frames.iter().any(|frame| genuine.contains(frame)));
}

fn exists(frame: FrameId, file: &CaptureRecord) {
    let there = frame.file() == 0 && (1..=file.packets).contains(&frame.number());
    assert!(there, "{frame:?} of {} frames", file.packets);
}

/// All forms of report, of which none may pass on what a terminal would obey.
fn tell(analysis: &Analysis) {
    let mut out = Vec::new();
    let outcome = text::Outcome {
        captures: &analysis.captures,
        flows: &analysis.flows,
        findings: &analysis.findings,
        hosts: &analysis.hosts,
        summary: &analysis.summary,
    };
    text::write(&mut out, &outcome, text::Style::Plain).expect("memory takes everything");
    let mut lines = jsonl::JsonLines::new(&mut out);
    analysis.captures.iter().for_each(|record| lines.capture(record).expect("a capture record"));
    analysis.flows.iter().for_each(|record| lines.flow(record).expect("a flow record"));
    analysis.findings.iter().for_each(|record| lines.finding(record).expect("a finding"));
    analysis.hosts.iter().for_each(|record| lines.host(record).expect("a host record"));
    lines.summary(&analysis.summary).expect("a summary");
    let mut events = eve::Eve::new(&mut out);
    analysis.flows.iter().for_each(|record| events.flow(record, false).expect("a flow event"));
    for finding in &analysis.findings {
        let flow = analysis.flows.iter().find(|flow| flow.flow == finding.flow);
        events.alert(finding, flow).expect("an alert");
    }
    let told = String::from_utf8(out).expect("reports are text");
    let obeyed = told.chars().find(|c| *c != '\n' && escape::is_unsafe(*c));
    assert_eq!(obeyed, None, "shown, not obeyed");
}
