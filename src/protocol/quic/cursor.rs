//! A strict reader over a slice: all that was promised is there, or nothing is given.

/// What is left to read of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of one, two, four or eight bytes, as its first two bits tell (RFC 9000 §16).
    pub(super) fn varint(&mut self) -> Option<u64> {
        let first = *self.rest.first()?;
        let len = 1_usize << (first >> 6);
        let (number, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        let low = u64::from(first & 0x3f);
        Some(number.iter().skip(1).fold(low, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// Skips all bytes that equal `byte` at the front.
    pub(super) fn skip_all(&mut self, byte: u8) {
        let run = self.rest.iter().take_while(|&&b| b == byte).count();
        self.rest = self.rest.get(run..).unwrap_or_default();
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_standard() {
        // RFC 9000 §A.1.
        let table: [(&[u8], u64); 5] = [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ];
        for (bytes, number) in table {
            let mut cursor = Cursor::new(bytes);
            assert_eq!((cursor.varint(), cursor.is_empty()), (Some(number), true));
            let mut cut = Cursor::new(&bytes[..bytes.len() - 1]);
            assert_eq!(cut.varint(), None);
        }
    }

    #[test]
    fn what_is_not_there_is_not_given() {
        let mut cursor = Cursor::new(&[0, 0, 1, 2, 3]);
        cursor.skip_all(0);
        assert_eq!((cursor.take(4), cursor.u32()), (None, None));
        assert_eq!(cursor.take(u64::MAX), None);
        assert_eq!((cursor.byte(), cursor.take(2)), (Some(1), Some(&[2, 3][..])));
        cursor.skip_all(0);
        assert!(cursor.is_empty() && cursor.rest().is_empty());
    }
}
