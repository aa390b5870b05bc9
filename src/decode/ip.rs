//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers with their extension headers.

use std::net::IpAddr;

use etherparse::err::{ip_auth, ipv4, ipv6};
use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, ip_number,
};

use super::Skip;
use super::fragment::{Fragment, FragmentKey};
use super::octets::Octets;
use super::walk::Next;
use crate::wire::{IpHeader, Ttl};

/// What an IP header says, and what it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpPacket<'a> {
    /// Source address.
    pub(super) src: IpAddr,
    /// Destination address. A routing header's final destination is not looked for.
    pub(super) dst: IpAddr,
    /// What the header tells about its sender.
    pub(super) header: IpHeader,
    /// Protocol of the body.
    pub(super) protocol: IpNumber,
    /// What is carried, without the link's padding.
    pub(super) body: Octets<'a>,
}

/// Reads an IP header of either version; `tunnels` IP headers stood before it.
pub(super) fn enter(octets: Octets<'_>, tunnels: u8, reassembled: bool) -> Result<Next<'_>, Skip> {
    match octets.u8(0).ok_or(Skip::TruncatedIp)? >> 4 {
        4 => v4(octets, tunnels, reassembled),
        6 => v6(octets, tunnels, reassembled),
        _ => Err(Skip::BadIpHeader),
    }
}

fn v4(octets: Octets<'_>, tunnels: u8, reassembled: bool) -> Result<Next<'_>, Skip> {
    let header = Ipv4HeaderSlice::from_slice(octets.bytes()).map_err(|error| match error {
        ipv4::HeaderSliceError::Len(_) => octets.too_short(Skip::TruncatedIp, Skip::BadIpHeader),
        ipv4::HeaderSliceError::Content(_) => Skip::BadIpHeader,
    })?;
    let header_len = header.slice().len() as u32;
    let rest = octets.skip(header.slice().len()).ok_or(Skip::TruncatedIp)?;
    let body = match u32::from(header.total_len()) {
        // Captured before the network card cut and completed it (segmentation offload).
        0 => rest,
        total => rest.limit(total.checked_sub(header_len).ok_or(Skip::BadIpHeader)?),
    };
    let packet = IpPacket {
        src: IpAddr::V4(header.source_addr()),
        dst: IpAddr::V4(header.destination_addr()),
        header: IpHeader {
            ttl: Ttl(header.ttl()),
            id: Some(header.identification()),
            dont_fragment: header.dont_fragment(),
            traffic_class: header.dcp().value() << 2 | header.ecn().value(),
            reassembled,
            tunnels,
        },
        protocol: header.protocol(),
        body,
    };
    if header.is_fragmenting_payload() {
        Ok(fragment_v4(packet, &header))
    } else {
        extensions(packet)
    }
}

/// A part of an IPv4 packet (RFC 791 §3.2).
fn fragment_v4<'a>(packet: IpPacket<'a>, header: &Ipv4HeaderSlice<'a>) -> Next<'a> {
    Next::Fragment(Fragment {
        key: FragmentKey {
            src: packet.src,
            dst: packet.dst,
            id: u32::from(header.identification()),
            protocol: header.protocol().0,
        },
        offset: u32::from(header.fragments_offset().value()) * 8,
        more: header.more_fragments(),
        packet,
    })
}

fn v6(octets: Octets<'_>, tunnels: u8, reassembled: bool) -> Result<Next<'_>, Skip> {
    let header = Ipv6HeaderSlice::from_slice(octets.bytes()).map_err(|error| match error {
        ipv6::HeaderSliceError::Len(_) => octets.too_short(Skip::TruncatedIp, Skip::BadIpHeader),
        ipv6::HeaderSliceError::Content(_) => Skip::BadIpHeader,
    })?;
    let rest = octets.skip(header.slice().len()).ok_or(Skip::TruncatedIp)?;
    let body = match header.payload_length() {
        // A jumbogram (RFC 2675 §3), or captured before segmentation offload.
        0 => rest,
        len => rest.limit(u32::from(len)),
    };
    extensions(IpPacket {
        src: IpAddr::V6(header.source_addr()),
        dst: IpAddr::V6(header.destination_addr()),
        header: IpHeader {
            ttl: Ttl(header.hop_limit()),
            id: None,
            dont_fragment: true,
            traffic_class: header.traffic_class(),
            reassembled,
            tunnels,
        },
        protocol: header.next_header(),
        body,
    })
}

/// Skips the headers between the IP header and what is carried (RFC 8200 §4).
///
/// IPv4 has but one of them, the authentication header (RFC 4302 §3.1.1).
pub(super) fn extensions(mut packet: IpPacket<'_>) -> Result<Next<'_>, Skip> {
    for _ in 0..EXTENSIONS_MAX {
        let body = packet.body;
        let cut = || body.too_short(Skip::TruncatedIp, Skip::BadIpHeader);
        let (next, len) = match packet.protocol {
            ip_number::AUTH => {
                let header = IpAuthHeaderSlice::from_slice(body.bytes()).map_err(|e| match e {
                    ip_auth::HeaderSliceError::Len(_) => cut(),
                    ip_auth::HeaderSliceError::Content(_) => Skip::BadIpHeader,
                })?;
                (header.next_header(), header.slice().len())
            }
            _ if packet.src.is_ipv4() => return Ok(Next::Carried(packet)),
            ip_number::IPV6_FRAGMENTATION_HEADER => {
                let header =
                    Ipv6FragmentHeaderSlice::from_slice(body.bytes()).map_err(|_| cut())?;
                packet.header.id = Some(header.identification() as u16);
                if header.is_fragmenting_payload() {
                    return fragment_v6(packet, &header).ok_or_else(cut);
                }
                // An "atomic" fragment is a whole packet (RFC 6946 §4).
                (header.next_header(), header.slice().len())
            }
            protocol if Ipv6RawExtHeaderSlice::header_type_supported(protocol) => {
                let header = Ipv6RawExtHeaderSlice::from_slice(body.bytes()).map_err(|_| cut())?;
                (header.next_header(), header.slice().len())
            }
            _ => return Ok(Next::Carried(packet)),
        };
        packet.protocol = next;
        packet.body = body.skip(len).ok_or_else(cut)?;
    }
    Err(Skip::IpExtensionLimit)
}

/// A part of an IPv6 packet (RFC 8200 §4.5), which its protocol does not help to identify.
fn fragment_v6<'a>(packet: IpPacket<'a>, header: &Ipv6FragmentHeaderSlice<'a>) -> Option<Next<'a>> {
    Some(Next::Fragment(Fragment {
        key: FragmentKey {
            src: packet.src,
            dst: packet.dst,
            id: header.identification(),
            protocol: ip_number::IPV6_FRAGMENTATION_HEADER.0,
        },
        offset: u32::from(header.fragment_offset().value()) * 8,
        more: header.more_fragments(),
        packet: IpPacket {
            protocol: header.next_header(),
            body: packet.body.skip(header.slice().len())?,
            ..packet
        },
    }))
}

/// How many extension headers are followed; real packets have three at most.
const EXTENSIONS_MAX: usize = 16;
