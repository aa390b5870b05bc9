//! The only way from the reports in prose to their writer: escaping, wrapping and colours.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Sgr};
use unicode_width::UnicodeWidthStr;

use super::escape::escape;

/// Whether the text carries colours (ANSI SGR sequences, and no other sequence).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Style {
    /// None.
    #[default]
    Plain,
    /// For a terminal.
    Colour,
}

/// Lines on their way out. Whatever is written through it is escaped here, once and for all, so a
/// text that no one thought of as hostile cannot slip by.
pub(super) struct Page<'w> {
    out: &'w mut dyn Write,
    style: Style,
}

impl<'w> Page<'w> {
    pub(super) fn new(out: &'w mut dyn Write, style: Style) -> Self {
        Self { out, style }
    }

    /// An empty line.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A paragraph, wrapped; its further lines hang two columns deeper than `indent`.
    pub(super) fn paragraph(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.lead(indent, Ink::Plain, "", text)
    }

    /// A paragraph that begins with `lead` in `ink`.
    pub(super) fn lead(
        &mut self,
        indent: usize,
        ink: Ink,
        lead: &str,
        rest: &str,
    ) -> io::Result<()> {
        let lead = escape(lead).to_string();
        let text = escape(rest).to_string();
        let sgr = if self.style == Style::Colour { ink.sgr() } else { Sgr::new() };
        for (number, line) in wrap(&format!("{lead}{text}"), indent).iter().enumerate() {
            let margin = indent + if number == 0 { 0 } else { HANG };
            let (painted, plain) = match line.strip_prefix(&lead) {
                Some(rest) if number == 0 => (lead.as_str(), rest),
                _ => ("", line.as_str()),
            };
            writeln!(self.out, "{:margin$}{sgr}{painted}{sgr:#}{plain}", "")?;
        }
        Ok(())
    }

    /// One line, however long it gets: something to copy, or a row of a table.
    pub(super) fn verbatim(&mut self, indent: usize, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{}", "", escape(text))
    }
}

/// What a colour is to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ink {
    Plain,
    Strong,
    Alarm,
    Warning,
    Quiet,
}

impl Ink {
    const fn sgr(self) -> Sgr {
        match self {
            Self::Plain => Sgr::new(),
            Self::Strong => Sgr::new().bold(),
            Self::Alarm => AnsiColor::Red.on_default().bold(),
            Self::Warning => AnsiColor::Yellow.on_default().bold(),
            Self::Quiet => Sgr::new().dimmed(),
        }
    }
}

/// Width that paragraphs are wrapped to; a longer word stands out.
const WIDTH: usize = 100;

/// How much deeper the further lines of a paragraph stand.
const HANG: usize = 2;

/// The lines of `text` without their margins, broken at spaces.
fn wrap(text: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut column = indent;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = word.width();
        if !line.is_empty() && column + 1 + width > WIDTH {
            lines.push(std::mem::take(&mut line));
            column = indent + HANG;
        }
        if !line.is_empty() {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += width;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::escape::is_unsafe;

    fn printed(style: Style, indent: usize, lead: &str, rest: &str) -> String {
        let mut out = Vec::new();
        Page::new(&mut out, style).lead(indent, Ink::Alarm, lead, rest).expect("a vector");
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn paragraphs_are_wrapped_with_a_hanging_margin() {
        let text = printed(Style::Plain, 2, "", &"word ".repeat(30));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  word") && lines[0].len() <= WIDTH);
        assert!(lines[1].starts_with("    word"));
    }

    #[test]
    fn wide_characters_count_twice() {
        let text = printed(Style::Plain, 0, "", &"유해 ".repeat(30));
        assert!(text.lines().all(|line| line.width() <= WIDTH) && text.lines().count() == 2);
    }

    #[test]
    fn colours_only_on_demand_and_only_on_the_lead() {
        assert_eq!(printed(Style::Plain, 0, "a.example", ": x"), "a.example: x\n");
        let coloured = printed(Style::Colour, 0, "a.example", ": x");
        assert_eq!(coloured, "\u{1b}[1m\u{1b}[31ma.example\u{1b}[0m: x\n");
    }

    proptest! {
        #[test]
        fn no_text_leaves_unescaped(lead: String, rest: String, indent in 0usize..8) {
            let text = printed(Style::Plain, indent, &lead, &rest);
            prop_assert!(!text.lines().any(|line| line.chars().any(is_unsafe)));
        }
    }
}
