//! The same conversation on other roads gives the same names and findings.
//!
//! Every story of `captures/` is rewritten in memory: cut to one-byte segments, reordered,
//! captured twice, in tunnels, in other file formats, over several files, with sequence numbers
//! that wrap, ten years later; and read with several lanes.

use std::path::Path;

use tamperscope::capture::{Input, expand};
use tamperscope::evidence::{Confidence, Finding};
use tamperscope::pipeline::{Analysis, Settings};

#[cfg(test)]
mod astray;
#[cfg(test)]
mod chosen;
#[cfg(test)]
mod loss;
#[cfg(test)]
mod packet;
#[cfg(test)]
mod rewrite;
#[cfg(test)]
#[allow(dead_code, reason = "a workload needs more of it")]
#[path = "../../benches/workload/rng.rs"]
mod rng;
#[cfg(test)]
#[path = "../common/run.rs"]
mod run;
#[cfg(test)]
#[path = "../common/stories.rs"]
mod stories;
#[cfg(test)]
mod together;
#[cfg(test)]
mod told;
#[cfg(test)]
mod write;

use run::{analyze, settings};
use stories::{Shot, captures_of, shots, stories};
use told::{Part, Told};

/// A way to write the same conversation down.
type Road = fn(&[Shot]) -> Vec<Input>;

fn one(file: Vec<u8>) -> Vec<Input> {
    vec![write::input("road", file)]
}

/// Roads that change nothing but the wrapping: whatever is told must be the same to the letter.
const WRAPPINGS: [(&str, Road); 9] = [
    ("big-endian", |shots| one(write::pcap_big_endian(shots))),
    ("pcapng", |shots| one(write::pcapng(shots))),
    ("gzip", |shots| one(write::gzip(&write::pcap(shots)))),
    ("zstd", |shots| one(write::zstd(&write::pcapng(shots)))),
    ("vlan", |shots| one(write::pcap(&rewrite::vlan(shots)))),
    ("mpls", |shots| one(write::pcap(&rewrite::mpls(shots)))),
    ("gre", |shots| one(write::pcap(&rewrite::gre(shots)))),
    ("gtp", |shots| one(write::pcap(&rewrite::gtp(shots)))),
    ("ip-in-ip", |shots| one(write::pcap(&rewrite::ip_in_ip(shots)))),
];

/// Roads on which frames have other numbers, times or neighbours: names, exchanges and findings
/// must be the same.
const DETOURS: [(&str, Road); 9] = [
    ("microseconds", |shots| one(write::pcap_micros(shots))),
    ("later", |shots| one(write::pcap(&rewrite::later(shots)))),
    ("split", split),
    ("twice", |shots| one(write::pcap(&rewrite::twice(shots)))),
    ("wrap", |shots| one(write::pcap(&rewrite::wrap(shots)))),
    ("swap", |shots| one(write::pcap(&rewrite::swap(shots)))),
    ("cut-in-100", |shots| one(write::pcap(&rewrite::cut(shots, 100)))),
    ("cut-in-20", |shots| one(write::pcap(&rewrite::cut(shots, 20)))),
    ("cut-in-1", |shots| one(write::pcap(&rewrite::cut(shots, 1)))),
];

/// What a road honestly takes away: road, story, what, why. Nothing else may be taken away, and
/// nothing may be added.
const WEAKENED: [(&str, &str, Part, &str); 3] = [
    (
        "cut-in-1",
        "drop-answers-near-server",
        Part::Findings,
        "a single byte sent again may be a keep-alive's",
    ),
    (
        "cut-in-1",
        "jitter",
        Part::Http,
        "a hole behind which more than 512 pieces wait is given up (`stream::Limits`)",
    ),
    (
        "cut-in-1",
        "reordering",
        Part::Http,
        "a hole behind which more than 512 pieces wait is given up (`stream::Limits`)",
    ),
];

/// Three files, cut at arbitrary packets, each in another format.
fn split(shots: &[Shot]) -> Vec<Input> {
    let (first, rest) = shots.split_at(shots.len() / 3 + 1);
    let (second, third) = rest.split_at(rest.len() / 2);
    let mut inputs = vec![
        write::input("first", write::pcap(first)),
        write::input("second", write::pcapng(second)),
        write::input("third", write::gzip(&write::pcap_big_endian(third))),
    ];
    // Files are put in the order of their first packets, however they were named.
    inputs.swap(0, 2);
    inputs
}

