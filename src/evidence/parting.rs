//! How likely chance alone is to part things as they were found parted.

/// Of all ways to take as many flows as `one` has from all flows, the share of those that take of each
/// name all flows or none; `one` and `other` are the flows of each name on either side. From 0 to 1.
///
/// A permutation test (Fisher, The Design of Experiments, 1935, section 21): small where names that
/// were met several times never fell on both sides. The flows counted must have had the chance to.
pub fn chance_of_parting(one: &[usize], other: &[usize]) -> f64 {
    let (taken, all) = (one.iter().sum::<usize>(), one.iter().chain(other).sum::<usize>());
    // Logarithms: there are more ways than a number holds.
    let none = std::iter::repeat_n(f64::NEG_INFINITY, taken);
    let mut whole: Vec<f64> = std::iter::once(0.0).chain(none).collect();
    for size in one.iter().chain(other).filter(|size| **size > 0) {
        let before = whole.clone();
        for (sum, without) in whole.iter_mut().skip(*size).zip(&before) {
            *sum = sum_of_logs(*sum, *without);
        }
    }
    let ways: f64 = (0..taken).map(|n| ((all - n) as f64 / (n + 1) as f64).ln()).sum();
    let whole = whole.last().copied().unwrap_or_default();
    (whole - ways).exp().min(1.0)
}

/// The logarithm of the sum of two numbers given by theirs.
fn sum_of_logs(one: f64, other: f64) -> f64 {
    let (less, more) = if one < other { (one, other) } else { (other, one) };
    if less == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_those_of_the_permutation_test() {
        let close = |one: &[usize], other: &[usize], chance: f64| {
            let seen = chance_of_parting(one, other);
            assert!((seen - chance).abs() < 1e-9, "{one:?} {other:?}: {seen}");
        };
        close(&[1], &[1], 1.0);
        close(&[2], &[2], 2.0 / 6.0);
        close(&[3], &[2, 2], 1.0 / 35.0);
        close(&[3, 2], &[2], 2.0 / 21.0);
        close(&[3, 2, 1], &[2, 1, 1, 1], 20.0 / 462.0);
        close(&[], &[2, 2], 1.0);
        close(&[3, 2], &[], 1.0);
        close(&[0, 2], &[0, 2], 2.0 / 6.0);
        assert!(chance_of_parting(&[8; 64], &[8; 1024]) < 1e-100, "no overflow");
    }
}
