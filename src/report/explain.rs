//! `tamperscope explain`: the signal catalogue, in words.

use std::fmt;

use super::escape::escape;
use super::page::{Page, Style};
use crate::evidence::{Family, Signal};

/// The entry of the signal named `signal`, or the whole catalogue.
///
/// `weight_of` tells what a signal weighs, in decibans, and where that number comes from; `None`
/// where it has no weight of its own.
pub fn explain<'a>(
    signal: Option<&str>,
    weight_of: impl Fn(Signal) -> Option<(f64, &'a str)>,
) -> Result<String, UnknownSignal> {
    let mut out = Vec::new();
    let mut page = Page::new(&mut out, Style::Plain);
    let written = match signal {
        Some(name) => {
            let signal = find(name).ok_or_else(|| UnknownSignal::new(name))?;
            entry(&mut page, signal, weight_of(signal))
        }
        None => page.paragraph(0, INTRODUCTION).and_then(|()| {
            Signal::ALL.iter().try_for_each(|signal| {
                page.blank()?;
                entry(&mut page, *signal, weight_of(*signal))
            })
        }),
    };
    debug_assert!(written.is_ok(), "a vector takes all");
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// No signal has this name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownSignal {
    /// What was asked for.
    pub name: String,
    /// The name that is most like it, if any is.
    pub nearest: Option<&'static str>,
}

impl UnknownSignal {
    fn new(name: &str) -> Self {
        let names = Signal::ALL.iter().map(|signal| signal.name());
        let nearest = names
            .map(|known| (distance(name, known), known))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, known)| distance * 2 < known.len())
            .map(|(_, known)| known);
        Self { name: name.to_owned(), nearest }
    }
}

impl fmt::Display for UnknownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no signal is called \"{}\"", escape(&self.name).clipped(NAME_MAX))?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => f.write_str("; `tamperscope explain` lists all of them"),
        }
    }
}

impl std::error::Error for UnknownSignal {}

/// Characters of an unknown name that are repeated and compared.
const NAME_MAX: usize = 40;

const INTRODUCTION: &str = "A signal is something that packets can show about a connection. Its \
    weight says how much it changes the odds: it is given in decibans, ten times the logarithm of \
    the likelihood ratio, so that 10 means ten times as probable with interference as without, 20 \
    a hundred times, and a negative number speaks against interference. Signals of one family \
    share their innocent causes, so only the strongest of a family counts. A signal that is met \
    so that no honest sender could have caused it counts as proof, whatever its weight.";

fn find(name: &str) -> Option<Signal> {
    Signal::ALL.iter().copied().find(|signal| signal.name() == name)
}

fn entry(page: &mut Page<'_>, signal: Signal, weight: Option<(f64, &str)>) -> std::io::Result<()> {
    let told = signal.entry();
    page.verbatim(0, signal.name())?;
    let mut parts = vec![
        ("Seen when", told.condition.to_owned()),
        ("Shows", told.proves.to_owned()),
        ("Innocent causes", told.innocent.to_owned()),
        ("Family", family(signal.family()).to_owned()),
    ];
    if let Some((decibans, source)) = weight {
        parts.push(("Weight", in_words(decibans)));
        parts.push(("Weight from", source.to_owned()));
    }
    parts.push(("Described in", told.source.to_owned()));
    // The catalogue writes a dash where there is nothing to tell.
    for (label, text) in parts.iter().filter(|(_, text)| !matches!(text.as_str(), "-" | "")) {
        page.paragraph(2, &format!("{label}: {text}"))?;
    }
    Ok(())
}

/// `+16 decibans: about 40 times as probable with interference as without.`
fn in_words(decibans: f64) -> String {
    let times = 10f64.powf(decibans.abs() / 10.0);
    let times = if times < 10.0 { format!("{times:.1}") } else { format!("{times:.0}") };
    let (more, less) = ("with interference", "without");
    let (first, second) = if decibans > 0.0 { (more, less) } else { (less, more) };
    if decibans == 0.0 {
        "none by itself".to_owned()
    } else {
        format!("{decibans:+} decibans: about {times} times as probable {first} as {second}.")
    }
}

const fn family(family: Family) -> &'static str {
    match family {
        Family::Sequence => "sequence and acknowledgment numbers",
        Family::Content => "two versions of the same bytes",
        Family::Notice => "known blocking notices",
        Family::Timing => "timing",
        Family::Ttl => "TTL or hop limit",
        Family::IpId => "IP identification",
        Family::Timestamps => "TCP timestamps",
        Family::Header => "other header fields",
        Family::Pattern => "what it came after",
        Family::Repetition => "what the same endpoints, or the same name, met in other flows",
        Family::Silence => "what was sent and not answered",
        Family::Rate => "to what rate it was held",
        Family::Control => "what other names met on the same way at the same time",
    }
}

/// Edits (insert, remove, replace) between two names, over their first characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(NAME_MAX).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, x) in a.chars().take(NAME_MAX).enumerate() {
        let mut left = place + 1;
        let mut next = vec![left];
        for (pair, y) in row.windows(2).zip(&b) {
            let [diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(signal: Signal) -> Option<(f64, &'static str)> {
        match signal {
            Signal::RstFast => Some((9.5, "1 of 3,890 benign captures")),
            Signal::TtlMatch => Some((-6.0, "an injector can copy it")),
            Signal::RstTrigger => Some((0.0, "")),
            _ => None,
        }
    }

    #[test]
    fn an_entry_is_as_reviewed() {
        insta::assert_snapshot!(explain(Some("rst_fast"), weight).expect("it is known"));
    }

    #[test]
    fn the_catalogue_has_every_signal() {
        let text = explain(None, weight).expect("no name to be wrong");
        for signal in Signal::ALL {
            let heads = text.lines().filter(|line| *line == signal.name());
            assert_eq!(heads.count(), 1, "{signal}");
        }
        assert!(text.contains("-6 decibans: about 4.0 times as probable without as with"));
        assert!(text.contains("Weight: none by itself") && !text.contains(": -\n"));
        assert!(text.lines().all(|line| line.chars().count() <= 100));
    }

    #[test]
    fn a_slip_of_the_pen_is_set_right() {
        let error = explain(Some("rst-fst"), weight).expect_err("it is not known");
        assert_eq!(error.nearest, Some("rst_fast"));
        assert_eq!(error.to_string(), "no signal is called \"rst-fst\"; did you mean rst_fast?");
        let error = explain(Some("\x1b[2Jzzzzzzzzzzzz"), weight).expect_err("it is not known");
        assert_eq!(error.nearest, None);
        assert!(error.to_string().starts_with("no signal is called \"\\x1b[2Jzzz"));
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        let cases = [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)];
        for (a, b, edits) in cases {
            assert_eq!(distance(a, b), edits);
            assert_eq!(distance(b, a), edits);
        }
    }
}
