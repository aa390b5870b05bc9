//! A lane: one thread's flows, from their first packet to their outcome.

mod bunch;
mod ending;
mod room;

use room::Room;

use super::budget::Budget;
use super::clock::Tick;
use super::closing::Outcome;
use super::conversation::{Conversation, Spares};
use super::directory::Directory;
use super::settings::Settings;
use super::udp::DatagramTalk;
use crate::correlate::Names;
use crate::decode::Packet;
use crate::evidence::FlowEnd;
use crate::flow::{Class, FlowHasher, FlowTable, Idle, Phase, Prelude, Remains, SlotId};
use crate::wire::{Datagram, FlowKey, FrameId, Segment, Side, Timestamp};

/// Owns its flows outright; nothing of it is shared.
pub struct Lane<'a> {
    settings: &'a Settings,
    directory: &'a Directory,
    table: FlowTable<Flow>,
    clock: Timestamp,
    ahead: Option<Ahead>,
    room: Room,
    spares: Spares,
    names: Names,
    outcome: Outcome,
}

/// The last packet, where its time is not believed yet.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    frame: FrameId,
    time: Timestamp,
    touched: SlotId,
    class: Class,
}

pub(super) enum Flow {
    Prelude(Prelude),
    Tcp(Box<Conversation>),
    /// A TCP connection that was judged.
    Judged(Remains),
    Udp(DatagramTalk),
}

impl<'a> Lane<'a> {
    /// A lane without flows. `directory` is told of each flow that ends.
    pub fn new(settings: &'a Settings, directory: &'a Directory) -> Self {
        let budget = Budget::of(settings.limits.memory_of_lane(settings.lanes));
        Self {
            settings,
            directory,
            table: FlowTable::new(
                settings.limits.flows / settings.lanes.get(),
                Idle::default(),
                FlowHasher::recorded(),
            ),
            clock: Timestamp::ZERO,
            ahead: None,
            room: Room::new(budget),
            spares: Spares::default(),
            names: Names::default(),
            outcome: Outcome::within(&budget),
        }
    }

    /// Takes in the next packet, of `flow`, at the time `clock` of the whole recording.
    ///
    /// Idle flows end first: whether a packet continues a flow or opens another must not depend on
    /// what else its lane has seen.
    pub fn packet(&mut self, packet: &Packet<'_>, flow: (FlowKey, Side), clock: Tick) {
        self.expire(clock);
        match packet {
            Packet::Tcp(segment) => self.segment(segment, flow),
            Packet::Udp(datagram) => self.datagram(datagram, flow),
        }
    }

    /// Ends all flows, the recording having ended at `clock`, and gives what came of them.
    pub fn finish(mut self, clock: Tick) -> Outcome {
        self.expire(clock);
        let left = self.table.drain_by(|flow| flow.first_frame().as_u64());
        self.conclude_all(left, FlowEnd::EndOfCapture);
        // Here lanes sort side by side; when they are merged, nobody does.
        self.outcome.passages.settle();
        self.outcome
    }

    #[inline]
    fn expire(&mut self, clock: Tick) {
        self.clock = clock.now;
        if self.ahead.is_some() || self.table.is_due(clock.now) {
            self.expire_now(clock);
        }
    }

    // Apart, so that a packet that ends nothing pays for a comparison and no more.
    #[inline(never)]
    fn expire_now(&mut self, clock: Tick) {
        if let Some(ahead) = self.ahead.take().filter(|ahead| clock.leapt == Some(ahead.frame)) {
            self.table.touch(ahead.touched, ahead.time, ahead.class);
        }
        while self.expire_bunch(clock.now) {}
        while self.cool_bunch(clock.now) {}
    }

    fn segment(&mut self, segment: &Segment<'_>, (key, sender): (FlowKey, Side)) {
        let hash = self.table.hash(&key);
        if let Some(id) = self.find(hash, &key) {
            if self.goes_on(id, segment, sender) {
                return;
            }
            self.end(id, FlowEnd::Timeout);
        }
        self.begin((hash, key), segment, sender);
    }

    /// Lets the flow in `id` take `segment` in, unless that opens another connection. A prelude that
    /// is over by it becomes a conversation.
    fn goes_on(&mut self, id: SlotId, segment: &Segment<'_>, sender: Side) -> bool {
        let settings = self.settings;
        let Some((key, flow)) = self.table.entry_mut(id) else { return false };
        if let Flow::Prelude(prelude) = flow {
            let before = prelude.memory();
            if prelude.takes(segment, sender) {
                self.room.change(before, prelude.memory());
                let class = class_of(prelude.phase(), false);
                self.touch(id, class, (segment.frame, segment.time));
                return true;
            }
            let conversation = self.spares.replay(key, prelude, settings);
            self.room.change(before, conversation.memory());
            *flow = Flow::Tcp(conversation);
        }
        let conversation = match flow {
            Flow::Tcp(conversation) => conversation,
            Flow::Judged(remains) => {
                let remains = *remains;
                return self.is_straggler(remains, id, segment, sender);
            }
            Flow::Prelude(_) | Flow::Udp(_) => return false,
        };
        if conversation.flow.is_reopened_by(segment, sender) {
            return false;
        }
        let before = conversation.memory();
        conversation.segment(segment, sender, settings);
        let (after, class) = (conversation.memory(), conversation.class());
        self.room.change(before, after);
        self.touch(id, class, (segment.frame, segment.time));
        // Most segments change nothing; the first one of a flow does.
        if after > before {
            self.relieve(id);
        }
        true
    }

