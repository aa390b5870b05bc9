//! The exchanges of one flow: questions joined to their answers.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::content;
use super::exchange::{Exchange, Stamp};
use super::impossible;
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::Grade;
use crate::protocol::dns::{Message, Question};
use crate::wire::{Direction, Duration, Timestamp, prefetch};

/// The exchanges of one flow.
///
/// An answer belongs to the latest question with its id, name and type that went the other way; an
/// answer whose question section cannot be read, to the only one with its id.
#[derive(Debug, Default)]
pub struct Book {
    /// Under way, by the time of the first packet.
    open: VecDeque<Exchange>,
    /// Their ids, at the same places: this is what is searched.
    ids: SmallVec<[u16; 8]>,
    told: Vec<Exchange>,
    standing_out: Vec<Exchange>,
    memory: usize,
}

impl Book {
    /// Exchanges under way. Beyond, the oldest is closed before its time.
    pub const OPEN_MAX: usize = 1024;
    /// How long an exchange is under way: longer than clients wait before they ask again, because
    /// the answer to the first question may come after the second.
    pub const OPEN_SPAN: Duration = Duration::from_secs(30);
    /// Closed exchanges that are told, and as many again that stand out.
    pub const TOLD_MAX: usize = 64;

    /// Takes in a message that went `way`; standard queries (opcode 0) alone.
    pub fn message(
        &mut self,
        message: Message,
        stamp: Stamp,
        way: Direction,
        list: &FingerprintSet,
    ) {
        self.close_before(stamp.time - Self::OPEN_SPAN, list);
        if message.flags.opcode() != 0 {
            return;
        }
        if message.flags.is_response() {
            self.answer(message, stamp, way, list);
        } else {
            self.question(message, stamp, way, list);
        }
    }

    /// Closes all; the exchanges in the order of their first frames.
    pub fn finish(mut self, list: &FingerprintSet) -> Vec<Exchange> {
        let mut all = if self.told.is_empty() && self.open.len() <= Self::TOLD_MAX {
            Vec::from(self.open)
        } else {
            while self.close_oldest(list) {}
            self.told
        };
        all.append(&mut self.standing_out);
        all.sort_by_key(Exchange::first_frame);
        all
    }

    /// The first exchange, open or closed.
    pub fn first(&self) -> Option<&Exchange> {
        self.told.first().or_else(|| self.open.front())
    }

    /// Prefetches the first exchange: most flows have one.
    pub fn prefetch(&self) {
        self.first().into_iter().for_each(prefetch);
    }

    /// Prefetches what that points to.
    pub fn prefetch_leaves(&self) {
        if let Some(exchange) = self.first() {
            prefetch(&*exchange.name);
            prefetch(&*exchange.replies);
        }
    }

    /// Bytes held, about.
    pub const fn memory(&self) -> usize {
        self.memory
    }

    /// Closes what is under way, so that only what will be told is held.
    pub fn give_up_open(&mut self, list: &FingerprintSet) {
        while self.close_oldest(list) {}
        self.open = VecDeque::new();
        self.ids = SmallVec::new();
    }

    fn question(&mut self, message: Message, stamp: Stamp, way: Direction, list: &FingerprintSet) {
        let asked = message.question.as_ref();
        let known = self.latest(message.id, |exchange| {
            let same_way = exchange.query.as_ref().is_some_and(|query| query.way == way);
            let named =
                |asked: &Question| (&exchange.name, exchange.kind) == (&asked.name, asked.kind);
            same_way && asked.is_some_and(named)
        });
        if let Some(exchange) = known {
            exchange.asked_again(&stamp);
        } else if let Some(exchange) = Exchange::asked(message, stamp, way) {
            self.open(exchange, list);
        }
    }

    fn answer(
        &mut self,
        mut message: Message,
        stamp: Stamp,
        way: Direction,
        list: &FingerprintSet,
    ) {
        let asked = message.question.as_ref();
        let readable = asked.is_some() && message.fault.is_none();
        let alone = || self.ids.iter().filter(|id| **id == message.id).count() == 1;
        let by_id = !readable && alone();
        let known = self.latest(message.id, |exchange| {
            let other_way = exchange.query.as_ref().is_none_or(|query| query.way != way);
            let named = asked
                .is_some_and(|asked| (&exchange.name, exchange.kind) == (&asked.name, asked.kind));
            other_way && (named || by_id)
        });
        if let Some(exchange) = known {
            let before = exchange.memory();
            exchange.answered(message, stamp);
            let grown = exchange.memory() - before;
            self.memory += grown;
        } else if let Some(mut exchange) = Exchange::unasked(&mut message) {
            exchange.answered(message, stamp);
            self.open(exchange, list);
        }
    }

    /// The latest exchange under way with `id` that `fits`.
    fn latest(&mut self, id: u16, fits: impl Fn(&Exchange) -> bool) -> Option<&mut Exchange> {
        let places = (0..self.ids.len()).rev().filter(|place| self.ids.get(*place) == Some(&id));
        let place = places.into_iter().find(|place| self.open.get(*place).is_some_and(&fits))?;
        self.open.get_mut(place)
    }

    fn open(&mut self, exchange: Exchange, list: &FingerprintSet) {
        if self.open.len() >= Self::OPEN_MAX {
            self.close_oldest(list);
        }
        if self.open.is_empty() {
            // Most flows are one exchange.
            self.open.reserve_exact(1);
        }
        self.memory += exchange.memory();
        self.ids.push(exchange.id);
        self.open.push_back(exchange);
    }

    fn close_before(&mut self, limit: Timestamp, list: &FingerprintSet) {
        while self.open.front().is_some_and(|open| open.since() < limit) {
            self.close_oldest(list);
        }
    }

    fn close_oldest(&mut self, list: &FingerprintSet) -> bool {
        let Some(exchange) = self.open.pop_front() else { return false };
        self.ids.remove(0);
        if self.told.len() < Self::TOLD_MAX {
            self.told.push(exchange);
        } else if self.standing_out.len() < Self::TOLD_MAX && stands_out(&exchange, list) {
            self.standing_out.push(exchange);
        } else {
            self.memory = self.memory.saturating_sub(exchange.memory());
        }
        true
    }
}

/// Whether the exchange will be judged for its own sake, whatever the resolver's habits are: answers
/// that differ, that are listed, or that cannot be true.
pub fn stands_out(exchange: &Exchange, list: &FingerprintSet) -> bool {
    let mut rest = exchange.replies.as_slice();
    while let Some((reply, others)) = rest.split_first() {
        let odd = impossible::listed(reply, list).is_some()
            || matches!(impossible::reason(exchange, reply), Some((Grade::Full, _)))
            || others.iter().any(|other| content::difference(reply, other).is_some());
        if odd {
            return true;
        }
        rest = others;
    }
    false
}
