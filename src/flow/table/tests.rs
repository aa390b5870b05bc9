//! The flow table: a map, its order of leaving, and floods.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::wire::{Endpoint, Transport};

fn key(n: u16) -> FlowKey {
    let end = |port| Endpoint::new([192, 0, 2, 1].into(), port);
    FlowKey::of(Transport::Tcp, end(n), end(443)).0
}

fn at(secs: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(secs)
}

fn put(table: &mut FlowTable<u16>, n: u16, secs: u64, class: Class) -> SlotId {
    let hash = table.hash(&key(n));
    table.insert(hash, key(n), (at(secs), class), || n)
}

#[test]
fn a_flood_of_half_open_flows_leaves_the_established_ones() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    for n in 0..50 {
        put(&mut table, n, 0, Class::Established);
    }
    for n in 1000..5000 {
        let out = table.make_room();
        assert!(out.is_none_or(|(_, n)| n >= 1000));
        put(&mut table, n, 1, Class::Opening);
    }
    assert_eq!(table.len(), 100);
    for n in 0..50 {
        let hash = table.hash(&key(n));
        assert!(table.find(hash, &key(n)).is_some());
    }
}

#[test]
fn a_flood_takes_its_room_from_its_own() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    for n in 0..5 {
        put(&mut table, n, 0, Class::Opening);
    }
    let flood = (1000..5000).map(|n| {
        let out = table.make_room();
        (out.is_none_or(|(_, n)| n >= 1000), put(&mut table, n, 1, Class::Unanswered))
    });
    assert!(flood.collect::<Vec<_>>().iter().all(|(own, _)| *own));
    let one = table.find(table.hash(&key(1)), &key(1));
    assert!(one.is_some());
    assert_eq!(table.len(), 100);
}

#[test]
fn where_all_are_established_the_first_of_a_flood_makes_room_for_the_rest() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    for n in 0..100 {
        put(&mut table, n, 0, Class::Established);
    }
    let gone: Vec<_> = (1000..5000)
        .filter_map(|n| {
            let out = table.make_room();
            put(&mut table, n, 1, Class::Opening);
            out.map(|(_, n)| n)
        })
        .collect();
    assert_eq!(gone.iter().filter(|n| **n < 1000).count(), 1);
}

#[test]
fn only_flows_that_are_worth_no_more_are_taken_out() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    put(&mut table, 1, 0, Class::Established);
    put(&mut table, 2, 0, Class::Datagrams);
    assert!(table.evict(Class::Unproven, None).is_none());
    put(&mut table, 3, 0, Class::Unproven);
    assert_eq!(table.evict(Class::Unproven, None).map(|(_, n)| n), Some(3));
    assert_eq!(table.evict(Class::Established, None).map(|(_, n)| n), Some(2));
}

#[test]
fn memory_grows_and_shrinks_with_the_flows() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    let empty = table.memory();
    let id = put(&mut table, 1, 0, Class::Opening);
    assert!(table.memory() >= empty + size_of::<Slot<u16>>() + size_of::<Link>());
    let before = table.memory();
    table.remove(id);
    assert_eq!(table.memory(), before - size_of::<Slot<u16>>() - size_of::<Link>());
}

#[test]
fn the_flow_under_way_is_not_taken_out() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    let own = put(&mut table, 1, 0, Class::Opening);
    assert!(table.evict(Class::Established, Some(own)).is_none());
    put(&mut table, 2, 0, Class::Opening);
    assert_eq!(table.evict(Class::Established, Some(own)).map(|(_, n)| n), Some(2));
    assert_eq!(table.evict(Class::Established, None).map(|(_, n)| n), Some(1));
    assert!(table.evict(Class::Established, None).is_none());
}

#[test]
fn flows_leave_when_they_idle_beyond_their_class() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    put(&mut table, 1, 0, Class::Opening);
    put(&mut table, 2, 0, Class::Established);
    let third = put(&mut table, 3, 0, Class::Opening);
    table.touch(third, at(100), Class::Opening);
    assert!(table.expire(at(130)).is_none());
    assert_eq!(table.expire(at(131)).map(|(_, n)| n), Some(1));
    assert!(table.expire(at(131)).is_none());
    assert!(table.expire(at(230)).is_none());
    assert!(!table.is_overdue(third, at(230)));
    assert!(table.is_overdue(third, at(231)));
    assert_eq!(table.expire(at(231)).map(|(_, n)| n), Some(3));
    assert_eq!(table.expire(at(3601)).map(|(_, n)| n), Some(2));
    assert!(table.is_empty());
}

