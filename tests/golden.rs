//! Every folder of `captures/` is a test: its label says what must be found, and that nothing else
//! may be.
//!
//! The labels were written from the records of the laboratory's own middlebox, clients and
//! servers, never from this program's output; `captures/README.md` describes them.

#![expect(clippy::unwrap_used, reason = "a label or capture that cannot be read fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tamperscope::capture;
use tamperscope::detect::fingerprint::FingerprintSet;
use tamperscope::evidence::{Confidence, Finding, HostSource, HostVerdict, Kind, Tuple};
use tamperscope::pipeline::{self, Analysis, Limits, Settings};
use tamperscope::wire::FrameId;

#[derive(Deserialize)]
struct Label {
    expected: Vec<Expected>,
    #[serde(default)]
    hosts: BTreeMap<String, String>,
    #[serde(default)]
    services: BTreeMap<String, Service>,
    silent: bool,
    #[serde(default)]
    vantages: BTreeMap<String, Vantage>,
}

#[derive(Deserialize)]
struct Vantage {
    files: Vec<String>,
    #[serde(default)]
    hosts: BTreeMap<String, String>,
    #[serde(default)]
    services: BTreeMap<String, Service>,
}

/// Names that belong together.
#[derive(Deserialize, PartialEq, Debug)]
struct Service {
    verdict: String,
    let_through: Vec<IpAddr>,
}

#[derive(Deserialize)]
struct Expected {
    kind: String,
    host: Option<String>,
    min_confidence: String,
    trigger_frame: Option<u64>,
    forged_frames: Vec<u64>,
    #[serde(default)]
    genuine_frames: Vec<u64>,
    client: String,
    block_page_title: Option<String>,
    status: Option<u16>,
    capture: String,
}

#[test]
fn every_story_is_told_as_labelled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut stories: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("label.json").is_file())
        .collect();
    stories.sort();
    assert!(stories.len() >= 30, "only {} stories under {}", stories.len(), root.display());
    let settings = settings();
    let mut faults = String::new();
    for story in &stories {
        for fault in check(story, &settings) {
            let name = story.file_name().unwrap().to_string_lossy();
            writeln!(faults, "{name}: {fault}").unwrap();
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

fn settings() -> Settings {
    Settings {
        filter: None,
        hash: false,
        flows: true,
        lanes: NonZeroUsize::MIN,
        fingerprints: Arc::new(FingerprintSet::builtin()),
        services: Arc::default(),
        limits: Limits::default(),
    }
}

/// Flows without findings are forgotten when they end, unless all are asked for; nothing else that
/// is told may depend on it.
#[test]
fn what_is_told_of_the_rest_does_not_depend_on_keeping_all_flows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let all = settings();
    let told = Settings { flows: false, ..settings() };
    for story in [
        "many-hosts",
        "koryolink",
        "reset-on-second-request",
        "plain-browsing",
        "port-reuse",
        "certificate-swap",
        "certificate-self-signed",
        "throttle-repeated",
        "rate-congested",
        "dns-in-path",
        "dns-led-astray",
        "dns-balanced",
    ] {
        let files = captures_of(&root.join(story));
        let (all, told) = (analyze(&files, &all), analyze(&files, &told));
        assert_eq!(all.findings, told.findings, "{story}");
        assert_eq!(all.hosts, told.hosts, "{story}");
        assert_eq!(all.summary, told.summary, "{story}");
        let with_findings = all.flows.into_iter().filter(|flow| {
            let of = |found: &Finding| found.flow == flow.flow;
            all.findings.iter().any(of)
        });
        assert_eq!(with_findings.collect::<Vec<_>>(), told.flows, "{story}");
    }
}

/// A connection that was hit at its SYN is joined to the one whose name had set the device off.
#[test]
fn a_residual_block_names_what_set_it_off() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let analysis = analyze(&captures_of(&root.join("reset-residual")), &settings());
    let [first, later] = &analysis.findings[..] else { panic!("{:?}", analysis.findings) };
    assert_eq!((&first.residual_of, first.residual), (&None, None));
    assert_eq!(later.residual_of.as_ref(), Some(&first.id));
    assert_eq!(later.residual.map(|residual| residual.tuple), Some(Tuple::Three));
    assert_eq!(later.host_source, Some(HostSource::Correlation));
    // It did not ask for that name, and is no access to it.
    let accesses = |host: &str| {
        analysis.hosts.iter().find(|record| record.host == host).map(|record| record.accesses)
    };
    assert_eq!(accesses("blocked.example"), Some(1));
}

