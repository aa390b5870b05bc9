use proptest::prelude::*;

use super::*;

fn set(text: &str) -> ServiceSet {
    let mut set = ServiceSet::default();
    set.load("own", text.as_bytes()).expect("it can be used");
    set
}

fn refused(text: &str) -> (u64, usize, Fault) {
    let mut set = ServiceSet::default();
    let error = set.load("own", text.as_bytes()).expect_err("it cannot be used");
    assert_eq!(set, ServiceSet::default(), "the set stays as it was");
    match error {
        ServicesError::Line { line, offset, fault } => (line, offset, fault),
        other => panic!("{other}"),
    }
}

#[test]
fn names_stand_for_themselves_and_suffixes_for_all_below() {
    let set = set("\u{feff}# photos\r\nPhotos: Photos.Example., .CDN.example\r\n\r\n  # end");
    let cases = [
        ("photos.example", Some("Photos")),
        ("PHOTOS.example.", Some("Photos")),
        ("www.photos.example", None),
        ("cdn.example", Some("Photos")),
        ("a.b.cdn.example", Some("Photos")),
        ("xcdn.example", None),
        ("example", None),
        ("", None),
        (".", None),
        ("a..cdn.example", None),
        ("\u{1b}.cdn.example", None),
    ];
    for (host, service) in cases {
        assert_eq!(set.service_of(host), service, "{host}");
    }
}

#[test]
fn the_longest_entry_counts_and_a_name_before_a_suffix() {
    let set = set("A: .a.example, x.b.a.example\nB: .b.a.example, a.example\nA: .c.example");
    let cases = [
        ("z.a.example", "A"),
        ("a.example", "B"),
        ("z.b.a.example", "B"),
        ("x.b.a.example", "A"),
        ("y.x.b.a.example", "B"),
        ("c.example", "A"),
    ];
    for (host, service) in cases {
        assert_eq!(set.service_of(host), Some(service), "{host}");
    }
}

#[test]
fn addresses_are_names_of_their_own() {
    let set = set("App: 198.51.100.7, [2001:DB8::0:1], 2001:db8::2");
    for host in ["198.51.100.7", "2001:db8::1", "[2001:db8:0:0::1]", "[2001:db8::2]"] {
        assert_eq!(set.service_of(host), Some("App"), "{host}");
    }
    assert_eq!(set.service_of("8.198.51.100.7"), None);
}

#[test]
fn files_add_up_and_are_named() {
    let mut set = set("A: a.example, .b.example, a.example");
    set.load("more", b"B: c.example").expect("it can be used");
    let told: Vec<_> = set.sources().into_iter().map(|list| (list.name, list.entries)).collect();
    assert_eq!(told, [("own".to_owned(), 2), ("more".to_owned(), 1)]);
    assert_eq!(set.sources()[1].sha256.len(), 64);
    let before = set.clone();
    assert!(set.load("third", b"C: d.example\nC: a.example").is_err());
    assert_eq!(set, before);
    assert_eq!(set.service_of("d.example"), None);
}

#[test]
fn a_fault_is_placed_by_line_and_byte() {
    let no_name = |entry: &str| Fault::NoName(entry.to_owned());
    let cases = [
        ("Photos photos.example", (1, 0, Fault::NoColon)),
        ("A: a.example\n\n  oops", (3, 16, Fault::NoColon)),
        (": a.example", (1, 0, Fault::NoService)),
        ("A:", (1, 2, no_name(""))),
        ("A: a.example, ", (1, 13, no_name(""))),
        ("A: a.example,\t b c.example", (1, 15, no_name("b c.example"))),
        ("\u{feff}A: a..example", (1, 6, no_name("a..example"))),
        ("A: *.example", (1, 3, no_name("*.example"))),
        ("A: https://a.example/", (1, 3, no_name("https://a.example/"))),
        ("A: .198.51.100.7", (1, 3, no_name(".198.51.100.7"))),
        ("Z: b\u{fc}cher.example", (1, 3, Fault::NotAscii("b\u{fc}cher.example".to_owned()))),
        ("A: .com", (1, 3, Fault::PublicSuffix(".com".to_owned()))),
        ("A: .co.uk", (1, 3, Fault::PublicSuffix(".co.uk".to_owned()))),
        ("A: .example", (1, 3, Fault::PublicSuffix(".example".to_owned()))),
        ("A: a.example\nB: A.example", (2, 16, Fault::Twice("A.example".to_owned()))),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(text), expected, "{text:?}");
    }
    let long = format!("{}: a.example", "x".repeat(SERVICE_MAX + 1));
    assert_eq!(refused(&long), (1, 0, Fault::NoService));
}

#[test]
fn faults_of_the_whole_file_are_told() {
    let mut set = ServiceSet::default();
    let not_text = set.load("own", b"A: a.example\n\xff").expect_err("not UTF-8");
    assert_eq!(not_text.to_string(), "not UTF-8 text at byte 13");
    let large = set.load("own", &vec![b'#'; BYTES_MAX + 1]).expect_err("too large");
    assert!(large.to_string().starts_with("1048577 bytes are more"), "{large}");
    let many: Vec<String> = (0..=ENTRIES_MAX).map(|n| format!("a:{n}.c\n")).collect();
    let many = set.load("own", many.concat().as_bytes()).expect_err("too many");
    assert!(many.to_string().contains("line 65537 (byte "), "{many}");
    assert!(set.load("own", &vec![b'#'; BYTES_MAX]).is_ok());
}

#[test]
fn messages_are_one_short_line() {
    let fault = refused(&format!("A: {}", "x".repeat(10_000))).2.to_string();
    assert!(fault.len() < 200, "{fault}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_list_or_a_placed_fault(text in "(A|B|:|,|\\.|#| |\n|\r|a\\.zz|\u{fc}|\u{feff}){0,24}") {
        match ServiceSet::default().load("own", text.as_bytes()) {
            Ok(()) => {}
            Err(ServicesError::Line { line, offset, .. }) => {
                prop_assert!(text.is_char_boundary(offset) && offset <= text.len());
                let before = text.get(..offset).unwrap_or_default();
                prop_assert_eq!(line, before.matches('\n').count() as u64 + 1);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_host_belongs_to_what_it_ends_with(host in "[a-c.]{0,12}") {
        let set = set("A: .a.b\nC: c.c");
        let host = host.as_str();
        let own = host.strip_suffix('.').unwrap_or(host);
        let fits = match set.service_of(host) {
            Some("A") => own == "a.b" || own.ends_with(".a.b"),
            Some(_) => own == "c.c",
            None => own != "c.c" && own != "a.b",
        };
        prop_assert!(fits, "{}", host);
    }
}
