//! The lane's flow table: one hash, one probe, one slot.
//!
//! An open-addressing index of slot numbers over a slab of flows. Idle flows are found without
//! timers: each class of flows has one idle limit, and its flows hang in a queue in the order in
//! which they joined the class. Touching a flow writes its time and nothing else; when it comes to
//! the head of its queue and turns out to have been touched since, it goes to the tail again. So a
//! flow is looked at once in the time that it may idle, and leaves between one and two such times
//! after its last packet. A packet that comes in between must ask [`FlowTable::is_overdue`]: whether
//! it continues the flow does not depend on when the flow is swept away.
//!
//! Bounds: `capacity` flows. When it is reached, a flow of the least valuable class makes room
//! (half-open first, established last), one that has waited long and was not touched lately, and is
//! handed to the caller to conclude.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::slab::Slab;
use crate::wire::{Duration, FlowKey, Timestamp};

/// What a flow is worth when room is short, and how long it may idle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// No complete handshake: first to go.
    Opening,
    /// Closed or reset; waits for stragglers.
    Over,
    /// Datagrams.
    Datagrams,
    /// A connection alive: last to go.
    Established,
}

impl Class {
    const COUNT: usize = Self::ALL.len();
    /// All, the least valuable first.
    const ALL: [Self; 4] = [Self::Opening, Self::Over, Self::Datagrams, Self::Established];

    const fn index(self) -> usize {
        match self {
            Self::Opening => 0,
            Self::Over => 1,
            Self::Datagrams => 2,
            Self::Established => 3,
        }
    }
}

/// How long flows of each class may idle, in packet time.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// Half-open: above the 127 s over which Linux repeats a SYN.
    pub opening: Duration,
    /// After the end: two maximum segment lifetimes as stacks have them in practice.
    pub over: Duration,
    /// Datagrams: as NATs keep them (RFC 4787 §4.3: 2 minutes at least).
    pub datagrams: Duration,
    /// Alive: an hour without a packet. Keep-alives come each 2 h at most, so a flow may be cut.
    pub established: Duration,
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            opening: Duration::from_secs(130),
            over: Duration::from_secs(60),
            datagrams: Duration::from_secs(120),
            established: Duration::from_secs(3600),
        }
    }
}

/// Hashes flow keys: the same hash picks the lane and the slot.
#[derive(Clone, Debug)]
pub struct FlowHasher(FixedState);

impl FlowHasher {
    /// For recordings: a fixed seed, so that a run can be repeated exactly.
    pub const fn recorded() -> Self {
        Self(FixedState::with_seed(0x7461_6d70_6572))
    }

    /// The hash of `key`.
    pub fn hash(&self, key: &FlowKey) -> u64 {
        self.0.hash_one(key)
    }

    /// Which of `lanes` lanes `key` belongs to. The middle bits decide, which the table uses least.
    pub fn lane_of(&self, key: &FlowKey, lanes: usize) -> usize {
        ((self.hash(key) >> 24) as u32 as usize) % lanes.max(1)
    }
}

/// Names a slot while its flow lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotId(u32);

/// Flows by key, owned by one lane.
#[derive(Debug)]
pub struct FlowTable<V> {
    index: HashTable<u32>,
    slots: Slab<Slot<V>>,
    free: u32,
    queues: [Queue; Class::COUNT],
    idle: [Duration; Class::COUNT],
    capacity: usize,
    hasher: FlowHasher,
    /// Before this time no queue has anything to look at.
    next_sweep: Timestamp,
}

#[derive(Debug)]
struct Slot<V> {
    flow: Option<(FlowKey, V)>,
    touched: Timestamp,
    /// When it was put into its queue; never after `touched`.
    queued: Timestamp,
    class: Class,
    previous: u32,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    head: u32,
    tail: u32,
}

/// No slot.
const NIL: u32 = u32::MAX;
/// Never.
const FAR: Timestamp = Timestamp::from_nanos(i64::MAX);
/// Flows touched since they were queued that are passed over when room is needed.
const SECOND_CHANCES: usize = 8;

impl<V> FlowTable<V> {
    /// A table for at most `capacity` flows (at least one).
    pub fn new(capacity: usize, idle: Idle, hasher: FlowHasher) -> Self {
        Self {
            index: HashTable::new(),
            slots: Slab::new(),
            free: NIL,
            queues: [Queue { head: NIL, tail: NIL }; Class::COUNT],
            idle: [idle.opening, idle.over, idle.datagrams, idle.established],
            capacity: capacity.clamp(1, NIL as usize - 1),
            hasher,
            next_sweep: FAR,
        }
    }

    /// Flows alive.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no flow is alive.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The hash of `key`, to be computed once for a packet.
    pub fn hash(&self, key: &FlowKey) -> u64 {
        self.hasher.hash(key)
    }

    /// The slot of `key`.
    #[inline]
    pub fn find(&self, hash: u64, key: &FlowKey) -> Option<SlotId> {
        let slots = &self.slots;
        self.index
            .find(hash, |place| slots.get(*place).is_some_and(|slot| slot.is_of(key)))
            .map(|place| SlotId(*place))
    }

