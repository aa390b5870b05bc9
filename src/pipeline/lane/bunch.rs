//! Flows that end together.
//!
//! Nobody has looked at them for seconds at least, so nothing of what they hold is in the cache any more:
//! ended one by one, they would have each step into it wait for memory. So what a bunch of them holds is
//! prefetched, step by step, before the first one ends: then the waits overlap.

use super::{Flow, Lane};
use crate::detect::dns::Book;
use crate::evidence::FlowEnd;
use crate::flow::{BUNCH_MAX, SlotId};
use crate::wire::{FlowKey, Timestamp, prefetch};

impl Lane<'_> {
    /// Ends some of the flows whose time has come `now`, and tells whether there may be more.
    pub(super) fn expire_bunch(&mut self, now: Timestamp) -> bool {
        let bunch = self.table.next_to_expire(now);
        self.prefetch(&bunch);
        (0..bunch.len().max(1)).all(|_| {
            let ended = self.table.expire(now);
            ended.map(|(key, flow)| self.conclude(&key, flow, FlowEnd::Timeout)).is_some()
        })
    }

    /// Lets some of the flows cool that are cold `now`, and tells whether there may be more.
    pub(super) fn cool_bunch(&mut self, now: Timestamp) -> bool {
        let bunch = self.table.next_to_cool(now);
        self.prefetch(&bunch);
        (0..bunch.len().max(1)).all(|_| self.table.cool(now).map(|id| self.cool(id)).is_some())
    }

    /// Concludes `flows`, which were taken out of the table.
    pub(super) fn conclude_all(
        &mut self,
        mut flows: impl Iterator<Item = (FlowKey, Flow)>,
        end: FlowEnd,
    ) {
        let mut bunch = Vec::with_capacity(BUNCH_MAX);
        loop {
            bunch.extend(flows.by_ref().take(BUNCH_MAX));
            if bunch.is_empty() {
                return;
            }
            prefetch_flows(bunch.iter().map(|(_, flow)| flow));
            bunch.drain(..).for_each(|(key, flow)| self.conclude(&key, flow, end));
        }
    }

    fn prefetch(&self, bunch: &[SlotId]) {
        self.table.prefetch(bunch);
        prefetch_flows(bunch.iter().filter_map(|id| self.table.flow(*id)));
    }
}

/// Prefetches what `flows` hold.
fn prefetch_flows<'a>(flows: impl Iterator<Item = &'a Flow> + Clone) {
    flows.clone().for_each(Flow::prefetch);
    flows.clone().for_each(Flow::prefetch_parts);
    flows.for_each(Flow::prefetch_leaves);
}

impl Flow {
    /// Prefetches what the slot points to.
    fn prefetch(&self) {
        match self {
            Self::Tcp(conversation) => prefetch(&**conversation),
            Self::Udp(talk) => talk.dns.book().into_iter().for_each(prefetch),
            Self::Prelude(_) | Self::Judged(_) => {}
        }
    }

    /// Prefetches what that points to.
    fn prefetch_parts(&self) {
        match self {
            Self::Tcp(conversation) => conversation.prefetch(),
            Self::Udp(talk) => talk.dns.book().into_iter().for_each(Book::prefetch),
            Self::Prelude(_) | Self::Judged(_) => {}
        }
    }

    /// Prefetches what the parts point to.
    fn prefetch_leaves(&self) {
        match self {
            Self::Tcp(conversation) => conversation.prefetch_leaves(),
            Self::Udp(talk) => talk.dns.book().into_iter().for_each(Book::prefetch_leaves),
            Self::Prelude(_) | Self::Judged(_) => {}
        }
    }
}
