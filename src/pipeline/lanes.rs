//! Frames to lanes: one lane in the reader's own thread, or several in theirs.
//!
//! The reader looks at each frame as far as its order-free flow key, and hashes it; the hash picks
//! the lane, so both directions of a flow meet in one. What crosses threads is a block with its
//! frames sorted, over a bounded channel: nothing is handed over packet by packet, each lane reads
//! its frames where they lie, and a reader that is ahead waits. With one lane there is no channel,
//! just a call.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::clock::Tick;
use super::intake::Intake;
use super::parcel::{Batch, Parcel};
use super::{Directory, Lane, Outcome, Settings, Watcher};
use crate::capture::{Block, Recording};
use crate::flow::FlowHasher;

/// What is shared by reader and lanes.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) settings: &'a Settings,
    pub(super) directory: &'a Directory,
}

/// Reads the whole recording; gives the lanes' outcomes.
pub(super) fn run(
    recording: &mut Recording,
    intake: &mut Intake,
    shared: Shared<'_>,
    watcher: &mut dyn Watcher,
) -> Vec<Outcome> {
    match shared.settings.lanes.get() {
        1 => vec![run_here(recording, intake, shared, watcher)],
        lanes => run_apart(recording, intake, shared, (lanes, watcher)),
    }
}

fn run_here(
    recording: &mut Recording,
    intake: &mut Intake,
    shared: Shared<'_>,
    watcher: &mut dyn Watcher,
) -> Outcome {
    let mut lane = Lane::new(shared.settings, shared.directory);
    let mut block = Block::new();
    while recording.next_block(&mut block) {
        for frame in block.frames() {
            intake.frame(&frame, |packet, flow, clock| lane.packet(packet, flow, clock));
        }
        intake.block_done();
        watcher.block(shared.directory);
    }
    lane.finish(intake.clock.now())
}

fn run_apart(
    recording: &mut Recording,
    intake: &mut Intake,
    shared: Shared<'_>,
    (lanes, watcher): (usize, &mut dyn Watcher),
) -> Vec<Outcome> {
    thread::scope(|scope| {
        let (doors, threads): (Vec<_>, Vec<_>) = (0..lanes)
            .map(|lane| {
                let (door, inbox) = sync_channel(shared.settings.limits.blocks_ahead());
                (door, scope.spawn(move || serve(&inbox, lane, shared)))
            })
            .unzip();
        let mut dispatch = Dispatch::new(doors);
        let mut batch = dispatch.vacant();
        while recording.next_block(&mut batch.block) {
            dispatch.send(batch, intake);
            intake.block_done();
            watcher.block(shared.directory);
            batch = dispatch.vacant();
        }
        dispatch.end(intake.clock.now());
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|fault| resume_unwind(fault)))
            .collect()
    })
}

/// What a lane is sent.
enum Order {
    Batch(Arc<Batch>),
    /// The recording ends at this time.
    End(Tick),
}

/// A lane's thread.
fn serve(inbox: &Receiver<Order>, own: usize, shared: Shared<'_>) -> Outcome {
    let mut lane = Lane::new(shared.settings, shared.directory);
    while let Ok(order) = inbox.recv() {
        match order {
            Order::Batch(batch) => {
                for parcel in batch.sorted.get(own).into_iter().flatten() {
                    parcel.open(&batch.block, |packet, flow| {
                        lane.packet(packet, flow, parcel.clock);
                    });
                }
            }
            Order::End(clock) => return lane.finish(clock),
        }
    }
    lane.finish(Tick::default())
}

/// Sorts packets to lanes, and keeps the batches that come back.
struct Dispatch {
    doors: Vec<SyncSender<Order>>,
    hasher: FlowHasher,
    /// Batches under way; one that nobody else holds any more is used again.
    batches: Vec<Arc<Batch>>,
}

impl Dispatch {
    fn new(doors: Vec<SyncSender<Order>>) -> Self {
        Self { doors, hasher: FlowHasher::recorded(), batches: Vec::new() }
    }

    /// A batch to read into: one that came back, or a new one. There are never more than the
    /// channels hold and the threads work on.
    fn vacant(&mut self) -> Batch {
        let back = self.batches.iter().position(|batch| Arc::strong_count(batch) == 1);
        let back = back.map(|place| self.batches.swap_remove(place));
        back.and_then(Arc::into_inner).unwrap_or_default()
    }

    fn send(&mut self, mut batch: Batch, intake: &mut Intake) {
        let Batch { block, sorted } = &mut batch;
        sorted.resize_with(self.doors.len(), Vec::new);
        sorted.iter_mut().for_each(Vec::clear);
        for (index, frame) in block.frames().enumerate() {
            let Some(packet) = intake.sort(&frame) else { continue };
            let lane = self.hasher.lane_of(&packet.key, sorted.len());
            if let Some(parcels) = sorted.get_mut(lane) {
                parcels.push(Parcel::pack(&packet, index as u32));
            }
        }
        let batch = Arc::new(batch);
        for (door, parcels) in self.doors.iter().zip(&batch.sorted) {
            if !parcels.is_empty() {
                // A lane that is gone has panicked; its thread's end tells.
                let _ = door.send(Order::Batch(Arc::clone(&batch)));
            }
        }
        self.batches.push(batch);
    }

    fn end(self, clock: Tick) {
        for door in &self.doors {
            let _ = door.send(Order::End(clock));
        }
    }
}
