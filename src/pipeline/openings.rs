//! Where flows began: all that must be kept of every flow, so that each gets its number.
//!
//! Flows are numbered in the order of their first frames, over all lanes; a lane cannot know the
//! number of a flow while others still open theirs. So each lane keeps the first frames of its
//! flows, as differences of 7 bits a byte: one or two bytes a flow on a busy link. A flood, of which
//! each packet opens a flow, takes a few bytes in all.

use crate::wire::FrameId;

/// The first frames of a lane's flows, in ascending order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Openings {
    /// Steps from one to the next. A 0 stands before the length of a run of steps of 1.
    steps: Vec<u8>,
    /// Steps of 1 that came last and are not in `steps` yet.
    run: u64,
    last: u64,
    count: u64,
}

impl Openings {
    /// A flow begins with `frame`, which no earlier one of this lane did.
    pub fn push(&mut self, frame: FrameId) {
        let place = frame.as_u64();
        debug_assert!(place > self.last, "frames come in order");
        match place.wrapping_sub(self.last) {
            1 => self.run += 1,
            step => {
                self.end_run();
                self.write(step);
            }
        }
        self.last = place;
        self.count += 1;
    }

    fn end_run(&mut self) {
        match std::mem::take(&mut self.run) {
            short @ 0..=2 => (0..short).for_each(|_| self.write(1)),
            long => {
                self.write(0);
                self.write(long);
            }
        }
    }

    fn write(&mut self, mut number: u64) {
        while number > 0x7f {
            self.steps.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.steps.push(number as u8);
    }

    /// Bytes held.
    pub(super) const fn memory(&self) -> usize {
        self.steps.capacity()
    }

    /// How many flows began.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Adds to each of `numbers` how many flows began before the frame in the same place of
    /// `frames`, which are in ascending order.
    pub fn count_before(&self, frames: &[FrameId], numbers: &mut [u64]) {
        let mut openings = self.iter().peekable();
        let mut before = 0;
        for (frame, number) in frames.iter().zip(numbers) {
            while openings.next_if(|opening| opening < frame).is_some() {
                before += 1;
            }
            *number += before;
        }
    }

    fn iter(&self) -> impl Iterator<Item = FrameId> {
        let mut numbers = Numbers(self.steps.iter());
        let (mut last, mut run, mut open) = (0_u64, 0, self.run);
        std::iter::from_fn(move || {
            let step = if run > 0 {
                run -= 1;
                1
            } else {
                match numbers.next() {
                    Some(0) => {
                        run = numbers.next()?.saturating_sub(1);
                        1
                    }
                    Some(step) => step,
                    None => {
                        open = u64::checked_sub(open, 1)?;
                        1
                    }
                }
            };
            last = last.wrapping_add(step);
            Some(FrameId::from_u64(last))
        })
    }
}

/// Numbers of 7 bits a byte, the lowest first; all but the last byte of a number have the high bit.
struct Numbers<'a>(std::slice::Iter<'a, u8>);

impl Iterator for Numbers<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0);
        loop {
            let byte = *self.0.next()?;
            number |= u64::from(byte & 0x7f).wrapping_shl(shift);
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn openings(frames: &BTreeSet<FrameId>) -> Openings {
        let mut openings = Openings::default();
        for frame in frames {
            openings.push(*frame);
        }
        openings
    }

    #[test]
    fn a_busy_lane_needs_little_more_than_a_byte_a_flow() {
        let frames = (0..10_000).map(|n| FrameId::new(0, 1 + n * 20)).collect();
        assert!(openings(&frames).steps.len() <= 10_000);
    }

    #[test]
    fn a_flood_needs_a_few_bytes() {
        let frames: BTreeSet<_> =
            (0..100_000).map(|n| FrameId::new(0, 1 + n + n / 50_000)).collect();
        let all = openings(&frames);
        assert!(all.steps.len() < 16, "{} bytes", all.steps.len());
        assert!(all.iter().eq(frames));
    }

    proptest! {
        #[test]
        fn what_was_pushed_comes_out(steps in prop::collection::vec(1u64..4, 0..300)) {
            let mut frame = 0;
            let frames: BTreeSet<_> = steps.iter().map(|step| { frame += step; FrameId::new(0, frame) }).collect();
            prop_assert!(openings(&frames).iter().eq(frames));
        }

        #[test]
        fn flows_of_all_lanes_are_numbered_by_their_first_frames(
            frames in prop::collection::btree_map((0u16..3, 1u64..5_000_000), 0usize..3, 0..200)
        ) {
            let mut lanes = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
            for ((file, number), lane) in &frames {
                lanes[*lane].insert(FrameId::new(*file, *number));
            }
            let all: Vec<_> = frames.keys().map(|(file, n)| FrameId::new(*file, *n)).collect();
            let asked: Vec<_> = all.iter().copied().step_by(3).collect();
            let mut numbers = vec![1; asked.len()];
            for lane in &lanes {
                openings(lane).count_before(&asked, &mut numbers);
            }
            let expected: Vec<_> = (1..=all.len() as u64).step_by(3).collect();
            prop_assert_eq!(numbers, expected);
            let counted: u64 = lanes.iter().map(|lane| openings(lane).count()).sum();
            prop_assert_eq!(counted, all.len() as u64);
        }
    }
}
