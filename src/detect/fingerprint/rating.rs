//! How far a row of a public list may accuse.
//!
//! Two things bound it. The *cap* is what the list states: scope, its makers' own doubt. The
//! *telling* is what the pattern says by itself: an address, a sentence, a product with the word
//! that it blocks. A row gets the lower of the two (table in `rate`).

use super::address::{Address, Reach};
use super::row::{Rating, Scope, Strength};

/// What a list states about a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated<'a> {
    pub(super) name: &'a str,
    pub(super) scope: Scope,
    /// Its makers' self-assessment, 1 to 10; `None` where they made none.
    pub(super) confidence: Option<u8>,
    pub(super) notes: &'a str,
}

/// The rating of a row, and the host that its pattern names.
pub(super) fn rate(stated: &Stated<'_>, text: &str) -> (Rating, Option<String>) {
    let lower = text.to_lowercase();
    let cap = cap_of(stated, &lower);
    let address = Address::find(&lower);
    let host = address.as_ref().map(|address| address.host.clone());
    if !cap.accuses() {
        return (Rating::even(cap), host);
    }
    let words = words_of(stated, &lower, cap);
    let Some(address) = address else { return (Rating::even(words), None) };
    let forwarded = match address.reach {
        Reach::Nowhere => Strength::Broad,
        Reach::Private if stated.scope != Scope::National => cap.min(Strength::Weak),
        // Sites have paths like `/blocked` themselves.
        Reach::Path if stated.scope == Scope::Unknown => Strength::Broad,
        Reach::Path if lower.len() < PATH_MIN => cap.min(Strength::Weak),
        Reach::Private | Reach::Path | Reach::Public => cap,
    };
    let linked = if address.deep || refuses(&lower) { Strength::Weak } else { Strength::Broad };
    let mentioned = linked.min(forwarded).max(words);
    (Rating { forwarded, mentioned }, host)
}

/// What the list states bounds the row. What it calls doubtful never accuses.
fn cap_of(stated: &Stated<'_>, lower: &str) -> Strength {
    let name = stated.name.to_lowercase();
    let notes = stated.notes.to_lowercase();
    let says =
        |words: &[&str]| words.iter().any(|word| notes.contains(word) || name.contains(word));
    let scope = match stated.scope {
        Scope::Benign => return Strength::Benign,
        Scope::National | Scope::Isp => Strength::Specific,
        Scope::Product | Scope::Institution => Strength::Product,
        Scope::Unknown => Strength::Weak,
        // The provider of the content acts for itself: no third party.
        Scope::Provider | Scope::Vague => Strength::Broad,
    };
    if says(&DOUBT) || on_the_servers_behalf(&name, lower) {
        return Strength::Broad;
    }
    let confidence = match stated.confidence {
        Some(0..=5) => Strength::Broad,
        Some(6 | 7) => Strength::Weak,
        _ => Strength::Specific,
    };
    let consent = if says(&CONSENT) { Strength::Product } else { Strength::Specific };
    scope.min(confidence).min(consent)
}

/// Firewalls and caches that a site puts before itself: their refusals are the site's own.
fn on_the_servers_behalf(name: &str, lower: &str) -> bool {
    let named = |word: &str| name.contains(word) || lower.contains(word);
    SERVER_SIDE.iter().any(|word| named(word)) || (named("squid") && !named("squidguard"))
}

/// What the words of a pattern say, addresses aside.
fn words_of(stated: &Stated<'_>, lower: &str, cap: Strength) -> Strength {
    let prose = prose_of(lower);
    let letters: usize = prose.chars().map(letter_worth).sum();
    let ideographs = prose.chars().any(|character| letter_worth(character) > 1);
    let words =
        prose.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
    // Chinese and Japanese write sentences without spaces.
    let sentence = letters >= SENTENCE_LETTERS && (words >= SENTENCE_WORDS || ideographs);
    let phrase = letters >= PHRASE_LETTERS;
    let refuses = refuses(lower);
    let of_network = matches!(stated.scope, Scope::National | Scope::Isp);
    match () {
        () if sentence && refuses => cap,
        () if stated.scope == Scope::Product
            && phrase
            && refuses
            && names_product(stated, lower) =>
        {
            cap
        }
        () if of_network && (sentence || (phrase && refuses) || has_tracker(lower)) => {
            cap.min(Strength::Weak)
        }
        () => Strength::Broad,
    }
}

