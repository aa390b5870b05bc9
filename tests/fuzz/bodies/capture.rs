//! Any bytes, read as a capture file of whatever kind they claim to be, in blocks of any size.
//!
//! Head: block size (2).

use std::sync::Arc;

use tamperscope::capture::{Block, Expansion, Input, OpenOptions, Recording};

use super::head::Head;

/// Every frame is numbered, whole, and accounted for.
pub fn check(bytes: &[u8]) {
    let mut head = Head(bytes);
    let block_bytes = usize::from(head.u16());
    let capture = Input::Bytes { name: "fuzz".to_owned(), bytes: Arc::from(head.0) };
    let options = OpenOptions {
        block_bytes,
        expansion: Expansion { max_bytes: 1 << 20, ..Expansion::default() },
        ..OpenOptions::default()
    };
    let mut recording =
        Recording::open(&[capture], &options).expect("bytes in memory can always be opened");
    let mut block = Block::new();
    let (mut last, mut frames) = (None, 0);
    while recording.next_block(&mut block) {
        assert!(!block.is_empty());
        for frame in block.frames() {
            assert!(last < Some(frame.id), "frames are numbered upwards");
            assert!(frame.bytes.len() <= frame.original_len as usize);
            last = Some(frame.id);
            frames += 1;
        }
    }
    let [file] = recording.files() else { panic!("one file, one report") };
    assert!(file.error.is_some() || file.format.is_some());
    assert_eq!(file.packets, frames);
}
