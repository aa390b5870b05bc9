//! Requests that nobody answers, beside those that were.

use tamperscope::evidence::Signal;
use tamperscope::wire::{Duration, FrameId};

use crate::play::*;

/// The request of the opening, sent again after each of `millis`.
fn again(millis: &[u64]) -> Vec<Packet> {
    millis.iter().map(|ms| client(RTT + 1000 + ms * 1000, ACK, 1, 1, 100)).collect()
}

#[test]
fn a_request_that_is_never_acknowledged_is_told_with_its_copies() {
    let found = unanswered(&again(&[250, 600, 1300, 2700]), 0).unwrap();
    assert_eq!((found.what, found.copies, found.size), (Signal::RequestUnanswered, 5, 100));
    assert_eq!((found.trigger, found.first), (FrameId::new(0, 4), FrameId::new(0, 4)));
    assert_eq!(found.until.since(found.from), Duration::from_millis(2700));
}

#[test]
fn what_was_sent_once_or_acknowledged_late_is_no_silence() {
    assert_eq!(unanswered(&[], 0), None);
    assert_eq!(unanswered(&again(&[250]), 0), None);
    let mut late = again(&[250, 600, 1300]);
    late.push(server(1_500_000, ACK, 1, 101, 0));
    assert_eq!(unanswered(&late, 0), None);
}

#[test]
fn silence_beside_bytes_that_the_capture_lacks_is_none() {
    let copies = again(&[250, 600, 1300, 2700]);
    assert_eq!(unanswered(&copies, 1), None);
    // The client acknowledges data which the capture does not have: the server did answer.
    let mut answered = copies;
    answered.push(client(3_000_000, ACK, 101, 1201, 0));
    assert_eq!(unanswered(&answered, 0), None);
}

#[test]
fn a_server_that_repeats_its_syn_ack_has_a_full_queue() {
    let mut packets = again(&[250, 600, 1300, 2700]);
    packets.push(Packet { ip_id: 0, ..server(3_100_000, SYN_ACK, 0, 1, 0) });
    assert_eq!(unanswered(&packets, 0), None);
}

#[test]
fn a_server_that_resets_was_heard() {
    let mut packets = again(&[250, 600, 1300, 2700]);
    packets.push(server(3_100_000, RST, 1, 0, 0));
    assert_eq!(unanswered(&packets, 0), None);
}

#[test]
fn data_after_an_answer_that_are_never_acknowledged_are_told_as_such() {
    let mut packets =
        vec![server(2 * RTT + 1000, ACK, 1, 101, 1200), client(2 * RTT + 1500, ACK, 101, 1201, 0)];
    packets.extend((0..4).map(|n| client(200_000 + n * 700_000, ACK, 101, 1201, 50)));
    let found = unanswered(&packets, 0).unwrap();
    assert_eq!((found.what, found.copies), (Signal::DataUnanswered, 4));
    assert_eq!((found.trigger, found.first), (FrameId::new(0, 4), FrameId::new(0, 7)));
}

#[test]
fn an_answer_sent_again_though_it_was_acknowledged_is_told() {
    let answer = |n: u64| server(2 * RTT + 1000 + n * 700_000, ACK, 1, 101, 1200);
    let acknowledged = client(2 * RTT + 1500, ACK, 101, 1201, 0);
    let packets = [answer(0), acknowledged, answer(1), answer(2), answer(3), answer(4)];
    let found = unanswered(&packets, 0).unwrap();
    assert_eq!((found.what, found.copies), (Signal::AckWithheld, 4));
    // New data show that the acknowledgment came through after all.
    let goes_on = server(5_000_000, ACK, 1201, 101, 1200);
    assert_eq!(unanswered(&[&packets[..], &[goes_on]].concat(), 0), None);
}

#[test]
fn keep_alives_are_no_data_sent_again() {
    let answer = server(2 * RTT + 1000, ACK, 1, 101, 1200);
    let acknowledged = client(2 * RTT + 1500, ACK, 101, 1201, 0);
    let probes = (1..8).map(|n| server(n * 1_000_000, ACK, 1200, 101, 1));
    let packets: Vec<Packet> = [answer, acknowledged].into_iter().chain(probes).collect();
    assert_eq!(unanswered(&packets, 0), None);
}
