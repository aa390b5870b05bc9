//! Any bytes, cut anywhere, with holes: the reader of TLS neither panics nor depends on the cuts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamperscope::protocol::{TlsEvent, TlsReader, TlsSender, probe};

fuzz_target!(|input: (bool, u8, Option<(u16, u64)>, &[u8])| {
    let (from_client, chunk, hole, bytes) = input;
    let sender = if from_client { TlsSender::Client } else { TlsSender::Server };
    probe(bytes);

    let read = |chunk: usize| {
        let (mut reader, mut events) = (TlsReader::new(sender), Vec::new());
        for part in bytes.chunks(chunk) {
            reader.push(part, &mut |event: TlsEvent| events.push(event));
            assert!(reader.held_bytes() <= 128 << 10);
        }
        reader.end(&mut |event| events.push(event));
        events
    };
    assert_eq!(read(usize::from(chunk).max(1)), read(usize::MAX));

    if let Some((at, missing)) = hole {
        let (before, after) = bytes.split_at(usize::from(at).min(bytes.len()));
        let mut reader = TlsReader::new(sender);
        reader.push(before, &mut |_| ());
        reader.gap(missing, &mut |_| ());
        reader.push(after, &mut |_| ());
        reader.end(&mut |_| ());
        assert!(!reader.wants_more());
    }
});
