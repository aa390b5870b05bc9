//! A capture whose place in the recording is not settled yet, and where its bytes come from.

use std::fs::{self, Metadata};
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::sync::Arc;

use crate::wire::{LinkType, Timestamp};

use super::file::{FileReader, Listeners};
use super::stored::Stored;
use super::{Block, CaptureError, FileReport, Input, OpenOptions};

/// Where a file's bytes come from.
pub(super) enum Origin {
    /// A regular file, opened when its turn comes.
    Path(PathBuf),
    /// In memory.
    Bytes(Arc<[u8]>),
    /// Standard input or a pipe: opened once, and held.
    Stream(Stored),
}

impl Origin {
    pub(super) fn open(self) -> io::Result<Stored> {
        match self {
            Self::Path(path) => Stored::open(&path),
            Self::Bytes(bytes) => Ok(Stored::new(Box::new(Cursor::new(bytes)))),
            Self::Stream(stored) => Ok(stored),
        }
    }

    /// Another handle to the same bytes, if there can be one.
    fn again(&self) -> Option<Self> {
        match self {
            Self::Path(path) => Some(Self::Path(path.clone())),
            Self::Bytes(bytes) => Some(Self::Bytes(Arc::clone(bytes))),
            Self::Stream(_) => None,
        }
    }
}

/// A file whose place in the recording is not settled yet.
pub(super) struct Candidate {
    /// None once it is known to be unreadable.
    pub(super) origin: Option<Origin>,
    pub(super) report: FileReport,
    pub(super) first: Option<Timestamp>,
    pub(super) links: Vec<LinkType>,
}

impl Candidate {
    pub(super) fn open(input: &Input) -> Result<Self, CaptureError> {
        let mut report = FileReport { path: input.to_string(), ..FileReport::default() };
        let origin = match input {
            Input::Stdin => Origin::Stream(Stored::new(Box::new(io::stdin()))),
            Input::Bytes { bytes, .. } => {
                report.bytes = bytes.len() as u64;
                Origin::Bytes(Arc::clone(bytes))
            }
            Input::File(path) => {
                let fail = |source| CaptureError::Io { path: input.to_string(), source };
                let metadata = fs::metadata(path).and_then(not_a_directory).map_err(fail)?;
                let stored = Stored::open(path).map_err(fail)?;
                if metadata.is_file() {
                    report.bytes = metadata.len();
                    Origin::Path(path.clone())
                } else {
                    Origin::Stream(stored)
                }
            }
        };
        Ok(Self { origin: Some(origin), report, first: None, links: Vec::new() })
    }

    /// Reads up to the first packet, for its time and the link types up to there.
    pub(super) fn peek(
        &mut self,
        options: &OpenOptions,
        block: &mut Block,
    ) -> Result<(), CaptureError> {
        let Some(origin) = self.origin.take() else { return Ok(()) };
        let again = origin.again();
        let fail = |source| CaptureError::Io { path: self.report.path.clone(), source };
        let mut stored = origin.open().map_err(fail)?;
        if again.is_none() {
            stored.keep();
        }
        let options = OpenOptions { block_bytes: PEEK_BLOCK_BYTES, ..options.clone() };
        let mut report = FileReport::default();
        match FileReader::open(stored, 0, &options, &mut report) {
            Err(error) => {
                self.report.compression = report.compression;
                self.report.error = Some(error);
            }
            Ok(mut file) => {
                self.first = first_time(&mut file, block, &mut report);
                self.links = report.interfaces.iter().map(|found| found.link_type).collect();
                let mut stored = file.into_stored();
                stored.rewind();
                self.origin = again.or(Some(Origin::Stream(stored)));
            }
        }
        Ok(())
    }
}

fn first_time(
    file: &mut FileReader,
    block: &mut Block,
    report: &mut FileReport,
) -> Option<Timestamp> {
    while file.offset() < PEEK_MAX_BYTES && file.fill(block, Listeners { report, filter: None }) {
        if let Some(frame) = block.frame(0) {
            return Some(frame.time);
        }
    }
    None
}

fn not_a_directory(metadata: Metadata) -> io::Result<Metadata> {
    if metadata.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(metadata) }
}

/// How much of a file is read at a time for its first packet, and how much in all. A file whose
/// first packet lies behind 16 MiB of other records is ordered like one without packets.
const PEEK_BLOCK_BYTES: usize = 64 << 10;
const PEEK_MAX_BYTES: u64 = 16 << 20;