/// The pattern without its markup and addresses.
fn prose_of(lower: &str) -> String {
    let mut prose = String::with_capacity(lower.len());
    let mut in_tag = false;
    for character in lower.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if in_tag => continue,
            _ => prose.push(character),
        }
        if in_tag {
            prose.push(' ');
        }
    }
    let plain = |word: &&str| !word.contains("://") && !word.contains('=') && !word.contains('/');
    prose.split_whitespace().filter(plain).collect::<Vec<_>>().join(" ")
}

/// Letters, where a Chinese character or a Korean syllable stands for several.
fn letter_worth(character: char) -> usize {
    match character {
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => 3,
        _ if character.is_alphabetic() => 1,
        _ => 0,
    }
}

fn refuses(lower: &str) -> bool {
    REFUSALS.iter().any(|stem| lower.contains(stem))
}

/// Whether the pattern has a word of five letters or more from the row's name.
fn names_product(stated: &Stated<'_>, lower: &str) -> bool {
    stated
        .name
        .to_lowercase()
        .split(|character: char| !character.is_alphanumeric())
        .filter(|part| {
            part.chars().count() >= 5 && !REFUSALS.iter().any(|stem| part.contains(stem))
        })
        .any(|part| part.get(..5).is_some_and(|stem| lower.contains(stem)))
}

/// An identifier of a visitor counter: seven digits or more in a row.
fn has_tracker(lower: &str) -> bool {
    lower.split(|character: char| !character.is_ascii_digit()).any(|run| run.len() >= 7)
}

/// Letters that make a sentence, and words.
const SENTENCE_LETTERS: usize = 30;
const SENTENCE_WORDS: usize = 4;
/// Letters that make a phrase.
const PHRASE_LETTERS: usize = 16;

/// Characters of a path that few sites have by chance.
const PATH_MIN: usize = 12;

/// Words of doubt in a list's notes. "Careful" and "captive portal" are Citizen Lab's.
const DOUBT: [&str; 6] =
    ["false positive", "broad", "careful", "captive portal", "captiveportal", "pay bill"];

/// Filters that the subscriber asked for, or may switch off.
const CONSENT: [&str; 7] = ["optin", "opt-in", "opt in", "parental", "virus", "18plus", "malware"];

/// What sites put before themselves.
const SERVER_SIDE: [&str; 9] = [
    "sucuri",
    "ddos-guard",
    "ddos_guard",
    "webknight",
    " waf",
    "pantheon",
    "cloudflare",
    "incapsula",
    "imperva",
];

