//! A view of one layer's bytes that also knows how many of them the capture left out.

use super::Skip;

/// The captured bytes of a layer, and how many more of it were on the wire.
///
/// Where a frame was snapped, the missing bytes are always the last ones; a header's length
/// field may cut them off again, as it cuts off the link's padding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Octets<'a> {
    bytes: &'a [u8],
    missing: u32,
}

impl<'a> Octets<'a> {
    /// `bytes` of a layer that was `wire_len` bytes long.
    pub(super) const fn new(bytes: &'a [u8], wire_len: u32) -> Self {
        Self { bytes, missing: wire_len.saturating_sub(bytes.len() as u32) }
    }

    /// What was captured.
    pub(super) const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How long the layer was on the wire.
    pub(super) const fn wire_len(self) -> u32 {
        (self.bytes.len() as u32).saturating_add(self.missing)
    }

    /// The layer behind the first `n` bytes, if so many were captured.
    pub(super) fn skip(self, n: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes.get(n..)?, missing: self.missing })
    }

    /// The layer cut to the `wire_len` bytes that its header states.
    ///
    /// A header that states more than the link carried is believed: then bytes are missing.
    pub(super) fn limit(self, wire_len: u32) -> Self {
        let bytes = self.bytes.get(..wire_len as usize).unwrap_or(self.bytes);
        Self::new(bytes, wire_len)
    }

    /// `truncated` where the capture left bytes out, else `bad`: why a header does not fit.
    pub(super) const fn too_short(self, truncated: Skip, bad: Skip) -> Skip {
        if self.missing > 0 { truncated } else { bad }
    }

    /// The `N` bytes at `at`.
    pub(super) fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk::<N>().copied()
    }

    /// The byte at `at`.
    pub(super) fn u8(self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The big-endian 16-bit number at `at`.
    pub(super) fn be16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    /// The big-endian 32-bit number at `at`.
    pub(super) fn be32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// The little-endian 16-bit number at `at`.
    pub(super) fn le16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// The little-endian 32-bit number at `at`.
    pub(super) fn le32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_field_cuts_padding_and_reveals_what_is_missing() {
        let snapped = Octets::new(&[1, 2, 3, 4], 10);
        assert_eq!(snapped.wire_len(), 10);
        assert_eq!((snapped.limit(3).bytes().len(), snapped.limit(3).wire_len()), (3, 3));
        assert_eq!((snapped.limit(6).bytes().len(), snapped.limit(6).wire_len()), (4, 6));
        assert_eq!(snapped.limit(12).wire_len(), 12);
        assert_eq!(snapped.skip(4).map(Octets::wire_len), Some(6));
        assert!(snapped.skip(5).is_none());
    }

    #[test]
    fn reads_stay_inside_the_captured_bytes() {
        let octets = Octets::new(&[1, 2, 3, 4], 4);
        assert_eq!(octets.be16(2), Some(0x0304));
        assert_eq!(octets.le16(2), Some(0x0403));
        assert_eq!(octets.be32(0), Some(0x0102_0304));
        assert_eq!(octets.le32(1), None);
        assert_eq!(octets.u8(usize::MAX), None);
    }
}
