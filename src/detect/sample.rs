//! Hand-made sightings for the tests of detectors.

use std::net::{IpAddr, Ipv4Addr};

use super::Scene;
use crate::flow::{Handshake, Sighting};
use crate::wire::{Direction, FrameId, SeqNumber, TcpFlags, TcpTimestamps, Timestamp, Ttl};

/// The initial sequence numbers of client and server.
pub(super) const CLIENT_ISN: u32 = 1_000;
pub(super) const SERVER_ISN: u32 = 500_000;
pub(super) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10));

/// A packet to the server, `ms` milliseconds after the first.
pub(super) fn up(frame: u64, ms: i64, flags: TcpFlags) -> Sighting {
    packet(frame, ms, flags, Direction::ToServer)
}

/// A packet to the client.
pub(super) fn down(frame: u64, ms: i64, flags: TcpFlags) -> Sighting {
    packet(frame, ms, flags, Direction::ToClient)
}

fn packet(frame: u64, ms: i64, flags: TcpFlags, direction: Direction) -> Sighting {
    let opening = u32::from(!flags.contains(TcpFlags::SYN));
    let (seq, ack, ttl) = match direction {
        Direction::ToServer => (CLIENT_ISN + opening, SERVER_ISN + 1, 64),
        Direction::ToClient => (SERVER_ISN + opening, CLIENT_ISN + 1, 53),
    };
    Sighting {
        frame: FrameId::new(0, frame),
        time: Timestamp::from_nanos(ms * 1_000_000),
        direction,
        seq: SeqNumber(seq),
        ack: SeqNumber(if flags.contains(TcpFlags::ACK) { ack } else { 0 }),
        payload_len: 0,
        flags,
        window: 64_240,
        window_scale: None,
        ttl: Ttl(ttl),
        ip_id: Some(0),
        dont_fragment: true,
        timestamps: Some(TcpTimestamps { value: 70_000 + ms as u32, echo: 0 }),
        duplicate: false,
    }
}

/// The SYN, and the SYN/ACK 56 ms later.
pub(super) fn opening() -> [Sighting; 2] {
    [up(1, 0, TcpFlags::SYN), down(2, 56, TcpFlags::SYN.union(TcpFlags::ACK))]
}

/// The opening exchange as a flow would have noted it.
pub(super) fn handshake(log: &[Sighting]) -> Handshake {
    let syn_ack = log.iter().find(|seen| seen.is_syn_ack()).copied();
    let before = |seen: &&Sighting| syn_ack.is_none_or(|answer| seen.frame < answer.frame);
    let syns = || log.iter().filter(before).filter(|seen| seen.is_syn() && !seen.has_ack());
    Handshake {
        syn: syns().next_back().copied(),
        syn_ack,
        completed: None,
        syns: syns().filter(|seen| !seen.duplicate).count() as u32,
    }
}

/// A scene of headers alone.
pub(super) fn scene<'a>(handshake: &'a Handshake, log: &'a [Sighting]) -> Scene<'a> {
    Scene {
        server: SERVER,
        handshake,
        log,
        triggers: &[],
        conflicts: &[],
        answers: &[],
        refusal: None,
        gaps: 0,
        mute: false,
    }
}
