//! Any datagrams of either end: the reader of QUIC neither panics, nor grows, nor tells anything
//! before an Initial has opened.
//!
//! Datagrams: flags (1: from the client), length (2), bytes.

use tamperscope::protocol::{QuicReader, QuicSender, is_quic_initial, is_quic_long_header};

use super::head::Head;

/// Bounded memory, and silence about what is not authentic.
pub fn check(bytes: &[u8]) {
    let mut head = Head(bytes);
    let (mut reader, mut events) = (QuicReader::new(), 0);
    while !head.is_empty() {
        let (flags, len) = (head.u8(), head.u16());
        let datagram = head.bytes(usize::from(len));
        let from = if flags & 1 == 0 { QuicSender::Server } else { QuicSender::Client };
        assert!(is_quic_long_header(datagram) || !is_quic_initial(datagram));
        reader.datagram(from, datagram, &mut |_| events += 1);
        assert!(reader.held_bytes() <= 96 << 10);
        assert!(events == 0 || reader.version().is_some());
    }
    reader.end(&mut |_| events += 1);
    assert!(!reader.wants_more());
    assert_eq!(reader.held_bytes(), 0);
}
