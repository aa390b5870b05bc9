//! The last headers of each direction: what the flow looked like before something odd came.

use crate::flow::Sighting;
use crate::wire::{Direction, FrameId};

/// A ring of sightings for each direction, so that a burst one way does not push out the other.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    rings: [Ring; 2],
    /// The answer under way is what the server sends after this frame.
    asked: FrameId,
    /// The first packets of the answer under way, once the ring has lost them: an overlap may come
    /// long after them.
    answer: Vec<Sighting>,
}

#[derive(Clone, Debug, Default)]
struct Ring {
    kept: Vec<Sighting>,
    oldest: u8,
}

impl Tape {
    /// Sightings kept for each direction.
    pub const KEPT: usize = 12;
    /// Packets kept from the start of an answer.
    pub const ANSWER_KEPT: usize = 6;

    /// Adds the latest one.
    pub fn record(&mut self, sighting: &Sighting) {
        let [to_server, to_client] = &mut self.rings;
        match sighting.direction {
            Direction::ToServer => {
                to_server.record(sighting);
                if speaks(sighting) {
                    self.asked = sighting.frame;
                    self.answer.clear();
                }
            }
            Direction::ToClient => {
                let lost = to_client.record(sighting);
                if let Some(lost) = lost.filter(|lost| lost.frame > self.asked && speaks(lost))
                    && self.answer.len() < Self::ANSWER_KEPT
                {
                    self.answer.push(lost);
                }
            }
        }
    }

    /// Bytes held beside this value.
    pub fn memory(&self) -> usize {
        let [to_server, to_client] = &self.rings;
        let room = to_server.kept.capacity() + to_client.kept.capacity() + self.answer.capacity();
        room * size_of::<Sighting>()
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
        let sightings = || self.rings.iter().flat_map(|ring| &ring.kept);
        self.asked = sightings().map(|seen| seen.frame).max().unwrap_or_default();
        for sighting in self.rings.iter_mut().flat_map(|ring| ring.kept.iter_mut()) {
            sighting.direction = sighting.direction.reverse();
        }
    }
}

const fn speaks(sighting: &Sighting) -> bool {
    sighting.payload_len > 0 && !sighting.duplicate
}

impl Ring {
    /// Adds the latest one; gives the oldest, if there was no room for it any more.
    fn record(&mut self, sighting: &Sighting) -> Option<Sighting> {
        if self.kept.len() < Tape::KEPT {
            if self.kept.len() == self.kept.capacity() {
                // Most flows are short, and a ring for all twelve is more than they have otherwise. Of
                // four the allocator wastes nothing.
                self.kept.reserve_exact(Tape::KEPT / 3);
            }
            self.kept.push(*sighting);
            return None;
        }
        let place = self.kept.get_mut(usize::from(self.oldest))?;
        self.oldest = (self.oldest + 1) % Tape::KEPT as u8;
        Some(std::mem::replace(place, *sighting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{SeqNumber, TcpFlags, Timestamp, Ttl};

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
            window_scale: None,
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
