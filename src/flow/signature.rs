//! How a connection broke off, in the words of the study of 2023.
//!
//! Sundara Raman and others (Global, Passive Detection of Connection Tampering, SIGCOMM 2023) sort
//! connections that did not end well by how far the client had come and by what followed, into 19
//! signatures. A signature is a description and never an accusation: a quarter of all connections
//! to a large network match one, scanners, closed tabs and lost radio links among them.
//!
//! The study saw a server's inbound packets. A tap may stand anywhere and see both ways, so here:
//!
//! - The stage is what the *client* had sent before the first RST of either direction, or at all:
//!   `SYN`; `SYN; ACK` (a bare acknowledgment); `PSH` (one packet with data, repeated or not; the
//!   study writes `PSH+ACK`); `PSH; Data` (more data).
//! - What follows are the RSTs of the direction in which the first one came, whichever that is.
//!   `=` and `≠` compare the acknowledgment numbers of bare RSTs, `RST₀` has none.
//! - `∅`: three seconds or more pass without another packet, there was no RST and no FIN, and what
//!   the server may have sent beyond its SYN/ACK was not acknowledged.
//! - As in the study, only breaks within the client's first ten packets count, and none after a
//!   FIN. Flows whose SYN the capture lacks have no signature.

use super::Sighting;
use crate::wire::{Direction, SeqNumber};

/// What a few bytes remember of the way to the break.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Break {
    stage: Stage,
    /// The end of the client's first data packet.
    first_data_end: SeqNumber,
    /// Packets of the client, up to 255.
    client_packets: u8,
    closed: bool,
    resets: Option<Resets>,
}

/// How far the client has come.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Stage {
    /// Its SYN was not seen.
    #[default]
    Unknown,
    Syn,
    Ack,
    Psh,
    Data,
}

/// The RSTs of the direction of the first.
#[derive(Clone, Copy, Debug)]
struct Resets {
    direction: Direction,
    bare: u8,
    with_ack: u8,
    /// The acknowledgment number of the first bare one.
    first_ack: SeqNumber,
    acks_differ: bool,
    any_zero: bool,
}

impl Break {
    /// Takes in the next segment; copies of a frame are left out by the caller.
    pub(super) fn note(&mut self, seen: &Sighting) {
        if seen.is_reset() {
            self.note_reset(seen);
            return;
        }
        if self.resets.is_some() {
            return;
        }
        self.closed |= seen.is_fin();
        if seen.direction == Direction::ToServer {
            self.client_packets = self.client_packets.saturating_add(1);
            self.advance(seen);
        }
    }

    fn advance(&mut self, seen: &Sighting) {
        self.stage = match self.stage {
            _ if seen.is_syn() && !seen.has_ack() => self.stage.max_syn(),
            Stage::Syn | Stage::Ack if seen.payload_len > 0 => {
                self.first_data_end = seen.seq_end();
                Stage::Psh
            }
            Stage::Syn if seen.has_ack() => Stage::Ack,
            // A keep-alive's byte and a repetition end where the first data ended.
            Stage::Psh if seen.payload_len > 0 && seen.seq_end().is_after(self.first_data_end) => {
                Stage::Data
            }
            stage => stage,
        };
    }

    fn note_reset(&mut self, seen: &Sighting) {
        if self.closed || self.client_packets > PACKETS_MAX {
            return;
        }
        let resets = self.resets.get_or_insert(Resets {
            direction: seen.direction,
            bare: 0,
            with_ack: 0,
            first_ack: seen.ack,
            acks_differ: false,
            any_zero: false,
        });
        if resets.direction != seen.direction {
            return;
        }
        if seen.has_ack() {
            resets.with_ack = resets.with_ack.saturating_add(1);
            return;
        }
        if resets.bare == 0 {
            resets.first_ack = seen.ack;
        }
        resets.bare = resets.bare.saturating_add(1);
        resets.acks_differ |= seen.ack != resets.first_ack;
        resets.any_zero |= seen.ack == SeqNumber(0);
    }

    /// The signature's name. `silent`: nothing of the server's was acknowledged, and the flow
    /// ended in silence.
    pub(super) fn signature(&self, silent: bool) -> Option<&'static str> {
        match &self.resets {
            Some(resets) => resets.after(self.stage),
            None if !silent || self.closed || self.client_packets > PACKETS_MAX => None,
            None => match self.stage {
                Stage::Syn => Some("SYN → ∅"),
                Stage::Ack => Some("SYN; ACK → ∅"),
                Stage::Psh => Some("PSH → ∅"),
                Stage::Unknown | Stage::Data => None,
            },
        }
    }
}

impl Stage {
    /// After a SYN: a SYN sent again changes nothing.
    const fn max_syn(self) -> Self {
        match self {
            Self::Unknown => Self::Syn,
            later => later,
        }
    }
}

impl Resets {
    fn after(&self, stage: Stage) -> Option<&'static str> {
        let name = match (stage, self.bare, self.with_ack) {
            (Stage::Syn, _, 0) => "SYN → RST",
            (Stage::Syn, 0, _) => "SYN → RST+ACK",
            (Stage::Syn, ..) => "SYN → RST; RST+ACK",
            (Stage::Ack, 1, 0) => "SYN; ACK → RST",
            (Stage::Ack, _, 0) => "SYN; ACK → RST; RST",
            (Stage::Ack, 0, 1) => "SYN; ACK → RST+ACK",
            (Stage::Ack, 0, _) => "SYN; ACK → RST+ACK; RST+ACK",
            (Stage::Psh, 1, 0) => "PSH → RST",
            (Stage::Psh, 0, 1) => "PSH → RST+ACK",
            (Stage::Psh, 0, _) => "PSH → RST+ACK; RST+ACK",
            (Stage::Psh, _, 0) if !self.acks_differ => "PSH → RST = RST",
            (Stage::Psh, _, 0) if self.any_zero => "PSH → RST; RST₀",
            (Stage::Psh, _, 0) => "PSH → RST ≠ RST",
            (Stage::Psh, ..) => "PSH → RST; RST+ACK",
            (Stage::Data, _, 0) => "PSH; Data → RST",
            (Stage::Data, 0, _) => "PSH; Data → RST+ACK",
            // Both kinds after a bare ACK or later data: the study has no name for it.
            (Stage::Unknown | Stage::Ack | Stage::Data, ..) => return None,
        };
        Some(name)
    }
}

