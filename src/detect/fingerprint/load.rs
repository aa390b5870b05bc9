//! What loading a list says: its format, what became of its rows, or why it is no list.

use std::fmt;

use super::row::Strength;

/// The formats that are read, told apart by content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListFormat {
    /// The project's own CSV: name, scope, strength, countries, place, match, pattern, source.
    Own,
    /// OONI's blocking-fingerprints CSV, HTTP or DNS.
    Ooni,
    /// Citizen Lab's filtering-annotations CSV for HTTP.
    CitizenLabHttp,
    /// Citizen Lab's filtering-annotations CSV for DNS.
    CitizenLabDns,
    /// Censored Planet's signatures, JSON Lines; blocking and false-positive lists alike.
    CensoredPlanet,
}

impl ListFormat {
    /// Its name in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "Tamperscope CSV",
            Self::Ooni => "OONI CSV",
            Self::CitizenLabHttp => "Citizen Lab HTTP CSV",
            Self::CitizenLabDns => "Citizen Lab DNS CSV",
            Self::CensoredPlanet => "Censored Planet JSON Lines",
        }
    }
}

impl fmt::Display for ListFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a list was not loaded. The set is then as it was before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FingerprintError {
    /// More bytes than are read.
    TooLarge {
        /// Size of the list.
        bytes: usize,
        /// Most bytes read.
        limit: usize,
    },
    /// Not UTF-8.
    NotText {
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// The first line that says something is of no known format.
    UnknownFormat {
        /// Its number, from 1.
        line: u64,
        /// Offset of its first byte.
        offset: usize,
    },
    /// More rows than are read.
    TooManyRows {
        /// Line of the first row too many.
        line: u64,
        /// Most rows read.
        limit: usize,
    },
    /// The set has no room for another list or for its rows.
    SetFull,
}

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "{bytes} bytes are more than a fingerprint list may have ({limit})")
            }
            Self::NotText { offset } => write!(f, "not UTF-8 text at byte {offset}"),
            Self::UnknownFormat { line, offset } => write!(
                f,
                "line {line} (byte {offset}) begins no known fingerprint list; known are OONI, \
                 Citizen Lab and Tamperscope CSV by their column names, and Censored Planet JSON \
                 Lines"
            ),
            Self::TooManyRows { line, limit } => {
                write!(f, "more than {limit} rows, at line {line}")
            }
            Self::SetFull => f.write_str("too many fingerprint lists or rows in all"),
        }
    }
}

impl std::error::Error for FingerprintError {}

/// Why a row was left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// No pattern, or no response in a DNS list.
    Empty,
    /// A pattern of more than 4 KiB.
    TooLong,
    /// No stretch of three characters that every match contains.
    NoFixedText,
    /// An expression that looks ahead or behind: these take more than linear time.
    LookAround,
    /// An expression that cannot be read, or refers back.
    Syntax,
    /// An expression that takes too much memory.
    TooBig,
    /// An unknown word for where to look.
    UnknownPlace,
    /// An unknown word for how to match.
    UnknownMatch,
    /// An unknown word for the strength (own format).
    UnknownStrength,
    /// Not a row of this format.
    Malformed,
}

impl Reason {
    /// The reason in words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Empty => "empty pattern",
            Self::TooLong => "pattern longer than 4096 bytes",
            Self::NoFixedText => "no fixed text of three characters in the pattern",
            Self::LookAround => "look-around in the expression",
            Self::Syntax => "expression cannot be read",
            Self::TooBig => "expression needs too much memory",
            Self::UnknownPlace => "unknown place",
            Self::UnknownMatch => "unknown kind of match",
            Self::UnknownStrength => "unknown strength",
            Self::Malformed => "not a row of this format",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A row that was left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
}

/// What became of a list's rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadReport {
    /// Name under which it was loaded.
    pub name: String,
    /// Its format.
    pub format: ListFormat,
    /// Rows that may accuse as specific.
    pub specific: u64,
    /// Rows that may accuse as a product at most.
    pub product: u64,
    /// Rows that may lend weight at most.
    pub weak: u64,
    /// Rows too broad to accuse.
    pub broad: u64,
    /// Rows of innocent pages.
    pub benign: u64,
    /// Rows about DNS answers; kept, not matched here.
    pub dns: u64,
    /// Rows left out.
    pub rejected: u64,
    /// The first fifty of them.
    pub rejections: Vec<Rejection>,
}

impl LoadReport {
    const REJECTIONS_MAX: usize = 50;

    pub(super) fn new(name: &str, format: ListFormat) -> Self {
        Self {
            name: name.to_owned(),
            format,
            specific: 0,
            product: 0,
            weak: 0,
            broad: 0,
            benign: 0,
            dns: 0,
            rejected: 0,
            rejections: Vec::new(),
        }
    }

    /// Rows that may accuse.
    pub fn accusing(&self) -> u64 {
        self.specific.saturating_add(self.product).saturating_add(self.weak)
    }

    /// Rows that are of use: all but the rejected ones.
    pub fn entries(&self) -> u64 {
        [self.accusing(), self.broad, self.benign, self.dns].iter().sum()
    }

    pub(super) fn count(&mut self, strength: Strength) {
        let counter = match strength {
            Strength::Specific => &mut self.specific,
            Strength::Product => &mut self.product,
            Strength::Weak => &mut self.weak,
            Strength::Mention | Strength::Broad => &mut self.broad,
            Strength::Benign => &mut self.benign,
        };
        *counter = counter.saturating_add(1);
    }

    pub(super) fn reject(&mut self, line: u64, reason: Reason) {
        self.rejected = self.rejected.saturating_add(1);
        if self.rejections.len() < Self::REJECTIONS_MAX {
            self.rejections.push(Rejection { line, reason });
        }
    }
}
