//! Facts, before and after weighing.

use schemars::JsonSchema;
use serde::Serialize;

use super::{BlockPage, Injector, Kind, Signal};
use crate::wire::{Direction, Duration, FrameId, Timestamp};

/// How well the condition of a signal is met.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Met in part, or where its innocent causes are near: half its weight.
    Half,
    /// Met.
    Full,
    /// Met so that no honest sender could have done it: its full weight, and it may confirm.
    Proof,
}

/// One observation that speaks for or against interference, tied to a frame.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact {
    /// Its name in the catalogue.
    pub signal: Signal,
    /// How well its condition is met.
    pub grade: Grade,
    /// The frame that shows it.
    pub frame: FrameId,
    /// What an undisturbed connection would have shown.
    pub expected: String,
    /// What the frame shows.
    pub observed: String,
    /// Both in a sentence that a reader can repeat aloud.
    pub text: String,
}

/// A fact with the weight that the verdict gave it.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Weighed {
    /// Its name in the catalogue (`explain` tells what it means).
    pub signal: Signal,
    /// How well its condition is met.
    pub grade: Grade,
    /// The frame that shows it.
    pub frame: FrameId,
    /// What an undisturbed connection would have shown.
    pub expected: String,
    /// What the frame shows.
    pub observed: String,
    /// Decibans, 10·log10 of the likelihood ratio; negative speaks against interference. 0 where
    /// a stronger signal of the same family already counts.
    pub weight: f64,
    /// Both in a sentence.
    pub text: String,
}

/// What a detector hands over: facts about one kind of interference in one flow, not yet weighed.
#[derive(Clone, PartialEq, Debug)]
pub struct Suspicion {
    /// What is suspected.
    pub kind: Kind,
    /// Time of the first suspect packet, or of the trigger where nothing was forged.
    pub time: Timestamp,
    /// The packet that set it off.
    pub trigger: Option<FrameId>,
    /// Frames held to be forged, in order.
    pub forged: Vec<FrameId>,
    /// Frames that contradict them, in order.
    pub genuine: Vec<FrameId>,
    /// Which way the forged packets travel; `None` for both ways.
    pub direction: Option<Direction>,
    /// Where nothing was forged: the last frame of what is told of, with which the flow shows it whole.
    pub until: Option<FrameId>,
    /// Facts for and against.
    pub facts: Vec<Fact>,
    /// Innocent causes that this recording does not exclude, as sentences.
    pub alternatives: Vec<String>,
    /// What the forged packets tell about their sender.
    pub injector: Option<Injector>,
    /// The page that stood in for the answer.
    pub block_page: Option<BlockPage>,
    /// How soon a forged packet came, where a fact is about that.
    pub haste: Option<Haste>,
}

/// How soon a packet came that a server is said to have sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Haste {
    /// After the packet that it answers.
    pub took: Duration,
    /// The quickest that the server was seen to answer in the same flow.
    pub needs: Duration,
    /// How long before it the client had sent something else that it may answer; none where it
    /// acknowledges the packet above, or where there is nothing else.
    pub other: Option<Duration>,
}

impl Haste {
    /// Whether a server that needs `rtt` could be answering nothing else just now: the client sent
    /// nothing as long ago as half of that or more. SYNs apart: their answer is the SYN/ACK.
    pub fn is_alone(self, rtt: Duration) -> bool {
        self.other.is_none_or(|ago| ago.times(2) < rtt)
    }
}