/// The study looked at the first ten inbound packets.
const PACKETS_MAX: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{FrameId, TcpFlags, Timestamp, Ttl};

    /// For each RST whether it has ACK, and its acknowledgment number.
    type Resets = &'static [(bool, u32)];

    const ACK: TcpFlags = TcpFlags::ACK;
    const RST: TcpFlags = TcpFlags::RST;

    fn sent(direction: Direction, flags: TcpFlags, (seq, len, ack): (u32, u32, u32)) -> Sighting {
        Sighting {
            frame: FrameId::default(),
            time: Timestamp::ZERO,
            direction,
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            payload_len: len,
            flags,
            window: 0,
            window_scale: None,
            ttl: Ttl(64),
            ip_id: None,
            dont_fragment: true,
            timestamps: None,
            duplicate: false,
        }
    }

    fn up(flags: TcpFlags, seq: u32, len: u32) -> Sighting {
        sent(Direction::ToServer, flags, (seq, len, 1))
    }

    fn rst(direction: Direction, with_ack: bool, ack: u32) -> Sighting {
        let flags = if with_ack { RST.union(ACK) } else { RST };
        sent(direction, flags, (5, 0, ack))
    }

    /// The client's packets up to a stage.
    fn stage(steps: usize) -> Vec<Sighting> {
        let all = [up(TcpFlags::SYN, 0, 0), up(ACK, 1, 0), up(ACK, 1, 100), up(ACK, 101, 50)];
        all.into_iter().take(steps).collect()
    }

    fn signature(packets: &[Sighting]) -> Option<&'static str> {
        let mut seen = Break::default();
        for packet in packets {
            seen.note(packet);
        }
        seen.signature(true)
    }

    /// The 19 of the study: how far the client came, and the RSTs.
    #[test]
    fn all_nineteen_are_told() {
        let table: [(usize, Resets, &str); 19] = [
            (1, &[], "SYN → ∅"),
            (1, &[(false, 0)], "SYN → RST"),
            (1, &[(true, 1)], "SYN → RST+ACK"),
            (1, &[(false, 0), (true, 1)], "SYN → RST; RST+ACK"),
            (2, &[], "SYN; ACK → ∅"),
            (2, &[(false, 0)], "SYN; ACK → RST"),
            (2, &[(false, 0), (false, 0)], "SYN; ACK → RST; RST"),
            (2, &[(true, 1)], "SYN; ACK → RST+ACK"),
            (2, &[(true, 1), (true, 1)], "SYN; ACK → RST+ACK; RST+ACK"),
            (3, &[], "PSH → ∅"),
            (3, &[(false, 0)], "PSH → RST"),
            (3, &[(true, 1)], "PSH → RST+ACK"),
            (3, &[(false, 0), (true, 1)], "PSH → RST; RST+ACK"),
            (3, &[(true, 1), (true, 1)], "PSH → RST+ACK; RST+ACK"),
            (3, &[(false, 7), (false, 7)], "PSH → RST = RST"),
            (3, &[(false, 7), (false, 8)], "PSH → RST ≠ RST"),
            (3, &[(false, 7), (false, 0)], "PSH → RST; RST₀"),
            (4, &[(false, 0)], "PSH; Data → RST"),
            (4, &[(true, 1)], "PSH; Data → RST+ACK"),
        ];
        for direction in Direction::BOTH {
            for (steps, resets, name) in table {
                let resets = resets.iter().map(|(with_ack, ack)| rst(direction, *with_ack, *ack));
                let packets: Vec<_> = stage(steps).into_iter().chain(resets).collect();
                assert_eq!(signature(&packets), Some(name));
            }
        }
    }

    #[test]
    fn repeated_data_are_no_further_data() {
        let mut packets = stage(3);
        packets.extend([up(ACK, 1, 100), rst(Direction::ToClient, false, 0)]);
        assert_eq!(signature(&packets), Some("PSH → RST"));
    }

    #[test]
    fn a_close_is_no_break() {
        let mut packets = stage(3);
        packets.extend([up(TcpFlags::FIN.union(ACK), 101, 0), rst(Direction::ToClient, false, 0)]);
        assert_eq!(signature(&packets), None);
    }

    #[test]
    fn a_break_after_ten_packets_is_not_told() {
        let mut packets = stage(3);
        packets.extend((0..8).map(|n| up(ACK, 101 + n * 10, 10)));
        packets.push(rst(Direction::ToServer, false, 0));
        assert_eq!(signature(&packets), None);
    }

    #[test]
    fn resets_of_the_other_side_are_left_out() {
        let mut packets = stage(3);
        packets.extend([rst(Direction::ToClient, true, 1), rst(Direction::ToServer, false, 0)]);
        assert_eq!(signature(&packets), Some("PSH → RST+ACK"));
    }

    #[test]
    fn without_its_syn_a_flow_has_no_signature() {
        assert_eq!(signature(&[up(ACK, 1, 100), rst(Direction::ToClient, false, 0)]), None);
    }
}
