//! Who speaks with whom: endpoints, the order-free flow key and directions.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use schemars::JsonSchema;
use serde::Serialize;

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
pub struct Endpoint {
    /// The network address.
    #[schemars(with = "String")]
    pub ip: IpAddr,
    /// The port, in host order.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint of `ip` and `port`.
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self { ip, port }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.ip, self.port).fmt(f)
    }
}

/// The transport protocols that flows are made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
}

/// The five-tuple without its order: both directions of a connection have the same key.
///
/// Forty bytes: an address is two words, of which IPv4 uses the second; the last word has the
/// ports, lower endpoint first, and says which families and which transport these are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FlowKey {
    low: [u64; 2],
    high: [u64; 2],
    tail: u64,
}

impl FlowKey {
    const UDP: u64 = 1;
    const LOW_IS_V6: u64 = 2;
    const HIGH_IS_V6: u64 = 4;

    /// The key of a packet from `src` to `dst`, and the side of the key that sent it.
    ///
    /// Where both endpoints are equal (a land attack), the sender counts as the low side.
    #[inline]
    pub fn of(transport: Transport, src: Endpoint, dst: Endpoint) -> (Self, Side) {
        let (source, target) = (Packed::of(src), Packed::of(dst));
        let (low, high, sender) = if source <= target {
            (source, target, Side::Low)
        } else {
            (target, source, Side::High)
        };
        let mut tail = u64::from(low.port) << 48 | u64::from(high.port) << 32;
        tail |= if transport == Transport::Udp { Self::UDP } else { 0 };
        tail |= if low.is_v6 { Self::LOW_IS_V6 } else { 0 };
        tail |= if high.is_v6 { Self::HIGH_IS_V6 } else { 0 };
        (Self { low: low.address, high: high.address, tail }, sender)
    }

    /// The endpoint on `side`.
    pub fn endpoint(&self, side: Side) -> Endpoint {
        let (address, port, v6) = match side {
            Side::Low => (self.low, self.tail >> 48, Self::LOW_IS_V6),
            Side::High => (self.high, self.tail >> 32, Self::HIGH_IS_V6),
        };
        Packed { is_v6: self.tail & v6 != 0, address, port: port as u16 }.endpoint()
    }

    /// The transport protocol.
    pub const fn transport(&self) -> Transport {
        if self.tail & Self::UDP == 0 { Transport::Tcp } else { Transport::Udp }
    }

    const fn is_v4(&self) -> bool {
        self.tail & (Self::LOW_IS_V6 | Self::HIGH_IS_V6) == 0
    }
}

impl Hash for FlowKey {
    /// Two words for IPv4, five otherwise.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ([low_first, low], [high_first, high]) = (self.low, self.high);
        if self.is_v4() {
            state.write_u64(low << 32 | high);
        } else {
            state.write_u64(low_first);
            state.write_u64(low);
            state.write_u64(high_first);
            state.write_u64(high);
        }
        state.write_u64(self.tail);
    }
}

/// An endpoint as the key has it, in the order of endpoints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Packed {
    is_v6: bool,
    address: [u64; 2],
    port: u16,
}

impl Packed {
    #[inline]
    fn of(endpoint: Endpoint) -> Self {
        let (is_v6, address) = match endpoint.ip {
            IpAddr::V4(ip) => (false, [0, u64::from(ip.to_bits())]),
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                (true, [(bits >> 64) as u64, bits as u64])
            }
        };
        Self { is_v6, address, port: endpoint.port }
    }

    fn endpoint(self) -> Endpoint {
        let [first, second] = self.address;
        let ip = if self.is_v6 {
            Ipv6Addr::from_bits(u128::from(first) << 64 | u128::from(second)).into()
        } else {
            Ipv4Addr::from_bits(second as u32).into()
        };
        Endpoint::new(ip, self.port)
    }
}

/// One of the two ends of a flow key; which of them is the client is learnt later.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// The smaller endpoint.
    Low,
    /// The greater endpoint.
    High,
}

impl Side {
    /// The opposite end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// Which way a packet travels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// Both directions, to the server first.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The opposite way.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// Index into an array of two, to the server first.
    pub const fn index(self) -> usize {
        match self {
            Self::ToServer => 0,
            Self::ToClient => 1,
        }
    }

    /// Who sends this way: `client` or `server`.
    pub const fn sender(self) -> &'static str {
        match self {
            Self::ToServer => "client",
            Self::ToClient => "server",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(last: u8, port: u16) -> Endpoint {
        Endpoint::new(IpAddr::from([192, 0, 2, last]), port)
    }

    #[test]
    fn both_directions_have_one_key() {
        let (client, server) = (endpoint(7, 50_000), endpoint(1, 443));
        let (there, sender) = FlowKey::of(Transport::Tcp, client, server);
        let (back, replier) = FlowKey::of(Transport::Tcp, server, client);
        assert_eq!(there, back);
        assert_eq!(sender, replier.other());
        assert_eq!(there.endpoint(sender), client);
        assert_eq!(there.endpoint(replier), server);
    }

    #[test]
    fn an_endpoint_that_speaks_with_itself_has_a_key() {
        let (key, side) = FlowKey::of(Transport::Tcp, endpoint(1, 1), endpoint(1, 1));
        assert_eq!(key.endpoint(side), key.endpoint(side.other()));
    }

    #[test]
    fn a_key_gives_back_what_it_was_made_of() {
        let v6 = Endpoint::new("2001:db8::7".parse().unwrap(), 443);
        let mapped = Endpoint::new("::192.0.2.7".parse().unwrap(), 50_000);
        for (transport, src, dst) in [
            (Transport::Tcp, endpoint(7, 50_000), endpoint(1, 443)),
            (Transport::Udp, v6, mapped),
            (Transport::Udp, mapped, endpoint(7, 50_000)),
        ] {
            let (key, sender) = FlowKey::of(transport, src, dst);
            assert_eq!((key.endpoint(sender), key.endpoint(sender.other())), (src, dst));
            assert_eq!(key.transport(), transport);
        }
    }
}
