//! The list formats, on small lists written for the purpose.

use proptest::prelude::*;

use super::super::{FingerprintError, FingerprintSet, ListFormat, Reason, Rejection, Strength};
use super::Sample;

const OONI: &str = "\
name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,exp_url,notes
ooni.zz_0,nat,,header.location,prefix,http://blocked.zz.example/,5,\"ZZ,YY\",ooni,,
ooni.zz_1,isp,,body,contains,Access to this site is prohibited by order of ZZ,5,ZZ,ooni,,
ooni.zz_2,isp,,body,regexp,\"zz-notice-[0-9]+ was blocked by order of the court\",8,ZZ,ooni,,
ooni.zz_3,vbw,,body,contains,Access Denied,5,,ooni,,
ooni.zz_4,fp,,body,contains,Thank you for using the server,5,,ooni,,
ooni.zz_5,inst,,header.server,full,ZzFilter,5,,ooni,,
ooni.zz_6,nat,,dns,full,192.0.2.7,10,ZZ,ooni,,
ooni.zz_7,nat,,body,regexp,(?=ahead)never,5,,ooni,,
ooni.zz_8,nat,,trailer,contains,anything,5,,ooni,,
ooni.zz_9,nat,,body,regexp,any.{0,9}thing,5,,ooni,,
";

#[test]
fn ooni() {
    let mut set = FingerprintSet::default();
    let report = set.load("ooni.csv", OONI.as_bytes()).unwrap();
    assert_eq!(report.format, ListFormat::Ooni);
    assert_eq!((report.specific, report.broad, report.benign, report.dns), (3, 2, 1, 1));
    let rejected = [(9, Reason::LookAround), (10, Reason::UnknownPlace), (11, Reason::Malformed)];
    assert_eq!(report.rejections, rejected.map(|(line, reason)| Rejection { line, reason }));
    assert_eq!((report.entries(), report.rejected), (7, 3));

    let redirect = Sample::redirect("http://blocked.zz.example/x").matched(&set).unwrap();
    assert_eq!((redirect.name, redirect.strength), ("ooni.zz_0", Strength::Specific));
    assert_eq!((redirect.list, redirect.countries.len()), ("ooni.csv", 2));
    let prefix = Sample::redirect("http://x.example/http://blocked.zz.example/").matched(&set);
    assert_eq!(prefix, None);
    let expression =
        Sample::html("<p>zz-notice-17 was blocked by order of the court</p>").accused(&set);
    assert_eq!(expression.unwrap().name, "ooni.zz_2");
    let vague = Sample::html("<h1>Access Denied</h1>").matched(&set).unwrap();
    assert_eq!(vague.strength, Strength::Broad);
    assert_eq!(set.dns_entries().first().map(|entry| entry.response.as_str()), Some("192.0.2.7"));
}

#[test]
fn a_benign_row_wins_except_over_a_forwarding_header() {
    let mut set = FingerprintSet::builtin();
    set.load("ooni.csv", OONI.as_bytes()).unwrap();
    let filler = "<p>Thank you for using the server</p>";
    let notice = "Access to this site is prohibited by order of ZZ";
    let both = Sample::html(format!("{notice} {filler}")).matched(&set).unwrap();
    assert_eq!((both.name, both.strength), ("ooni.zz_4", Strength::Benign));
    let forwarded =
        Sample::html(filler).status(302).header("location", "http://blocked.zz.example/");
    assert_eq!(forwarded.matched(&set).unwrap().name, "ooni.zz_0");
    let koryolink = "You can't connect to this website because it's in blacklist site.";
    let built_in = Sample::html(format!("{koryolink} {filler}")).matched(&set).unwrap();
    assert_eq!(built_in.name, "koryolink_2015_english");
}

