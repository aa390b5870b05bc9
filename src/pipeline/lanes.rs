//! Frames to lanes: one lane in the reader's own thread, or several in theirs.
//!
//! The reader decodes each frame and hashes its order-free flow key; the hash picks the lane, so
//! both directions of a flow meet in one. What crosses threads is a batch for each block and lane,
//! over a bounded channel: nothing is handed over packet by packet, the bytes stay in the block,
//! and a reader that is ahead waits. With one lane there is no channel, just a call.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::clock::Tick;
use super::intake::Intake;
use super::parcel::{Batch, Parcel};
use super::{Directory, Lane, Outcome, Settings, Watcher};
use crate::capture::{Block, Recording};
use crate::decode::Packet;
use crate::flow::FlowHasher;
use crate::wire::{FlowKey, Transport};

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
            if let Some((packet, clock)) = intake.frame(&frame) {
                lane.packet(&packet, clock);
            }
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
            .map(|_| {
                let (door, inbox) = sync_channel(BATCHES_AHEAD);
                (door, scope.spawn(move || serve(&inbox, shared)))
            })
            .unzip();
        let mut dispatch = Dispatch::new(doors);
        let mut block = Block::new();
        while recording.next_block(&mut block) {
            dispatch.block(block, intake);
            intake.block_done();
            watcher.block(shared.directory);
            block = dispatch.vacant_block();
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
    Batch(Batch),
    /// The recording ends at this time.
    End(Tick),
}

/// A lane's thread.
fn serve(inbox: &Receiver<Order>, shared: Shared<'_>) -> Outcome {
    let mut lane = Lane::new(shared.settings, shared.directory);
    while let Ok(order) = inbox.recv() {
        match order {
            Order::Batch(batch) => {
                for parcel in &batch.parcels {
                    lane.packet(&parcel.open(&batch.block), parcel.clock);
                }
            }
            Order::End(clock) => return lane.finish(clock),
        }
    }
    lane.finish(Tick::default())
}

/// Sorts packets to lanes, and keeps the blocks that come back.
struct Dispatch {
    doors: Vec<SyncSender<Order>>,
    hasher: FlowHasher,
    /// Blocks under way; a block that nobody holds any more is used again.
    blocks: Vec<Arc<Block>>,
}

impl Dispatch {
    fn new(doors: Vec<SyncSender<Order>>) -> Self {
        Self { doors, hasher: FlowHasher::recorded(), blocks: Vec::new() }
    }

    /// A block to read into: one that came back, or a new one. There are never more than the
    /// channels hold and the threads work on.
    fn vacant_block(&mut self) -> Block {
        let back = self.blocks.iter().position(|block| Arc::strong_count(block) == 1);
        let back = back.map(|place| self.blocks.swap_remove(place));
        back.and_then(Arc::into_inner).unwrap_or_default()
    }

    fn block(&mut self, block: Block, intake: &mut Intake) {
        let mut sorted: Vec<Vec<Parcel>> = Vec::new();
        sorted.resize_with(self.doors.len(), || Vec::with_capacity(block.len() / self.doors.len()));
        for (index, frame) in block.frames().enumerate() {
            let Some((packet, clock)) = intake.frame(&frame) else { continue };
            let lane = self.hasher.lane_of(&key_of(&packet), sorted.len());
            if let Some(parcels) = sorted.get_mut(lane) {
                parcels.push(Parcel::pack(&packet, &frame, index as u32, clock));
            }
        }
        let block = Arc::new(block);
        for (door, parcels) in self.doors.iter().zip(sorted) {
            if !parcels.is_empty() {
                // A lane that is gone has panicked; its thread's end tells.
                let _ = door.send(Order::Batch(Batch { block: Arc::clone(&block), parcels }));
            }
        }
        self.blocks.push(block);
    }

    fn end(self, clock: Tick) {
        for door in &self.doors {
            let _ = door.send(Order::End(clock));
        }
    }
}

fn key_of(packet: &Packet<'_>) -> FlowKey {
    match packet {
        Packet::Tcp(segment) => FlowKey::of(Transport::Tcp, segment.src, segment.dst).0,
        Packet::Udp(datagram) => FlowKey::of(Transport::Udp, datagram.src, datagram.dst).0,
    }
}

/// Batches that may wait for a lane: a few blocks, so that a short stall of one lane does not stop
/// the reader, and memory stays bounded.
const BATCHES_AHEAD: usize = 4;
