//! Any bytes, read as a capture file of whatever kind they claim to be, in blocks of any size.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use tamperscope::capture::{Block, Expansion, Input, OpenOptions, Recording};

fuzz_target!(|input: (u16, &[u8])| {
    let (block_bytes, bytes) = input;
    let capture = Input::Bytes { name: "fuzz".to_owned(), bytes: Arc::from(bytes) };
    let options = OpenOptions {
        block_bytes: usize::from(block_bytes),
        expansion: Expansion { max_bytes: 1 << 20, ..Expansion::default() },
        ..OpenOptions::default()
    };
    let Ok(mut recording) = Recording::open(&[capture], &options) else {
        panic!("bytes in memory can always be opened");
    };
    let mut block = Block::new();
    let mut last = None;
    while recording.next_block(&mut block) {
        assert!(!block.is_empty());
        for frame in block.frames() {
            assert!(last < Some(frame.id), "frames are numbered upwards");
            assert!(frame.bytes.len() <= frame.original_len as usize);
            last = Some(frame.id);
        }
    }
    assert!(recording.files().iter().all(|file| file.error.is_some() || file.format.is_some()));
});
