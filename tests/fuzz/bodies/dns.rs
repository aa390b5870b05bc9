//! Any bytes, as a datagram and as a stream cut anywhere: the readers of DNS neither panic nor
//! depend on the cuts.
//!
//! Head: flags (1: the datagram was cut short), chunk size.

use tamperscope::protocol::dns::{Event, Message, Reader};

use super::head::Head;

/// The same events however the bytes are cut, bounded lists, and text that can be shown.
pub fn check(bytes: &[u8]) {
    let mut head = Head(bytes);
    let (flags, chunk) = (head.u8(), head.u8());
    let bytes = head.0;
    if let Some(message) = Message::read(bytes, flags & 1 != 0) {
        assert!(message.answers.len() <= Message::ANSWERS_MAX);
        for record in &message.answers {
            assert!(record.to_string().bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        }
    }
    assert_eq!(read(bytes, usize::from(chunk).max(1)), read(bytes, usize::MAX));
}

fn read(bytes: &[u8], chunk: usize) -> Vec<Event> {
    let (mut reader, mut events) = (Reader::default(), Vec::new());
    for part in bytes.chunks(chunk) {
        reader.push(part, &mut |event: Event| events.push(event));
        assert!(reader.held_bytes() <= 2 + 65_535);
    }
    events
}
