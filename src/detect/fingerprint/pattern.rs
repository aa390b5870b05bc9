//! A pattern: a fixed piece of text that finds candidates, and a check that settles them.
//!
//! Every row is found through its needle, a stretch of text that every match contains; a pattern
//! without one is refused, because it could only be tried on every page.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

use super::load::Reason;

/// What decides after the needle was found.
#[derive(Clone, Debug)]
enum Check {
    /// The text occurs.
    Contains,
    /// The text is the beginning.
    Prefix,
    /// The text is all there is.
    Full,
    /// The expression matches.
    Expression(Expression),
}

/// An expression, compiled when it is wanted first: few recordings have an answer that wants one.
#[derive(Clone, Debug)]
struct Expression {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

/// Whether a list is known to hold nothing that cannot be compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trust {
    /// It comes with the program, and the tests compile it.
    Own,
    /// It is the user's, who is told at once what is wrong with it.
    Foreign,
}

/// How `pattern_type` says a pattern is to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Contains,
    Prefix,
    Full,
    Expression,
}

impl Kind {
    pub(super) fn from_list(text: &str) -> Option<Self> {
        match text.trim() {
            "contains" => Some(Self::Contains),
            "prefix" => Some(Self::Prefix),
            "full" => Some(Self::Full),
            "regexp" => Some(Self::Expression),
            _ => None,
        }
    }
}

/// A pattern ready for use.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// What the automaton looks for.
    needle: String,
    /// The fixed text: the pattern itself, or an expression's fixed pieces, joined by spaces.
    text: String,
    check: Check,
}

impl Pattern {
    /// Longest pattern, in bytes.
    pub(super) const BYTES_MAX: usize = 4096;
    /// Memory of one compiled expression.
    const COMPILED_MAX: usize = 128 * 1024;
    /// A needle is cut to this; the check reads the rest.
    const NEEDLE_MAX: usize = 64;
    /// Shortest needle, in characters.
    const NEEDLE_MIN: usize = 3;
    /// Depth of an expression.
    const NEST_MAX: u32 = 32;

    /// Reads a pattern of the given kind, from a list of the given trust.
    pub(super) fn new(kind: Kind, text: &str, trust: Trust) -> Result<Self, Reason> {
        if text.trim().is_empty() {
            return Err(Reason::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(Reason::TooLong);
        }
        match kind {
            Kind::Contains => Self::fixed(text, Check::Contains),
            Kind::Prefix => Self::fixed(text, Check::Prefix),
            Kind::Full => Self::fixed(text, Check::Full),
            Kind::Expression => Self::expression(text, trust),
        }
    }

    /// What the automaton has to look for.
    pub(super) fn needle(&self) -> &str {
        &self.needle
    }

    /// The fixed text of the pattern.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether checking runs an expression over the whole text.
    pub(super) const fn is_expression(&self) -> bool {
        matches!(self.check, Check::Expression(_))
    }

    /// Settles a candidate whose needle begins at `at`; gives the place of the match.
    pub(super) fn settle(&self, haystack: &str, at: usize) -> Option<Range<usize>> {
        let range = match &self.check {
            Check::Expression(expression) => return expression.find(haystack),
            Check::Full if haystack == self.text => 0..self.text.len(),
            Check::Full => return None,
            Check::Prefix if at != 0 => return None,
            Check::Prefix | Check::Contains => {
                haystack.get(at..)?.strip_prefix(self.text.as_str())?;
                at..at.saturating_add(self.text.len())
            }
        };
        self.stands_alone(haystack, &range).then_some(range)
    }

    /// A number at the edge of the pattern must not go on: 10.0.0.1 is not 10.0.0.12.
    fn stands_alone(&self, haystack: &str, range: &Range<usize>) -> bool {
        let digit = |character: Option<char>| character.is_some_and(|c| c.is_ascii_digit());
        let before = haystack.get(..range.start).and_then(|text| text.chars().next_back());
        let after = haystack.get(range.end..).and_then(|text| text.chars().next());
        !(digit(self.text.chars().next()) && digit(before)
            || digit(self.text.chars().next_back()) && digit(after))
    }

    fn fixed(text: &str, check: Check) -> Result<Self, Reason> {
        let needle = cut(text, Self::NEEDLE_MAX);
        if needle.chars().count() < Self::NEEDLE_MIN {
            return Err(Reason::NoFixedText);
        }
        Ok(Self { needle: needle.to_owned(), text: text.to_owned(), check })
    }

    /// The lists write their expressions for Python with `re.DOTALL`. Two things differ here:
    /// `\<` is an edge of a word, and a brace that opens no repetition is a fault.
    fn expression(text: &str, trust: Trust) -> Result<Self, Reason> {
        if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|look| text.contains(look)) {
            return Err(Reason::LookAround);
        }
        let translated = text.replace(r"\<", "<").replace(r"\>", ">").replace(r"\Z", r"\z");
        let escaped = escape_braces(&translated);
        let readable = parse(&translated).map(|hir| (translated, hir));
        let (translated, hir) =
            readable.or_else(|| parse(&escaped).map(|hir| (escaped, hir))).ok_or(Reason::Syntax)?;
        let pieces = fixed_pieces(&hir);
        if let (HirKind::Literal(_), [whole]) = (hir.kind(), pieces.as_slice()) {
            return Self::fixed(whole, Check::Contains);
        }
        let expression = Expression { source: translated, compiled: OnceLock::new() };
        if trust == Trust::Foreign && expression.compiled().is_none() {
            return Err(Reason::TooBig);
        }
        let longest = pieces.iter().max_by_key(|piece| piece.len()).ok_or(Reason::NoFixedText)?;
        let pattern = Self::fixed(longest, Check::Expression(expression))?;
        Ok(Self { text: pieces.join(" "), ..pattern })
    }
}

