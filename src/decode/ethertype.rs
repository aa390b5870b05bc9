//! What a 16-bit protocol number announces, and the shims between link and network layer.

use super::octets::Octets;
use super::walk::Next;
use super::{Skip, link};

/// Reads on by `number`; VLAN tags and MPLS labels of any depth, since each eats four bytes.
pub(super) fn enter(number: u16, octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    match number {
        IPV4 | IPV6 => Ok(Next::Ip(octets)),
        VLAN | QINQ | QINQ_9100 | QINQ_9200 => vlan(octets).ok_or(Skip::TruncatedLink),
        MPLS | MPLS_UPSTREAM => mpls(octets),
        PPPOE_SESSION => pppoe_session(octets),
        PPP => Ok(Next::Ppp(octets)),
        TRANSPARENT_ETHERNET => Ok(Next::Ethernet(octets)),
        ARP | RARP => Err(Skip::Arp),
        MACSEC => macsec(octets),
        FABRIC_PATH => octets.skip(2).map(Next::Ethernet).ok_or(Skip::TruncatedLink),
        _ => Err(Skip::NonIp),
    }
}

/// A PPPoE session packet (RFC 2516 §4): version and type 1, code 0, session, length, PPP.
pub(super) fn pppoe_session(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    let [version_type, code] = octets.array(0).ok_or(Skip::TruncatedLink)?;
    if version_type != 0x11 || code != 0 {
        return Err(Skip::NonIp);
    }
    let len = octets.be16(4).ok_or(Skip::TruncatedLink)?;
    let body = octets.skip(6).ok_or(Skip::TruncatedLink)?;
    Ok(Next::Ppp(body.limit(body.wire_len().min(u32::from(len)))))
}

/// 802.1Q: two bytes of tag, then a type or length.
fn vlan(octets: Octets<'_>) -> Option<Next<'_>> {
    Some(link::type_or_length(octets.be16(2)?, octets.skip(4)?))
}

/// 802.1AE §9.3: what is only signed can be read. The signature behind it is no payload, since
/// the IP header states the length.
fn macsec(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    const VERSION: u8 = 0x80;
    const CHANNEL: u8 = 0x20;
    const ENCRYPTED_OR_CHANGED: u8 = 0x0c;
    let tag = octets.u8(0).ok_or(Skip::TruncatedLink)?;
    if tag & (VERSION | ENCRYPTED_OR_CHANGED) != 0 {
        return Err(Skip::Macsec);
    }
    let len = if tag & CHANNEL == 0 { 6 } else { 14 };
    let number = octets.be16(len).ok_or(Skip::TruncatedLink)?;
    let body = octets.skip(len + 2).ok_or(Skip::TruncatedLink)?;
    Ok(link::type_or_length(number, body))
}

/// Labels down to the bottom of the stack (RFC 3032 §2.1); what follows must be guessed.
///
/// RFC 4928 §3 keeps the first nibbles 4 and 6 for IP, 0 for the control word of a pseudowire
/// (RFC 4385 §3) and 1 for its control channel; an Ethernet pseudowire may also go without.
pub(super) fn mpls(mut octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    const BOTTOM: u32 = 0x100;
    loop {
        let label = octets.be32(0).ok_or(Skip::TruncatedLink)?;
        octets = octets.skip(4).ok_or(Skip::TruncatedLink)?;
        if label & BOTTOM != 0 {
            break;
        }
    }
    match octets.u8(0).ok_or(Skip::TruncatedLink)? >> 4 {
        4 | 6 => Ok(Next::Ip(octets)),
        0 => octets.skip(4).map(Next::Ethernet).ok_or(Skip::TruncatedLink),
        1 => Err(Skip::NonIp),
        _ => Ok(Next::Ethernet(octets)),
    }
}

pub(super) const IPV4: u16 = 0x0800;
pub(super) const ARP: u16 = 0x0806;
pub(super) const TRANSPARENT_ETHERNET: u16 = 0x6558;
pub(super) const RARP: u16 = 0x8035;
pub(super) const VLAN: u16 = 0x8100;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const PPP: u16 = 0x880b;
pub(super) const MPLS: u16 = 0x8847;
pub(super) const MPLS_UPSTREAM: u16 = 0x8848;
pub(super) const PPPOE_SESSION: u16 = 0x8864;
pub(super) const QINQ: u16 = 0x88a8;
pub(super) const MACSEC: u16 = 0x88e5;
/// Cisco's `FabricPath`: two bytes of tag behind outer addresses, then the frame.
pub(super) const FABRIC_PATH: u16 = 0x8903;
pub(super) const QINQ_9100: u16 = 0x9100;
pub(super) const QINQ_9200: u16 = 0x9200;
