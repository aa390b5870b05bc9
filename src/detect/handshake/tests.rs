use super::super::sample::{SERVER_ISN, down, handshake, opening, scene, up};
use super::*;
use crate::evidence::Confidence;
use crate::verdict;
use crate::wire::{TcpFlags, Ttl};

const SYN_ACK: TcpFlags = TcpFlags::SYN.union(TcpFlags::ACK);
const FORGED_ISN: u32 = 9_000_000;

/// A SYN/ACK as a device would make it.
fn forged(frame: u64, ms: i64) -> Sighting {
    Sighting {
        seq: SeqNumber(FORGED_ISN),
        ttl: Ttl(126),
        window: 8_192,
        dont_fragment: false,
        timestamps: None,
        ..down(frame, ms, SYN_ACK)
    }
}

/// One SYN, a forged answer after 7 ms and the server's after 56.
fn race() -> Vec<Sighting> {
    let [syn, answer] = opening();
    let answer = Sighting { frame: FrameId::new(0, 4), ..answer };
    let ack = Sighting { ack: SeqNumber(FORGED_ISN + 1), ..up(3, 8, TcpFlags::ACK) };
    vec![syn, forged(2, 7), ack, answer]
}

fn judged(log: &[Sighting]) -> Option<Judged> {
    let mut handshake = handshake(log);
    let taken = |seen: &&Sighting| seen.direction == Direction::ToServer && seen.has_ack();
    handshake.completed = log.iter().find(taken).map(|seen| seen.time);
    judge(&scene(&handshake, log))
}

fn confidence(log: &[Sighting]) -> Option<Confidence> {
    verdict::weigh(&judged(log)?.suspicion).map(|verdict| verdict.confidence)
}

fn frames(list: &[FrameId]) -> Vec<u64> {
    list.iter().map(|frame| frame.number()).collect()
}

#[test]
fn the_nearer_answer_with_foreign_headers_is_the_forged_one() {
    let judged = judged(&race()).unwrap();
    assert_eq!(frames(&judged.suspicion.forged), [2]);
    assert_eq!(frames(&judged.suspicion.genuine), [4]);
    assert_eq!(judged.suspicion.trigger, Some(FrameId::new(0, 1)));
    assert_eq!(confidence(&race()), Some(Confidence::Likely));
}

#[test]
fn a_server_that_repeats_its_own_number_confirms_it() {
    let mut log = race();
    log.push(Sighting { seq: SeqNumber(SERVER_ISN), ..down(5, 1_056, SYN_ACK) });
    assert_eq!(confidence(&log), Some(Confidence::Confirmed));
}

#[test]
fn two_machines_at_one_place_that_took_one_address_are_no_proof() {
    let mut log = race();
    // Both after the whole way, a millisecond apart; each then repeats its own number.
    log[1] = forged(2, 55);
    log.push(Sighting { seq: SeqNumber(SERVER_ISN), ..down(5, 1_056, SYN_ACK) });
    assert_ne!(confidence(&log), Some(Confidence::Confirmed));
    log[1] = forged(2, 50);
    assert_eq!(confidence(&log), Some(Confidence::Confirmed));
}

#[test]
fn a_server_that_rejects_the_forged_number_confirms_it_and_its_rst_is_its_own() {
    let mut log = race();
    log.push(Sighting { seq: SeqNumber(FORGED_ISN + 1), ..down(5, 64, TcpFlags::RST) });
    assert_eq!(confidence(&log), Some(Confidence::Confirmed));
    assert_eq!(frames(&judged(&log).unwrap().explained), [5]);
}

#[test]
fn a_client_that_took_an_answer_asks_no_second_time() {
    // The server's first answer was lost before the tap; its RST rejects the number that it never gave,
    // and a second later it repeats its own.
    let [syn, answer] = opening();
    let rejects = Sighting { seq: SeqNumber(FORGED_ISN + 1), ..down(4, 64, TcpFlags::RST) };
    let late = Sighting { seq: answer.seq, ..down(5, 1_056, SYN_ACK) };
    let taken = Sighting { ack: SeqNumber(FORGED_ISN + 1), ..up(3, 8, TcpFlags::ACK) };
    assert_eq!(confidence(&[syn, forged(2, 7), taken, rejects, late]), Some(Confidence::Confirmed));
    // Of one that is silent a second SYN may be missing, which another machine answers.
    assert!(confidence(&[syn, forged(2, 7), late]) < Some(Confidence::Likely));
}

#[test]
fn a_forger_that_loses_the_race_is_still_told_by_its_headers() {
    let [syn, answer] = opening();
    let late = Sighting { time: crate::wire::Timestamp::from_nanos(80_000_000), ..forged(3, 80) };
    let data = Sighting { payload_len: 100, ..down(4, 120, TcpFlags::ACK) };
    let judged = judged(&[syn, answer, late, data]).unwrap();
    assert_eq!(frames(&judged.suspicion.forged), [3]);
}

#[test]
fn two_machines_that_each_got_a_syn_are_no_interference() {
    let [syn, answer] = opening();
    let again = up(3, 1_000, TcpFlags::SYN);
    let other = Sighting { ttl: Ttl(50), ..forged(4, 1_056) };
    assert_eq!(confidence(&[syn, answer, again, other]), None);
}

#[test]
fn a_syn_that_the_network_doubled_is_two_syns() {
    let mut log = race();
    log.insert(1, Sighting { duplicate: true, ..log[0] });
    assert!(confidence(&log) < Some(Confidence::Likely));
}

#[test]
fn two_numbers_with_like_headers_are_not_accused() {
    let [syn, answer] = opening();
    let other = Sighting { seq: SeqNumber(FORGED_ISN), ..down(3, 58, SYN_ACK) };
    assert_eq!(confidence(&[syn, answer, other]), None);
}

#[test]
fn a_repeated_syn_ack_is_nothing() {
    let [syn, answer] = opening();
    let again = Sighting { seq: answer.seq, ..down(3, 1_056, SYN_ACK) };
    assert!(judged(&[syn, answer, again]).is_none());
}

#[test]
fn a_tap_that_sees_each_frame_twice_makes_no_second_syn() {
    let mut log = race();
    log.push(Sighting { seq: SeqNumber(SERVER_ISN), ..down(5, 1_056, SYN_ACK) });
    let alone = confidence(&log);
    let twice: Vec<Sighting> =
        log.iter().flat_map(|seen| [*seen, Sighting { duplicate: true, ..*seen }]).collect();
    assert_eq!(confidence(&twice), alone);
    // The network doubled the SYN alone: two machines may have answered.
    log.insert(1, Sighting { duplicate: true, ..log[0] });
    assert!(confidence(&log) < alone);
}
