//! A hint to the processor, which changes nothing but time.

/// Bytes that come into the cache together, on most processors.
const LINE: usize = 64;
/// Of what is longer the first are enough: who reads on in order is followed by the processor itself,
/// and bunches of what packets made long would drive each other out.
const LINES_MAX: usize = 32;

/// Asks for `value`, or the first 2 KiB of it, to be brought into the cache, and does not wait for it;
/// what it points to has to be asked for by itself, when it has come.
///
/// It pays where several values are asked for before the first of them is looked at: then the waits
/// overlap. Processors for which there is no such hint do nothing.
#[inline]
pub fn prefetch<T: ?Sized>(value: &T) {
    let first = std::ptr::from_ref(value).cast::<u8>();
    for line in 0..lines(first.addr(), size_of_val(value)) {
        branches::prefetch_read_data::<u8, 0>(first.wrapping_add(line * LINE));
    }
}

/// In how many lines the `len` bytes from `address` on lie, as far as these are asked for.
const fn lines(address: usize, len: usize) -> usize {
    let all = if len == 0 { 0 } else { (address % LINE + len).div_ceil(LINE) };
    if all < LINES_MAX { all } else { LINES_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_value_is_asked_for_unless_it_is_long() {
        let counts = [(0, 0), (5, 0), (0, 1), (0, 64), (0, 65), (63, 1), (63, 2), (1, 128)];
        let counts = counts.map(|(address, len)| lines(4096 + address, len));
        assert_eq!(counts, [0, 0, 1, 1, 2, 1, 2, 3]);
        assert_eq!(lines(0, usize::MAX / 2), LINES_MAX);
    }
}
