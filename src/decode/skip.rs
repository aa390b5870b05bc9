//! Why a frame yields no packet: a closed list of named reasons, and a tally of them.

use std::fmt;

/// Declares [`Skip`] together with the list and the names, so that none can be forgotten.
macro_rules! skips {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal,)+) => {
        /// Why a frame yielded no segment and no datagram.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Skip {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Skip {
            /// Every reason, in the order of the layers.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// The stable name that results carry, in snake case.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

skips! {
    /// The link type of the capture is not one that this room reads.
    UnsupportedLinkType => "unsupported_link_type",
    /// The frame ends inside a link-layer header.
    TruncatedLink => "truncated_link",
    /// ARP or RARP.
    Arp => "arp",
    /// Another network protocol than IP: another `EtherType`, LLC protocol or PPP protocol.
    NonIp => "non_ip",
    /// An 802.11 management or control frame, or a data frame without data.
    Ieee80211NotData => "ieee80211_not_data",
    /// An 802.11 data frame whose body is encrypted.
    Ieee80211Encrypted => "ieee80211_encrypted",
    /// An 802.11 data frame that carries several packets at once (A-MSDU).
    Ieee80211Aggregate => "ieee80211_aggregate",
    /// A fragment of an 802.11 frame.
    Ieee80211Fragment => "ieee80211_fragment",
    /// Encrypted Ethernet (802.1AE).
    Macsec => "macsec",
    /// Compressed, encrypted or multilink PPP.
    PppTransformed => "ppp_transformed",
    /// A tunnel's own message, such as a keepalive or an acknowledgment, without a packet in it.
    TunnelControl => "tunnel_control",
    /// The frame ends inside a tunnel's header.
    TruncatedTunnel => "truncated_tunnel",
    /// A tunnel header of an unknown version or with fields that contradict each other.
    BadTunnelHeader => "bad_tunnel_header",
    /// More IP headers inside each other than this room follows.
    TunnelDepth => "tunnel_depth",
    /// The capture cut the frame inside the IP header or its extension headers.
    TruncatedIp => "truncated_ip",
    /// An IP header that contradicts itself.
    BadIpHeader => "bad_ip_header",
    /// More IPv6 extension headers than this room follows.
    IpExtensionLimit => "ip_extension_limit",
    /// A fragment of a packet that still lacks others: nothing is wrong.
    IpFragmentPending => "ip_fragment_pending",
    /// A fragment that the capture cut, so that it cannot take part in reassembly.
    IpFragmentTruncated => "ip_fragment_truncated",
    /// A fragment that cannot belong to any packet: empty, beyond 65,535 bytes, beyond the end.
    BadIpFragment => "bad_ip_fragment",
    /// A fragment of a packet that already came in more pieces than this room keeps.
    IpFragmentLimit => "ip_fragment_limit",
    /// ICMP or `ICMPv6`.
    Icmp => "icmp",
    /// SCTP.
    Sctp => "sctp",
    /// Encrypted IP (ESP).
    Esp => "esp",
    /// Another transport protocol.
    OtherTransport => "other_transport",
    /// The capture cut the frame inside the TCP header.
    TruncatedTcp => "truncated_tcp",
    /// A TCP header that does not fit its data offset or its IP packet.
    BadTcpHeader => "bad_tcp_header",
    /// The capture cut the frame inside the UDP header.
    TruncatedUdp => "truncated_udp",
    /// A UDP header that does not fit its length field or its IP packet.
    BadUdpHeader => "bad_udp_header",
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each reason occurred. Tallies of several readers add up by [`merge`](Self::merge).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SkipCounts([u64; Skip::ALL.len()]);

impl Default for SkipCounts {
    fn default() -> Self {
        Self([0; Skip::ALL.len()])
    }
}

impl SkipCounts {
    /// Counts one frame that was skipped for `reason`.
    pub fn record(&mut self, reason: Skip) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// How many frames were skipped for `reason`.
    pub fn count(&self, reason: Skip) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or_default()
    }

    /// How many frames were skipped in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The reasons that occurred, with their counts, in the order of the layers.
    pub fn iter(&self) -> impl Iterator<Item = (Skip, u64)> + '_ {
        Skip::ALL.into_iter().zip(self.0).filter(|&(_, count)| count > 0)
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_snake_case_and_distinct() {
        let names: BTreeSet<_> = Skip::ALL.iter().map(|skip| skip.name()).collect();
        assert_eq!(names.len(), Skip::ALL.len());
        for name in names {
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(legal), "{name}");
        }
    }

    #[test]
    fn every_reason_has_its_own_slot() {
        for (place, skip) in Skip::ALL.into_iter().enumerate() {
            assert_eq!(skip as usize, place);
        }
    }

    #[test]
    fn counts_merge_and_leave_out_what_did_not_occur() {
        let mut left = SkipCounts::default();
        left.record(Skip::Arp);
        left.record(Skip::BadUdpHeader);
        let mut right = SkipCounts::default();
        right.record(Skip::Arp);
        left.merge(&right);
        let seen: Vec<_> = left.iter().collect();
        assert_eq!(seen, [(Skip::Arp, 2), (Skip::BadUdpHeader, 1)]);
        assert_eq!(left.total(), 3);
        assert_eq!(left.count(Skip::Arp), 2);
    }
}
