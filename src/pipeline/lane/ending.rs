//! The end of flows: what each leaves in the outcome.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::super::closing::{Ended, Found, certificate_of, judge, refusal_of, tell_tcp, tell_udp};
use super::super::conversation::Conversation;
use super::super::dns::Spoken;
use super::super::udp::DatagramTalk;
use super::super::{rates, silence};
use super::{Flow, Lane};
use crate::correlate::{CertificateSight, Name, Opening};
use crate::evidence::{FlowEnd, Kind};
use crate::flow::{Phase, Prelude};
use crate::wire::{FlowKey, FrameId};

impl Lane<'_> {
    /// Concludes a flow that was taken out of the table.
    pub(super) fn conclude(&mut self, key: &FlowKey, flow: Flow, end: FlowEnd) {
        self.room.change(flow.memory(), 0);
        match flow {
            Flow::Prelude(prelude) => self.conclude_prelude(key, &prelude, end),
            Flow::Tcp(conversation) => self.conclude_tcp(key, conversation, end),
            Flow::Udp(talk) => self.conclude_udp(key, talk, end),
            Flow::Judged(_) => return,
        }
        let Self { room, outcome, settings, .. } = self;
        let found = room.found.kept() * (Ended::FOUND_BYTES - Ended::BYTES);
        // Where the records of all flows are wanted, they are not held against what is alive.
        let kept = if settings.flows { 0 } else { outcome.flows.len() };
        room.ended(|budget| kept * Ended::BYTES + found + outcome.beyond(budget));
    }

    /// A connection that never carried payload: judged now, unless there is nothing to judge.
    fn conclude_prelude(&mut self, key: &FlowKey, prelude: &Prelude, end: FlowEnd) {
        let settings = self.settings;
        let refused = prelude.is_plainly_refused();
        let wanted = refused && self.outcome.refused.wants(prelude.first_frame());
        let plain = prelude.is_unanswered() || refused;
        if plain && !wanted && !settings.flows {
            self.outcome.limits.refused += u64::from(refused);
            self.directory.ended(None, false);
            return;
        }
        let conversation = self.spares.replay(key, prelude, settings);
        self.conclude_tcp(key, conversation, end);
    }

    fn conclude_udp(&mut self, key: &FlowKey, mut talk: DatagramTalk, end: FlowEnd) {
        talk.quic.settle();
        let spoken = std::mem::take(&mut talk.dns).finish(&self.settings.fingerprints);
        let unanswered = silence::of_udp(
            key,
            (&talk, &spoken),
            (&mut self.names, &mut self.outcome.passages),
            self.clock,
        );
        let silent = self.room.silent.admit(unanswered, &mut self.outcome.limits.silences_given_up);
        let DatagramTalk { flow, quic, .. } = talk;
        let ends = [flow.client, flow.client.other()].map(|side| key.endpoint(side).ip);
        let host = quic.names().and_then(|names| names.sni.as_deref());
        self.directory.ended(host, false);
        if self.is_told(&spoken, ends, flow.first_frame) || silent.is_some() {
            self.keep(Ended { silent, ..tell_udp(key, &flow, quic.told(), end, spoken) });
        } else if let Some(host) = host {
            // An answer by QUIC is encrypted, and may be the last before the blocking sets in.
            let client = key.endpoint(flow.client).ip;
            let opening = Opening { time: flow.first, frame: flow.first_frame, client };
            let server = key.endpoint(flow.client.other());
            let name = self.names.of(host).map(|name| (name, None));
            self.outcome.hosts.quiet_flow((opening, server), name.as_slice());
        }
    }

    /// Whether the record of a flow without findings is needed. What it said in DNS is noted.
    fn is_told(&mut self, spoken: &Spoken, ends: [IpAddr; 2], first_frame: FrameId) -> bool {
        let may_be_judged =
            self.outcome.resolvers.note(spoken, ends, first_frame, &self.settings.fingerprints);
        self.settings.flows || may_be_judged
    }

    /// Keeps a flow to be told, or to be judged when all flows are known.
    fn keep(&mut self, ended: Ended) {
        let found = !ended.found.is_empty() || ended.dns.stands_out();
        if found && !self.settings.flows {
            let given_up = &mut self.outcome.limits.findings_given_up;
            if self.room.found.admit(Some(()), given_up).is_none() {
                let hosts = ended.found.iter().filter_map(|found| found.host.as_ref());
                self.outcome.hosts.unclear_flow(&ended.record, hosts.map(|(host, _)| &**host));
                return;
            }
        }
        let stands_out = ended.dns.stands_out()
            || ended.certificate.is_some()
            || ended.silent.is_some()
            || ended.slow.is_some();
        if self.settings.flows || !ended.found.is_empty() || stands_out {
            self.outcome.flows.push(ended);
        } else {
            self.outcome.resolvers.keep(ended);
        }
    }

    fn conclude_tcp(&mut self, key: &FlowKey, mut conversation: Box<Conversation>, end: FlowEnd) {
        self.fold_tcp(key, &mut conversation, end);
        self.spares.put(conversation);
    }

    /// A flow of which nothing need be told is folded into the tally of hosts and forgotten.
    fn fold_tcp(&mut self, key: &FlowKey, conversation: &mut Conversation, end: FlowEnd) {
        conversation.finish(self.settings);
        let found = judge(key, conversation);
        self.outcome.limits.flows_rewound += u64::from(conversation.flow.rewound);
        let spoken = conversation.talk.finish_dns(&self.settings.fingerprints);
        let hosts = conversation.talk.hosts();
        self.directory.ended(hosts.iter().map(|(host, _)| *host), !found.is_empty());
        let named =
            hosts.into_iter().filter_map(|(host, frame)| Some((self.names.of(host)?, frame)));
        let hosts: SmallVec<[(Name, Option<FrameId>); 1]> = named.collect();
        let client = conversation.flow.client;
        let ends = [client, client.other()].map(|side| key.endpoint(side).ip);
        let told = self.is_told(&spoken, ends, conversation.flow.first_frame);
        let certificate = certificate_of(key, conversation);
        let odd = self.fold_certificate(certificate);
        let unanswered = silence::of_tcp(
            key,
            (&*conversation, &hosts[..]),
            &mut self.outcome.passages,
            self.clock,
        );
        let silent = self.room.silent.admit(unanswered, &mut self.outcome.limits.silences_given_up);
        self.fold_acceptance(key, conversation, &found);
        self.outcome.reach.add(&conversation.flow);
        let first = conversation.flow.first_frame;
        let refusal = refusal_of(key, conversation);
        self.outcome.limits.refused += u64::from(refusal.is_some());
        let refusal = refusal.filter(|_| self.outcome.refused.wants(first));
        let slow = rates::of_tcp(key, (&*conversation, &hosts[..]), &mut self.outcome.swifts);
        let slow = self.room.slow.admit(slow, &mut self.outcome.limits.ceilings_given_up);
        let plain = found.is_empty() && odd.is_none() && silent.is_none() && slow.is_none();
        let alone = plain && !told;
        if alone && refusal.is_none() {
            let client = key.endpoint(conversation.flow.client).ip;
            let opening = Opening { time: conversation.flow.first, frame: first, client };
            let server = key.endpoint(conversation.flow.client.other());
            self.outcome.hosts.quiet_flow((opening, server), &hosts);
            return;
        }
        let end = match conversation.flow.phase {
            Phase::Closed => FlowEnd::Fin,
            Phase::Reset => FlowEnd::Reset,
            _ => end,
        };
        let when = (end, self.clock);
        let ended = tell_tcp(key, conversation, when, (found, spoken));
        let ended = Ended { certificate: odd, silent, slow, refusal, ..ended };
        if alone {
            self.outcome.refused.keep(ended);
        } else {
            self.keep(ended);
        }
    }

    /// Notes from where, and how soon, a port accepted a connection; not by a SYN/ACK that may be
    /// forged.
    fn fold_acceptance(&mut self, key: &FlowKey, conversation: &Conversation, found: &[Found]) {
        let flow = &conversation.flow;
        if found.iter().any(|found| found.suspicion.kind == Kind::Handshake) {
            return;
        }
        if let Some(syn_ack) = flow.handshake.syn_ack {
            let server = key.endpoint(flow.client.other());
            let seen = (syn_ack.frame, syn_ack.ttl);
            self.outcome.acceptances.add(server, seen, flow.handshake.server_rtt());
        }
    }

    /// Folds a certificate that an issuer vouches for; gives back any other, and that of a private
    /// authority, which only the other flows can tell the meaning of.
    fn fold_certificate(
        &mut self,
        seen: Option<CertificateSight>,
    ) -> Option<Box<CertificateSight>> {
        let seen = seen?;
        if seen.vouched {
            self.outcome.certificates.add(&seen);
            if !seen.private {
                return None;
            }
        }
        let given_up = &mut self.outcome.limits.certificates_given_up;
        self.room.odd_certificates.admit(Some(Box::new(seen)), given_up)
    }
}
