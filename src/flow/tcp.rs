//! One TCP connection: roles, phase, handshake, counters, and what each side has sent so far.

use super::signature::Break;
use super::{Event, Phase, Remains, Sighting};
use crate::wire::{
    Direction, Duration, Endpoint, FrameId, Segment, SeqNumber, Side, TcpFlags, Timestamp,
};

/// A TCP connection as far as headers tell it.
#[derive(Clone, Debug)]
pub struct TcpFlow {
    /// Where it stands.
    pub phase: Phase,
    /// Which end of the key is the client.
    pub client: Side,
    /// Whether the handshake told who is the client.
    pub roles_known: bool,
    /// First frame.
    pub first_frame: FrameId,
    /// Last frame.
    pub last_frame: FrameId,
    /// Time of the first frame.
    pub first: Timestamp,
    /// Time of the last frame.
    pub last: Timestamp,
    /// Time went back by more than a second: captures overlap, and the flow is in several of
    /// them, or a clock was set. Neither order nor number of its packets means anything then.
    pub rewound: bool,
    /// The opening exchange.
    pub handshake: Handshake,
    senders: [SenderState; 2],
    broken: Break,
    recent: Recent,
}

/// The opening exchange.
#[derive(Clone, Copy, Default, Debug)]
pub struct Handshake {
    /// The last SYN before the first SYN/ACK.
    pub syn: Option<Sighting>,
    /// The first SYN/ACK.
    pub syn_ack: Option<Sighting>,
    /// When the client first answered the SYN/ACK.
    pub completed: Option<Timestamp>,
    /// How many SYNs were seen.
    pub syns: u32,
}

impl Handshake {
    /// Tap to server and back: SYN to SYN/ACK. With a repeated SYN, from the last one, which can
    /// only make it too short. None if the stamps do not allow a round trip.
    pub fn server_rtt(&self) -> Option<Duration> {
        round_trip(self.syn?.time, self.syn_ack?.time)
    }

    /// Tap to client and back: SYN/ACK to the client's answer. None if the stamps do not allow it.
    pub fn client_rtt(&self) -> Option<Duration> {
        round_trip(self.syn_ack?.time, self.completed?)
    }

    /// Whether the tap stands beside the server: the way to the client is the long one.
    pub fn is_beside_server(&self) -> bool {
        self.client_rtt().zip(self.server_rtt()).is_some_and(|(client, server)| {
            client >= Duration::from_millis(4) && client >= server.times(4)
        })
    }

    /// Whether both sides offered TCP timestamps, which binds them (RFC 7323 §3.2).
    pub fn negotiated_timestamps(&self) -> Option<bool> {
        Some(self.syn?.timestamps.is_some() && self.syn_ack?.timestamps.is_some())
    }

    /// By how many bits the server's windows are shifted, where both sides offered to scale them
    /// (RFC 7323 §2.2, §2.3).
    pub fn server_window_scale(&self) -> Option<u8> {
        const SHIFT_MAX: u8 = 14;
        let (_, scale) = self.syn?.window_scale.zip(self.syn_ack?.window_scale)?;
        Some(scale.min(SHIFT_MAX))
    }
}

/// A segment lives for two minutes at most (MSL, RFC 9293 §3.4.2), and so do the two of a round trip
/// each.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(240);

/// The time from a segment to its answer, unless a clock that was set or went wrong in between
/// makes the answer older than its cause, or the trip longer than segments live.
fn round_trip(asked: Timestamp, answered: Timestamp) -> Option<Duration> {
    let trip = answered.since(asked);
    (answered >= asked && trip <= ROUND_TRIP_MAX).then_some(trip)
}

/// What one side has sent so far.
#[derive(Clone, Copy, Default, Debug)]
pub struct SenderState {
    /// Packets.
    pub packets: u64,
    /// Payload bytes on the wire.
    pub bytes: u64,
    /// Highest sequence number after anything that it sent, RSTs apart.
    pub next: Option<SeqNumber>,
    /// Highest acknowledgment that it sent.
    pub acked: Option<SeqNumber>,
    /// Sequence number after its FIN.
    pub fin: Option<SeqNumber>,
}

/// What a segment meant to its connection.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// Its headers.
    pub sighting: Sighting,
    /// Event and direction.
    pub event: Event,
    /// Phase before it.
    pub before: Phase,
    /// What its sender had sent before it.
    pub sender_before: SenderState,
}