    /// Whether the flow in `id` has idled `now` beyond the limit of its class: it has ended, even if
    /// it was not swept away yet.
    pub fn is_overdue(&self, id: SlotId, now: Timestamp) -> bool {
        self.slots.get(id.0).is_some_and(|slot| {
            let limit = self.idle.get(slot.class.index());
            limit.is_some_and(|limit| now.since(slot.touched) > *limit)
        })
    }

    /// The flow in `id`.
    pub fn flow_mut(&mut self, id: SlotId) -> Option<&mut V> {
        self.slots.get_mut(id.0)?.flow.as_mut().map(|(_, flow)| flow)
    }

    /// The flow in `id` with its key.
    pub fn entry_mut(&mut self, id: SlotId) -> Option<(&FlowKey, &mut V)> {
        self.slots.get_mut(id.0)?.flow.as_mut().map(|(key, flow)| (&*key, flow))
    }

    /// Puts a new flow in. There must be room: call [`Self::make_room`] before.
    pub fn insert(&mut self, hash: u64, key: FlowKey, flow: V, at: (Timestamp, Class)) -> SlotId {
        let (now, class) = at;
        let flow = Some((key, flow));
        let slot = Slot { flow, touched: now, queued: now, class, previous: NIL, next: NIL };
        let place = if let Some(vacant) = self.slots.get_mut(self.free) {
            std::mem::replace(&mut self.free, std::mem::replace(vacant, slot).next)
        } else {
            self.slots.push(slot)
        };
        let Self { slots, index, hasher, .. } = self;
        index.insert_unique(hash, place, |place| {
            let slot = slots.get(*place);
            slot.and_then(|slot| slot.key()).map_or(0, |key| hasher.hash(key))
        });
        self.append(place, (class, now));
        SlotId(place)
    }

    /// Notes that the flow in `id` was seen `now`, and what class it is of.
    #[inline]
    pub fn touch(&mut self, id: SlotId, now: Timestamp, class: Class) {
        let Some(slot) = self.slots.get_mut(id.0) else { return };
        slot.touched = now;
        if slot.class != class {
            let old = std::mem::replace(&mut slot.class, class);
            self.unlink(id.0, old);
            self.append(id.0, (class, now));
        }
    }

    /// Takes the flow in `id` out.
    pub fn remove(&mut self, id: SlotId) -> Option<(FlowKey, V)> {
        let slot = self.slots.get(id.0)?;
        let (hash, class) = (self.hasher.hash(slot.key()?), slot.class);
        if let Ok(entry) = self.index.find_entry(hash, |place| *place == id.0) {
            entry.remove();
        }
        self.unlink(id.0, class);
        let slot = self.slots.get_mut(id.0)?;
        let flow = slot.flow.take();
        slot.next = self.free;
        self.free = id.0;
        flow
    }

    /// Takes out one flow that has idled beyond its class's limit `now`, if one has come to the
    /// head of its queue.
    #[inline]
    pub fn expire(&mut self, now: Timestamp) -> Option<(FlowKey, V)> {
        if now < self.next_sweep { None } else { self.sweep(now) }
    }

    fn sweep(&mut self, now: Timestamp) -> Option<(FlowKey, V)> {
        self.next_sweep = FAR;
        for class in Class::ALL {
            let limit = self.idle.get(class.index()).copied()?;
            while let Some((head, slot)) = self.head(class) {
                if now.since(slot.queued) <= limit {
                    self.look_at(slot.queued + limit);
                    break;
                }
                if now.since(slot.touched) > limit {
                    self.next_sweep = now;
                    return self.remove(SlotId(head));
                }
                self.requeue(head, class);
            }
        }
        None
    }

    /// If the table is full, takes out a flow of the class that is worth least.
    pub fn make_room(&mut self) -> Option<(FlowKey, V)> {
        if self.len() < self.capacity {
            return None;
        }
        let class = Class::ALL.into_iter().find(|class| self.head(*class).is_some())?;
        for _ in 0..SECOND_CHANCES {
            let (head, slot) = self.head(class)?;
            if slot.touched == slot.queued {
                break;
            }
            self.requeue(head, class);
        }
        let (head, _) = self.head(class)?;
        self.remove(SlotId(head))
    }

    /// Takes all flows out, in the order of what `rank` says of them.
    pub fn drain_by(&mut self, rank: fn(&V) -> u64) -> impl Iterator<Item = (FlowKey, V)> + use<V> {
        self.index.clear();
        self.queues = [Queue { head: NIL, tail: NIL }; Class::COUNT];
        self.free = NIL;
        let mut slots = std::mem::replace(&mut self.slots, Slab::new());
        let ranks = slots.iter().zip(0_u32..);
        let mut order: Vec<(u64, u32)> = ranks
            .filter_map(|(slot, place)| slot.flow.as_ref().map(|(_, flow)| (rank(flow), place)))
            .collect();
        order.sort_unstable();
        order.into_iter().filter_map(move |(_, place)| slots.get_mut(place)?.flow.take())
    }

