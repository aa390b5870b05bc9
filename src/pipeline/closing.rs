//! The end of a flow: its record, and the verdicts on what was odd about it.

use super::budget::Budget;
use super::conversation::Conversation;
use super::dns::Spoken;
use super::openings::Openings;
use super::reach::ReachTally;
use super::refused::Refused;
use super::resolvers::Resolvers;
use super::tls::TlsTalk;
use crate::correlate::{
    Acceptances, Accepted, CertificateSight, CertificateTally, HostTally, MAX_CLIENTS, MAX_HOSTS,
    Passages, Refusal, Silent, Slow, Swifts,
};
use crate::detect::Trigger;
use crate::detect::dns::Habits;
use crate::evidence::{
    ByDirection, FlowEnd, FlowRecord, HostSource, Kind, Policed, QuicNames, Residual, RoleSource,
    Suspicion,
};
use crate::flow::UdpFlow;
use crate::verdict::{self, Verdict};
use crate::wire::{Direction, Duration, FlowKey, FrameId, Side, Timestamp};

/// What came of a lane's flows.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Ended flows, in the order in which they ended: those with findings, or all if all are asked
    /// for.
    pub flows: Vec<Ended>,
    /// The hosts that the flows left out of `flows` asked for.
    pub hosts: HostTally,
    /// The certificates that issuers vouch for, of all flows.
    pub certificates: CertificateTally,
    /// The flows that were answered.
    pub passages: Passages,
    /// How ports accept connections.
    pub acceptances: Acceptances,
    /// Flows that were refused, and are kept only for that.
    pub refused: Refused,
    /// How fast the flows were.
    pub swifts: Swifts,
    /// Where each flow began, also of those left out: by it flows are numbered.
    pub openings: Openings,
    /// How resolvers answer, and the flows of theirs that may yet be judged.
    pub resolvers: Resolvers,
    /// How much of the connections could be seen.
    pub reach: ReachTally,
    /// What had to be given up.
    pub limits: LimitCounts,
}

impl Outcome {
    /// An outcome within `budget`.
    pub(super) fn within(budget: &Budget) -> Self {
        let hosts = |full| budget.of_hosts(full);
        let room = |full| budget.of_controls(full);
        let habits = Habits::with_room(room(Habits::RESOLVERS_MAX), room(Habits::QUESTIONS_MAX));
        Self {
            hosts: HostTally::with_room(hosts(MAX_HOSTS), hosts(MAX_CLIENTS)),
            certificates: CertificateTally::with_room(room(CertificateTally::NAMES_MAX)),
            passages: Passages::with_room(room(Passages::SLOTS_MAX), room(Passages::NAMED_MAX)),
            acceptances: Acceptances::with_room(room(Acceptances::PORTS_MAX)),
            refused: Refused::with_room(room(Refused::FLOWS_MAX)),
            swifts: Swifts::with_room(room(Swifts::SLOTS_MAX)),
            resolvers: Resolvers::with_room(room(Resolvers::FLOWS_MAX), habits),
            ..Self::default()
        }
    }

    /// Bytes held, about, that `budget` has not for the tallies, and without the ended flows.
    pub(super) fn beyond(&self, budget: &Budget) -> usize {
        let controls = self.certificates.memory()
            + self.passages.memory()
            + self.acceptances.memory()
            + self.refused.memory()
            + self.swifts.memory()
            + self.resolvers.memory();
        self.hosts.memory().saturating_sub(budget.hosts)
            + controls.saturating_sub(budget.controls)
            + self.openings.memory()
    }
}

/// How often each bound was reached.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LimitCounts {
    /// Flows that made room for others.
    pub flows_evicted: u64,
    /// Flows in which time went back, which are not judged.
    pub flows_rewound: u64,
    /// Flows with findings, or with DNS answers that stand out, that were not kept: their hosts count as
    /// neither interfered with nor untouched.
    pub findings_given_up: u64,
    /// Flows whose stream bytes were given up.
    pub streams_given_up: u64,
    /// Flows that were not compared with others by their certificates.
    pub certificates_given_up: u64,
    /// Flows without an answer that were not compared with others.
    pub silences_given_up: u64,
    /// Flows that were refused; when all lanes are done, those of them that were not compared with
    /// others.
    pub refused: u64,
    /// Flows that met a ceiling and were not compared with others.
    pub ceilings_given_up: u64,
    /// Accesses to hosts of which no record could be kept; known when all lanes are done, like
    /// what follows.
    pub host_accesses_given_up: u64,
    /// 1 if not all clients of the hosts could be told apart: their numbers are lower bounds.
    pub host_clients_given_up: u64,
    /// How many sorts of what flows are held against had no room for all: by the flows that were given
    /// up nothing is shown, and nobody is cleared.
    pub controls_given_up: u64,
    /// Services that are told only by their hosts.
    pub services_given_up: u64,
}

