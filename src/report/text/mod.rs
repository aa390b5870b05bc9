//! `--format text`: what was found, for people.
//!
//! First what was read, then the hosts that were interfered with and the evidence, each claim with
//! the frames that show it and a Wireshark filter to look at them; then what happened to names that
//! belong together; last what was not interfered with, what was left out and why. Sentences are
//! meant to be repeated aloud: they say what the packets show, not who is to blame.
//!
//! The page shortens what a person would not read to the end (the constants say where) and says
//! that it does; the JSON Lines form has everything.

mod closing;
mod finding;
mod flows;
mod frames;
mod hosts;
mod opening;
mod quote;
mod services;
mod words;

use std::io::{self, Write};

use super::page::Page;
pub use super::page::Style;
use crate::evidence::{CaptureRecord, Finding, FlowRecord, HostRecord, Summary};

/// The records of one analysis, as far as they are to be told.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// What was read, in the order of the recording.
    pub captures: &'a [CaptureRecord],
    /// Flows to list; none unless they were asked for.
    pub flows: &'a [FlowRecord],
    /// Findings by frame.
    pub findings: &'a [Finding],
    /// Hosts by name.
    pub hosts: &'a [HostRecord],
    /// Totals.
    pub summary: &'a Summary,
}

/// Writes the whole page.
pub fn write(out: &mut dyn Write, outcome: &Outcome<'_>, style: Style) -> io::Result<()> {
    let mut page = Page::new(out, style);
    opening::write(&mut page, outcome)?;
    flows::write(&mut page, outcome.flows)?;
    hosts::write(&mut page, outcome)?;
    services::write(&mut page, outcome)?;
    closing::write(&mut page, outcome)
}

#[cfg(test)]
mod tests;