impl Expression {
    /// The place of the first match.
    fn find(&self, haystack: &str) -> Option<Range<usize>> {
        self.compiled()?.find(haystack).map(|found| found.range())
    }

    /// The expression ready for use; `None` where that would be too large.
    fn compiled(&self) -> Option<&Regex> {
        let compile = || {
            RegexBuilder::new(&self.source)
                .dot_matches_new_line(true)
                .size_limit(Pattern::COMPILED_MAX)
                .dfa_size_limit(Pattern::COMPILED_MAX)
                .nest_limit(Pattern::NEST_MAX)
                .build()
                .ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

/// The beginning of `text`, at most `bytes` long, whole characters only.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn parse(expression: &str) -> Option<Hir> {
    let mut parser = ParserBuilder::new();
    parser.dot_matches_new_line(true).nest_limit(Pattern::NEST_MAX);
    parser.build().parse(expression).ok()
}

/// Stretches of text that every match contains, in order.
fn fixed_pieces(hir: &Hir) -> Vec<String> {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).into_iter().collect(),
        HirKind::Capture(capture) => fixed_pieces(&capture.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(fixed_pieces).collect(),
        _ => Vec::new(),
    }
}

/// Escapes the braces that cannot open or close a repetition.
fn escape_braces(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut escaped = false;
    for character in text.chars() {
        if !escaped && matches!(character, '{' | '}') {
            out.push('\\');
        }
        escaped = !escaped && character == '\\';
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(kind: Kind, pattern: &str, text: &str) -> bool {
        let pattern = Pattern::new(kind, pattern, Trust::Foreign).unwrap();
        let mut from = 0;
        while let Some(at) = text[from..].find(pattern.needle()) {
            if pattern.settle(text, from + at).is_some() {
                return true;
            }
            from += at + 1;
        }
        false
    }

    #[test]
    fn kinds_of_patterns() {
        for (kind, pattern, text, expected) in [
            (Kind::Contains, "blocked", "it is blocked", true),
            (Kind::Prefix, "blocked", "it is blocked", false),
            (Kind::Prefix, "it is", "it is blocked", true),
            (Kind::Full, "it is", "it is blocked", false),
            (Kind::Full, "it is", "it is", true),
            (Kind::Contains, "10.0.0.1", "see 10.0.0.12", false),
            (Kind::Contains, "10.0.0.1", "see 110.0.0.1", false),
            (Kind::Contains, "10.0.0.1", "see 10.0.0.12 or 10.0.0.1.", true),
            (Kind::Expression, r"block\.example/a", "block.example/a", true),
            (Kind::Expression, r"block\.example/a", "blockXexample/a", false),
            (Kind::Expression, "begin.*end", "begin\nof the end", true),
            (Kind::Expression, r"pname=\'x-y\';", "pname='x-y';", true),
            (Kind::Expression, r#"{"msg":.*"id":"#, r#"{"msg":1,"id":2}"#, true),
            (Kind::Expression, r"\<body\>", "<body>", true),
        ] {
            assert_eq!(matched(kind, pattern, text), expected, "{kind:?} {pattern} in {text}");
        }
    }

    #[test]
    fn what_is_refused_and_why() {
        for (pattern, reason) in [
            ("", Reason::Empty),
            ("ab", Reason::NoFixedText),
            (".*", Reason::NoFixedText),
            ("blocked(?=x)", Reason::LookAround),
            (r"(blocked)\1", Reason::Syntax),
            ("blocked(", Reason::Syntax),
            (r"blocked\pL{5000}", Reason::TooBig),
        ] {
            let refused = Pattern::new(Kind::Expression, pattern, Trust::Foreign).unwrap_err();
            assert_eq!(refused, reason, "{pattern}");
        }
        let long = "x".repeat(Pattern::BYTES_MAX + 1);
        assert_eq!(
            Pattern::new(Kind::Contains, &long, Trust::Foreign).unwrap_err(),
            Reason::TooLong
        );
    }

    #[test]
    fn a_long_pattern_is_checked_beyond_its_needle() {
        let long = "the notice ".repeat(20);
        let pattern = Pattern::new(Kind::Contains, &long, Trust::Foreign).unwrap();
        assert_eq!(pattern.needle().len(), Pattern::NEEDLE_MAX);
        assert!(pattern.settle(&long, 0).is_some());
        assert!(pattern.settle(&long.replace("notice the", "notice tho"), 0).is_none());
    }
}
