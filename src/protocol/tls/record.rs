//! The record layer: where one record ends and the next begins (RFC 8446 §5.1).

/// A record's header as it arrives.
///
/// ```text
/// type | 3 | minor version | length high | length low     RFC 8446 §5.1
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Header {
    bytes: [u8; 5],
    len: u8,
}

impl Header {
    /// Takes bytes from `rest`; gives the header when it is whole, and starts anew.
    pub(super) fn push(&mut self, rest: &mut &[u8]) -> Option<[u8; 5]> {
        if self.len == 0
            && let Some((header, after)) = rest.split_first_chunk()
        {
            *rest = after;
            return Some(*header);
        }
        while let Some(free) = self.bytes.get_mut(usize::from(self.len)) {
            let (&first, after) = rest.split_first()?;
            *free = first;
            *rest = after;
            self.len += 1;
        }
        self.len = 0;
        Some(self.bytes)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) kind: RecordKind,
    /// Bytes of it that were not read yet, never 0.
    pub(super) remaining: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RecordKind {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

impl RecordKind {
    const fn of(byte: u8) -> Option<Self> {
        match byte {
            20 => Some(Self::ChangeCipherSpec),
            21 => Some(Self::Alert),
            22 => Some(Self::Handshake),
            23 => Some(Self::ApplicationData),
            _ => None,
        }
    }
}

/// The hello of SSL 2.0, in which old clients offer newer versions (RFC 5246 §E.2).
pub(super) const fn is_sslv2(header: [u8; 5]) -> bool {
    match header {
        [high, low, 1, 3, 0..=4] | [high, low, 1, 0, 2] => {
            let len = u16::from_be_bytes([high, low]);
            len >= 0x8000 + SSLV2_BYTES_MIN
        }
        _ => false,
    }
}

/// The fixed part of a hello of SSL 2.0.
const SSLV2_BYTES_MIN: u16 = 9;

/// RFC 5246 §6.2.3; TLS 1.3 allows less.
const RECORD_BYTES_MAX: u16 = (1 << 14) + 2048;

impl Record {
    /// The kind and length that a header states; `None` of what is no record of TLS.
    pub(super) fn parse(header: [u8; 5]) -> Option<(RecordKind, u16)> {
        let [kind, major, minor, high, low] = header;
        let kind = RecordKind::of(kind)?;
        let len = u16::from_be_bytes([high, low]);
        (major == 3 && minor <= 4 && len <= RECORD_BYTES_MAX).then_some((kind, len))
    }

    /// What is left of the record after `bytes` more.
    pub(super) fn after(self, bytes: u16) -> Option<Self> {
        let remaining = self.remaining.saturating_sub(bytes);
        (remaining > 0).then_some(Self { remaining, ..self })
    }
}
