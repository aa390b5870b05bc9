//! All that belongs to one TCP flow: headers, streams, names, watch.

use super::settings::Settings;
use super::talk::{Around, Talk, contradicts_roles};
use crate::detect::{Conflict, Disagreement, Rates, Silence, Watch};
use crate::flow::{Observation, Prelude, Sighting, TcpFlow};
use crate::stream::{Assembler, Chunk, Gap, Limits, Overlap, Piece, Retention, StreamSink};
use crate::wire::{Direction, FlowKey, Segment, SeqNumber, Side, TcpFlags};

/// One TCP flow with all that is known of it.
pub(super) struct Conversation {
    pub(super) flow: TcpFlow,
    pub(super) talk: Talk,
    pub(super) watch: Watch,
    pub(super) silence: Silence,
    pub(super) rates: Rates,
    streams: [Assembler; 2],
    /// Where each direction would begin by its last SYN after the first.
    other_starts: [Option<SeqNumber>; 2],
    /// Nothing more can be read: only digests are kept.
    settled: bool,
    /// It is over, and nothing was odd about it: see [`Self::cool`].
    sealed: bool,
    /// Bytes held in streams and readers, as last counted.
    held: usize,
    /// All bytes held, as the lane counts them.
    counted: usize,
}

impl Conversation {
    /// A conversation that begins with `segment`, sent by `sender`.
    pub(super) fn open(segment: &Segment<'_>, sender: Side) -> Self {
        let mut conversation = Self {
            flow: TcpFlow::open(segment, sender),
            talk: Talk::default(),
            watch: Watch::default(),
            silence: Silence::default(),
            rates: Rates::default(),
            streams: unheard(),
            other_starts: [None; 2],
            settled: false,
            sealed: false,
            held: 0,
            counted: 0,
        };
        conversation.remember_anew();
        conversation.count();
        conversation
    }

    /// Begins anew with `segment`, sent by `sender`, in the memory that it has.
    fn reopen(&mut self, segment: &Segment<'_>, sender: Side) {
        self.flow = TcpFlow::open(segment, sender);
        self.remember_anew();
        self.count();
    }

    /// Forgets all but the memory of what is likely to be needed again.
    fn clear(&mut self) {
        self.talk = Talk::default();
        self.watch.clear();
        self.silence = Silence::default();
        self.rates = Rates::default();
        self.streams = unheard();
        self.other_starts = [None; 2];
        (self.settled, self.sealed) = (false, false);
        self.held = 0;
    }

    /// Takes in the next segment.
    #[inline]
    pub(super) fn segment(&mut self, segment: &Segment<'_>, sender: Side, settings: &Settings) {
        if self.sealed {
            return self.flow.count(segment, sender);
        }
        self.take_in(segment, sender, settings);
        self.count();
    }

    fn take_in(&mut self, segment: &Segment<'_>, sender: Side, settings: &Settings) {
        self.settle_roles(segment, sender);
        let seen = self.flow.observe(segment, sender);
        self.watch.segment(&seen, &self.flow);
        self.silence.segment(&seen, &self.flow);
        self.rates.segment(&seen, &self.flow);
        if seen.sighting.duplicate || seen.sighting.is_reset() {
            return;
        }
        self.place_starts(segment, seen.sighting.direction);
        self.feed(segment, &seen, settings);
    }

    /// Nothing more will come: delivers what waits behind holes, and tells what is open.
    pub(super) fn finish(&mut self, settings: &Settings) {
        let Self { flow, talk, watch, streams, .. } = self;
        let mut around = Around { watch, settings, time: flow.last };
        for (direction, stream) in Direction::BOTH.iter().zip(streams) {
            let direction = *direction;
            let mut ear = Ear { talk, around: &mut around, direction, now: None, deaf: false };
            stream.flush(&mut ear);
        }
        talk.end(&mut around);
    }

    /// Payload bytes that the capture lacks, both ways.
    pub(super) fn gaps(&self) -> u64 {
        self.streams.iter().map(|stream| stream.statistics().gap_bytes).sum()
    }

    /// Bytes held: this value and all that belongs to it, about.
    pub(super) const fn memory(&self) -> usize {
        self.counted
    }

    fn count(&mut self) {
        self.counted = size_of::<Self>() + self.held + self.watch.memory() + self.rates.memory();
    }