impl TcpFlow {
    /// A connection whose first segment is `segment`, sent by `sender`.
    pub fn open(segment: &Segment<'_>, sender: Side) -> Self {
        let flags = segment.flags;
        let (client, roles_known) = if flags.contains(TcpFlags::SYN.union(TcpFlags::ACK)) {
            (sender.other(), true)
        } else if flags.contains(TcpFlags::SYN) {
            (sender, true)
        } else if guess_is_server(segment.src, segment.dst) {
            (sender.other(), false)
        } else {
            (sender, false)
        };
        Self {
            phase: Phase::Fresh,
            client,
            roles_known,
            first_frame: segment.frame,
            last_frame: segment.frame,
            first: segment.time,
            last: segment.time,
            rewound: false,
            handshake: Handshake::default(),
            senders: [SenderState::default(); 2],
            broken: Break::default(),
            recent: Recent::default(),
        }
    }

    /// Which way a segment from `sender` travels.
    pub fn direction(&self, sender: Side) -> Direction {
        if sender == self.client { Direction::ToServer } else { Direction::ToClient }
    }

    /// What was sent in `direction` so far.
    pub const fn sender(&self, direction: Direction) -> &SenderState {
        let [to_server, to_client] = &self.senders;
        match direction {
            Direction::ToServer => to_server,
            Direction::ToClient => to_client,
        }
    }

    /// Whether each side has shown that it hears the other: the server by data, or by acknowledging
    /// what the client sent after its SYN.
    pub fn is_mutual(&self) -> bool {
        let (up, down) = (self.sender(Direction::ToServer), self.sender(Direction::ToClient));
        let heard = match self.handshake.syn {
            Some(syn) => down.acked.is_some_and(|acked| acked.is_after(syn.seq.plus(1))),
            None => down.packets > 0,
        };
        up.packets > 0 && (down.bytes > 0 || heard)
    }

    /// Exchanges the roles, where content shows that the guess was wrong.
    pub fn swap_roles(&mut self) {
        self.client = self.client.other();
        self.senders.swap(0, 1);
        if let Phase::HalfClosed(direction) = self.phase {
            self.phase = Phase::HalfClosed(direction.reverse());
        }
    }

    /// Whether `segment` opens another connection on the same five-tuple: a SYN with another
    /// initial sequence number (RFC 9293 §3.6.1; as Wireshark splits conversations).
    #[inline]
    pub fn is_reopened_by(&self, segment: &Segment<'_>, sender: Side) -> bool {
        let opens = segment.flags.contains(TcpFlags::SYN);
        opens && Remains::of(self).is_reopened_by(segment, sender)
    }

    /// Takes in the next segment, sent by `sender`.
    #[inline]
    pub fn observe(&mut self, segment: &Segment<'_>, sender: Side) -> Observation {
        let direction = self.direction(sender);
        let duplicate = self.recent.saw_before(segment, direction);
        let sighting = Sighting::of(segment, direction, duplicate);
        let event = Event::of(segment, direction);
        let before = self.phase;
        let sender_before = *self.sender(direction);
        self.last_frame = segment.frame;
        self.rewound |= self.last.since(segment.time) > REWOUND_MIN;
        self.last = self.last.max(segment.time);
        self.note_handshake(&sighting, event);
        if !duplicate {
            self.broken.note(&sighting);
        }
        self.phase = self.phase.after(event);
        let [to_server, to_client] = &mut self.senders;
        match direction {
            Direction::ToServer => to_server.note(&sighting),
            Direction::ToClient => to_client.note(&sighting),
        }
        Observation { sighting, event, before, sender_before }
    }

    /// Counts a segment of a connection that is over, sent by `sender`; what it says is passed over.
    pub fn count(&mut self, segment: &Segment<'_>, sender: Side) {
        let [to_server, to_client] = &mut self.senders;
        let own = if sender == self.client { to_server } else { to_client };
        own.packets += 1;
        if !segment.flags.intersects(TcpFlags::RST) {
            own.bytes += u64::from(segment.payload_len);
        }
        self.phase = self.phase.after(Event::of(segment, self.direction(sender)));
        self.last_frame = segment.frame;
        self.last = self.last.max(segment.time);
    }

