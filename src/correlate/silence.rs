//! Silence held against its controls: was it the name, or the path, the server, chance?
//!
//! Silence is interference only beside a control: the same client, another name, the same time,
//! answered by the same server or, at half the grade, by one in the same network: a server that is
//! overloaded, or dead behind a machine that answers SYNs for it (SYN cookies, RFC 4987 section 3.6),
//! connects and is silent to all its names. What speaks against
//! it is looked for as well: other names that met the same, and the same name that passed.
//! Everything here is a comparison of values; the order in which they were folded does not matter.

use std::collections::BTreeMap;

use controls::{Controls, Elsewhere};

use super::passages::{Passages, Road, Subject};
use super::peers::{Peer, Peers};
use crate::evidence::{Fact, Grade, HostSource, Kind, Signal, Suspicion};
use crate::wire::{Duration, Endpoint, FrameId, Timestamp, Transport};

/// A flow in which something was sent again and not answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silent {
    /// Between whom.
    pub road: Road,
    /// What was not answered, as a signal.
    pub what: Signal,
    /// What it asked for; none for a SYN.
    pub subject: Option<Subject>,
    /// Where the name stood.
    pub source: HostSource,
    /// The packet that set it off.
    pub trigger: FrameId,
    /// First frame of the flow.
    pub begins: FrameId,
    /// When it was sent first.
    pub from: Timestamp,
    /// When it was sent for the last time.
    pub until: Timestamp,
    /// The frame of that, where it is known.
    pub last: FrameId,
    /// How often it was sent.
    pub copies: u32,
    /// Its size, in payload bytes.
    pub size: u32,
    /// How long the server had been silent before: a way that was alive a moment ago.
    pub idle: Duration,
    /// How long the recording went on after it was sent first, as far as it is of interest.
    pub watched: Duration,
}

impl Silent {
    /// The server's own SYN/ACK came shortly before: server and way lived then, as a control would
    /// show.
    fn answered_before(&self) -> bool {
        let connected = !matches!(
            self.what,
            Signal::SynUnanswered | Signal::QueryUnanswered | Signal::QuicUnanswered
        );
        connected && self.idle <= IDLE_MAX
    }
}

/// What came of holding a flow against others.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// What is suspected.
    pub suspicion: Suspicion,
    /// First frame of the flow that is its control.
    pub control: Option<FrameId>,
}

/// All silent flows of a recording, by client and network of the server, and what passed beside them.
#[derive(Debug)]
pub struct Silences<'a> {
    flows: Peers<'a, Silent>,
    passages: &'a Passages,
    /// What the servers of silent flows answered to anybody.
    answered: BTreeMap<Service, Vec<Elsewhere<'a>>>,
}

/// A port of a server.
type Service = (Endpoint, Transport);

impl Road {
    fn service(self) -> Service {
        (self.server, self.proto)
    }
}

impl Peer for Silent {
    fn road(&self) -> Road {
        self.road
    }

    fn since(&self) -> (Timestamp, FrameId) {
        (self.from, self.begins)
    }
}

impl<'a> Silences<'a> {
    /// All of `flows`, and all that passed.
    pub fn of(flows: &'a [Silent], passages: &'a Passages) -> Self {
        let mut answered: BTreeMap<Service, Vec<Elsewhere<'a>>> =
            flows.iter().map(|flow| (flow.road.service(), Vec::new())).collect();
        if !answered.is_empty() {
            for (client, server, passed) in passages.all().filter(|(.., passed)| passed.answered) {
                let service = (Endpoint::new(server, passed.port), passed.proto);
                if let Some(all) = answered.get_mut(&service) {
                    all.push(Elsewhere { client, passed });
                }
            }
        }
        Self { flows: Peers::of(flows), passages, answered }
    }

