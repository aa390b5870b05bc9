//! Work on many things that several threads share, once the lanes are done.

use std::panic::resume_unwind;
use std::thread;

/// What `work` makes of each of `items`, in their order; where there are many, `threads` share them.
pub(super) fn side_by_side<'a, T: Sync, R: Send>(
    items: &'a [T],
    threads: usize,
    work: impl Fn(&'a T) -> R + Sync,
) -> Vec<R> {
    if threads < 2 || items.len() < SHARED_MIN {
        return items.iter().map(work).collect();
    }
    let each = |share: &'a [T]| share.iter().map(&work).collect::<Vec<R>>();
    thread::scope(|scope| {
        let (own, others) = items.split_at(items.len().div_ceil(threads));
        let others = others.chunks(own.len()).map(|share| scope.spawn(move || each(share)));
        let others: Vec<_> = others.collect();
        let mut all = each(own);
        for share in others {
            all.extend(share.join().unwrap_or_else(|fault| resume_unwind(fault)));
        }
        all
    })
}

/// Fewer are not worth a thread.
const SHARED_MIN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_hands_keep_the_order() {
        for len in [0, 1, SHARED_MIN - 1, SHARED_MIN, SHARED_MIN + 1, 1_000] {
            let items: Vec<usize> = (0..len).collect();
            let squares: Vec<usize> = items.iter().map(|item| item * item).collect();
            for threads in [1, 2, 3, 8, 300] {
                assert_eq!(side_by_side(&items, threads, |item| item * item), squares);
            }
        }
    }
}
