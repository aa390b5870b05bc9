//! Text from packets, made safe for a terminal.
//!
//! A host name may carry an escape sequence that clears the screen, a page title may carry a
//! character that turns the rest of the line around. Such characters are shown as the escapes that
//! a programmer would write (`\x1b`, `\u{202e}`); all that can be seen stays as it is. A backslash
//! of the text itself is not doubled: who needs the exact characters takes the JSON record.

use std::fmt::{self, Write};

/// `text` with its unseen characters shown, and nothing else changed.
pub const fn escape(text: &str) -> Escaped<'_> {
    Escaped { text, max_chars: usize::MAX }
}

/// Prints its text with every unsafe character as a visible escape.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a> {
    text: &'a str,
    max_chars: usize,
}

impl Escaped<'_> {
    /// At most `max_chars` characters of the text, and `…` in place of the rest.
    #[must_use]
    pub const fn clipped(self, max_chars: usize) -> Self {
        Self { max_chars, ..self }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.text.chars();
        for c in chars.by_ref().take(self.max_chars) {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\0'..='\x7f' if is_unsafe(c) => write!(f, "\\x{:02x}", u32::from(c))?,
                _ if is_unsafe(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                _ => f.write_char(c)?,
            }
        }
        if chars.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// Whether a terminal would act on `c`, or a reader would not see it.
///
/// These are the control characters, and of Unicode's format characters (general category Cf)
/// those that reorder, join or hide text, with the separators of lines and paragraphs.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'                    // soft hyphen
            | '\u{61c}'                 // Arabic letter mark
            | '\u{180e}'                // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}'   // zero width, joiners, direction marks
            | '\u{2028}'..='\u{202e}'   // separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}'   // word joiner, invisible operators, isolates
            | '\u{feff}'                // byte order mark
            | '\u{fff9}'..='\u{fffb}'   // interlinear annotation
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        let cases = [
            ("plain", "plain"),
            ("\x1b[2Jgone", "\\x1b[2Jgone"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\x07\x7f\0", "\\x07\\x7f\\x00"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("moc.\u{202e}elpmaxe", "moc.\\u{202e}elpmaxe"),
            ("\u{2066}\u{200b}\u{feff}\u{2028}", "\\u{2066}\\u{200b}\\u{feff}\\u{2028}"),
            ("경고! 블랙리스트", "경고! 블랙리스트"),
            ("Доступ ограничен — é", "Доступ ограничен — é"),
            ("C:\\x1b", "C:\\x1b"),
        ];
        for (text, shown) in cases {
            assert_eq!(escape(text).to_string(), shown, "{text:?}");
        }
    }

    #[test]
    fn long_text_is_clipped_by_characters() {
        assert_eq!(escape("경고경고").clipped(2).to_string(), "경고…");
        assert_eq!(escape("경고").clipped(2).to_string(), "경고");
        assert_eq!(escape("").clipped(0).to_string(), "");
    }

    /// Any characters, most of them from the ranges that matter.
    fn hostile() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{ff}'),
            prop::char::range('\u{2000}', '\u{206f}'),
        ];
        prop::collection::vec(c, 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in hostile(), max in 0usize..40) {
            let shown = escape(&text).clipped(max).to_string();
            prop_assert!(!shown.chars().any(is_unsafe), "{shown:?}");
        }

        #[test]
        fn escaping_twice_changes_nothing_more(text in hostile()) {
            let once = escape(&text).to_string();
            prop_assert_eq!(escape(&once).to_string(), once);
        }

        #[test]
        fn what_can_be_seen_stays(text in "[a-z가-힣А-я0-9 .:/]{0,40}") {
            prop_assert_eq!(escape(&text).to_string(), text);
        }
    }
}
