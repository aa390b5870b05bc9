//! A walk over the tags of a page, tolerant as browsers are, in one pass.

use std::borrow::Cow;

use memchr::memmem;

/// The start tags of a source, in order. Comments and scripts are passed over.
#[derive(Clone, Debug)]
pub(super) struct Tags<'a> {
    rest: &'a str,
}

impl<'a> Tags<'a> {
    pub(super) const fn of(source: &'a str) -> Self {
        Self { rest: source }
    }

    /// The next start tag.
    pub(super) fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let (_, after) = self.rest.split_once('<')?;
            self.rest = after;
            if let Some(comment) = after.strip_prefix("!--") {
                self.rest = after_comment(comment);
            } else if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let tag = Tag::read(after);
                let end = after.get(tag.source.len()..).unwrap_or_default();
                self.rest = end.strip_prefix('>').unwrap_or(end);
                match ["script", "style"].into_iter().find(|name| tag.is(name)) {
                    Some(name) => _ = self.text_until_end_of(name),
                    None => return Some(tag),
                }
            }
        }
    }

    /// The text up to the end tag, which is passed over; all that is left where there is none.
    pub(super) fn text_until_end_of(&mut self, name: &str) -> &'a str {
        let end = self
            .rest
            .match_indices("</")
            .map(|(at, _)| at)
            .find(|at| {
                let after = at + 2..at + 2 + name.len();
                self.rest.get(after).is_some_and(|word| word.eq_ignore_ascii_case(name))
            })
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        text
    }
}

/// A start tag.
#[derive(Clone, Debug)]
pub(super) struct Tag<'a> {
    /// From the name up to the closing bracket, or the end.
    source: &'a str,
    name: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads the tag whose name `source` begins with; a bracket within quotes does not end it.
    fn read(source: &'a str) -> Self {
        let name_end = source.find(ends_name).unwrap_or(source.len());
        let mut quote = None;
        let end = source.bytes().position(|byte| match (quote, byte) {
            (None, b'>') => true,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                false
            }
            (Some(open), _) if open == byte => {
                quote = None;
                false
            }
            _ => false,
        });
        // A quote that is never closed ends nothing: then the first bracket counts.
        let end = end.or_else(|| source.find('>')).unwrap_or(source.len());
        let name = source.get(..name_end.min(NAME_BYTES_MAX)).unwrap_or_default();
        Self { source: source.get(..end).unwrap_or(source), name }
    }

    /// Whether that is its name, in whatever case.
    pub(super) const fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn attributes(&self) -> Attributes<'a> {
        let rest = self.source.get(self.name.len()..).unwrap_or_default();
        let mut list = Vec::new();
        let mut rest = rest;
        while list.len() < ATTRIBUTES_MAX {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                break;
            }
            let (attribute, after) = read_attribute(rest);
            list.push(attribute);
            rest = after;
        }
        Attributes(list)
    }
}

/// The attributes of a tag: name and raw value.
#[derive(Clone, Debug)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    /// The value of the first attribute of a name, entities resolved.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let found = self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| resolve(value))
    }
}

/// `name`, `name=value`, `name="value"`.
fn read_attribute(source: &str) -> ((&str, &str), &str) {
    let is_end = |c: char| c.is_ascii_whitespace() || c == '=';
    // An equals sign at the start is a letter of the name, so that each step gets on.
    let skip = usize::from(source.starts_with('='));
    let name_end =
        source.get(skip..).and_then(|rest| rest.find(is_end)).map_or(source.len(), |at| at + skip);
    let (name, rest) = source.split_at_checked(name_end).unwrap_or((source, ""));
    let Some(value) = rest.trim_start().strip_prefix('=') else { return ((name, ""), rest) };
    let value = value.trim_start();
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?;
        Some(inner.split_once(quote).unwrap_or((inner, "")))
    });
    let (value, rest) = quoted.unwrap_or_else(|| {
        let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
        value.split_at_checked(end).unwrap_or((value, ""))
    });
    ((name, value), rest)
}

/// Text with entities resolved and white space folded, at most `chars_max` characters.
pub(super) fn plain_text(source: &str, chars_max: usize) -> String {
    let start = super::first_chars(source, chars_max.saturating_mul(8));
    let resolved = resolve(start);
    let folded = resolved.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    folded.chars().take(chars_max).map(clean).collect()
}

/// Replaces numeric entities and the few named ones that occur in titles and addresses.
fn resolve(source: &str) -> Cow<'_, str> {
    if !source.contains('&') {
        return Cow::Borrowed(source);
    }
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let (character, after) = entity(after).unwrap_or(('&', after));
        text.push(character);
        rest = after;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character of `amp;…`, `#1234;…` or `#x4d2;…`, and what follows.
fn entity(source: &str) -> Option<(char, &str)> {
    let is_letter = |b: &u8| b.is_ascii_alphanumeric() || *b == b'#';
    let end = source.bytes().take(ENTITY_BYTES_MAX).take_while(is_letter).count();
    let (name, rest) = source.split_at_checked(end)?;
    let rest_after = rest.strip_prefix(';');
    let character = match name.strip_prefix('#') {
        Some(number) => numbered(number)?,
        // Without a semicolon it may as well be a parameter of an address.
        None => rest_after.and_then(|_| ENTITIES.iter().find(|(own, _)| *own == name))?.1,
    };
    Some((character, rest_after.unwrap_or(rest)))
}

/// The character of `1234` or `x4d2`.
fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    Some(char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn after_comment(comment: &str) -> &str {
    memmem::find(comment.as_bytes(), b"-->").and_then(|at| comment.get(at + 3..)).unwrap_or("")
}

fn ends_name(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '/' | '>')
}

const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("copy", '©'),
    ("reg", '®'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("hellip", '…'),
    ("middot", '·'),
    ("bull", '•'),
];

/// `#x10ffff` has eight letters.
const ENTITY_BYTES_MAX: usize = 10;

/// No tag that matters has a longer name.
const NAME_BYTES_MAX: usize = 16;

const ATTRIBUTES_MAX: usize = 64;
