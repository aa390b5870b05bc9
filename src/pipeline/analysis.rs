//! Recorded captures to records: the main job.

use std::sync::Arc;

use thiserror::Error;

use super::intake::Intake;
use super::lanes::{self, Shared};
use super::telling::{Telling, tally};
use super::{Directory, Settings};
use crate::capture::{CaptureError, Input, OpenOptions, Progress, Recording};
use crate::evidence::{CaptureRecord, Confidence, Finding, FlowRecord, HostRecord, Summary};

/// All records of a run, in the order of the contract.
#[derive(Debug)]
pub struct Analysis {
    /// One for each capture file.
    pub captures: Vec<CaptureRecord>,
    /// Flows by first frame: all if asked for, otherwise those with findings.
    pub flows: Vec<FlowRecord>,
    /// All findings, by frame.
    pub findings: Vec<Finding>,
    /// All hosts, by name.
    pub hosts: Vec<HostRecord>,
    /// Totals.
    pub summary: Summary,
    /// Files of which nothing could be read, with the reason.
    pub unreadable: Vec<(String, String)>,
}

impl Analysis {
    /// Whether a finding is at least this sure.
    pub fn reaches(&self, level: Confidence) -> bool {
        self.findings.iter().any(|finding| finding.confidence >= level)
    }

    /// Leaves out findings that are less sure, in the summary too. Hosts are judged by `likely`
    /// and `confirmed` findings only, so they stay as they are.
    pub fn leave_out_below(&mut self, level: Confidence) {
        self.findings.retain(|finding| finding.confidence >= level);
        self.summary.findings = tally(&self.findings);
    }
}

/// Why a run could not be made.
#[derive(Debug, Error)]
pub enum AnalysisError {
    /// The recording could not be opened.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

/// A run that is about to begin; tells who watches it what there is to watch, from whichever thread
/// reads.
pub trait Watcher: Send {
    /// The run begins. Whether anybody looks: if not, the directory stays empty.
    fn begins(&mut self, progress: Arc<Progress>) -> bool;
    /// A block has been analysed.
    fn block(&mut self, directory: &Directory);
}

/// Nobody watches.
impl Watcher for () {
    fn begins(&mut self, _: Arc<Progress>) -> bool {
        false
    }

    fn block(&mut self, _: &Directory) {}
}

/// Reads `inputs` as one recording and analyses it.
pub fn analyze(
    inputs: &[Input],
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Analysis, AnalysisError> {
    let lanes = settings.limits.lanes(settings.lanes);
    let settings = &Settings { lanes, ..settings.clone() };
    let mut options = OpenOptions {
        filter: settings.filter.clone(),
        hash: settings.hash,
        ..OpenOptions::default()
    };
    if settings.lanes.get() == 1 || settings.limits.memory < MEMORY_FOR_LARGE_BLOCKS {
        options.block_bytes = SMALL_BLOCK_BYTES;
    }
    let mut recording = Recording::open(inputs, &options)?;
    let seen = watcher.begins(recording.progress());
    let directory = if seen { Directory::default() } else { Directory::closed() };
    let mut intake = Intake::default();
    let shared = Shared { settings, directory: &directory };
    let outcomes = lanes::run(&mut recording, &mut intake, shared, watcher);
    Ok(Telling { files: recording.files(), intake, settings }.tell(outcomes))
}

/// One lane reads a block where it was just put: it should still lie in the core's own cache. Threads
/// hand larger ones over, which are fewer, where there is memory for them.
const SMALL_BLOCK_BYTES: usize = 256 << 10;
/// With less, blocks are small.
const MEMORY_FOR_LARGE_BLOCKS: usize = 256 << 20;
