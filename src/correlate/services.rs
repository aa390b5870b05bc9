//! Which names belong together, as a user says: the files of `--services`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::domain::{is_host_name, is_public};
use super::names::normal;
use crate::evidence::ListSource;

/// Services and their names.
///
/// A file has a service a line, `service: name, name, .suffix`. A name stands for itself alone; a
/// `.suffix` for the name without the dot and for all names below it. Of several entries that fit a
/// host the longest counts, and a name before a suffix. Lines of one service add up. Lines that
/// begin with `#` are comments.
///
/// ```
/// use tamperscope::correlate::ServiceSet;
///
/// let mut services = ServiceSet::default();
/// services.load("own", b"Photos: photos.example, .cdn.example")?;
/// assert_eq!(services.service_of("a.cdn.example"), Some("Photos"));
/// assert_eq!(services.service_of("www.photos.example"), None);
/// # Ok::<(), tamperscope::correlate::ServicesError>(())
/// ```
///
/// Bounds: a file has at most 1 MiB, a set 65,536 entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServiceSet {
    sources: Vec<ListSource>,
    names: BTreeMap<String, Arc<str>>,
    suffixes: BTreeMap<String, Arc<str>>,
}

impl ServiceSet {
    /// Adds the lines of a file, which is shown as `name`.
    ///
    /// # Errors
    /// A file that is too large or not text, or a line that cannot be used; the set stays as it
    /// was.
    pub fn load(&mut self, name: &str, bytes: &[u8]) -> Result<(), ServicesError> {
        if bytes.len() > BYTES_MAX {
            return Err(ServicesError::TooLarge { bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| ServicesError::NotText { offset: error.valid_up_to() })?;
        let (before, mut next) = (self.entries(), self.clone());
        let mut offset = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let mark = if offset == 0 && line.starts_with('\u{feff}') { 3 } else { 0 };
            let told = line.get(mark..).unwrap_or_default();
            next.line(told).map_err(|(at, fault)| ServicesError::Line {
                line: number,
                offset: offset + mark + at,
                fault,
            })?;
            offset += line.len();
        }
        next.sources.push(ListSource {
            name: name.to_owned(),
            sha256: hex(&Sha256::digest(bytes)),
            entries: (next.entries() - before) as u64,
        });
        *self = next;
        Ok(())
    }

    /// The files, in the order in which they were loaded, with the SHA-256 of their bytes.
    pub fn sources(&self) -> Vec<ListSource> {
        self.sources.clone()
    }

    /// The service that `host` belongs to.
    pub fn service_of(&self, host: &str) -> Option<&str> {
        if self.entries() == 0 {
            return None;
        }
        let name = form_of(host)?;
        let found = self.names.get(&name).or_else(|| {
            let dots = name.match_indices('.').map(|(at, _)| at + 1);
            std::iter::once(0).chain(dots).find_map(|at| self.suffixes.get(name.get(at..)?))
        });
        found.map(|service| &**service)
    }

    fn entries(&self) -> usize {
        self.names.len() + self.suffixes.len()
    }

    /// Reads a line; a fault comes with its place in it.
    fn line(&mut self, line: &str) -> Result<(), (usize, Fault)> {
        let line = line.trim_end();
        let (blank, text) = trimmed(line);
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        let Some((service, names)) = line.split_once(':') else {
            return Err((blank, Fault::NoColon));
        };
        let mut at = service.len() + 1;
        let service = service.trim();
        if service.is_empty() || service.chars().count() > SERVICE_MAX {
            return Err((blank, Fault::NoService));
        }
        let service = Arc::from(service);
        for part in names.split(',') {
            let (blank, entry) = trimmed(part);
            self.entry(entry, &service).map_err(|fault| (at + blank, fault))?;
            at += part.len() + 1;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &str, service: &Arc<str>) -> Result<(), Fault> {
        let (suffix, name) = match entry.strip_prefix('.') {
            Some(name) => (true, name),
            None => (false, entry),
        };
        let told = || entry.to_owned();
        let Some(form) = form_of(name).filter(|form| !suffix || form.parse::<IpAddr>().is_err())
        else {
            return Err(if name.is_ascii() {
                Fault::NoName(told())
            } else {
                Fault::NotAscii(told())
            });
        };
        if suffix && is_public(&form) {
            return Err(Fault::PublicSuffix(told()));
        }
        if self.entries() >= ENTRIES_MAX {
            return Err(Fault::TooMany);
        }
        let entries = if suffix { &mut self.suffixes } else { &mut self.names };
        let known = entries.entry(form).or_insert_with(|| Arc::clone(service));
        if known == service { Ok(()) } else { Err(Fault::Twice(told())) }
    }
}

/// Most bytes of a file.
const BYTES_MAX: usize = 1 << 20;

/// Most entries of all files.
const ENTRIES_MAX: usize = 1 << 16;

/// Longest name of a service, in characters.
const SERVICE_MAX: usize = 80;

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It has no colon.
    NoColon,
    /// Nothing stands before the colon, or more than 80 characters.
    NoService,
    /// An entry is no host name and no address.
    NoName(String),
    /// A name that is not in the form in which it is sent.
    NotAscii(String),
    /// A suffix below which names belong to anybody.
    PublicSuffix(String),
    /// An entry that an earlier line gives to another service.
    Twice(String),
    /// More entries than are kept.
    TooMany,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColon => f.write_str("no colon; a line is `service: name, name, .suffix`"),
            Self::NoService => {
                write!(
                    f,
                    "a service is named before the colon, in at most {SERVICE_MAX} characters"
                )
            }
            Self::NoName(entry) => write!(f, "`{}` is no host name", clip(entry)),
            Self::NotAscii(entry) => {
                write!(f, "`{}` is not as names are sent: write it as `xn--…`", clip(entry))
            }
            Self::PublicSuffix(entry) => {
                write!(f, "names below `{}` belong to anybody, so to no one service", clip(entry))
            }
            Self::Twice(entry) => {
                write!(f, "`{}` was given to another service before", clip(entry))
            }
            Self::TooMany => write!(f, "more than {ENTRIES_MAX} entries"),
        }
    }
}

/// Why a file was not loaded. The set is then as it was before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServicesError {
    /// More bytes than are read.
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// Not UTF-8.
    NotText {
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// A line that cannot be used.
    Line {
        /// Its number, from 1.
        line: u64,
        /// Offset of what is wrong in the file.
        offset: usize,
        /// What is wrong.
        fault: Fault,
    },
}

impl fmt::Display for ServicesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(f, "{bytes} bytes are more than a list of services may have ({BYTES_MAX})")
            }
            Self::NotText { offset } => write!(f, "not UTF-8 text at byte {offset}"),
            Self::Line { line, offset, fault } => write!(f, "line {line} (byte {offset}): {fault}"),
        }
    }
}

impl std::error::Error for ServicesError {}

/// A host in the form in which entries are kept: as in records, an address in its canonical form.
fn form_of(host: &str) -> Option<String> {
    let name = normal(host)?;
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
    match bare.parse::<IpAddr>() {
        Ok(ip) => Some(ip.to_string()),
        Err(_) => is_host_name(&name).then(|| name.into_owned()),
    }
}

/// `text` without the white space around it, and how many bytes of it stood before.
fn trimmed(text: &str) -> (usize, &str) {
    (text.len() - text.trim_start().len(), text.trim())
}

/// An entry, shortened for a message of one line.
fn clip(entry: &str) -> String {
    entry.chars().take(SERVICE_MAX).collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests;
