//! Matching: candidates from the automaton, settled row by row, the most telling one kept.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::answer::{HeaderLine, Page};
use super::forward::forwards_at;
use super::row::{Place, Row, Scope, Strength, Target};
use super::set::FingerprintSet;
use crate::evidence::ListSource;

/// The row that tells most about an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match<'a> {
    /// Name of the row.
    pub name: &'a str,
    /// Who shows such a notice.
    pub scope: Scope,
    /// How far the match accuses.
    pub strength: Strength,
    /// Countries in which it is expected, two letters each; empty where the list says none.
    pub countries: &'a [String],
    /// Who describes it.
    pub source: &'a str,
    /// The list that the row is of.
    pub list: &'a str,
    /// Where in the answer it was found.
    pub place: Place,
}

/// One pass over the views of an answer.
pub(super) struct Scan<'a, 'p> {
    automaton: &'a AhoCorasick,
    rows: &'a [Row],
    sources: &'a [ListSource],
    page: &'p Page,
    /// Hits of the automaton that may still be looked at.
    hits_left: usize,
    /// Candidates that may still be settled.
    candidates_left: usize,
    /// Expressions that may still be run.
    expressions_left: usize,
    accusing: Kept<'a>,
    benign: Kept<'a>,
    /// A benign match in a forwarding header.
    benign_forward: Kept<'a>,
    /// A match that says nothing.
    idle: Kept<'a>,
}

/// The best match of its sort so far: the stronger, the wider in scope, the one with countries,
/// the earlier row. The order in which the automaton finds them plays no part.
type Rank = (Strength, Scope, bool, Reverse<usize>);
type Kept<'a> = Option<(Rank, Match<'a>)>;

/// One of the views, as the rows' targets see it.
#[derive(Clone, Copy)]
enum View<'p> {
    Header(&'p HeaderLine),
    Source,
    Visible,
    Title,
}

impl<'a, 'p> Scan<'a, 'p> {
    const HITS_MAX: usize = 65_536;
    const CANDIDATES_MAX: usize = 1024;
    /// Candidates of one row in one view: the places where an address stands differ.
    const CANDIDATES_OF_ROW: u8 = 8;
    const EXPRESSIONS_MAX: usize = 64;

    pub(super) fn new(
        automaton: &'a AhoCorasick,
        rows: &'a [Row],
        sources: &'a [ListSource],
        page: &'p Page,
    ) -> Self {
        Self {
            automaton,
            rows,
            sources,
            page,
            hits_left: Self::HITS_MAX,
            candidates_left: Self::CANDIDATES_MAX,
            expressions_left: Self::EXPRESSIONS_MAX,
            accusing: None,
            benign: None,
            benign_forward: None,
            idle: None,
        }
    }

    pub(super) fn run(mut self) -> Option<Match<'a>> {
        let page = self.page;
        for line in &page.headers {
            self.view(View::Header(line), &line.line);
        }
        self.view(View::Source, &page.source);
        self.view(View::Visible, &page.visible);
        self.view(View::Title, &page.title);
        self.outcome()
    }

    /// A benign row wins; what outranks it is in the room's front page.
    fn outcome(self) -> Option<Match<'a>> {
        let found = |kept: Kept<'a>| kept.map(|(_, found)| found);
        let (benign_forward, benign) = (found(self.benign_forward), found(self.benign));
        let Some(accusing) = found(self.accusing) else {
            return benign_forward.or(benign).or(found(self.idle));
        };
        let specific = accusing.strength == Strength::Specific;
        let own = specific && accusing.list == FingerprintSet::BUILTIN_NAME;
        let forwarded =
            accusing.strength >= Strength::Product && accusing.place == Place::ForwardHeader;
        match (benign_forward, benign) {
            (Some(benign), _) if !own => Some(benign),
            (None, Some(benign)) if !own && !forwarded => Some(benign),
            _ => Some(accusing),
        }
    }

    fn view(&mut self, view: View<'p>, text: &'p str) {
        let (automaton, rows) = (self.automaton, self.rows);
        let mut tried: HashMap<usize, u8> = HashMap::new();
        for hit in automaton.find_overlapping_iter(text).take(self.hits_left) {
            self.hits_left = self.hits_left.saturating_sub(1);
            let index = hit.pattern().as_usize();
            let Some(row) = rows.get(index).filter(|row| wants(&row.target, view)) else {
                continue;
            };
            if self.affords(row, tried.entry(index).or_default()) {
                self.candidate(row, view, text, hit.start());
            }
        }
    }

    /// Whether one more candidate of a row is looked at. An expression finds its first match
    /// wherever its needle stands, so once is enough.
    fn affords(&mut self, row: &Row, tried: &mut u8) -> bool {
        let expression = row.pattern.is_expression();
        let most = if expression { 1 } else { Self::CANDIDATES_OF_ROW };
        let left = if expression { &mut self.expressions_left } else { &mut self.candidates_left };
        if *tried >= most || *left == 0 {
            return false;
        }
        *tried = tried.saturating_add(1);
        *left = left.saturating_sub(1);
        true
    }

    /// Settles one candidate and keeps it if it tells more than what is kept.
    fn candidate(&mut self, row: &'a Row, view: View<'p>, text: &str, at: usize) {
        let value_at = match (&row.target, view) {
            (Target::Header(_), View::Header(line)) => line.value_at,
            _ => 0,
        };
        let Some(haystack) = text.get(value_at..) else { return };
        let Some(at) = at.checked_sub(value_at) else { return };
        let Some(range) = row.pattern.settle(haystack, at) else { return };
        let place = place_of(row, view, haystack, &range);
        let forwarded = matches!(place, Place::ForwardHeader | Place::ForwardBody);
        if row.target == Target::Forward && !forwarded {
            return;
        }
        let rated = if forwarded { row.rating.forwarded } else { row.rating.mentioned };
        let strength = if rated.accuses() {
            rated.min(self.shape_allows(row, place, haystack, &range))
        } else {
            rated
        };
        self.keep(row, strength, place);
    }

    /// How far the answer's own shape lets a row accuse.
    fn shape_allows(
        &self,
        row: &Row,
        place: Place,
        haystack: &str,
        range: &Range<usize>,
    ) -> Strength {
        if self.is_own_site(row) {
            return Strength::Broad;
        }
        let chars = match place {
            // An address in a cookie, or in the query of a login page's address.
            Place::Header if row.host.is_some() => return Strength::Broad,
            Place::Header | Place::ForwardHeader => return Strength::Specific,
            // What lies between the pieces of an expression may be anything.
            Place::Body | Place::ForwardBody if row.pattern.is_expression() => {
                row.pattern.text().chars().count()
            }
            _ => haystack.get(range.clone()).map_or(0, |text| text.chars().count()),
        };
        if self.page.can_be_notice(chars) && !is_quoted(haystack, range, place) {
            Strength::Specific
        } else {
            Strength::Mention
        }
    }

    /// Whether the address in the pattern belongs to the host that was asked for.
    fn is_own_site(&self, row: &Row) -> bool {
        let (Some(asked), Some(host)) = (&self.page.host, &row.host) else { return false };
        asked == host || under(asked, host) || under(host, asked)
    }

    fn keep(&mut self, row: &'a Row, strength: Strength, place: Place) {
        let list = self.sources.get(row.list).map_or("", |source| source.name.as_str());
        let found = Match {
            name: &row.name,
            scope: row.scope,
            strength,
            countries: &row.countries,
            source: &row.source,
            list,
            place,
        };
        let rank = (strength, row.scope, !row.countries.is_empty(), Reverse(row.number));
        let slot = match strength {
            Strength::Benign if place == Place::ForwardHeader => &mut self.benign_forward,
            Strength::Benign => &mut self.benign,
            _ if strength.accuses() => &mut self.accusing,
            _ => &mut self.idle,
        };
        if slot.as_ref().is_none_or(|(kept, _)| rank > *kept) {
            *slot = Some((rank, found));
        }
    }
}

