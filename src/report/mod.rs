//! Records to readers: text for people, JSON Lines and EVE for programs, the signal catalogue.
//!
//! *Enters:* capture, flow, finding and host records and the summary. *Leaves:* bytes in the
//! writer that the caller hands over; an error of that writer is passed on as it is. *Kept:*
//! nothing between two records, apart from the writer. *Bounds:* the text form shortens long names
//! and long lists; the JSON forms write each record whole, one at a time.
//!
//! Names, titles and paths come from packets and from strangers' files. Whatever a record holds,
//! no control character and no character that reorders or hides text reaches the output
//! ([`escape`]).
//!
//! *Not done here:* choosing what to show (`--min-confidence`, `--flows`): the caller passes what
//! is to be told. No clock is read, so the same records give the same bytes.

pub mod escape;
pub mod eve;
pub mod explain;
pub mod jsonl;
pub mod schema;
pub mod text;

mod json;
mod page;
#[cfg(test)]
mod sample;
