//! Small bad samples: a check that cannot fail checks nothing.

use crate::checks::faults;
use crate::source::Source;

/// What is said of `text` as the file `path`.
fn told(path: &str, text: &str) -> Vec<String> {
    faults(&Source::read(path, text))
        .iter()
        .map(|fault| format!("{}: {}", fault.line, fault.text))
        .collect()
}

#[test]
fn bad_samples_are_told_with_their_lines() {
    let cases: &[(&str, &str, &str)] = &[
        ("flow/table.rs", "\nuse crate::stream::X;", "2: `flow` may not name `stream`"),
        (
            "flow/table.rs",
            "use crate::{\n  wire::{A, B},\n  stream,\n};",
            "3: `flow` may not name `stream`",
        ),
        (
            "flow/table.rs",
            "fn f() {\n  crate::verdict::weigh();\n}",
            "2: `flow` may not name `verdict`",
        ),
        (
            "flow/table.rs",
            "fn f() { vec![crate::verdict::ONE] }",
            "1: `flow` may not name `verdict`",
        ),
        ("flow/mod.rs", "use super::decode::Skip;", "1: `flow` may not name `decode`"),
        ("flow/a/b.rs", "use super::super::super::decode;", "1: `flow` may not name `decode`"),
        ("flow/mod.rs", "use crate::*;", "1: `crate::*` names no room"),
        ("protocol/mod.rs", "pub use crate::wire::Ttl;", "1: `protocol` may not name `wire`"),
        ("pipeline/mod.rs", "use crate::report::text;", "1: `pipeline` may not name `report`"),
        ("detect/mod.rs", "use crate::pipeline::Lane;", "1: `detect` may not name `pipeline`"),
        ("lib.rs", "pub use crate::wire::Ttl;", "1: `lib.rs` may not name `wire`"),
        (
            "main.rs",
            "fn main() { tamperscope::pipeline::run() }",
            "1: `main.rs` may not name `pipeline`",
        ),
        ("attic/mod.rs", "", "1: the room `attic` is not in the table"),
        ("stream/mod.rs", "use pcap::Capture;", "1: the crate `pcap` lives in: capture"),
        ("stream/mod.rs", "use ::pcap;", "1: the crate `pcap` lives in: capture"),
        ("stream/mod.rs", "fn f(x: ::pcap::Error) {}", "1: the crate `pcap` lives in: capture"),
        ("stream/mod.rs", "fn f() { httparse::x() }", "1: the crate `httparse` lives in: protocol"),
        ("flow/mod.rs", "fn f() { Instant::now(); }", "1: reads a clock: `Instant::now`"),
        ("flow/mod.rs", "use std::{fmt, time::Instant};", "1: reads a clock: `std::time::Instant`"),
        ("flow/mod.rs", "fn f() { jiff::Zoned::now() }", "1: reads a clock: `jiff::Zoned::now`"),
        ("flow/mod.rs", "fn f() { println!() }", "1: prints with `println!`"),
        ("flow/mod.rs", "fn f() { unsafe { g() } }", "1: is unsafe"),
        ("flow/mod.rs", "#[cfg(test)]\nmod t { unsafe fn f() {} }", "2: is unsafe"),
        ("flow/mod.rs", "fn f() { g().unwrap(); }", "1: gives up with `unwrap`"),
        ("flow/mod.rs", "fn f() { g()\n.expect(\"\"); }", "2: gives up with `expect`"),
        ("flow/mod.rs", "fn f() { if x { unreachable!() } }", "1: gives up with `unreachable`"),
        ("flow/mod.rs", "#[cfg(not(test))]\nfn f() { g().unwrap(); }", "2: gives up with `unwrap`"),
    ];
    for (path, text, expected) in cases {
        let told = told(path, text);
        assert!(told.contains(&(*expected).to_owned()), "{path}: {text}\n{told:?}");
    }
}

#[test]
fn what_is_too_long_is_told() {
    let body = "    g();\n".repeat(69);
    let long = format!("impl X {{\n  fn f(a: [u8; 4]) -> u8\n  {{\n{body}  }}\n}}\n");
    assert_eq!(told("flow/mod.rs", &long), ["2: `f`: 72 lines, 70 at most"]);
    let fits = format!("trait X {{ fn f(); }}\nfn f() {{\n{}}}\n", "    g();\n".repeat(68));
    assert!(told("flow/mod.rs", &fits).is_empty());
    assert_eq!(told("flow/mod.rs", &"\n".repeat(501)), ["501: 501 lines, 500 at most"]);
    assert!(told("flow/mod.rs", &"\n".repeat(500)).is_empty());
}

#[test]
fn good_samples_pass() {
    let cases = [
        ("flow/mod.rs", "use crate::wire::{self, Ttl};\nuse super::flow::X;\npub(crate) fn f() {}"),
        ("flow/a/b.rs", "use super::super::stream_of_this_room;"),
        ("flow/a.rs", "pub(in crate::flow) fn f() {}"),
        (
            "flow/a.rs",
            "//! `crate::stream` and x.unwrap()\nconst A: &str = \"crate::stream println!\";",
        ),
        (
            "flow/a.rs",
            "#[cfg(test)]\nmod tests { use crate::stream; fn f() { g().unwrap(); Instant::now(); } }",
        ),
        ("flow/a.rs", "#[cfg(test)]\n#[derive(Debug)]\nstruct X(crate::stream::Y);\nfn f() {}"),
        ("capture/format/mod.rs", "use self::pcap::Layout;\nmod pcap;"),
        ("stream/a.rs", "fn f(regex: u8) -> u8 { regex }"),
        ("cli/a.rs", "use crate::{capture, report};\nfn f() { println!(); Instant::now() }"),
        ("capture/live/mod.rs", "fn f() { Instant::now() }"),
        ("main.rs", "fn main() { tamperscope::cli::run() }"),
        (
            "flow/a.rs",
            "fn f() { x.unwrap_or(0); x.expected(); <A as B>::now; self.now(); reader.expect(&method); }",
        ),
    ];
    for (path, text) in cases {
        assert_eq!(told(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}
