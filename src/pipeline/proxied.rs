//! Notices and certificates held against what other flows show of who sent them: a transparent
//! proxy, or one voice in the names of many.

use super::closing::{Ended, Found};
use crate::correlate::{Acceptances, Passages, Proxies, Voice, Voices, private_authority};
use crate::evidence::{Fact, Grade, HostSource, Kind, Signal};
use crate::verdict;
use crate::wire::Endpoint;

/// Judges again what notices and certificates of private authorities say.
pub(super) fn join_proxied(flows: &mut [Ended], acceptances: &Acceptances, passages: &Passages) {
    if !flows.iter().any(|ended| has_private(ended) || ended.found.iter().any(is_notice)) {
        return;
    }
    let proxies = Proxies::of(acceptances, passages);
    let mut voices = Voices::default();
    for ended in flows.iter() {
        let notices = ended.found.iter().filter_map(|found| of_notice(ended, found));
        for voice in notices.chain(of_certificate(ended)) {
            voices.add(voice);
        }
    }
    for ended in flows {
        join_notices(ended, acceptances, &proxies, &voices);
        join_private(ended, &proxies, &voices);
    }
}

fn join_notices(ended: &mut Ended, acceptances: &Acceptances, proxies: &Proxies, voices: &Voices) {
    let server = ended.record.server;
    let said: Vec<Option<Voice>> =
        ended.found.iter().map(|found| of_notice(ended, found)).collect();
    let mut said = said.into_iter();
    let accepted = ended.accepted;
    ended.found.retain_mut(|found| {
        let said = said.next().flatten();
        let Some(notice) = notice_of(found) else { return true };
        let weak = notice.grade == Grade::Half;
        let mut beside = false;
        if let Some(accepted) = accepted {
            beside = proxies.hold(server, accepted, &mut found.suspicion);
            if !beside {
                match acceptances.at_home(server, accepted) {
                    Some(facts) => found.suspicion.facts.extend(facts),
                    None => found.suspicion.alternatives.push(unknown_twin(server)),
                }
            }
        }
        let voice = said.and_then(|said| voices.judge(&said, weak));
        // A product's page from who opened the connection: its maker's own site shows it too.
        let alone = found.suspicion.facts.iter().all(|fact| fact.signal == Signal::BlockPage);
        if weak && accepted.is_some() && !beside && voice.is_none() && alone {
            return false;
        }
        found.suspicion.facts.extend(voice);
        let verdict = verdict::weigh(&found.suspicion);
        verdict.map(|verdict| found.verdict = verdict).is_some()
    });
}

fn unknown_twin(server: Endpoint) -> String {
    format!(
        "The server sent it: how far the other port of {} is was given up for lack of room, and \
         might show that.",
        server.ip
    )
}

/// A certificate of a private authority is told where something else speaks for its having come
/// from the way.
fn join_private(ended: &mut Ended, proxies: &Proxies, voices: &Voices) {
    let Some(sight) = ended.certificate.as_deref().filter(|_| has_private(ended)) else { return };
    if ended.found.iter().any(|found| found.suspicion.kind == Kind::Tls) {
        return;
    }
    let mut suspicion = private_authority(sight);
    let known = suspicion.facts.iter().any(|fact| fact.grade == Grade::Full);
    let voice = of_certificate(ended).and_then(|said| voices.judge(&said, false));
    let beside = ended
        .accepted
        .is_some_and(|accepted| proxies.hold(ended.record.server, accepted, &mut suspicion));
    // A company's authority signs for all its names; nobody but who reads along has one of these.
    if !beside && !known {
        return;
    }
    suspicion.facts.extend(voice);
    let Some(verdict) = verdict::weigh(&suspicion) else { return };
    let host = Some((sight.name.clone(), HostSource::Sni));
    ended.found.push(Found::new(suspicion, verdict, host));
}

fn has_private(ended: &Ended) -> bool {
    ended.certificate.as_deref().is_some_and(|sight| sight.private && sight.vouched)
}

fn is_notice(found: &Found) -> bool {
    notice_of(found).is_some()
}

fn notice_of(found: &Found) -> Option<&Fact> {
    let response = found.suspicion.kind == Kind::Response;
    found.suspicion.facts.iter().find(|fact| response && fact.signal == Signal::BlockPage)
}

fn of_notice(ended: &Ended, found: &Found) -> Option<Voice> {
    let frame = notice_of(found)?.frame;
    let notice = found.suspicion.block_page.as_ref()?.fingerprint.as_ref()?;
    let (host, _) = found.host.as_ref()?;
    let Endpoint { ip, .. } = ended.record.server;
    Some(Voice { said: format!("the notice {notice}"), host: host.clone(), server: ip, frame })
}

fn of_certificate(ended: &Ended) -> Option<Voice> {
    let sight = ended.certificate.as_deref().filter(|_| has_private(ended))?;
    Some(Voice {
        said: format!("a certificate that \"{}\" signed", sight.issuer),
        host: sight.name.clone(),
        server: sight.server,
        frame: sight.frame,
    })
}
