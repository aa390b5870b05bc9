//! The lane's flow table: one hash, one probe, one slot.
//!
//! An open-addressing index of slot numbers over a slab of flows. Idle flows are found without
//! timers: each class of flows has one idle limit, and its flows hang in a queue in the order in
//! which they joined the class. Touching a flow writes its time and nothing else; when it comes to
//! the head of its queue and turns out to have been touched since, it goes to the tail again. So a
//! flow is looked at once in the time that it may idle, and leaves between one and two such times
//! after its last packet. Only what is over goes to the tail with each packet, for few follow, and
//! most follow at once: so it leaves when its time has come. They leave in bunches, up to 100 ms late;
//! who ends them may ask which are next, and prefetch what these hold. A packet that comes in between
//! must ask [`FlowTable::is_overdue`]: whether it continues the flow does not depend on when the flow
//! is swept away.
//!
//! A flow that is over grows cold ([`FlowTable::cool`]) some time before it leaves, so that its owner
//! can give back what only packets soon after the end are held against, or judge it.
//!
//! Bounds: `capacity` flows. When it is reached, a flow of the least valuable class makes room, one
//! that has waited long and was not touched lately, and is handed to the caller to conclude. A flood
//! takes its room from its own class; established flows go last.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::class::{Class, Idle};
use super::slab::Slab;
use crate::wire::{Duration, FlowKey, Timestamp, prefetch};

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

/// Flows that end one after the other.
pub type Bunch = SmallVec<[SlotId; BUNCH_MAX]>;

/// Flows of a bunch: enough for their waits for memory to overlap, and few enough that what all of them
/// hold has room in the core's own cache.
pub const BUNCH_MAX: usize = 16;

/// Flows by key, owned by one lane.
#[derive(Debug)]
pub struct FlowTable<V> {
    index: HashTable<u32>,
    slots: Slab<Slot<V>>,
    /// Of each slot, its neighbours in the queue. They lie apart, close together: who leaves a queue
    /// changes both, and these flows themselves may not have been looked at for long.
    links: Slab<Link>,
    free: u32,
    queues: [Queue; Class::COUNT],
    idle: [Duration; Class::COUNT],
    cooling: Duration,
    capacity: usize,
    hasher: FlowHasher,
    /// Before this time no queue has anything to look at.
    next_sweep: Timestamp,
    /// Before this time no flow that is over can be cold.
    next_cooling: Timestamp,
}

#[derive(Debug)]
struct Slot<V> {
    key: FlowKey,
    flow: Option<V>,
    touched: Timestamp,
    /// When it was put into its queue; never after `touched`.
    queued: Timestamp,
    class: Class,
}

/// The neighbours of a slot in its queue; of a free one, `next` is another free one.
#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    head: u32,
    tail: u32,
    len: u32,
}

impl Queue {
    const EMPTY: Self = Self { head: NIL, tail: NIL, len: 0 };
}

/// No slot.
const NIL: u32 = u32::MAX;
/// Never.
const FAR: Timestamp = Timestamp::from_nanos(i64::MAX);
/// A class with less than one in so many of the flows is not what fills the table.
const SPARED_SHARE: usize = 12;
/// How long a flow whose time has come may wait for others. To end flows takes much code: run for one
/// at a time, between packets, it and theirs would drive each other out of the instruction cache.
const BUNCH_SPAN: Duration = Duration::from_millis(100);
/// Flows touched since they were queued that are passed over when room is needed.
const SECOND_CHANCES: usize = 8;