    /// Holds `silent`, which is one of them, against the others and against what passed.
    pub fn judge(&self, silent: &Silent) -> Option<Judged> {
        let peers = self.peers(silent);
        let told = Told::of(silent, &peers);
        let elsewhere = self.answered.get(&silent.road.service()).map(Vec::as_slice);
        let span = span_of(silent, &peers);
        let beside = (span, self.others_fell_silent(silent));
        let controls = Controls::of(silent, beside, self.passages, elsewhere.unwrap_or_default())?;
        let mut grade = told.grade(silent)?;
        let sized = silent.size < LARGE || controls.large;
        if !sized {
            grade = Grade::Half;
        }
        let mut facts = vec![told.fact(silent, grade)];
        facts.extend(controls.passed(silent, sized));
        facts.extend(controls.failed(silent, &peers));
        facts.extend(controls.name_passed(silent));
        if controls.here && silent.idle < FORGETFUL {
            facts.extend(repeated(silent, &peers));
        }
        let control = controls.best.map(|(_, begins, _)| begins);
        let suspicion = Suspicion {
            kind: Kind::Drop,
            time: silent.from,
            trigger: Some(silent.trigger),
            forged: Vec::new(),
            genuine: Vec::new(),
            direction: None,
            facts,
            alternatives: alternatives(silent, &controls, sized),
            injector: None,
            until: Some(silent.last),
            block_page: None,
            haste: None,
        };
        Some(Judged { suspicion, control })
    }

    /// Whether flows of the same client for other names, to whatever server, were silent at the same
    /// time: then its line may have been down.
    fn others_fell_silent(&self, silent: &Silent) -> bool {
        self.flows.of_client(silent, (silent.from - NEAR, silent.until)).any(|flow| {
            let named = flow.subject.is_some() && flow.subject != silent.subject;
            named && flow.until >= silent.from
        })
    }

    /// The others between the same two addresses, near in time.
    fn peers(&self, silent: &Silent) -> Vec<&'a Silent> {
        let window = (silent.from - NEAR, silent.until + NEAR);
        self.flows.near(silent, window).filter(|flow| flow.road == silent.road).collect()
    }
}

/// What was sent in vain. DNS questions for the same from several ports count together.
struct Told {
    copies: u32,
    from: Timestamp,
    until: Timestamp,
}

impl Told {
    fn of(silent: &Silent, peers: &[&Silent]) -> Self {
        let mut told = Self { copies: silent.copies, from: silent.from, until: silent.until };
        if silent.what == Signal::QueryUnanswered {
            for peer in peers.iter().filter(|peer| peer.subject == silent.subject) {
                told.copies = told.copies.saturating_add(peer.copies);
                told.from = told.from.min(peer.from);
                told.until = told.until.max(peer.until);
            }
        }
        told
    }

    fn span(&self) -> Duration {
        self.until.since(self.from)
    }

    /// How well the condition of the signal is met.
    fn grade(&self, silent: &Silent) -> Option<Grade> {
        let millis = Duration::from_millis;
        let (full, half) = match silent.what {
            Signal::QueryUnanswered => {
                // A resolver that gives up says so within some seconds (SERVFAIL).
                let patient = silent.watched >= Duration::from_secs(10);
                (if patient { (3, millis(4_000)) } else { NEVER }, (2, millis(3_000)))
            }
            Signal::QuicUnanswered => ((3, millis(1_000)), (2, millis(300))),
            Signal::SynUnanswered => ((4, millis(3_000)), (3, millis(2_000))),
            _ => ((4, millis(1_500)), (3, millis(500))),
        };
        let meets = |(copies, span): (u32, Duration)| self.copies >= copies && self.span() >= span;
        match (meets(full), meets(half)) {
            (true, _) if silent.idle <= IDLE_MAX => Some(Grade::Full),
            (false, false) => None,
            _ => Some(Grade::Half),
        }
    }

    fn fact(&self, silent: &Silent, grade: Grade) -> Fact {
        let (trigger, server, copies) = (silent.trigger, silent.road.server.ip, self.copies);
        let span = self.span();
        let name = silent.subject.as_ref().map_or("no name", |subject| &*subject.name);
        let until = match silent.last {
            last if last > trigger => format!(", until {last}"),
            _ => String::new(),
        };
        let sent = format!("was sent {copies} times over {span}{until}");
        let text = match silent.what {
            Signal::HelloUnanswered => format!(
                "the ClientHello for {name} in {trigger} {sent}, and the server {server} never acknowledged it"
            ),
            Signal::RequestUnanswered => format!(
                "the request to {name} in {trigger} {sent}, and the server {server} never acknowledged it"
            ),
            Signal::QueryUnanswered => format!(
                "the query for {name} in {trigger} {sent}, and the resolver {server} never answered"
            ),
            Signal::QuicUnanswered => format!(
                "after the Initial for {name} in {trigger}, sent again over {span}, nothing came from the server {server}"
            ),
            Signal::SynUnanswered => {
                format!("the SYN in {trigger} {sent}, and nothing came from {server}")
            }
            Signal::AckWithheld => format!(
                "after {name} in {trigger} one side sent the same data {copies} times over {span}{until}, though the other had acknowledged them"
            ),
            _ => format!(
                "after {name} in {trigger} the client's data {sent}, and the server {server} never acknowledged them"
            ),
        };
        Fact {
            signal: silent.what,
            grade,
            frame: trigger,
            expected: "an answer, or an acknowledgment".to_owned(),
            observed: format!("none to {copies} copies over {span}"),
            text,
        }
    }
}

