//! Any bytes, cut anywhere, with a hole: the reader of TLS neither panics nor depends on the cuts.
//!
//! Head: flags (1: from the client, 2: with a hole), chunk size, place of the hole (2), its size.

use tamperscope::protocol::{TlsEvent, TlsReader, TlsSender, probe};

use super::head::Head;

/// The same events however the bytes are cut, and bounded memory.
pub fn check(bytes: &[u8]) {
    let mut head = Head(bytes);
    let (flags, chunk, at, missing) = (head.u8(), head.u8(), head.u16(), head.power());
    let bytes = head.0;
    let sender = if flags & 1 == 0 { TlsSender::Server } else { TlsSender::Client };
    probe(bytes);
    let whole = read(sender, bytes, usize::MAX);
    assert_eq!(read(sender, bytes, usize::from(chunk).max(1)), whole);
    if flags & 2 == 0 {
        return;
    }
    let (before, after) = bytes.split_at(usize::from(at).min(bytes.len()));
    let mut reader = TlsReader::new(sender);
    reader.push(before, &mut |_| ());
    reader.gap(missing, &mut |_| ());
    reader.push(after, &mut |_| ());
    reader.end(&mut |_| ());
    assert!(!reader.wants_more());
}

fn read(sender: TlsSender, bytes: &[u8], chunk: usize) -> Vec<TlsEvent> {
    let (mut reader, mut events) = (TlsReader::new(sender), Vec::new());
    for part in bytes.chunks(chunk) {
        reader.push(part, &mut |event: TlsEvent| events.push(event));
        assert!(reader.held_bytes() <= 128 << 10);
    }
    reader.end(&mut |event| events.push(event));
    events
}
