//! What one flow says about another, before anything is told: substituted certificates, refusals,
//! silence and ceilings beside their controls, and residual blocking.

use super::closing::{Ended, Found};
use super::refused::Refused;
use crate::correlate::{
    Acceptances, CertificateTally, Episode, Judged, Passages, Road, Silences, Silent, Slow, Slows,
    Strike, Struck, Subject, Swifts, Throttled, outposts, residual_of, singled_out,
};
use crate::evidence::{Confidence, Fact, Grade, HostSource, Kind, Residual, Signal, Suspicion};
use crate::verdict;
use crate::wire::FrameId;

/// A finding of another flow: the flow's first frame, and the kind.
pub(super) type Origin = (FrameId, Kind);

/// Holds the certificates of `flows` that nobody vouches for against those of all flows.
pub(super) fn join_certificates(flows: &mut [Ended], certificates: &CertificateTally) {
    for ended in flows {
        let odd = ended.certificate.as_deref().filter(|sight| !sight.vouched);
        let Some(sight) = odd else { continue };
        let Some(suspicion) = certificates.judge(sight) else { continue };
        // One finding for each flow and kind.
        if ended.found.iter().any(|found| found.suspicion.kind == suspicion.kind) {
            continue;
        }
        let Some(verdict) = verdict::weigh(&suspicion) else { continue };
        let host = Some((sight.name.clone(), HostSource::Sni));
        ended.found.push(Found::new(suspicion, verdict, host));
    }
}

/// Holds what findings say of haste against how soon the same ports answer elsewhere: a handshake
/// that was late on the way makes a server slower than it is.
pub(super) fn join_haste(flows: &mut [Ended], acceptances: &Acceptances) {
    for ended in flows {
        let server = ended.record.server;
        let home = ended.accepted.map(|accepted| accepted.ttl);
        ended.found.retain_mut(|found| {
            if !acceptances.hold(server, home, &mut found.suspicion) {
                return true;
            }
            let verdict = verdict::weigh(&found.suspicion);
            verdict.map(|verdict| found.verdict = verdict).is_some()
        });
    }
}

/// Holds refused connections, those that began first, against how the same ports accept others.
pub(super) fn join_refusals(flows: &mut [Ended], acceptances: &Acceptances) {
    let mut refused: Vec<&mut Ended> =
        flows.iter_mut().filter(|ended| ended.refusal.is_some()).collect();
    refused.sort_by_key(|ended| ended.first_frame);
    for ended in refused.into_iter().take(Refused::FLOWS_MAX) {
        hold_refusals(ended, acceptances);
        let Some(suspicion) = ended.refusal.and_then(|refusal| acceptances.judge(&refusal)) else {
            continue;
        };
        let Some(verdict) = verdict::weigh(&suspicion) else { continue };
        let known = |found: &Found| {
            found.suspicion.kind == suspicion.kind && found.verdict.score >= verdict.score
        };
        // One finding for each flow and kind: the surer one.
        if !ended.found.iter().any(known) {
            ended.found.retain(|found| found.suspicion.kind != suspicion.kind);
            ended.found.push(Found::new(suspicion, verdict, None));
        }
    }
}

/// Adds what the same port's handshakes say to a suspicion of the refusal that has nothing else to hold
/// it against: its stated sender said nothing in this connection.
fn hold_refusals(ended: &mut Ended, acceptances: &Acceptances) {
    let Some(refusal) = ended.refusal else { return };
    let of_it = |found: &&mut Found| {
        found.suspicion.kind == Kind::Reset && found.suspicion.forged.contains(&refusal.frame)
    };
    for found in ended.found.iter_mut().filter(of_it) {
        let facts = &mut found.suspicion.facts;
        for fact in acceptances.facts(&refusal) {
            if facts.iter().all(|known| known.signal.family() != fact.signal.family()) {
                facts.push(fact);
            }
        }
        if let Some(verdict) = verdict::weigh(&found.suspicion) {
            found.verdict = verdict;
        }
    }
}

/// Holds what came too soon, or from nearer than the server, against what else did: whether it came from
/// one place, and whether it chose by name.
pub(super) fn join_haste_of_all(flows: &mut [Ended], passages: &Passages) {
    let mut suspect: Vec<&mut Found> = Vec::new();
    let mut quick: Vec<(usize, Strike)> = Vec::new();
    let mut named: Vec<(usize, Struck)> = Vec::new();
    for ended in flows {
        let (begins, record) = (ended.first_frame, &ended.record);
        let road = Road { client: record.client.ip, server: record.server, proto: record.proto };
        for found in &mut ended.found {
            let place = suspect.len();
            let facts = &found.suspicion.facts;
            let soon = facts.iter().find(|fact| is_too_soon(fact)).zip(found.suspicion.haste);
            let hasty = soon.map(|(fact, _)| fact).filter(|fact| fact.grade == Grade::Full);
            let near = || facts.iter().find(|fact| fact.signal == Signal::RstTtlNear);
            let frame = hasty.or_else(near).map(|fact| fact.frame);
            let host = found.host.as_ref();
            let subject = host.and_then(|(host, _)| Subject::of(host, 0));
            let time = found.suspicion.time;
            let struck = frame.zip(subject).map(|(frame, subject)| Struck {
                road,
                subject,
                frame,
                time,
                begins,
            });
            let server = record.server.ip;
            let strike = soon.map(|(fact, haste)| Strike { frame: fact.frame, server, haste });
            if struck.is_none() && strike.is_none() {
                continue;
            }
            named.extend(struck.map(|struck| (place, struck)));
            quick.extend(strike.map(|strike| (place, strike)));
            suspect.push(found);
        }
    }
    let (hasty, strikes): (Vec<usize>, Vec<Strike>) = quick.into_iter().unzip();
    let (owners, struck): (Vec<usize>, Vec<Struck>) = named.into_iter().unzip();
    let places = hasty.into_iter().zip(outposts(&strikes));
    let chosen = owners.into_iter().zip(singled_out(&struck, passages));
    for (place, fact) in places.chain(chosen) {
        if let Some((fact, found)) = fact.zip(suspect.get_mut(place)) {
            found.suspicion.facts.push(fact);
            if let Some(verdict) = verdict::weigh(&found.suspicion) {
                found.verdict = verdict;
            }
        }
    }
}

