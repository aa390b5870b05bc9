//! A tap that loses packets accuses nobody: what the capture lacks is no packet that was not sent.

use tamperscope::evidence::{Confidence, Finding};

use crate::rng::Rng;
use crate::stories::Shot;
use crate::{analyze, every_story, one, write};

/// How a tap loses packets.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// Each by itself, in thousandths.
    Single(u64),
    /// Eight or so at a time, of all packets so many thousandths.
    Burst(u64),
    /// All of 20 to 120 ms, several times.
    Gap(usize),
}

const LOSSES: [Loss; 6] = [
    Loss::Single(20),
    Loss::Single(50),
    Loss::Single(100),
    Loss::Burst(100),
    Loss::Gap(2),
    Loss::Gap(5),
];

/// Recordings made of each story and loss.
const SEEDS: u64 = 3;

impl Loss {
    fn of(self, shots: &[Shot], seed: u64) -> Vec<Shot> {
        let mut rng = Rng::new(seed, 0);
        let mut gone = false;
        let mut lost = |_: &Shot| match self {
            Self::Single(share) => rng.per_mille(share),
            Self::Burst(share) => {
                gone = if gone { rng.below(8) > 0 } else { rng.below(8000) < share };
                gone
            }
            Self::Gap(_) => false,
        };
        let mut kept: Vec<Shot> = shots.iter().filter(|shot| !lost(shot)).cloned().collect();
        if let Self::Gap(count) = self {
            for _ in 0..count {
                if kept.is_empty() {
                    break;
                }
                let from = kept.get(rng.below(kept.len() as u64) as usize).map(|shot| shot.time_ns);
                let from = from.unwrap_or_default();
                let until = from + 20_000_000 + rng.below(100_000_000) as i64;
                kept.retain(|shot| shot.time_ns < from || shot.time_ns >= until);
            }
        }
        kept
    }
}

#[test]
fn a_tap_that_loses_packets_accuses_nobody() {
    let (mut runs, mut possible) = (0, 0);
    every_story(|story, shots, plain, settings| {
        if plain.findings.iter().any(|finding| finding.confidence >= Confidence::Likely) {
            return Vec::new();
        }
        let mut accused = Vec::new();
        for (loss, seed) in LOSSES.iter().flat_map(|loss| (0..SEEDS).map(move |seed| (loss, seed)))
        {
            let rest = loss.of(shots, seed + 1000 * story.len() as u64);
            if rest.is_empty() {
                continue;
            }
            runs += 1;
            let told = analyze(&one(write::pcap(&rest)), settings);
            possible += usize::from(!told.findings.is_empty());
            let sure = |finding: &&Finding| finding.confidence >= Confidence::Likely;
            accused.extend(told.findings.iter().filter(sure).map(|finding| {
                let facts: Vec<_> =
                    finding.evidence.iter().map(|fact| (fact.signal, fact.weight)).collect();
                format!("{loss:?} {seed}: {} {} {facts:?}", finding.kind, finding.confidence)
            }));
        }
        accused
    });
    assert!(runs > 1_000, "only {runs} recordings");
    assert!(possible < runs / 5, "{possible} of {runs} recordings show something possible");
}
