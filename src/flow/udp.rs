//! One UDP flow: roles by the first packet, counters, times.

use crate::wire::{Datagram, Direction, FrameId, Side, Timestamp};

/// Datagrams between two endpoints; whoever sent the first one counts as the client.
#[derive(Clone, Debug)]
pub struct UdpFlow {
    /// Which end of the key is the client.
    pub client: Side,
    /// First frame.
    pub first_frame: FrameId,
    /// Last frame.
    pub last_frame: FrameId,
    /// Time of the first frame.
    pub first: Timestamp,
    /// Time of the last frame.
    pub last: Timestamp,
    /// Packets, to the server and to the client.
    pub packets: [u64; 2],
    /// Payload bytes on the wire, to the server and to the client.
    pub bytes: [u64; 2],
}

impl UdpFlow {
    /// A flow whose first datagram is `datagram`, sent by `sender`.
    pub fn open(datagram: &Datagram<'_>, sender: Side) -> Self {
        let from_service = datagram.src.port < 1024 && datagram.dst.port >= 1024;
        Self {
            client: if from_service { sender.other() } else { sender },
            first_frame: datagram.frame,
            last_frame: datagram.frame,
            first: datagram.time,
            last: datagram.time,
            packets: [0; 2],
            bytes: [0; 2],
        }
    }

    /// Notes that `client` turned out to be the client.
    pub fn set_client(&mut self, client: Side) {
        if self.client != client {
            self.client = client;
            self.packets.reverse();
            self.bytes.reverse();
        }
    }

    /// Takes in the next datagram; tells which way it went.
    pub fn observe(&mut self, datagram: &Datagram<'_>, sender: Side) -> Direction {
        let direction =
            if sender == self.client { Direction::ToServer } else { Direction::ToClient };
        self.last_frame = datagram.frame;
        self.last = self.last.max(datagram.time);
        let (Some(packets), Some(bytes)) =
            (self.packets.get_mut(direction.index()), self.bytes.get_mut(direction.index()))
        else {
            return direction;
        };
        *packets += 1;
        *bytes += u64::from(datagram.payload_len);
        direction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_may_turn_out_otherwise() {
        let mut flow = UdpFlow {
            client: Side::Low,
            first_frame: FrameId::new(0, 1),
            last_frame: FrameId::new(0, 3),
            first: Timestamp::ZERO,
            last: Timestamp::ZERO,
            packets: [1, 2],
            bytes: [10, 20],
        };
        flow.set_client(Side::Low);
        assert_eq!((flow.packets, flow.bytes), ([1, 2], [10, 20]));
        flow.set_client(Side::High);
        assert_eq!((flow.client, flow.packets, flow.bytes), (Side::High, [2, 1], [20, 10]));
    }
}
