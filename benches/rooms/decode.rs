//! `decode`: frames to packets.

use std::hint::black_box;

use etherparse::PacketBuilder;
use tamperscope::decode::{self, Decoder, Packet};
use tamperscope::wire::Frame;

use super::input;

/// What lies around the packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Headers {
    /// Ethernet and IPv4.
    Ipv4,
    /// Ethernet and IPv6.
    Ipv6,
    /// The frames of [`Self::Ipv4`] with an 802.1Q tag.
    Vlan,
    /// The frames of [`Self::Ipv4`] in VXLAN: Ethernet, IPv4 and UDP once more.
    Vxlan,
}

impl Headers {
    /// [`FRAMES`] frames, from the beginning of `mix`.
    pub(crate) fn frames(self) -> Vec<Frame<'static>> {
        let is_v6 = self == Self::Ipv6;
        let all = input::frames(input::mix(10_000)).into_iter();
        let frames = all.filter(|frame| is_v6 == (frame.bytes[12..14] == [0x86, 0xdd]));
        let frames: Vec<_> = frames.take(FRAMES).map(|frame| self.around(frame)).collect();
        assert_eq!(frames.len(), FRAMES, "frames with {self:?}");
        frames
    }

    fn around(self, frame: Frame<'static>) -> Frame<'static> {
        let bytes = match self {
            Self::Ipv4 | Self::Ipv6 => return frame,
            Self::Vlan => [&frame.bytes[..12], &[0x81, 0, 0, 7], &frame.bytes[12..]].concat(),
            Self::Vxlan => vxlan(frame.bytes),
        };
        Frame { original_len: bytes.len() as u32, bytes: bytes.leak(), ..frame }
    }
}

/// RFC 7348 §5: network 7.
fn vxlan(inner: &[u8]) -> Vec<u8> {
    let outer = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 3], [2, 0, 0, 0, 0, 4])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .udp(49_152, 4789);
    let payload = [&[8, 0, 0, 0, 0, 0, 7, 0], inner].concat();
    let mut frame = Vec::with_capacity(outer.size(payload.len()));
    outer.write(&mut frame, &payload).expect("memory");
    frame
}

/// Decodes all, as a single lane does.
pub(crate) fn decode(frames: &[Frame<'static>]) {
    let mut decoder = Decoder::new();
    let packets = frames.iter().filter(|frame| match decoder.decode(frame) {
        Ok(packet) => {
            black_box(&packet);
            true
        }
        Err(_) => false,
    });
    assert_eq!(packets.count(), frames.len(), "all are decoded");
}

/// The packet of a frame that is no fragment.
pub(crate) fn packet(frame: &Frame<'static>) -> Option<Packet<'static>> {
    decode::lend(frame, |packet, _| *packet)
}

pub(crate) const FRAMES: usize = 1_000;
