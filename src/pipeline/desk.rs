//! Who reads on: the lanes themselves, one at a time.
//!
//! To read is a turn that a lane takes, not a thread of its own: of as many lanes as there are cores a
//! reader beside them would slow down the one whose core it shares, and all others would wait for that
//! one. So the lane that has least waiting for it reads the next block, sorts its frames, and queues a
//! share for each, until enough waits for all. Who reads is chance; what is read, in which order, and
//! which lane gets it is not.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::clock::Tick;
use super::intake::Intake;
use super::parcel::{Batch, Parcel};
use super::{Directory, Watcher};
use crate::capture::Recording;
use crate::flow::FlowHasher;

/// What one lane at a time reads on with.
pub(super) struct Desk<'a> {
    pub(super) recording: &'a mut Recording,
    pub(super) intake: &'a mut Intake,
    pub(super) watcher: &'a mut dyn Watcher,
    pub(super) directory: &'a Directory,
    pub(super) hasher: FlowHasher,
    pub(super) lanes: usize,
    /// Batches under way; one that nobody else holds any more is used again.
    pub(super) batches: Vec<Arc<Batch>>,
}

impl Desk<'_> {
    /// The next block, sorted to lanes; none at the end of the recording.
    fn read(&mut self) -> Option<Arc<Batch>> {
        let mut batch = self.vacant();
        let Batch { block, sorted } = &mut batch;
        if !self.recording.next_block(block) {
            return None;
        }
        sorted.resize_with(self.lanes, Vec::new);
        sorted.iter_mut().for_each(Vec::clear);
        for (index, frame) in block.frames().enumerate() {
            let Some(packet) = self.intake.sort(&frame) else { continue };
            let lane = self.hasher.lane_of(&packet.key, sorted.len());
            if let Some(parcels) = sorted.get_mut(lane) {
                parcels.push(Parcel::pack(&packet, index as u32));
            }
        }
        self.intake.block_done();
        self.watcher.block(self.directory);
        let batch = Arc::new(batch);
        self.batches.push(Arc::clone(&batch));
        Some(batch)
    }

    /// A batch to read into: one that came back, or a new one. There are never more than wait in the
    /// queues and are worked on.
    fn vacant(&mut self) -> Batch {
        let back = self.batches.iter().position(|batch| Arc::strong_count(batch) == 1);
        let back = back.map(|place| self.batches.swap_remove(place));
        back.and_then(Arc::into_inner).unwrap_or_default()
    }
}

/// What a lane is to do next.
enum Turn<'a> {
    /// Its share of this batch.
    Work(Arc<Batch>),
    /// To read the next block, and give the desk back.
    Read(Desk<'a>),
    /// To end: the recording ended at this time.
    End(Tick),
}

/// Whose turn it is. A lane asks once a batch, so this lock is none on the path of a packet.
pub(super) struct Turns<'a> {
    state: Mutex<State<'a>>,
    changed: Condvar,
    /// Batches that may wait for a lane.
    ahead: usize,
}

struct State<'a> {
    /// None while a lane sits there, and after the end.
    desk: Option<Desk<'a>>,
    /// What waits for each lane.
    queues: Vec<VecDeque<Arc<Batch>>>,
    end: Option<Tick>,
}

impl<'a> Turns<'a> {
    /// Batches that should wait for each lane, so that none waits while another reads.
    const ENOUGH: usize = 3;

    /// Turns at `desk`; at most `ahead` batches wait for a lane.
    pub(super) fn new(desk: Desk<'a>, ahead: usize) -> Self {
        let queues = (0..desk.lanes).map(|_| VecDeque::with_capacity(ahead)).collect();
        let state = State { desk: Some(desk), queues, end: None };
        Self { state: Mutex::new(state), changed: Condvar::new(), ahead }
    }