fn every_story(mut check: impl FnMut(&str, &[Shot], &Analysis, &Settings) -> Vec<String>) {
    let settings = settings();
    let mut faults = Vec::new();
    let mut segments = 0;
    for story in stories() {
        let name = story.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shots = shots(&captures_of(&story));
        segments += rewrite::segments(&shots);
        let plain = analyze(&one(write::pcap(&shots)), &settings);
        faults.extend(
            check(&name, &shots, &plain, &settings)
                .into_iter()
                .map(|fault| format!("{name}: {fault}")),
        );
    }
    assert!(segments > 2_000, "only {segments} segments");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// All of a finding but the name of its file.
fn to_the_letter(analysis: &Analysis) -> Vec<String> {
    let mut told = Vec::new();
    for finding in &analysis.findings {
        let mut finding: Finding = finding.clone();
        finding.capture.clear();
        finding.id.clear();
        finding.residual_of = finding.residual_of.map(|_| String::new());
        finding.frames.iter_mut().for_each(|one| one.capture.clear());
        told.push(format!("{finding:?}"));
    }
    for flow in &analysis.flows {
        let mut flow = flow.clone();
        flow.capture.clear();
        // An id names the recording by its first frame, which the wrapping changes.
        flow.led_here_by = flow.led_here_by.map(|_| String::new());
        told.push(format!("{flow:?}"));
    }
    for host in &analysis.hosts {
        let mut host = host.clone();
        let shown = host.interfered_in.iter_mut().chain(&mut host.untouched_in);
        shown.for_each(|access| access.capture.clear());
        told.push(format!("{host:?}"));
    }
    told.extend(analysis.summary.services.iter().map(|service| format!("{service:?}")));
    told
}

fn first_difference(one: &[String], other: &[String]) -> Option<String> {
    let differ = one.iter().zip(other).find(|(one, other)| one != other);
    let told = differ.map(|(one, other)| format!("\n    was {one}\n    is  {other}"));
    told.or_else(|| {
        (one.len() != other.len()).then(|| format!("{} and {}", one.len(), other.len()))
    })
}

#[test]
fn wrappings_change_nothing() {
    every_story(|_, shots, plain, settings| {
        let plain = to_the_letter(plain);
        let differs = |(road, make): &(&str, Road)| {
            let other = to_the_letter(&analyze(&make(shots), settings));
            first_difference(&plain, &other).map(|how| format!("{road}: {how}"))
        };
        WRAPPINGS.iter().filter_map(differs).collect()
    });
}

#[test]
fn lanes_change_nothing() {
    every_story(|_, shots, plain, settings| {
        let plain = to_the_letter(plain);
        let file = one(write::pcap(shots));
        let differs = |lanes: usize| {
            let lanes = lanes.try_into().unwrap_or(settings.lanes);
            let other = analyze(&file, &Settings { lanes, ..settings.clone() });
            let how = first_difference(&plain, &to_the_letter(&other))?;
            Some(format!("{lanes} lanes: {how}"))
        };
        [2, 8].into_iter().filter_map(differs).collect()
    });
}

/// Captures of one hour from two machines overlap; so does a folder in which a file lies twice. What is
/// read twice then is no packet sent again.
#[test]
fn a_capture_that_is_given_twice_accuses_nobody() {
    let mut rewound = 0;
    every_story(|_, shots, plain, settings| {
        if plain.findings.iter().any(|finding| finding.confidence >= Confidence::Likely) {
            return Vec::new();
        }
        let twice = ["one", "again"].map(|name| write::input(name, write::pcap(shots)));
        let told = analyze(&twice, settings);
        rewound += told.summary.limits.get("flows_rewound").copied().unwrap_or_default();
        let sure = |finding: &&Finding| finding.confidence >= Confidence::Likely;
        told.findings.iter().filter(sure).map(|finding| format!("{finding:?}")).collect()
    });
    assert!(rewound > 20, "only {rewound} flows told twice");
}

#[test]
fn a_story_is_told_as_it_was_recorded() {
    let settings = settings();
    for story in stories() {
        let files = captures_of(&story);
        let recorded = analyze(&expand(&files).expect("captures").inputs, &settings);
        let rewritten = analyze(&one(write::pcap(&shots(&files))), &settings);
        let differences = Told::by(&recorded).differences(&Told::by(&rewritten));
        assert!(differences.is_empty(), "{}: {differences:#?}", story.display());
    }
}

/// Downloads of 100 kB, of which a rate is read: nobody sends them byte by byte, and a single byte is
/// no payload to a rate.
fn is_long(shots: &[Shot]) -> bool {
    shots.iter().map(|shot| shot.bytes.len()).sum::<usize>() > 150_000
}

fn detour(road: &str) {
    let (_, make) = DETOURS
        .iter()
        .find(|(name, _)| *name == road)
        .copied()
        .unwrap_or_else(|| panic!("{road}?"));
    every_story(|story, shots, plain, settings| {
        if road == "cut-in-1" && is_long(shots) {
            return Vec::new();
        }
        let weakened = WEAKENED.iter().find(|(on, of, ..)| (*on, *of) == (road, story));
        let plain = Told::by(plain);
        let other = Told::by(&analyze(&make(shots), settings));
        let differences = match weakened {
            Some((.., why)) if plain == other => vec![format!("no longer weakened: {why}")],
            Some((_, _, part, _)) => plain.without(*part, &other).differences(&other),
            None => plain.differences(&other),
        };
        differences.into_iter().map(|how| format!("{road}: {how}")).collect()
    });
}

macro_rules! detours {
    ($($test:ident $road:literal)*) => {$(
        #[test]
        fn $test() {
            detour($road);
        }
    )*};
}

detours! {
    microseconds "microseconds"
    ten_years_later "later"
    split_over_files "split"
    captured_twice "twice"
    wrapping_numbers "wrap"
    reordered "swap"
    cut_in_100 "cut-in-100"
    cut_in_20 "cut-in-20"
    cut_in_1 "cut-in-1"
}

#[test]
fn rewriting_does_what_it_says() {
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/page-beside-path");
    let shots = shots(&captures_of(&story));
    let data = |shots: &[Shot]| -> usize {
        shots.iter().filter_map(|shot| Some(packet::Layout::of(shot)?.data_len())).sum()
    };
    let cut = rewrite::cut(&shots, 1);
    assert_eq!(data(&cut), data(&shots));
    assert!(cut.len() > shots.len() + data(&shots) / 2);
    assert_eq!(rewrite::cut(&shots, 65_535).len(), shots.len());
    assert_eq!(rewrite::twice(&shots).len(), 2 * shots.len());
    assert_ne!(rewrite::wrap(&shots), shots);
    let swapped = rewrite::swap(&cut);
    let moved = swapped.iter().zip(&cut).filter(|(one, other)| one != other).count();
    assert!(moved > cut.len() / 2, "{moved} of {}", cut.len());
}
