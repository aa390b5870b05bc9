//! The walk over a frame's headers, from the link to TCP or UDP, through tunnels.
//!
//! It is a loop, not a recursion: each header says what comes [next](Next). It ends in a
//! [`Leaf`], which has its ports and is not yet a segment, or in a [`Fragment`]. Every step
//! but those over IP headers eats bytes of the frame, and IP headers are counted.

use etherparse::{IpNumber, ip_number};

use super::fragment::Fragment;
use super::ip::{self, IpPacket};
use super::octets::Octets;
use super::tcp::{self, TcpLeaf};
use super::udp::{self, UdpLeaf};
use super::{Skip, TUNNELS_MAX, ethertype, link, tunnel, udp_tunnel};
use crate::wire::{FlowKey, Frame, LinkType, Side};

/// What a header says comes after it.
#[derive(Debug)]
pub(super) enum Next<'a> {
    /// A frame of another link type.
    Link(LinkType, Octets<'a>),
    /// Ethernet.
    Ethernet(Octets<'a>),
    /// IEEE 802.2.
    Llc(Octets<'a>),
    /// PPP.
    Ppp(Octets<'a>),
    /// A protocol by its Ethernet number.
    EtherType(u16, Octets<'a>),
    /// IPv4 or IPv6, by the first nibble.
    Ip(Octets<'a>),
    /// What an IP packet carries, by its protocol number.
    Carried(IpPacket<'a>),
    /// A part of what an IP packet carries.
    Fragment(Fragment<'a>),
}

/// Where a walk ends.
#[derive(Debug)]
pub(super) enum Walked<'a> {
    /// At a transport header.
    Leaf(Leaf<'a>),
    /// At a fragment, whose other parts are needed first.
    Fragment(Fragment<'a>),
}

/// A transport header with its place: enough to know the flow.
#[derive(Debug)]
pub(super) enum Leaf<'a> {
    /// TCP.
    Tcp(TcpLeaf<'a>),
    /// UDP.
    Udp(UdpLeaf<'a>),
}

impl Leaf<'_> {
    /// The key of the flow, and which end sent this.
    #[inline(always)]
    pub(super) fn flow(&self) -> (FlowKey, Side) {
        match self {
            Self::Tcp(leaf) => leaf.flow(),
            Self::Udp(leaf) => leaf.flow(),
        }
    }
}

/// Walks a captured frame header by header.
pub(super) fn headers<'a>(frame: &Frame<'a>) -> Result<Walked<'a>, Skip> {
    let octets = Octets::new(frame.bytes, frame.original_len);
    let start = match frame.link {
        link::ETHERNET => Next::Ethernet(octets),
        link => Next::Link(link, octets),
    };
    Walk { tunnels: 0, reassembled: false, outer: None }.run(start)
}

/// Walks on from what a reassembled IP packet carries.
pub(super) fn reassembled(packet: IpPacket<'_>) -> Result<Walked<'_>, Skip> {
    let tunnels = packet.header.tunnels;
    Walk { tunnels, reassembled: true, outer: None }.run(ip::extensions(packet)?)
}

struct Walk<'a> {
    /// IP headers that were passed and turned out to be tunnels.
    tunnels: u8,
    /// The bytes come from fragments.
    reassembled: bool,
    /// The innermost datagram that was taken for a tunnel.
    outer: Option<UdpLeaf<'a>>,
}

impl<'a> Walk<'a> {
    /// Walks to the end. A UDP datagram that looked like a tunnel but does not lead to a packet
    /// is just a datagram.
    fn run(mut self, start: Next<'a>) -> Result<Walked<'a>, Skip> {
        match (self.descend(start), self.outer) {
            (Err(_), Some(outer)) => Ok(Walked::Leaf(Leaf::Udp(outer))),
            (end, _) => end,
        }
    }

    fn descend(&mut self, start: Next<'a>) -> Result<Walked<'a>, Skip> {
        let mut next = start;
        loop {
            next = match next {
                Next::Link(link, octets) => link::enter(link, octets)?,
                Next::Ethernet(octets) => link::ethernet(octets).ok_or(Skip::TruncatedLink)?,
                Next::Llc(octets) => link::llc(octets)?,
                Next::Ppp(octets) => link::ppp(octets)?,
                Next::EtherType(number, octets) => ethertype::enter(number, octets)?,
                Next::Ip(octets) => ip::enter(octets, self.tunnels, self.reassembled)?,
                Next::Fragment(fragment) => return Ok(Walked::Fragment(fragment)),
                Next::Carried(packet) => match self.carried(packet)? {
                    Carried::Leaf(leaf) => return Ok(Walked::Leaf(leaf)),
                    Carried::Tunnel(inner) => self.deeper(inner)?,
                },
            };
        }
    }

    /// Counts the IP header that turned out to be a tunnel's.
    fn deeper(&mut self, inner: Next<'a>) -> Result<Next<'a>, Skip> {
        if self.tunnels >= TUNNELS_MAX {
            return Err(Skip::TunnelDepth);
        }
        self.tunnels += 1;
        Ok(inner)
    }

    fn carried(&mut self, packet: IpPacket<'a>) -> Result<Carried<'a>, Skip> {
        match packet.protocol {
            ip_number::TCP => tcp::locate(packet).map(|leaf| Carried::Leaf(Leaf::Tcp(leaf))),
            ip_number::UDP => Ok(self.datagram(udp::locate(packet)?)),
            ip_number::IPV4 | ip_number::IPV6 => Ok(Carried::Tunnel(Next::Ip(packet.body))),
            ip_number::GRE => tunnel::gre(packet.body).map(Carried::Tunnel),
            ip_number::ETHER_IP => tunnel::ether_ip(packet.body).map(Carried::Tunnel),
            ip_number::MPLS_IN_IP => ethertype::mpls(packet.body).map(Carried::Tunnel),
            ETHERNET => Ok(Carried::Tunnel(Next::Ethernet(packet.body))),
            ip_number::ICMP | ip_number::IPV6_ICMP => Err(Skip::Icmp),
            ip_number::SCTP => Err(Skip::Sctp),
            ip_number::ENCAP_SEC => Err(Skip::Esp),
            _ => Err(Skip::OtherTransport),
        }
    }

    fn datagram(&mut self, leaf: UdpLeaf<'a>) -> Carried<'a> {
        let Some(inner) = udp_tunnel::inside(&leaf) else {
            return Carried::Leaf(Leaf::Udp(leaf));
        };
        self.outer = Some(leaf);
        Carried::Tunnel(inner)
    }
}

/// What an IP packet turned out to carry.
enum Carried<'a> {
    Leaf(Leaf<'a>),
    Tunnel(Next<'a>),
}

/// Ethernet straight in IP (RFC 8986 §10.1).
const ETHERNET: IpNumber = IpNumber(143);
