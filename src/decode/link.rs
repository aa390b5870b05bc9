//! Link types of capture files, and the headers that stand first in a frame.

use super::ieee80211;
use super::octets::Octets;
use super::walk::Next;
use super::{Skip, ethertype};
use crate::wire::LinkType;

/// Reads the header that `link` says a frame begins with.
pub(super) fn enter(link: LinkType, octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    let next = match link {
        ETHERNET => Some(Next::Ethernet(octets)),
        NULL | LOOP => null(octets),
        RAW_BSD | RAW_OPENBSD | RAW | IPV4 | IPV6 => Some(Next::Ip(octets)),
        PPP | PPP_HDLC => Some(Next::Ppp(octets)),
        PPP_ETHER => return ethertype::pppoe_session(octets),
        C_HDLC => cisco_hdlc(octets),
        LINUX_SLL => linux_cooked(octets, octets.be16(2), octets.be16(14), 16),
        LINUX_SLL2 => linux_cooked(octets, octets.be16(8), octets.be16(0), 20),
        NFLOG => return nflog(octets),
        PKTAP => pktap(octets),
        IEEE802_11 => return ieee80211::frame(octets),
        IEEE802_11_RADIOTAP => return ieee80211::radiotap(octets),
        IEEE802_11_PRISM | IEEE802_11_AVS => ieee80211::prism_or_avs(octets),
        PPI => ieee80211::ppi(octets),
        _ => return Err(Skip::UnsupportedLinkType),
    };
    next.ok_or(Skip::TruncatedLink)
}