/// The words of the study of 2023, on what really happened.
#[test]
fn broken_connections_have_their_signature() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let table = [
        ("reset-to-client", "PSH → RST"),
        ("reset-rst-ack-three", "PSH → RST+ACK; RST+ACK"),
        ("reset-after-syn", "SYN → RST+ACK"),
        ("balancer-lost-session", "PSH → RST+ACK"),
    ];
    for (story, name) in table {
        let analysis = analyze(&captures_of(&root.join(story)), &settings());
        let told: Vec<_> =
            analysis.flows.iter().filter_map(|flow| flow.tampering_signature.as_deref()).collect();
        assert!(told.contains(&name), "{story}: {told:?}");
    }
}

fn check(story: &Path, settings: &Settings) -> Vec<String> {
    let label: Label =
        serde_json::from_slice(&fs::read(story.join("label.json")).unwrap()).unwrap();
    let whole = analyze(&captures_of(story), settings);
    let mut faults = against_hosts(&whole, &label.hosts, "all files");
    faults.extend(against_services(&whole, &label.services, "all files"));
    if label.vantages.is_empty() {
        faults.extend(against_findings(
            &whole,
            &label.expected.iter().collect::<Vec<_>>(),
            label.silent,
        ));
        return faults;
    }
    for (name, vantage) in &label.vantages {
        let files: Vec<PathBuf> = vantage.files.iter().map(|file| story.join(file)).collect();
        let expected: Vec<&Expected> =
            label.expected.iter().filter(|one| vantage.files.contains(&one.capture)).collect();
        let analysis = analyze(&files, settings);
        faults.extend(against_hosts(&analysis, &vantage.hosts, name));
        faults.extend(against_services(&analysis, &vantage.services, name));
        faults.extend(against_findings(&analysis, &expected, label.silent));
    }
    faults
}

fn captures_of(story: &Path) -> Vec<PathBuf> {
    let is_capture = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        [".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz"].iter().any(|end| name.ends_with(end))
    };
    let mut files: Vec<PathBuf> = fs::read_dir(story)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(is_capture)
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no capture in {}", story.display());
    files
}

fn analyze(files: &[PathBuf], settings: &Settings) -> Analysis {
    let inputs = capture::expand(files).unwrap().inputs;
    pipeline::analyze(&inputs, settings, &mut ()).unwrap()
}

fn against_hosts(analysis: &Analysis, hosts: &BTreeMap<String, String>, of: &str) -> Vec<String> {
    let verdict = |name: &str| {
        let record = analysis.hosts.iter().find(|record| record.host == name);
        record.map_or("absent", |record| record.verdict.name())
    };
    hosts
        .iter()
        .filter(|(host, expected)| verdict(host) != expected.as_str())
        .map(|(host, expected)| format!("{of}: {host} is {}, not {expected}", verdict(host)))
        .collect()
}

/// What is told of names that belong together, to the last one; every name stands by a flow.
fn against_services(
    analysis: &Analysis,
    expected: &BTreeMap<String, Service>,
    of: &str,
) -> Option<String> {
    let told: BTreeMap<String, Service> = analysis
        .summary
        .services
        .iter()
        .map(|service| {
            let verdict = service.verdict.name().to_owned();
            assert_eq!(service.clients_let_through, service.let_through.len() as u64);
            (service.service.clone(), Service { verdict, let_through: service.let_through.clone() })
        })
        .collect();
    for host in &analysis.hosts {
        let hit = matches!(host.verdict, HostVerdict::Blocked | HostVerdict::Partly);
        assert_eq!(host.interfered_in.is_some(), hit, "{host:?}");
        assert_eq!(host.untouched_in.is_some(), host.untouched > 0, "{host:?}");
        let shown = host.untouched_in.as_ref().map(|access| access.time);
        let times = [host.first_untouched, shown, host.last_untouched];
        assert!(times.is_sorted() && times.iter().all(|time| time.is_some() == shown.is_some()));
        for access in host.interfered_in.iter().chain(&host.untouched_in) {
            let flow = analysis.flows.iter().find(|flow| flow.flow == access.flow).unwrap();
            assert_eq!(flow.client.ip, access.client);
            assert!((flow.first_frame..=flow.last_frame).contains(&access.frame), "{access:?}");
        }
    }
    (told != *expected).then(|| format!("{of}: services are {told:?}, not {expected:?}"))
}