    fn head(&self, class: Class) -> Option<(u32, &Slot<V>)> {
        let head = self.queues.get(class.index())?.head;
        Some((head, self.slots.get(head)?))
    }

    /// Puts a flow that was touched since it was queued to the tail of its queue.
    fn requeue(&mut self, place: u32, class: Class) {
        let Some(slot) = self.slots.get(place) else { return };
        let touched = slot.touched;
        self.unlink(place, class);
        self.append(place, (class, touched));
    }

    /// Something is to be looked at after `time`.
    fn look_at(&mut self, time: Timestamp) {
        self.next_sweep = self.next_sweep.min(time);
    }

    fn append(&mut self, place: u32, (class, queued): (Class, Timestamp)) {
        if let Some(limit) = self.idle.get(class.index()) {
            self.look_at(queued + *limit);
        }
        let Some(queue) = self.queues.get_mut(class.index()) else { return };
        let tail = std::mem::replace(&mut queue.tail, place);
        if tail == NIL {
            queue.head = place;
        }
        if let Some(slot) = self.slots.get_mut(place) {
            slot.previous = tail;
            slot.next = NIL;
            slot.queued = queued;
        }
        if let Some(slot) = self.slots.get_mut(tail) {
            slot.next = place;
        }
    }

    fn unlink(&mut self, place: u32, class: Class) {
        let Some(slot) = self.slots.get(place) else { return };
        let (previous, next) = (slot.previous, slot.next);
        let Some(queue) = self.queues.get_mut(class.index()) else { return };
        if queue.head == place {
            queue.head = next;
        }
        if queue.tail == place {
            queue.tail = previous;
        }
        if let Some(slot) = self.slots.get_mut(previous) {
            slot.next = next;
        }
        if let Some(slot) = self.slots.get_mut(next) {
            slot.previous = previous;
        }
    }
}

impl<V> Slot<V> {
    fn key(&self) -> Option<&FlowKey> {
        self.flow.as_ref().map(|(key, _)| key)
    }

    fn is_of(&self, key: &FlowKey) -> bool {
        self.key() == Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Endpoint, Transport};

    fn key(n: u16) -> FlowKey {
        let end = |port| Endpoint::new([192, 0, 2, 1].into(), port);
        FlowKey::of(Transport::Tcp, end(n), end(443)).0
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(secs)
    }

    fn put(table: &mut FlowTable<u16>, n: u16, secs: u64, class: Class) -> SlotId {
        let hash = table.hash(&key(n));
        table.insert(hash, key(n), n, (at(secs), class))
    }

    #[test]
    fn a_flood_of_half_open_flows_leaves_the_established_ones() {
        let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
        for n in 0..50 {
            put(&mut table, n, 0, Class::Established);
        }
        for n in 1000..5000 {
            let out = table.make_room();
            assert!(out.is_none_or(|(_, n)| n >= 1000));
            put(&mut table, n, 1, Class::Opening);
        }
        assert_eq!(table.len(), 100);
        for n in 0..50 {
            let hash = table.hash(&key(n));
            assert!(table.find(hash, &key(n)).is_some());
        }
    }

    #[test]
    fn flows_leave_when_they_idle_beyond_their_class() {
        let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
        put(&mut table, 1, 0, Class::Opening);
        put(&mut table, 2, 0, Class::Established);
        let third = put(&mut table, 3, 0, Class::Opening);
        table.touch(third, at(100), Class::Opening);
        assert!(table.expire(at(130)).is_none());
        assert_eq!(table.expire(at(131)).map(|(_, n)| n), Some(1));
        assert!(table.expire(at(131)).is_none());
        assert!(table.expire(at(230)).is_none());
        assert!(!table.is_overdue(third, at(230)));
        assert!(table.is_overdue(third, at(231)));
        assert_eq!(table.expire(at(231)).map(|(_, n)| n), Some(3));
        assert_eq!(table.expire(at(3601)).map(|(_, n)| n), Some(2));
        assert!(table.is_empty());
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(script in prop::collection::vec((0u16..40, 0u8..4), 0..400)) {
            let mut table = FlowTable::new(1000, Idle::default(), FlowHasher::recorded());
            let mut model = HashMap::new();
            for (step, (n, action)) in script.into_iter().enumerate() {
                let hash = table.hash(&key(n));
                let found = table.find(hash, &key(n));
                prop_assert_eq!(found.is_some(), model.contains_key(&n));
                match (found, action) {
                    (None, 0 | 1) => {
                        put(&mut table, n, step as u64, Class::Opening);
                        model.insert(n, n);
                    }
                    (Some(id), 2) => {
                        prop_assert_eq!(table.remove(id).map(|(_, v)| v), model.remove(&n));
                    }
                    (Some(id), _) => table.touch(id, at(step as u64), Class::Established),
                    _ => {}
                }
                prop_assert_eq!(table.len(), model.len());
            }
            let mut left: Vec<_> = table.drain_by(|_| 0).map(|(_, n)| n).collect();
            left.sort_unstable();
            let mut expected: Vec<_> = model.into_keys().collect();
            expected.sort_unstable();
            prop_assert_eq!(left, expected);
        }
    }
}
