//! The last headers of each direction: what the flow looked like before something odd came.

use crate::flow::Sighting;
use crate::wire::Direction;

/// A ring of sightings for each direction, so that a burst one way does not push out the other.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    rings: [Ring; 2],
    /// The first packets of the answer under way: an overlap may come long after them.
    answer: Vec<Sighting>,
}

#[derive(Clone, Debug, Default)]
struct Ring {
    kept: Vec<Sighting>,
    oldest: usize,
}

impl Tape {
    /// Sightings kept for each direction.
    pub const KEPT: usize = 12;
    /// Packets kept from the start of an answer.
    pub const ANSWER_KEPT: usize = 6;

    /// Adds the latest one.
    pub fn record(&mut self, sighting: &Sighting) {
        let [to_server, to_client] = &mut self.rings;
        let speaks = sighting.payload_len > 0 && !sighting.duplicate;
        match sighting.direction {
            Direction::ToServer => {
                to_server.record(sighting);
                if speaks {
                    self.answer.clear();
                }
            }
            Direction::ToClient => {
                to_client.record(sighting);
                if speaks && self.answer.len() < Self::ANSWER_KEPT {
                    self.answer.push(*sighting);
                }
            }
        }
    }

    /// All that is kept, in capture order.
    pub fn in_order(&self) -> Vec<Sighting> {
        let rings = self.rings.iter().flat_map(|ring| &ring.kept);
        let mut all: Vec<_> = rings.chain(&self.answer).copied().collect();
        all.sort_by_key(|sighting| sighting.frame);
        all.dedup_by_key(|sighting| sighting.frame);
        all
    }

    /// Exchanges the directions, where the roles turn out to be the other way round.
    pub fn swap_roles(&mut self) {
        self.rings.swap(0, 1);
        self.answer.clear();
        for sighting in self.rings.iter_mut().flat_map(|ring| ring.kept.iter_mut()) {
            sighting.direction = sighting.direction.reverse();
        }
    }
}

impl Ring {
    fn record(&mut self, sighting: &Sighting) {
        if self.kept.len() < Tape::KEPT {
            if self.kept.capacity() == 0 {
                self.kept.reserve_exact(Tape::KEPT);
            }
            self.kept.push(*sighting);
        } else if let Some(place) = self.kept.get_mut(self.oldest) {
            *place = *sighting;
            self.oldest = (self.oldest + 1) % Tape::KEPT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{FrameId, SeqNumber, TcpFlags, Timestamp, Ttl};

    fn answer(number: u64) -> Sighting {
        Sighting {
            frame: FrameId::new(0, number),
            time: Timestamp::ZERO,
            direction: Direction::ToClient,
            seq: SeqNumber(0),
            ack: SeqNumber(0),
            payload_len: 1,
            flags: TcpFlags::ACK,
            window: 0,
            ttl: Ttl(64),
            ip_id: None,
            dont_fragment: true,
            timestamps: None,
            duplicate: false,
        }
    }

    #[test]
    fn the_start_of_a_long_answer_stays() {
        let mut tape = Tape::default();
        (1..=100).for_each(|number| tape.record(&answer(number)));
        let kept: Vec<u64> = tape.in_order().iter().map(|seen| seen.frame.number()).collect();
        assert_eq!(kept, (1..=6).chain(89..=100).collect::<Vec<_>>());

        let mut short = Tape::default();
        (1..=8).for_each(|number| short.record(&answer(number)));
        let kept: Vec<u64> = short.in_order().iter().map(|seen| seen.frame.number()).collect();
        assert_eq!(kept, (1..=8).collect::<Vec<_>>(), "each once");
    }
}