impl LimitCounts {
    /// Adds another lane's.
    pub(super) fn add(&mut self, other: Self) {
        self.flows_evicted += other.flows_evicted;
        self.flows_rewound += other.flows_rewound;
        self.findings_given_up += other.findings_given_up;
        self.streams_given_up += other.streams_given_up;
        self.certificates_given_up += other.certificates_given_up;
        self.silences_given_up += other.silences_given_up;
        self.refused += other.refused;
        self.ceilings_given_up += other.ceilings_given_up;
    }
}

/// A flow that has ended: its record, still without number and path, and what was found.
#[derive(Debug)]
pub struct Ended {
    /// The record; `flow`, `capture` and `community_id` are filled in when all flows are known: few of
    /// those that are kept until then are told.
    pub record: FlowRecord,
    /// Where it began.
    pub first_frame: FrameId,
    /// What was found, with the name concerned.
    pub found: Vec<Found>,
    /// What it said in DNS: to be judged when all flows are known.
    pub dns: Spoken,
    /// A certificate that nobody vouches for: what it means depends on the other flows.
    pub certificate: Option<Box<CertificateSight>>,
    /// What was not answered: what it means depends on the other flows.
    pub silent: Option<Box<Silent>>,
    /// That it was refused: what it means depends on the other flows.
    pub refusal: Option<Refusal>,
    /// The ceiling that it met: whose it is depends on the other flows.
    pub slow: Option<Box<Slow>>,
    /// Its SYN/ACK: who sent it depends on the other flows.
    pub accepted: Option<Accepted>,
}

impl Ended {
    /// What one takes with its record, in bytes, as a rule.
    pub(super) const BYTES: usize = 1536;
    /// What one with a finding takes, until that is told.
    pub(super) const FOUND_BYTES: usize = 7 << 10;
}

/// A suspicion that stood.
#[derive(Debug)]
pub struct Found {
    /// What was suspected.
    pub suspicion: Suspicion,
    /// How it was judged.
    pub verdict: Verdict,
    /// The name concerned, and where it stood.
    pub host: Option<(String, HostSource)>,
    /// The finding that set it off, and how long before.
    pub residual: Option<((FrameId, Kind), Residual)>,
    /// First frame of the flow that is its control.
    pub control: Option<FrameId>,
    /// To what rate the flow was held.
    pub policed: Option<Policed>,
}

impl Found {
    /// A suspicion that stood by itself.
    pub(super) fn new(
        suspicion: Suspicion,
        verdict: Verdict,
        host: Option<(String, HostSource)>,
    ) -> Self {
        Self { suspicion, verdict, host, residual: None, control: None, policed: None }
    }
}

/// Judges a TCP flow that has ended. Its streams are already flushed.
pub(super) fn judge(key: &FlowKey, conversation: &Conversation) -> Vec<Found> {
    if conversation.flow.rewound {
        return Vec::new();
    }
    let server = key.endpoint(conversation.flow.client.other()).ip;
    let gaps = conversation.gaps();
    let suspicions = conversation.watch.conclude(&conversation.flow, server, gaps);
    let found = suspicions.into_iter().filter_map(|suspicion| {
        let verdict = verdict::weigh(&suspicion)?;
        let host = host_of(conversation, &suspicion);
        Some(Found::new(suspicion, verdict, host))
    });
    found.collect()
}

/// The certificate that a TCP flow got for its name.
pub(super) fn certificate_of(
    key: &FlowKey,
    conversation: &Conversation,
) -> Option<CertificateSight> {
    let flow = &conversation.flow;
    let (heard, leaf) = conversation.talk.tls()?.certificate()?;
    let shown = heard.certificate.as_deref();
    let syn_ack = flow.handshake.syn_ack;
    Some(CertificateSight {
        name: heard.sni()?.to_owned(),
        server: key.endpoint(flow.client.other()).ip,
        issuer: shown.and_then(|shown| shown.issuer.clone()).unwrap_or_default(),
        subject: shown.and_then(|shown| shown.subject.clone()).unwrap_or_default(),
        vouched: leaf.vouched,
        private: leaf.private,
        self_signed: leaf.self_signed,
        hello: heard.client_hello(),
        frame: leaf.frame,
        syn_ack: syn_ack.map(|seen| (seen.frame, seen.ttl)),
        handshake: flow.handshake.server_rtt(),
        time: syn_ack.map_or(flow.first, |seen| seen.time),
    })
}

/// That a TCP flow was refused.
pub(super) fn refusal_of(key: &FlowKey, conversation: &Conversation) -> Option<Refusal> {
    let flow = Some(&conversation.flow).filter(|flow| !flow.rewound)?;
    let syn = flow.handshake.syn?;
    let rst = conversation.watch.refusal(flow)?;
    Some(Refusal {
        server: key.endpoint(flow.client.other()),
        syn: syn.frame,
        frame: rst.frame,
        time: rst.time,
        took: rst.after(&syn),
        ttl: rst.ttl,
    })
}