    /// How it broke off, as a signature of the study of 2023 (see the module `signature`); `now` is
    /// when it was given up.
    pub fn tampering_signature(&self, now: Timestamp) -> Option<&'static str> {
        let quiet = now.since(self.last) >= SILENCE;
        let (up, down) = (self.sender(Direction::ToServer), self.sender(Direction::ToClient));
        let started = self.handshake.syn_ack.map(|answer| answer.seq.plus(1));
        let unheard = match (started, up.acked) {
            (Some(started), Some(acked)) => !acked.is_after(started),
            _ => down.bytes == 0,
        };
        self.broken.signature(quiet && (down.bytes == 0 || unheard))
    }

    fn note_handshake(&mut self, sighting: &Sighting, event: Event) {
        if sighting.duplicate {
            return;
        }
        let handshake = &mut self.handshake;
        match event {
            Event::Syn(Direction::ToServer) if handshake.syn_ack.is_none() => {
                handshake.syn = Some(*sighting);
                handshake.syns = handshake.syns.saturating_add(1);
            }
            Event::SynAck(Direction::ToClient) if handshake.syn_ack.is_none() => {
                let fits = handshake.syn.is_none_or(|syn| sighting.ack == syn.seq.plus(1));
                // With TCP Fast Open (RFC 7413) the SYN's data may be acknowledged as well.
                let fast_open = handshake.syn.is_some_and(|syn| sighting.ack == syn.seq_end());
                if fits || fast_open {
                    handshake.syn_ack = Some(*sighting);
                }
            }
            Event::Ordinary(Direction::ToServer) if self.phase == Phase::SynAcked => {
                handshake.completed = Some(sighting.time);
            }
            _ => {}
        }
    }
}

impl SenderState {
    fn note(&mut self, sighting: &Sighting) {
        self.packets += 1;
        if sighting.duplicate {
            return;
        }
        if sighting.is_reset() {
            // Forged or not, a RST says nothing about what its sender has sent.
            return;
        }
        self.bytes += u64::from(sighting.payload_len);
        let end = sighting.seq_end();
        if self.next.is_none_or(|next| end.is_after(next)) {
            self.next = Some(end);
        }
        if sighting.has_ack() && self.acked.is_none_or(|acked| sighting.ack.is_after(acked)) {
            self.acked = Some(sighting.ack);
        }
        if sighting.is_fin() && self.fin.is_none() {
            self.fin = Some(end);
        }
    }
}

/// Packets that several interfaces or queues saw are less than this out of order.
const REWOUND_MIN: Duration = Duration::from_secs(1);
/// Silence that counts as an end: what the study of 2023 took.
const SILENCE: Duration = Duration::from_secs(3);

/// Without a handshake: is the sender the server? A well-known or lower port speaks for it.
fn guess_is_server(src: Endpoint, dst: Endpoint) -> bool {
    const SERVICES: [u16; 12] =
        [3128, 3306, 3389, 5060, 5222, 5432, 6379, 8000, 8008, 8080, 8443, 8888];
    let rank = |port: u16| match port {
        0..=1023 => 2,
        _ if SERVICES.contains(&port) => 1,
        _ => 0,
    };
    let (source, target) = (rank(src.port), rank(dst.port));
    source > target || (source == target && source > 0 && src.port < dst.port)
}

/// Tells a frame that was captured twice (two taps, a mirror of both ports of a switch) from a
/// segment that was sent twice.
///
/// A stack that sends again takes a new IP identification or a new timestamp, and waits; a frame
/// seen twice has all fields alike but the link header, and TTL if a router stood between.
#[derive(Clone, Copy, Default, Debug)]
struct Recent {
    prints: [u64; Self::KEPT],
    times: [Timestamp; Self::KEPT],
    place: u8,
}

impl Recent {
    const KEPT: usize = 6;
    /// With an identification of its own, a copy is recognised over this time.
    const MARKED: Duration = Duration::from_millis(50);
    /// Without (IPv6, constant zero), only as fast as no sender repeats itself.
    const UNMARKED: Duration = Duration::from_micros(500);

    fn saw_before(&mut self, segment: &Segment<'_>, direction: Direction) -> bool {
        let print = print_of(segment, direction);
        let seen = self.prints.contains(&print) && self.is_soon(print, segment);
        let place = usize::from(self.place);
        if let (Some(own), Some(time)) = (self.prints.get_mut(place), self.times.get_mut(place)) {
            (*own, *time) = (print, segment.time);
        }
        self.place = if place + 1 < Self::KEPT { self.place + 1 } else { 0 };
        seen
    }

