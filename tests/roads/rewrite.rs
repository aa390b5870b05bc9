//! The same conversation, on other roads: frames to frames.

use std::collections::HashMap;

use crate::packet::{ACK, ETHERNET, FIN, LINUX_SLL2, Layout, PSH, RST, SYN, Way, link_len};
use crate::stories::Shot;

/// Cuts every data segment into pieces of at most `size` bytes.
///
/// The pieces of a segment come a nanosecond apart, so that nothing that came after the segment
/// comes before a piece of it. Senders that count their packets (IP identification) go on
/// counting: all later ones of the same direction are renumbered.
pub(crate) fn cut(shots: &[Shot], size: usize) -> Vec<Shot> {
    let mut extra: HashMap<Way, u16> = HashMap::new();
    let mut cut = Vec::new();
    for shot in shots {
        let Some(layout) = Layout::of(shot) else {
            cut.push(shot.clone());
            continue;
        };
        let counted = layout.id(&shot.bytes).is_some_and(|id| id != 0);
        let extra = extra.entry(layout.way(&shot.bytes)).or_default();
        let flags = layout.flags(&shot.bytes);
        let whole = layout.data_len() <= size || flags & (SYN | RST) != 0;
        let size = if whole { layout.data_len().max(1) } else { size };
        let pieces = layout.data_len().div_ceil(size).max(1);
        for piece in 0..pieces {
            let offset = piece * size;
            let len = size.min(layout.data_len() - offset);
            let mut bytes = layout.with_piece(&shot.bytes, offset, len);
            if counted {
                let id = layout.id(&shot.bytes).unwrap_or_default();
                layout.set_id(&mut bytes, id.wrapping_add(*extra));
            }
            if piece + 1 < pieces {
                layout.set_flags(&mut bytes, flags & !(PSH | FIN));
                *extra = extra.wrapping_add(1);
            }
            layout.mend(&mut bytes);
            cut.push(Shot {
                time_ns: shot.time_ns + piece as i64,
                link: shot.link,
                original_len: bytes.len() as u32,
                bytes,
            });
        }
    }
    cut
}

/// Swaps every two data segments of one direction that follow each other, in the file and in the
/// stream. The times stay where they were.
pub(crate) fn swap(shots: &[Shot]) -> Vec<Shot> {
    let mut swapped = shots.to_vec();
    let mut at = 0;
    while let Some([one, two]) = swapped.get_mut(at..at + 2) {
        if follow(one, two) {
            std::mem::swap(one, two);
            std::mem::swap(&mut one.time_ns, &mut two.time_ns);
            at += 1;
        }
        at += 1;
    }
    swapped
}

fn follow(one: &Shot, two: &Shot) -> bool {
    let (Some(first), Some(second)) = (Layout::of(one), Layout::of(two)) else { return false };
    let plain = |layout: Layout, shot: &Shot| {
        layout.data_len() > 0 && layout.flags(&shot.bytes) & (SYN | RST | FIN) == 0
    };
    let end = first.seq(&one.bytes).wrapping_add(first.data_len() as u32);
    first.way(&one.bytes) == second.way(&two.bytes)
        && plain(first, one)
        && plain(second, two)
        && second.seq(&two.bytes) == end
}

/// The same with other names in the payload; a name and its stand-in are of one length.
pub(crate) fn renamed(shots: &[Shot], names: &[(&str, &str)]) -> Vec<Shot> {
    let mut renamed = shots.to_vec();
    for shot in &mut renamed {
        let Some(layout) = Layout::of(shot) else { continue };
        let Some(data) = shot.bytes.get_mut(layout.data..layout.end) else { continue };
        for (name, other) in names {
            assert_eq!(name.len(), other.len(), "{name} and {other}");
            let starts = 0..(data.len() + 1).saturating_sub(name.len());
            for at in starts {
                if data[at..].starts_with(name.as_bytes()) {
                    data[at..at + name.len()].copy_from_slice(other.as_bytes());
                }
            }
        }
        layout.mend(&mut shot.bytes);
    }
    renamed
}

/// Every frame a second time, 20 µs later.
pub(crate) fn twice(shots: &[Shot]) -> Vec<Shot> {
    let again = |shot: &Shot| Shot { time_ns: shot.time_ns + 20_000, ..shot.clone() };
    let mut twice: Vec<Shot> = shots.iter().flat_map(|shot| [shot.clone(), again(shot)]).collect();
    twice.sort_by_key(|shot| shot.time_ns);
    twice
}

/// With the TCP server at `from` at another address.
pub(crate) fn moved(shots: &[Shot], from: [u8; 4], to: [u8; 4]) -> Vec<Shot> {
    let mut moved = shots.to_vec();
    for shot in &mut moved {
        if let Some(layout) = Layout::of(shot) {
            layout.readdress(&mut shot.bytes, from, to);
            layout.mend(&mut shot.bytes);
        }
    }
    moved
}

