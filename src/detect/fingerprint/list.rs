//! Reading a list: the format by its content, then row by row.
//!
//! A bad row is counted with its line and left out. A list that is of no known format, too large or
//! not text is refused as a whole.

use csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::dns::{self, DnsEntry};
use super::load::{FingerprintError, ListFormat, LoadReport, Reason};
use super::pattern::{Kind, Pattern, Trust, cut};
use super::rating::{Stated, rate};
use super::row::{Rating, Row, Scope, Strength, Target};

/// Most bytes of a list.
pub(super) const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most rows of a list.
pub(super) const ROWS_MAX: usize = 20_000;
/// Bytes kept of a name, a source, a list of countries.
const FIELD_MAX: usize = 512;

/// A list that was read.
#[derive(Debug)]
pub(super) struct List {
    pub(super) rows: Vec<Row>,
    pub(super) dns: Vec<DnsEntry>,
    pub(super) report: LoadReport,
}

/// One row that was read.
enum Entry {
    Http(Row),
    Dns(DnsEntry),
}

impl List {
    /// Reads a list; `index` is its place in the set.
    pub(super) fn read(
        name: &str,
        bytes: &[u8],
        (index, trust): (usize, Trust),
    ) -> Result<Self, FingerprintError> {
        if bytes.len() > BYTES_MAX {
            return Err(FingerprintError::TooLarge { bytes: bytes.len(), limit: BYTES_MAX });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| FingerprintError::NotText { offset: error.valid_up_to() })?;
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let text = text.get(mark..).unwrap_or_default();
        if text.trim_start().starts_with('{') {
            read_json_lines(name, text, index, mark)
        } else {
            read_csv(name, text, (index, trust), mark)
        }
    }

    fn new(name: &str, format: ListFormat) -> Self {
        Self { rows: Vec::new(), dns: Vec::new(), report: LoadReport::new(name, format) }
    }

    fn add(&mut self, line: u64, entry: Result<Entry, Reason>) -> Result<(), FingerprintError> {
        match entry {
            Ok(Entry::Http(row)) => {
                self.report.count(row.rating.most());
                self.rows.push(row);
            }
            Ok(Entry::Dns(entry)) => {
                self.report.dns = self.report.dns.saturating_add(1);
                self.dns.push(entry);
            }
            Err(reason) => self.report.reject(line, reason),
        }
        let rows = self.report.entries().saturating_add(self.report.rejected);
        if rows > ROWS_MAX as u64 {
            return Err(FingerprintError::TooManyRows { line, limit: ROWS_MAX });
        }
        Ok(())
    }
}

/// Censored Planet: `{"fingerprint": ..., "pattern": ...}`, expressions over the raw answer.
///
/// The maker's own matcher tries the false positives first and stops there if one fits. The two
/// lists are one format; they are told apart row by row, by the names: those of the blocking list
/// begin with a letter and a kind, and whatever begins otherwise is a false positive.
fn read_json_lines(
    name: &str,
    text: &str,
    index: usize,
    mark: usize,
) -> Result<List, FingerprintError> {
    let mut list = List::new(name, ListFormat::CensoredPlanet);
    let mut offset = mark;
    for (number, line) in (1_u64..).zip(text.split_inclusive('\n')) {
        if !line.trim().is_empty() {
            let entry = json_row(line, index);
            let first = list.rows.is_empty() && list.report.rejected == 0;
            if first && matches!(entry, Err(Reason::Malformed)) {
                return Err(FingerprintError::UnknownFormat { line: number, offset });
            }
            list.add(number, entry)?;
        }
        offset = offset.saturating_add(line.len());
    }
    Ok(list)
}

fn json_row(line: &str, index: usize) -> Result<Entry, Reason> {
    let value: Value = serde_json::from_str(line).map_err(|_| Reason::Malformed)?;
    let field = |name: &str| value.get(name).and_then(Value::as_str).ok_or(Reason::Malformed);
    let (name, pattern) = (field("fingerprint")?, field("pattern")?);
    let scope = censored_planet_scope(name);
    let pattern = Pattern::new(Kind::Expression, pattern, Trust::Foreign)?;
    let stated = Stated { name, scope, confidence: None, notes: "" };
    let (rating, host) = rate(&stated, pattern.text());
    Ok(Entry::Http(Row {
        name: kept(name),
        scope,
        countries: Vec::new(),
        source: "Censored Planet".to_owned(),
        target: Target::Anywhere,
        pattern,
        rating,
        host,
        list: index,
        number: 0,
    }))
}

