//! The public lists, where they lie beside the checkout.

use std::path::PathBuf;

use super::super::list::List;
use super::super::pattern::Trust;
use super::super::{FingerprintSet, ListFormat, LoadReport, Strength};
use super::Sample;
use super::pages::ordinary;

const LISTS: [&str; 4] = [
    "citizenlab-http.csv",
    "citizenlab-dns.csv",
    "censoredplanet-blockpage.jsonl",
    "censoredplanet-false-positive.jsonl",
];

/// The lists named, or nothing where they are absent.
fn load(names: &[&str]) -> Option<(FingerprintSet, Vec<LoadReport>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fingerprints");
    let mut set = FingerprintSet::builtin();
    let mut reports = Vec::new();
    for name in names {
        let Ok(bytes) = std::fs::read(folder.join(name)) else {
            eprintln!("skipped: ../shared/fingerprints/{name} is absent");
            return None;
        };
        reports.push(set.load(name, &bytes).unwrap());
    }
    Some((set, reports))
}

#[test]
fn counts() {
    let Some((set, reports)) = load(&LISTS) else { return };
    for report in &reports {
        println!("{report:#?}");
    }
    let [http, dns, blocking, benign] = reports.as_slice() else { panic!("four lists") };
    assert_eq!((http.format, http.entries(), http.rejected), (ListFormat::CitizenLabHttp, 346, 0));
    assert_eq!(http.benign, 3);
    assert!(http.accusing() > 250, "{http:?}");
    assert_eq!((dns.dns, dns.accusing()), (127, 0));
    assert_eq!(set.dns_entries().len(), 127 + FingerprintSet::builtin().dns_entries().len());
    assert_eq!(blocking.benign, 0);
    assert!((250..450).contains(&blocking.accusing()), "{blocking:?}");
    assert_eq!(benign.accusing() + benign.broad, 0, "false positives never accuse");
    assert!(benign.benign > 450, "{benign:?}");
    assert!(blocking.rejected + benign.rejected < 10, "{:?}", benign.rejections);
}

#[test]
fn no_list_accuses_an_ordinary_page() {
    for names in [&LISTS[..], &LISTS[..1], &LISTS[2..3]] {
        let Some((set, _)) = load(names) else { return };
        for (name, sample) in ordinary() {
            assert_eq!(sample.accused(&set), None, "{name} with {names:?}");
        }
    }
}

#[test]
fn known_notices_are_found() {
    let Some((set, _)) = load(&LISTS) else { return };
    for (location, country) in [
        ("http://blocked.akado.ru/", "RU"),
        ("http://blockpage.bt.com/pcstaticpage/blocked.html", "GB"),
        ("http://block.myrepublic.co.id/", "ID"),
    ] {
        let sample = Sample::redirect(location);
        let found = sample.matched(&set).expect(location);
        assert!(found.strength.accuses(), "{found:?}");
        assert!(found.strength >= Strength::Product);
        assert_eq!(found.countries, [country]);
    }
    let frame = "<html><head><title>M7-5</title></head><body><iframe src=\"http://10.10.34.35:80\" \
                 style=\"width: 100%; height: 100%\" scrolling=\"no\"></iframe></body></html>";
    let found = Sample::html(frame).status(403).accused(&set).unwrap();
    assert_eq!((found.name, found.strength), ("iran_frame", Strength::Specific));
}

/// Each accusing row must find what it describes; otherwise its rating is worth nothing.
#[test]
fn accusing_rows_find_their_own_notices() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fingerprints");
    for name in [LISTS[0], LISTS[2]] {
        let Some((set, _)) = load(&[name]) else { return };
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let list = List::read(name, &bytes, (0, Trust::Foreign)).unwrap();
        let accusing = || list.rows.iter().filter(|row| row.rating.most().accuses());
        let silent: Vec<_> = accusing()
            .filter(|row| {
                !shown(row.pattern.text()).iter().any(|page| page.accused(&set).is_some())
            })
            .map(|row| (&row.name, row.pattern.text()))
            .collect();
        println!("{name}: {} of {} silent: {silent:#?}", silent.len(), accusing().count());
        assert!(silent.len() * 50 <= accusing().count(), "{name}: {silent:#?}");
    }
}

/// What an answer with the pattern may look like.
fn shown(pattern: &str) -> Vec<Sample> {
    let address = pattern.trim_start_matches("Location: ");
    let full =
        if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    vec![
        Sample::redirect(&full),
        Sample::redirect(&format!("http://192.0.2.1/{address}x")),
        Sample::redirect(&format!("http:{address}x")),
        Sample::html(format!("<p>{pattern}</p>")),
        Sample::html(format!("<iframe src=\"{full}\"></iframe>")),
        Sample::html("").status(403).header("Server", pattern),
    ]
}