/// Sequence numbers that wrap in the middle of each direction's data.
pub(crate) fn wrap(shots: &[Shot]) -> Vec<Shot> {
    let mut spans: HashMap<Way, (u32, u32)> = HashMap::new();
    for (shot, layout) in shots.iter().filter_map(|shot| Some((shot, Layout::of(shot)?))) {
        let seq = layout.seq(&shot.bytes);
        // The first number of a direction, and how far its data goes beyond it.
        let (first, len) = spans.entry(layout.way(&shot.bytes)).or_insert((seq, 0));
        let end = seq.wrapping_sub(*first).wrapping_add(layout.data_len() as u32);
        if layout.data_len() > 0 && end < 1 << 24 {
            *len = end.max(*len);
        }
    }
    let shift = |way: &Way| {
        let (first, len) = spans.get(way).copied().unwrap_or_default();
        if len == 0 { 0 } else { 0_u32.wrapping_sub(first).wrapping_sub(len / 2) }
    };
    let mut wrapped = shots.to_vec();
    for shot in &mut wrapped {
        let Some(layout) = Layout::of(shot) else { continue };
        let way = layout.way(&shot.bytes);
        let back = (way.2, way.3, way.0, way.1);
        layout.shift(&mut shot.bytes, shift(&way), shift(&back));
        layout.mend(&mut shot.bytes);
    }
    wrapped
}

/// Ten years later.
pub(crate) fn later(shots: &[Shot]) -> Vec<Shot> {
    const TEN_YEARS_NS: i64 = 10 * 365 * 86_400 * 1_000_000_000;
    let late = |shot: &Shot| Shot { time_ns: shot.time_ns + TEN_YEARS_NS, ..shot.clone() };
    shots.iter().map(late).collect()
}

/// With a header before every IP packet that `head` makes from it. What is no IP stays as it is.
fn inside(shots: &[Shot], head: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Shot> {
    let wrap = |shot: &Shot| {
        let Some(link) = link_len(shot) else { return shot.clone() };
        let outer = head(&shot.bytes[link..]);
        if outer.is_empty() {
            return shot.clone();
        }
        let grown = outer.len() as u32;
        let bytes = [&shot.bytes[..link], &outer, &shot.bytes[link..]].concat();
        let mut shot = Shot { bytes, original_len: shot.original_len + grown, ..shot.clone() };
        let kind = outer_kind(&shot, link);
        let at = if shot.link == LINUX_SLL2 { 0 } else { 12 };
        shot.bytes[at..at + 2].copy_from_slice(&kind.to_be_bytes());
        shot
    };
    shots.iter().map(wrap).collect()
}

/// The `EtherType` of what follows the link header.
fn outer_kind(shot: &Shot, link: usize) -> u16 {
    match shot.bytes[link..] {
        [0x45, ..] => 0x0800,
        // The label of `mpls` begins with 0x00, the tag of `vlan` with 0x60.
        [0x00, ..] => 0x8847,
        _ => 0x8100,
    }
}

/// IEEE 802.1Q.
pub(crate) fn vlan(shots: &[Shot]) -> Vec<Shot> {
    inside(shots, |packet| {
        let [high, low] = if packet[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
        vec![0x60, 7, high, low]
    })
}

/// Two MPLS labels (RFC 3032).
pub(crate) fn mpls(shots: &[Shot]) -> Vec<Shot> {
    inside(shots, |_| vec![0x00, 0x01, 0x00, 0xff, 0x00, 0x02, 0x01, 0xff])
}

/// GRE (RFC 2784).
pub(crate) fn gre(shots: &[Shot]) -> Vec<Shot> {
    inside(shots, |packet| {
        let kind = if packet[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
        let gre = [[0, 0], kind].concat();
        [outer_ip(47, gre.len() + packet.len()), gre].concat()
    })
}

/// GTP-U (3GPP TS 29.281), as in a mobile network. What carries neither TCP nor UDP stays outside:
/// a tunnel over UDP that leads to no packet is told as the datagram that it is.
pub(crate) fn gtp(shots: &[Shot]) -> Vec<Shot> {
    inside(shots, |packet| {
        let protocol = if packet[0] >> 4 == 6 { packet[6] } else { packet[9] };
        if ![6, 17].contains(&protocol) {
            return Vec::new();
        }
        let [high, low] = (packet.len() as u16).to_be_bytes();
        let gtp = [0x30, 0xff, high, low, 0, 0, 0, 7];
        let [udp_high, udp_low] = (packet.len() as u16 + 16).to_be_bytes();
        let udp = [0x08, 0x68, 0x08, 0x68, udp_high, udp_low, 0, 0];
        [outer_ip(17, 16 + packet.len()), udp.to_vec(), gtp.to_vec()].concat()
    })
}

/// IP in IP (RFC 2003, RFC 4213).
pub(crate) fn ip_in_ip(shots: &[Shot]) -> Vec<Shot> {
    inside(shots, |packet| outer_ip(if packet[0] >> 4 == 6 { 41 } else { 4 }, packet.len()))
}

fn outer_ip(protocol: u8, len: usize) -> Vec<u8> {
    let [high, low] = (len as u16 + 20).to_be_bytes();
    let head = [0x45, 0, high, low, 0, 0, 0x40, 0, 200, protocol, 0, 0];
    [&head[..], &[203, 0, 113, 1], &[203, 0, 113, 2]].concat()
}

/// Whether a frame could be taken apart at all: the roads must lead somewhere.
pub(crate) fn segments(shots: &[Shot]) -> usize {
    let known = |shot: &&Shot| [ETHERNET, LINUX_SLL2].contains(&shot.link);
    let has_ack = |layout: &Layout, shot: &Shot| layout.flags(&shot.bytes) & ACK != 0;
    let found = shots.iter().filter(known).filter_map(|shot| Some((Layout::of(shot)?, shot)));
    found.filter(|(layout, shot)| has_ack(layout, shot)).count()
}
