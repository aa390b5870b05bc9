//! What passed, parted by the addresses at which it did.

use std::collections::BTreeSet;
use std::net::IpAddr;

use smallvec::SmallVec;

/// What can be added up to one.
pub(super) trait Join {
    /// Adds another.
    fn join(&mut self, other: Self);
}

/// What passed at each server's address; beyond [`ADDRESSES_MAX`] the greatest addresses are taken
/// together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ByAddress<T> {
    /// In ascending order. Most names have one address.
    at: SmallVec<[(IpAddr, T); 1]>,
    elsewhere: Option<Box<T>>,
}

/// Addresses of one name that are told apart.
pub(super) const ADDRESSES_MAX: usize = 64;

impl<T> Default for ByAddress<T> {
    fn default() -> Self {
        Self { at: SmallVec::new(), elsewhere: None }
    }
}

impl<T: Join + Copy> ByAddress<T> {
    pub(super) fn add(&mut self, other: Self) {
        for (address, passed) in other.at {
            self.put(address, passed);
        }
        if let Some(passed) = other.elsewhere {
            self.put_elsewhere(*passed);
        }
    }

    /// How many addresses are told apart.
    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at.is_empty() && self.elsewhere.is_none()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.at.iter().map(|(_, passed)| passed).chain(self.elsewhere.as_deref())
    }

    /// Takes out what passed at one of `given`, or may have.
    pub(super) fn take(&mut self, given: &BTreeSet<IpAddr>) -> Vec<T> {
        let last = self.at.last().map(|(address, _)| *address);
        let beyond = |last| given.last().is_some_and(|address| *address > last);
        let elsewhere = self.elsewhere.take_if(|_| last.is_some_and(beyond));
        let mut taken: Vec<T> = elsewhere.map(|passed| *passed).into_iter().collect();
        self.at.retain(|(address, passed)| {
            let astray = given.contains(address);
            if astray {
                taken.push(*passed);
            }
            !astray
        });
        taken
    }

    pub(super) fn put(&mut self, address: IpAddr, passed: T) {
        match self.at.binary_search_by_key(&address, |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, known)) = self.at.get_mut(place) {
                    known.join(passed);
                }
            }
            Err(place) => self.at.insert(place, (address, passed)),
        }
        if self.at.len() > ADDRESSES_MAX
            && let Some((_, passed)) = self.at.pop()
        {
            self.put_elsewhere(passed);
        }
    }

    fn put_elsewhere(&mut self, passed: T) {
        match &mut self.elsewhere {
            Some(known) => known.join(passed),
            none => *none = Some(Box::new(passed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Join for u32 {
        fn join(&mut self, other: Self) {
            *self += other;
        }
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    /// Of one access at each of `addresses` how many are left, and how many are not, once those that
    /// may have been at `taken` are out.
    fn left(addresses: impl Iterator<Item = u8>, taken: u8) -> (u32, u32) {
        let mut all = ByAddress::<u32>::default();
        addresses.for_each(|last| all.put(address(last), 1));
        let given = BTreeSet::from([address(taken)]);
        let out: u32 = all.take(&given).into_iter().sum();
        assert!(all.len() <= ADDRESSES_MAX);
        (all.all().sum(), out)
    }

    #[test]
    fn what_passed_elsewhere_than_the_first_addresses_passed_at_any_beyond_them() {
        for turned in [false, true] {
            let of = |range: std::ops::Range<u8>| -> Box<dyn Iterator<Item = u8>> {
                if turned { Box::new(range.rev()) } else { Box::new(range) }
            };
            assert_eq!(left(of(0..64), 9), (63, 1));
            assert_eq!(left(of(0..64), 99), (64, 0));
            assert_eq!(left(of(0..70), 9), (69, 1));
            assert_eq!(left(of(0..70), 68), (64, 6), "one of six, and it cannot be told which");
            assert_eq!(left(of(1..71), 0), (70, 0), "none of them");
        }
    }
}
