//! The last headers of each direction: what the flow looked like before something odd came.

use crate::flow::Sighting;
use crate::wire::{
    Direction, FrameId, SeqNumber, TcpFlags, TcpTimestamps, Timestamp, Ttl, prefetch,
};

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
    kept: Vec<Kept>,
    oldest: u8,
}

/// A sighting in fewer bytes: of all that a quiet flow holds, its tape is the most.
#[derive(Clone, Copy, Debug)]
struct Kept {
    frame: FrameId,
    time: Timestamp,
    seq: SeqNumber,
    ack: SeqNumber,
    payload_len: u32,
    stamps: TcpTimestamps,
    window: u16,
    ip_id: u16,
    /// Those of TCP, and above them what is told of the fields beside.
    flags: u16,
    ttl: Ttl,
    direction: Direction,
    window_scale: Option<u8>,
}

const _: () = assert!(size_of::<Kept>() <= 48);

impl Tape {
    /// Sightings kept for each direction.
    pub const KEPT: usize = 12;
    /// Packets kept from the start of an answer.
    pub const ANSWER_KEPT: usize = 6;

    /// Adds the latest one.
    #[inline]
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
                if self.answer.len() < Self::ANSWER_KEPT
                    && let Some(lost) = lost.filter(|lost| lost.frame > self.asked)
                {
                    self.answer.extend(Some(lost.sighting()).filter(speaks));
                }
            }
        }
    }

    /// Forgets all but the memory of its lists.
    pub fn clear(&mut self) {
        for ring in &mut self.rings {
            ring.kept.clear();
            ring.oldest = 0;
        }
        self.answer.clear();
        self.asked = FrameId::default();
    }

    /// Prefetches the lists.
    pub fn prefetch(&self) {
        self.rings.iter().for_each(|ring| prefetch(&*ring.kept));
    }

    /// Bytes held beside this value.
    pub fn memory(&self) -> usize {
        let [to_server, to_client] = &self.rings;
        let room = to_server.kept.capacity() + to_client.kept.capacity();
        room * size_of::<Kept>() + self.answer.capacity() * size_of::<Sighting>()
    }

    /// All that is kept, in capture order.
    pub fn in_order(&self) -> Vec<Sighting> {
        let rings = self.rings.iter().flat_map(|ring| &ring.kept);
        let kept = self.rings.iter().map(|ring| ring.kept.len()).sum::<usize>();
        let mut all = Vec::with_capacity(kept + self.answer.len());
        all.extend(rings.map(Kept::sighting));
        all.extend_from_slice(&self.answer);
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

impl Kept {
    const STAMPED: u16 = 1 << 12;
    const NUMBERED: u16 = 1 << 13;
    const DONT_FRAGMENT: u16 = 1 << 14;
    const DUPLICATE: u16 = 1 << 15;

    fn of(seen: &Sighting) -> Self {
        let flag = |bit: u16, set: bool| if set { bit } else { 0 };
        Self {
            frame: seen.frame,
            time: seen.time,
            seq: seen.seq,
            ack: seen.ack,
            payload_len: seen.payload_len,
            stamps: seen.timestamps.unwrap_or(TcpTimestamps { value: 0, echo: 0 }),
            window: seen.window,
            ip_id: seen.ip_id.unwrap_or_default(),
            flags: (seen.flags.0 & (Self::STAMPED - 1))
                | flag(Self::STAMPED, seen.timestamps.is_some())
                | flag(Self::NUMBERED, seen.ip_id.is_some())
                | flag(Self::DONT_FRAGMENT, seen.dont_fragment)
                | flag(Self::DUPLICATE, seen.duplicate),
            ttl: seen.ttl,
            direction: seen.direction,
            window_scale: seen.window_scale,
        }
    }

    fn sighting(&self) -> Sighting {
        let has = |bit: u16| self.flags & bit != 0;
        Sighting {
            frame: self.frame,
            time: self.time,
            direction: self.direction,
            seq: self.seq,
            ack: self.ack,
            payload_len: self.payload_len,
            flags: TcpFlags(self.flags & (Self::STAMPED - 1)),
            window: self.window,
            window_scale: self.window_scale,
            ttl: self.ttl,
            ip_id: has(Self::NUMBERED).then_some(self.ip_id),
            dont_fragment: has(Self::DONT_FRAGMENT),
            timestamps: has(Self::STAMPED).then_some(self.stamps),
            duplicate: has(Self::DUPLICATE),
        }
    }
}

impl Ring {
    /// Adds the latest one; gives the oldest, if there was no room for it any more.
    #[inline]
    fn record(&mut self, sighting: &Sighting) -> Option<Kept> {
        let sighting = Kept::of(sighting);
        if self.kept.len() < Tape::KEPT {
            if self.kept.len() == self.kept.capacity() {
                self.make_room();
            }
            self.kept.push(sighting);
            return None;
        }
        let place = self.kept.get_mut(usize::from(self.oldest))?;
        self.oldest = if usize::from(self.oldest) + 1 < Tape::KEPT { self.oldest + 1 } else { 0 };
        Some(std::mem::replace(place, sighting))
    }

    /// Most flows are short, and a ring for all twelve is more than they have otherwise: four, half
    /// of it, all.
    #[cold]
    fn make_room(&mut self) {
        let steps = [Tape::KEPT / 3, Tape::KEPT / 2, Tape::KEPT].into_iter();
        let next = steps.map(|step| step.saturating_sub(self.kept.len()));
        self.kept.reserve_exact(next.into_iter().find(|more| *more > 0).unwrap_or(1));
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
    fn a_sighting_is_kept_as_it_was() {
        let full = Sighting {
            time: Timestamp::from_nanos(-7),
            direction: Direction::ToServer,
            seq: SeqNumber(u32::MAX),
            ack: SeqNumber(5),
            payload_len: 70_000,
            flags: TcpFlags(0x0fff),
            window: 9,
            ip_id: Some(0),
            timestamps: Some(TcpTimestamps { value: 1, echo: u32::MAX }),
            duplicate: true,
            ..answer(1 << 40)
        };
        let bare = Sighting { dont_fragment: false, ..answer(1) };
        for seen in [full, bare, answer(3)] {
            assert_eq!(Kept::of(&seen).sighting(), seen);
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
