//! Which certificate each name shows, to whom: a substituted one differs from what others got.
//!
//! Up to TLS 1.2 a server's certificate is in the clear. Certificates that an issuer vouches for
//! are folded into a tally by name; two of different issuers are rotation or several content
//! networks, and nobody is accused for them. A certificate that is self-signed, or that does not
//! hold for the name, is then held against that tally: what others got for that name, and from how
//! far the same address answered them.
//!
//! Bounds: [`CertificateTally::NAMES_MAX`] names, [`PLACES_MAX`] addresses for each, 60 MB when full.
//! What is given up beyond them does not depend on the order of flows (see `hosts`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::names::{MAX_NAME, hash, normal};
use super::place::Place;
use super::shelf::Sum;
use crate::evidence::{Fact, Grade, Injector, Kind, Signal, Suspicion};
use crate::wire::{Direction, Duration, FrameId, Least, Timestamp, Ttl};

/// The certificate that one flow got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateSight {
    /// The name asked for.
    pub name: String,
    /// Who was asked.
    pub server: IpAddr,
    /// Its issuer.
    pub issuer: String,
    /// Its subject.
    pub subject: String,
    /// An issuer other than its subject vouches for it, and it holds for the name.
    pub vouched: bool,
    /// Subject and issuer are the same.
    pub self_signed: bool,
    /// Who signed it came with it, and answers to nobody else: no public authority, whose roots sign
    /// no server's certificate themselves (CA/Browser Forum, Baseline Requirements §6.1.7).
    pub private: bool,
    /// Frame of the `ClientHello`.
    pub hello: Option<FrameId>,
    /// Frame that completed the certificate.
    pub frame: FrameId,
    /// Frame and TTL of the SYN/ACK.
    pub syn_ack: Option<(FrameId, Ttl)>,
    /// From SYN to SYN/ACK.
    pub handshake: Option<Duration>,
    /// Time of the SYN/ACK, or of the first packet seen.
    pub time: Timestamp,
}

/// What the flows of a recording got for each name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateTally {
    names: Least<(u64, Arc<str>), Shown>,
}

impl Default for CertificateTally {
    fn default() -> Self {
        Self::with_room(Self::NAMES_MAX)
    }
}

/// What is known of one name's vouched certificates.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Shown {
    flows: u64,
    /// The earliest flow's frame, and its issuer.
    example: Option<(FrameId, String)>,
    places: BTreeMap<IpAddr, Place>,
}

impl CertificateTally {
    /// Most names kept.
    pub const NAMES_MAX: usize = 1 << 16;
    /// What a name takes when all its addresses are known, in bytes.
    const NAME_BYTES: usize = 960;

    /// A tally of at most `names` names.
    pub const fn with_room(names: usize) -> Self {
        Self { names: Least::with_room(names) }
    }

    /// Whether there was no room for all.
    pub const fn is_full(&self) -> bool {
        self.names.is_full()
    }

    /// Bytes held, at most.
    pub fn memory(&self) -> usize {
        self.names.len() * Self::NAME_BYTES
    }

    /// Adds a certificate that an issuer vouches for.
    pub fn add(&mut self, sight: &CertificateSight) {
        let Some(name) = normal(&sight.name).filter(|name| name.len() <= MAX_NAME) else { return };
        let place = sight.syn_ack.map(|seen| Place::of(seen, sight.handshake));
        let shown = Shown {
            flows: 1,
            example: Some((sight.frame, sight.issuer.clone())),
            places: place.map(|place| (sight.server, place)).into_iter().collect(),
        };
        self.names.change((hash(&name), Arc::from(name)), |known| known.add(shown));
    }

    /// Adds all that `other` knows; the flows of the two must be distinct. There is then as much room
    /// as the larger one has.
    pub fn merge(&mut self, other: Self) {
        self.names.merge(other.names, Shown::add);
    }

    /// Holds a certificate that nobody vouches for against what others got for its name.
    pub fn judge(&self, sight: &CertificateSight) -> Option<Suspicion> {
        let name = normal(&sight.name)?;
        let shown = self.names.get(&(hash(&name), Arc::from(&*name)))?;
        let place = shown.places.get(&sight.server);
        let path: Vec<Fact> = place.map(|place| held_against(place, sight)).unwrap_or_default();
        let elsewhere =
            path.iter().any(|fact| matches!(fact.signal, Signal::TtlShift | Signal::HandshakeFast));
        let opening = sight.syn_ack.filter(|_| elsewhere).map(|(frame, _)| frame);
        let forged: Vec<FrameId> = opening.into_iter().chain([sight.frame]).collect();
        let mut facts = vec![swap(sight, &name, shown)?];
        facts.extend(path);
        Some(Suspicion {
            kind: Kind::Tls,
            time: sight.time,
            trigger: sight.hello,
            forged,
            genuine: Vec::new(),
            direction: Some(Direction::ToClient),
            facts,
            alternatives: alternatives(place.is_some()),
            injector: Some(portrait(sight, place, elsewhere)),
            until: None,
            block_page: None,
            haste: None,
        })
    }
}

