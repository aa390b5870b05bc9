//! What a reader sees of a document: markup dropped, entities read, letters folded.
//!
//! Folding makes one form of what servers write in many: white space to one space, apostrophes
//! and quotation marks to the plain ones, letters to lower case. A quotation element (`<q>`,
//! `<blockquote>`) leaves quotation marks, so that quoted words can be told from shown ones.
//! One pass, no tree, and output no longer than three times the input.

/// The visible text of a document, folded.
pub(super) fn visible(source: &str) -> String {
    let mut fold = Fold::default();
    let mut rest = source;
    while let Some((text, tag)) = rest.find('<').and_then(|at| rest.split_at_checked(at)) {
        fold.text(text);
        rest = skip_tag(tag, &mut fold);
    }
    fold.text(rest);
    fold.out_of_indent()
}

/// A piece of plain text, folded.
pub(super) fn folded(text: &str) -> String {
    let mut fold = Fold::default();
    fold.text(text);
    fold.out
}

/// Passes over one tag, comment or element that holds no text; `tag` begins with `<`.
fn skip_tag<'a>(tag: &'a str, fold: &mut Fold) -> &'a str {
    if let Some(comment) = tag.strip_prefix("<!--") {
        return after(comment, "-->");
    }
    let inner = tag.get(1..).unwrap_or_default();
    if !inner.starts_with(|first: char| first.is_ascii_alphabetic() || "/!?".contains(first)) {
        fold.push('<');
        return inner;
    }
    let opened = inner.strip_prefix('/').unwrap_or(inner);
    let name_end = opened.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(opened.len());
    let name = opened.get(..name_end).unwrap_or_default();
    let closes = inner.starts_with('/');
    fold.push(' ');
    let rest = after(inner, ">");
    match name {
        _ if !closes && name.eq_ignore_ascii_case("script") => after_closing(rest, "</script"),
        _ if !closes && name.eq_ignore_ascii_case("style") => after_closing(rest, "</style"),
        _ if closes && name.eq_ignore_ascii_case("title") => {
            fold.titled = fold.out.len();
            rest
        }
        _ if name.eq_ignore_ascii_case("q") => {
            fold.push('"');
            rest
        }
        _ if name.eq_ignore_ascii_case("blockquote") => {
            fold.quotation();
            rest
        }
        _ => rest,
    }
}

/// What follows `end`; nothing where it is missing.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// What follows the closing tag, in letters of either case; nothing where it is missing.
fn after_closing<'a>(text: &'a str, closing: &str) -> &'a str {
    let found = text
        .as_bytes()
        .windows(closing.len())
        .position(|window| window.eq_ignore_ascii_case(closing.as_bytes()));
    found.and_then(|at| text.get(at..)).map_or("", |rest| after(rest, ">"))
}

#[derive(Default)]
struct Fold {
    out: String,
    space: bool,
    /// Length of the text up to the end of the title.
    titled: usize,
    /// Ends of quotation elements that were met, where the text of the first begins if nothing but
    /// the title stands before it, and the length of the text up to the last.
    ends: usize,
    from: Option<usize>,
    until: usize,
}

impl Fold {
    /// One end of a `<blockquote>`.
    fn quotation(&mut self) {
        let leads = self.ends == 0 && self.out.len() == self.titled;
        self.push('"');
        self.from = self.from.or_else(|| leads.then_some(self.out.len()));
        self.ends += 1;
        self.until = self.out.len();
    }

    /// The text. A single quotation that is all of the page quotes nothing: stock pages set
    /// themselves in by it.
    fn out_of_indent(self) -> String {
        let all = self.from.filter(|_| self.ends == 2 && self.until == self.out.len());
        let inner = all.and_then(|from| self.out.split_at_checked(from));
        match inner
            .and_then(|(title, inner)| Some((title.strip_suffix('"')?, inner.strip_suffix('"')?)))
        {
            Some((title, inner)) => format!("{}{}", title, inner.trim()),
            None => self.out,
        }
    }

    fn text(&mut self, mut text: &str) {
        while let Some((plain, entity)) = text.split_once('&') {
            plain.chars().for_each(|character| self.push(character));
            if let Some((character, rest)) = read_entity(entity) {
                self.push(character);
                text = rest;
            } else {
                self.push('&');
                text = entity;
            }
        }
        text.chars().for_each(|character| self.push(character));
    }

    fn push(&mut self, character: char) {
        match character {
            // Soft hyphen, zero-width characters, byte order mark: not seen.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => return,
            _ if character.is_whitespace() => {
                self.space = !self.out.is_empty();
                return;
            }
            _ => {}
        }
        if std::mem::take(&mut self.space) {
            self.out.push(' ');
        }
        match character {
            // U+0092 is the windows-1252 apostrophe read as Latin-1.
            '\u{2019}' | '\u{2018}' | '\u{2bc}' | '\u{b4}' | '`' | '\u{92}' => self.out.push('\''),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' | '\u{93}' | '\u{94}' => {
                self.out.push('"');
            }
            _ => self.out.extend(character.to_lowercase()),
        }
    }
}

/// Reads an entity after its `&`. Only those that notices use; the rest stays as written.
fn read_entity(text: &str) -> Option<(char, &str)> {
    let end = text.bytes().take(ENTITY_MAX).position(|byte| byte == b';')?;
    let (name, rest) = text.split_at_checked(end)?;
    let rest = rest.strip_prefix(';')?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" | "ldquo" | "rdquo" | "laquo" | "raquo" | "bdquo" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, rest))
}

/// Longest entity read, with its semicolon.
const ENTITY_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_reader_sees() {
        for (source, expected) in [
            ("plain  text\r\n here", "plain text here"),
            ("<p>You can&#39;t<br>connect</p>", "you can't connect"),
            ("You can\u{2019}t / can&rsquo;t / can&#x2019;t", "you can't / can't / can't"),
            ("<script>var a='<b>';</script>shown<STYLE>p{}</style >too", "shown too"),
            ("a<!-- hidden <b> -->b", "ab"),
            ("a<script>never closed", "a"),
            ("1 < 2 & 3 &unknown; &#0;", "1 < 2 & 3 &unknown; \u{0}"),
            // A page set in by a quotation element quotes nothing; one that has words beside it does.
            ("<title>No</title><p><blockquote>Denied. </blockquote></p>", "no denied."),
            ("<blockquote>Denied.</blockquote>", "denied."),
            ("<p>They say: <blockquote>Denied.</blockquote>", "they say: \"denied. \""),
            ("<blockquote>Denied.</blockquote> So it said.", "\"denied. \" so it said."),
            ("<blockquote>A</blockquote><blockquote>B</blockquote>", "\"a \" \"b \""),
            ("<q>Denied.</q>", "\"denied. \""),
            ("it says <q>no</q>!", "it says \"no \"!"),
            ("\u{201c}Warning!\u{201d}", "\"warning!\""),
            ("z\u{200b}ero\u{feff}", "zero"),
        ] {
            assert_eq!(visible(source), expected, "{source}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_stays_folded(source in "[ -~<>&;#\u{a0}\u{2019}\u{3042}]{0,200}") {
            let text = visible(&source);
            prop_assert!(text.len() <= source.len().saturating_mul(3));
            prop_assert!(!text.contains("  "));
            prop_assert!(!text.contains(['\n', '’']));
        }
    }
}
