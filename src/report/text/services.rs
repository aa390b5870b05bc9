//! Names that belong together, told as a whole.

use std::collections::BTreeMap;
use std::io;

use super::Outcome;
use super::hosts::Manner;
use super::words::{count, list, name, period, thousands};
use crate::evidence::{AccessRecord, Finding, HostRecord, HostVerdict, JoinedBy, ServiceRecord};
use crate::report::page::{Ink, Page};

/// Services that are told in full.
const SERVICES_TOLD: usize = 20;

/// Names that a sentence lists.
const NAMES_IN_SENTENCE: usize = 6;

/// Addresses that a sentence lists.
const ADDRESSES_IN_SENTENCE: usize = 4;

type Hosts<'a> = BTreeMap<&'a str, &'a HostRecord>;

/// An access that is told, by the name of its host.
struct Access<'a> {
    host: &'a str,
    record: &'a AccessRecord,
    /// What else there is to say of it, or nothing.
    note: &'static str,
}

/// Which access to a host is told, if any.
type Shown<'a, 'f> = &'f dyn Fn(&'a HostRecord) -> Option<Access<'a>>;

/// On which side of the interference with its service alone a name was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Before,
    After,
}

/// A service of which something is told.
struct Told<'a> {
    record: &'a ServiceRecord,
    /// What the interference comes to.
    manner: Manner,
}

pub(super) fn write(page: &mut Page<'_>, outcome: &Outcome<'_>) -> io::Result<()> {
    let hosts: Hosts<'_> = outcome.hosts.iter().map(|host| (host.host.as_str(), host)).collect();
    let told = told(outcome, &hosts);
    for service in told.iter().take(SERVICES_TOLD) {
        page.blank()?;
        headline(page, service)?;
        sides(page, service, &hosts, outcome.captures.len() > 1)?;
        clients(page, service.record)?;
    }
    let rest = told.len().saturating_sub(SERVICES_TOLD);
    if rest > 0 {
        page.blank()?;
        let services =
            count(rest as u64, "further service or domain", "further services or domains");
        page.paragraph(0, &format!("{services} in part or whole; --format jsonl has them."))?;
    }
    Ok(())
}

/// The services of whose names findings are told.
fn told<'a>(outcome: &Outcome<'a>, hosts: &Hosts<'_>) -> Vec<Told<'a>> {
    let mut findings: BTreeMap<(&str, JoinedBy), Vec<&Finding>> = BTreeMap::new();
    for finding in outcome.findings {
        let host = finding.host.as_deref().and_then(|host| hosts.get(host));
        let Some(host) = host else { continue };
        let service = host.service.as_deref().map(|service| (service, JoinedBy::File));
        let domain = host.domain.as_deref().map(|domain| (domain, JoinedBy::Domain));
        if let Some(key) = service.or(domain) {
            findings.entry(key).or_default().push(finding);
        }
    }
    let of = |record: &'a ServiceRecord| {
        let findings = findings.get(&(record.service.as_str(), record.by))?;
        Some(Told { record, manner: Manner::of(findings) })
    };
    outcome.summary.services.iter().filter_map(of).collect()
}

/// `Names of instagram.com — partly blocked: 4 of 5 interfered with, 1 untouched, for 1 of 2 client
/// addresses, 2015-06-22 …`
fn headline(page: &mut Page<'_>, told: &Told<'_>) -> io::Result<()> {
    let service = told.record;
    let (wholly, partly) = told.manner.words();
    let (ink, word) = match service.verdict {
        HostVerdict::Blocked => (Ink::Alarm, wholly),
        _ => (Ink::Warning, partly),
    };
    let number = |verdict| service.hosts.get(&verdict).map_or(0, |names| names.count);
    let hit = number(HostVerdict::Blocked).saturating_add(number(HostVerdict::Partly));
    let all: u64 = service.hosts.values().map(|names| names.count).sum();
    let others: Vec<String> = [HostVerdict::Untouched, HostVerdict::Unclear]
        .iter()
        .filter(|verdict| number(**verdict) > 0)
        .map(|verdict| format!(", {} {}", thousands(number(*verdict)), verdict.name()))
        .collect();
    let names = if hit == all {
        format!("all {} interfered with", count(all, "name", "names"))
    } else {
        let (hit, all) = (thousands(hit), count(all, "name", "names"));
        format!("{hit} of {all} interfered with{}", others.concat())
    };
    let clients = count(service.clients, "client address", "client addresses");
    let clients = match service.clients_interfered {
        all if all == service.clients => clients,
        some => format!("{} of {clients}", thousands(some)),
    };
    let when = match (service.first_interfered, service.last_interfered) {
        (Some(first), Some(last)) => format!(", {}", period(first, last)),
        _ => String::new(),
    };
    let lead = match service.by {
        JoinedBy::Domain => format!("Names of {}", name(&service.service)),
        JoinedBy::File => format!("Names of the service “{}”", service.service),
    };
    page.lead(0, ink, &lead, &format!(" — {word}: {names}, for {clients}{when}"))
}

