//! A lane: one thread's flows, from their first packet to their outcome.

use std::net::IpAddr;

use super::clock::Tick;
use super::closing::{Ended, Outcome, certificate_of, judge, refusal_of, tell_tcp, tell_udp};
use super::conversation::Conversation;
use super::directory::Directory;
use super::dns::Spoken;
use super::quota::Quota;
use super::settings::Settings;
use super::udp::DatagramTalk;
use super::{rates, silence};
use crate::correlate::CertificateSight;
use crate::decode::Packet;
use crate::evidence::FlowEnd;
use crate::flow::{Class, FlowHasher, FlowTable, Idle, Phase, Prelude, SlotId};
use crate::wire::{Datagram, FlowKey, FrameId, Segment, Side, Timestamp, Transport};

/// Owns its flows outright; nothing of it is shared.
pub struct Lane<'a> {
    settings: &'a Settings,
    directory: &'a Directory,
    table: FlowTable<Flow>,
    clock: Timestamp,
    ahead: Option<Ahead>,
    memory: usize,
    /// Flows kept for their certificates,
    odd_certificates: Quota,
    /// because they were not answered,
    silent: Quota,
    /// and because they met a ceiling.
    slow: Quota,
    outcome: Outcome,
}

/// The last packet, where its time is not believed yet.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    frame: FrameId,
    time: Timestamp,
    touched: SlotId,
    class: Class,
}

pub(super) enum Flow {
    Prelude(Prelude),
    Tcp(Box<Conversation>),
    Udp(DatagramTalk),
}

impl<'a> Lane<'a> {
    /// A lane without flows. `directory` is told of each flow that ends.
    pub fn new(settings: &'a Settings, directory: &'a Directory) -> Self {
        Self {
            settings,
            directory,
            table: FlowTable::new(
                settings.limits.flows / settings.lanes.get(),
                Idle::default(),
                FlowHasher::recorded(),
            ),
            clock: Timestamp::ZERO,
            ahead: None,
            memory: 0,
            odd_certificates: Quota::default(),
            silent: Quota::default(),
            slow: Quota::default(),
            outcome: Outcome::default(),
        }
    }

    /// Takes in the next packet, at the time `clock` of the whole recording.
    ///
    /// Idle flows end first: whether a packet continues a flow or opens another must not depend on
    /// what else its lane has seen.
    pub fn packet(&mut self, packet: &Packet<'_>, clock: Tick) {
        self.expire(clock);
        match packet {
            Packet::Tcp(segment) => self.segment(segment),
            Packet::Udp(datagram) => self.datagram(datagram),
        }
    }

    /// Ends all flows, the recording having ended at `clock`, and gives what came of them.
    pub fn finish(mut self, clock: Tick) -> Outcome {
        self.expire(clock);
        let left = self.table.drain_by(|flow| flow.first_frame().as_u64());
        for (key, flow) in left {
            self.conclude(&key, flow, FlowEnd::EndOfCapture);
        }
        self.outcome
    }

    fn expire(&mut self, clock: Tick) {
        self.clock = clock.now;
        if let Some(ahead) = self.ahead.take().filter(|ahead| clock.leapt == Some(ahead.frame)) {
            self.table.touch(ahead.touched, ahead.time, ahead.class);
        }
        while let Some((key, flow)) = self.table.expire(clock.now) {
            self.conclude(&key, flow, FlowEnd::Timeout);
        }
    }

    fn segment(&mut self, segment: &Segment<'_>) {
        let (key, sender) = FlowKey::of(Transport::Tcp, segment.src, segment.dst);
        let hash = self.table.hash(&key);
        let mut found = self.find(hash, &key);
        if let Some(id) = found {
            if self.prelude_takes(id, segment, sender) {
                return;
            }
            if let Some(Flow::Tcp(conversation)) = self.table.flow_mut(id)
                && conversation.flow.is_reopened_by(segment, sender)
            {
                self.end(id, FlowEnd::Timeout);
                found = None;
            }
        }
        let Some(id) = found else {
            let fresh = Flow::open(segment, sender);
            let spoken = matches!(fresh, Flow::Tcp(_));
            let id = self.admit(hash, key, fresh);
            if spoken {
                self.converse(id, segment, sender);
            } else {
                self.touch(id, Class::Opening, (segment.frame, segment.time));
            }
            return;
        };
        self.converse(id, segment, sender);
    }

    /// Lets the prelude in `id` take `segment` in; whether there is one that did. A prelude that is
    /// over by it becomes a conversation.
    fn prelude_takes(&mut self, id: SlotId, segment: &Segment<'_>, sender: Side) -> bool {
        let settings = self.settings;
        let Some((key, flow)) = self.table.entry_mut(id) else { return false };
        let Flow::Prelude(prelude) = flow else { return false };
        if !prelude.takes(segment, sender) {
            *flow = Flow::Tcp(Conversation::replay(key, prelude, settings));
            return false;
        }
        let class = class_of(prelude.phase());
        self.touch(id, class, (segment.frame, segment.time));
        true
    }

