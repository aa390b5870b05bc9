//! A tolerant reader over a slice: five verbs, and a length prefix that always becomes a
//! reader of its own.

/// What is left to read of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// A length prefix promised more than there was.
    pub(super) clipped: bool,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, clipped: false }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u24(&mut self) -> Option<u32> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// As many of `len` bytes as there are.
    pub(super) fn clip(&mut self, len: usize) -> Cursor<'a> {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or_else(|| {
            self.clipped = true;
            (self.rest, &[])
        });
        self.rest = rest;
        Cursor::new(taken)
    }

    /// The bytes after a one-byte length.
    pub(super) fn prefixed_u8(&mut self) -> Option<Cursor<'a>> {
        let len = self.byte()?;
        Some(self.clip(usize::from(len)))
    }

    /// The bytes after a two-byte length.
    pub(super) fn prefixed_u16(&mut self) -> Option<Cursor<'a>> {
        let len = self.u16()?;
        Some(self.clip(usize::from(len)))
    }
}
