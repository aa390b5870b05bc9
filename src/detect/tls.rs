//! Forged TLS alerts: a refusal in the server's name before the server has spoken.
//!
//! A server's own refusal looks the same, but for its packet: that comes after a round trip, from
//! the server's distance, with the connection's timestamps, and nothing contradicts it.

use super::baseline::Baseline;
use super::reset::{speaks_against, trigger_of};
use super::response::{Quarrel, forged_frames, genuine_frames, overlap};
use super::scene::{Words, fact};
use super::{Conflict, Scene, device, marks, unsaid};
use crate::evidence::{Fact, Grade, Kind, Signal, Suspicion};
use crate::flow::Sighting;
use crate::wire::Direction;

/// Judges the alert of a scene.
pub(super) fn judge(scene: &Scene<'_>) -> Option<Suspicion> {
    let mut quarrel = Quarrel::over(scene);
    let refusal = Refusal::of(scene, &mut quarrel)?;
    let suspect = refusal.suspect;
    let forged = forged_frames(scene, &quarrel, &suspect);
    let own = Baseline::of(scene, Direction::ToClient, &forged);
    let mut facts: Vec<Fact> = overlap(&quarrel).into_iter().collect();
    facts.extend(marks::of(scene, &suspect, &own));
    // Without anything foreign about it, an alert is what servers send.
    if facts.iter().all(|fact| speaks_against(fact.signal)) {
        return None;
    }
    let denies = unsaid::add(&mut facts, scene, &suspect, &forged);
    facts.push(refusal.early(scene));
    Some(Suspicion {
        kind: Kind::Tls,
        time: suspect.time,
        trigger: trigger_of(scene, suspect.frame),
        direction: Some(Direction::ToClient),
        haste: marks::haste_of(scene, &facts),
        facts,
        alternatives: alternatives(scene, &quarrel),
        injector: Some(device::portrait(scene, &forged, Some(Direction::ToClient))),
        until: None,
        block_page: None,
        genuine: genuine_frames(scene, &quarrel, (&forged, denies)),
        forged,
    })
}

/// The alert, and the packet that brought it.
struct Refusal {
    suspect: Sighting,
    name: String,
}

impl Refusal {
    /// The alert that was read, or one that lost the race and stands in a later copy. Where the
    /// headers leave open which of two copies is forged, it is the alert: a server that refuses
    /// sends nothing else.
    fn of(scene: &Scene<'_>, quarrel: &mut Quarrel<'_>) -> Option<Self> {
        let contested = quarrel.conflicts.iter().find_map(|found| contested_alert(found));
        if let Some((alert, answer, code)) = contested {
            if !quarrel.resolved && quarrel.forged.iter().all(|seen| seen.frame != alert.frame) {
                std::mem::swap(&mut quarrel.forged, &mut quarrel.genuine);
            }
            let theirs = quarrel.forged.iter().any(|seen| seen.frame == answer.frame);
            return (!theirs).then(|| Self { suspect: alert, name: format!("alert {code}") });
        }
        let refusal = scene.refusal?;
        let suspect = *scene.sighting(refusal.frame)?;
        let genuine = quarrel.genuine.iter().any(|seen| seen.frame == suspect.frame);
        (!genuine).then(|| Self { suspect, name: refusal.name.to_owned() })
    }

    /// `tls_alert_early`.
    fn early(&self, scene: &Scene<'_>) -> Fact {
        let words = Words {
            expected: "a ServerHello".to_owned(),
            observed: format!("a fatal alert ({})", self.name),
            text: format!(
                "the first that {} says is a fatal alert ({}) in {}, before any ServerHello",
                scene.claimed(&self.suspect),
                self.name,
                self.suspect.frame
            ),
        };
        fact(Signal::TlsAlertEarly, Grade::Full, self.suspect.frame, words)
    }
}

/// Of two copies the one that is an alert, the one that is a handshake message, and the alert's
/// number.
fn contested_alert(found: &Conflict) -> Option<(Sighting, Sighting, u8)> {
    const HANDSHAKE: u8 = 22;
    let is_hello = |bytes: &[u8]| bytes.first() == Some(&HANDSHAKE);
    let (first, later) = (fatal_alert(&found.first_bytes), fatal_alert(&found.later_bytes));
    match (first, later) {
        (Some(code), None) if is_hello(&found.later_bytes) => {
            Some((found.first, found.later, code))
        }
        (None, Some(code)) if is_hello(&found.first_bytes) => {
            Some((found.later, found.first, code))
        }
        _ => None,
    }
}

/// The number of the fatal alert that `bytes` begin with (RFC 8446 §5.1, §6).
fn fatal_alert(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [21, 3, _, 0, 2, 2, code, ..] => Some(*code),
        _ => None,
    }
}

fn alternatives(scene: &Scene<'_>, quarrel: &Quarrel<'_>) -> Vec<String> {
    let mut open = Vec::new();
    if quarrel.conflicts.is_empty() {
        open.push(
            "The server, or a balancer in front of it, refused the name, the versions or the ciphers itself."
                .to_owned(),
        );
    }
    if scene.gaps > 0 {
        open.push(format!("{} payload bytes are missing from the capture.", scene.gaps));
    }
    open
}

#[cfg(test)]
mod tests;