    /// Whether one of the same print was seen so shortly before that it is a copy.
    #[cold]
    fn is_soon(&self, print: u64, segment: &Segment<'_>) -> bool {
        let marked = segment.ip.id.is_some_and(|id| id != 0);
        let limit = if marked { Self::MARKED } else { Self::UNMARKED };
        let mut alike = self.prints.iter().zip(self.times).filter(|(known, _)| **known == print);
        alike.any(|(_, time)| segment.time.distance(time) <= limit)
    }
}

/// All that a copy of the frame shares with it, folded; never 0, which marks an empty place.
fn print_of(segment: &Segment<'_>, direction: Direction) -> u64 {
    let words = [
        u64::from(segment.seq.0) << 32 | u64::from(segment.ack.0),
        u64::from(segment.checksum) << 48
            | u64::from(segment.window) << 32
            | u64::from(segment.payload_len),
        u64::from(segment.ip.id.unwrap_or(0)) << 32
            | u64::from(segment.flags.0) << 8
            | direction.index() as u64,
    ];
    words.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |print, word| {
        (print.rotate_left(23) ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd)
    }) | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{IpHeader, TcpOptions, Ttl};

    fn blank() -> Segment<'static> {
        let end = Endpoint::new([192, 0, 2, 1].into(), 80);
        Segment {
            frame: FrameId::new(0, 1),
            time: Timestamp::ZERO,
            ip: IpHeader {
                ttl: Ttl(64),
                id: None,
                dont_fragment: true,
                traffic_class: 0,
                reassembled: false,
                tunnels: 0,
            },
            src: end,
            dst: end,
            seq: SeqNumber(0),
            ack: SeqNumber(0),
            flags: TcpFlags::ACK,
            window: 1000,
            checksum: 0,
            options: TcpOptions::default(),
            payload: &[],
            payload_len: 0,
            transport: &[],
        }
    }

    /// Whether a flow is mutual after its handshake and `more`: who sends, number, acknowledgment
    /// and payload bytes.
    fn is_mutual_after(more: &[(Side, u32, u32, u32)]) -> bool {
        let syn = TcpFlags::SYN;
        let segment = |(flags, seq, ack, payload_len)| Segment {
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            flags,
            payload_len,
            ..blank()
        };
        let opening = segment((syn, 99, 0, 0));
        let mut flow = TcpFlow::open(&opening, Side::Low);
        flow.observe(&opening, Side::Low);
        flow.observe(&segment((syn.union(TcpFlags::ACK), 899, 100, 0)), Side::High);
        flow.observe(&segment((TcpFlags::ACK, 100, 900, 0)), Side::Low);
        for (sender, seq, ack, len) in more {
            flow.observe(&segment((TcpFlags::ACK, *seq, *ack, *len)), *sender);
        }
        flow.is_mutual()
    }

    #[test]
    fn a_handshake_alone_shows_nothing_of_who_hears_whom() {
        assert!(!is_mutual_after(&[]));
        let asked = (Side::Low, 100, 900, 10);
        assert!(!is_mutual_after(&[asked]), "a flood can do that alone");
        assert!(is_mutual_after(&[asked, (Side::High, 900, 110, 0)]), "acknowledged");
        assert!(is_mutual_after(&[(Side::High, 900, 100, 5)]), "the server speaks first");
        assert!(!is_mutual_after(&[asked, (Side::High, 900, 100, 0)]), "what it had said before");
    }

    #[test]
    fn stamps_that_no_network_explains_give_no_round_trip() {
        let at = |secs: i64| Timestamp::from_nanos(secs * 1_000_000_000);
        assert_eq!(round_trip(at(10), at(11)), Some(Duration::from_secs(1)));
        assert_eq!(round_trip(at(10), at(10)), Some(Duration::from_secs(0)));
        assert_eq!(round_trip(at(10), at(250)), Some(Duration::from_secs(240)));
        assert_eq!(round_trip(at(10), at(251)), None);
        // Answered before it was asked: the clock was set back, or two files were laid together.
        assert_eq!(round_trip(at(10), at(9)), None);
    }
}
