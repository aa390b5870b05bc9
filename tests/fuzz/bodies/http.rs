//! Any bytes, cut anywhere, with a hole: the readers of HTTP neither panic nor depend on the cuts,
//! and every body can be decoded and read as a page.
//!
//! Head: flags (1: with a hole), three methods that were asked for, chunk size, place of the hole
//! (2), its size.

use tamperscope::protocol::{Page, RequestEvent, RequestReader, ResponseEvent, ResponseReader};

use super::head::Head;

/// The same events however the bytes are cut, and bounded memory.
pub fn check(bytes: &[u8]) {
    let mut head = Head(bytes);
    let (flags, asked, chunk) = (head.u8(), [head.u8(), head.u8(), head.u8()], head.u8());
    let (at, missing) = (head.u16(), head.power());
    let (bytes, chunk) = (head.0, usize::from(chunk).max(1));
    assert_eq!(requests(bytes, chunk), requests(bytes, usize::MAX));
    let events = responses(asked, bytes, chunk);
    assert_eq!(events, responses(asked, bytes, usize::MAX));
    let mut content_type = None;
    for event in &events {
        match event {
            ResponseEvent::Response(response) => {
                content_type = response.headers.first("content-type");
            }
            ResponseEvent::Body(body) => _ = Page::read(content_type, &body.decoded().bytes),
            _ => {}
        }
    }
    if flags & 1 == 1 {
        let (before, after) = bytes.split_at(usize::from(at).min(bytes.len()));
        with_hole(before, missing, after);
    }
}

fn with_hole(before: &[u8], missing: u64, after: &[u8]) {
    let (mut requests, mut responses) = (RequestReader::new(), ResponseReader::new());
    for part in [before, after] {
        requests.push(part, &mut |_| ());
        responses.push(part, &mut |_| ());
        requests.gap(missing, &mut |_| ());
        responses.gap(missing, &mut |_| ());
    }
    requests.end(&mut |_| ());
    responses.end(&mut |_| ());
    assert!(!responses.wants_more());
}

fn requests(bytes: &[u8], chunk: usize) -> Vec<RequestEvent> {
    let (mut reader, mut events) = (RequestReader::new(), Vec::new());
    for part in bytes.chunks(chunk) {
        reader.push(part, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 64 << 10);
    }
    reader.end(&mut |event| events.push(event));
    events
}

fn responses(asked: [u8; 3], bytes: &[u8], chunk: usize) -> Vec<ResponseEvent> {
    let (mut reader, mut events) = (ResponseReader::new(), Vec::new());
    for method in asked {
        reader.expect(["GET", "HEAD", "CONNECT"][usize::from(method) % 3]);
    }
    for part in bytes.chunks(chunk) {
        reader.push(part, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 128 << 10);
    }
    reader.end(&mut |event| events.push(event));
    events
}