    fn converse(&mut self, id: SlotId, segment: &Segment<'_>, sender: Side) {
        let settings = self.settings;
        let Some(Flow::Tcp(conversation)) = self.table.flow_mut(id) else { return };
        let (before, after) = conversation.segment(segment, sender, settings);
        let class = class_of(conversation.flow.phase);
        self.memory = self.memory + after - before.min(self.memory);
        self.touch(id, class, (segment.frame, segment.time));
        if self.memory > settings.limits.memory / settings.lanes.get() {
            self.give_up_bytes(id);
        }
    }

    fn datagram(&mut self, datagram: &Datagram<'_>) {
        let (key, sender) = FlowKey::of(Transport::Udp, datagram.src, datagram.dst);
        let hash = self.table.hash(&key);
        let id = self.find(hash, &key).unwrap_or_else(|| {
            self.admit(hash, key, Flow::Udp(DatagramTalk::open(datagram, sender)))
        });
        let settings = self.settings;
        let Some(Flow::Udp(talk)) = self.table.flow_mut(id) else { return };
        let before = talk.memory();
        talk.datagram(datagram, sender, settings);
        let after = talk.memory();
        self.memory = self.memory + after - before.min(self.memory);
        self.touch(id, Class::Datagrams, (datagram.frame, datagram.time));
        if after > before && self.memory > settings.limits.memory / settings.lanes.get() {
            self.give_up_bytes(id);
        }
    }

    /// The flow of `key`. One that has idled too long has ended, swept away or not.
    fn find(&mut self, hash: u64, key: &FlowKey) -> Option<SlotId> {
        let id = self.table.find(hash, key)?;
        if self.table.is_overdue(id, self.clock) {
            self.end(id, FlowEnd::Timeout);
            return None;
        }
        Some(id)
    }

    fn touch(&mut self, touched: SlotId, class: Class, (frame, time): (FrameId, Timestamp)) {
        self.table.touch(touched, self.clock, class);
        self.ahead = (time > self.clock).then_some(Ahead { frame, time, touched, class });
    }

    fn admit(&mut self, hash: u64, key: FlowKey, flow: Flow) -> SlotId {
        if let Some((old, evicted)) = self.table.make_room() {
            self.outcome.limits.flows_evicted += 1;
            self.conclude(&old, evicted, FlowEnd::Evicted);
        }
        self.outcome.openings.push(flow.first_frame());
        self.table.insert(hash, key, flow, (self.clock, Class::Opening))
    }

    /// The flow that made memory run out gives its own bytes up.
    fn give_up_bytes(&mut self, id: SlotId) {
        let settings = self.settings;
        let freed = match self.table.flow_mut(id) {
            Some(Flow::Tcp(conversation)) => {
                let before = conversation.memory();
                conversation.give_up_bytes(settings);
                before.saturating_sub(conversation.memory())
            }
            Some(Flow::Udp(talk)) => {
                let before = talk.memory();
                talk.give_up_bytes(settings);
                before.saturating_sub(talk.memory())
            }
            Some(Flow::Prelude(_)) | None => return,
        };
        self.memory = self.memory.saturating_sub(freed);
        self.outcome.limits.streams_given_up += 1;
    }

    fn end(&mut self, id: SlotId, end: FlowEnd) {
        if let Some((key, flow)) = self.table.remove(id) {
            self.conclude(&key, flow, end);
        }
    }

    fn conclude(&mut self, key: &FlowKey, flow: Flow, end: FlowEnd) {
        match flow {
            Flow::Prelude(prelude) => self.conclude_prelude(key, &prelude, end),
            Flow::Tcp(conversation) => self.conclude_tcp(key, *conversation, end),
            Flow::Udp(talk) => self.conclude_udp(key, talk, end),
        }
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
        self.conclude_tcp(key, *Conversation::replay(key, prelude, settings), end);
    }

    fn conclude_udp(&mut self, key: &FlowKey, mut talk: DatagramTalk, end: FlowEnd) {
        self.memory = self.memory.saturating_sub(talk.memory());
        talk.quic.settle();
        let spoken = std::mem::take(&mut talk.dns).finish(&self.settings.fingerprints);
        let unanswered =
            silence::of_udp(key, (&talk, &spoken), &mut self.outcome.passages, self.clock);
        let silent = self.silent.admit(unanswered, &mut self.outcome.limits.silences_given_up);
        let DatagramTalk { flow, quic, .. } = talk;
        let server = key.endpoint(flow.client.other()).ip;
        let host = quic.names().and_then(|names| names.sni.as_deref());
        self.directory.ended(host, false);
        if self.is_told(&spoken, server, flow.first_frame) || silent.is_some() {
            self.keep(Ended { silent, ..tell_udp(key, &flow, quic.names(), end, spoken) });
        } else if let Some(host) = host {
            // An answer by QUIC is encrypted, and may be the last before the blocking sets in.
            self.outcome.hosts.quiet_flow(key.endpoint(flow.client).ip, &[(host, false)]);
        }
    }