impl<V> FlowTable<V> {
    /// A table for at most `capacity` flows (at least one).
    pub fn new(capacity: usize, idle: Idle, hasher: FlowHasher) -> Self {
        Self {
            index: HashTable::new(),
            slots: Slab::new(),
            links: Slab::new(),
            free: NIL,
            queues: [Queue::EMPTY; Class::COUNT],
            idle: idle.by_class(),
            cooling: idle.cooling,
            capacity: capacity.clamp(1, NIL as usize - 1),
            hasher,
            next_sweep: FAR,
            next_cooling: FAR,
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
            .find(hash, |place| slots.get(*place).is_some_and(|slot| slot.key == *key))
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
    pub fn flow(&self, id: SlotId) -> Option<&V> {
        self.slots.get(id.0)?.flow.as_ref()
    }

    /// The flow in `id`.
    pub fn flow_mut(&mut self, id: SlotId) -> Option<&mut V> {
        self.slots.get_mut(id.0)?.flow.as_mut()
    }

    /// The flow in `id` with its key.
    pub fn entry_mut(&mut self, id: SlotId) -> Option<(&FlowKey, &mut V)> {
        let Slot { key, flow, .. } = self.slots.get_mut(id.0)?;
        Some((key, flow.as_mut()?))
    }

    /// Puts a new flow in. There must be room: call [`Self::make_room`] before.
    ///
    /// It is made where it stays: a value of many small parts is moved at the price of a miss of
    /// the cache, if it is moved as soon as it is made.
    #[inline]
    pub fn insert(
        &mut self,
        hash: u64,
        key: FlowKey,
        (now, class): (Timestamp, Class),
        flow: impl FnOnce() -> V,
    ) -> SlotId {
        let place = self.vacant(hash, key, (now, class));
        if let Some(slot) = self.slots.get_mut(place) {
            slot.flow.get_or_insert_with(flow);
        }
        SlotId(place)
    }

    /// A slot for a flow of `key`, in its queue and its index.
    fn vacant(&mut self, hash: u64, key: FlowKey, (now, class): (Timestamp, Class)) -> u32 {
        let place = if let Some(slot) = self.slots.get_mut(self.free) {
            (slot.key, slot.touched, slot.class) = (key, now, class);
            let next = self.links.get(self.free).map_or(NIL, |link| link.next);
            std::mem::replace(&mut self.free, next)
        } else {
            self.links.push(Link { previous: NIL, next: NIL });
            self.slots.push(Slot { key, flow: None, touched: now, queued: now, class })
        };
        let Self { slots, index, hasher, .. } = self;
        index.insert_unique(hash, place, |place| {
            slots.get(*place).map_or(0, |slot| hasher.hash(&slot.key))
        });
        self.append(place, (class, now));
        place
    }

    /// Notes that the flow in `id` was seen `now`, and what class it is of.
    #[inline]
    pub fn touch(&mut self, id: SlotId, now: Timestamp, class: Class) {
        let Some(slot) = self.slots.get_mut(id.0) else { return };
        slot.touched = now;
        if slot.class != class || class == Class::Over {
            let old = std::mem::replace(&mut slot.class, class);
            self.unlink(id.0, old);
            self.append(id.0, (class, now));
        }
    }

    /// Takes the flow in `id` out.
    pub fn remove(&mut self, id: SlotId) -> Option<(FlowKey, V)> {
        let slot = self.slots.get_mut(id.0)?;
        let flow = slot.flow.take()?;
        let (key, class) = (slot.key, slot.class);
        let hash = self.hasher.hash(&key);
        if let Ok(entry) = self.index.find_entry(hash, |place| *place == id.0) {
            entry.remove();
        }
        self.unlink(id.0, class);
        if let Some(link) = self.links.get_mut(id.0) {
            link.next = std::mem::replace(&mut self.free, id.0);
        }
        Some((key, flow))
    }

    /// Whether there may be anything to expire or to cool `now`.
    #[inline]
    pub fn is_due(&self, now: Timestamp) -> bool {
        now >= self.next_sweep.min(self.next_cooling)
    }

    /// Takes out one flow that has idled beyond its class's limit `now`, if one has come to the
    /// head of its queue.
    #[inline]
    pub fn expire(&mut self, now: Timestamp) -> Option<(FlowKey, V)> {
        if now < self.next_sweep { None } else { self.sweep(now) }
    }

    /// The flows that [`Self::expire`] will look at next.
    pub fn next_to_expire(&self, now: Timestamp) -> Bunch {
        if now < self.next_sweep {
            return Bunch::new();
        }
        let classes = Class::ALL.into_iter().zip(self.idle);
        let mut bunches = classes.map(|(class, limit)| self.longest_queued(class, now, limit));
        bunches.find(|bunch| !bunch.is_empty()).unwrap_or_default()
    }

    /// The flows that [`Self::cool`] will look at next.
    pub fn next_to_cool(&self, now: Timestamp) -> Bunch {
        if now < self.next_cooling {
            return Bunch::new();
        }
        self.longest_queued(Class::Over, now, self.cooling)
    }

    /// The flows of `class` that have been in its queue the longest, and longer than `limit`.
    fn longest_queued(&self, class: Class, now: Timestamp, limit: Duration) -> Bunch {
        let mut bunch = Bunch::new();
        let mut next = self.queues.get(class.index()).map_or(NIL, |queue| queue.head);
        while bunch.len() < BUNCH_MAX
            && let Some(slot) = self.slots.get(next)
            && now.since(slot.queued) > limit
        {
            bunch.push(SlotId(next));
            next = self.links.get(next).map_or(NIL, |link| link.next);
        }
        bunch
    }

    /// Prefetches the slots of `bunch`.
    pub fn prefetch(&self, bunch: &[SlotId]) {
        for id in bunch {
            self.slots.get(id.0).into_iter().for_each(prefetch);
            self.links.get(id.0).into_iter().for_each(prefetch);
        }
    }

    /// One flow that has grown cold `now`, if one has come to the head of its queue. Whether a flow
    /// that is seen again was cold must not depend on that: ask [`Self::is_cold`].
    #[inline]
    pub fn cool(&mut self, now: Timestamp) -> Option<SlotId> {
        if now < self.next_cooling { None } else { self.cool_down(now) }
    }

    /// Whether the flow in `id` is over and has been quiet `now` beyond the time of cooling.
    pub fn is_cold(&self, id: SlotId, now: Timestamp) -> bool {
        self.slots
            .get(id.0)
            .is_some_and(|slot| slot.class == Class::Over && now.since(slot.touched) > self.cooling)
    }

    fn cool_down(&mut self, now: Timestamp) -> Option<SlotId> {
        while let Some((head, slot)) = self.head(Class::Over) {
            if now.since(slot.queued) <= self.cooling {
                self.next_cooling = slot.queued + self.cooling + BUNCH_SPAN;
                return None;
            }
            let (touched, cold) = (slot.touched, now.since(slot.touched) > self.cooling);
            if cold {
                self.unlink(head, Class::Over);
                self.append(head, (Class::Cold, touched));
                if let Some(slot) = self.slots.get_mut(head) {
                    slot.class = Class::Cold;
                }
                return Some(SlotId(head));
            }
            self.requeue(head, Class::Over);
        }
        self.next_cooling = FAR;
        None
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
        if self.len() < self.capacity { None } else { self.evict(Class::Established, None) }
    }

    /// Takes out a flow of the class that is worth least, and at most `worth`, but not the one in
    /// `kept`.
    ///
    /// A flood takes its room from its own: among the classes that one side can fill alone, those
    /// with few flows are spared while another has many.
    pub fn evict(&mut self, worth: Class, kept: Option<SlotId>) -> Option<(FlowKey, V)> {
        let few = self.len() / SPARED_SHARE;
        let crowded = Class::ALL.map(|class| !class.is_answered() && self.count(class) > few);
        let first = Class::ALL.into_iter().zip(crowded).filter(|(_, crowded)| *crowded);
        let order = first.map(|(class, _)| class).chain(Class::ALL);
        let place = order
            .filter(|class| *class <= worth)
            .find_map(|class| self.longest_idle(class, kept))?;
        self.remove(SlotId(place))
    }

    /// The flow of `class` that has waited long and was not touched lately, but not `kept`.
    fn longest_idle(&mut self, class: Class, kept: Option<SlotId>) -> Option<u32> {
        for _ in 0..SECOND_CHANCES {
            let (head, slot) = self.head(class)?;
            if slot.touched == slot.queued && Some(SlotId(head)) != kept {
                break;
            }
            self.requeue(head, class);
        }
        let (head, _) = self.head(class)?;
        (Some(SlotId(head)) != kept).then_some(head)
    }

    fn count(&self, class: Class) -> usize {
        self.queues.get(class.index()).map_or(0, |queue| queue.len as usize)
    }

    /// Bytes of the slots of the flows alive, and of the index, of which an eighth is kept free.
    pub fn memory(&self) -> usize {
        let index = self.index.capacity() * (size_of::<u32>() + 1) / 7 * 8;
        self.len() * (size_of::<Slot<V>>() + size_of::<Link>()) + index
    }

    /// Bytes of all slots that there are: they are used again, and not given back.
    pub fn reserved(&self) -> usize {
        self.slots.len() * (size_of::<Slot<V>>() + size_of::<Link>())
    }

    /// Takes all flows out, in the order of what `rank` says of them.
    pub fn drain_by(&mut self, rank: fn(&V) -> u64) -> impl Iterator<Item = (FlowKey, V)> + use<V> {
        self.index.clear();
        self.queues = [Queue::EMPTY; Class::COUNT];
        self.free = NIL;
        self.links = Slab::new();
        let mut slots = std::mem::replace(&mut self.slots, Slab::new());
        let ranks = slots.iter().zip(0_u32..);
        let mut order: Vec<(u64, u32)> =
            ranks.filter_map(|(slot, place)| Some((rank(slot.flow.as_ref()?), place))).collect();
        order.sort_unstable();
        order.into_iter().filter_map(move |(_, place)| {
            let slot = slots.get_mut(place)?;
            Some((slot.key, slot.flow.take()?))
        })
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

    /// Something is to be looked at after `time`, soon.
    fn look_at(&mut self, time: Timestamp) {
        self.next_sweep = self.next_sweep.min(time + BUNCH_SPAN);
    }

    fn append(&mut self, place: u32, (class, queued): (Class, Timestamp)) {
        if let Some(limit) = self.idle.get(class.index()) {
            self.look_at(queued + *limit);
        }
        if class == Class::Over {
            self.next_cooling = self.next_cooling.min(queued + self.cooling + BUNCH_SPAN);
        }
        let Some(queue) = self.queues.get_mut(class.index()) else { return };
        queue.len += 1;
        let tail = std::mem::replace(&mut queue.tail, place);
        if tail == NIL {
            queue.head = place;
        }
        if let Some(slot) = self.slots.get_mut(place) {
            slot.queued = queued;
        }
        if let Some(link) = self.links.get_mut(place) {
            *link = Link { previous: tail, next: NIL };
        }
        if let Some(link) = self.links.get_mut(tail) {
            link.next = place;
        }
    }

    fn unlink(&mut self, place: u32, class: Class) {
        let Some(Link { previous, next }) = self.links.get(place).copied() else { return };
        let Some(queue) = self.queues.get_mut(class.index()) else { return };
        queue.len = queue.len.saturating_sub(1);
        if queue.head == place {
            queue.head = next;
        }
        if queue.tail == place {
            queue.tail = previous;
        }
        if let Some(link) = self.links.get_mut(previous) {
            link.next = next;
        }
        if let Some(link) = self.links.get_mut(next) {
            link.previous = previous;
        }
    }
}

#[cfg(test)]
mod tests;
