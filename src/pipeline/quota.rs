//! Room for flows that are kept until all others are known.

use super::closing::Ended;

/// How many flows of one sort a lane has kept until it is known what the others say.
pub(super) struct Quota {
    kept: usize,
    max: usize,
}

impl Quota {
    /// Flows kept at most.
    const MAX: usize = 1 << 15;

    /// A quota of flows that take `bytes` at most.
    pub(super) fn within(bytes: usize) -> Self {
        Self { kept: 0, max: (bytes / Ended::BYTES).min(Self::MAX) }
    }

    /// A quota of flows with findings that take `bytes` at most.
    pub(super) const fn of_found(bytes: usize) -> Self {
        Self { kept: 0, max: bytes / Ended::FOUND_BYTES }
    }

    /// How many were let in.
    pub(super) const fn kept(&self) -> usize {
        self.kept
    }

    /// Lets in `kept`, if there is room; counts what is given up.
    pub(super) fn admit<T>(&mut self, kept: Option<T>, given_up: &mut u64) -> Option<T> {
        let kept = kept?;
        if self.kept >= self.max {
            *given_up += 1;
            return None;
        }
        self.kept += 1;
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let (mut quota, mut given_up) = (Quota::within(Ended::BYTES), 0);
        assert_eq!(quota.admit(None::<u8>, &mut given_up), None);
        assert_eq!((quota.admit(Some(1), &mut given_up), given_up), (Some(1), 0));
        assert_eq!((quota.admit(Some(2), &mut given_up), given_up), (None, 1));
    }

    #[test]
    fn much_memory_makes_no_larger_quota() {
        assert_eq!(Quota::within(usize::MAX).max, Quota::MAX);
    }
}
