//! The head of a target's bytes: numbers, taken from the front as long as there are any.

/// What is left of the bytes. Beyond their end everything is zero.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a>(pub &'a [u8]);

impl<'a> Head<'a> {
    /// The next byte.
    pub fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// The next two bytes, big-endian.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    /// The next `len` bytes, or as many as there are.
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// Any power of two.
    pub fn power(&mut self) -> u64 {
        1 << (self.u8() % 64)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        for (to, from) in array.iter_mut().zip(self.bytes(N)) {
            *to = *from;
        }
        array
    }
}
