//! A row of a list, and the words in which it is told.

use std::fmt;

use super::pattern::Pattern;

/// Who shows such a notice, as its list states it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Nobody: an innocent page that is easily mistaken for a notice.
    Benign,
    /// Not known.
    Unknown,
    /// Words that notices use, and other pages too.
    Vague,
    /// The provider of the content itself, of its own accord.
    Provider,
    /// A school, a company, a university.
    Institution,
    /// A filtering product, whoever runs it.
    Product,
    /// An Internet provider.
    Isp,
    /// A country.
    National,
}

impl Scope {
    /// Its name in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Unknown => "unknown",
            Self::Vague => "vague",
            Self::Provider => "provider",
            Self::Institution => "institution",
            Self::Product => "product",
            Self::Isp => "isp",
            Self::National => "national",
        }
    }

    /// The abbreviation that the public lists use, or the name; anything else is `Unknown`.
    ///
    /// `injb` is Citizen Lab's "benign injection", `fp` OONI's "false positive".
    pub(super) fn from_list(text: &str) -> Self {
        match text.trim() {
            "nat" | "national" => Self::National,
            "isp" => Self::Isp,
            "prod" | "product" => Self::Product,
            "inst" | "institution" => Self::Institution,
            "prov" | "provider" => Self::Provider,
            "vbw" | "vague" => Self::Vague,
            "fp" | "injb" | "benign" => Self::Benign,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a match may accuse. In rising order; only the last three do ([`Strength::accuses`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Strength {
    /// A page known to be innocent. Speaks against interference.
    Benign,
    /// Words that ordinary pages have too. Says nothing.
    Broad,
    /// A notice's words inside a page that is no notice: an article, a script, a quotation.
    Mention,
    /// Fits a notice, but not only a notice. Lends weight to other facts and stands on none.
    Weak,
    /// A filtering product shows itself. A company or a school may run it, or the reader.
    Product,
    /// Text or address that only this notice has.
    Specific,
}

impl Strength {
    /// Its name in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Broad => "broad",
            Self::Mention => "mention",
            Self::Weak => "weak",
            Self::Product => "product",
            Self::Specific => "specific",
        }
    }

    /// Whether it speaks for interference at all.
    pub const fn accuses(self) -> bool {
        matches!(self, Self::Weak | Self::Product | Self::Specific)
    }

    /// The name as the project's own list format writes it.
    pub(super) fn from_list(text: &str) -> Option<Self> {
        match text.trim() {
            "specific" => Some(Self::Specific),
            "product" => Some(Self::Product),
            "weak" => Some(Self::Weak),
            "broad" => Some(Self::Broad),
            "benign" => Some(Self::Benign),
            _ => None,
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where in the answer a row matched.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// A header that sends the reader elsewhere (Location, Refresh).
    ForwardHeader,
    /// Another header.
    Header,
    /// Markup that sends the reader elsewhere (a frame, meta refresh, a script's `location`).
    ForwardBody,
    /// The text of the document, with its markup.
    Body,
    /// What a reader sees of it.
    Text,
    /// The title.
    Title,
}

impl Place {
    /// Its name in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForwardHeader => "forwarding header",
            Self::Header => "header",
            Self::ForwardBody => "forwarding markup",
            Self::Body => "body",
            Self::Text => "visible text",
            Self::Title => "title",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a row wants its pattern looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// The whole answer: header lines and document (Censored Planet matches the raw answer).
    Anywhere,
    /// The document with its markup.
    Source,
    /// Its visible text, folded (`visible`).
    Visible,
    /// Its title, folded.
    Title,
    /// Any header line, as `Name: value`.
    AnyHeader,
    /// The value of one header; the name in lower case.
    Header(String),
    /// Wherever the answer forwards to.
    Forward,
}

impl Target {
    /// As `location_found` and the project's own `place` column write it.
    pub(super) fn from_list(text: &str) -> Option<Self> {
        match text.trim() {
            "body" => Some(Self::Source),
            "header" => Some(Self::AnyHeader),
            "visible" => Some(Self::Visible),
            "title" => Some(Self::Title),
            "forward" => Some(Self::Forward),
            other => other
                .strip_prefix("header.")
                .filter(|name| !name.is_empty())
                .map(|name| Self::Header(name.to_ascii_lowercase())),
        }
    }
}

/// What a row may say, by where its address stands. Equal for rows without an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rating {
    /// Where the answer sends the reader to the address.
    pub(super) forwarded: Strength,
    /// Where the pattern merely occurs.
    pub(super) mentioned: Strength,
}

impl Rating {
    pub(super) const fn even(strength: Strength) -> Self {
        Self { forwarded: strength, mentioned: strength }
    }

    /// The most that the row can say.
    pub(super) fn most(self) -> Strength {
        self.forwarded.max(self.mentioned)
    }
}

/// One fingerprint.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) scope: Scope,
    pub(super) countries: Vec<String>,
    pub(super) source: String,
    pub(super) target: Target,
    pub(super) pattern: Pattern,
    pub(super) rating: Rating,
    /// Host in the pattern, in lower case; empty if the pattern is an address without a host.
    pub(super) host: Option<String>,
    /// Index of its list.
    pub(super) list: usize,
    /// Its own index, over all lists; given when the set takes it in.
    pub(super) number: usize,
}
