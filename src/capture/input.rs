//! What was named on the command line, made a list of captures.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::magic::HEAD_BYTES;
use super::source::Source;
use super::stored::Stored;
use super::{CaptureError, Expansion, Format};

/// One capture to be read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// A file, or anything else with a path that can be read, as a named pipe.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// A capture that is in memory already.
    Bytes {
        /// What to call it.
        name: String,
        /// The file's bytes, packed or not.
        bytes: Arc<[u8]>,
    },
}

impl fmt::Display for Input {
    /// The path or name, or `-`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("-"),
            Self::Bytes { name, .. } => f.write_str(name),
        }
    }
}

/// The captures among what was named.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Expanded {
    /// The captures, in the order named; those of a directory in the order of their paths.
    pub inputs: Vec<Input>,
    /// What was found and left out.
    pub ignored: Vec<Ignored>,
}

/// A path that was left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ignored {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub why: WhyIgnored,
}

/// Why a path was left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhyIgnored {
    /// A file in a directory whose first bytes are not those of a capture.
    NotACapture,
    /// Something in a directory that is no file: a pipe, a device, a link that leads nowhere or to
    /// another directory.
    NotAFile,
    /// The same file was named before.
    NamedBefore,
}

/// Finds the captures that `paths` name: files as they are, directories with all captures below
/// them, `-` for standard input.
///
/// A file that is named outright stays in the list whatever it holds, so that its fault is
/// reported. Links to directories below a named directory are not followed.
pub fn expand<P: AsRef<Path>>(paths: &[P]) -> Result<Expanded, CaptureError> {
    let mut expanded = Expanded::default();
    let mut seen = HashSet::new();
    for path in paths.iter().map(AsRef::as_ref) {
        if path == Path::new("-") {
            expanded.inputs.push(Input::Stdin);
            continue;
        }
        let metadata = fs::metadata(path).map_err(|error| fail(path, error))?;
        if metadata.is_dir() {
            for found in walk(path, &mut expanded.ignored)? {
                expanded.add(found, &mut seen)?;
            }
        } else {
            if metadata.is_file() {
                File::open(path).map_err(|error| fail(path, error))?;
            }
            expanded.add(path.to_path_buf(), &mut seen)?;
        }
    }
    Ok(expanded)
}

impl Expanded {
    fn add(&mut self, path: PathBuf, seen: &mut HashSet<PathBuf>) -> Result<(), CaptureError> {
        let real = fs::canonicalize(&path).map_err(|error| fail(&path, error))?;
        if seen.insert(real) {
            self.inputs.push(Input::File(path));
        } else {
            self.ignored.push(Ignored { path, why: WhyIgnored::NamedBefore });
        }
        Ok(())
    }
}

/// The captures below `top`, in the order of their paths.
fn walk(top: &Path, ignored: &mut Vec<Ignored>) -> Result<Vec<PathBuf>, CaptureError> {
    let mut captures = Vec::new();
    let mut left_out = Vec::new();
    let mut directories = vec![top.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory).map_err(|error| fail(&directory, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| fail(&directory, error))?;
            let path = entry.path();
            let own_type = entry.file_type().map_err(|error| fail(&path, error))?;
            if own_type.is_dir() {
                directories.push(path);
                continue;
            }
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => {
                    if looks_like_a_capture(&path).map_err(|error| fail(&path, error))? {
                        captures.push(path);
                    } else {
                        left_out.push(Ignored { path, why: WhyIgnored::NotACapture });
                    }
                }
                _ => left_out.push(Ignored { path, why: WhyIgnored::NotAFile }),
            }
        }
    }
    captures.sort();
    left_out.sort_by(|a, b| a.path.cmp(&b.path));
    ignored.append(&mut left_out);
    Ok(captures)
}

/// Looks at the first bytes, unpacked where they are packed.
fn looks_like_a_capture(path: &Path) -> io::Result<bool> {
    // Most files in a directory of captures are captures; of the others 16 bytes are enough.
    let mut head = Vec::with_capacity(HEAD_BYTES);
    File::open(path)?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    if super::Compression::of(&head).is_none() {
        return Ok(Format::of(&head).is_ok());
    }
    let Ok(mut source) = Source::new(Stored::open(path)?, Expansion::default()) else {
        return Ok(false);
    };
    let mut unpacked = [0; HEAD_BYTES];
    let (count, _) = source.fill(&mut unpacked);
    Ok(unpacked.get(..count).is_some_and(|head| Format::of(head).is_ok()))
}

fn fail(path: &Path, source: io::Error) -> CaptureError {
    CaptureError::Io { path: path.display().to_string(), source }
}