/// The SYN/ACK of a TCP flow.
fn accepted_by(conversation: &Conversation) -> Option<Accepted> {
    let handshake = &conversation.flow.handshake;
    let syn_ack = handshake.syn_ack?;
    Some(Accepted { frame: syn_ack.frame, ttl: syn_ack.ttl, took: handshake.server_rtt() })
}

/// The record of a TCP flow that has ended at `now`, with what was found.
pub(super) fn tell_tcp(
    key: &FlowKey,
    conversation: &mut Conversation,
    (end, now): (FlowEnd, Timestamp),
    (found, dns): (Vec<Found>, Spoken),
) -> Ended {
    let signature = conversation.flow.tampering_signature(now);
    let record = FlowRecord {
        dns: dns.records(),
        tampering_signature: signature.map(str::to_owned),
        ..tcp_record(key, conversation, end)
    };
    let first_frame = conversation.flow.first_frame;
    let accepted = accepted_by(conversation);
    Ended {
        found,
        first_frame,
        record,
        dns,
        certificate: None,
        silent: None,
        refusal: None,
        slow: None,
        accepted,
    }
}

/// The record of a UDP flow that has ended.
pub(super) fn tell_udp(
    key: &FlowKey,
    flow: &UdpFlow,
    quic: Option<QuicNames>,
    end: FlowEnd,
    dns: Spoken,
) -> Ended {
    let [to_server, to_client] = flow.packets;
    let [bytes_to_server, bytes_to_client] = flow.bytes;
    let record = FlowRecord {
        // Only an Initial that opens makes names: who sent it is the client.
        roles: if quic.is_some() { RoleSource::Handshake } else { RoleSource::Guessed },
        first_frame: flow.first_frame,
        last_frame: flow.last_frame,
        first: flow.first,
        last: flow.last,
        quic,
        packets: ByDirection { to_server, to_client },
        bytes: ByDirection { to_server: bytes_to_server, to_client: bytes_to_client },
        dns: dns.records(),
        ..blank_record(key, flow.client, end)
    };
    let (first_frame, found) = (flow.first_frame, Vec::new());
    Ended {
        record,
        first_frame,
        found,
        dns,
        certificate: None,
        silent: None,
        refusal: None,
        slow: None,
        accepted: None,
    }
}

fn tcp_record(key: &FlowKey, conversation: &mut Conversation, end: FlowEnd) -> FlowRecord {
    let flow = &conversation.flow;
    let (up, down) = (flow.sender(Direction::ToServer), flow.sender(Direction::ToClient));
    let roles = if flow.roles_known { RoleSource::Handshake } else { RoleSource::Guessed };
    let record = FlowRecord {
        roles,
        first_frame: flow.first_frame,
        last_frame: flow.last_frame,
        first: flow.first,
        last: flow.last,
        packets: ByDirection { to_server: up.packets, to_client: down.packets },
        bytes: ByDirection { to_server: up.bytes, to_client: down.bytes },
        handshake_rtt_us: flow.handshake.server_rtt().map(Duration::as_micros),
        gaps: conversation.gaps(),
        ..blank_record(key, flow.client, end)
    };
    let tls = conversation.talk.tls().and_then(TlsTalk::names);
    let http = conversation.talk.http().map(|talk| talk.exchanges()).unwrap_or_default();
    FlowRecord { tls, http, ..record }
}

/// A record of which only the identity is filled in.
fn blank_record(key: &FlowKey, client: Side, end: FlowEnd) -> FlowRecord {
    let (client, server) = (key.endpoint(client), key.endpoint(client.other()));
    FlowRecord {
        flow: 0,
        community_id: String::new(),
        proto: key.transport(),
        client,
        server,
        roles: RoleSource::Guessed,
        capture: String::new(),
        first_frame: FrameId::default(),
        last_frame: FrameId::default(),
        first: crate::wire::Timestamp::ZERO,
        last: crate::wire::Timestamp::ZERO,
        packets: ByDirection::default(),
        bytes: ByDirection::default(),
        handshake_rtt_us: None,
        tls: None,
        quic: None,
        http: Vec::new(),
        dns: Vec::new(),
        led_here_by: None,
        end,
        gaps: 0,
        tampering_signature: None,
    }
}

/// The name that the finding concerns: that of its trigger, or the last before what was forged.
fn host_of(conversation: &Conversation, suspicion: &Suspicion) -> Option<(String, HostSource)> {
    let watch = &conversation.watch;
    let at = match suspicion.kind {
        Kind::Response => suspicion.trigger,
        _ => suspicion.trigger.or_else(|| suspicion.forged.first().copied()),
    };
    let named = match suspicion.kind {
        // The SYN that set it off carries no name; what the client then asked for does.
        Kind::Handshake => watch.first_name(),
        _ => watch.name_at(at?),
    };
    let Trigger { host, source, .. } = named?;
    Some((host.as_deref()?.to_owned(), *source))
}
