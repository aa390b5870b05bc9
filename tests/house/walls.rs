//! Who may name whom, and which crate lives in which room.

use std::fmt::Write as _;

/// A room and the rooms that it may name.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) may_name: &'static [&'static str],
    pub(crate) why: &'static str,
}

const fn room(name: &'static str, may_name: &'static [&'static str], why: &'static str) -> Room {
    Room { name, may_name, why }
}

/// Left names right; nothing else. `main.rs` names only `cli`, `lib.rs` nobody.
pub(crate) const ROOMS: [Room; 13] = [
    room("wire", &[], "the words that all rooms share"),
    room("protocol", &[], "bytes to names: knows nothing of packets"),
    room("capture", &["wire"], "frames"),
    room("decode", &["wire"], "frames to segments"),
    room("flow", &["wire"], "headers, in time"),
    room("stream", &["wire"], "bytes, in order"),
    room("evidence", &["wire"], "what may be claimed, of which frames"),
    room("detect", &["flow", "stream", "protocol", "evidence", "wire"], "observations to facts"),
    room("verdict", &["evidence", "wire"], "facts to a confidence"),
    room("correlate", &["verdict", "evidence", "wire"], "a fold over records"),
    room("report", &["evidence", "wire"], "records to text: what correlate finds is a record too"),
    room(
        "pipeline",
        &[
            "capture",
            "decode",
            "flow",
            "stream",
            "protocol",
            "evidence",
            "detect",
            "verdict",
            "correlate",
            "wire",
        ],
        "the corridor: the only room that knows the analysis rooms",
    ),
    room(
        "cli",
        &["capture", "pipeline", "report", "correlate", "evidence", "detect", "verdict"],
        "settings and results: `evidence` for the names of signals and levels that are typed, \
         `detect` for the lists of fingerprints that it loads, `verdict` for the weights that \
         `explain` tells",
    ),
];

/// A crate, and the rooms in which it lives.
pub(crate) type Lodger = (&'static str, &'static [&'static str]);

/// Every dependency of `Cargo.toml`.
pub(crate) const LODGERS: &[Lodger] = &[
    ("aes_gcm", &["protocol"]),
    ("aes_gcm", &["protocol"]),
    ("aho_corasick", &["detect"]),
    ("anstream", &["cli"]),
    ("anstyle", &["report"]),
    ("anyhow", &["cli"]),
    ("branches", &["wire"]),
    ("brotli", &["protocol"]),
    ("chardetng", &["protocol"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("community_id", &["pipeline"]),
    ("csv", &["detect"]),
    ("dashmap", &["pipeline"]),
    ("encoding_rs", &["protocol"]),
    ("etherparse", &["decode"]),
    ("flate2", &["capture", "protocol"]),
    ("foldhash", &["flow", "stream", "correlate", "pipeline"]),
    ("hashbrown", &["flow", "correlate"]),
    ("hkdf", &["protocol"]),
    ("hkdf", &["protocol"]),
    ("httparse", &["protocol"]),
    ("indicatif", &["cli"]),
    ("jiff", &["wire"]),
    ("memchr", &["protocol"]),
    // The allocator is the program's, in `main.rs`, and not the library's.
    ("mimalloc", &[""]),
    ("pcap", &["capture"]),
    ("psl", &["correlate"]),
    ("regex", &["detect"]),
    ("regex_syntax", &["detect"]),
    ("schemars", &["wire", "evidence", "report"]),
    ("serde", &["wire", "evidence", "report"]),
    ("serde_json", &["detect", "report"]),
    ("sha2", &["capture", "protocol", "detect", "correlate", "pipeline"]),
    ("smallvec", &["correlate", "detect", "flow", "pipeline", "protocol"]),
    ("thiserror", &["capture", "pipeline"]),
    ("tls_parser", &["protocol"]),
    ("unicode_width", &["report"]),
    ("x509_parser", &["protocol"]),
    ("zstd", &["capture", "protocol"]),
];

/// Where a clock may be read: live capture paces itself, the porch shows progress.
pub(crate) const CLOCKS: [&str; 2] = ["capture/live", "cli/"];

/// Where something may be printed.
pub(crate) const PRINTS: [&str; 1] = ["cli/"];

/// Files that call the system for themselves.
pub(crate) const UNSAFE: [&str; 0] = [];

/// Functions that may be long, for they are tables: one arm an entry.
pub(crate) const TABLES: [(&str, &str); 1] = [("verdict/weights.rs", "weight_of")];

pub(crate) fn room_named(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The table, to be read beside a fault.
pub(crate) fn table() -> String {
    let mut table = String::from("Who may name whom (tests/house/walls.rs):\n");
    for Room { name, may_name, why } in &ROOMS {
        let may_name = if may_name.is_empty() { "nothing".to_owned() } else { may_name.join(", ") };
        writeln!(table, "  {name} -> {may_name}\n      {why}").expect("memory");
    }
    table
}