    /// The next batch of which the lane `own` has a share, which it may have to read; at the end, when
    /// that was.
    pub(super) fn next(&self, own: usize) -> ControlFlow<Tick, Arc<Batch>> {
        loop {
            match self.turn(own) {
                Turn::Work(batch) => return ControlFlow::Continue(batch),
                Turn::Read(mut desk) => match desk.read() {
                    Some(batch) => self.give_back(desk, &batch),
                    None => self.end(desk.intake.clock.now()),
                },
                Turn::End(end) => return ControlFlow::Break(end),
            }
        }
    }

    /// What the lane `own` is to do next; waits until there is something.
    fn turn(&self, own: usize) -> Turn<'a> {
        let mut state = self.state();
        loop {
            if state.should_read(own, self.ahead)
                && let Some(desk) = state.desk.take()
            {
                return Turn::Read(desk);
            }
            if let Some(batch) = state.queues.get_mut(own).and_then(VecDeque::pop_front) {
                self.changed.notify_all();
                return Turn::Work(batch);
            }
            if let Some(end) = state.end {
                return Turn::End(end);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the desk back, and each lane its share of what was read.
    fn give_back(&self, desk: Desk<'a>, batch: &Arc<Batch>) {
        let mut state = self.state();
        for (queue, parcels) in state.queues.iter_mut().zip(&batch.sorted) {
            if !parcels.is_empty() {
                queue.push_back(Arc::clone(batch));
            }
        }
        state.desk = Some(desk);
        self.changed.notify_all();
    }

    /// Nothing more will be read.
    fn end(&self, end: Tick) {
        self.state().end.get_or_insert(end);
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State<'_> {
    /// Whether `own` has less than enough to do, and is the one that has least, or another has nothing
    /// left; and whether no other has too much.
    fn should_read(&self, own: usize, ahead: usize) -> bool {
        let waiting = |lane: &VecDeque<_>| lane.len();
        let own = self.queues.get(own).map_or(0, waiting);
        let least = self.queues.iter().map(waiting).min().unwrap_or(0);
        let most = self.queues.iter().map(waiting).max().unwrap_or(0);
        self.end.is_none() && own < Turns::ENOUGH && (own == least || least == 0) && most < ahead
    }
}

/// A lane at work. If its thread panics, the others end too, instead of waiting for it.
pub(super) struct Seat<'t, 'a>(pub(super) &'t Turns<'a>);

impl Drop for Seat<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.state().queues.iter_mut().for_each(VecDeque::clear);
            self.0.end(Tick::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;
    use std::path::Path;

    use super::*;
    use crate::capture::{Block, Input, OpenOptions};
    use crate::decode::Packet;
    use crate::wire::FrameId;

    /// Lets `test` sit at a desk for two lanes, with a capture of this project in small blocks.
    fn at_desk(capture: &str, test: impl FnOnce(Desk<'_>)) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(capture);
        let options = OpenOptions { block_bytes: 8 << 10, ..OpenOptions::default() };
        let mut recording = Recording::open(&[Input::File(path)], &options).expect("a capture");
        test(Desk {
            recording: &mut recording,
            intake: &mut Intake::default(),
            watcher: &mut (),
            directory: &Directory::closed(),
            hasher: FlowHasher::recorded(),
            lanes: 2,
            batches: Vec::new(),
        });
    }

    /// The frames that each of two lanes gets, each in its own thread.
    fn frames(desk: Desk<'_>, ahead: usize) -> [Vec<FrameId>; 2] {
        let turns = Turns::new(desk, ahead);
        let work = |own: usize| {
            let mut frames = Vec::new();
            while let ControlFlow::Continue(batch) = turns.next(own) {
                for parcel in batch.sorted.get(own).into_iter().flatten() {
                    parcel.open(&batch.block, |packet, _| frames.push(frame_of(packet)));
                }
            }
            frames
        };
        thread::scope(|scope| {
            let threads = [0, 1].map(|own| scope.spawn(move || work(own)));
            threads.map(|thread| thread.join().expect("no panic"))
        })
    }

    fn frame_of(packet: &Packet<'_>) -> FrameId {
        match packet {
            Packet::Tcp(segment) => segment.frame,
            Packet::Udp(datagram) => datagram.frame,
        }
    }

    #[test]
    fn who_has_least_to_do_reads_until_enough_waits_for_all() {
        at_desk("many-hosts/capture.pcapng", |desk| {
            let turns = Turns::new(desk, 4);
            for _ in 0..Turns::ENOUGH {
                let Turn::Read(mut desk) = turns.turn(1) else {
                    panic!("there is nothing to do yet")
                };
                assert!(turns.state().desk.is_none());
                let batch = desk.read().expect("more blocks");
                assert!(
                    batch.sorted.iter().all(|parcels| !parcels.is_empty()),
                    "both have a share"
                );
                turns.give_back(desk, &batch);
            }
            assert!(matches!(turns.turn(1), Turn::Work(_)), "enough waits for both");
            assert!(matches!(turns.turn(0), Turn::Work(_)), "the other one has less to do");
            let Turn::Read(desk) = turns.turn(1) else { panic!("now both have less than enough") };
            assert!(matches!(turns.turn(0), Turn::Work(_)), "one reads at a time");
            drop(desk);
            turns.end(Tick::default());
            let left = [turns.turn(0), turns.turn(1), turns.turn(1), turns.turn(0), turns.turn(1)];
            let ends = left.map(|turn| matches!(turn, Turn::End(_)));
            assert_eq!(
                ends,
                [false, false, false, true, true],
                "what waits is done before the end"
            );
        });
    }

    #[test]
    fn who_has_more_to_do_reads_only_for_one_that_has_nothing_left() {
        let reads = |own, waiting: [usize; 2]| {
            let queue = |waiting| (0..waiting).map(|_| Arc::default()).collect();
            let state = State { desk: None, queues: waiting.map(queue).to_vec(), end: None };
            state.should_read(own, 4)
        };
        assert_eq!([reads(0, [0, 0]), reads(0, [2, 2]), reads(0, [3, 3])], [true, true, false]);
        assert_eq!([reads(0, [2, 1]), reads(1, [2, 1])], [false, true]);
        assert_eq!([reads(0, [2, 0]), reads(1, [2, 0])], [true, true]);
        assert_eq!([reads(1, [3, 0]), reads(1, [4, 0])], [true, false], "no more waits than may");
    }

    #[test]
    fn every_packet_comes_to_one_lane_and_in_order() {
        for (capture, one) in
            [("many-hosts/capture.pcapng", false), ("half-closed/capture.pcap", true)]
        {
            let mut all = Vec::new();
            at_desk(capture, |desk| {
                let mut block = Block::new();
                while desk.recording.next_block(&mut block) {
                    for frame in block.frames() {
                        desk.intake.frame(&frame, |packet, _, _| all.push(frame_of(packet)));
                    }
                }
            });
            for ahead in [1, 4, 16] {
                at_desk(capture, |desk| {
                    let lanes = frames(desk, ahead);
                    assert!(lanes.iter().all(|frames| frames.is_sorted()));
                    // Where there is but one connection, one lane reads on for the other.
                    assert_eq!(lanes.iter().any(Vec::is_empty), one, "{capture}");
                    let mut both = lanes.concat();
                    both.sort_unstable();
                    assert_eq!(both, all, "{capture}, {ahead} ahead");
                });
            }
        }
    }

    #[test]
    fn where_one_lane_panics_no_other_waits_for_ever() {
        at_desk("many-hosts/capture.pcapng", |desk| {
            let turns = &Turns::new(desk, 4);
            let Turn::Read(desk) = turns.turn(0) else { panic!("there is nothing to do yet") };
            thread::scope(|scope| {
                let waits = scope.spawn(|| turns.next(1).is_break());
                let falls = scope.spawn(move || {
                    let _seat = Seat(turns);
                    resume_unwind(Box::new(desk.lanes));
                });
                assert!(falls.join().is_err());
                assert!(waits.join().expect("no panic"));
            });
        });
    }
}
