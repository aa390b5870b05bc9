//! Names and their compression (RFC 1035 §3.1, §4.1.4).

use super::Fault;

/// How reading a name went; the text is in the buffer that was handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NameRead {
    /// Where the next field begins, if that is known.
    pub(super) end: Option<usize>,
    /// What is wrong with it.
    pub(super) fault: Option<Fault>,
}

/// Reads the name at `at` and appends it to `text`; the root is a single dot.
///
/// A pointer leads backwards from where it stands ("a prior occurrence", §4.1.4), so pointers alone
/// cannot form a loop; one with labels in it runs into the limit of 255 bytes.
pub(super) fn read(message: &[u8], at: usize, text: &mut String) -> NameRead {
    let start = text.len();
    text.reserve(NAME_BYTES_USUAL);
    let (mut at, mut end, mut wire) = (at, None, 1_usize);
    let stop = |end, fault| NameRead { end, fault: Some(fault) };
    loop {
        let Some(&first) = message.get(at) else { return stop(end, Fault::Short) };
        match (first >> 6, usize::from(first & 0x3f)) {
            (0, 0) => {
                if text.len() == start {
                    text.push('.');
                }
                return NameRead { end: Some(end.unwrap_or(at + 1)), fault: None };
            }
            (0, len) => {
                let Some(label) = message.get(at + 1..at + 1 + len) else {
                    return stop(end, Fault::Short);
                };
                wire += 1 + len;
                if wire > NAME_BYTES_MAX {
                    return stop(end, Fault::Name);
                }
                push_label(text, start, label);
                at += 1 + len;
            }
            (3, high) => {
                let Some(&low) = message.get(at + 1) else { return stop(end, Fault::Short) };
                let target = high << 8 | usize::from(low);
                end = end.or(Some(at + 2));
                if target >= at {
                    return stop(end, Fault::Name);
                }
                at = target;
            }
            // 01 and 10 are reserved (§4.1.4; RFC 6891 §5).
            _ => return stop(end, Fault::Name),
        }
    }
}

/// Where the field after the name at `at` begins; the name itself is not read.
pub(super) fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let first = *message.get(at)?;
        at = match first >> 6 {
            0 if first == 0 => return Some(at + 1),
            0 => at + 1 + usize::from(first),
            3 => return Some(at + 2),
            _ => return None,
        };
    }
}

fn push_label(text: &mut String, start: usize, label: &[u8]) {
    if text.len() > start {
        text.push('.');
    }
    // Nearly all labels are this, and are told in one go.
    let plain = |b: &u8| (0x21..=0x7e).contains(b) && *b != b'.' && *b != b'\\';
    if label.iter().fold(true, |all, b| all & plain(b))
        && let Ok(plain) = std::str::from_utf8(label)
    {
        let begins = text.len();
        text.push_str(plain);
        if let Some(plain) = text.get_mut(begins..) {
            plain.make_ascii_lowercase();
        }
        return;
    }
    for byte in label {
        match byte {
            b'.' | b'\\' => text.extend(['\\', char::from(*byte)]),
            0x21..=0x7e => text.push(char::from(byte.to_ascii_lowercase())),
            _ => push_escaped(text, *byte),
        }
    }
}

/// `\DDD`, as in master files (RFC 1035 §5.1).
pub(super) fn push_escaped(text: &mut String, byte: u8) {
    let digit = |value: u8| char::from(b'0' + value % 10);
    text.extend(['\\', digit(byte / 100), digit(byte / 10), digit(byte)]);
}

/// RFC 1035 §2.3.4, lengths and the last zero included.
const NAME_BYTES_MAX: usize = 255;
/// Most names are no longer.
const NAME_BYTES_USUAL: usize = 32;
