//! Values at numbered places, in chunks that stay where they are.
//!
//! A list that doubles is copied each time, and for that moment there twice; a table of a million
//! flows is too large for that.

/// A list that only grows.
#[derive(Debug)]
pub(super) struct Slab<T> {
    /// All are full but the last.
    chunks: Vec<Vec<T>>,
}

impl<T> Slab<T> {
    /// Values in a chunk.
    const CHUNK: usize = 1 << Self::BITS;
    const BITS: u32 = 12;

    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        self.chunks.get((place >> Self::BITS) as usize)?.get(Self::within(place))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.chunks.get_mut((place >> Self::BITS) as usize)?.get_mut(Self::within(place))
    }

    /// Adds a value; gives its place.
    pub(super) fn push(&mut self, value: T) -> u32 {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < Self::CHUNK => chunk.push(value),
            // The first chunk grows as a list does: most recordings have few flows.
            None => self.chunks.push(vec![value]),
            Some(_) => {
                let mut chunk = Vec::with_capacity(Self::CHUNK);
                chunk.push(value);
                self.chunks.push(chunk);
            }
        }
        (self.len() - 1) as u32
    }

    pub(super) fn len(&self) -> usize {
        let last = self.chunks.last().map_or(0, Vec::len);
        self.chunks.len().saturating_sub(1) * Self::CHUNK + last
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    const fn within(place: u32) -> usize {
        place as usize & (Self::CHUNK - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_stays_at_its_place() {
        let mut slab = Slab::new();
        let count = 3 * Slab::<u32>::CHUNK as u32 + 7;
        for value in 0..count {
            assert_eq!(slab.push(value), value);
        }
        assert!(slab.iter().copied().eq(0..count));
        assert!((0..count).all(|place| slab.get(place) == Some(&place)));
        assert!(slab.get(count).is_none() && slab.get_mut(u32::MAX).is_none());
    }
}
