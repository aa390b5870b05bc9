//! Room for flows that can be judged only when all others are known.

/// How many flows of one sort a lane has kept until it is known what the others say.
#[derive(Default)]
pub(super) struct Quota(usize);

impl Quota {
    /// Flows kept: a kilobyte and a half each.
    pub(super) const MAX: usize = 1 << 15;

    /// Lets in `kept`, if there is room; counts what is given up.
    pub(super) fn admit<T>(&mut self, kept: Option<T>, given_up: &mut u64) -> Option<T> {
        let kept = kept?;
        if self.0 >= Self::MAX {
            *given_up += 1;
            return None;
        }
        self.0 += 1;
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let (mut quota, mut given_up) = (Quota(Quota::MAX - 1), 0);
        assert_eq!(quota.admit(None::<u8>, &mut given_up), None);
        assert_eq!((quota.admit(Some(1), &mut given_up), given_up), (Some(1), 0));
        assert_eq!((quota.admit(Some(2), &mut given_up), given_up), (None, 1));
    }
}
