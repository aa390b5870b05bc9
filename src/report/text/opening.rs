//! What was read, and what of it could not be.

use std::io;

use super::Outcome;
use super::words::{count, elapsed, list, period};
use crate::evidence::CaptureRecord;
use crate::report::page::{Ink, Page};

/// Files that the first line names one by one.
const PATHS_NAMED: usize = 4;

pub(super) fn write(page: &mut Page<'_>, outcome: &Outcome<'_>) -> io::Result<()> {
    let captures = outcome.captures;
    let lead = format!("Read {}: ", subject(captures));
    page.lead(0, Ink::Strong, &lead, &totals(outcome))?;
    for capture in captures {
        if let Some(damage) = &capture.damage {
            let text = format!(
                "{} at byte {}: {}. All packets before it were analysed.",
                path(capture),
                damage.offset,
                damage.reason.trim_end_matches('.')
            );
            page.lead(0, Ink::Warning, "Damaged: ", &text)?;
        }
    }
    let dropped: u64 = captures.iter().filter_map(|capture| capture.capture_drops).sum();
    let truncated: u64 = captures.iter().map(|capture| capture.packets_truncated).sum();
    if dropped > 0 {
        let text = format!(
            "the capturing system lost {}; that a packet is missing proves little here.",
            count(dropped, "packet", "packets")
        );
        page.lead(0, Ink::Warning, "Incomplete: ", &text)?;
    }
    if truncated > 0 {
        let what = count(truncated, "packet was", "packets were");
        page.lead(0, Ink::Warning, "Cut short: ", &format!("{what} recorded only in part."))?;
    }
    captures.iter().try_for_each(|capture| fragments(page, capture))
}

/// Fragments that contradict each other, the first of a file named.
fn fragments(page: &mut Page<'_>, capture: &CaptureRecord) -> io::Result<()> {
    let Some(first) = capture.fragment_conflicts.first() else { return Ok(()) };
    let text = format!(
        "{} of IP packets in {} claim the same bytes and differ, first in frames {} and {}; the copy \
         that came first was used.",
        count(capture.fragment_conflicts.len() as u64, "pair of fragments", "pairs of fragments"),
        path(capture),
        first.first_frame.number(),
        first.later_frame.number()
    );
    page.lead(0, Ink::Warning, "Fragments: ", &text)
}

fn subject(captures: &[CaptureRecord]) -> String {
    let paths: Vec<_> = captures.iter().map(path).collect();
    match paths.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        few if few.len() <= PATHS_NAMED => format!("{} captures ({})", few.len(), list(few)),
        [first, .., last] => {
            format!("{} ({first} to {last})", count(paths.len() as u64, "capture", "captures"))
        }
    }
}

fn path(capture: &CaptureRecord) -> String {
    if capture.path == "-" { "standard input".to_owned() } else { capture.path.clone() }
}

fn totals(outcome: &Outcome<'_>) -> String {
    let packets: u64 = outcome.captures.iter().map(|capture| capture.packets).sum();
    let first = outcome.captures.iter().filter_map(|capture| capture.first).min();
    let last = outcome.captures.iter().filter_map(|capture| capture.last).max();
    let when = match (first, last) {
        (Some(first), Some(last)) => {
            format!(", {} ({})", period(first, last), elapsed(last.since(first)))
        }
        _ => String::new(),
    };
    let packets = count(packets, "packet", "packets");
    format!("{packets}, {}{when}.", count(outcome.summary.flows, "flow", "flows"))
}