/// From the first silence of the name to the last: what passes between two of them was in time for
/// both.
fn span_of(silent: &Silent, peers: &[&Silent]) -> (Timestamp, Timestamp) {
    let same = peers.iter().filter(|peer| peer.subject.is_some() && peer.subject == silent.subject);
    same.fold((silent.from, silent.until), |(from, until), peer| {
        (from.min(peer.from), until.max(peer.until))
    })
}

/// `name_repeated`.
fn repeated(silent: &Silent, peers: &[&Silent]) -> Option<Fact> {
    let subject = silent.subject.as_ref()?;
    // Questions for the same were counted together already.
    let counted = silent.what != Signal::QueryUnanswered;
    let alike = |peer: &&&Silent| peer.subject.as_ref() == Some(subject) && counted;
    let others = peers.iter().filter(alike).count();
    let first = peers.iter().find(alike)?;
    Some(Fact {
        signal: Signal::NameRepeated,
        grade: if others >= 2 { Grade::Full } else { Grade::Half },
        frame: first.trigger,
        expected: "chance, which does not choose by name".to_owned(),
        observed: format!("{} flows for {} that met the same", others + 1, subject.name),
        text: format!(
            "{} flows for {} met the same within two minutes, as in {}",
            others + 1,
            subject.name,
            first.trigger
        ),
    })
}

fn alternatives(silent: &Silent, controls: &Controls<'_>, sized: bool) -> Vec<String> {
    let mut open = Vec::new();
    if controls.best.is_some() && silent.what == Signal::SynUnanswered {
        open.push(
            "The server itself, or a firewall or a dead machine behind its address, discards some connections: a SYN names nothing."
                .to_owned(),
        );
    } else if controls.best.is_some() {
        open.push(
            "The server itself, or a firewall in front of it, discards what asks for this name; or an overloaded server discarded it by chance."
                .to_owned(),
        );
    } else {
        open.push(
            "The server or the way to it was down: no flow of this client for another name shows that they were not."
                .to_owned(),
        );
    }
    if controls.best.is_some() && !controls.here && controls.alive.is_none() {
        open.push(
            "The server was overloaded, or dead behind a machine that answers SYNs for it: nobody is seen to get anything else from it."
                .to_owned(),
        );
    }
    if !sized {
        open.push(format!(
            "Large packets are lost on the way (MTU black hole): no control had a packet of {} bytes.",
            silent.size
        ));
    }
    if silent.idle >= FORGETFUL {
        open.push(format!(
            "A gateway or firewall on the way had forgotten the connection, over which nothing had come for {}.",
            silent.idle
        ));
    }
    match silent.what {
        Signal::QueryUnanswered => open.push(
            "The resolver cannot reach the name's own servers, and does not say so.".to_owned(),
        ),
        Signal::QuicUnanswered => {
            open.push("The server does not speak QUIC for this name.".to_owned());
        }
        _ => {}
    }
    open
}

/// Flows so far from the silence are compared with it.
const NEAR: Duration = Duration::from_secs(120);
/// Where nothing but the server's own SYN/ACK came before the silence, a control after it must follow
/// within this time.
const SOON: Duration = Duration::from_secs(15);
/// A server that was heard so shortly before was alive, and so was the way to it. Later it may have
/// died, or an address translation may have forgotten the connection.
const IDLE_MAX: Duration = Duration::from_millis(1_000);
/// After this time a gateway may have forgotten the connection, and all others that rested as long.
const FORGETFUL: Duration = Duration::from_secs(10);
/// From this size on a packet may be too large for a path whose small packets pass: what IPv6
/// guarantees (RFC 8200 §5), less headers.
const LARGE: u32 = 1_180;
/// A condition that nothing meets.
const NEVER: (u32, Duration) = (u32::MAX, Duration::ZERO);

mod controls;
#[cfg(test)]
mod tests;
