//! Tunnels inside UDP, told by port and by the look of their header.
//!
//! A port proves nothing, so a header must fit in every field that has a fixed value. Whoever
//! walks on keeps the datagram, for the case that no packet is found in it.

use super::octets::Octets;
use super::udp::UdpLeaf;
use super::walk::Next;

/// What comes inside, if the datagram looks like a tunnel's.
pub(super) fn inside<'a>(leaf: &UdpLeaf<'a>) -> Option<Next<'a>> {
    match (leaf.src_port, leaf.dst_port) {
        (_, VXLAN | VXLAN_LINUX) => vxlan(leaf.body),
        (_, GENEVE) => geneve(leaf.body),
        (_, GTP_U) => gtp_u(leaf.body),
        (_, TEREDO) | (TEREDO, _) => teredo(leaf.body),
        (_, L2TP) | (L2TP, _) => l2tp(leaf.body),
        _ => None,
    }
}

/// RFC 7348 §5: flags with the I bit, 24 reserved bits, network identifier, 8 reserved bits.
///
/// The group policy extension uses the G bit and the last 16 of the reserved bits.
fn vxlan(octets: Octets<'_>) -> Option<Next<'_>> {
    let [flags, policy, _, _] = octets.array(0)?;
    let fits = match flags {
        0x08 => octets.be32(0)? == 0x0800_0000,
        0x88 => policy & !0x48 == 0,
        _ => false,
    };
    (fits && octets.u8(7)? == 0).then_some(Next::Ethernet(octets.skip(8)?))
}

/// RFC 8926 §3.4: version 0, length of options, flags, protocol, network identifier.
fn geneve(octets: Octets<'_>) -> Option<Next<'_>> {
    const RESERVED: u8 = 0x3f;
    let [version_len, flags] = octets.array(0)?;
    let fits = version_len >> 6 == 0 && flags & RESERVED == 0 && octets.u8(7)? == 0;
    let body = octets.skip(8 + 4 * usize::from(version_len & 0x3f))?;
    fits.then_some(Next::EtherType(octets.be16(2)?, body))
}

/// GTP-U version 1 (3GPP TS 29.281 §5.1): only a T-PDU carries a user's packet.
///
/// ```text
/// | version, PT, -, E, S, PN | type | length 2 | tunnel 4 | sequence 2 | N-PDU | next |
/// ```
fn gtp_u(octets: Octets<'_>) -> Option<Next<'_>> {
    const T_PDU: u8 = 255;
    let [flags, kind] = octets.array(0)?;
    let len = u32::from(octets.be16(2)?);
    let rest = octets.skip(8)?;
    if flags & 0xf8 != 0x30 || kind != T_PDU || len > rest.wire_len() {
        return None;
    }
    let rest = rest.limit(len);
    match flags & 0x07 {
        0 => Some(Next::Ip(rest)),
        flags => gtp_u_extensions(rest, flags).map(Next::Ip),
    }
}

/// Any of the flags E, S and PN brings all three optional fields; E makes the last one count.
fn gtp_u_extensions(octets: Octets<'_>, flags: u8) -> Option<Octets<'_>> {
    let mut next = if flags & 0x04 == 0 { 0 } else { octets.u8(3)? };
    let mut rest = octets.skip(4)?;
    while next != 0 {
        // Length in units of four bytes, the last of which names the next extension.
        let len = 4 * usize::from(rest.u8(0)?);
        next = rest.u8(len.checked_sub(1)?)?;
        rest = rest.skip(len)?;
    }
    Some(rest)
}

/// RFC 4380 §5.1.1: optional authentication, optional origin indication, an IPv6 packet.
fn teredo(octets: Octets<'_>) -> Option<Next<'_>> {
    let mut rest = octets;
    if rest.be16(0)? == 1 {
        let [id_len, value_len] = rest.array(2)?;
        rest = rest.skip(13 + usize::from(id_len) + usize::from(value_len))?;
    }
    if rest.be16(0)? == 0 {
        rest = rest.skip(8)?;
    }
    let fits = rest.u8(0)? >> 4 == 6 && u32::from(rest.be16(4)?) + 40 <= rest.wire_len();
    fits.then_some(Next::Ip(rest))
}

/// L2TP version 2 (RFC 2661 §3.1): data messages, whose optional fields the flags announce.
fn l2tp(octets: Octets<'_>) -> Option<Next<'_>> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    const RESERVED: u16 = 0x34f0;
    let flags = octets.be16(0)?;
    if flags & 0x0f != 2 || flags & (CONTROL | RESERVED) != 0 {
        return None;
    }
    let mut at = 6;
    if flags & LENGTH != 0 {
        at += 2;
    }
    if flags & SEQUENCE != 0 {
        at += 4;
    }
    if flags & OFFSET != 0 {
        at += 2 + usize::from(octets.be16(at)?);
    }
    octets.skip(at).map(Next::Ppp)
}

const L2TP: u16 = 1701;
const GTP_U: u16 = 2152;
const TEREDO: u16 = 3544;
const VXLAN: u16 = 4789;
const GENEVE: u16 = 6081;
/// What Linux took before a number was assigned, and what overlay networks still use.
const VXLAN_LINUX: u16 = 8472;
