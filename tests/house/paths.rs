//! The paths that tokens name: `use` trees written out, and paths in the text.

use crate::source::Token;

/// A path, segment by segment, and its line. A glob ends in `*`.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// It stands in a `use`.
    pub(crate) imported: bool,
}

/// All paths, in no particular order.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.text == "use" {
            let end = at + tokens[at..].iter().take_while(|token| token.text != ";").count();
            write_out(&tokens[at + 1..end], &[], &mut found);
            at = end;
        } else if is_name(token) && !continues(tokens, at) && !is_scope_of_visibility(tokens, at) {
            let path = path_at(tokens, at);
            at += 2 * path.segments.len() - 1;
            found.push(path);
        } else {
            at += 1;
        }
    }
    found
}

/// Writes a `use` tree out.
fn write_out(tree: &[Token], prefix: &[String], found: &mut Vec<Path>) {
    for branch in branches(tree) {
        let mut segments = prefix.to_vec();
        let mut line = 0;
        for (place, token) in branch.iter().enumerate() {
            line = line.max(token.line);
            match token.text.as_str() {
                "::" => {}
                "as" => break,
                "{" => {
                    write_out(&branch[place + 1..branch.len() - 1], &segments, found);
                    segments.clear();
                    break;
                }
                name => segments.push(name.to_owned()),
            }
        }
        if !segments.is_empty() {
            found.push(Path { segments, line, imported: true });
        }
    }
}

/// Splits at the commas of the outermost level.
fn branches(tree: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    let split = tree.split(|token| {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        token.text == "," && depth == 0
    });
    split.filter(|branch| !branch.is_empty()).collect()
}

fn path_at(tokens: &[Token], at: usize) -> Path {
    let mut segments = vec![tokens[at].text.clone()];
    let mut rest = &tokens[at + 1..];
    while let [colons, name, ..] = rest
        && colons.text == "::"
        && is_name(name)
    {
        segments.push(name.text.clone());
        rest = &rest[2..];
    }
    Path { segments, line: tokens[at].line, imported: false }
}

/// Whether the name goes on a path that begins before it: `a::b`, `<A as B>::c`.
fn continues(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|place| tokens.get(place));
    before(1).is_some_and(|token| token.text == "::")
        && before(2).is_some_and(|token| is_name(token) || token.text == ">")
}

/// `pub(in crate::room)`.
fn is_scope_of_visibility(tokens: &[Token], at: usize) -> bool {
    let words: Vec<&str> =
        tokens[at.saturating_sub(3)..at].iter().map(|token| token.text.as_str()).collect();
    words == ["pub", "(", "in"] || words.ends_with(&["pub", "("])
}

fn is_name(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
