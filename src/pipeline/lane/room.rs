//! Room for flows and for what is remembered of them: what they hold, who is let in, and who goes when
//! it is too much.
//!
//! The tallies have a part of the memory of their own. The rest is for the flows alive, and for ended
//! ones of which all is kept, because they were interfered with or that is to be judged yet.
//!
//! What a flood brings makes room first. Flows that both sides took part in are touched only when
//! nothing else is left: those that hold the most give up their bytes, and then the oldest go.

use super::super::budget::Budget;
use super::super::quota::Quota;
use super::{Flow, Lane};
use crate::evidence::FlowEnd;
use crate::flow::{Class, SlotId};
use crate::wire::{FlowKey, FrameId};

/// What the flows of a lane hold, and what ended ones leave.
pub(super) struct Room {
    /// Bytes that the flows alive hold beside their slots.
    held: usize,
    /// Bytes that what has ended held when that was last looked at,
    remembered: usize,
    /// and how many flows have ended since.
    ended: usize,
    /// What may be held.
    budget: Budget,
    /// Flows kept for their certificates,
    pub(super) odd_certificates: Quota,
    /// because they were not answered,
    pub(super) silent: Quota,
    /// because they met a ceiling,
    pub(super) slow: Quota,
    /// and because something was found.
    pub(super) found: Quota,
}

impl Room {
    /// Of each so many flows that end, one has the outcome looked at.
    const LOOK_EACH: usize = 64;

    /// Room within `budget`.
    pub(super) fn new(budget: Budget) -> Self {
        let quota = || Quota::within(budget.waiting);
        Self {
            held: 0,
            remembered: 0,
            ended: 0,
            budget,
            odd_certificates: quota(),
            silent: quota(),
            slow: quota(),
            found: Quota::of_found(budget.found),
        }
    }

    /// A flow that held `before` bytes holds `after`.
    pub(super) fn change(&mut self, before: usize, after: usize) {
        self.held = (self.held + after).saturating_sub(before);
    }

    /// A flow has ended; `remembered` tells what all that did hold.
    pub(super) fn ended(&mut self, remembered: impl FnOnce(&Budget) -> usize) {
        self.ended += 1;
        if self.ended >= Self::LOOK_EACH {
            (self.ended, self.remembered) = (0, remembered(&self.budget));
        }
    }

    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Whether more is held than may be. `slots` is what those of the flows alive take, of all that the
    /// table has `reserved`.
    fn is_short(&self, (slots, reserved): (usize, usize)) -> bool {
        // Slots are not given back: in what flows always have, something is left beside them.
        let slots_max = self.budget.alive / 4 * 3;
        slots > slots_max || with_waste(self.held) + slots.max(reserved) > self.alive()
    }

    /// Bytes that the flows alive may hold.
    fn alive(&self) -> usize {
        let Budget { flows, alive, .. } = self.budget;
        flows.saturating_sub(with_waste(self.remembered)).max(alive)
    }
}

impl Lane<'_> {
    /// Lets a new flow in, which begins with `frame` and holds nothing yet beside its slot; the least
    /// valuable one makes room if there is none.
    #[inline]
    pub(super) fn admit(
        &mut self,
        (hash, key): (u64, FlowKey),
        (frame, class): (FrameId, Class),
        flow: impl FnOnce() -> Flow,
    ) -> SlotId {
        if let Some(evicted) = self.table.make_room() {
            self.evicted(evicted);
        }
        self.outcome.openings.push(frame);
        self.table.insert(hash, key, (self.clock, class), flow)
    }

    /// Sees to it that the flows hold no more than they may; `id` is the one under way.
    #[inline]
    pub(super) fn relieve(&mut self, id: SlotId) {
        if self.is_short() {
            self.relieve_now(id);
        }
    }

    #[cold]
    fn relieve_now(&mut self, id: SlotId) {
        self.evict_while_short(Class::Unproven, id);
        let share = self.room.alive() / self.table.len().max(1);
        if self.is_short() && self.held_by(id) > share.saturating_mul(SHARES_MAX) {
            self.give_up_bytes(id);
        }
        self.evict_while_short(Class::Established, id);
        if self.is_short() {
            self.give_up_bytes(id);
        }
    }

    /// Takes out flows worth at most `worth`, but not `kept`, while there is too little room.
    fn evict_while_short(&mut self, worth: Class, kept: SlotId) {
        while self.is_short() {
            let Some(evicted) = self.table.evict(worth, Some(kept)) else { return };
            self.evicted(evicted);
        }
    }

    fn evicted(&mut self, (key, flow): (FlowKey, Flow)) {
        self.outcome.limits.flows_evicted += 1;
        self.conclude(&key, flow, FlowEnd::Evicted);
    }

    pub(super) fn is_short(&self) -> bool {
        self.room.is_short((self.table.memory(), self.table.reserved()))
    }

    fn held_by(&mut self, id: SlotId) -> usize {
        self.table.flow_mut(id).map_or(0, |flow| flow.memory())
    }

    /// The flow in `id` gives its own bytes up.
    fn give_up_bytes(&mut self, id: SlotId) {
        let settings = self.settings;
        let Some(flow) = self.table.flow_mut(id) else { return };
        let before = flow.memory();
        match flow {
            Flow::Prelude(_) | Flow::Judged(_) => return,
            Flow::Tcp(conversation) => conversation.give_up_bytes(settings),
            Flow::Udp(talk) => talk.give_up_bytes(settings),
        }
        self.room.change(before, flow.memory());
        self.outcome.limits.streams_given_up += 1;
    }
}

/// Shares of the memory that a flow may hold before it gives up its bytes for others.
const SHARES_MAX: usize = 8;
/// An allocator hands out sizes of its own, and pages of which only a part is in use: beside so many
/// bytes one is wasted.
const WASTED_SHARE: usize = 3;

/// What is taken where `bytes` are asked for.
const fn with_waste(bytes: usize) -> usize {
    bytes + bytes / WASTED_SHARE
}
