//! Names that belong together, told as a whole.

use std::collections::BTreeMap;
use std::io;

use super::Outcome;
use super::hosts::is_replaced;
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

/// What is told of an access, or `None`.
type Shown = fn(&HostRecord) -> Option<&AccessRecord>;

/// A service of which something is told.
struct Told<'a> {
    record: &'a ServiceRecord,
    /// Answers of its names were replaced, and no more than that is sure.
    replaced: bool,
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
        Some(Told { record, replaced: is_replaced(findings) })
    };
    outcome.services.iter().filter_map(of).collect()
}

/// `Names of instagram.com — partly blocked: 4 of 5 interfered with, 1 untouched, for 1 of 2 client
/// addresses, 2015-06-22 …`
fn headline(page: &mut Page<'_>, told: &Told<'_>) -> io::Result<()> {
    let service = told.record;
    let (ink, word) = match (service.verdict, told.replaced) {
        (HostVerdict::Blocked, false) => (Ink::Alarm, "blocked"),
        (HostVerdict::Blocked, true) => (Ink::Alarm, "answers replaced"),
        (_, false) => (Ink::Warning, "partly blocked"),
        (_, true) => (Ink::Warning, "answers partly replaced"),
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
fn sides(
    page: &mut Page<'_>,
    told: &Told<'_>,
    hosts: &Hosts<'_>,
    several_files: bool,
) -> io::Result<()> {
    let service = told.record;
    let hit = if told.replaced { "Replaced" } else { "Blocked" };
    let (at_times, always) = (format!("{hit} for some or at times"), hit);
    let sides: [(&str, &[HostVerdict], Shown); 4] = [
        (always, &[HostVerdict::Blocked], |host| host.interfered_in.as_ref()),
        (&at_times, &[HostVerdict::Partly], |host| host.interfered_in.as_ref()),
        ("The same, answered too", &[HostVerdict::Partly], |host| host.untouched_in.as_ref()),
        ("Answered", &[HostVerdict::Untouched], |host| host.untouched_in.as_ref()),
    ];
    for (lead, verdicts, shown) in sides {
        let names: Vec<_> = verdicts.iter().filter_map(|v| service.hosts.get(v)).collect();
        let all: u64 = names.iter().map(|names| names.count).sum();
        let names = names.iter().flat_map(|names| &names.names);
        let mut accesses: Vec<_> = names
            .filter_map(|name| Some((name.as_str(), shown(hosts.get(name.as_str())?)?)))
            .take(NAMES_IN_SENTENCE)
            .collect();
        accesses.sort_by_key(|(_, access)| access.frame.file());
        if !accesses.is_empty() {
            let text = listed(&accesses, all, several_files);
            page.lead(2, Ink::Strong, lead, &format!(": {text}."))?;
        }
    }
    if before(service, hosts) {
        page.paragraph(
            2,
            "All answers came before the first interference: by now it may concern these names too.",
        )?;
    }
    Ok(())
}

/// `a.example (198.51.100.21, flow 2, f7) and 4 more`; with the files if there are several:
/// `in one.pcap a.example (…); in two.pcap b.example (…)`.
fn listed(accesses: &[(&str, &AccessRecord)], all: u64, several_files: bool) -> String {
    let rest = all.saturating_sub(accesses.len() as u64);
    let mut files: Vec<String> = Vec::new();
    for file in accesses.chunk_by(|(_, one), (_, other)| one.capture == other.capture) {
        let mut parts: Vec<String> =
            file.iter().map(|(host, access)| shown(host, access)).collect();
        if rest > 0 && !several_files {
            parts.push(format!("{} more", thousands(rest)));
        }
        let path = file.first().map_or("", |(_, access)| &access.capture);
        let of = if several_files { format!("in {path} ") } else { String::new() };
        files.push(format!("{of}{}", list(&parts)));
    }
    if rest > 0 && several_files {
        files.push(format!("{} more", thousands(rest)));
    }
    files.join("; ")
}

/// `a.example (198.51.100.21, flow 2, f7)`.
fn shown(host: &str, access: &AccessRecord) -> String {
    format!("{} ({}, flow {}, {})", name(host), access.client, access.flow, access.frame)
}

/// Whether no name was answered once the interference had begun.
fn before(service: &ServiceRecord, hosts: &Hosts<'_>) -> bool {
    let names = service.hosts.values().flat_map(|names| &names.names);
    let answers = names.filter_map(|name| hosts.get(name.as_str())?.untouched_in.as_ref());
    let last = answers.map(|access| access.time).max();
    last.zip(service.first_interfered).is_some_and(|(last, first)| last < first)
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
