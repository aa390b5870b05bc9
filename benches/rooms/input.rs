//! Bytes to work on: the workload `mix`, and stories of `captures/`.

use std::sync::Arc;

use tamperscope::capture::{Block, Input, OpenOptions, Recording};
use tamperscope::wire::Frame;

use crate::workload::{self, EDITION, Size, Workload};

/// The first `packets` of the workload `mix`, as a capture file.
pub(crate) fn mix(packets: usize) -> Input {
    let mix = Workload::named("mix").expect("a workload");
    let size = Size::scale("0.01").expect("a scale");
    let mut file = Vec::new();
    workload::write(mix, size, &mut file).expect("memory");
    let mut end = FILE_HEADER;
    for _ in 0..packets {
        let captured = file[end + 8..end + 12].try_into().expect("four bytes");
        end += RECORD_HEADER + u32::from_le_bytes(captured) as usize;
    }
    file.truncate(end);
    Input::Bytes { name: format!("mix, edition {EDITION}"), bytes: Arc::from(file) }
}

/// The capture at `path` below `captures/`.
pub(crate) fn story(path: &str) -> Input {
    Input::File([env!("CARGO_MANIFEST_DIR"), "captures", path].iter().collect())
}

/// The frames of a capture. Their bytes stay until the program ends, so that no bench owns them.
pub(crate) fn frames(input: Input) -> Vec<Frame<'static>> {
    let mut recording =
        Recording::open(&[input], &OpenOptions::default()).expect("a capture that opens");
    let mut frames = Vec::new();
    loop {
        let block = Box::leak(Box::new(Block::new()));
        if !recording.next_block(block) {
            return frames;
        }
        frames.extend(block.frames());
    }
}

/// pcap-savefile(5): bytes before the first record, and of a record before its packet.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
