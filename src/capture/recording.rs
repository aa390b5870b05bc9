//! Several captures as one recording, in the order of their first packets.

use std::sync::Arc;

use crate::wire::LinkType;

use super::candidate::{Candidate, Origin};
use super::file::{FileReader, Listeners};
use super::filter::Filter;
use super::{Block, CaptureError, FileReport, Input, OpenOptions, Progress, Unreadable};

/// How many captures one recording can hold: a frame's identity has 16 bits for its file.
pub const MAX_FILES: usize = 65_535;

/// An open recording: blocks of frames, file after file.
///
/// The files stand in the order of their first packet's time, those of equal time as they were
/// given, those without a packet last. A fault in one file ends that file only; it stands in the
/// file's [`FileReport`].
pub struct Recording {
    reports: Vec<FileReport>,
    /// Where the files that were not read yet come from, in the order of the reports.
    origins: std::vec::IntoIter<Option<Origin>>,
    reading: Option<Reading>,
    filter: Option<Filter>,
    options: OpenOptions,
    progress: Arc<Progress>,
    /// Stored bytes of the files before the one being read.
    bytes_passed: u64,
}

/// The file being read, and its place in the reports.
struct Reading {
    index: usize,
    file: FileReader,
}

impl Recording {
    /// Opens a recording. Where there is an order to find or a filter to compile, each file is
    /// read up to its first packet; otherwise nothing is read yet.
    pub fn open(inputs: &[Input], options: &OpenOptions) -> Result<Self, CaptureError> {
        check(inputs)?;
        let mut candidates =
            inputs.iter().map(Candidate::open).collect::<Result<Vec<_>, CaptureError>>()?;
        if inputs.len() > 1 || options.filter.is_some() {
            let mut block = Block::new();
            for candidate in &mut candidates {
                candidate.peek(options, &mut block)?;
            }
        }
        candidates.sort_by_key(|candidate| (candidate.first.is_none(), candidate.first));
        let filter = match &options.filter {
            Some(expression) => Some(compile(expression, &candidates)?),
            None => None,
        };
        let (origins, reports): (Vec<_>, Vec<_>) =
            candidates.into_iter().map(|candidate| (candidate.origin, candidate.report)).unzip();
        let is_stream = |origin: &Option<Origin>| matches!(origin, Some(Origin::Stream(_)));
        let total = if origins.iter().any(is_stream) {
            None
        } else {
            Some(reports.iter().fold(0, |sum: u64, report| sum.saturating_add(report.bytes)))
        };
        Ok(Self {
            reports,
            origins: origins.into_iter(),
            reading: None,
            filter,
            options: options.clone(),
            progress: Arc::new(Progress::new(total)),
            bytes_passed: 0,
        })
    }

    /// Fills `block` with the next frames, all of one file. False, and an empty block, at the end
    /// of the recording.
    pub fn next_block(&mut self, block: &mut Block) -> bool {
        while let Some(mut reading) = self.reading.take().or_else(|| self.next_file()) {
            let goes_on = match self.reports.get_mut(reading.index) {
                Some(report) => {
                    let filter = self.filter.as_mut();
                    reading.file.fill(block, Listeners { report, filter })
                }
                None => false,
            };
            if goes_on {
                self.progress.set(self.bytes_passed.saturating_add(reading.file.bytes_read()));
                self.reading = Some(reading);
            } else {
                self.close(reading);
            }
            if !block.is_empty() {
                return true;
            }
        }
        block.restart(&[], self.options.block_bytes);
        false
    }

    /// What the files are and held, in the order of the recording; complete for those read.
    /// A frame's [`file`](crate::wire::FrameId::file) is an index of this list.
    pub fn files(&self) -> &[FileReport] {
        &self.reports
    }

    /// How far reading has come, to be watched from elsewhere.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Opens the next file that can be opened.
    fn next_file(&mut self) -> Option<Reading> {
        loop {
            let index = self.reports.len().checked_sub(self.origins.len())?;
            let origin = self.origins.next()?;
            let report = self.reports.get_mut(index)?;
            match origin.map(|origin| start(origin, index, &self.options, report)) {
                Some(Ok(file)) => return Some(Reading { index, file }),
                Some(Err(error)) => report.error = Some(error),
                None => {}
            }
            let bytes = report.bytes;
            self.pass(bytes);
        }
    }

    fn close(&mut self, reading: Reading) {
        let Some(report) = self.reports.get_mut(reading.index) else { return };
        let mut stored = reading.file.into_stored();
        report.sha256 = stored.digest();
        // A file may have grown since it was opened; a stream has no size before its end.
        report.bytes = report.bytes.max(stored.served());
        let bytes = report.bytes;
        self.pass(bytes);
    }

    fn pass(&mut self, bytes: u64) {
        self.bytes_passed = self.bytes_passed.saturating_add(bytes);
        self.progress.set(self.bytes_passed);
    }
}

fn start(
    origin: Origin,
    index: usize,
    options: &OpenOptions,
    report: &mut FileReport,
) -> Result<FileReader, Unreadable> {
    let mut stored = origin.open().map_err(|error| Unreadable::Io(error.kind()))?;
    if options.hash {
        stored.hash();
    }
    FileReader::open(stored, index as u16, options, report)
}

fn check(inputs: &[Input]) -> Result<(), CaptureError> {
    if inputs.len() > MAX_FILES {
        return Err(CaptureError::TooManyFiles { count: inputs.len() });
    }
    if inputs.iter().filter(|input| matches!(input, Input::Stdin)).count() > 1 {
        return Err(CaptureError::StdinTwice);
    }
    Ok(())
}

/// Compiles the filter for the link types seen so far, or for Ethernet if there are none. It is
/// wrong if it compiles for none of them.
fn compile(expression: &str, candidates: &[Candidate]) -> Result<Filter, CaptureError> {
    let mut links: Vec<LinkType> =
        candidates.iter().flat_map(|candidate| candidate.links.iter().copied()).collect();
    if links.is_empty() {
        links.push(ETHERNET);
    }
    let mut filter = Filter::new(expression);
    let mut first_error = None;
    for link in links {
        match filter.compile(link) {
            Ok(_) => return Ok(filter),
            Err(message) => first_error = first_error.or_else(|| Some((link, message.to_owned()))),
        }
    }
    let (link, message) = first_error.unwrap_or((ETHERNET, String::new()));
    Err(CaptureError::Filter { expression: expression.to_owned(), link, message })
}

const ETHERNET: LinkType = LinkType(1);
