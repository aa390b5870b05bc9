//! The set of lists that is matched against.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use sha2::{Digest, Sha256};

use super::answer::{Answer, Page};
use super::dns::{DnsEntry, DnsIndex};
use super::list::List;
use super::load::{FingerprintError, LoadReport};
use super::pattern::Trust;
use super::row::{Row, Target};
use super::scan::{Match, Scan};
use crate::evidence::ListSource;

/// The built-in list.
const BUILTIN: &str = include_str!("builtin.csv");

/// Lists of block-page fingerprints, ready to be matched.
///
/// The set does not change while it is matched against and can be shared between threads.
#[derive(Debug, Default)]
pub struct FingerprintSet {
    sources: Vec<ListSource>,
    rows: Vec<Row>,
    dns: DnsIndex,
    wanted: Wanted,
    /// Finds the needle of row `i` as pattern `i`; built when an answer wants it first.
    automaton: OnceLock<Option<AhoCorasick>>,
}

/// Which headers the rows look into.
#[derive(Debug, Default)]
struct Wanted {
    all: bool,
    forwarding: bool,
    /// In lower case.
    names: Vec<String>,
}

impl Wanted {
    fn add(&mut self, target: &Target) {
        match target {
            Target::Anywhere | Target::AnyHeader => self.all = true,
            Target::Forward => self.forwarding = true,
            Target::Header(name) if !self.names.contains(name) => self.names.push(name.clone()),
            Target::Header(_) | Target::Source | Target::Visible | Target::Title => {}
        }
    }

    /// Whether a row may look into a header of `answer`.
    fn has_any_of(&self, answer: &Answer<'_>) -> bool {
        let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
        let forwards = |name: &str| is(name, "location") || is(name, "refresh");
        let named = |name: &str| self.names.iter().any(|other| is(name, other));
        let has = |name| named(name) || (self.forwarding && forwards(name));
        self.all || answer.header_names().any(has)
    }
}

impl FingerprintSet {
    /// Name of the list that comes with the program.
    pub const BUILTIN_NAME: &'static str = "builtin";
    const LISTS_MAX: usize = 32;
    const ROWS_MAX: usize = 50_000;

    /// The list that comes with the program, alone.
    pub fn builtin() -> Self {
        let mut set = Self::default();
        // A test holds that every row of it loads.
        let _ = set.add((Self::BUILTIN_NAME, Trust::Own), BUILTIN.as_bytes());
        set
    }

    /// Adds a list; its format is told by its content.
    ///
    /// # Errors
    /// A list that is too large, not text or of no known format; the set stays as it was.
    pub fn load(&mut self, name: &str, bytes: &[u8]) -> Result<LoadReport, FingerprintError> {
        self.add((name, Trust::Foreign), bytes)
    }

    fn add(
        &mut self,
        (name, trust): (&str, Trust),
        bytes: &[u8],
    ) -> Result<LoadReport, FingerprintError> {
        if self.sources.len() >= Self::LISTS_MAX {
            return Err(FingerprintError::SetFull);
        }
        let mut list = List::read(name, bytes, (self.sources.len(), trust))?;
        if self.rows.len().saturating_add(list.rows.len()) > Self::ROWS_MAX {
            return Err(FingerprintError::SetFull);
        }
        self.automaton = OnceLock::new();
        for (number, row) in (self.rows.len()..).zip(&mut list.rows) {
            row.number = number;
            self.wanted.add(&row.target);
        }
        self.rows.extend(list.rows);
        list.dns.into_iter().for_each(|entry| self.dns.add(entry));
        self.sources.push(ListSource {
            name: name.to_owned(),
            sha256: hex(&Sha256::digest(bytes)),
            entries: list.report.entries(),
        });
        Ok(list.report)
    }

    /// What the answer shows: the strongest row that fits, or the benign one that speaks for it.
    ///
    /// Only a match whose strength [`accuses`](super::Strength::accuses) speaks for interference.
    pub fn matches(&self, answer: &Answer<'_>) -> Option<Match<'_>> {
        // Most answers are pictures and the like, and their headers say nothing to any row.
        let headers_only = answer.title.is_none() && !answer.is_text();
        if headers_only && !self.wanted.has_any_of(answer) {
            return None;
        }
        let automaton = self.automaton()?;
        if headers_only && !automaton.is_match(&answer.head()) {
            return None;
        }
        let page = Page::new(answer);
        Scan::new(automaton, &self.rows, &self.sources, &page).run()
    }

    /// The needles of at most [`Self::ROWS_MAX`] rows are far from the states that an automaton can
    /// have, so it can be built.
    fn automaton(&self) -> Option<&AhoCorasick> {
        let needles = || self.rows.iter().map(|row| row.pattern.needle());
        self.automaton.get_or_init(|| AhoCorasick::new(needles()).ok()).as_ref()
    }

    /// The lists, in the order in which they were loaded, with the SHA-256 of their bytes.
    pub fn sources(&self) -> Vec<ListSource> {
        self.sources.clone()
    }

    /// Rows of the lists that speak of DNS answers.
    pub fn dns_entries(&self) -> &[DnsEntry] {
        self.dns.entries()
    }

    /// The row that knows `address` as an answer given in place of true ones.
    pub fn dns_address(&self, address: IpAddr) -> Option<&DnsEntry> {
        self.dns.address(address)
    }

    /// The row that knows `name`, lower-case, as such an answer (by way of a CNAME).
    pub fn dns_name(&self, name: &str) -> Option<&DnsEntry> {
        self.dns.name(name)
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
