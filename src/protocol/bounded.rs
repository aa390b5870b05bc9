//! Growing a buffer that must not outgrow its limit.

/// Appends as many of `more` as fit below `bytes_max`; whether all did.
///
/// Memory grows in powers of two, so that many small pieces cost no more than one large one, and what
/// one buffer gives back fits the next; but never beyond the limit.
pub(super) fn extend(buffer: &mut Vec<u8>, more: &[u8], bytes_max: usize) -> bool {
    let room = bytes_max.saturating_sub(buffer.len());
    let fitting = more.get(..room).unwrap_or(more);
    let needed = buffer.len() + fitting.len();
    if needed > buffer.capacity() {
        let grown = needed.checked_next_power_of_two().unwrap_or(needed).min(bytes_max);
        buffer.reserve_exact(grown.saturating_sub(buffer.len()));
    }
    buffer.extend_from_slice(fitting);
    fitting.len() == more.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_for_length_and_memory() {
        for piece in [1, 7, 100, 5000] {
            let (mut buffer, mut fits) = (Vec::new(), true);
            for _ in 0..1000 {
                let before = buffer.len();
                let now = extend(&mut buffer, &vec![1; piece], 1000);
                assert_eq!(now, before + piece <= 1000);
                fits &= now;
            }
            assert_eq!((buffer.len(), fits), (1000, piece == 1));
            assert!(buffer.capacity() <= 1000);
        }
    }
}
