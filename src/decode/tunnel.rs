//! Tunnels that stand directly in IP: GRE with what it carries, and Ethernet in IP.

use super::octets::Octets;
use super::walk::Next;
use super::{Skip, ethertype};

/// GRE (RFC 2784 §2, RFC 2890 §2), and the version of it that PPTP uses.
///
/// ```text
/// | C R K S s .. A ...  version | protocol | checksum, offset | key | sequence | ack (v1)
/// ```
pub(super) fn gre(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    let flags = octets.be16(0).ok_or(Skip::TruncatedTunnel)?;
    let protocol = octets.be16(2).ok_or(Skip::TruncatedTunnel)?;
    match flags & VERSION {
        0 => gre_v0(flags, protocol, octets),
        1 if protocol == ethertype::PPP => gre_v1(flags, octets),
        _ => Err(Skip::BadTunnelHeader),
    }
}

/// Ethernet in IP (RFC 3378 §3): version 3 and twelve zero bits.
pub(super) fn ether_ip(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    match octets.be16(0).ok_or(Skip::TruncatedTunnel)? {
        0x3000 => octets.skip(2).map(Next::Ethernet).ok_or(Skip::TruncatedTunnel),
        _ => Err(Skip::BadTunnelHeader),
    }
}

fn gre_v0(flags: u16, protocol: u16, octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    if flags & ROUTING != 0 {
        // Source routes (RFC 1701), deprecated by RFC 2784 §2.3.
        return Err(Skip::BadTunnelHeader);
    }
    let options = (flags & (CHECKSUM | KEY | SEQUENCE)).count_ones() as usize;
    let body = octets.skip(4 + 4 * options).ok_or(Skip::TruncatedTunnel)?;
    match protocol {
        KEEPALIVE => Err(Skip::TunnelControl),
        WCCP => wccp(body).ok_or(Skip::TruncatedTunnel),
        // Type I has no header of its own and no sequence number; type II has both.
        ERSPAN if flags & SEQUENCE == 0 => Ok(Next::Ethernet(body)),
        ERSPAN => body.skip(8).map(Next::Ethernet).ok_or(Skip::TruncatedTunnel),
        ERSPAN_3 => erspan_3(body).ok_or(Skip::TruncatedTunnel),
        _ => Ok(Next::EtherType(protocol, body)),
    }
}

/// PPTP (RFC 2637 §4.1): a packet without sequence number only acknowledges.
fn gre_v1(flags: u16, octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    if flags & KEY == 0 || flags & (CHECKSUM | ROUTING) != 0 {
        return Err(Skip::BadTunnelHeader);
    }
    if flags & SEQUENCE == 0 {
        return Err(Skip::TunnelControl);
    }
    let len = octets.be16(4).ok_or(Skip::TruncatedTunnel)?;
    let header_len = if flags & ACKNOWLEDGMENT == 0 { 12 } else { 16 };
    let body = octets.skip(header_len).ok_or(Skip::TruncatedTunnel)?;
    Ok(Next::Ppp(body.limit(body.wire_len().min(u32::from(len)))))
}

/// Version 2 of WCCP has four bytes of its own before the packet, version 1 none.
fn wccp(body: Octets<'_>) -> Option<Next<'_>> {
    let own = if body.u8(0)? >> 4 == 4 { 0 } else { 4 };
    body.skip(own).map(Next::Ip)
}

/// Type III: twelve bytes, the last bit of which announces eight more.
fn erspan_3(body: Octets<'_>) -> Option<Next<'_>> {
    let more = if body.u8(11)? & 1 == 0 { 0 } else { 8 };
    body.skip(12 + more).map(Next::Ethernet)
}

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

const KEEPALIVE: u16 = 0;
const ERSPAN_3: u16 = 0x22eb;
const WCCP: u16 = 0x883e;
const ERSPAN: u16 = 0x88be;
