//! Block-page fingerprints: which known notice an HTTP answer shows, and how much that says.
//!
//! Enters: an [`Answer`] (status, headers, decoded body) and, beforehand, lists of fingerprints as
//! `(name, bytes)`. Leaves: at most one [`Match`]. Kept: the rows of the lists and one
//! Aho-Corasick automaton over a fixed piece of text of every row; nothing of an answer.
//!
//! # What a match is worth
//!
//! The public lists were made for measurements in which something had already gone wrong: their
//! makers look only at answers that differ from a control. Here every answer of a recording is
//! looked at, so a row may accuse only as far as its pattern says something that innocent pages
//! do not say. [`Strength`] names the steps; `rating` holds the rule, which works from what the
//! list states (scope, confidence, notes) and from the pattern itself:
//!
//! - An *address* counts where the answer sends the reader there (Location, Refresh, a frame, a
//!   `location =` in a script). Elsewhere it is a link, and a link says little.
//! - A *sentence* counts if it speaks of a refusal. A phrase such as "Access Denied" never does.
//! - A *product* is named with the word that it blocks; it says which box, not who runs it.
//! - What the list calls vague, broad or a false positive never accuses, whatever it matches.
//!
//! # Innocent twins
//!
//! - A page *about* a notice quotes it: an answer which is much longer than a notice, is marked up
//!   as an article, is no page at all (a script, JSON), or has the words in quotation marks
//!   yields [`Strength::Mention`].
//! - A site that forwards within itself: a row whose address belongs to the host that was asked
//!   for does not count.
//! - A benign row wins over accusing ones, as it does with its makers. Two things outrank it: a
//!   specific row of the built-in list, and an address in the forwarding header (most benign rows
//!   describe bodies, and the body of a redirect is filler) unless the benign row matches in that
//!   header too.
//!
//! # Bounds
//!
//! A list has at most 8 MiB and 20,000 rows, a set 32 lists and 50,000 rows; a pattern has at most
//! 4 KiB, a compiled one 128 KiB. Of an answer the first 64 KiB of text and 32 KiB of headers are
//! read; of the automaton's hits 65,536 are looked at, 1,024 candidates settled and 64 regular
//! expressions run, these in time linear in the text. What lies beyond is not accused.
//!
//! Not done here: reading files, decoding bodies, forming facts, comparing DNS answers (the rows of
//! DNS lists are kept for those who do: [`FingerprintSet::dns_entries`]).

mod address;
mod answer;
mod dns;
mod forward;
mod list;
mod load;
mod pattern;
mod rating;
mod row;
mod scan;
mod set;
#[cfg(test)]
mod tests;
mod visible;

pub use answer::Answer;
pub use dns::DnsEntry;
pub use load::{FingerprintError, ListFormat, LoadReport, Reason, Rejection};
pub use row::{Place, Scope, Strength};
pub use scan::Match;
pub use set::FingerprintSet;