/// Stems of refusal, as notices and the addresses of notices use them.
const REFUSALS: [&str; 50] = [
    "block",
    "blok",
    "bloq",
    "bloc",
    "deny",
    "denied",
    "forbid",
    "prohibit",
    "restrict",
    "filter",
    "violat",
    "illegal",
    "ilegal",
    "banned",
    "/ban",
    "ban.",
    "blacklist",
    "censor",
    "zapret",
    "rkn",
    "warning",
    "stop",
    "sehat",
    "positif",
    "unavailable",
    "not available",
    "disabled",
    "infring",
    "intrusion",
    "safesurf",
    "blackhole",
    "terlarang",
    "proibid",
    "zakaz",
    "engellen",
    "yasak",
    "заблок",
    "блокир",
    "блокув",
    "огранич",
    "запрещ",
    "закрыт",
    "محجوب",
    "محظور",
    "阻断",
    "屏蔽",
    "禁止",
    "拦截",
    "유해",
    "차단",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(name: &str, scope: Scope, text: &str) -> (Strength, Strength) {
        let stated = Stated { name, scope, confidence: Some(10), notes: "" };
        let (rating, _) = rate(&stated, text);
        (rating.forwarded, rating.mentioned)
    }

    #[test]
    fn what_patterns_tell() {
        use Scope::{Institution, Isp, National, Product, Provider, Unknown, Vague};
        use Strength::{Broad, Specific, Weak};
        for (name, scope, text, forwarded, mentioned) in [
            ("isp", Isp, "blocked.isp.example", Specific, Weak),
            ("isp", Isp, "http://www.isp.example/", Specific, Broad),
            ("isp", Isp, "http://www.isp.example/law/149.html", Specific, Weak),
            ("isp", Isp, "http://127.0.0.1", Broad, Broad),
            ("isp", Isp, "http://192.168.88.1/sgerror.php", Weak, Weak),
            ("nat", National, "http://10.10.34.34", Specific, Broad),
            ("nat", National, "iframe src=\"http://10.10.", Broad, Broad),
            ("nat", National, "Access to this site is prohibited by order", Specific, Specific),
            ("nat", National, "Nepal Telecommunications Authority", Broad, Broad),
            ("nat", National, "block by the authority", Weak, Weak),
            ("nat", National, "A page of the ministry for the affairs of the state", Weak, Weak),
            ("isp", Isp, "Доступ к данному ресурсу ограничен по решению", Specific, Specific),
            ("nat", National, "TRUST POSITIF", Broad, Broad),
            ("isp", Isp, "<p>Марк</p>", Broad, Broad),
            ("isp", Isp, "UA-42895529-7", Weak, Weak),
            ("inst", Institution, "blokeret", Broad, Broad),
            ("inst", Institution, "Ingen adgang til denne side", Broad, Broad),
            (
                "a_prod_fortinet_1",
                Product,
                "FortiGuard Web Filtering",
                Strength::Product,
                Strength::Product,
            ),
            ("a_prod_kaspersky_1", Product, "Kaspersky Internet Security", Broad, Broad),
            (
                "a_prod_paloalto_6",
                Product,
                "Please contact your system administrator if you believe this is in error",
                Broad,
                Broad,
            ),
            ("a_prod_fortinet_7", Product, "Application Blocked", Broad, Broad),
            ("a_prod_sucurifw_1", Product, "Sucuri WebSite Firewall - Access Denied", Broad, Broad),
            ("prod_squid_error_page", Product, "Stylesheet for Squid Error pages", Broad, Broad),
            ("unk", Unknown, "禁止访问", Broad, Broad),
            ("unk", Unknown, "Acceso Denegado", Broad, Broad),
            ("unk", Unknown, "http://blocked.example/x", Weak, Weak),
            ("unk", Unknown, "/blocked", Broad, Broad),
            ("prod", Product, "/php/urlblock.php?args=", Strength::Product, Weak),
            ("prov", Provider, "/blank.php?rkn=", Broad, Broad),
            ("vbw", Vague, "This site has been blocked by order of the court", Broad, Broad),
        ] {
            assert_eq!(rated(name, scope, text), (forwarded, mentioned), "{name} {text}");
        }
    }

    #[test]
    fn what_lists_doubt_never_accuses() {
        let text = "http://blocked.isp.example/notice";
        for (confidence, notes, expected) in [
            (Some(10), "", Strength::Specific),
            (None, "", Strength::Specific),
            (Some(7), "", Strength::Weak),
            (Some(5), "", Strength::Broad),
            (Some(10), "A very broad pattern", Strength::Broad),
            (Some(10), "known false positive", Strength::Broad),
            (Some(10), "an opt-in filter", Strength::Product),
        ] {
            let stated = Stated { name: "isp", scope: Scope::Isp, confidence, notes };
            assert_eq!(rate(&stated, text).0.forwarded, expected, "{confidence:?} {notes}");
        }
    }
}