fn censored_planet_scope(name: &str) -> Scope {
    const KINDS: [(&str, Scope); 6] = [
        ("a_prod_", Scope::Product),
        ("b_nat_", Scope::National),
        ("c_isp_", Scope::Isp),
        ("d_corp_", Scope::Institution),
        ("e_unk_", Scope::Unknown),
        ("f_gen_", Scope::Vague),
    ];
    let found = KINDS.iter().find(|(prefix, _)| name.starts_with(prefix));
    found.map_or(Scope::Benign, |(_, scope)| *scope)
}

fn read_csv(
    name: &str,
    text: &str,
    (index, trust): (usize, Trust),
    mark: usize,
) -> Result<List, FingerprintError> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = Columns { trust, ..Columns::of(&mut reader, text, mark)? };
    let mut list = List::new(name, columns.format);
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                list.add(line, columns.row(&record, index))?;
            }
            Ok(false) => return Ok(list),
            Err(_) => list.add(line, Err(Reason::Malformed))?,
        }
    }
}

/// The columns of a CSV list, which tell its format.
struct Columns {
    format: ListFormat,
    names: Vec<String>,
    trust: Trust,
}

impl Columns {
    const FORMATS: [(ListFormat, &'static [&'static str]); 4] = [
        (ListFormat::Own, &["name", "scope", "strength", "place", "match", "pattern"]),
        (ListFormat::Ooni, &["name", "scope", "location_found", "pattern_type", "pattern"]),
        (ListFormat::CitizenLabHttp, &["name", "pattern", "location_found", "scope"]),
        (ListFormat::CitizenLabDns, &["name", "response", "scope"]),
    ];

    fn of(reader: &mut Reader<&[u8]>, text: &str, mark: usize) -> Result<Self, FingerprintError> {
        let blank = text.len().saturating_sub(text.trim_start().len());
        let line = text.get(..blank).map_or(0, |blank| blank.matches('\n').count());
        let unknown = FingerprintError::UnknownFormat {
            line: (line as u64).saturating_add(1),
            offset: blank.saturating_add(mark),
        };
        let header = reader.headers().map_err(|_| unknown)?;
        let names: Vec<String> =
            header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let has = |column: &&str| names.iter().any(|name| name == column);
        let found = Self::FORMATS.iter().find(|(_, needed)| needed.iter().all(has));
        let (format, _) = found.ok_or(unknown)?;
        Ok(Self { format: *format, names, trust: Trust::Foreign })
    }

    fn field<'a>(&self, record: &'a StringRecord, name: &str) -> &'a str {
        let at = self.names.iter().position(|column| column == name);
        at.and_then(|at| record.get(at)).unwrap_or_default()
    }

    fn row(&self, record: &StringRecord, index: usize) -> Result<Entry, Reason> {
        // A comma too many cuts a pattern in two, and half a pattern fits too much.
        if record.len() > self.names.len() {
            return Err(Reason::Malformed);
        }
        let place = self.field(record, "location_found");
        match self.format {
            ListFormat::Own => self.own_row(record, index),
            ListFormat::CitizenLabDns => self.dns_row(record, "response", index),
            _ if place == "dns" => self.dns_row(record, "pattern", index),
            _ => self.public_row(record, index),
        }
    }

    /// A row of the project's own format says its strength itself.
    fn own_row(&self, record: &StringRecord, index: usize) -> Result<Entry, Reason> {
        let field = |name| self.field(record, name);
        let scope = Scope::from_list(field("scope"));
        let strength = Strength::from_list(field("strength")).ok_or(Reason::UnknownStrength)?;
        let strength = if scope == Scope::Benign { Strength::Benign } else { strength };
        if field("place") == "dns" {
            return self.own_dns_row(record, (scope, strength), index);
        }
        let target = Target::from_list(field("place")).ok_or(Reason::UnknownPlace)?;
        let kind = Kind::from_list(field("match")).ok_or(Reason::UnknownMatch)?;
        let pattern = Pattern::new(kind, field("pattern"), self.trust)?;
        let stated = Stated { name: field("name"), scope, confidence: None, notes: "" };
        let (_, host) = rate(&stated, pattern.text());
        let host = if target == Target::Forward { host.or(Some(String::new())) } else { host };
        Ok(Entry::Http(Row {
            name: kept(field("name")),
            scope,
            countries: countries(field("countries")),
            source: kept(field("source")),
            target,
            pattern,
            rating: Rating::even(strength),
            host,
            list: index,
            number: 0,
        }))
    }

    /// A DNS answer of the project's own list: an address, a prefix or a host name.
    fn own_dns_row(
        &self,
        record: &StringRecord,
        (scope, strength): (Scope, Strength),
        index: usize,
    ) -> Result<Entry, Reason> {
        match self.dns_row(record, "pattern", index)? {
            Entry::Dns(entry) => Ok(Entry::Dns(DnsEntry { scope, strength, ..entry })),
            http @ Entry::Http(_) => Ok(http),
        }
    }

    /// OONI and Citizen Lab. The latter has no `pattern_type`: its patterns are plain text.
    fn public_row(&self, record: &StringRecord, index: usize) -> Result<Entry, Reason> {
        let field = |name| self.field(record, name);
        let kind = match self.format {
            ListFormat::Ooni => {
                Kind::from_list(field("pattern_type")).ok_or(Reason::UnknownMatch)?
            }
            _ => Kind::Contains,
        };
        let target = Target::from_list(field("location_found")).ok_or(Reason::UnknownPlace)?;
        let pattern = Pattern::new(kind, field("pattern"), self.trust)?;
        let scope = Scope::from_list(field("scope"));
        let confidence = self.confidence(record);
        let stated = Stated { name: field("name"), scope, confidence, notes: field("notes") };
        let (rating, host) = rate(&stated, pattern.text());
        let source = if self.format == ListFormat::Ooni { "OONI" } else { "Citizen Lab" };
        Ok(Entry::Http(Row {
            name: kept(field("name")),
            scope,
            countries: countries(field("expected_countries")),
            source: source.to_owned(),
            target,
            pattern,
            rating,
            host,
            list: index,
            number: 0,
        }))
    }

    fn dns_row(&self, record: &StringRecord, column: &str, index: usize) -> Result<Entry, Reason> {
        let response = self.field(record, column).trim().trim_end_matches('.').to_lowercase();
        if response.is_empty() {
            return Err(Reason::Empty);
        }
        if response.len() > FIELD_MAX {
            return Err(Reason::TooLong);
        }
        let scope = Scope::from_list(self.field(record, "scope"));
        Ok(Entry::Dns(DnsEntry {
            name: kept(self.field(record, "name")),
            strength: dns::strength(scope, self.confidence(record), &response),
            response,
            scope,
            countries: countries(match self.format {
                ListFormat::Own => self.field(record, "countries"),
                _ => self.field(record, "expected_countries"),
            }),
            list: index,
        }))
    }

    /// OONI fills in 5 where its makers did not assess: there it says nothing.
    fn confidence(&self, record: &StringRecord) -> Option<u8> {
        let confidence = self.field(record, "confidence_no_fp").trim().parse().ok();
        confidence.filter(|value| self.format != ListFormat::Ooni || *value != 5)
    }
}

fn kept(text: &str) -> String {
    cut(text.trim(), FIELD_MAX).to_owned()
}

/// Country codes, written `IT,IR` or as a Python list, `['IT', 'IR']`.
fn countries(text: &str) -> Vec<String> {
    cut(text, FIELD_MAX)
        .split(|character: char| !character.is_ascii_alphabetic())
        .filter(|code| code.len() == 2)
        .map(str::to_ascii_uppercase)
        .collect()
}