/// Whether a row is to be looked for in a view.
fn wants(target: &Target, view: View<'_>) -> bool {
    match (target, view) {
        (Target::Anywhere | Target::AnyHeader, View::Header(_))
        | (Target::Anywhere | Target::Source | Target::Forward, View::Source)
        | (Target::Visible, View::Visible)
        | (Target::Title, View::Title) => true,
        (Target::Header(name), View::Header(line)) => *name == line.name,
        (Target::Forward, View::Header(line)) => line.forwards,
        _ => false,
    }
}

fn place_of(row: &Row, view: View<'_>, haystack: &str, range: &Range<usize>) -> Place {
    match view {
        View::Visible => Place::Text,
        View::Title => Place::Title,
        View::Source if forwards_from(row, haystack, range) => Place::ForwardBody,
        View::Source => Place::Body,
        View::Header(line) if line.forwards && is_destination(row, haystack, range) => {
            Place::ForwardHeader
        }
        View::Header(_) => Place::Header,
    }
}

/// Whether the match is an address to which the document sends its reader.
fn forwards_from(row: &Row, haystack: &str, range: &Range<usize>) -> bool {
    let Some(host) = &row.host else { return false };
    let matched = haystack.get(range.clone()).unwrap_or_default();
    let inside = matched.to_ascii_lowercase().find(host.as_str()).unwrap_or(0);
    forwards_at(haystack, range.start.saturating_add(inside))
}

/// Whether the match is the destination itself and not the cargo of its query: a login page
/// carries the address that was asked for.
fn is_destination(row: &Row, haystack: &str, range: &Range<usize>) -> bool {
    row.host.is_some() && !haystack.get(..range.start).unwrap_or_default().contains('?')
}

/// Whether the words stand in quotation marks: then the page speaks of them.
fn is_quoted(haystack: &str, range: &Range<usize>, place: Place) -> bool {
    let before = haystack.get(..range.start).unwrap_or_default();
    let after = haystack.get(range.end..).unwrap_or_default();
    match place {
        // Folded text has one mark for both ends. Marks in pairs before the words are quotations
        // of something else: notices quote names and laws.
        Place::Text | Place::Title => {
            let odd = before.matches('"').count() % 2 == 1;
            odd && after.chars().take(QUOTATION_MAX).any(|character| character == '"')
        }
        // In markup the plain mark opens an attribute.
        Place::Body => {
            let mut near = before.chars().rev().take(QUOTATION_MAX);
            near.find(|mark| QUOTE_OPENS.contains(mark) || QUOTE_CLOSES.contains(mark))
                .is_some_and(|mark| QUOTE_OPENS.contains(&mark))
        }
        _ => false,
    }
}

/// Characters of a quotation on either side of the words.
const QUOTATION_MAX: usize = 400;
const QUOTE_OPENS: [char; 4] = ['\u{201c}', '\u{201e}', '\u{ab}', '\u{300c}'];
const QUOTE_CLOSES: [char; 3] = ['\u{201d}', '\u{bb}', '\u{300d}'];

/// Whether a host lies under a domain.
fn under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}
