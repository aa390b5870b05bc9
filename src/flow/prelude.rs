//! A TCP connection before its first payload: its headers, and nothing else.
//!
//! Most flows of a scan or a flood end here, so they cost one slot and no more. Nothing is judged
//! before a flow speaks or ends; then its segments are given back as they were, and whoever takes
//! them in sees the same as if they had just come.

use smallvec::SmallVec;

use super::{Event, Phase};
use crate::wire::{
    Direction, FlowKey, FrameId, IpHeader, Segment, SeqNumber, Side, TcpFlags, TcpOptions,
    TcpTimestamps, Timestamp, Ttl,
};

/// The segments of a connection that begins with a SYN and has carried no payload yet.
#[derive(Debug)]
pub struct Prelude {
    syn: Header,
    rest: SmallVec<[Header; 1]>,
    phase: Phase,
}

impl Prelude {
    /// Segments kept after the SYN; a handshake and a close have six.
    const REST_MAX: usize = 7;

    /// Whether a connection may begin with `segment`: a bare SYN.
    #[inline]
    pub fn begins(segment: &Segment<'_>) -> bool {
        segment.flags.contains(TcpFlags::SYN)
            && !segment.flags.intersects(TcpFlags::ACK.union(TcpFlags::RST).union(TcpFlags::FIN))
            && segment.payload_len == 0
    }

    /// A connection that [begins](Self::begins) with `segment`, sent by `sender`.
    #[inline]
    pub fn open(segment: &Segment<'_>, sender: Side) -> Self {
        debug_assert!(Self::begins(segment), "a bare SYN");
        Self { syn: Header::of(segment, sender), rest: SmallVec::new(), phase: Phase::SynSent }
    }

    /// Takes in the next segment, if it still belongs to the prelude.
    pub fn takes(&mut self, segment: &Segment<'_>, sender: Side) -> bool {
        let belongs = segment.payload_len == 0
            && self.rest.len() < Self::REST_MAX
            && !self.may_be_reopened_by(segment, sender);
        if belongs {
            let own = sender == self.syn.sender();
            let direction = if own { Direction::ToServer } else { Direction::ToClient };
            self.phase = self.phase.after(Event::of(segment, direction));
            self.rest.push(Header::of(segment, sender));
        }
        belongs
    }

    /// Where the connection stands.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Bytes held beside this value.
    pub fn memory(&self) -> usize {
        if self.rest.spilled() { self.rest.capacity() * size_of::<Header>() } else { 0 }
    }

    /// The frame of the SYN.
    pub const fn first_frame(&self) -> FrameId {
        self.syn.frame
    }

    /// Who sent the SYN.
    pub const fn client(&self) -> Side {
        self.syn.sender()
    }

    /// The SYN of the flow of `key`.
    #[inline]
    pub fn syn(&self, key: &FlowKey) -> Segment<'static> {
        self.syn.segment(key)
    }

    /// Gives `taker` each segment of the flow of `key` again, with its sender: the captured headers,
    /// but not the bytes from which a checksum could be computed.
    #[inline]
    pub fn replay(&self, key: &FlowKey, mut taker: impl FnMut(&Segment<'static>, Side)) {
        for header in std::iter::once(&self.syn).chain(&self.rest) {
            taker(&header.segment(key), header.sender());
        }
    }

    /// Whether all that happened is that a port refused: a RST that acknowledges the SYN, and bears
    /// no mark of having been made from it. Where number and window are not those of a stack (RFC
    /// 9293 §3.5.2) nothing follows from that, for there is no other packet of its sender to hold
    /// them against.
    pub fn is_plainly_refused(&self) -> bool {
        let (syn, [rst]) = (&self.syn, self.rest.as_slice()) else { return false };
        let by_a_stack = (rst.seq, rst.window) == (SeqNumber(0), 0);
        let counted_on = syn.id().map(|id| id.wrapping_add(1));
        let of_the_syn = |id| id == syn.id() || (!by_a_stack && id == counted_on);
        rst.sender() != syn.sender()
            && rst.flags() == TcpFlags::RST.union(TcpFlags::ACK)
            && rst.ack == syn.seq.plus(1)
            && (by_a_stack || rst.time >= syn.time)
            && (rst.id().is_none_or(|id| id == 0) || !of_the_syn(rst.id()))
    }

    /// Whether a SYN was all that was ever seen.
    pub fn is_unanswered(&self) -> bool {
        self.rest.is_empty()
    }

    /// A SYN that is not the first one again may open another connection: that is not decided here.
    fn may_be_reopened_by(&self, segment: &Segment<'_>, sender: Side) -> bool {
        let syn = segment.flags.contains(TcpFlags::SYN) && !segment.flags.contains(TcpFlags::ACK);
        syn && (self.syn.seq, self.syn.sender()) != (segment.seq, sender)
    }
}

