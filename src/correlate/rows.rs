//! Many values in rows of one size.
//!
//! A list that doubles is copied each time, and for that moment there twice. Here nothing is moved when
//! more comes; and where one lot is made of another, row by row, the rows that were read are used again
//! for those that are written.

use std::vec;

/// A list of values. All rows are full but the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rows<T> {
    rows: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), len: 0 }
    }
}

impl<T> Rows<T> {
    /// Values of a row: an allocator has nothing to round.
    const ROW: usize = ROW_BYTES / size_of::<T>();

    /// Adds a value; gives its place.
    pub(super) fn push(&mut self, value: T) -> usize {
        if self.len.is_multiple_of(Self::ROW) {
            self.rows.push(Vec::with_capacity(Self::ROW));
        }
        if let Some(row) = self.rows.last_mut() {
            row.push(value);
        }
        self.len += 1;
        self.len - 1
    }

    /// Takes the value at `place` out, where there is one; the last one comes there.
    pub(super) fn swap_remove(&mut self, place: usize) {
        let Some(last) = (place < self.len).then(|| self.pop()).flatten() else { return };
        if let Some(value) = self.get_mut(place) {
            *value = last;
        }
    }

    fn pop(&mut self) -> Option<T> {
        let value = self.rows.last_mut()?.pop()?;
        if self.rows.last().is_some_and(Vec::is_empty) {
            self.rows.pop();
        }
        self.len -= 1;
        Some(value)
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&T> {
        self.rows.get(place / Self::ROW)?.get(place % Self::ROW)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.rows.get_mut(place / Self::ROW)?.get_mut(place % Self::ROW)
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Keeps the first `len` values.
    pub(super) fn truncate(&mut self, len: usize) {
        self.rows.truncate(len.div_ceil(Self::ROW));
        if len < self.len
            && let Some(last) = self.rows.last_mut()
        {
            last.truncate(len - (len - 1) / Self::ROW * Self::ROW);
        }
        self.len = self.len.min(len);
    }

    /// Keeps the values for which `keep` holds, in their order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut kept = 0;
        for place in 0..self.len {
            if self.get(place).is_some_and(&mut keep) {
                self.swap(kept, place);
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    /// Swaps the values at `one` and at `other`, which is none before it.
    fn swap(&mut self, one: usize, other: usize) {
        let (row, others) = (one / Self::ROW, other / Self::ROW);
        let (place, other) = (one % Self::ROW, other % Self::ROW);
        if row == others {
            if let Some(row) = self.rows.get_mut(row).filter(|_| place != other) {
                row.swap(place, other);
            }
        } else if let Some((before, after)) = self.rows.split_at_mut_checked(others) {
            let one = before.get_mut(row).and_then(|row| row.get_mut(place));
            let other = after.first_mut().and_then(|row| row.get_mut(other));
            if let Some((one, other)) = one.zip(other) {
                std::mem::swap(one, other);
            }
        }
    }

    /// How many of the first values are `before` the others.
    pub(super) fn partition_point(&self, mut before: impl FnMut(&T) -> bool) -> usize {
        let full = self.rows.partition_point(|row| row.last().is_some_and(&mut before));
        let rest = self.rows.get(full).map_or(0, |row| row.partition_point(before));
        (full * Self::ROW + rest).min(self.len)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.rows.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().flatten()
    }

    /// The values from `place` on.
    pub(super) fn from(&self, place: usize) -> impl Iterator<Item = &T> {
        let rows = self.rows.get(place / Self::ROW..).unwrap_or_default();
        rows.iter().flatten().skip(place % Self::ROW)
    }

    pub(super) fn into_values(self) -> IntoValues<T> {
        IntoValues { rows: self.rows.into_iter(), row: Vec::new().into_iter() }
    }

    /// Bytes of the rows.
    pub(super) const fn memory(&self) -> usize {
        self.rows.len() * ROW_BYTES
    }
}

/// Bytes of a row.
const ROW_BYTES: usize = 64 << 10;

/// What comes next can be seen.
pub(super) trait Ahead: Iterator {
    /// The value that [`Iterator::next`] will give.
    fn first(&mut self) -> Option<&Self::Item>;
}

/// The values of [`Rows`], which are given back row by row.
#[derive(Debug)]
pub(super) struct IntoValues<T> {
    rows: vec::IntoIter<Vec<T>>,
    row: vec::IntoIter<T>,
}

impl<T> IntoValues<T> {
    #[inline]
    fn turn(&mut self) {
        if self.row.as_slice().is_empty()
            && let Some(next) = self.rows.next()
        {
            self.row = next.into_iter();
        }
    }
}

impl<T> Iterator for IntoValues<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.turn();
        self.row.next()
    }
}

impl<T> Ahead for IntoValues<T> {
    #[inline]
    fn first(&mut self) -> Option<&T> {
        self.turn();
        self.row.as_slice().first()
    }
}

impl<T> Ahead for vec::Drain<'_, T> {
    #[inline]
    fn first(&mut self) -> Option<&T> {
        self.as_slice().first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large, so that few fill a row.
    type Value = [u64; 1 << 10];
    const ROW: usize = Rows::<Value>::ROW;

    fn rows(count: usize) -> Rows<Value> {
        let mut rows = Rows::default();
        for number in 0..count {
            assert_eq!(rows.push([number as u64; 1 << 10]), number);
        }
        rows
    }

    fn numbers(rows: &Rows<Value>) -> Vec<u64> {
        assert_eq!(rows.iter().count(), rows.len());
        assert_eq!(rows.memory(), rows.len().div_ceil(ROW) * ROW_BYTES);
        assert!((0..rows.len()).all(|place| rows.get(place) == rows.from(place).next()));
        assert!(rows.get(rows.len()).is_none() && rows.from(rows.len()).next().is_none());
        rows.iter().map(|value| value[0]).collect()
    }

    #[test]
    fn behaves_like_a_list() {
        for count in [0, 1, ROW - 1, ROW, ROW + 1, 3 * ROW, 3 * ROW + 5] {
            let all: Vec<u64> = (0..count as u64).collect();
            assert_eq!(numbers(&rows(count)), all);
            assert_eq!(rows(count).into_values().map(|value| value[0]).collect::<Vec<_>>(), all);
            let mut ahead = rows(count).into_values();
            while let Some(first) = ahead.first().copied() {
                assert_eq!(ahead.next(), Some(first));
            }
            assert!(ahead.next().is_none());
            for part in [0, 1, ROW - 1, ROW, ROW + 1, 2 * ROW, 9 * ROW] {
                let mut list = all.clone();
                let mut cut = rows(count);
                assert_eq!(
                    cut.partition_point(|value| value[0] < part as u64),
                    list.partition_point(|number| *number < part as u64)
                );
                cut.truncate(part);
                list.truncate(part);
                assert_eq!(numbers(&cut), list, "the first {part} of {count}");
                let keep = |number: u64| number % (part as u64 + 2) != 1 && number > 2;
                let (mut kept, mut list) = (rows(count), all.clone());
                kept.retain(|value| keep(value[0]));
                list.retain(|number| keep(*number));
                assert_eq!(numbers(&kept), list);
                if part < count {
                    let (mut rest, mut list) = (rows(count), all.clone());
                    rest.swap_remove(part);
                    list.swap_remove(part);
                    assert_eq!(numbers(&rest), list);
                }
            }
        }
    }
}
