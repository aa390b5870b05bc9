//! Tests of the whole room, through its public door.

mod build;
mod classic;
mod corpus;
mod damage;
mod inputs;
mod packed;
mod pcapng;
mod random;
mod recording;

use std::sync::Arc;

use super::{Block, FileReport, Input, OpenOptions, Recording};
use crate::wire::{FrameId, LinkType, Timestamp};

/// A frame that owns its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Owned {
    id: FrameId,
    time: Timestamp,
    link: LinkType,
    bytes: Vec<u8>,
    original_len: u32,
}

/// All frames of a recording, and what its files were.
fn drain(mut recording: Recording) -> (Vec<Owned>, Vec<FileReport>) {
    let mut block = Block::new();
    let mut frames = Vec::new();
    while recording.next_block(&mut block) {
        assert!(!block.is_empty());
        frames.extend(block.frames().map(|frame| Owned {
            id: frame.id,
            time: frame.time,
            link: frame.link,
            bytes: frame.bytes.to_vec(),
            original_len: frame.original_len,
        }));
    }
    assert!(block.is_empty() && block.frame(0).is_none());
    (frames, recording.files().to_vec())
}

fn memory(name: &str, bytes: &[u8]) -> Input {
    Input::Bytes { name: name.to_owned(), bytes: Arc::from(bytes) }
}

/// Reads one capture in memory.
fn read_with(bytes: &[u8], options: &OpenOptions) -> (Vec<Owned>, FileReport) {
    let recording = Recording::open(&[memory("m", bytes)], options).unwrap();
    let (frames, mut reports) = drain(recording);
    (frames, reports.remove(0))
}

fn read(bytes: &[u8]) -> (Vec<Owned>, FileReport) {
    read_with(bytes, &OpenOptions::default())
}

fn in_blocks_of(block_bytes: usize) -> OpenOptions {
    OpenOptions { block_bytes, ..OpenOptions::default() }
}