/// The headers of one segment without payload.
#[derive(Clone, Copy, Debug)]
struct Header {
    frame: FrameId,
    time: Timestamp,
    seq: SeqNumber,
    ack: SeqNumber,
    timestamps: (u32, u32),
    /// Those of TCP, and above them what is told of the fields beside.
    flags: u16,
    window: u16,
    checksum: u16,
    ip_id: u16,
    mss: u16,
    ttl: Ttl,
    traffic_class: u8,
    tunnels: u8,
    window_scale: u8,
    options_len: u8,
    present: u8,
}

impl Header {
    /// In `flags`.
    const NUMBERED: u16 = 1 << 12;
    const DONT_FRAGMENT: u16 = 1 << 13;
    const REASSEMBLED: u16 = 1 << 14;
    const FROM_HIGH: u16 = 1 << 15;

    /// In `present`.
    const TIMESTAMPS: u8 = 1;
    const MSS: u8 = 2;
    const WINDOW_SCALE: u8 = 4;
    const SACK_PERMITTED: u8 = 8;
    const MALFORMED: u8 = 16;

    #[inline]
    fn of(segment: &Segment<'_>, sender: Side) -> Self {
        let options = &segment.options;
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        let mark = |bit: u16, set: bool| if set { bit } else { 0 };
        let stamps = options.timestamps.map(|stamps| (stamps.value, stamps.echo));
        let IpHeader { ttl, id, dont_fragment, traffic_class, reassembled, tunnels } = segment.ip;
        Self {
            frame: segment.frame,
            time: segment.time,
            seq: segment.seq,
            ack: segment.ack,
            timestamps: stamps.unwrap_or_default(),
            flags: (segment.flags.0 & (Self::NUMBERED - 1))
                | mark(Self::NUMBERED, id.is_some())
                | mark(Self::DONT_FRAGMENT, dont_fragment)
                | mark(Self::REASSEMBLED, reassembled)
                | mark(Self::FROM_HIGH, sender == Side::High),
            window: segment.window,
            checksum: segment.checksum,
            ip_id: id.unwrap_or_default(),
            mss: options.mss.unwrap_or_default(),
            ttl,
            traffic_class,
            tunnels,
            window_scale: options.window_scale.unwrap_or_default(),
            options_len: options.len,
            present: flag(Self::TIMESTAMPS, stamps.is_some())
                | flag(Self::MSS, options.mss.is_some())
                | flag(Self::WINDOW_SCALE, options.window_scale.is_some())
                | flag(Self::SACK_PERMITTED, options.sack_permitted)
                | flag(Self::MALFORMED, options.malformed),
        }
    }

    const fn flags(&self) -> TcpFlags {
        TcpFlags(self.flags & (Self::NUMBERED - 1))
    }

    const fn id(&self) -> Option<u16> {
        if self.flags & Self::NUMBERED == 0 { None } else { Some(self.ip_id) }
    }

    const fn sender(&self) -> Side {
        if self.flags & Self::FROM_HIGH == 0 { Side::Low } else { Side::High }
    }

    fn segment(&self, key: &FlowKey) -> Segment<'static> {
        let ip = IpHeader {
            ttl: self.ttl,
            id: self.id(),
            dont_fragment: self.flags & Self::DONT_FRAGMENT != 0,
            traffic_class: self.traffic_class,
            reassembled: self.flags & Self::REASSEMBLED != 0,
            tunnels: self.tunnels,
        };
        Segment {
            frame: self.frame,
            time: self.time,
            ip,
            src: key.endpoint(self.sender()),
            dst: key.endpoint(self.sender().other()),
            seq: self.seq,
            ack: self.ack,
            flags: self.flags(),
            window: self.window,
            checksum: self.checksum,
            options: self.options(),
            payload: &[],
            payload_len: 0,
            transport: &[],
        }
    }

    fn options(&self) -> TcpOptions {
        let has = |bit: u8| self.present & bit != 0;
        let (value, echo) = self.timestamps;
        TcpOptions {
            mss: has(Self::MSS).then_some(self.mss),
            window_scale: has(Self::WINDOW_SCALE).then_some(self.window_scale),
            sack_permitted: has(Self::SACK_PERMITTED),
            timestamps: has(Self::TIMESTAMPS).then_some(TcpTimestamps { value, echo }),
            len: self.options_len,
            malformed: has(Self::MALFORMED),
        }
    }
}

