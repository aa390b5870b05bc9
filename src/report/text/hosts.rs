//! Findings under the host that they concern.

use std::collections::BTreeMap;
use std::io;

use super::frames::Frames;
use super::words::{count, list, name, period, thousands};
use super::{Outcome, finding};
use crate::evidence::{Confidence, Finding, HostRecord, HostVerdict, Kind};
use crate::report::page::{Ink, Page};

/// Findings of one host that are told in full: the surest, and of these the first.
const FINDINGS_TOLD: usize = 8;

/// The findings of one host, or of one address that no name is known of.
struct Group<'a> {
    /// As it is shown.
    name: String,
    record: Option<&'a HostRecord>,
    findings: Vec<&'a Finding>,
}

pub(super) fn write(page: &mut Page<'_>, outcome: &Outcome<'_>) -> io::Result<()> {
    for group in groups(outcome) {
        page.blank()?;
        headline(page, &group)?;
        told(page, &group, outcome)?;
    }
    Ok(())
}

/// Interfered hosts first, each part in order of its first finding.
fn groups<'a>(outcome: &Outcome<'a>) -> Vec<Group<'a>> {
    let records: BTreeMap<&str, &HostRecord> =
        outcome.hosts.iter().map(|host| (host.host.as_str(), host)).collect();
    let mut places: BTreeMap<_, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for finding in outcome.findings {
        let key = (finding.host.as_deref(), finding.host.is_none().then_some(finding.server.ip));
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group::of(finding, &records));
        }
        if let Some(group) = groups.get_mut(place) {
            group.findings.push(finding);
        }
    }
    groups.sort_by_key(|group| !group.interfered());
    groups
}

impl<'a> Group<'a> {
    fn of(finding: &'a Finding, records: &BTreeMap<&str, &'a HostRecord>) -> Self {
        let host = finding.host.as_deref();
        let nameless = || format!("{} (no host name known)", finding.server.ip);
        Self {
            name: host.map_or_else(nameless, name),
            record: host.and_then(|host| records.get(host).copied()),
            findings: Vec::new(),
        }
    }

    fn verdict(&self) -> Option<HostVerdict> {
        self.record.map(|record| record.verdict)
    }

    fn interfered(&self) -> bool {
        matches!(self.verdict(), Some(HostVerdict::Blocked | HostVerdict::Partly))
    }
}

/// What the interference with a name comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    Blocked,
    /// No more is sure than that others answered: not with a known notice, and for all that is known
    /// the visitor was not to be kept away.
    Replaced,
    /// It came through, but slowly.
    Slowed,
}

impl Manner {
    pub(super) fn of(findings: &[&Finding]) -> Self {
        let sure = || findings.iter().filter(|finding| finding.confidence >= Confidence::Likely);
        let noticed = |finding: &Finding| {
            finding.block_page.as_ref().is_some_and(|page| page.fingerprint.is_some())
        };
        if sure().all(|finding| finding.kind == Kind::Response && !noticed(finding)) {
            Self::Replaced
        } else if sure().all(|finding| finding.kind == Kind::Throttle) {
            Self::Slowed
        } else {
            Self::Blocked
        }
    }

    /// Of all that was asked for, and of a part.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Blocked => ("blocked", "partly blocked"),
            Self::Replaced => ("answers replaced", "answers partly replaced"),
            Self::Slowed => ("slowed down", "partly slowed down"),
        }
    }
}

fn headline(page: &mut Page<'_>, group: &Group<'_>) -> io::Result<()> {
    let ink = match group.verdict() {
        Some(HostVerdict::Blocked) => Ink::Alarm,
        Some(HostVerdict::Partly) => Ink::Warning,
        _ => Ink::Strong,
    };
    let rest = group.record.map_or_else(
        || format!(" — {}", count(group.findings.len() as u64, "finding", "findings")),
        |record| format!(" — {}", verdict(record, &group.findings)),
    );
    page.lead(0, ink, &group.name, &rest)
}

/// `partly blocked: 2 of 5 accesses interfered with (2 untouched, 1 unclear), from 1 of 2 client
/// addresses, 2015-06-22 …`
fn verdict(record: &HostRecord, findings: &[&Finding]) -> String {
    let (wholly, partly) = Manner::of(findings).words();
    let all = count(record.accesses, "access", "accesses");
    match record.verdict {
        HostVerdict::Blocked => format!("{wholly}: {}", interfered(record, &all)),
        HostVerdict::Partly => {
            let split = by_protocol(record, findings)
                .map(|(hit, open)| format!("{wholly} over {hit}, open over {open}"));
            let how = split.unwrap_or_else(|| partly.to_owned());
            format!("{how}: {}", interfered(record, &all))
        }
        HostVerdict::Untouched if record.unclear == 0 => format!("untouched: {all}"),
        HostVerdict::Untouched => {
            let untouched = thousands(record.untouched);
            format!("untouched: {untouched} of {all}, {} unclear", thousands(record.unclear))
        }
        HostVerdict::Unclear if record.accesses == 1 => {
            "unclear: its only access could not be judged".to_owned()
        }
        HostVerdict::Unclear => format!("unclear: none of {all} could be judged"),
    }
}

/// The protocol that was interfered with and the one that was not, where that is what makes the
/// difference.
fn by_protocol(record: &HostRecord, findings: &[&Finding]) -> Option<(&'static str, &'static str)> {
    let sure = || findings.iter().filter(|finding| finding.confidence >= Confidence::Likely);
    let all_on = |port| sure().all(|finding| finding.server.port == port);
    match record.untouched_ports[..] {
        [443] if all_on(80) => Some(("HTTP", "HTTPS")),
        [80] if all_on(443) => Some(("HTTPS", "HTTP")),
        _ => None,
    }
}

fn interfered(record: &HostRecord, all: &str) -> String {
    let settled = record.untouched.saturating_add(record.unclear);
    let hit = record.accesses.saturating_sub(settled);
    let others: Vec<_> = [(record.untouched, "untouched"), (record.unclear, "unclear")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, fate)| format!("{} {fate}", thousands(number)))
        .collect();
    let others =
        if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let clients = count(record.clients, "client address", "client addresses");
    let clients = match record.clients_interfered {
        all if all == record.clients => clients,
        some => format!("{} of {clients}", thousands(some)),
    };
    let when = match (record.first_interfered, record.last_interfered) {
        (Some(first), Some(last)) => format!(", {}", period(first, last)),
        _ => String::new(),
    };
    format!("{} of {all} interfered with{others}, from {clients}{when}", thousands(hit))
}

fn told(page: &mut Page<'_>, group: &Group<'_>, outcome: &Outcome<'_>) -> io::Result<()> {
    let mut findings = group.findings.clone();
    // Stable: among equals, the first in the recording comes first.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.confidence));
    for finding in findings.iter().take(FINDINGS_TOLD) {
        let frames = Frames::of(finding, outcome.captures);
        finding::write(page, finding, &frames, outcome)?;
    }
    let rest = findings.get(FINDINGS_TOLD..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    let mut kinds: BTreeMap<_, u64> = BTreeMap::new();
    for finding in rest {
        *kinds.entry((finding.kind, finding.confidence)).or_default() += 1;
    }
    let kinds: Vec<_> = kinds
        .iter()
        .map(|((kind, confidence), count)| format!("{} {kind} {confidence}", thousands(*count)))
        .collect();
    let text =
        format!("And further findings of this host: {}; --format jsonl has them.", list(&kinds));
    page.paragraph(2, &text)
}