/// Ethernet II or 802.3: addresses, then a type, or a length with LLC behind it.
pub(super) fn ethernet(octets: Octets<'_>) -> Option<Next<'_>> {
    Some(type_or_length(octets.be16(12)?, octets.skip(14)?))
}

/// IEEE 802.3 §3.2.6: values up to 1500 are lengths, values from 1536 are protocol numbers.
pub(super) fn type_or_length(number: u16, body: Octets<'_>) -> Next<'_> {
    match number {
        0..=1500 => Next::Llc(body.limit(body.wire_len().min(u32::from(number)))),
        _ => Next::EtherType(number, body),
    }
}

/// IEEE 802.2 LLC, and SNAP where it is used (RFC 1042).
///
/// ```text
/// | DSAP AA | SSAP AA | control 03 | OUI (3) | EtherType (2) |
/// ```
pub(super) fn llc(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    let [dsap, ssap, control] = octets.array(0).ok_or(Skip::TruncatedLink)?;
    match (dsap, ssap, control) {
        (0xaa, 0xaa, 0x03) => {
            let oui: [u8; 3] = octets.array(3).ok_or(Skip::TruncatedLink)?;
            let number = octets.be16(6).ok_or(Skip::TruncatedLink)?;
            let body = octets.skip(8).ok_or(Skip::TruncatedLink)?;
            match oui {
                // RFC 1042, and the bridge-tunnel encapsulation of IEEE 802.1H.
                [0, 0, 0 | 0xf8] => Ok(Next::EtherType(number, body)),
                _ => Err(Skip::NonIp),
            }
        }
        (0x06, 0x06, 0x03) => octets.skip(3).map(Next::Ip).ok_or(Skip::TruncatedLink),
        _ => Err(Skip::NonIp),
    }
}

/// PPP with or without HDLC framing (RFC 1661 §2, RFC 1662 §3), or Cisco HDLC in its place.
pub(super) fn ppp(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    let framed = match octets.array(0) {
        Some([0xff, 0x03]) => octets.skip(2),
        Some([0x0f | 0x8f, 0x00]) => return cisco_hdlc(octets).ok_or(Skip::TruncatedLink),
        _ => Some(octets),
    };
    let body = framed.ok_or(Skip::TruncatedLink)?;
    let first = body.u8(0).ok_or(Skip::TruncatedLink)?;
    // An odd first byte is a protocol number whose leading zero was left out (RFC 1661 §6.5).
    let (protocol, len) = match first & 1 {
        1 => (u16::from(first), 1),
        _ => (body.be16(0).ok_or(Skip::TruncatedLink)?, 2),
    };
    let body = body.skip(len).ok_or(Skip::TruncatedLink)?;
    match protocol {
        0x0021 | 0x0057 => Ok(Next::Ip(body)),
        0x0281 | 0x0283 => Ok(Next::EtherType(ethertype::MPLS, body)),
        // Van Jacobson compression, multilink, encryption, compression.
        0x002d | 0x002f | 0x003d | 0x0053 | 0x00fb | 0x00fd => Err(Skip::PppTransformed),
        _ => Err(Skip::NonIp),
    }
}

/// Address, control, `EtherType`.
fn cisco_hdlc(octets: Octets<'_>) -> Option<Next<'_>> {
    Some(Next::EtherType(octets.be16(2)?, octets.skip(4)?))
}

/// BSD loopback: an address family in the byte order of the capturing machine.
///
/// 2 is IPv4 everywhere; IPv6 is 10 on Linux, 23 on Windows, 24, 28 or 30 on the BSDs. Some
/// systems use the link type for PPP and Cisco HDLC, whose first bytes are no family.
fn null(octets: Octets<'_>) -> Option<Next<'_>> {
    if matches!(octets.array(0)?, [0xff, 0x03] | [0x0f | 0x8f, 0x00]) {
        return Some(Next::Ppp(octets));
    }
    let (little, big) = (octets.le32(0)?, octets.be32(0)?);
    let body = octets.skip(4)?;
    Some(match little.min(big) {
        2 | 10 | 23 | 24 | 28 | 30 => Next::Ip(body),
        _ => Next::EtherType(0, body),
    })
}

/// Linux "cooked" headers: the device type decides what the protocol field means.
fn linux_cooked(
    octets: Octets<'_>,
    device: Option<u16>,
    protocol: Option<u16>,
    len: usize,
) -> Option<Next<'_>> {
    let (device, protocol, body) = (device?, protocol?, octets.skip(len)?);
    Some(match (device, protocol) {
        (ARPHRD_NETLINK, _) => Next::EtherType(0, body),
        (ARPHRD_IEEE80211, _) => Next::Link(IEEE802_11, body),
        (ARPHRD_PRISM, _) => Next::Link(IEEE802_11_PRISM, body),
        (ARPHRD_RADIOTAP, _) => Next::Link(IEEE802_11_RADIOTAP, body),
        (_, LINUX_802_2) => Next::Llc(body),
        (_, protocol) => Next::EtherType(protocol, body),
    })
}

/// Linux netfilter log: attributes, one of which is the IP packet.
fn nflog(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    const PAYLOAD: u16 = 9;
    let mut rest = octets.skip(4).ok_or(Skip::TruncatedLink)?;
    loop {
        let len = rest.le16(0).ok_or(Skip::TruncatedLink)?;
        let kind = rest.le16(2).ok_or(Skip::TruncatedLink)?;
        let body = rest.skip(4).ok_or(Skip::TruncatedLink)?;
        let Some(body_len) = len.checked_sub(4) else { return Err(Skip::NonIp) };
        if kind == PAYLOAD {
            return Ok(Next::Ip(body.limit(body.wire_len().min(u32::from(body_len)))));
        }
        let padded = usize::from(len).next_multiple_of(4);
        rest = rest.skip(padded).ok_or(Skip::TruncatedLink)?;
    }
}

/// Apple's packet tap: its own length, a record type, the link type of what follows.
fn pktap(octets: Octets<'_>) -> Option<Next<'_>> {
    let len = octets.le32(0)?.max(12);
    let link = LinkType(u16::try_from(octets.le32(8)?).unwrap_or(u16::MAX));
    Some(Next::Link(link, octets.skip(len as usize)?))
}

pub(super) const NULL: LinkType = LinkType(0);
pub(super) const ETHERNET: LinkType = LinkType(1);
pub(super) const PPP: LinkType = LinkType(9);
pub(super) const RAW_BSD: LinkType = LinkType(12);
pub(super) const RAW_OPENBSD: LinkType = LinkType(14);
pub(super) const PPP_HDLC: LinkType = LinkType(50);
pub(super) const PPP_ETHER: LinkType = LinkType(51);
pub(super) const RAW: LinkType = LinkType(101);
pub(super) const C_HDLC: LinkType = LinkType(104);
pub(super) const IEEE802_11: LinkType = LinkType(105);
pub(super) const LOOP: LinkType = LinkType(108);
pub(super) const LINUX_SLL: LinkType = LinkType(113);
pub(super) const IEEE802_11_PRISM: LinkType = LinkType(119);
pub(super) const IEEE802_11_RADIOTAP: LinkType = LinkType(127);
pub(super) const IEEE802_11_AVS: LinkType = LinkType(163);
pub(super) const PPI: LinkType = LinkType(192);
pub(super) const IPV4: LinkType = LinkType(228);
pub(super) const IPV6: LinkType = LinkType(229);
pub(super) const NFLOG: LinkType = LinkType(239);
pub(super) const PKTAP: LinkType = LinkType(258);
pub(super) const LINUX_SLL2: LinkType = LinkType(276);

/// `ETH_P_802_2` of the Linux kernel.
const LINUX_802_2: u16 = 4;
const ARPHRD_IEEE80211: u16 = 801;
const ARPHRD_PRISM: u16 = 802;
const ARPHRD_RADIOTAP: u16 = 803;
const ARPHRD_NETLINK: u16 = 824;
