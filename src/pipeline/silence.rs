//! From an ended flow to what `correlate` compares: that it passed, or that it was not answered.

use super::conversation::Conversation;
use super::dns::Spoken;
use super::udp::DatagramTalk;
use crate::correlate::{Name, Names, Passage, Passages, Road, Silent, Subject};
use crate::detect::Unanswered;
use crate::evidence::{HostSource, QuicNames, Signal};
use crate::flow::UdpFlow;
use crate::wire::{Direction, Duration, FlowKey, FrameId, Side, Timestamp};

/// Notes in `passages` what of a TCP flow passed; gives what did not.
pub(super) fn of_tcp(
    key: &FlowKey,
    (conversation, hosts): (&Conversation, &[(Name, Option<FrameId>)]),
    passages: &mut Passages,
    now: Timestamp,
) -> Option<Box<Silent>> {
    let Conversation { flow, silence, watch, .. } = conversation;
    let road = road(key, flow.client);
    if let Some(syn_ack) = flow.handshake.syn_ack {
        for (name, answered) in hosts {
            let Some(subject) = name.subject(0) else { continue };
            passages.add(Passage {
                road,
                subject,
                answered: answered.is_some(),
                begins: flow.first_frame,
                time: syn_ack.time,
                size: silence.passed(),
            });
        }
    }
    if flow.rewound {
        return None;
    }
    let unanswered = silence.conclude(flow, watch, conversation.gaps())?;
    silent(road, flow.first_frame, unanswered, now).map(Box::new)
}

fn silent(road: Road, begins: FrameId, unanswered: Unanswered, now: Timestamp) -> Option<Silent> {
    let Unanswered { what, host, source, trigger, from, until, last, copies, size, idle, .. } =
        unanswered;
    let subject = host.and_then(|host| Subject::of(&host, 0));
    if subject.is_none() && what != Signal::SynUnanswered {
        return None;
    }
    let watched = watched(from, now);
    Some(Silent {
        road,
        what,
        subject,
        source,
        trigger,
        begins,
        from,
        until,
        last,
        copies,
        size,
        idle,
        watched,
    })
}

/// The same of a UDP flow.
pub(super) fn of_udp(
    key: &FlowKey,
    (talk, spoken): (&DatagramTalk, &Spoken),
    (names, passages): (&mut Names, &mut Passages),
    now: Timestamp,
) -> Option<Box<Silent>> {
    let road = road(key, talk.flow.client);
    let silent = match talk.quic.names() {
        Some(told) => of_quic(road, &talk.flow, told, (names, passages)),
        None => of_dns(road, &talk.flow, spoken, (names, passages)),
    };
    let silent = silent?;
    Some(Box::new(Silent { watched: watched(silent.from, now), ..silent }))
}

/// A client whose handshake goes on soon sends datagrams that are no Initials, and smaller than
/// Initials may be (RFC 9000 §14.1): then the server did answer, and the capture lacks it.
fn of_quic(
    road: Road,
    flow: &UdpFlow,
    told: &QuicNames,
    (names, passages): (&mut Names, &mut Passages),
) -> Option<Silent> {
    let subject = names.of(told.sni.as_deref()?)?.subject(0)?;
    let trigger = told.client_hello_frame?;
    let [packets, heard] = flow.packets;
    if told.answer_frame.is_some() {
        passages.add(Passage {
            road,
            subject,
            answered: true,
            begins: flow.first_frame,
            time: flow.first,
            size: INITIAL_MIN as u32,
        });
        return None;
    }
    let [sent, _] = flow.bytes;
    let initials = heard == 0 && sent >= packets.saturating_mul(INITIAL_MIN);
    (initials && packets >= 2).then_some(Silent {
        road,
        what: Signal::QuicUnanswered,
        subject: Some(subject),
        source: HostSource::Quic,
        trigger,
        begins: flow.first_frame,
        from: flow.first,
        until: flow.last,
        last: flow.last_frame,
        copies: u32::try_from(packets).unwrap_or(u32::MAX),
        size: INITIAL_MIN as u32,
        idle: Duration::ZERO,
        watched: Duration::ZERO,
    })
}

fn of_dns(
    road: Road,
    flow: &UdpFlow,
    spoken: &Spoken,
    (names, passages): (&mut Names, &mut Passages),
) -> Option<Silent> {
    let mut worst: Option<Silent> = None;
    for asked in spoken.asked() {
        let Some(query) = asked.query.as_ref() else { continue };
        if query.way != Direction::ToServer {
            continue;
        }
        let name = names.of(&asked.name);
        let Some(subject) = name.and_then(|name| name.subject(asked.kind.0)) else { continue };
        let (begins, time) = (flow.first_frame, query.stamp.time);
        if !asked.replies.is_empty() {
            passages.add(Passage { road, subject, answered: true, begins, time, size: 0 });
            continue;
        }
        let copies = query.times.saturating_sub(query.doubles);
        if worst.as_ref().is_none_or(|worst| worst.copies < copies) {
            worst = Some(Silent {
                road,
                what: Signal::QueryUnanswered,
                subject: Some(subject),
                source: HostSource::Dns,
                trigger: query.stamp.frame,
                begins,
                from: time,
                until: query.again.iter().copied().fold(time, Timestamp::max),
                last: query.stamp.frame,
                copies,
                size: 0,
                idle: Duration::ZERO,
                watched: Duration::ZERO,
            });
        }
    }
    worst
}

/// Between whom a flow of `key` goes.
pub(super) fn road(key: &FlowKey, client: Side) -> Road {
    let server = key.endpoint(client.other());
    Road { client: key.endpoint(client).ip, server, proto: key.transport() }
}

/// How long the recording went on after `from`: no longer than any flow is left idle, so that it
/// does not depend on when a flow is found to be over.
fn watched(from: Timestamp, now: Timestamp) -> Duration {
    now.since(from).min(Duration::from_secs(30))
}

/// The least size of a client's Initial (RFC 9000 §14.1), in bytes.
const INITIAL_MIN: u64 = 1_200;
