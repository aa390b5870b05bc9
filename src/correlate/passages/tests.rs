use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn passage(second: i64, name: u8, server: u8) -> Passage {
    let ip = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    Passage {
        road: Road { client: ip(7), server: Endpoint::new(ip(server), 443), proto: Transport::Tcp },
        subject: Subject::of(&format!("name-{name}.example"), 0).expect("a name"),
        answered: true,
        begins: FrameId::new(0, second.unsigned_abs() + 1),
        time: Timestamp::from_nanos(second * 1_000_000_000),
        size: 500 + u32::from(name),
    }
}

#[test]
fn what_passed_is_found_by_road_network_and_time() {
    let mut all = Passages::default();
    for (second, name, server) in [(10, 1, 1), (12, 1, 1), (14, 1, 1), (100, 2, 9), (500, 3, 1)] {
        all.add(passage(second, name, server));
    }
    all.merge(Passages::default());
    let at = |second: i64| Timestamp::from_nanos(second * 1_000_000_000);
    let road = passage(0, 0, 1).road;
    let found: Vec<_> = all
        .near(road, (at(0), at(130)))
        .map(|(server, passed)| (server.to_string(), passed.earliest.0, passed.latest.0))
        .collect();
    let expected = [("192.0.2.1", at(10), at(14)), ("192.0.2.9", at(100), at(100))];
    assert_eq!(found, expected.map(|(server, one, two)| (server.to_owned(), one, two)));
    let subject = passage(0, 1, 1).subject;
    let times = all.times_of(road, &subject, (at(11), at(600))).expect("nothing was given up");
    assert_eq!(times.map(|(time, _)| time).collect::<Vec<_>>(), [at(14)]);
    let elsewhere =
        Road { server: Endpoint::new("198.51.100.1".parse().expect("address"), 443), ..road };
    assert_eq!(all.near(elsewhere, (at(0), at(600))).count(), 0);
}

#[test]
fn names_are_those_of_records_and_no_longer() {
    assert_eq!(Subject::of("WWW.Example.", 0), Subject::of("www.example", 0));
    assert_eq!(Subject::of("", 0), None);
    assert_eq!(Subject::of(&"a".repeat(300), 0), None);
}

proptest! {
    #[test]
    fn neither_order_nor_lanes_matter(
        sights in prop::collection::vec((0i64..200, 0u8..20, 0u8..3, any::<bool>()), 0..80),
        cut in 0usize..80,
    ) {
        let mut whole = Passages::default();
        for (at, name, server, _) in &sights {
            whole.add(passage(*at, *name, *server));
        }
        whole.merge(Passages::default());
        let mut lanes = [Passages::default(), Passages::default()];
        for (at, name, server, lane) in sights.iter().rev() {
            lanes[usize::from(*lane)].add(passage(*at, *name, *server));
        }
        let [mut one, other] = lanes;
        one.merge(other);
        prop_assert_eq!(&one, &whole);
        let mut turned = Passages::default();
        let cut = cut.min(sights.len());
        for (at, name, server, _) in sights[cut..].iter().chain(&sights[..cut]) {
            turned.add(passage(*at, *name, *server));
        }
        turned.merge(Passages::default());
        prop_assert_eq!(&turned, &whole);
        let mut narrow = [Passages::with_room(3, 5), Passages::with_room(2, 4)];
        for (at, name, server, lane) in &sights {
            narrow[usize::from(*lane)].add(passage(*at, *name, *server));
        }
        let [mut kept, other] = narrow;
        kept.settle();
        kept.merge(other);
        let slots = |all: &Passages| all.slots.from(|_| false).cloned().collect::<Vec<_>>();
        let named = |all: &Passages| all.named.from(|_| false).copied().collect::<Vec<_>>();
        let (mut all_slots, mut all_named) = (slots(&whole), named(&whole));
        all_slots.retain(|(place, _)| !kept.is_beyond(place));
        all_named.retain(|named| kept.named_until.is_none_or(|until| named.key < until));
        prop_assert_eq!(slots(&kept), all_slots, "what is kept is complete");
        prop_assert_eq!(named(&kept), all_named);
        prop_assert!(named(&kept).len() <= 5);
        let mut kept = BTreeMap::new();
        whole.slots.from(|_| false).for_each(|(place, _)| *kept.entry(place).or_insert(0) += 1);
        prop_assert!(kept.values().all(|names| *names <= NAMES_MAX));
    }
}
