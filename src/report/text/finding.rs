//! One finding: what happened, why that is believed, what speaks against it, where to look.

use std::io;

use super::Outcome;
use super::frames::Frames;
use super::quote::visible;
use super::words::{capital, clip, millisecond, probability, sentence, thousands};
use crate::evidence::{BlockPage, Confidence, Finding, Injector, Kind, Weighed};
use crate::report::page::{Ink, Page};
use crate::wire::FrameId;

/// Facts for a finding that are told; those left out are counted.
const FACTS_TOLD: usize = 2;

/// Innocent causes that are told.
const ALTERNATIVES_TOLD: usize = 3;

/// Characters of a title, of a location and of a name that are shown.
const TITLE_MAX: usize = 120;

/// Characters of the text of a page that are quoted.
const WORDS_MAX: usize = 200;

pub(super) fn write(
    page: &mut Page<'_>,
    finding: &Finding,
    frames: &Frames<'_>,
    outcome: &Outcome<'_>,
) -> io::Result<()> {
    let claim =
        format!("{}: {} ({})", claim(finding.kind), finding.confidence, probability(finding.score));
    let place = format!(
        ". {} → {}, flow {}, {} UTC.",
        finding.client,
        finding.server,
        finding.flow,
        millisecond(finding.time)
    );
    page.lead(2, ink(finding.confidence), &claim, &place)?;
    if let Some(text) = reasons(&finding.evidence) {
        page.paragraph(4, &text)?;
    }
    page.paragraph(4, &whereabouts(finding, frames))?;
    if let Some(shown) = &finding.block_page {
        page.paragraph(4, &block_page(shown, came_late(finding)))?;
    }
    if let Some(text) = finding.injector.as_ref().and_then(origin) {
        page.paragraph(4, &text)?;
    }
    if let Some(text) = residual(finding, outcome.findings) {
        page.paragraph(4, &text)?;
    }
    if let Some(text) = doubts(finding) {
        page.paragraph(4, &text)?;
    }
    for (path, filter) in frames.filters() {
        let of = if outcome.captures.len() > 1 { format!(" on {path}") } else { String::new() };
        page.verbatim(4, &format!("Wireshark{of}: {filter}"))?;
    }
    Ok(())
}

const fn ink(confidence: Confidence) -> Ink {
    match confidence {
        Confidence::Confirmed => Ink::Alarm,
        Confidence::Likely => Ink::Warning,
        Confidence::Possible => Ink::Quiet,
    }
}

/// What a finding of this kind claims, in words.
const fn claim(kind: Kind) -> &'static str {
    match kind {
        Kind::Reset => "Connection broken off by a forged packet (reset)",
        Kind::Response => "Answer replaced or injected on the way (response)",
        Kind::Dns => "Name looked up, forged answer received (dns)",
        Kind::Tls => "Encryption disturbed by a forged alert or certificate (tls)",
        Kind::Handshake => "Connection accepted by somebody else (handshake)",
        Kind::Drop => "Packets swallowed on the way (drop)",
        Kind::Throttle => "Connection slowed down on the way (throttle)",
    }
}

/// The weightiest sentences.
fn reasons(evidence: &[Weighed]) -> Option<String> {
    let mut facts: Vec<_> = evidence.iter().collect();
    facts.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let told: Vec<_> = facts.iter().take(FACTS_TOLD).map(|fact| sentence(&fact.text)).collect();
    let more = match facts.len().saturating_sub(FACTS_TOLD) {
        0 => String::new(),
        1 => " One lesser fact agrees.".to_owned(),
        n => format!(" {} lesser facts agree.", thousands(n as u64)),
    };
    (!told.is_empty()).then(|| format!("{}{more}", told.join(" ")))
}

fn whereabouts(finding: &Finding, frames: &Frames<'_>) -> String {
    let mut parts = Vec::new();
    if !finding.forged_frames.is_empty() {
        parts.push(format!("held to be forged: {}", frames.name(&finding.forged_frames)));
    }
    if !finding.genuine_frames.is_empty() {
        parts.push(format!("contradicted by {}", frames.name(&finding.genuine_frames)));
    }
    if let Some(trigger) = finding.trigger_frame {
        parts.push(format!("set off by {}", frames.name(&[trigger])));
    }
    if let Some(control) = finding.control_flow {
        parts.push(format!("compared with flow {control}"));
    }
    match parts.join("; ").as_str() {
        "" => "No frame is held to be forged.".to_owned(),
        text => format!("{}.", capital(text)),
    }
}

