//! The phases of a TCP connection as an observer between the two ends can know them.
//!
//! An observer does not know what arrived; so this is not the state machine of RFC 9293 §3.3.2
//! but its shadow: what was *sent*. One table tells for each phase and event the next phase, and
//! a test holds the whole matrix.

use crate::wire::{Direction, Segment, TcpFlags};

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// Nothing was seen yet.
    Fresh,
    /// The client's SYN was seen.
    SynSent,
    /// Both sides sent a SYN without ACK (RFC 9293 §3.5, simultaneous open).
    SimultaneousOpen,
    /// The SYN/ACK was seen.
    SynAcked,
    /// The handshake was seen in full.
    Established,
    /// Packets of a connection whose handshake the capture lacks.
    MidStream,
    /// One side sent a FIN; the variant names the sender's direction.
    HalfClosed(Direction),
    /// Both sides sent a FIN.
    Closed,
    /// Somebody sent a RST.
    Reset,
}

/// What a segment does to a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// SYN without ACK.
    Syn(Direction),
    /// SYN and ACK.
    SynAck(Direction),
    /// Data or an acknowledgment.
    Ordinary(Direction),
    /// FIN.
    Fin(Direction),
    /// RST.
    Rst(Direction),
}

impl Event {
    /// The event of a segment that travels in `direction`. RST outranks SYN outranks FIN, as a
    /// receiver checks them (RFC 9293 §3.10.7.4).
    pub const fn of(segment: &Segment<'_>, direction: Direction) -> Self {
        let flags = segment.flags;
        if flags.contains(TcpFlags::RST) {
            Self::Rst(direction)
        } else if flags.contains(TcpFlags::SYN.union(TcpFlags::ACK)) {
            Self::SynAck(direction)
        } else if flags.contains(TcpFlags::SYN) {
            Self::Syn(direction)
        } else if flags.contains(TcpFlags::FIN) {
            Self::Fin(direction)
        } else {
            Self::Ordinary(direction)
        }
    }
}

impl Phase {
    /// The phase after `event`.
    #[must_use]
    pub const fn after(self, event: Event) -> Self {
        use Direction::{ToClient, ToServer};
        use Event::{Fin, Ordinary, Rst, Syn, SynAck};
        match (self, event) {
            // A reset connection stays reset; what follows is evidence, not life.
            (Self::Reset, _) | (_, Rst(_)) => Self::Reset,
            (Self::Fresh | Self::SynSent, Syn(ToServer)) => Self::SynSent,
            (Self::SynSent, Syn(ToClient)) => Self::SimultaneousOpen,
            (Self::SimultaneousOpen, SynAck(_))
            | (Self::Fresh | Self::SynSent, SynAck(ToClient)) => Self::SynAcked,
            // Ordinary segments after a SYN alone: the capture lacks the SYN/ACK, or that side.
            (Self::SynAcked, Ordinary(ToServer))
            | (Self::SynSent | Self::SimultaneousOpen, Ordinary(_)) => Self::Established,
            (Self::Fresh, _) => Self::opened_by(event),
            (Self::Closed, _) => Self::Closed,
            (Self::HalfClosed(one), Fin(other)) => {
                if one.index() == other.index() {
                    self
                } else {
                    Self::Closed
                }
            }
            (_, Fin(direction)) => Self::HalfClosed(direction),
            // Retransmitted SYNs, stray SYN/ACKs and all else change nothing.
            (phase, Syn(_) | SynAck(_) | Ordinary(_)) => phase,
        }
    }

    /// The phase of a connection whose first seen segment is no part of a handshake.
    const fn opened_by(event: Event) -> Self {
        match event {
            Event::Fin(direction) => Self::HalfClosed(direction),
            Event::Rst(_) => Self::Reset,
            Event::Syn(_) => Self::SynSent,
            Event::SynAck(_) => Self::SynAcked,
            Event::Ordinary(_) => Self::MidStream,
        }
    }

    /// Whether a new SYN may open a new connection on the same five-tuple without doubt.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Reset)
    }

    /// Whether the handshake is not complete.
    pub const fn is_opening(self) -> bool {
        matches!(self, Self::Fresh | Self::SynSent | Self::SimultaneousOpen | Self::SynAcked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [Phase; 10] = [
        Phase::Fresh,
        Phase::SynSent,
        Phase::SimultaneousOpen,
        Phase::SynAcked,
        Phase::Established,
        Phase::MidStream,
        Phase::HalfClosed(Direction::ToServer),
        Phase::HalfClosed(Direction::ToClient),
        Phase::Closed,
        Phase::Reset,
    ];

    fn events() -> Vec<Event> {
        let kinds = [Event::Syn, Event::SynAck, Event::Ordinary, Event::Fin, Event::Rst];
        kinds.iter().flat_map(|kind| Direction::BOTH.map(kind)).collect()
    }

    #[test]
    fn the_whole_matrix_is_as_reviewed() {
        let rows = PHASES.iter().flat_map(|phase| {
            let cells = events().into_iter().map(|event| {
                let next = phase.after(event);
                let mark = if next == *phase { "=" } else { ">" };
                format!("  {event:?} {mark} {next:?}")
            });
            std::iter::once(format!("{phase:?}")).chain(cells).collect::<Vec<_>>()
        });
        insta::assert_snapshot!(rows.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_reset_connection_never_lives_again() {
        assert!(events().into_iter().all(|event| Phase::Reset.after(event) == Phase::Reset));
    }
}