    /// Long after its end. If nothing was odd, it is sealed: stragglers are counted and not looked at,
    /// and there is nothing to be told of it. Otherwise what was delivered is kept as digests only, and
    /// an answer with which nothing was odd is forgotten. One that was reset is never sealed: a server
    /// that did not get the RST shows it by its own FIN, but only when it has waited for the client as
    /// long as servers do, and 15 seconds are usual.
    pub(super) fn cool(&mut self, settings: &Settings) {
        if self.is_plain() {
            self.finish(settings);
            self.sealed = self.is_plain();
        }
        self.remember(if self.sealed { Retention::Nothing } else { Retention::Digests });
        self.watch.cool();
        self.recount();
        self.count();
    }

    /// Whether it is sealed.
    pub(super) const fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Whether all that it leaves are numbers.
    fn is_plain(&self) -> bool {
        self.watch.is_quiet()
            && self.silence.is_quiet()
            && self.rates.is_quiet()
            && self.talk.is_plain()
            && !self.flow.rewound
            && !self.streams.iter().any(Assembler::has_hole)
    }

    /// Prefetches what it points to.
    pub(super) fn prefetch(&self) {
        self.watch.prefetch();
        self.talk.prefetch();
        self.streams.iter().for_each(Assembler::prefetch);
    }

    /// Prefetches what that points to in turn.
    pub(super) fn prefetch_leaves(&self) {
        self.watch.prefetch_leaves();
        self.talk.prefetch_leaves();
        self.streams.iter().for_each(Assembler::prefetch_leaves);
    }

    /// Gives up what waits behind holes and what later copies are held against.
    pub(super) fn give_up_bytes(&mut self, settings: &Settings) {
        let Self { flow, talk, watch, streams, .. } = self;
        let mut around = Around { watch, settings, time: flow.last };
        for (direction, stream) in Direction::BOTH.iter().zip(streams) {
            let direction = *direction;
            let mut ear = Ear { talk, around: &mut around, direction, now: None, deaf: false };
            stream.flush(&mut ear);
            stream.retain(Retention::Nothing);
        }
        self.recount();
        self.count();
    }

    fn recount(&mut self) {
        let own = 2 * size_of::<Assembler>();
        let streams: usize = self.streams.iter().map(Assembler::memory).sum();
        self.held = streams.saturating_sub(own) + self.talk.held_bytes();
    }

    fn settle_roles(&mut self, segment: &Segment<'_>, sender: Side) {
        let guessed = !self.flow.roles_known && self.talk.is_unknown();
        if guessed
            && !segment.payload.is_empty()
            && contradicts_roles(self.flow.direction(sender), segment.payload)
        {
            self.flow.swap_roles();
            self.watch.swap_roles();
            self.rates.swap_roles();
            self.talk.swap_roles();
            self.streams.swap(0, 1);
            self.other_starts.swap(0, 1);
            self.remember_anew();
        }
    }

    /// Lets the SYNs tell where the streams begin. Of two SYN/ACKs with different numbers, the first
    /// tells, until an acknowledgment shows that the client took the other one.
    fn place_starts(&mut self, segment: &Segment<'_>, direction: Direction) {
        let begins = segment.payload_seq();
        let own = direction.index();
        if segment.flags.contains(TcpFlags::SYN)
            && let (Some(stream), Some(start)) =
                (self.streams.get_mut(own), self.other_starts.get_mut(own))
        {
            if stream.is_anchored() {
                *start = Some(begins);
            } else {
                stream.anchor(begins);
            }
        }
        let other = direction.reverse().index();
        if segment.flags.contains(TcpFlags::ACK)
            && let (Some(stream), Some(Some(start))) =
                (self.streams.get_mut(other), self.other_starts.get(other))
            && *start == segment.ack
        {
            // Without effect once anything was delivered.
            stream.anchor(segment.ack);
        }
    }