fn is_too_soon(fact: &Fact) -> bool {
    matches!(fact.signal, Signal::RstFast | Signal::DataFast)
}

/// Holds what was not answered against what other flows got. Where something was forged in a flow,
/// that is what silenced it.
pub(super) fn join_silence(flows: &mut [Ended], passages: &Passages) {
    let told = |ended: &Ended| {
        ended.found.iter().any(|found| found.verdict.confidence >= Confidence::Likely)
    };
    let silent: Vec<Silent> = flows
        .iter()
        .filter(|ended| !told(ended))
        .filter_map(|ended| ended.silent.as_deref().cloned())
        .collect();
    let silences = Silences::of(&silent, passages);
    for ended in flows.iter_mut().filter(|ended| !told(ended)) {
        let Some(silent) = ended.silent.as_deref() else { continue };
        let Some(Judged { suspicion, control }) = silences.judge(silent) else { continue };
        let Some(verdict) = verdict::weigh(&suspicion) else { continue };
        let host = silent.subject.as_ref().map(|asked| (asked.name.to_string(), silent.source));
        ended.found.push(Found { control, ..Found::new(suspicion, verdict, host) });
    }
}

/// Holds the ceilings that flows met against how fast others were.
pub(super) fn join_rates(flows: &mut [Ended], swifts: &Swifts) {
    let slow: Vec<Slow> = flows.iter().filter_map(|ended| ended.slow.as_deref().cloned()).collect();
    let slows = Slows::of(&slow);
    for ended in flows {
        let Some(slow) = ended.slow.as_deref() else { continue };
        let Some(Throttled { suspicion, control, policed }) = slows.judge(slow, swifts) else {
            continue;
        };
        let Some(verdict) = verdict::weigh(&suspicion) else { continue };
        let host = Some((slow.subject.name.to_string(), slow.source));
        let found = Found::new(suspicion, verdict, host);
        ended.found.push(Found { control: Some(control), policed: Some(policed), ..found });
    }
}

/// Joins findings without a name of their own to the named one that set them off.
pub(super) fn join_residual(flows: &mut [Ended]) {
    let places: Vec<(usize, usize)> = flows
        .iter()
        .enumerate()
        .flat_map(|(flow, ended)| (0..ended.found.len()).map(move |place| (flow, place)))
        .collect();
    let at = |flows: &[Ended], (flow, place): (usize, usize)| -> Option<Cause> {
        let ended = flows.get(flow)?;
        let found = ended.found.get(place)?;
        Some(Cause {
            episode: episode(ended, found),
            origin: (ended.first_frame, found.suspicion.kind),
            host: found.host.as_ref().map(|(host, _)| host.clone()),
        })
    };
    let causes: Vec<Cause> = places.iter().filter_map(|place| at(flows, *place)).collect();
    let episodes: Vec<Episode> = causes.iter().map(|cause| cause.episode).collect();
    for ((flow, place), link) in places.into_iter().zip(residual_of(&episodes)) {
        let Some((cause, residual)) = link else { continue };
        let found = flows.get_mut(flow).and_then(|ended| ended.found.get_mut(place));
        if let (Some(found), Some(cause)) = (found, causes.get(cause)) {
            attach(found, cause, residual);
        }
    }
}

struct Cause {
    episode: Episode,
    origin: Origin,
    host: Option<String>,
}

fn episode(ended: &Ended, found: &Found) -> Episode {
    let record = &ended.record;
    Episode {
        proto: record.proto,
        client: record.client,
        server: record.server,
        time: found.suspicion.time,
        // A forged SYN/ACK answers the SYN, whatever the client asks for afterwards.
        named: found.host.is_some() && found.suspicion.kind != Kind::Handshake,
        sure: found.verdict.confidence >= Confidence::Likely,
    }
}

fn attach(found: &mut Found, cause: &Cause, residual: Residual) {
    found.suspicion.facts.push(fact(&found.suspicion, cause, residual));
    if let Some(verdict) = verdict::weigh(&found.suspicion) {
        found.verdict = verdict;
    }
    if found.host.is_none() {
        found.host = cause.host.clone().map(|host| (host, HostSource::Correlation));
    }
    found.residual = Some((cause.origin, residual));
}

/// `residual`.
fn fact(suspicion: &Suspicion, cause: &Cause, residual: Residual) -> Fact {
    let frame = suspicion.forged.first().or(suspicion.trigger.as_ref());
    let host = cause.host.as_deref().unwrap_or("a name");
    let Residual { seconds, tuple } = residual;
    Fact {
        signal: Signal::Residual,
        grade: Grade::Full,
        frame: frame.copied().unwrap_or_default(),
        expected: "each connection judged by what it asks for".to_owned(),
        observed: format!("a connection without a name hit {seconds} s after {host}"),
        text: format!(
            "{seconds} s before, {host} had set off the same between {}, in the flow that begins in {}",
            tuple.in_words(),
            cause.origin.0
        ),
    }
}
