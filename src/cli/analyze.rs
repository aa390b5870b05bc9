//! `tamperscope analyze`: captures in, findings out.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::Status;
use super::args::{AnalyzeArguments, Colour, Format};
use super::progress::Bar;
use crate::capture::{self, Expanded, WhyIgnored};
use crate::correlate::ServiceSet;
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::{Confidence, Finding, FlowRecord};
use crate::pipeline::{self, Analysis, Limits, Settings};
use crate::report::escape::escape;
use crate::report::eve::Eve;
use crate::report::jsonl::JsonLines;
use crate::report::text::{self, Outcome, Style};

/// Runs the main job.
pub(super) fn run(arguments: &AnalyzeArguments) -> Status {
    match prepare(arguments).and_then(|(inputs, settings)| read(arguments, &inputs, &settings)) {
        Ok(analysis) => tell(arguments, analysis),
        Err(status) => status,
    }
}

fn prepare(arguments: &AnalyzeArguments) -> Result<(Expanded, Settings), Status> {
    let expanded =
        capture::expand(&arguments.captures).map_err(|error| Status::failed(&error.to_string()))?;
    for ignored in expanded.ignored.iter().filter(|_| !arguments.quiet) {
        let why = match ignored.why {
            WhyIgnored::NotACapture => "is no capture file",
            WhyIgnored::NotAFile => "is no regular file",
            WhyIgnored::NamedBefore => "is read once only",
        };
        warn(&format!("{} {why}", ignored.path.display()));
    }
    if expanded.inputs.is_empty() {
        return Err(Status::failed("no capture file was found"));
    }
    let settings = Settings {
        filter: arguments.filter.clone(),
        hash: arguments.hash,
        flows: arguments.flows,
        lanes: lanes(arguments),
        fingerprints: Arc::new(fingerprints(arguments)?),
        services: Arc::new(services(arguments)?),
        limits: Limits {
            flows: usize::try_from(arguments.max_flows).unwrap_or(usize::MAX),
            memory: memory(arguments),
        },
    };
    if settings.limits.memory < Limits::LEAST && !arguments.quiet {
        let least = Limits::LEAST >> 20;
        warn(&format!("--max-memory: with less than {least}M the program itself can take more"));
    }
    Ok((expanded, settings))
}

fn memory(arguments: &AnalyzeArguments) -> usize {
    let usual = || Limits::for_lanes(lanes(arguments)).memory;
    let asked = arguments.max_memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    asked.unwrap_or_else(usual)
}

fn lanes(arguments: &AnalyzeArguments) -> NonZeroUsize {
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    arguments.lanes.unwrap_or_else(cores)
}

fn fingerprints(arguments: &AnalyzeArguments) -> Result<FingerprintSet, Status> {
    let mut known = FingerprintSet::builtin();
    for path in &arguments.fingerprints {
        let (name, bytes) = list(path)?;
        let report = known.load(&name, &bytes).map_err(|error| unusable(path, &error))?;
        if report.rejected > 0 && !arguments.quiet {
            let (shown, count) = (path.display(), report.rejected);
            warn(&format!("{shown}: {count} rows cannot be used and are left out"));
        }
    }
    Ok(known)
}

fn services(arguments: &AnalyzeArguments) -> Result<ServiceSet, Status> {
    let mut known = ServiceSet::default();
    for path in &arguments.services {
        let (name, bytes) = list(path)?;
        known.load(&name, &bytes).map_err(|error| unusable(path, &error))?;
    }
    Ok(known)
}

/// The name and the bytes of a file that the user hands over.
fn list(path: &Path) -> Result<(String, Vec<u8>), Status> {
    let bytes = fs::read(path).map_err(|error| unusable(path, &error))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok((name, bytes))
}

fn unusable(path: &Path, why: &dyn Display) -> Status {
    Status::failed(&format!("{}: {why}", path.display()))
}

