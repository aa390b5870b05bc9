//! Any bytes, as a datagram and as a stream cut anywhere: the readers of DNS neither panic nor depend
//! on the cuts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamperscope::protocol::dns::{Event, Message, Reader};

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (cut, chunk, bytes) = input;
    if let Some(message) = Message::read(bytes, cut) {
        assert!(message.answers.len() <= Message::ANSWERS_MAX);
        for record in &message.answers {
            assert!(record.to_string().bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        }
    }
    let read = |chunk: usize| {
        let (mut reader, mut events) = (Reader::default(), Vec::new());
        for part in bytes.chunks(chunk) {
            reader.push(part, &mut |event: Event| events.push(event));
            assert!(reader.held_bytes() <= 2 + 65_535);
        }
        events
    };
    assert_eq!(read(usize::from(chunk).max(1)), read(usize::MAX));
});