    /// Whether the record of a flow without findings is needed. What it said in DNS is noted.
    fn is_told(&mut self, spoken: &Spoken, server: IpAddr, first_frame: FrameId) -> bool {
        let may_be_judged =
            self.outcome.resolvers.note(spoken, server, first_frame, &self.settings.fingerprints);
        self.settings.flows || may_be_judged
    }

    /// Keeps a flow to be told, or to be judged when all flows are known.
    fn keep(&mut self, ended: Ended) {
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

    /// A flow of which nothing need be told is folded into the tally of hosts and forgotten.
    fn conclude_tcp(&mut self, key: &FlowKey, mut conversation: Conversation, end: FlowEnd) {
        self.memory = self.memory.saturating_sub(conversation.memory());
        conversation.finish(self.settings);
        let found = judge(key, &conversation);
        let spoken = conversation.talk.finish_dns(&self.settings.fingerprints);
        let hosts = conversation.talk.hosts();
        self.directory.ended(hosts.iter().map(|(host, _)| *host), !found.is_empty());
        let server = key.endpoint(conversation.flow.client.other()).ip;
        let told = self.is_told(&spoken, server, conversation.flow.first_frame);
        let certificate = certificate_of(key, &conversation);
        let odd = self.fold_certificate(certificate);
        let unanswered =
            silence::of_tcp(key, &conversation, &mut self.outcome.passages, self.clock);
        let silent = self.silent.admit(unanswered, &mut self.outcome.limits.silences_given_up);
        self.fold_acceptance(key, &conversation);
        self.outcome.reach.add(&conversation.flow);
        let first = conversation.flow.first_frame;
        let refusal = refusal_of(key, &conversation);
        self.outcome.limits.refused += u64::from(refusal.is_some());
        let refusal = refusal.filter(|_| self.outcome.refused.wants(first));
        let slow = rates::of_tcp(key, &conversation, &mut self.outcome.swifts);
        let slow = self.slow.admit(slow, &mut self.outcome.limits.ceilings_given_up);
        let plain = found.is_empty() && odd.is_none() && silent.is_none() && slow.is_none();
        let alone = plain && !told;
        if alone && refusal.is_none() {
            let client = key.endpoint(conversation.flow.client).ip;
            self.outcome.hosts.quiet_flow(client, &hosts);
            return;
        }
        let end = match conversation.flow.phase {
            Phase::Closed => FlowEnd::Fin,
            Phase::Reset => FlowEnd::Reset,
            _ => end,
        };
        let when = (end, self.clock);
        let ended = tell_tcp(key, &mut conversation, when, (found, spoken));
        let ended = Ended { certificate: odd, silent, slow, refusal, ..ended };
        if alone {
            self.outcome.refused.keep(ended);
        } else {
            self.keep(ended);
        }
    }

    /// Notes from where, and how soon, a port accepted a connection.
    fn fold_acceptance(&mut self, key: &FlowKey, conversation: &Conversation) {
        let flow = &conversation.flow;
        if let Some(syn_ack) = flow.handshake.syn_ack {
            let server = key.endpoint(flow.client.other());
            let seen = (syn_ack.frame, syn_ack.ttl);
            self.outcome.acceptances.add(server, seen, flow.handshake.server_rtt());
        }
    }

    /// Folds a certificate that an issuer vouches for; gives back any other, which only the other
    /// flows for its name can tell the meaning of.
    fn fold_certificate(
        &mut self,
        seen: Option<CertificateSight>,
    ) -> Option<Box<CertificateSight>> {
        let seen = seen?;
        if seen.vouched {
            self.outcome.certificates.add(&seen);
            return None;
        }
        let given_up = &mut self.outcome.limits.certificates_given_up;
        self.odd_certificates.admit(Some(Box::new(seen)), given_up)
    }
}

impl Flow {
    fn open(segment: &Segment<'_>, sender: Side) -> Self {
        match Prelude::open(segment, sender) {
            Some(prelude) => Self::Prelude(prelude),
            None => Self::Tcp(Box::new(Conversation::open(segment, sender))),
        }
    }

    fn first_frame(&self) -> FrameId {
        match self {
            Self::Prelude(prelude) => prelude.first_frame(),
            Self::Tcp(conversation) => conversation.flow.first_frame,
            Self::Udp(talk) => talk.flow.first_frame,
        }
    }
}

/// What a TCP flow is worth to its table.
fn class_of(phase: Phase) -> Class {
    match phase {
        phase if phase.is_opening() => Class::Opening,
        Phase::Closed | Phase::Reset => Class::Over,
        _ => Class::Established,
    }
}
