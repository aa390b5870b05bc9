//! Mutated seeds from a generator that always gives the same numbers.

use crate::seeds::Seeds;

/// Gives one mutated seed after the other.
pub(crate) struct Mutator<'a> {
    seeds: &'a Seeds,
    state: u64,
}

impl<'a> Mutator<'a> {
    pub(crate) fn new(seeds: &'a Seeds) -> Self {
        Self { seeds, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The next input: a seed with one to eight changes.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.seed().to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn seed(&mut self) -> &'a [u8] {
        let place = self.below(self.seeds.len());
        &self.seeds[place].1
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        const ODD: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b' ', b'"'];
        let at = self.below(bytes.len() + 1);
        let end = (at + 1 + self.below(64)).min(bytes.len());
        match self.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at.min(end)..end)),
            2 => {
                let again = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            4 => bytes.insert(at, ODD[self.below(ODD.len())]),
            kind => {
                let value = match kind {
                    5 => ODD[self.below(ODD.len())],
                    _ => self.below(256) as u8,
                };
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = if kind == 7 { *byte ^ (1 << (value % 8)) } else { value };
                }
            }
        }
    }

    /// A number below `limit` (xorshift64).
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) as usize % limit.max(1)
    }
}
