//! Any bytes, cut anywhere, with holes: the readers of HTTP neither panic nor depend on the cuts,
//! and every body can be decoded and read as a page.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamperscope::protocol::{Page, RequestReader, ResponseEvent, ResponseReader};

fuzz_target!(|input: (Vec<u8>, u8, Option<(u16, u64)>, &[u8])| {
    let (asked, chunk, hole, bytes) = input;
    let chunk = usize::from(chunk).max(1);
    assert_eq!(requests(bytes, chunk), requests(bytes, usize::MAX));

    let events = responses(&asked, bytes, chunk);
    assert_eq!(events, responses(&asked, bytes, usize::MAX));
    for event in &events {
        if let ResponseEvent::Body(body) = event {
            Page::read(body.content_type.as_deref(), &body.decoded().bytes);
        }
    }

    if let Some((at, missing)) = hole {
        let (before, after) = bytes.split_at(usize::from(at).min(bytes.len()));
        let (mut requests, mut responses) = (RequestReader::new(), ResponseReader::new());
        for part in [before, after] {
            requests.push(part, &mut |_| ());
            responses.push(part, &mut |_| ());
            requests.gap(missing, &mut |_| ());
            responses.gap(missing, &mut |_| ());
        }
        responses.end(&mut |_| ());
        assert!(!responses.wants_more());
    }
});

fn requests(bytes: &[u8], chunk: usize) -> Vec<tamperscope::protocol::RequestEvent> {
    let (mut reader, mut events) = (RequestReader::new(), Vec::new());
    for part in bytes.chunks(chunk) {
        reader.push(part, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 64 << 10);
    }
    reader.end(&mut |event| events.push(event));
    events
}

fn responses(asked: &[u8], bytes: &[u8], chunk: usize) -> Vec<ResponseEvent> {
    let (mut reader, mut events) = (ResponseReader::new(), Vec::new());
    for method in asked {
        reader.expect(["GET", "HEAD", "CONNECT"][usize::from(*method) % 3]);
    }
    for part in bytes.chunks(chunk) {
        reader.push(part, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 128 << 10);
    }
    reader.end(&mut |event| events.push(event));
    events
}
