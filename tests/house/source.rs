//! Source files as tokens, with and without their tests.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// One file below `src/`.
pub(crate) struct Source {
    /// Its path below `src/`, with `/`.
    pub(crate) path: String,
    pub(crate) lines: usize,
    /// All tokens.
    pub(crate) all: Vec<Token>,
    /// The tokens of what is shipped: without items under `#[cfg(test)]`, and none at all where the
    /// whole file is under it.
    pub(crate) shipped: Vec<Token>,
}

/// An identifier, a literal, a bracket, `::`, or one character of punctuation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Source {
    /// Reads one file.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let stream: TokenStream =
            text.parse().unwrap_or_else(|error| panic!("{path} is no Rust: {error}"));
        let mut all = Vec::new();
        flatten(stream.clone(), &mut all);
        let mut shipped = Vec::new();
        let mut test_modules = Vec::new();
        flatten(without_tests(stream, &mut test_modules), &mut shipped);
        Self { path: path.to_owned(), lines: text.lines().count(), all, shipped }
    }

    /// The room that the file belongs to; `None` for `lib.rs` and `main.rs`.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.split_once('/').map(|(room, _)| room)
    }

    /// How many modules deep the file lies: 0 for `lib.rs`, 1 for `room/mod.rs`.
    pub(crate) fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        let is_module_itself = ["mod.rs", "lib.rs", "main.rs"].iter().any(|end| {
            self.path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        });
        if is_module_itself { parts - 1 } else { parts }
    }
}

/// All of `src/`.
pub(crate) fn read_all(root: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    walk(root, &mut files);
    files.sort();
    let mut sources = Vec::new();
    let mut tests = Vec::new();
    for file in &files {
        let path = file.strip_prefix(root).expect("below src").to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(file).expect("a source file");
        let stream: TokenStream = text.parse().expect("Rust");
        let mut modules = Vec::new();
        without_tests(stream, &mut modules);
        let home = home_of(&path);
        tests.extend(
            modules.iter().flat_map(|name| [format!("{home}{name}.rs"), format!("{home}{name}/")]),
        );
        sources.push(Source::read(&path, &text));
    }
    for source in &mut sources {
        if tests.iter().any(|test| source.path.starts_with(test)) {
            source.shipped.clear();
        }
    }
    sources
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// Where the modules that the file declares lie.
fn home_of(path: &str) -> String {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    match stem.rsplit_once('/') {
        Some((folder, "mod")) => format!("{folder}/"),
        None if ["lib", "main"].contains(&stem) => String::new(),
        _ => format!("{stem}/"),
    }
}

/// Leaves out what stands under `#[cfg(test)]`; names the modules left out that are files.
fn without_tests(stream: TokenStream, modules: &mut Vec<String>) -> TokenStream {
    let mut trees = stream.into_iter().peekable();
    let mut kept = Vec::new();
    while let Some(tree) = trees.next() {
        let attribute = is_punct(&tree, '#')
            && matches!(trees.peek(), Some(TokenTree::Group(group)) if is_cfg_test(&group.stream()));
        if attribute {
            trees.next();
            let item: Vec<TokenTree> = take_item(&mut trees);
            modules.extend(file_module(&item));
        } else if let TokenTree::Group(group) = tree {
            let inner = without_tests(group.stream(), modules);
            let mut kept_group = proc_macro2::Group::new(group.delimiter(), inner);
            kept_group.set_span(group.span());
            kept.push(TokenTree::Group(kept_group));
        } else {
            kept.push(tree);
        }
    }
    kept.into_iter().collect()
}

/// The rest of an item: up to its `;` or its body.
fn take_item(trees: &mut impl Iterator<Item = TokenTree>) -> Vec<TokenTree> {
    let mut item = Vec::new();
    for tree in trees {
        let body =
            matches!(&tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        let ends = body || is_punct(&tree, ';');
        item.push(tree);
        if ends {
            break;
        }
    }
    item
}

fn file_module(item: &[TokenTree]) -> Option<String> {
    let place = item.iter().position(|tree| is_ident(tree, "mod"))?;
    let [TokenTree::Ident(name), end] = item.get(place + 1..)? else { return None };
    is_punct(end, ';').then(|| name.to_string())
}

fn is_cfg_test(attribute: &TokenStream) -> bool {
    let mut trees = attribute.clone().into_iter();
    let cfg = trees.next().is_some_and(|tree| is_ident(&tree, "cfg"));
    let Some(TokenTree::Group(condition)) = trees.next() else { return false };
    let words: Vec<String> = condition.stream().into_iter().map(|tree| tree.to_string()).collect();
    cfg && words.iter().any(|word| word == "test") && !words.iter().any(|word| word == "not")
}

fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_ident(tree: &TokenTree, name: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == name)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut colon = false;
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: String, line| tokens.push(Token { text, line });
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.to_owned(), line);
                let end = group.span_close().end().line;
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: end });
                colon = false;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && colon => {
                push("::".to_owned(), line);
                colon = false;
            }
            TokenTree::Punct(punct)
                if punct.as_char() == ':' && punct.spacing() == Spacing::Joint =>
            {
                colon = true;
            }
            other => {
                push(other.to_string(), line);
                colon = false;
            }
        }
    }
}
