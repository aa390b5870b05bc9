//! What a source file may not do.

use std::fmt;

use crate::paths::{Path, paths};
use crate::source::{Source, Token};
use crate::walls::{CLOCKS, LODGERS, PRINTS, TABLES, UNSAFE, room_named};

/// A rule broken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.path, self.line, self.text)
    }
}

/// What is wrong in a file, by line.
type Check = fn(&Source) -> Vec<(usize, String)>;

/// All faults of a file.
pub(crate) fn faults(source: &Source) -> Vec<Fault> {
    let checks: [Check; 8] =
        [walls, lodgers, clocks, prints, unsafe_code, panics, long_file, long_functions];
    let mut faults: Vec<Fault> = checks
        .iter()
        .flat_map(|check| check(source))
        .map(|(line, text)| Fault { path: source.path.clone(), line, text })
        .collect();
    faults.sort();
    faults.dedup();
    faults
}

/// A room names only those that the table allows.
fn walls(source: &Source) -> Vec<(usize, String)> {
    let own = source.room();
    let allowed = |named: &str| match own {
        Some(own) => {
            own == named || room_named(own).is_some_and(|own| own.may_name.contains(&named))
        }
        None => source.path == "main.rs" && named == "cli",
    };
    let name = own.unwrap_or(&source.path);
    let mut faults = Vec::new();
    if own.is_some_and(|own| room_named(own).is_none()) {
        faults.push((1, format!("the room `{name}` is not in the table")));
    }
    for path in paths(&source.shipped) {
        match from_the_root(&path, source.depth()) {
            Some(named) if room_named(named).is_none() => {
                faults.push((path.line, format!("`{}` names no room", path.segments.join("::"))));
            }
            Some(named) if !allowed(named) => {
                faults.push((path.line, format!("`{name}` may not name `{named}`")));
            }
            _ => {}
        }
    }
    faults
}

/// The first segment below the crate, where the path goes through the crate's root.
fn from_the_root(path: &Path, depth: usize) -> Option<&str> {
    let segments = &path.segments;
    let supers = segments.iter().take_while(|segment| *segment == "super").count();
    let below = match segments.first().map(String::as_str) {
        Some("crate" | "tamperscope") if segments.len() > 1 => 1,
        // `self::super` is `super`; a path above the root does not compile.
        Some("super") if supers >= depth => supers,
        _ => return None,
    };
    segments.get(below).map(String::as_str)
}

/// A crate is used in its room only.
fn lodgers(source: &Source) -> Vec<(usize, String)> {
    let own = source.room().unwrap_or_default();
    let mut faults = Vec::new();
    for path in paths(&source.shipped) {
        let Some((name, rooms)) = LODGERS.iter().find(|(name, _)| path.segments[0] == *name) else {
            continue;
        };
        // A single name that is not imported is a variable or a field.
        let used = path.segments.len() > 1 || path.imported;
        if used && !rooms.contains(&own) {
            let rooms = rooms.join(", ");
            faults.push((path.line, format!("the crate `{name}` lives in: {rooms}")));
        }
    }
    faults
}

/// No clock but the packets'.
fn clocks(source: &Source) -> Vec<(usize, String)> {
    if CLOCKS.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let reads = |path: &Path| {
        let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        let now = segments.len() > 1 && segments.last() == Some(&"now");
        now || segments.starts_with(&["std", "time"]) || segments.starts_with(&["core", "time"])
    };
    let found = paths(&source.shipped).into_iter().filter(reads);
    found
        .map(|path| (path.line, format!("reads a clock: `{}`", path.segments.join("::"))))
        .collect()
}

/// Results leave by a writer, not by standard output.
fn prints(source: &Source) -> Vec<(usize, String)> {
    if PRINTS.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let macros = ["print", "println", "eprint", "eprintln", "dbg"];
    let found = source
        .shipped
        .windows(2)
        .filter(|pair| macros.contains(&pair[0].text.as_str()) && pair[1].text == "!");
    found.map(|pair| (pair[0].line, format!("prints with `{}!`", pair[0].text))).collect()
}

fn unsafe_code(source: &Source) -> Vec<(usize, String)> {
    if UNSAFE.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let found = source.all.iter().filter(|token| token.text == "unsafe");
    found.map(|token| (token.line, "is unsafe".to_owned())).collect()
}

/// Nothing that gives up where a packet is odd. A method `expect` that takes no message is one of
/// ours.
fn panics(source: &Source) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    for four in source.shipped.windows(4) {
        let [before, name, after, argument] = four else { continue };
        let called = before.text == "." && after.text == "(";
        let gives_up = match name.text.as_str() {
            "unwrap" | "unwrap_err" => called,
            "expect" | "expect_err" => called && argument.text.starts_with('"'),
            "panic" | "unreachable" | "todo" | "unimplemented" => after.text == "!",
            _ => false,
        };
        if gives_up {
            faults.push((name.line, format!("gives up with `{}`", name.text)));
        }
    }
    faults
}

fn long_file(source: &Source) -> Vec<(usize, String)> {
    let fault = (source.lines, format!("{} lines, {FILE_MAX} at most", source.lines));
    (source.lines > FILE_MAX).then_some(fault).into_iter().collect()
}

fn long_functions(source: &Source) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    for (at, pair) in source.shipped.windows(2).enumerate() {
        let is_function = pair[0].text == "fn" && pair[1].text.starts_with(char::is_alphabetic);
        let lines = if is_function { lines_of(&source.shipped[at..]) } else { 0 };
        let name = pair[1].text.as_str();
        if lines > FUNCTION_MAX && !TABLES.contains(&(&source.path, name)) {
            faults.push((pair[0].line, format!("`{name}`: {lines} lines, {FUNCTION_MAX} at most")));
        }
    }
    faults
}

/// Lines from `fn` to the end of its body; 1 where it has none.
fn lines_of(function: &[Token]) -> usize {
    let (mut depth, mut in_body) = (0, false);
    for token in function {
        match token.text.as_str() {
            ";" if depth == 0 => return 1,
            "{" | "(" | "[" => {
                in_body |= depth == 0 && token.text == "{";
                depth += 1;
            }
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && in_body {
                    return token.line - function[0].line + 1;
                }
            }
            _ => {}
        }
    }
    1
}

const FILE_MAX: usize = 500;
const FUNCTION_MAX: usize = 70;
