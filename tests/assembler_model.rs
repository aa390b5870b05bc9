//! The stream assembler against a naive model: any cutting, order, repetition and contradiction.

use proptest::prelude::*;

#[cfg(test)]
mod stream_model;

use stream_model::{ROOMY, Script, Step, TIGHT, check, decode};
use tamperscope::stream::Retention;

fn push_step() -> impl Strategy<Value = Step> {
    // Genuine bytes are common; a third of the segments is forged.
    let version = prop_oneof![2 => Just(0u8), 1 => 1..4u8];
    (0..600u16, 0..60u8, 0..60u8, prop_oneof![9 => Just(false), 1 => Just(true)], version).prop_map(
        |(offset, len, cut, snapped, version)| Step::Push {
            offset,
            len,
            cut: if snapped { cut.min(len) } else { 0 },
            version,
        },
    )
}

fn whole_step() -> impl Strategy<Value = Step> {
    push_step().prop_map(|step| match step {
        Step::Push { offset, len, version, .. } => Step::Push { offset, len, cut: 0, version },
        other => other,
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let retention = prop_oneof![
        Just(Retention::Nothing),
        Just(Retention::Digests),
        (0..800u32).prop_map(Retention::Bytes),
    ];
    prop_oneof![
        12 => push_step(),
        1 => (0..800u16).prop_map(|offset| Step::Ack { offset }),
        1 => retention.prop_map(Step::Retain),
    ]
}

/// Anywhere, or so near the wrap that the script crosses it.
fn base() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), u32::MAX - 700..=u32::MAX]
}

fn steps_of(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn every_byte_and_every_disagreement_is_found(
        base in base(), anchored: bool, steps in steps_of(whole_step()),
    ) {
        check(&Script { base, anchored, limits: ROOMY, steps });
    }

    #[test]
    fn acknowledgments_snapping_and_forgetting_invent_nothing(
        base in base(), anchored: bool, steps in steps_of(any_step()),
    ) {
        check(&Script { base, anchored, limits: ROOMY, steps });
    }

    #[test]
    fn limits_cost_bytes_but_never_order_or_truth(
        base in base(), anchored: bool, steps in steps_of(any_step()),
    ) {
        check(&Script { base, anchored, limits: TIGHT, steps });
    }

    #[test]
    fn any_bytes_are_a_script(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        check(&decode(&bytes));
    }

    /// One stream, cut anywhere, shuffled and doubled, comes out as it went in.
    #[test]
    fn a_shuffled_stream_comes_out_whole(
        base in base(),
        pieces in prop::collection::vec(1..50u8, 1..60).prop_shuffle(),
        order in any::<[u64; 120]>(),
    ) {
        let mut offset = 0;
        let mut steps = Vec::new();
        for len in pieces {
            steps.push(Step::Push { offset, len, cut: 0, version: 0 });
            offset += u16::from(len);
        }
        steps.extend(steps.clone());
        let mut keyed: Vec<_> = order.iter().zip(steps).collect();
        keyed.sort_by_key(|(key, _)| **key);
        let steps = keyed.into_iter().map(|(_, step)| step).collect();
        check(&Script { base, anchored: true, limits: ROOMY, steps });
    }
}