const CITIZEN_LAB: &str = "\
name,common_name,pattern,location_found,exp_url,confidence_no_fp,source,scope,expected_countries,notes
isp_zz_forward,x,blocked.zz.example,header,,10,[''],isp,['ZZ'],The forward
isp_zz_ip,x,192.0.2.10,header,,10,[''],isp,['ZZ'],
isp_zz_doubt,x,http://blocked.zz.example/2,header,,10,[''],isp,['ZZ'],might be broad
prod_zz_filter,x,This page was blocked for you by the ZzFilter appliance,body,,10,[''],prod,[''],
injb_zz,x,http://pay.zz.example,header,,10,[''],injb,['ZZ'],\"Notice,
to pay\"
susp_blank,x,<html><body></body></html>,body,,5,[''],isp,[''],
";

#[test]
fn citizen_lab_http() {
    let mut set = FingerprintSet::default();
    let report = set.load("cl.csv", CITIZEN_LAB.as_bytes()).unwrap();
    assert_eq!(report.format, ListFormat::CitizenLabHttp);
    assert_eq!((report.specific, report.product, report.broad, report.benign), (2, 1, 2, 1));
    let strength = |location| Sample::redirect(location).matched(&set).map(|found| found.strength);
    assert_eq!(strength("http://blocked.zz.example/?u=x"), Some(Strength::Specific));
    assert_eq!(strength("http://192.0.2.10/"), Some(Strength::Specific));
    assert_eq!(strength("http://192.0.2.101/"), None);
    assert_eq!(strength("http://pay.zz.example/now"), Some(Strength::Benign));
    let cookie = Sample::html("").header("Set-Cookie", "ip=192.0.2.10");
    assert_eq!(cookie.accused(&set), None, "a bare address in another header");
    let blank = Sample::html("<html><body></body></html>");
    assert_eq!(blank.matched(&set).unwrap().strength, Strength::Broad);
}

#[test]
fn citizen_lab_dns() {
    let mut set = FingerprintSet::default();
    let list = "name,response,confidence_no_fp,exp_url,source,scope,expected_countries,notes\n\
                dns_zz,Blocked.ZZ.example.,10,,[],isp,['ZZ'],x\n\
                dns_br_localhost,127.0.0.1,10,,[],br,[],x\ndns_none,,10,,[],isp,[],x\n";
    let report = set.load("dns.csv", list.as_bytes()).unwrap();
    assert_eq!((report.format, report.dns, report.rejected), (ListFormat::CitizenLabDns, 2, 1));
    let entries: Vec<_> =
        set.dns_entries().iter().map(|e| (e.response.as_str(), e.strength)).collect();
    assert_eq!(
        entries,
        [("blocked.zz.example", Strength::Specific), ("127.0.0.1", Strength::Broad)]
    );
}

const CENSORED_PLANET: &str = r#"{"fingerprint":"c_isp_zz","pattern":"<iframe src=\"http://blocked\\.zz\\.example/"}

{"fingerprint":"b_nat_zz","pattern":"This page was blocked for you.*by order of ZZ"}
{"fingerprint":"f_gen_access_denied","pattern":"Access Denied"}
{"fingerprint":"x_fp_zz","pattern":"Thank you for using the server"}
{"fingerprint":"e_unk_zz","pattern":"(blocked"}
{"fingerprint":"e_unk_zz"}
"#;

#[test]
fn censored_planet() {
    let mut set = FingerprintSet::default();
    let report = set.load("cp.jsonl", CENSORED_PLANET.as_bytes()).unwrap();
    assert_eq!(report.format, ListFormat::CensoredPlanet);
    assert_eq!((report.specific, report.broad, report.benign, report.rejected), (2, 1, 1, 2));
    assert_eq!(report.rejections.iter().map(|r| r.line).collect::<Vec<_>>(), [6, 7]);
    let frame = r#"<iframe src="http://blocked.zz.example/"></iframe>"#;
    assert_eq!(Sample::html(frame).accused(&set).unwrap().name, "c_isp_zz");
    let lines = "<p>This page was blocked for you</p>\n<p>by order of ZZ</p>";
    assert_eq!(Sample::html(lines).accused(&set).unwrap().name, "b_nat_zz");
    let benign = format!("{lines} Thank you for using the server");
    assert_eq!(Sample::html(benign).accused(&set), None);
}

