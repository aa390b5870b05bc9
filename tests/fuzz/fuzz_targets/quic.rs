//! Any datagrams of either end, also behind a real Initial: the reader neither panics, nor grows,
//! nor tells anything of what it could not open.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamperscope::protocol::{QuicReader, QuicSender, is_quic_initial, is_quic_long_header};

/// The server's Initial of RFC 9001 §A.3: authentic bytes to mutate, no connection of their own.
const INITIAL: &[u8] = b"\xcf\x00\x00\x00\x01\x00\x08\xf0\x67\xa5\x50\x2a\x42\x62\xb5\x00\x40\x75\
    \xc0\xd9\x5a\x48\x2c\xd0\x99\x1c\xd2\x5b\x0a\xac\x40\x6a\x58\x16\xb6\x39\x41\x00\xf3\x7a\x1c\
    \x69\x79\x75\x54\x78\x0b\xb3\x8c\xc5\xa9\x9f\x5e\xde\x4c\xf7\x3c\x3e\xc2\x49\x3a\x18\x39\xb3\
    \xdb\xcb\xa3\xf6\xea\x46\xc5\xb7\x68\x4d\xf3\x54\x8e\x7d\xde\xb9\xc3\xbf\x9c\x73\xcc\x3f\x3b\
    \xde\xd7\x4b\x56\x2b\xfb\x19\xfb\x84\x02\x2f\x8e\xf4\xcd\xd9\x37\x95\xd7\x7d\x06\xed\xbb\x7a\
    \xaf\x2f\x58\x89\x18\x50\xab\xbd\xca\x3d\x20\x39\x8c\x27\x64\x56\xcb\xc4\x21\x58\x40\x7d\xd0\
    \x74\xee";

fuzz_target!(|datagrams: Vec<(bool, bool, Vec<u8>)>| {
    let mut reader = QuicReader::new();
    let mut events = 0;
    for (from_client, behind_initial, bytes) in &datagrams {
        let from = if *from_client { QuicSender::Client } else { QuicSender::Server };
        let datagram =
            if *behind_initial { [INITIAL, bytes].concat() } else { bytes.clone() };
        assert!(is_quic_long_header(&datagram) || !is_quic_initial(&datagram));
        reader.datagram(from, &datagram, &mut |_| events += 1);
        assert!(reader.held_bytes() <= 96 << 10);
        assert!(events == 0 || reader.version().is_some());
    }
    reader.end(&mut |_| events += 1);
    assert!(!reader.wants_more());
    assert_eq!(reader.held_bytes(), 0);
});
