//! One place on the way that answers for many servers: as soon for the near ones as for the far.

use std::net::IpAddr;

use crate::evidence::{Fact, Grade, Haste, Signal};
use crate::wire::{Duration, FrameId};

/// A packet in a server's name that came sooner than the server can.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strike {
    /// The packet.
    pub frame: FrameId,
    /// In whose name.
    pub server: IpAddr,
    /// How soon.
    pub haste: Haste,
}

/// `same_place`: for each of `strikes`, in their order, the fact that packets in the names of two
/// other servers or more, which need longer and not all the same time, came after just as long.
///
/// Of many strikes only the 16 nearest in time taken are looked at on either side.
pub fn outposts(strikes: &[Strike]) -> Vec<Option<Fact>> {
    let mut by_time: Vec<(usize, &Strike)> = strikes.iter().enumerate().collect();
    by_time.sort_by_key(|(_, strike)| (strike.haste.took, strike.frame));
    let mut facts: Vec<Option<Fact>> = vec![None; strikes.len()];
    for (rank, (place, strike)) in by_time.iter().enumerate() {
        let around = by_time.iter().skip(rank.saturating_sub(NEIGHBOURS)).take(2 * NEIGHBOURS + 1);
        let alike: Vec<&Strike> =
            around.map(|(_, other)| *other).filter(|other| is_alike(strike, other)).collect();
        if let Some(slot) = facts.get_mut(*place) {
            *slot = fact(strike, &alike);
        }
    }
    facts
}

fn is_alike(one: &Strike, other: &Strike) -> bool {
    let (took, also) = (one.haste.took, other.haste.took);
    let slack = (took.max(also)).over(10).max(CLOCK);
    one.server != other.server
        && took.max(also).as_nanos() - took.min(also).as_nanos() <= slack.as_nanos()
}

fn fact(strike: &Strike, alike: &[&Strike]) -> Option<Fact> {
    let needs = || alike.iter().map(|other| other.haste.needs).chain([strike.haste.needs]);
    let (least, most) = (needs().min()?, needs().max()?);
    let mut servers: Vec<IpAddr> = alike.iter().map(|other| other.server).collect();
    servers.sort_unstable();
    servers.dedup();
    // Servers that stand side by side are as far as each other, whoever answers.
    if servers.len() < 2 || most.times(2) < least.times(3) {
        return None;
    }
    let mut frames: Vec<FrameId> = alike.iter().map(|other| other.frame).collect();
    frames.sort_unstable();
    let shown: Vec<String> = frames.iter().take(SHOWN).map(ToString::to_string).collect();
    Some(Fact {
        signal: Signal::SamePlace,
        grade: Grade::Full,
        frame: strike.frame,
        expected: format!("{least} to {most}, as the servers need"),
        observed: format!("{} in the name of each", strike.haste.took),
        text: format!(
            "{} came as soon as packets in the names of {} other servers did ({}), though these servers need {least} to {most}: all come from one place on the way",
            strike.frame,
            servers.len(),
            shown.join(", ")
        ),
    })
}

/// Times taken that differ by less are the same, whatever a tenth of them is.
const CLOCK: Duration = Duration::from_millis(1);
/// Strikes looked at on either side.
const NEIGHBOURS: usize = 16;
/// Frames that are named.
const SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn strike(frame: u64, server: u8, took: u64, needs: u64) -> Strike {
        let (took, needs) = (Duration::from_millis(took), Duration::from_millis(needs));
        let haste = Haste { took, needs, other: None };
        Strike { frame: FrameId::new(0, frame), server: [192, 0, 2, server].into(), haste }
    }

    fn told(strikes: &[Strike]) -> Vec<bool> {
        outposts(strikes).iter().map(Option::is_some).collect()
    }

    #[test]
    fn as_soon_for_the_far_as_for_the_near_is_one_place() {
        let many = [strike(9, 1, 25, 60), strike(3, 2, 26, 120), strike(5, 3, 25, 170)];
        assert_eq!(told(&many), [true; 3]);
        let fact = outposts(&many).swap_remove(0).expect("a fact");
        assert!(fact.text.contains("(f3, f5)"), "{}", fact.text);
    }

    #[test]
    fn each_at_its_own_time_or_all_as_far_are_not() {
        assert_eq!(
            told(&[strike(1, 1, 10, 60), strike(2, 2, 25, 120), strike(3, 3, 60, 170)]),
            [false; 3]
        );
        assert_eq!(
            told(&[strike(1, 1, 25, 60), strike(2, 2, 25, 62), strike(3, 3, 25, 65)]),
            [false; 3]
        );
        assert_eq!(
            told(&[strike(1, 1, 25, 60), strike(2, 1, 25, 170), strike(3, 2, 25, 170)]),
            [false; 3]
        );
        assert_eq!(told(&[]), [false; 0]);
    }
}
