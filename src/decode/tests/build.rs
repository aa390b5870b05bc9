//! Headers as bytes.

use etherparse::PacketBuilder;

pub(super) const ETHERNET: u16 = 1;
pub(super) const RAW: u16 = 101;

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// An IPv4 packet with a TCP segment from 192.0.2.7:50000 to 198.51.100.1:443, TTL 57.
pub(super) fn tcp4(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 7], [198, 51, 100, 1], 57)
        .tcp(50_000, 443, 1000, 4096)
        .ack(77)
        .psh()
        .write(&mut packet, payload)
        .unwrap();
    packet
}

/// The same ports in IPv6, hop limit 57.
pub(super) fn tcp6(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv6(v6(7), v6(1), 57)
        .tcp(50_000, 443, 1000, 4096)
        .ack(77)
        .write(&mut packet, payload)
        .unwrap();
    packet
}

/// An IPv4 packet with a UDP datagram from 203.0.113.1 to 203.0.113.2, TTL 200.
pub(super) fn udp4(src_port: u16, dst_port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([203, 0, 113, 1], [203, 0, 113, 2], 200)
        .udp(src_port, dst_port)
        .write(&mut packet, payload)
        .unwrap();
    packet
}

pub(super) fn v6(last: u8) -> [u8; 16] {
    [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
}

/// An IPv4 header around `body`.
pub(super) fn ip4(protocol: u8, body: &[u8]) -> Vec<u8> {
    fragment4(protocol, 1, 0, false, body)
}

/// An IPv4 header of one part of a packet: identification, offset in bytes, more to come.
pub(super) fn fragment4(protocol: u8, id: u16, offset: u16, more: bool, body: &[u8]) -> Vec<u8> {
    let [len_high, len_low] = (body.len() as u16 + 20).to_be_bytes();
    let [id_high, id_low] = id.to_be_bytes();
    let [flags, offset] = ((offset / 8) | (u16::from(more) << 13)).to_be_bytes();
    let header = [0x45, 0, len_high, len_low, id_high, id_low, flags, offset, 99, protocol, 0, 0];
    join(&[&header, &[10, 0, 0, 1], &[10, 0, 0, 2], body])
}

/// An IPv6 header around `body`.
pub(super) fn ip6(next: u8, body: &[u8]) -> Vec<u8> {
    let [len_high, len_low] = (body.len() as u16).to_be_bytes();
    join(&[&[0x60, 0, 0, 0, len_high, len_low, next, 99], &v6(3), &v6(4), body])
}

/// One part of an IPv6 packet.
pub(super) fn fragment6(next: u8, id: u32, offset: u16, more: bool, body: &[u8]) -> Vec<u8> {
    let [offset_high, offset_low] = (offset | u16::from(more)).to_be_bytes();
    let header = [next, 0, offset_high, offset_low];
    ip6(44, &join(&[&header, &id.to_be_bytes(), body]))
}

pub(super) fn ethernet(kind: u16, body: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &kind.to_be_bytes(), body])
}

/// A GRE header with a fixed part and optional words.
pub(super) fn gre(flags: u16, protocol: u16, options: &[u8], body: &[u8]) -> Vec<u8> {
    ip4(47, &join(&[&flags.to_be_bytes(), &protocol.to_be_bytes(), options, body]))
}