/// What was interfered with and what was answered, each with the frames that show it.
fn sides<'a>(
    page: &mut Page<'_>,
    told: &Told<'_>,
    hosts: &Hosts<'a>,
    several_files: bool,
) -> io::Result<()> {
    let service = told.record;
    let all_answers = all_answers(service, hosts);
    let refused = |host: &'a HostRecord| {
        Some(Access { host: &host.host, record: host.interfered_in.as_ref()?, note: "" })
    };
    let answered = |host: &'a HostRecord| {
        // What holds for all is said once.
        let note = if all_answers.is_some() { "" } else { note(only(host, service)) };
        Some(Access { host: &host.host, record: host.untouched_in.as_ref()?, note })
    };
    let hit = match told.manner {
        Manner::Blocked => "Blocked",
        Manner::Replaced => "Replaced",
        Manner::Slowed => "Slowed down",
    };
    let at_times = format!("{hit} for some or at times");
    let sides: [(&str, HostVerdict, Shown<'a, '_>); 4] = [
        (hit, HostVerdict::Blocked, &refused),
        (&at_times, HostVerdict::Partly, &refused),
        ("The same, answered too", HostVerdict::Partly, &answered),
        ("Answered", HostVerdict::Untouched, &answered),
    ];
    for (lead, verdict, shown) in sides {
        let Some(names) = service.hosts.get(&verdict) else { continue };
        let known = names.names.iter().filter_map(|name| hosts.get(name.as_str()));
        let mut accesses: Vec<_> =
            known.filter_map(|host| shown(host)).take(NAMES_IN_SENTENCE).collect();
        accesses.sort_by_key(|access| access.record.frame.file());
        if !accesses.is_empty() {
            let text = listed(&accesses, names.count, several_files);
            page.lead(2, Ink::Strong, lead, &format!(": {text}."))?;
        }
    }
    all_answers.map_or(Ok(()), |side| page.paragraph(2, sentence(side)))
}

/// `a.example (198.51.100.21, flow 2, f7) and 4 more`; with the files if there are several:
/// `in one.pcap a.example (…); in two.pcap b.example (…)`.
fn listed(accesses: &[Access<'_>], all: u64, several_files: bool) -> String {
    let rest = all.saturating_sub(accesses.len() as u64);
    let mut files: Vec<String> = Vec::new();
    for file in accesses.chunk_by(|one, other| one.record.capture == other.record.capture) {
        let mut parts: Vec<String> = file.iter().map(shown).collect();
        if rest > 0 && !several_files {
            parts.push(format!("{} more", thousands(rest)));
        }
        let path = file.first().map_or("", |access| &access.record.capture);
        let of = if several_files { format!("in {path} ") } else { String::new() };
        files.push(format!("{of}{}", list(&parts)));
    }
    if rest > 0 && several_files {
        files.push(format!("{} more", thousands(rest)));
    }
    files.join("; ")
}

/// `a.example (198.51.100.21, flow 2, f7)`.
fn shown(access: &Access<'_>) -> String {
    let Access { host, record, note } = access;
    format!("{} ({}, flow {}, {}{note})", name(host), record.client, record.flow, record.frame)
}

/// The side on which the connections lie in which a name was answered, if it is one.
fn only(host: &HostRecord, service: &ServiceRecord) -> Option<Only> {
    let (first, last) = host.first_untouched.zip(host.last_untouched)?;
    let (begin, end) = service.first_interfered.zip(service.last_interfered)?;
    let before = (last < begin).then_some(Only::Before);
    before.or_else(|| (first > end).then_some(Only::After))
}

/// The one side on which all answered names of a service were, if all are known.
fn all_answers(service: &ServiceRecord, hosts: &Hosts<'_>) -> Option<Only> {
    if service.hosts.values().any(|names| names.count > names.names.len() as u64) {
        return None;
    }
    let names = service.hosts.values().flat_map(|names| &names.names);
    let known = names.filter_map(|name| hosts.get(name.as_str()));
    let mut sides = known.filter(|host| host.untouched > 0).map(|host| only(host, service));
    let side = sides.next()??;
    sides.all(|other| other == Some(side)).then_some(side)
}

fn note(only: Option<Only>) -> &'static str {
    match only {
        Some(Only::Before) => "; only in connections from before the first interference",
        Some(Only::After) => "; only in connections from after the last interference",
        None => "",
    }
}

fn sentence(all: Only) -> &'static str {
    match all {
        Only::Before => {
            "All answers are of connections from before the first interference: by now it may \
             concern these names too."
        }
        Only::After => {
            "All answers are of connections from after the last interference: it may have been \
             over by then."
        }
    }
}

/// Who got through where others did not.
fn clients(page: &mut Page<'_>, service: &ServiceRecord) -> io::Result<()> {
    if service.clients_let_through == 0 {
        return Ok(());
    }
    let shown = service.let_through.iter().take(ADDRESSES_IN_SENTENCE);
    let mut addresses: Vec<String> = shown.map(ToString::to_string).collect();
    let rest = service.clients_let_through.saturating_sub(addresses.len() as u64);
    if rest > 0 {
        addresses.push(format!("{} more", thousands(rest)));
    }
    let text = format!(
        ": {}, answered where others were not and never interfered with.",
        list(&addresses)
    );
    page.lead(2, Ink::Strong, "Let through", &text)
}
