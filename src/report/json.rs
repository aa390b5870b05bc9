//! One JSON value a line, safe to print on a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use super::escape::is_unsafe;
use crate::evidence::RECORD_VERSION;

/// Writes `value` and a line feed.
pub(super) fn write_line<T: Serialize>(out: &mut impl Write, value: &T) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Safe)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// A record with the two members that every record begins with.
#[derive(Serialize)]
pub(super) struct Tagged<'a, T> {
    #[serde(rename = "type")]
    name: &'static str,
    version: u32,
    #[serde(flatten)]
    body: &'a T,
}

impl<'a, T> Tagged<'a, T> {
    pub(super) const fn new(name: &'static str, body: &'a T) -> Self {
        Self { name, version: RECORD_VERSION, body }
    }
}

/// Compact JSON in which unsafe characters are escaped, although RFC 8259 §7 lets all from U+0020
/// upwards stand as they are. What a parser reads back is the same.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        if fragment.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~')) {
            // Nearly all text is this, and many bytes are looked at sooner than one character.
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            let (before, after) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = after.get(c.len_utf8()..).unwrap_or_default();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write_line(&mut out, value).expect("a vector takes all");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn unsafe_characters_are_escaped() {
        let cases = [
            ("\x1b[2J", r#""\u001b[2J""#),
            ("\u{7f}\u{9b}", r#""\u007f\u009b""#),
            ("a\u{202e}b", r#""a\u202eb""#),
            ("\u{e0041}", r#""\udb40\udc41""#),
            ("경고 \"é\"", r#""경고 \"é\"""#),
        ];
        for (text, json) in cases {
            assert_eq!(line(&text), format!("{json}\n"), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn strings_survive_and_hide_nothing(text: String, c in prop::char::range('\0', '\u{206f}')) {
            let text = format!("{text}{c}{text}");
            let json = line(&text);
            prop_assert!(!json.trim_end_matches('\n').chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("it is JSON"), text);
        }
    }
}
