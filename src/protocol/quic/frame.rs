//! The frames of an Initial (RFC 9000 §12.4, §19).

use super::{QuicMalformed, cursor::Cursor};

/// A frame that tells something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frame<'a> {
    /// A piece of the handshake.
    Crypto { offset: u64, bytes: &'a [u8] },
    /// The sender is done with the connection.
    Close { code: u64 },
    /// PING or ACK.
    Other,
}

/// Reads the frames of an Initial, up to the first that is cut short or that Initials must not
/// have (RFC 9000 §12.4, table 3).
pub(super) fn frames(
    payload: &[u8],
) -> impl Iterator<Item = Result<Frame<'_>, QuicMalformed>> + use<'_> {
    let mut cursor = Cursor::new(payload);
    std::iter::from_fn(move || {
        cursor.skip_all(PADDING);
        if cursor.is_empty() {
            return None;
        }
        let frame = read(&mut cursor).ok_or(QuicMalformed::Frame);
        if frame.is_err() {
            cursor = Cursor::new(&[]);
        }
        Some(frame)
    })
}

fn read<'a>(cursor: &mut Cursor<'a>) -> Option<Frame<'a>> {
    match cursor.byte()? {
        PING => Some(Frame::Other),
        kind @ (ACK | ACK_ECN) => read_ack(cursor, kind == ACK_ECN),
        CRYPTO => {
            let offset = cursor.varint()?;
            let len = cursor.varint()?;
            Some(Frame::Crypto { offset, bytes: cursor.take(len)? })
        }
        CLOSE => {
            let code = cursor.varint()?;
            let _frame_type = cursor.varint()?;
            let reason_len = cursor.varint()?;
            cursor.take(reason_len)?;
            Some(Frame::Close { code })
        }
        _ => None,
    }
}

/// ```text
/// v largest | v delay | v count | v first | count times: v gap, v length | ECN: v, v, v
/// ```
fn read_ack<'a>(cursor: &mut Cursor<'a>, with_ecn: bool) -> Option<Frame<'a>> {
    let _largest = cursor.varint()?;
    let _delay = cursor.varint()?;
    let count = cursor.varint()?;
    let _first = cursor.varint()?;
    // Each number takes a byte at least, so a count that lies soon ends at the end of the bytes.
    for _ in 0..count {
        cursor.varint()?;
        cursor.varint()?;
    }
    if with_ecn {
        for _ in 0..3 {
            cursor.varint()?;
        }
    }
    Some(Frame::Other)
}

const PADDING: u8 = 0x00;
const PING: u8 = 0x01;
const ACK: u8 = 0x02;
const ACK_ECN: u8 = 0x03;
const CRYPTO: u8 = 0x06;
/// Closed by QUIC; closed by an application (0x1d) comes after Initials.
const CLOSE: u8 = 0x1c;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_to_the_last() {
        let payload = [
            &[0, 0, 1][..],
            &[2, 9, 0, 1, 3, 0, 1],
            &[3, 9, 0, 0, 3, 0, 0, 1],
            &[6, 0x40, 5, 2, 0xaa, 0xbb],
            &[0x1c, 0x41, 0x28, 6, 2, b'n', b'o', 0],
        ]
        .concat();
        let found: Vec<_> = frames(&payload).collect();
        let expected = [
            Frame::Other,
            Frame::Other,
            Frame::Other,
            Frame::Crypto { offset: 5, bytes: &[0xaa, 0xbb] },
            Frame::Close { code: 0x128 },
        ];
        assert_eq!(found, expected.map(Ok));
    }

    #[test]
    fn a_wrong_frame_ends_the_packet() {
        for payload in [
            &[1, 0x08, 1, 1][..],
            &[1, 6, 0, 3, 1],
            &[1, 2, 9, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3],
            &[1, 0x1d, 0, 0],
            &[1, 0x1c, 0, 0, 9],
        ] {
            let found: Vec<_> = frames(payload).collect();
            assert_eq!(found, [Ok(Frame::Other), Err(QuicMalformed::Frame)], "{payload:x?}");
        }
        assert_eq!(frames(&[0; 1200]).count(), 0);
    }
}
