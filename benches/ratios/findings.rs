//! What two results have to agree on.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

/// Findings without what depends on the packets beside them (numbers of frames and flows), and
/// what was given up.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) findings: Vec<String>,
    /// `name N`, where N is not zero.
    pub(crate) limits: Vec<String>,
}

/// Reads `--format jsonl`.
pub(crate) fn told(path: &Path) -> io::Result<Told> {
    let mut told = Told { findings: Vec::new(), limits: Vec::new() };
    for line in BufReader::new(File::open(path)?).lines() {
        let record: Value = serde_json::from_str(&line?)?;
        match record["type"].as_str() {
            Some("finding") => told.findings.push(essence(&record)),
            Some("summary") => {
                let limits = record["limits"].as_object().into_iter().flatten();
                let reached = limits.filter(|(_, times)| times.as_u64() != Some(0));
                told.limits = reached.map(|(name, times)| format!("{name} {times}")).collect();
            }
            _ => {}
        }
    }
    told.findings.sort();
    Ok(told)
}

fn essence(finding: &Value) -> String {
    let fields = ["time", "client", "server", "kind", "confidence", "score", "host"];
    let signals = |list: &str| {
        let facts = finding[list].as_array().into_iter().flatten();
        facts.map(|fact| fact["signal"].to_string()).collect::<Vec<_>>().join(" ")
    };
    let fields = fields.map(|field| finding[field].to_string()).join(" ");
    format!("{fields} for: {} against: {}", signals("evidence"), signals("against"))
}

/// Whether two files hold the same bytes.
pub(crate) fn are_same(one: &Path, other: &Path) -> io::Result<bool> {
    let mut files = [BufReader::new(File::open(one)?), BufReader::new(File::open(other)?)];
    let [one, other] = &mut files;
    let mut blocks = [vec![0; 1 << 16], vec![0; 1 << 16]];
    loop {
        let [first, second] = &mut blocks;
        let len = one.read(first)?;
        if len == 0 {
            return Ok(other.read(second)? == 0);
        }
        match other.read_exact(&mut second[..len]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        if first[..len] != second[..len] {
            return Ok(false);
        }
    }
}
