//! How resolvers answer, and the flows that may yet be judged by it.
//!
//! Whether an answer is out of its resolver's habits is known only when all flows are. Flows that
//! stand out by themselves (two answers, a listed one) are kept in any case; of the others, which
//! are nearly all, the first [`Resolvers::ALIKE_MAX`] are kept for each resolver and look of the
//! answer. An answer that another program built looks different, and is rare; if it is not, it is
//! the habit. So of each kind of flags the first are judged whatever way they came; the others only
//! if their resolver's answers split by name. Which flows are kept depends neither on their order nor on the number of lanes: it is
//! always those that began first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::closing::Ended;
use super::dns::Spoken;
use crate::detect::dns::{Habits, Look};
use crate::detect::fingerprint::FingerprintSet;
use crate::wire::FrameId;

/// How the resolvers of a lane answer.
#[derive(Debug)]
pub struct Resolvers {
    pub(super) habits: Habits,
    /// First frames of the flows to be judged, by resolver and look.
    alike: BTreeMap<(IpAddr, Look), BTreeSet<FrameId>>,
    /// The same, and where each is filed.
    filed: BTreeMap<FrameId, (IpAddr, Look)>,
    /// Of these, the flows to be judged in any case: see [`Resolvers::settle`].
    judged: BTreeSet<FrameId>,
    /// Those flows, unless the lane keeps all flows anyway.
    flows: BTreeMap<FrameId, Ended>,
    /// How many flows may be kept.
    room: usize,
}

impl Default for Resolvers {
    fn default() -> Self {
        Self::with_room(Self::FLOWS_MAX, Habits::default())
    }
}

impl Resolvers {
    /// Flows kept for each resolver and look of the answer.
    pub const ALIKE_MAX: usize = 32;
    /// Flows kept in all.
    pub const FLOWS_MAX: usize = 16_384;

    /// At most `flows` flows, and what `habits` learns.
    pub(super) const fn with_room(flows: usize, habits: Habits) -> Self {
        Self {
            habits,
            alike: BTreeMap::new(),
            filed: BTreeMap::new(),
            judged: BTreeSet::new(),
            flows: BTreeMap::new(),
            room: flows,
        }
    }

    /// Bytes held, about.
    pub(super) fn memory(&self) -> usize {
        self.habits.memory() + self.filed.len() * FILED_BYTES + self.flows.len() * Ended::BYTES
    }

    /// Notes what a flow of a client with a server said that began with `first`; whether it may be
    /// judged.
    pub(super) fn note(
        &mut self,
        spoken: &Spoken,
        [client, server]: [IpAddr; 2],
        first: FrameId,
        list: &FingerprintSet,
    ) -> bool {
        let look = spoken.add_to(&mut self.habits, [client, server], list);
        spoken.stands_out() || look.is_some_and(|look| self.file(first, (server, look)))
    }

    /// Keeps a flow that was noted and may be judged.
    pub(super) fn keep(&mut self, ended: Ended) {
        if self.filed.contains_key(&ended.first_frame) {
            self.flows.insert(ended.first_frame, ended);
        }
    }

    /// Adds another lane's; there is then as much room as the larger one has.
    pub(super) fn merge(&mut self, other: Self) {
        self.room = self.room.max(other.room);
        self.habits.merge(other.habits);
        self.flows.extend(other.flows);
        for (first, drawer) in other.filed {
            self.file(first, drawer);
        }
    }

    /// Once all are merged: learns what only all answers together show.
    pub(super) fn settle(&mut self) {
        self.habits.settle();
        let mut by_flags: BTreeMap<(IpAddr, [bool; 3]), BTreeSet<FrameId>> = BTreeMap::new();
        for ((server, look), flows) in &self.alike {
            if let Some(flags) = look.flags() {
                by_flags.entry((*server, flags)).or_default().extend(flows);
            }
        }
        let first = |flows: BTreeSet<FrameId>| flows.into_iter().take(Self::ALIKE_MAX);
        self.judged = by_flags.into_values().flat_map(first).collect();
    }

    /// Whether the flow that began with `first` is to be judged: for its own sake, by its resolver's
    /// habits, or because the resolver's answers split by the names that it asked for.
    pub(super) fn may_judge(&self, spoken: &Spoken, server: IpAddr, first: FrameId) -> bool {
        let split = |exchange| self.habits.splits(server, exchange);
        let by_name = || self.filed.contains_key(&first) && spoken.asked().iter().any(split);
        spoken.stands_out() || self.judged.contains(&first) || by_name()
    }

    /// The flows that were kept only to be judged.
    pub(super) fn take_flows(&mut self) -> impl Iterator<Item = Ended> {
        std::mem::take(&mut self.flows).into_values()
    }

    /// Files a flow, if it is among the first; whether it is.
    fn file(&mut self, first: FrameId, drawer: (IpAddr, Look)) -> bool {
        let alike = self.alike.entry(drawer).or_default();
        if alike.len() >= Self::ALIKE_MAX && alike.last().is_some_and(|last| first > *last) {
            return false;
        }
        alike.insert(first);
        self.filed.insert(first, drawer);
        let mut dropped = None;
        if alike.len() > Self::ALIKE_MAX {
            dropped = alike.pop_last();
        } else if self.filed.len() > self.room {
            dropped = self.filed.last_key_value().map(|(last, _)| *last);
        }
        if let Some(last) = dropped {
            self.forget(last);
        }
        dropped != Some(first)
    }

    fn forget(&mut self, first: FrameId) {
        self.flows.remove(&first);
        let Some(drawer) = self.filed.remove(&first) else { return };
        if let Some(alike) = self.alike.get_mut(&drawer) {
            alike.remove(&first);
            if alike.is_empty() {
                self.alike.remove(&drawer);
            }
        }
    }
}

/// What a flow takes that is filed, without the flow itself, in bytes.
const FILED_BYTES: usize = 160;
