//! The front door: recorded captures become blocks of numbered frames.
//!
//! **Enters:** files, directories and standard input holding pcap (either byte order, micro- or
//! nanoseconds, the modified layout with longer record headers), pcapng (any number of sections
//! and interfaces) or snoop (RFC 1761), plain or packed with gzip or zstd. What a file is, its
//! first bytes say; names and suffixes are not looked at.
//!
//! **Leaves:** [`Block`]s of [`Frame`](crate::wire::Frame)s whose bytes lie where the read call put
//! them, in the order of the recording, and one [`FileReport`] a file: what it was, what it held,
//! and where it broke.
//!
//! **Kept:** the open file, the incomplete record at the end of the last block, one small report a
//! file. Only one file is open at a time, beside the streams (standard input, pipes) that cannot
//! be opened twice.
//!
//! **Bounds:** a block holds [`OpenOptions::block_bytes`] of records, or the one larger record that
//! does not fit; a record is at most 64 MiB of packet and 1 MiB of options, and memory for it grows
//! only as its bytes arrive. At most 65,535 files, 65,536 interfaces a file, 64 compiled filters,
//! 16 MiB of a stream held back while its first packet is looked for. A zstd window is at most
//! 128 MiB (the library's own limit), and packed input may expand only as far as [`Expansion`]
//! allows.
//!
//! **Damage** ends the reading of one file, never of the recording: all frames before the fault
//! are delivered, and the report states its byte offset and reason ([`Damage`]).
//!
//! **Not done here:** nothing looks into a packet, except the compiled `--filter`. No
//! resynchronization after damage. Frames are not sorted within a file. Names of hosts, decryption
//! secrets and comments in pcapng files are passed over. Live interfaces get a room of their own.

mod block;
mod candidate;
mod error;
mod file;
mod filter;
mod format;
mod input;
mod magic;
mod options;
mod progress;
mod recording;
mod report;
mod source;
mod stored;

#[cfg(test)]
mod tests;

pub use block::Block;
pub use error::{CaptureError, Damage, DamageReason, Unreadable};
pub use format::TimeResolution;
pub use input::{Expanded, Ignored, Input, WhyIgnored, expand};
pub use magic::{Compression, Format};
pub use options::{Expansion, OpenOptions};
pub use progress::Progress;
pub use recording::{MAX_FILES, Recording};
pub use report::{FileReport, FilterFault, Interface};