#[test]
fn flows_wait_for_each_other_to_leave_together() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    let first = put(&mut table, 1, 0, Class::Opening);
    let soon = |millis| at(130) + Duration::from_millis(millis);
    let second = put(&mut table, 2, 0, Class::Established);
    table.touch(second, at(0) + Duration::from_millis(60), Class::Opening);
    assert!(table.expire(soon(99)).is_none() && !table.is_due(soon(99)));
    assert!(table.is_overdue(first, soon(1)), "whether a packet continues it is another matter");
    let leave = |table: &mut FlowTable<u16>| table.expire(soon(100)).map(|(_, n)| n);
    assert_eq!([leave(&mut table), leave(&mut table), leave(&mut table)], [Some(1), Some(2), None]);
}

#[test]
fn what_is_over_grows_cold_before_it_leaves() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    let first = put(&mut table, 1, 0, Class::Over);
    let second = put(&mut table, 2, 0, Class::Over);
    let third = put(&mut table, 3, 0, Class::Established);
    table.touch(second, at(10), Class::Over);
    assert!(table.cool(at(15)).is_none() && !table.is_cold(first, at(15)));
    assert!(table.is_cold(first, at(16)) && !table.is_cold(second, at(16)));
    assert_eq!(table.cool(at(16)), Some(first));
    assert!(table.cool(at(16)).is_none());
    assert!(!table.is_cold(first, at(16)), "once");
    assert_eq!(table.cool(at(26)), Some(second));
    assert!(table.cool(at(1000)).is_none() && !table.is_cold(third, at(1000)));
    assert!(table.expire(at(60)).is_none() && !table.is_overdue(first, at(60)));
    assert_eq!(table.expire(at(61)).map(|(_, n)| n), Some(1), "as if it had not cooled");
    table.touch(second, at(65), Class::Over);
    assert!(table.is_cold(second, at(81)), "again");
    assert_eq!(table.evict(Class::Cold, None), None);
    assert_eq!(table.cool(at(81)), Some(second));
    assert_eq!(table.evict(Class::Cold, None).map(|(_, n)| n), Some(2));
}

#[test]
fn the_last_acknowledgment_makes_no_flow_wait_twice() {
    let mut table = FlowTable::new(100, Idle::default(), FlowHasher::recorded());
    let first = put(&mut table, 1, 0, Class::Over);
    table.touch(first, at(1), Class::Over);
    put(&mut table, 2, 14, Class::Over);
    assert!(table.cool(at(16)).is_none());
    assert_eq!(table.cool(at(17)), Some(first));
}

proptest! {
    #[test]
    fn behaves_like_a_map(script in prop::collection::vec((0u16..40, 0u8..4), 0..400)) {
        let mut table = FlowTable::new(1000, Idle::default(), FlowHasher::recorded());
        let mut model = HashMap::new();
        for (step, (n, action)) in script.into_iter().enumerate() {
            let hash = table.hash(&key(n));
            let found = table.find(hash, &key(n));
            prop_assert_eq!(found.is_some(), model.contains_key(&n));
            match (found, action) {
                (None, 0 | 1) => {
                    put(&mut table, n, step as u64, Class::Opening);
                    model.insert(n, n);
                }
                (Some(id), 2) => {
                    prop_assert_eq!(table.remove(id).map(|(_, v)| v), model.remove(&n));
                }
                (Some(id), _) => table.touch(id, at(step as u64), Class::Established),
                _ => {}
            }
            prop_assert_eq!(table.len(), model.len());
        }
        let mut left: Vec<_> = table.drain_by(|_| 0).map(|(_, n)| n).collect();
        left.sort_unstable();
        let mut expected: Vec<_> = model.into_keys().collect();
        expected.sort_unstable();
        prop_assert_eq!(left, expected);
    }
}

#[test]
fn a_bunch_is_what_ends_next_in_its_order() {
    let mut table = FlowTable::new(1000, Idle::default(), FlowHasher::recorded());
    let touched = put(&mut table, 0, 0, Class::Over);
    for n in 1..=BUNCH_MAX as u16 + 3 {
        put(&mut table, n, u64::from(n), Class::Over);
        if n == 2 {
            table.touch(touched, at(2), Class::Over);
        }
    }
    assert!(table.next_to_expire(at(61)).is_empty() && table.next_to_cool(at(15)).is_empty());

    let cooling: Vec<SlotId> = table.next_to_cool(at(19)).into_iter().collect();
    let cooled: Vec<SlotId> = std::iter::from_fn(|| table.cool(at(19))).collect();
    assert_eq!((cooling.len(), &cooling), (4, &cooled), "1, 2, the touched one, and 3");

    let late = at(500);
    assert_eq!(table.next_to_cool(late).len(), BUNCH_MAX);
    while !table.is_empty() {
        let bunch = table.next_to_expire(late);
        assert!(!bunch.is_empty());
        let next: Vec<Option<u16>> = bunch.iter().map(|id| table.flow(*id).copied()).collect();
        let gone: Vec<Option<u16>> =
            bunch.iter().map(|_| table.expire(late).map(|(_, n)| n)).collect();
        assert_eq!(next, gone);
    }
    assert!(table.next_to_expire(late).is_empty());
}