fn read(
    arguments: &AnalyzeArguments,
    expanded: &Expanded,
    settings: &Settings,
) -> Result<Analysis, Status> {
    let mut bar = Bar::new(!arguments.quiet && !arguments.no_progress);
    let analysed = pipeline::analyze(&expanded.inputs, settings, &mut bar);
    bar.end();
    analysed.map_err(|error| Status::failed(&error.to_string()))
}

fn tell(arguments: &AnalyzeArguments, mut analysis: Analysis) -> Status {
    let reached = arguments.fail_on.is_some_and(|level| analysis.reaches(Confidence::from(level)));
    analysis.leave_out_below(Confidence::from(arguments.min_confidence));
    let output = Status::of_output(write(arguments, &analysis));
    for (path, why) in &analysis.unreadable {
        warn(&format!("{path}: {why}"));
    }
    for capture in &analysis.captures {
        if let Some(damage) = &capture.damage {
            let (path, offset) = (&capture.path, damage.offset);
            warn(&format!("{path}: damaged at byte {offset}: {}", damage.reason));
        }
    }
    if !arguments.quiet && arguments.format != Format::Text {
        eprintln!("tamperscope: {}", tally(&analysis));
    }
    let nothing_read = analysis.unreadable.len() == analysis.captures.len();
    let damaged = !analysis.unreadable.is_empty()
        || analysis.captures.iter().any(|capture| capture.damage.is_some());
    match output {
        Status::Success if nothing_read => Status::Failed,
        Status::Success if reached => Status::Found,
        Status::Success if damaged => Status::Damaged,
        other => other,
    }
}

fn write(arguments: &AnalyzeArguments, analysis: &Analysis) -> io::Result<()> {
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let flows = if arguments.flows { &analysis.flows[..] } else { &[] };
    match arguments.format {
        Format::Text => write_text(arguments.color, analysis, flows, out),
        Format::Jsonl => write_jsonl(analysis, flows, (out, lanes(arguments).get() > 1)),
        Format::Eve => write_eve(analysis, arguments.flows, out),
    }
}

fn write_text(
    colour: Colour,
    analysis: &Analysis,
    flows: &[FlowRecord],
    mut out: impl Write,
) -> io::Result<()> {
    let coloured = match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let outcome = Outcome {
        captures: &analysis.captures,
        flows,
        findings: &analysis.findings,
        hosts: &analysis.hosts,
        summary: &analysis.summary,
    };
    text::write(&mut out, &outcome, if coloured { Style::Colour } else { Style::Plain })?;
    out.flush()
}

fn write_jsonl(
    analysis: &Analysis,
    flows: &[FlowRecord],
    (out, helped): (impl Write, bool),
) -> io::Result<()> {
    let mut lines = JsonLines::new(out);
    analysis.captures.iter().try_for_each(|record| lines.capture(record))?;
    lines.flows(flows, helped)?;
    lines.findings(&analysis.findings, helped)?;
    lines.hosts(&analysis.hosts, helped)?;
    lines.summary(&analysis.summary)?;
    lines.into_inner().flush()
}

fn write_eve(analysis: &Analysis, with_flows: bool, out: impl Write) -> io::Result<()> {
    let mut events = Eve::new(out);
    let flow_of = |finding: &Finding| {
        let place = analysis.flows.binary_search_by_key(&finding.flow, |flow| flow.flow);
        place.ok().and_then(|place| analysis.flows.get(place))
    };
    for finding in &analysis.findings {
        events.alert(finding, flow_of(finding))?;
    }
    if with_flows {
        let alerted: HashSet<u64> = analysis.findings.iter().map(|found| found.flow).collect();
        for flow in &analysis.flows {
            events.flow(flow, alerted.contains(&flow.flow))?;
        }
    }
    events.into_inner().flush()
}

fn tally(analysis: &Analysis) -> String {
    let summary = &analysis.summary;
    let findings: u64 = summary.findings.values().flat_map(|levels| levels.values()).sum();
    format!("{} packets, {} flows, {findings} findings", summary.packets, summary.flows)
}

fn warn(what: &str) {
    eprintln!("tamperscope: warning: {}", escape(what));
}