fn against_findings(analysis: &Analysis, expected: &[&Expected], silent: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut unexplained: Vec<&Finding> =
        analysis.findings.iter().filter(|found| found.confidence >= Confidence::Likely).collect();
    for one in expected {
        let found = analysis.findings.iter().find(|found| is_of(found, one));
        match found {
            // A single weak mark may be told, and need not be: silence is an answer there.
            None if one.min_confidence == "possible" => {}
            None => faults
                .push(format!("missed: {} of {} {:?}", one.kind, one.client, one.forged_frames)),
            Some(found) => {
                unexplained.retain(|other| other.id != found.id);
                faults.extend(differences(found, one));
            }
        }
    }
    if silent {
        faults.extend(unexplained.iter().map(|found| {
            let facts: Vec<_> = found.evidence.iter().map(|fact| fact.text.as_str()).collect();
            format!(
                "false alarm: {} {} {:?} {facts:#?}",
                found.kind,
                found.confidence,
                numbers(&found.forged_frames)
            )
        }));
    }
    faults
}

fn is_of(found: &Finding, expected: &Expected) -> bool {
    let kind = match expected.kind.as_str() {
        "reset" => Kind::Reset,
        "response" => Kind::Response,
        "handshake" => Kind::Handshake,
        "tls" => Kind::Tls,
        "dns" => Kind::Dns,
        "drop" => Kind::Drop,
        "throttle" => Kind::Throttle,
        other => panic!("unknown kind {other}"),
    };
    found.kind == kind
        && found.client.to_string() == expected.client
        && Path::new(&found.capture).file_name().unwrap().to_string_lossy() == expected.capture
}

fn differences(found: &Finding, expected: &Expected) -> Vec<String> {
    let least = match expected.min_confidence.as_str() {
        "possible" => Confidence::Possible,
        "likely" => Confidence::Likely,
        "confirmed" => Confidence::Confirmed,
        other => panic!("unknown level {other}"),
    };
    let forged = numbers(&found.forged_frames);
    let page = found.block_page.as_ref();
    let mut faults = Vec::new();
    let mut hold = |holds: bool, fault: String| {
        if !holds {
            faults.push(format!("{} {}: {fault}", expected.kind, expected.client));
        }
    };
    hold(
        found.confidence >= least,
        format!(
            "{} ({:.3}) where {least} is due: {:?}",
            found.confidence,
            found.score,
            found
                .evidence
                .iter()
                .chain(&found.against)
                .map(|fact| (fact.signal.name(), fact.weight))
                .collect::<Vec<_>>()
        ),
    );
    let silent = matches!(found.kind, Kind::Drop | Kind::Throttle);
    hold(
        !silent || found.confidence == Confidence::Possible || found.control_flow.is_some(),
        "no control is named".to_owned(),
    );
    hold(
        forged.first() == expected.forged_frames.first(),
        format!("first forged frame of {forged:?} is not that of {:?}", expected.forged_frames),
    );
    hold(
        forged.iter().all(|frame| expected.forged_frames.contains(frame)),
        format!("accuses {forged:?}, forged are {:?}", expected.forged_frames),
    );
    hold(
        !forged.iter().any(|frame| expected.genuine_frames.contains(frame)),
        "accuses a genuine frame".to_owned(),
    );
    hold(
        expected.host.is_none() || found.host == expected.host,
        format!("host {:?}, not {:?}", found.host, expected.host),
    );
    let trigger = found.trigger_frame.map(FrameId::number);
    hold(
        trigger == expected.trigger_frame,
        format!("trigger {trigger:?}, not {:?}", expected.trigger_frame),
    );
    if let Some(title) = &expected.block_page_title {
        let seen = page.and_then(|page| page.title.clone());
        hold(seen.as_ref() == Some(title), format!("title {seen:?}, not {title:?}"));
    }
    if let Some(status) = expected.status {
        let seen = page.and_then(|page| page.status);
        hold(seen == Some(status), format!("status {seen:?}, not {status}"));
    }
    faults
}

fn numbers(frames: &[FrameId]) -> Vec<u64> {
    frames.iter().map(|frame| frame.number()).collect()
}