impl Shown {
    fn add(&mut self, other: Self) {
        self.flows += other.flows;
        self.example = self.example.take().into_iter().chain(other.example).min();
        for (address, place) in other.places {
            self.places.entry(address).and_modify(|own| own.add(place)).or_insert(place);
        }
        while self.places.len() > PLACES_MAX {
            self.places.pop_last();
        }
    }
}

/// The certificate of a private authority. By itself it shows nothing: companies have their own.
pub fn private_authority(sight: &CertificateSight) -> Suspicion {
    let known = INTERCEPTORS.iter().find(|(name, _)| sight.issuer.contains(name));
    let told = known.map_or("which no public authority is".to_owned(), |(_, source)| {
        format!("an authority for reading along ({source})")
    });
    let fact = Fact {
        signal: Signal::CertificateSwap,
        grade: if known.is_some() { Grade::Full } else { Grade::Half },
        frame: sight.frame,
        expected: "a certificate from a public authority".to_owned(),
        observed: format!("issuer \"{}\"", sight.issuer),
        text: format!(
            "{} shows a certificate for {} that \"{}\" signed, whose own self-signed certificate comes with it: {told}",
            sight.frame, sight.name, sight.issuer
        ),
    };
    Suspicion {
        kind: Kind::Tls,
        time: sight.time,
        trigger: sight.hello,
        forged: vec![sight.frame],
        genuine: Vec::new(),
        direction: Some(Direction::ToClient),
        facts: vec![fact],
        alternatives: vec![
            "An authority of the owner's own, for the names of one company.".to_owned(),
        ],
        injector: None,
        until: None,
        block_page: None,
        haste: None,
    }
}

/// Whether `sight` was answered from where its address answers from.
fn held_against(place: &Place, sight: &CertificateSight) -> Vec<Fact> {
    let Some((frame, ttl)) = sight.syn_ack else { return Vec::new() };
    let whose = format!("in {} other flows for that name the server {}", place.flows, sight.server);
    let shift = place.ttl_fact(frame, ttl, &whose);
    let took = sight.handshake;
    let timing =
        took.and_then(|took| place.timing_fact(frame, took, (Signal::HandshakeFast, &whose)));
    [shift, timing].into_iter().flatten().collect()
}

/// `certificate_swap`.
fn swap(sight: &CertificateSight, name: &str, shown: &Shown) -> Option<Fact> {
    let (frame, issuer) = shown.example.as_ref()?;
    let what = if sight.self_signed { "self-signed" } else { "made out for another name" };
    Some(Fact {
        signal: Signal::CertificateSwap,
        grade: if sight.self_signed { Grade::Full } else { Grade::Half },
        frame: sight.frame,
        expected: format!("a certificate for {name} from an issuer, as \"{issuer}\""),
        observed: format!("subject \"{}\", issuer \"{}\"", sight.subject, sight.issuer),
        text: format!(
            "{} shows a certificate for {name} that is {what}; {} other flows for that name got one that \"{issuer}\" vouches for, as in {frame}",
            sight.frame, shown.flows
        ),
    })
}

fn portrait(sight: &CertificateSight, place: Option<&Place>, elsewhere: bool) -> Injector {
    let ttl = sight.syn_ack.map(|(_, ttl)| ttl).filter(|_| elsewhere);
    Injector {
        direction: Some(Direction::ToClient),
        initial_ttl: ttl.map(Ttl::guess_initial),
        hops_min: ttl.map(Ttl::guess_hops),
        hops_max: ttl.map(Ttl::guess_hops),
        server_hops: place.map(|place| place.ttl_low.guess_hops()),
        fingerprint: None,
        // Who holds the whole connection in the server's place has it pass through its hands.
        in_path: elsewhere.then_some(true),
    }
}

fn alternatives(compared: bool) -> Vec<String> {
    let mut open = vec![
        "The owner's own machine with a certificate that it made itself, or a company's or household's own gateway.".to_owned(),
    ];
    if !compared {
        open.push("No other flow for that name went to the same address, so the way to it cannot be compared.".to_owned());
    }
    open
}

/// Authorities made for nothing else, by a part of their names.
const INTERCEPTORS: [(&str, &str); 2] = [
    (
        "Qaznet Trust Network",
        "Kazakhstan 2019: Raman and others, Investigating Large Scale HTTPS Interception in Kazakhstan, IMC 2020",
    ),
    (
        "Information Security Certification Authority",
        "Kazakhstan 2020: Censored Planet; distrusted by Mozilla and Google",
    ),
];

/// Most addresses kept for one name.
const PLACES_MAX: usize = 8;

#[cfg(test)]
mod tests;
