//! How much of each connection the tap could see.

use crate::evidence::{Reach, Signal};
use crate::flow::TcpFlow;
use crate::wire::{Direction, Duration};

/// Connections by how they were seen; merging is a sum.
#[derive(Clone, Copy, Default, Debug)]
pub struct ReachTally {
    /// By [`View::place`].
    views: [u64; View::PLACES],
}

/// How one connection was seen.
#[derive(Clone, Copy)]
struct View {
    /// Which way its packets went, where only one was seen.
    only: Option<Direction>,
    handshake: bool,
    near: bool,
}

impl ReachTally {
    /// Adds a connection, if it carried payload.
    pub(super) fn add(&mut self, flow: &TcpFlow) {
        let (up, down) = (flow.sender(Direction::ToServer), flow.sender(Direction::ToClient));
        if up.bytes + down.bytes == 0 {
            return;
        }
        let handshake = &flow.handshake;
        let short = |rtt: Duration| rtt <= Duration::from_millis(4);
        let view = View {
            only: match (up.packets, down.packets) {
                (_, 0) => Some(Direction::ToServer),
                (0, _) => Some(Direction::ToClient),
                _ => None,
            },
            handshake: handshake.syn.is_some() && handshake.syn_ack.is_some(),
            near: handshake.server_rtt().is_some_and(short) || handshake.is_beside_server(),
        };
        if let Some(count) = self.views.get_mut(view.place()) {
            *count += 1;
        }
    }

    /// Adds another lane's.
    pub(super) fn merge(&mut self, other: Self) {
        for (sum, count) in self.views.iter_mut().zip(other.views) {
            *sum += count;
        }
    }

    /// What is told of it.
    pub(super) fn record(&self) -> Reach {
        let count =
            |of: fn(&View) -> bool| self.views().filter(|(view, _)| of(view)).map(|(_, n)| n).sum();
        let connections = count(|_| true);
        let missed = |signal: Signal| -> u64 {
            self.views().filter(|(view, _)| view.hides(signal)).map(|(_, n)| n).sum()
        };
        let hidden = |signal: &Signal| connections > 0 && missed(*signal) * 2 >= connections;
        Reach {
            connections,
            to_server_only: count(|view| view.only == Some(Direction::ToServer)),
            to_client_only: count(|view| view.only == Some(Direction::ToClient)),
            without_handshake: count(|view| !view.handshake),
            near_server: count(|view| view.near),
            out_of_reach: Signal::ALL.iter().copied().filter(hidden).collect(),
        }
    }

    fn views(&self) -> impl Iterator<Item = (View, u64)> + '_ {
        self.views.iter().enumerate().map(|(place, count)| (View::of(place), *count))
    }
}

impl View {
    const PLACES: usize = 12;

    fn place(self) -> usize {
        let only = match self.only {
            None => 0,
            Some(Direction::ToServer) => 1,
            Some(Direction::ToClient) => 2,
        };
        only * 4 + usize::from(self.handshake) * 2 + usize::from(self.near)
    }

    fn of(place: usize) -> Self {
        let only = match place / 4 {
            0 => None,
            1 => Some(Direction::ToServer),
            _ => Some(Direction::ToClient),
        };
        Self { only, handshake: place & 2 != 0, near: place & 1 != 0 }
    }

    /// Whether `signal` could not be looked for.
    fn hides(self, signal: Signal) -> bool {
        use Signal::{
            AckWithheld, BlockPage, CertificateSwap, DataAfterFin, DataFast, DataUnanswered,
            FinAckSkew, HandshakeFast, HelloUnanswered, IpIdMirror, NoTimestamp, OverlapConflict,
            RequestUnanswered, RstBadAck, RstFast, RstThenSynAck, RstTrigger, SynAckConflict,
            SynAckFast, TlsAlertEarly,
        };
        let timing = matches!(signal, RstFast | DataFast | SynAckFast | HandshakeFast);
        let silence =
            matches!(signal, HelloUnanswered | RequestUnanswered | DataUnanswered | AckWithheld);
        let answer =
            matches!(signal, IpIdMirror | RstBadAck | RstThenSynAck | FinAckSkew | RstTrigger);
        let from_server = matches!(
            signal,
            OverlapConflict
                | BlockPage
                | CertificateSwap
                | TlsAlertEarly
                | SynAckConflict
                | DataAfterFin
        );
        let opening = matches!(signal, SynAckConflict | RstThenSynAck | RstBadAck | NoTimestamp);
        let by_side = match self.only {
            None => false,
            Some(Direction::ToClient) => timing || silence || answer,
            Some(Direction::ToServer) => timing || silence || answer || from_server,
        };
        by_side || (!self.handshake && (timing || silence || opening)) || (self.near && timing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_a_place_of_its_own() {
        for place in 0..View::PLACES {
            assert_eq!(View::of(place).place(), place);
        }
    }

    #[test]
    fn what_half_of_the_connections_hide_is_out_of_reach() {
        let mut tally = ReachTally::default();
        let full = View { only: None, handshake: true, near: false };
        let near = View { near: true, ..full };
        let half = View { only: Some(Direction::ToClient), handshake: false, near: false };
        tally.views[full.place()] = 2;
        assert_eq!(tally.record().out_of_reach, []);
        tally.views[near.place()] = 2;
        assert_eq!(tally.record().near_server, 2);
        assert!(tally.record().out_of_reach.contains(&Signal::RstFast));
        assert!(!tally.record().out_of_reach.contains(&Signal::HelloUnanswered));
        tally.views[half.place()] = 4;
        let told = tally.record();
        assert_eq!((told.connections, told.to_client_only, told.without_handshake), (8, 4, 4));
        assert!(told.out_of_reach.contains(&Signal::HelloUnanswered));
        assert!(!told.out_of_reach.contains(&Signal::RstThenData), "its packets are all there");
    }
}
