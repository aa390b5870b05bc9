//! The list of flows (`--flows`): a line each.

use std::io;

use unicode_width::UnicodeWidthStr;

use super::words::{bytes, clip, millisecond, name, thousands};
use crate::evidence::{FlowEnd, FlowRecord, RoleSource};
use crate::report::page::{Ink, Page};
use crate::wire::Transport;

/// Columns before the last, which is as long as it gets.
const COLUMNS: usize = 8;

/// Names of one flow that the line shows.
const NAMES_MAX: usize = 4;

/// Characters of a pattern name that the line shows.
const SIGNATURE_MAX: usize = 60;

type Row = [String; COLUMNS + 1];

pub(super) fn write(page: &mut Page<'_>, flows: &[FlowRecord]) -> io::Result<()> {
    if flows.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.lead(
        0,
        Ink::Strong,
        "Flows",
        " (counts: to the server/to the client; a ? marks a client that is only guessed)",
    )?;
    let head = ["flow", "first packet (UTC)", "", "client", "server", "packets", "payload", "end"];
    let mut widths = head.map(UnicodeWidthStr::width);
    for flow in flows {
        for (width, cell) in widths.iter_mut().zip(&row(flow)) {
            *width = (*width).max(cell.width());
        }
    }
    let mut titles = head.map(str::to_owned).to_vec();
    titles.push("names".to_owned());
    page.verbatim(2, &line(&titles, &widths))?;
    flows.iter().try_for_each(|flow| page.verbatim(2, &line(&row(flow), &widths)))
}

fn row(flow: &FlowRecord) -> Row {
    // A guessed client is marked, as it may as well be the server.
    let guessed = if flow.roles == RoleSource::Guessed { "?" } else { "" };
    [
        flow.flow.to_string(),
        millisecond(flow.first),
        match flow.proto {
            Transport::Tcp => "tcp".to_owned(),
            Transport::Udp => "udp".to_owned(),
        },
        format!("{}{guessed}", flow.client),
        flow.server.to_string(),
        format!("{}/{}", thousands(flow.packets.to_server), thousands(flow.packets.to_client)),
        format!("{}/{}", bytes(flow.bytes.to_server), bytes(flow.bytes.to_client)),
        end(flow.end).to_owned(),
        remarks(flow),
    ]
}

const fn end(end: FlowEnd) -> &'static str {
    match end {
        FlowEnd::Fin => "closed",
        FlowEnd::Reset => "reset",
        FlowEnd::Timeout => "went quiet",
        FlowEnd::EndOfCapture => "open",
        FlowEnd::Evicted => "given up",
    }
}

/// The names that the flow told, and what else is odd about it.
fn remarks(flow: &FlowRecord) -> String {
    let tls = flow.tls.iter().filter_map(|tls| tls.sni.as_deref()).map(|name| ("tls", name));
    let quic = flow.quic.iter().filter_map(|quic| quic.sni.as_deref()).map(|name| ("quic", name));
    let http = flow.http.iter().filter_map(|http| http.host.as_deref()).map(|name| ("http", name));
    let dns = flow.dns.iter().map(|dns| ("dns", dns.name.as_str()));
    let mut names: Vec<_> = tls.chain(quic).chain(http).chain(dns).collect();
    names.dedup();
    let shown = names.iter().take(NAMES_MAX);
    let mut remarks: Vec<_> = shown.map(|(how, host)| format!("{how} {}", name(host))).collect();
    if names.len() > NAMES_MAX {
        remarks.push(format!("{} more names", thousands((names.len() - NAMES_MAX) as u64)));
    }
    remarks.extend(flow.tampering_signature.iter().map(|signature| clip(signature, SIGNATURE_MAX)));
    if flow.gaps > 0 {
        remarks.push(format!("{} missing from the capture", bytes(flow.gaps)));
    }
    remarks.join("; ")
}

fn line(cells: &[String], widths: &[usize; COLUMNS]) -> String {
    let padded = cells.iter().enumerate().map(|(place, cell)| {
        let width = widths.get(place).copied().unwrap_or_default();
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        // The number of the flow stands to the right, as numbers do.
        if place == 0 { format!("{padding}{cell}") } else { format!("{cell}{padding}") }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
