//! Who else said the same: a notice, or certificates of one private authority, in the names of
//! servers that have nothing to do with each other.
//!
//! A site can quote a notice, and a company can have an authority of its own. Neither makes
//! servers of unrelated names in other networks say the same.
//!
//! Bounds: [`SAID_MAX`] places for each, in the order of names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::domain::registrable;
use super::names::normal;
use super::passages::network;
use crate::evidence::{Fact, Grade, Signal};
use crate::wire::FrameId;

/// Something that was said in a server's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voice {
    /// What, in words.
    pub said: String,
    /// The name asked for.
    pub host: String,
    /// Who was asked.
    pub server: IpAddr,
    /// Where it was said.
    pub frame: FrameId,
}

/// All that was said in a recording.
#[derive(Debug, Default)]
pub struct Voices {
    said: BTreeMap<String, BTreeMap<(String, IpAddr), FrameId>>,
}

impl Voices {
    /// Adds what was said; nothing where it is not known who registered the name.
    pub fn add(&mut self, voice: Voice) {
        let Some((domain, net)) = place(&voice) else { return };
        let places = self.said.entry(voice.said).or_default();
        places
            .entry((domain, net))
            .and_modify(|frame| *frame = voice.frame.min(*frame))
            .or_insert(voice.frame);
        if places.len() > SAID_MAX {
            places.pop_last();
        }
    }

    /// `one_voice`, in part where `weak`.
    pub fn judge(&self, voice: &Voice, weak: bool) -> Option<Fact> {
        let (own, at) = place(voice)?;
        let places = self.said.get(&voice.said)?;
        let elsewhere = places.iter().find(|((domain, net), _)| *domain != own && *net != at);
        let ((domain, _), frame) = elsewhere?;
        let domains: BTreeSet<&str> = places.keys().map(|(domain, _)| domain.as_str()).collect();
        Some(Fact {
            signal: Signal::OneVoice,
            grade: if weak { Grade::Half } else { Grade::Full },
            frame: voice.frame,
            expected: "each site's own".to_owned(),
            observed: format!("the same for {} unrelated domains", domains.len()),
            text: format!(
                "{} brings {}, and so does {frame} in the name of {domain}, from another network: {} unrelated domains say the same",
                voice.frame,
                voice.said,
                domains.len()
            ),
        })
    }
}

fn place(voice: &Voice) -> Option<(String, IpAddr)> {
    let name = normal(&voice.host)?;
    Some((registrable(&name)?.to_owned(), network(voice.server)))
}

/// Most places kept for what was said.
const SAID_MAX: usize = 64;

#[cfg(test)]
mod tests;
