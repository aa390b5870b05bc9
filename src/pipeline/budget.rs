//! How the memory of a lane is divided.

/// What each sort of things that a lane keeps may take, in bytes.
///
/// What was taken once is hardly to be had for anything else: the flows that were there first lie
/// scattered, and each that is left holds a whole page of the allocator. So nothing is promised
/// twice. In little memory hosts have three tenths, and what flows are held against has a quarter; in
/// more they have what they need, and the rest is for flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Budget {
    /// The tally of hosts.
    pub hosts: usize,
    /// What flows are held against.
    pub controls: usize,
    /// Ended flows in which something was found.
    pub found: usize,
    /// Ended flows of each of three other sorts, which wait until all are known.
    pub waiting: usize,
    /// Flows alive, and the ended ones of all sorts.
    pub flows: usize,
    /// Flows alive, when there are as many ended ones as may be.
    pub alive: usize,
}

impl Budget {
    /// What the hosts take when there are as many as may be, about.
    const HOSTS_BYTES: usize = 288 << 20;
    /// What all takes that flows are held against, when there is as much as may be; if each sort of it
    /// were at its bound it could be twice as much, which flows then go without.
    const CONTROLS_BYTES: usize = 96 << 20;

    /// Divides `memory`, in bytes.
    pub(super) fn of(memory: usize) -> Self {
        let quarter = memory / 4;
        let hosts = (memory / 10 * 3).min(Self::HOSTS_BYTES);
        let controls = quarter.min(Self::CONTROLS_BYTES);
        let flows = memory - hosts - controls;
        let (waiting, alive) = (quarter / 6, quarter / 2);
        let found = (flows - 3 * waiting - alive).min(memory / 8 * 3);
        Self { hosts, controls, found, waiting, flows, alive }
    }

    /// How many of `full` hosts there is room for.
    pub(super) fn of_hosts(&self, full: usize) -> usize {
        part(full, self.hosts, Self::HOSTS_BYTES)
    }

    /// How many of `full` things that flows are held against there is room for.
    pub(super) fn of_controls(&self, full: usize) -> usize {
        part(full, self.controls, Self::CONTROLS_BYTES)
    }
}

/// One at least.
fn part(full: usize, bytes: usize, full_bytes: usize) -> usize {
    ((full as f64 * (bytes as f64 / full_bytes as f64)) as usize).clamp(1, full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_twice() {
        for memory in [0, 1, 16 << 20, 88 << 20, 300 << 20, 984 << 20, 1 << 40] {
            let Budget { hosts, controls, found, waiting, flows, alive } = Budget::of(memory);
            assert_eq!(hosts + controls + flows, memory);
            assert!(found + 3 * waiting + alive <= flows, "{memory}");
            assert!(alive >= memory / 8, "{memory}");
        }
    }

    #[test]
    fn more_memory_makes_no_share_smaller() {
        let budgets = [0, 1, 16 << 20, 88 << 20, 300 << 20, 984 << 20, 1 << 40].map(Budget::of);
        for pair in budgets.windows(2) {
            assert!(pair[0].hosts <= pair[1].hosts && pair[0].controls <= pair[1].controls);
            assert!(pair[0].found <= pair[1].found && pair[0].flows <= pair[1].flows);
        }
    }

    #[test]
    fn with_much_memory_no_tally_has_more_room_than_usual() {
        let rooms = |memory| {
            let budget = Budget::of(memory);
            [budget.of_hosts(1000), budget.of_controls(1000)]
        };
        assert_eq!(rooms(usize::MAX), [1000, 1000]);
        assert_eq!(rooms(96 << 20), [99, 250]);
        assert_eq!(rooms(0), [1, 1]);
    }
}
