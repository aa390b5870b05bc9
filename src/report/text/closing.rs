//! What was not interfered with, what was left out, and the totals.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::Outcome;
use super::words::{count, list, thousands};
use crate::evidence::{HostRecord, HostVerdict, Reach, Summary};
use crate::report::page::{Ink, Page};

pub(super) fn write(page: &mut Page<'_>, outcome: &Outcome<'_>) -> io::Result<()> {
    page.blank()?;
    let told = outcome.findings.len() as u64;
    let hidden = found(outcome.summary).saturating_sub(told);
    if told == 0 && hidden == 0 {
        nothing_found(page, outcome)?;
    } else if told == 0 {
        page.lead(0, Ink::Strong, "No finding to show", ": none reaches --min-confidence.")?;
    } else if let Some(text) = other_hosts(outcome) {
        page.paragraph(0, &text)?;
    }
    if let Some(text) = totals(outcome.summary) {
        page.lead(0, Ink::Strong, "Findings: ", &text)?;
    }
    if hidden > 0 {
        let findings = count(hidden, "finding", "findings");
        page.paragraph(0, &format!("{findings} below --min-confidence not shown."))?;
    }
    let mut skipped: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, count) in outcome.captures.iter().flat_map(|capture| &capture.skipped) {
        *skipped.entry(reason).or_default() += count;
    }
    if let Some(text) = tally(skipped) {
        page.paragraph(0, &format!("Packets not analysed: {text}."))?;
    }
    if let Some(text) = out_of_reach(&outcome.summary.reach) {
        page.lead(0, Ink::Strong, "Out of reach: ", &text)?;
    }
    let limits = outcome.summary.limits.iter().map(|(name, times)| (name.as_str(), *times));
    if let Some(text) = tally(limits.collect()) {
        let text = format!("{text}; what was given up there could not be judged or told.");
        page.lead(0, Ink::Warning, "Limits reached: ", &text)?;
    }
    Ok(())
}

/// What the place of the tap let nobody see, if that is much.
fn out_of_reach(reach: &Reach) -> Option<String> {
    if reach.out_of_reach.is_empty() {
        return None;
    }
    let of = count(reach.connections, "connection with data", "connections with data");
    let ways = [
        (reach.to_server_only, "had only packets to the server"),
        (reach.to_client_only, "had only packets to the client"),
        (reach.without_handshake, "lacked their opening"),
        (
            reach.near_server,
            "were answered from within 4 ms of the tap, by the server or in its name, or seen beside the server",
        ),
    ];
    let ways: Vec<String> = ways
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, how)| format!("{} {how}", thousands(*n)))
        .collect();
    let signals: Vec<String> =
        reach.out_of_reach.iter().map(|signal| signal.name().to_owned()).collect();
    let beside = if reach.near_server * 2 >= reach.connections {
        " What was sent to the clients from nearer to them need not pass this tap."
    } else {
        ""
    };
    Some(format!(
        "of {of}, {}; so in half of them or more these signals could not be looked for: {}. That none was found proves nothing.{beside}",
        list(&ways),
        list(&signals)
    ))
}

/// Says what an empty result means, and what it does not.
fn nothing_found(page: &mut Page<'_>, outcome: &Outcome<'_>) -> io::Result<()> {
    let accesses: u64 = outcome.hosts.iter().map(|host| host.accesses).sum();
    let unclear: u64 = outcome.hosts.iter().map(|host| host.unclear).sum();
    let flows = count(outcome.summary.flows, "flow", "flows");
    let all = format!(
        "{} to {}",
        count(accesses, "access", "accesses"),
        count(outcome.hosts.len() as u64, "host", "hosts")
    );
    let text = match (accesses, unclear) {
        (0, _) => format!(" in {flows}; none of them asked for a host by TLS, HTTP or QUIC."),
        (_, 0) => format!(" in {flows}; {all} could be judged."),
        _ => {
            let judged = thousands(accesses.saturating_sub(unclear));
            let unclear = thousands(unclear);
            format!(" in {flows}; of {all}, {judged} could be judged and {unclear} could not.")
        }
    };
    page.lead(0, Ink::Strong, "No interference found", &text)?;
    page.paragraph(
        0,
        "That is no proof of an open network: interference may have left no trace in these \
         packets, or not have met these connections.",
    )
}

/// The hosts that no finding is told of.
fn other_hosts(outcome: &Outcome<'_>) -> Option<String> {
    let told: BTreeSet<&str> =
        outcome.findings.iter().filter_map(|finding| finding.host.as_deref()).collect();
    let others = outcome.hosts.iter().filter(|host| !told.contains(host.host.as_str()));
    let number = |wanted: fn(&HostRecord) -> bool| others.clone().filter(|h| wanted(h)).count();
    let untouched = number(|host| host.verdict == HostVerdict::Untouched) as u64;
    let unclear = number(|host| host.verdict == HostVerdict::Unclear) as u64;
    let text = match (untouched, unclear) {
        (0, 0) => return None,
        (_, 0) => format!("{} untouched.", count(untouched, "other host was", "other hosts were")),
        (0, _) => format!("{} unclear.", count(unclear, "other host was", "other hosts were")),
        _ => {
            let untouched = count(untouched, "other host was", "other hosts were");
            format!("{untouched} untouched, {} unclear.", thousands(unclear))
        }
    };
    Some(text)
}

/// `reset 3 (2 confirmed, 1 likely), response 1 (1 confirmed).`
fn totals(summary: &Summary) -> Option<String> {
    let kinds: Vec<_> = summary
        .findings
        .iter()
        .map(|(kind, counts)| (kind, counts, counts.values().sum::<u64>()))
        .filter(|(_, _, all)| *all > 0)
        .map(|(kind, counts, all)| {
            let surest_first = counts.iter().rev().filter(|(_, count)| **count > 0);
            let parts: Vec<_> = surest_first
                .map(|(confidence, count)| format!("{} {confidence}", thousands(*count)))
                .collect();
            format!("{} {kind} ({})", thousands(all), parts.join(", "))
        })
        .collect();
    (!kinds.is_empty()).then(|| format!("{}.", kinds.join(", ")))
}

/// Findings of any confidence.
fn found(summary: &Summary) -> u64 {
    summary.findings.values().flat_map(BTreeMap::values).sum()
}

/// `arp 10 and truncated 2`, the greatest first.
fn tally(counts: BTreeMap<&str, u64>) -> Option<String> {
    let mut counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let parts: Vec<_> =
        counts.iter().map(|(name, count)| format!("{name} {}", thousands(*count))).collect();
    (!parts.is_empty()).then(|| list(&parts))
}
