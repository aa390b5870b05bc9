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
