//! What can be wrong: with the request, with a whole file, with one place in a file.

use std::io;

use crate::wire::LinkType;

/// The recording cannot be opened as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A path that does not exist or cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path as it was given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// `-` was given more than once.
    #[error("standard input (-) can be given only once")]
    StdinTwice,
    /// More files than a frame's number has room for.
    #[error("{count} captures are more than one recording can hold ({max})", max = super::MAX_FILES)]
    TooManyFiles {
        /// How many were given.
        count: usize,
    },
    /// The filter compiles for none of the link types at hand.
    #[error("filter {expression:?} does not compile for link type {}: {message}", .link.0)]
    Filter {
        /// The filter as it was given.
        expression: String,
        /// The link type that it was compiled for.
        link: LinkType,
        /// What libpcap said.
        message: String,
    },
}

/// Why nothing at all could be read from a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not a single byte.
    #[error("the file is empty")]
    Empty,
    /// The first bytes belong to no format that is known here.
    #[error("not a capture file: its first bytes are those of no known format")]
    UnknownFormat,
    /// The first bytes belong to a format that is known, but not read.
    #[error("{0}, which is not supported")]
    Unsupported(&'static str),
    /// The packed data break before their first byte.
    #[error("the compressed data are damaged at their start")]
    Compressed,
    /// The file cannot be opened or its first bytes cannot be read.
    #[error("it cannot be read: {0}")]
    Io(io::ErrorKind),
}

/// Where a file stopped making sense, and how. Everything before it was delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct Damage {
    /// Where the faulty or incomplete record begins, in bytes from the start of the capture; of a
    /// packed file, in the unpacked bytes.
    pub offset: u64,
    /// What is wrong there.
    pub reason: DamageReason,
}

/// What is wrong at a place in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DamageReason {
    /// The file ends inside the record or header that begins here.
    #[error("the file is cut short inside a record")]
    CutShort,
    /// A packet longer than any capture program records: more than 64 MiB, or more than 256 KiB
    /// beyond the interface's snapshot length.
    #[error("a record claims {0} captured bytes")]
    CapturedLength(u32),
    /// A pcap record header of nothing but zeros, as in the unwritten tail of a file.
    #[error("a record header is all zeros")]
    ZeroHeader,
    /// A pcapng block length that no block can have.
    #[error("a block claims a length of {0} bytes")]
    BlockLength(u32),
    /// The two lengths around a pcapng block differ.
    #[error("the lengths before and after a block differ")]
    BlockLengthMismatch,
    /// A pcapng packet that is longer than the block around it, or a block too short for its kind.
    #[error("a block is too short for what it holds")]
    BlockContent,
    /// A pcapng packet of an interface that was not described before it.
    #[error("a packet names the undescribed interface {0}")]
    UnknownInterface(u32),
    /// More interface descriptions than are kept.
    #[error("there are more than 65,536 interface descriptions")]
    TooManyInterfaces,
    /// A pcapng section header without a valid byte-order mark.
    #[error("a section header has no byte-order mark")]
    ByteOrder,
    /// A pcapng section or a snoop file of a version that nobody has defined.
    #[error("format version {0} is unknown")]
    Version(u32),
    /// A snoop file of a data link without a number among the link types of pcap.
    #[error("snoop data link {0} is not supported")]
    SnoopLink(u32),
    /// The packed data end too early.
    #[error("the compressed data are cut short")]
    CompressedCut,
    /// The packed data are not what their format allows, or their checksum is wrong.
    #[error("the compressed data are damaged")]
    Compressed,
    /// The packed data grow beyond [`Expansion`](super::Expansion).
    #[error("the compressed data expand beyond the limit")]
    Expansion,
    /// The system could not read on.
    #[error("reading failed ({0})")]
    ReadFailed(io::ErrorKind),
}
