//! Values at numbered places, in chunks that stay where they are.
//!
//! A list that doubles is copied each time, and for that moment there twice; a table of a million
//! flows is too large for that.

/// Bytes of a chunk: what allocators hand out of this size they do not round up.
const CHUNK_BYTES: usize = 512 << 10;

/// A list that only grows.
#[derive(Debug)]
pub(super) struct Slab<T> {
    /// All are full but the last.
    chunks: Vec<Vec<T>>,
}

impl<T> Slab<T> {
    /// Values in a chunk.
    const CHUNK: usize = CHUNK_BYTES / size_of::<T>();

    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        let place = place as usize;
        self.chunks.get(place / Self::CHUNK)?.get(place % Self::CHUNK)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let place = place as usize;
        self.chunks.get_mut(place / Self::CHUNK)?.get_mut(place % Self::CHUNK)
    }

    /// Adds a value; gives its place.
    pub(super) fn push(&mut self, value: T) -> u32 {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < Self::CHUNK => {
                // The first chunk grows as a list does, for most recordings have few flows; but no
                // further than it may.
                if chunk.len() == chunk.capacity() {
                    chunk.reserve_exact(chunk.len().min(Self::CHUNK - chunk.len()));
                }
                chunk.push(value);
            }
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
        let full = CHUNK_BYTES - size_of::<u32>()..=CHUNK_BYTES;
        assert!(
            slab.chunks.iter().all(|chunk| full.contains(&(chunk.capacity() * size_of::<u32>())))
        );
    }
}
