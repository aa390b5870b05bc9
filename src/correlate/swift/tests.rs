use std::net::Ipv4Addr;

use super::*;
use crate::wire::{Endpoint, Transport};

fn road(client: u8, server: u8) -> Road {
    let ip = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    Road { client: ip(client), server: Endpoint::new(ip(server), 443), proto: Transport::Tcp }
}

fn swift(second: i64, name: &str, bytes: u64) -> Swift {
    let from = Timestamp::from_nanos(second * 1_000_000_000);
    Swift {
        road: road(7, 1),
        subject: Subject::of(name, 0).expect("a name"),
        direction: Direction::ToClient,
        begins: FrameId::new(0, second.unsigned_abs() + bytes),
        run: Run { from, span: Duration::from_secs(1), bytes },
        whole: true,
        lost: Lost::default(),
    }
}

fn found(swifts: &Swifts) -> Vec<(u64, String)> {
    let at = |second: i64| Timestamp::from_nanos(second * 1_000_000_000);
    let near = swifts.near((road(7, 9), Direction::ToClient), (at(0), at(60)));
    near.map(|swift| (swift.run.bytes, swift.subject.name.to_string())).collect()
}

#[test]
fn the_fastest_of_a_name_is_kept_whatever_the_order() {
    let all: Vec<Swift> = (0..40)
        .map(|n| swift(n % 7, &format!("n{}.example", n % 12), 50_000 + n.unsigned_abs()))
        .collect();
    let mut forward = Swifts::default();
    all.iter().cloned().for_each(|swift| forward.add(swift));
    let (mut one, mut other) = (Swifts::default(), Swifts::default());
    for (place, swift) in all.into_iter().rev().enumerate() {
        if place % 3 == 0 { one.add(swift) } else { other.add(swift) }
    }
    other.merge(one);
    assert_eq!(forward, other);
    assert!(found(&forward).len() <= 2 * NAMES_MAX);
}

#[test]
fn only_the_same_client_network_direction_and_time_are_near() {
    let mut swifts = Swifts::default();
    swifts.add(swift(10, "a.example", 90_000));
    swifts.add(Swift { road: road(8, 1), ..swift(10, "b.example", 90_000) });
    swifts.add(Swift { direction: Direction::ToServer, ..swift(10, "c.example", 90_000) });
    swifts.add(swift(61, "d.example", 90_000));
    assert_eq!(found(&swifts), [(90_000, "a.example".to_owned())]);
}
