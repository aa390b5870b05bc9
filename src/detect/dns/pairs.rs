//! Counts by two marks that each are there or not.

/// Answers by two marks of theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Pairs([[u32; 2]; 2]);

impl Pairs {
    pub(super) fn of(&mut self, (one, other): (bool, bool)) -> &mut u32 {
        let [[neither, second], [first, both]] = &mut self.0;
        match (one, other) {
            (false, false) => neither,
            (false, true) => second,
            (true, false) => first,
            (true, true) => both,
        }
    }

    pub(super) fn counts(self) -> impl Iterator<Item = ((bool, bool), u32)> {
        let [[neither, second], [first, both]] = self.0;
        [
            ((false, false), neither),
            ((false, true), second),
            ((true, false), first),
            ((true, true), both),
        ]
        .into_iter()
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (marks, count) in other.counts() {
            let sum = self.of(marks);
            *sum = sum.saturating_add(count);
        }
    }
}
