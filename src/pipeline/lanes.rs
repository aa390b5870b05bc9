//! Frames to lanes: one lane, or several in threads of their own.
//!
//! Who reads looks at each frame as far as its order-free flow key, and hashes it; the hash picks
//! the lane, so both directions of a flow meet in one. What crosses threads is a block with its
//! frames sorted: nothing is handed over packet by packet, and each lane reads its frames where they
//! lie. The lanes take turns at reading ([`desk`](super::desk)), so there are as many threads as
//! lanes. One lane has nobody to hand over to: it reads and works in the caller's thread.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::thread;

use super::desk::{Desk, Seat, Turns};
use super::intake::Intake;
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
    let desk = Desk {
        recording,
        intake,
        watcher,
        directory: shared.directory,
        hasher: FlowHasher::recorded(),
        lanes,
        batches: Vec::new(),
    };
    let turns = &Turns::new(desk, shared.settings.limits.blocks_ahead());
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..lanes).map(|own| scope.spawn(move || serve(turns, own, shared))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|fault| resume_unwind(fault)))
            .collect()
    })
}

/// A lane's thread.
fn serve(turns: &Turns<'_>, own: usize, shared: Shared<'_>) -> Outcome {
    let _seat = Seat(turns);
    let mut lane = Lane::new(shared.settings, shared.directory);
    loop {
        match turns.next(own) {
            ControlFlow::Continue(batch) => {
                for parcel in batch.sorted.get(own).into_iter().flatten() {
                    parcel.open(&batch.block, |packet, flow| {
                        lane.packet(packet, flow, parcel.clock);
                    });
                }
            }
            ControlFlow::Break(end) => return lane.finish(end),
        }
    }
}