    /// Lets a flow in that `segment` begins.
    fn begin(&mut self, (hash, key): (u64, FlowKey), segment: &Segment<'_>, sender: Side) {
        let (frame, time) = (segment.frame, segment.time);
        if Prelude::begins(segment) {
            let id = self.admit((hash, key), (frame, Class::Opening), || {
                Flow::Prelude(Prelude::open(segment, sender))
            });
            self.touch(id, Class::Opening, (frame, time));
            return self.relieve(id);
        }
        let mut conversation = self.spares.open(segment, sender);
        conversation.segment(segment, sender, self.settings);
        let (class, memory) = (conversation.class(), conversation.memory());
        let id = self.admit((hash, key), (frame, class), || Flow::Tcp(conversation));
        self.room.change(0, memory);
        self.touch(id, class, (frame, time));
        self.relieve(id);
    }

    fn datagram(&mut self, datagram: &Datagram<'_>, (key, sender): (FlowKey, Side)) {
        let hash = self.table.hash(&key);
        let id = self.find(hash, &key).unwrap_or_else(|| {
            self.admit((hash, key), (datagram.frame, Class::Unanswered), || {
                Flow::Udp(DatagramTalk::open(datagram, sender))
            })
        });
        let settings = self.settings;
        let Some(Flow::Udp(talk)) = self.table.flow_mut(id) else { return };
        let before = talk.memory();
        talk.datagram(datagram, sender, settings);
        self.room.change(before, talk.memory());
        let answered = talk.flow.packets.iter().all(|packets| *packets > 0);
        let class = if answered { Class::Datagrams } else { Class::Unanswered };
        self.touch(id, class, (datagram.frame, datagram.time));
        self.relieve(id);
    }

    /// The flow of `key`. One that has idled too long has ended, swept away or not.
    fn find(&mut self, hash: u64, key: &FlowKey) -> Option<SlotId> {
        let id = self.table.find(hash, key)?;
        if self.table.is_overdue(id, self.clock) {
            self.end(id, FlowEnd::Timeout);
            return None;
        }
        if self.table.is_cold(id, self.clock) {
            self.cool(id);
        }
        Some(id)
    }

    /// The flow in `id` is over and cold. If nothing was odd about it, it is judged now, and what is
    /// left of it waits for stragglers: they are as good as none, and not looked at.
    fn cool(&mut self, id: SlotId) {
        let Some((key, flow)) = self.table.entry_mut(id) else { return };
        let Flow::Tcp(conversation) = flow else { return };
        let before = conversation.memory();
        conversation.cool(self.settings);
        self.room.change(before, conversation.memory());
        if conversation.is_sealed() && !self.settings.flows {
            let key = *key;
            let remains = Flow::Judged(Remains::of(&conversation.flow));
            let over = std::mem::replace(flow, remains);
            self.conclude(&key, over, FlowEnd::Timeout);
        }
    }

    /// Whether `segment` belongs to the connection that left `remains` in `id`.
    fn is_straggler(
        &mut self,
        remains: Remains,
        id: SlotId,
        segment: &Segment<'_>,
        sender: Side,
    ) -> bool {
        let belongs = !remains.is_reopened_by(segment, sender);
        if belongs {
            self.touch(id, Class::Cold, (segment.frame, segment.time));
        }
        belongs
    }

    fn touch(&mut self, touched: SlotId, class: Class, (frame, time): (FrameId, Timestamp)) {
        self.table.touch(touched, self.clock, class);
        self.ahead = (time > self.clock).then_some(Ahead { frame, time, touched, class });
    }

    fn end(&mut self, id: SlotId, end: FlowEnd) {
        if let Some((key, flow)) = self.table.remove(id) {
            self.conclude(&key, flow, end);
        }
    }
}

impl Flow {
    /// Bytes held beside the slot.
    fn memory(&self) -> usize {
        match self {
            Self::Prelude(prelude) => prelude.memory(),
            Self::Tcp(conversation) => conversation.memory(),
            Self::Udp(talk) => talk.memory(),
            Self::Judged(_) => 0,
        }
    }

    fn first_frame(&self) -> FrameId {
        match self {
            Self::Prelude(prelude) => prelude.first_frame(),
            Self::Tcp(conversation) => conversation.flow.first_frame,
            Self::Udp(talk) => talk.flow.first_frame,
            Self::Judged(remains) => remains.first_frame,
        }
    }
}

impl Conversation {
    fn class(&self) -> Class {
        class_of(self.flow.phase, self.flow.is_mutual())
    }
}

/// What a TCP flow is worth to its table; `mutual` tells whether both sides hear each other.
fn class_of(phase: Phase, mutual: bool) -> Class {
    match phase {
        phase if phase.is_opening() => Class::Opening,
        Phase::Closed | Phase::Reset => Class::Over,
        _ if mutual => Class::Established,
        _ => Class::Unproven,
    }
}

#[cfg(test)]
mod tests;
