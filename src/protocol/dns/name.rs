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
    match read_plain(message, at, text) {
        Some(end) => NameRead { end: Some(end), fault: None },
        None => read_odd(message, at, text),
    }
}

/// Reads any name, label by label.
fn read_odd(message: &[u8], at: usize, text: &mut String) -> NameRead {
    let start = text.len();
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

/// Reads the name that nearly all are: labels of printable letters, whole, and not the root. Appends
/// it and gives where the next field begins; of any other name nothing is appended.
fn read_plain(message: &[u8], mut at: usize, text: &mut String) -> Option<usize> {
    // Each label behind the dot that stands for its length.
    let (mut name, mut len, mut end) = ([0; NAME_BYTES_MAX], 0_usize, None);
    loop {
        let first = *message.get(at)?;
        match (first >> 6, usize::from(first & 0x3f)) {
            (0, 0) => break,
            (0, label_len) => {
                let label = message.get(at + 1..at + 1 + label_len)?;
                let place = name.get_mut(len..len + 1 + label_len)?;
                let (dot, place) = place.split_first_mut()?;
                *dot = b'.';
                let mut plain = true;
                for (kept, byte) in place.iter_mut().zip(label) {
                    plain &= (0x21..=0x7e).contains(byte) && !matches!(*byte, b'.' | b'\\');
                    *kept = byte.to_ascii_lowercase();
                }
                if !plain {
                    return None;
                }
                len += 1 + label_len;
                at += 1 + label_len;
            }
            (3, high) => {
                let target = high << 8 | usize::from(*message.get(at + 1)?);
                end = end.or(Some(at + 2));
                if target >= at {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
    }
    // The last zero counts as well.
    let name = name.get(1..len).filter(|name| !name.is_empty() && len < NAME_BYTES_MAX)?;
    text.push_str(std::str::from_utf8(name).ok()?);
    Some(end.unwrap_or(at + 1))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A label of the given length, or a pointer, or whatever.
    fn part() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            8 => prop::collection::vec("[!-~]".prop_map(|c| c.as_bytes()[0]), 1..64).prop_map(label),
            2 => prop::collection::vec(any::<u8>(), 1..9).prop_map(label),
            2 => (0_u8..60).prop_map(|low| vec![0xc0, low]),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ]
    }

    fn label(letters: Vec<u8>) -> Vec<u8> {
        [vec![letters.len() as u8], letters].concat()
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_one_reads(
            parts in prop::collection::vec(part(), 0..7),
            ends: bool,
            at in 0_usize..20,
        ) {
            let message = [parts.concat(), vec![0; usize::from(ends)]].concat();
            for at in [0, at] {
                let (mut short, mut long) = ("x".to_owned(), "x".to_owned());
                let read = read(&message, at, &mut short);
                prop_assert_eq!(read, read_odd(&message, at, &mut long));
                prop_assert_eq!(short, long);
            }
        }
    }
}