    fn feed(&mut self, segment: &Segment<'_>, seen: &Observation, settings: &Settings) {
        let direction = seen.sighting.direction;
        let Self { talk, watch, streams, settled, .. } = self;
        let [to_server, to_client] = streams;
        let (own, other) = match direction {
            Direction::ToServer => (to_server, to_client),
            Direction::ToClient => (to_client, to_server),
        };
        let held_back = own.has_hole() || other.has_hole();
        let mut around = Around { watch, settings, time: segment.time };
        let now = Some(&seen.sighting);
        if segment.flags.contains(TcpFlags::ACK) && other.has_hole() {
            let (direction, deaf) = (direction.reverse(), *settled);
            let mut ear = Ear { talk, around: &mut around, direction, now, deaf };
            other.acknowledged(segment.ack, &mut ear);
        }
        if segment.payload_len > 0 {
            if !own.is_anchored() {
                talk.begins_late(direction);
            }
            let piece = Piece::of_segment(segment);
            let deaf = *settled;
            own.push(piece, &mut Ear { talk, around: &mut around, direction, now, deaf });
        } else if !held_back && !seen.sighting.is_fin() {
            return;
        }
        let in_order = segment.payload_len > 0 || seen.sender_before.next == Some(segment.seq);
        if seen.sighting.is_fin()
            && direction == Direction::ToClient
            && in_order
            && !own.has_hole()
            && let Some(http) = talk.http()
        {
            http.closes(&mut around);
        }
        // What a settled flow in order holds does not change any more.
        let held_back = held_back || self.streams.iter().any(Assembler::has_hole);
        if !self.settled && self.talk.is_done() {
            self.settled = true;
            self.remember(Retention::Digests);
            self.recount();
        } else if !self.settled || held_back {
            self.recount();
        }
    }

    /// Only what the client is told can be substituted: nothing follows from its own copies.
    fn remember_anew(&mut self) {
        let [to_server, to_client] = &mut self.streams;
        to_server.retain(Retention::Nothing);
        to_client.retain(Retention::Bytes(OPEN_WINDOW));
    }

    /// Changes what is remembered of what the client was told.
    fn remember(&mut self, retention: Retention) {
        let [_, to_client] = &mut self.streams;
        to_client.retain(retention);
    }
}

/// Both directions, before anything was said.
fn unheard() -> [Assembler; 2] {
    [Assembler::new(Limits::default()), Assembler::new(Limits::default())]
}

/// Conversations that are over, whose memory the next ones take: it was just read, so it lies in
/// the cache, and nothing is allocated for it.
#[derive(Default)]
#[allow(clippy::vec_box, reason = "they stay where they are: a kilobyte is not to be moved")]
pub(super) struct Spares(Vec<Box<Conversation>>);

impl Spares {
    /// As many as end at one time, about; more would only lie there.
    const KEPT: usize = 64;

    /// A conversation that begins with `segment`, sent by `sender`.
    pub(super) fn open(&mut self, segment: &Segment<'_>, sender: Side) -> Box<Conversation> {
        let Some(mut used) = self.0.pop() else {
            return Box::new(Conversation::open(segment, sender));
        };
        used.reopen(segment, sender);
        used
    }

    /// The conversation that a prelude begins.
    pub(super) fn replay(
        &mut self,
        key: &FlowKey,
        prelude: &Prelude,
        settings: &Settings,
    ) -> Box<Conversation> {
        let mut conversation = self.open(&prelude.syn(key), prelude.client());
        prelude.replay(key, |segment, sender| conversation.segment(segment, sender, settings));
        conversation
    }

    /// Takes one that is over.
    pub(super) fn put(&mut self, mut over: Box<Conversation>) {
        if self.0.len() < Self::KEPT {
            over.clear();
            self.0.push(over);
        }
    }
}

/// Hears what the assembler says, and passes it on.
struct Ear<'a, 'b> {
    talk: &'a mut Talk,
    around: &'a mut Around<'b>,
    direction: Direction,
    /// The packet under way; none when a flow is finished.
    now: Option<&'a Sighting>,
    /// Nothing more can be read.
    deaf: bool,
}

impl StreamSink for Ear<'_, '_> {
    #[inline]
    fn bytes(&mut self, chunk: Chunk<'_>) {
        if self.deaf {
            return;
        }
        self.talk.bytes(self.direction, chunk.bytes, chunk.frame, self.around);
    }

    fn gap(&mut self, gap: Gap) {
        self.talk.gap(self.direction, gap.len, self.around);
    }

    fn overlap(&mut self, overlap: Overlap<'_>) {
        let (Direction::ToClient, Some(now)) = (self.direction, self.now) else { return };
        let cut = |bytes: &[u8]| bytes.get(..Conflict::SHOWN).unwrap_or(bytes).to_vec();
        let sample = Disagreement {
            len: overlap.len,
            // Where only a digest was kept, that they differ is known, and by how much is not.
            differing: overlap.differing.unwrap_or(overlap.len),
            first_bytes: cut(overlap.first_bytes),
            later_bytes: cut(overlap.later_bytes),
        };
        self.around.watch.conflict(overlap.first_frame, now, sample);
        if let Some(http) = self.talk.http() {
            http.contradicted(&overlap, self.around);
        }
    }
}

/// Delivered bytes against which later copies are compared while the flow can be read.
const OPEN_WINDOW: u32 = 64 * 1024;
