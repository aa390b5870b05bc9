//! Refused flows, kept until it is known how the same ports answer others.
//!
//! Scans are refused by the million, and nearly all of that means nothing. Kept are the
//! [`Refused::FLOWS_MAX`] that began first: which these are depends neither on their order nor on
//! the number of lanes.

use std::collections::BTreeMap;

use super::closing::Ended;
use crate::wire::FrameId;

/// The refused flows of a lane that began first.
#[derive(Debug)]
pub struct Refused {
    flows: BTreeMap<FrameId, Ended>,
    /// How many may be kept.
    room: usize,
}

impl Default for Refused {
    fn default() -> Self {
        Self::with_room(Self::FLOWS_MAX)
    }
}

impl Refused {
    /// Flows kept, and judged.
    pub const FLOWS_MAX: usize = 4_096;

    /// At most `flows` flows.
    pub(super) const fn with_room(flows: usize) -> Self {
        Self { flows: BTreeMap::new(), room: flows }
    }

    /// Bytes held, about.
    pub(super) fn memory(&self) -> usize {
        self.flows.len() * Ended::BYTES
    }

    /// Whether a flow that began with `first` is among the first of all so far.
    pub(super) fn wants(&self, first: FrameId) -> bool {
        self.flows.len() < self.room
            || self.flows.last_key_value().is_some_and(|(last, _)| first < *last)
    }

    /// Keeps a flow, if it is among the first.
    pub(super) fn keep(&mut self, ended: Ended) {
        self.flows.insert(ended.first_frame, ended);
        if self.flows.len() > self.room {
            self.flows.pop_last();
        }
    }

    /// The flows, in the order in which they began.
    pub(super) fn take_flows(self) -> impl Iterator<Item = Ended> {
        self.flows.into_values()
    }
}
