//! Who speaks with whom: endpoints, the order-free flow key and directions.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FlowKey {
    low: Endpoint,
    high: Endpoint,
    transport: Transport,
}

impl FlowKey {
    /// The key of a packet from `src` to `dst`, and the side of the key that sent it.
    ///
    /// Where both endpoints are equal (a land attack), the sender counts as the low side.
    pub fn of(transport: Transport, src: Endpoint, dst: Endpoint) -> (Self, Side) {
        if src <= dst {
            (Self { low: src, high: dst, transport }, Side::Low)
        } else {
            (Self { low: dst, high: src, transport }, Side::High)
        }
    }

    /// The endpoint on `side`.
    pub const fn endpoint(&self, side: Side) -> Endpoint {
        match side {
            Side::Low => self.low,
            Side::High => self.high,
        }
    }

    /// The transport protocol.
    pub const fn transport(&self) -> Transport {
        self.transport
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
}
