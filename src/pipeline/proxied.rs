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
                    None => found.suspicion.alternatives.push(UNKNOWN_TWIN.to_owned()),
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

/// An innocent cause that nothing is left to hold a notice against.
const UNKNOWN_TWIN: &str = "The server sent it: the handshakes of its other port might show that, and \
                            were given up for lack of room.";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::Accepted;
    use crate::evidence::{FlowEnd, Suspicion};
    use crate::flow::UdpFlow;
    use crate::pipeline::closing::tell_udp;
    use crate::pipeline::dns::Spoken;
    use crate::wire::{Duration, FlowKey, FrameId, Timestamp, Transport, Ttl};

    /// A flow that `server` is said to have accepted, and to have answered by a notice.
    fn notified(server: Endpoint, accepted: Accepted) -> Ended {
        let client = Endpoint::new([198, 51, 100, 1].into(), 40_000);
        let (key, side) = FlowKey::of(Transport::Tcp, client, server);
        let notice = Fact {
            signal: Signal::BlockPage,
            grade: Grade::Full,
            frame: FrameId::new(0, 6),
            expected: String::new(),
            observed: String::new(),
            text: String::new(),
        };
        let suspicion = Suspicion {
            kind: Kind::Response,
            time: Timestamp::ZERO,
            trigger: None,
            forged: vec![notice.frame],
            genuine: Vec::new(),
            direction: None,
            facts: vec![notice],
            alternatives: Vec::new(),
            injector: None,
            until: None,
            block_page: None,
            haste: None,
        };
        let verdict = verdict::weigh(&suspicion).expect("a verdict");
        let flow = UdpFlow {
            client: side,
            first_frame: FrameId::new(0, 1),
            last_frame: FrameId::new(0, 9),
            first: Timestamp::ZERO,
            last: Timestamp::ZERO,
            packets: [3, 3],
            bytes: [100, 900],
        };
        let ended = tell_udp(&key, &flow, None, FlowEnd::Fin, Spoken::default());
        let found = vec![Found::new(suspicion, verdict, None)];
        Ended { found, accepted: Some(accepted), ..ended }
    }

    #[test]
    fn where_the_other_port_was_given_up_a_notice_says_that_it_might_excuse_it() {
        let server = |last, port| Endpoint::new([203, 0, 113, last].into(), port);
        let took = Some(Duration::from_millis(21));
        let mut scarce = Acceptances::with_room(1);
        for last in 1..=8 {
            scarce.add(server(last, 443), (FrameId::new(0, last.into()), Ttl(53)), took);
        }
        let nobody = Proxies::of(&Acceptances::default(), &Passages::default());
        let accepted = Accepted { frame: FrameId::new(0, 2), ttl: Ttl(53), took };
        let judged = |last, acceptances: &Acceptances| {
            let mut ended = notified(server(last, 80), accepted);
            join_notices(&mut ended, acceptances, &nobody, &Voices::default());
            let suspicion = &ended.found[0].suspicion;
            (suspicion.facts.len(), suspicion.alternatives.len())
        };
        let all: Vec<_> = (1..=8).map(|last| judged(last, &scarce)).collect();
        assert_eq!(all.iter().filter(|told| **told == (1, 1)).count(), 7, "{all:?}");
        assert_eq!(all.iter().filter(|told| **told == (3, 0)).count(), 1, "{all:?}");
        assert_eq!(judged(1, &Acceptances::default()), (1, 0), "it never answered");
    }
}