/// Whether the server's own bytes had come when the forged ones did: TCP keeps what it has.
fn came_late(finding: &Finding) -> bool {
    let first = |frames: &[FrameId]| frames.iter().min().copied();
    first(&finding.genuine_frames)
        .zip(first(&finding.forged_frames))
        .is_some_and(|(genuine, forged)| genuine < forged)
}

fn block_page(page: &BlockPage, late: bool) -> String {
    let mut remarks = Vec::new();
    if let Some(status) = page.status {
        remarks.push(format!("status {status}"));
    }
    if let Some(location) = &page.location {
        remarks.push(format!("leads to {}", clip(location, TITLE_MAX)));
    }
    if let Some(name) = &page.fingerprint {
        remarks.push(format!("known as {}", clip(name, TITLE_MAX)));
    }
    let remarks =
        if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
    let (title, words) = (page.title.as_deref().unwrap_or_default().trim(), visible(&page.text));
    let shown = match (title, words.as_str()) {
        ("", "") => "a page without text".to_owned(),
        (title, "") => format!("“{}”", clip(title, TITLE_MAX)),
        (title, words) if words.starts_with(title) => format!("“{}”", clip(words, WORDS_MAX)),
        (title, words) => format!("“{}”, “{}”", clip(title, TITLE_MAX), clip(words, WORDS_MAX)),
    };
    let what =
        if late { "Too late to be shown, after the server's own answer" } else { "Shown instead" };
    format!("{what}: {shown}{remarks}.")
}

/// What the forged packets tell about their sender; nothing, if only their direction is known.
fn origin(injector: &Injector) -> Option<String> {
    let mut parts = Vec::new();
    if let (Some(min), Some(max)) = (injector.hops_min, injector.hops_max) {
        let hops = match (min, max) {
            _ if min != max => format!("{min} to {max} hops"),
            (1, _) => "1 hop".to_owned(),
            _ => format!("{min} hops"),
        };
        let server = injector
            .server_hops
            .map_or_else(String::new, |hops| format!(" (the server's own packets: {hops})"));
        parts.push(format!(
            "about {hops} from the capture point{server}, if its hop counter (TTL) is honest"
        ));
    }
    match injector.in_path {
        Some(true) => parts.push("in the path, as it swallowed what it replaced".to_owned()),
        Some(false) => parts.push("beside the path, as the originals came through".to_owned()),
        None => {}
    }
    if let Some(name) = &injector.fingerprint {
        parts.push(format!("with the marks of {}", clip(name, TITLE_MAX)));
    }
    (!parts.is_empty()).then(|| format!("Sender of the forged packets: {}.", parts.join("; ")))
}

fn residual(finding: &Finding, findings: &[Finding]) -> Option<String> {
    let id = finding.residual_of.as_deref()?;
    let since = finding.residual.map_or(String::new(), |residual| {
        format!(" {} s later, between {}", residual.seconds, residual.tuple.in_words())
    });
    Some(match findings.iter().find(|other| other.id == id) {
        Some(first) => {
            format!("The block set off in flow {} was still in force{since}.", first.flow)
        }
        None => format!("A block set off by an earlier flow was still in force{since}."),
    })
}

/// The strongest fact against the finding, and the innocent causes.
fn doubts(finding: &Finding) -> Option<String> {
    let against = finding.against.iter().min_by(|a, b| a.weight.total_cmp(&b.weight));
    let mut parts: Vec<_> =
        against.map(|fact| format!("Against: {}", sentence(&fact.text))).into_iter().collect();
    let causes: Vec<_> =
        finding.alternatives.iter().take(ALTERNATIVES_TOLD).map(|cause| sentence(cause)).collect();
    if !causes.is_empty() {
        parts.push(format!("Not excluded: {}", causes.join(" ")));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}