// A million half-open flows must fit into memory.
const _: () = assert!(size_of::<Prelude>() <= 112);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Endpoint, Transport};

    fn segment(flags: TcpFlags, ports: (u16, u16), seq: u32, ack: u32) -> Segment<'static> {
        let end = |port| Endpoint::new([192, 0, 2, 1].into(), port);
        let id = Some(7);
        Segment {
            frame: FrameId::new(2, 9),
            time: Timestamp::from_nanos(5),
            ip: IpHeader {
                ttl: Ttl(61),
                id,
                dont_fragment: true,
                traffic_class: 3,
                reassembled: true,
                tunnels: 2,
            },
            src: end(ports.0),
            dst: end(ports.1),
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            flags,
            window: 512,
            checksum: 77,
            options: TcpOptions {
                mss: Some(1460),
                window_scale: None,
                sack_permitted: true,
                timestamps: Some(TcpTimestamps { value: 1, echo: 2 }),
                len: 20,
                malformed: false,
            },
            payload: &[],
            payload_len: 0,
            transport: &[],
        }
    }

    fn opened(syn: &Segment<'_>) -> (FlowKey, Side, Prelude) {
        let (key, sender) = FlowKey::of(Transport::Tcp, syn.src, syn.dst);
        let prelude = Prelude::open(syn, sender);
        (key, sender, prelude)
    }

    #[test]
    fn segments_come_back_as_they_were() {
        let syn = segment(TcpFlags::SYN, (50_000, 443), 100, 0);
        let answer = segment(TcpFlags::SYN.union(TcpFlags::ACK), (443, 50_000), 900, 101);
        let (key, sender, mut prelude) = opened(&syn);
        assert!(prelude.takes(&answer, sender.other()));
        assert_eq!(prelude.phase(), Phase::SynAcked);
        let mut back = Vec::new();
        prelude.replay(&key, |segment, side| back.push((format!("{segment:?}"), side)));
        let expected = [(format!("{syn:?}"), sender), (format!("{answer:?}"), sender.other())];
        assert_eq!(back, expected);
    }

    #[test]
    fn what_speaks_or_may_be_another_connection_is_no_prelude() {
        let syn = segment(TcpFlags::SYN, (50_000, 443), 100, 0);
        let (_, sender, mut prelude) = opened(&syn);
        let spoken = Segment {
            payload: b"x",
            payload_len: 1,
            ..segment(TcpFlags::ACK, (50_000, 443), 101, 1)
        };
        assert!(!prelude.takes(&spoken, sender));
        assert!(!prelude.takes(&segment(TcpFlags::SYN, (50_000, 443), 500, 0), sender));
        assert!(prelude.takes(&syn, sender), "the same SYN again");
        let crossed = segment(TcpFlags::SYN, (443, 50_000), 100, 0);
        assert!(!prelude.takes(&crossed, sender.other()), "the same number, by chance");
        for flags in [TcpFlags::ACK, TcpFlags::RST, TcpFlags::SYN.union(TcpFlags::ACK)] {
            assert!(!Prelude::begins(&segment(flags, (50_000, 443), 100, 0)));
        }
    }

    #[test]
    fn only_a_refusal_that_nothing_speaks_against_is_plain() {
        let syn = segment(TcpFlags::SYN, (50_000, 81), 100, 0);
        let plain = Segment {
            window: 0,
            ip: IpHeader { id: Some(0), ..syn.ip },
            ..segment(TcpFlags::RST.union(TcpFlags::ACK), (81, 50_000), 0, 101)
        };
        let numbered = Segment { seq: SeqNumber(7), window: 512, ..plain };
        let early = Segment { time: Timestamp::ZERO, ..numbered };
        let counted = Segment { ip: IpHeader { id: Some(8), ..syn.ip }, ..numbered };
        let mirrored = Segment { ip: syn.ip, ..plain };
        let wrong = Segment { ack: SeqNumber(100), ..plain };
        let bare = Segment { flags: TcpFlags::RST, ..plain };
        let odd = [early, counted, mirrored, wrong, bare].map(|rst| (rst, false));
        for (rst, refused) in [(plain, true), (numbered, true)].into_iter().chain(odd) {
            let (_, sender, mut prelude) = opened(&syn);
            assert!(prelude.takes(&rst, sender.other()));
            assert_eq!(prelude.is_plainly_refused(), refused);
        }
    }
}
