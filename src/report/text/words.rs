//! Numbers, times and lists as a reader expects them.

use crate::report::escape::escape;
use crate::wire::{Duration, Timestamp};

/// `1 packet`, `1,024 packets`.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// `1,024`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `840 B`, `1.2 kB`, `3.4 MB`.
pub(super) fn bytes(n: u64) -> String {
    let size = n as f64;
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{:.1} kB", size / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size / 1e6),
        _ => format!("{:.1} GB", size / 1e9),
    }
}

/// A probability in per cent, never rounded up to certainty.
pub(super) fn probability(score: f64) -> String {
    let percent = score * 100.0;
    if percent.is_nan() {
        "unknown".to_owned()
    } else if percent > 99.9 {
        "over 99.9 %".to_owned()
    } else if percent >= 99.0 {
        format!("{:.1} %", (percent * 10.0 + 1e-6).floor() / 10.0)
    } else if percent >= 1.0 {
        format!("{:.0} %", (percent + 1e-6).floor())
    } else {
        "under 1 %".to_owned()
    }
}

/// `2015-06-22 19:06:40.202`; packet time is UTC.
pub(super) fn millisecond(time: Timestamp) -> String {
    let text = time.to_string().replace('T', " ");
    text.split_once('.').map_or_else(
        || text.clone(),
        |(whole, fraction)| format!("{whole}.{}", fraction.chars().take(3).collect::<String>()),
    )
}

/// `2015-06-22 19:06:40 to 19:09:01 UTC`; the date once if it is the same.
pub(super) fn period(first: Timestamp, last: Timestamp) -> String {
    let (date, start) = date_and_clock(first);
    let (last_date, end) = date_and_clock(last);
    if (&date, &start) == (&last_date, &end) {
        format!("{date} {start} UTC")
    } else if date == last_date {
        format!("{date} {start} to {end} UTC")
    } else {
        format!("{date} {start} to {last_date} {end} UTC")
    }
}

/// `2 min 21 s`: the two greatest units.
pub(super) fn elapsed(span: Duration) -> String {
    let seconds = span.as_nanos() / 1_000_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => span.to_string(),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", thousands(days), hours % 24),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `text` for a place in a sentence: at most `max_chars` characters of it.
pub(super) fn clip(text: &str, max_chars: usize) -> String {
    escape(text).clipped(max_chars).to_string()
}

/// A host name; in quotation marks if it has characters that no host name has, so that it cannot
/// be taken for the words around it.
pub(super) fn name(text: &str) -> String {
    let name = clip(text, NAME_MAX);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if text.chars().all(plain) { name } else { format!("“{name}”") }
}

/// Characters of a host name that are shown.
const NAME_MAX: usize = 80;

/// `text` as a sentence: with a capital and a full stop, if it lacks them.
pub(super) fn sentence(text: &str) -> String {
    let text = capital(&clip(text.trim(), SENTENCE_MAX));
    let ended = text.ends_with(['.', '?', '!', '…']);
    if ended || text.is_empty() { text } else { format!("{text}.") }
}

/// `text` with a capital; a first word that is no plain word (`f5`, a host name) stays as it is.
pub(super) fn capital(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if word.chars().all(char::is_alphabetic) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Longest sentence that is shown in full, in characters.
const SENTENCE_MAX: usize = 400;

fn date_and_clock(time: Timestamp) -> (String, String) {
    let text = time.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    let (date, clock) = whole.split_once('T').unwrap_or((whole, ""));
    (date.to_owned(), clock.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos((1_435_000_000 + seconds) * 1_000_000_000 + 202_900_000)
    }

    #[test]
    fn counts_agree_with_their_nouns() {
        assert_eq!(count(1, "packet", "packets"), "1 packet");
        assert_eq!(count(0, "packet", "packets"), "0 packets");
        assert_eq!(count(1_234_567, "packet", "packets"), "1,234,567 packets");
    }

    #[test]
    fn sizes_take_the_unit_that_fits() {
        let sizes = [999, 1_000, 1_234_567, 12_000_000_000].map(bytes);
        assert_eq!(sizes, ["999 B", "1.0 kB", "1.2 MB", "12.0 GB"]);
    }

    #[test]
    fn a_probability_is_never_rounded_up_to_certainty() {
        let cases = [
            (1.0, "over 99.9 %"),
            (0.999_9, "over 99.9 %"),
            (0.999, "99.9 %"),
            (0.998_9, "99.8 %"),
            (0.99, "99.0 %"),
            (0.989, "98 %"),
            (0.5, "50 %"),
            (0.000_1, "under 1 %"),
            (f64::NAN, "unknown"),
        ];
        for (score, text) in cases {
            assert_eq!(probability(score), text);
        }
    }

    #[test]
    fn times_say_the_date_once() {
        assert_eq!(millisecond(at(0)), "2015-06-22 19:06:40.202");
        assert_eq!(period(at(0), at(141)), "2015-06-22 19:06:40 to 19:09:01 UTC");
        assert_eq!(period(at(0), at(0)), "2015-06-22 19:06:40 UTC");
        let two_days = "2015-06-22 19:06:40 to 2015-06-23 19:06:40 UTC";
        assert_eq!(period(at(0), at(86_400)), two_days);
    }

    #[test]
    fn spans_have_two_units() {
        let spans = [1, 141, 7_380, 90_000].map(|s| elapsed(Duration::from_secs(s)));
        assert_eq!(spans, ["1.00 s", "2 min 21 s", "2 h 3 min", "1 d 1 h"]);
        assert_eq!(elapsed(Duration::from_millis(202)), "202 ms");
    }

    #[test]
    fn lists_and_sentences() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(list(&items[..1]), "a");
        assert_eq!(sentence(" The end "), "The end.");
        assert_eq!(sentence("the end."), "The end.");
        assert_eq!(sentence("f5 ends"), "f5 ends.");
        assert_eq!(sentence(""), "");
        assert_eq!(name("bücher.example"), "bücher.example");
        assert_eq!(name("a — blocked: 3"), "“a — blocked: 3”");
    }
}