#[test]
fn what_is_no_list() {
    let mut set = FingerprintSet::builtin();
    let before = set.sources();
    for (bytes, expected) in [
        (b"".as_slice(), FingerprintError::UnknownFormat { line: 1, offset: 0 }),
        (b"<html></html>", FingerprintError::UnknownFormat { line: 1, offset: 0 }),
        (b"\n\na,b,c\n1,2,3\n", FingerprintError::UnknownFormat { line: 3, offset: 2 }),
        (b"\n{\"pattern\": 1}\n", FingerprintError::UnknownFormat { line: 2, offset: 1 }),
        (b"name,\xff", FingerprintError::NotText { offset: 5 }),
    ] {
        assert_eq!(set.load("x", bytes), Err(expected), "{}", String::from_utf8_lossy(bytes));
    }
    let rows = "n,isp,body,contains,abc\n".repeat(20_001);
    let many = format!("name,scope,location_found,pattern_type,pattern\n{rows}");
    let refused = set.load("x", many.as_bytes());
    assert_eq!(refused, Err(FingerprintError::TooManyRows { line: 20_002, limit: 20_000 }));
    let large = vec![b' '; 9 << 20];
    assert!(matches!(set.load("x", &large), Err(FingerprintError::TooLarge { .. })));
    assert_eq!(set.sources(), before, "a refused list leaves the set as it was");
}

#[test]
fn sources_name_the_lists_with_their_digests() {
    let mut set = FingerprintSet::builtin();
    let marked = format!("\u{feff}{OONI}");
    set.load("mine", marked.as_bytes()).unwrap();
    let sources = set.sources();
    let names: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["builtin", "mine"]);
    assert!(sources.iter().all(|source| source.sha256.len() == 64 && source.entries > 0));
    // SHA-256 of the empty string, the one that everybody knows.
    let mut empty = FingerprintSet::default();
    assert!(empty.load("e", b"").is_err() && empty.sources().is_empty());
}

proptest! {
    #[test]
    fn no_list_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), rows in "\\PC{0,200}") {
        let mut set = FingerprintSet::default();
        let _ = set.load("raw", &bytes);
        let csv = format!("name,scope,location_found,pattern_type,pattern\nn,nat,body,regexp,{rows}\n");
        let _ = set.load("ooni", csv.as_bytes());
        let json = format!("{{\"fingerprint\":\"b_nat_x\",\"pattern\":{rows:?}}}");
        let _ = set.load("cp", json.as_bytes());
        let _ = Sample::html(rows).matched(&set);
    }
}

#[test]
fn headers_of_what_is_no_text_are_looked_into_where_a_row_wants_them() {
    let answer = |name: &str| {
        Sample::default()
            .status(302)
            .header("Content-Type", "image/png")
            .header(name, "http://zz.example/no")
    };
    let headers = ["Location", "LOCATION", "Refresh", "X-Zz", "x-zz", "Server"];
    let table: [(&str, [bool; 6]); 6] = [
        ("forward", [true, true, true, false, false, false]),
        ("header", [true; 6]),
        ("header.X-zz", [false, false, false, true, true, false]),
        ("header.server", [false, false, false, false, false, true]),
        ("body", [false; 6]),
        ("visible", [false; 6]),
    ];
    for (place, expected) in table {
        let list = format!(
            "name,scope,strength,countries,place,match,pattern,source\n\
             zz,nat,specific,ZZ,{place},contains,http://zz.example/no,test\n"
        );
        let mut set = FingerprintSet::default();
        set.load("zz.csv", list.as_bytes()).unwrap();
        let found = headers.map(|name| answer(name).matched(&set).is_some());
        assert_eq!(found, expected, "{place}");
    }
}
