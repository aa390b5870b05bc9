//! Names in the form of records, which many flows share.

use std::borrow::Cow;
use std::sync::Arc;

use super::passages::Subject;
use super::shelf::seeded;
use crate::wire::stable_hash;

/// A name in the form of records: lower-case, without a trailing dot, and not empty.
#[derive(Clone, Debug)]
pub struct Name {
    pub(super) text: Arc<str>,
    /// Which names are given up where there are too many.
    pub(super) rank: u64,
    /// By which it is looked up.
    pub(super) seeded: u64,
}

impl Name {
    /// A name that a flow asked for; `None` if nothing is left of it.
    pub fn of(name: &str) -> Option<Self> {
        let name = normal(name)?;
        let (rank, seeded) = (hash(&name), seeded(&*name));
        Some(Self { text: name.into(), rank, seeded })
    }

    /// It as what was asked for, with the record type of a DNS question or 0; `None` where it is longer than
    /// a name can be.
    pub fn subject(&self, kind: u16) -> Option<Subject> {
        let (name, hash) = (Arc::clone(&self.text), self.rank);
        (!self.is_too_long()).then_some(Subject { name, kind, hash })
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.text.len() > MAX_NAME
    }
}

/// The names that were asked for lately: who asks for one of them again need not make it.
///
/// Bounds: [`Names::PLACES`] names of at most [`MAX_NAME`] bytes. Of two with one place the later stays.
#[derive(Debug)]
pub struct Names {
    lately: Vec<Option<Name>>,
}

impl Default for Names {
    fn default() -> Self {
        Self { lately: vec![None; Self::PLACES] }
    }
}

impl Names {
    /// Names kept.
    pub const PLACES: usize = 1 << 12;

    /// The [`Name`] of `name`.
    pub fn of(&mut self, name: &str) -> Option<Name> {
        let text = normal(name)?;
        let seeded = seeded(&*text);
        let place = self.lately.get_mut(seeded as usize % Self::PLACES)?;
        if let Some(known) = place.as_ref()
            && known.seeded == seeded
            && *known.text == *text
        {
            return Some(known.clone());
        }
        let name = Name { rank: hash(&text), seeded, text: text.into() };
        if !name.is_too_long() {
            *place = Some(name.clone());
        }
        Some(name)
    }
}

/// Longest name kept, in bytes: RFC 1035 §2.3.4 allows no host name above 255.
pub const MAX_NAME: usize = 255;

/// The form of a name in records: lower-case, without a trailing dot; `None` if nothing is left.
pub(super) fn normal(name: &str) -> Option<Cow<'_, str>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    // All bytes, for many are looked at sooner than one.
    let lower = !name.bytes().fold(false, |any, byte| any | byte.is_ascii_uppercase());
    let normal = || if lower { name.into() } else { name.to_ascii_lowercase().into() };
    (!name.is_empty()).then(normal)
}

/// Which names are given up once there are too many.
pub(super) fn hash(name: &str) -> u64 {
    stable_hash(name.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_once() {
        let mut names = Names::default();
        let first = names.of("WWW.Example.").expect("a name");
        let again = names.of("www.example").expect("a name");
        assert!(Arc::ptr_eq(&first.text, &again.text));
        assert_eq!(&*first.text, "www.example");
        let apart = Name::of("www.example").expect("a name");
        assert_eq!((apart.rank, apart.seeded), (first.rank, first.seeded));
        assert!(names.of(".").is_none() && Name::of("").is_none());
    }

    #[test]
    fn names_of_one_place_are_told_apart() {
        let mut names = Names::default();
        for turn in 0..2 {
            for number in 0..3 * Names::PLACES {
                let name = format!("n{number}.example");
                assert_eq!(*names.of(&name).expect("a name").text, *name, "{turn}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut names = Names::default();
        let long = "a".repeat(MAX_NAME + 1);
        let name = names.of(&long).expect("a name");
        assert!(name.subject(0).is_none() && names.lately.iter().all(Option::is_none));
        assert!(names.of(&long[1..]).and_then(|name| name.subject(1)).is_some());
    }
}
