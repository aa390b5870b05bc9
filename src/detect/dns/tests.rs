use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::{Grade, Signal, Suspicion};
use crate::protocol::dns::Message;
use crate::wire::{Direction, FrameId, IpHeader, Timestamp, Ttl};

mod again;

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 53));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 10));
const QUESTION: &[u8] = b"\x04news\x07example\0\0\x01\0\x01";
const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\0";
const RA: u16 = 0x8180;

/// A packet of a conversation: milliseconds, way, TTL, IP-ID, message.
#[derive(Clone, Debug)]
struct Shot {
    at: u64,
    way: Direction,
    ttl: u8,
    ip_id: u16,
    bytes: Vec<u8>,
}

fn message(flags: u16, edns: bool, addresses: &[[u8; 4]]) -> Vec<u8> {
    let counts = [1, addresses.len() as u16, 0, u16::from(edns)];
    let header = [0x1234, flags].into_iter().chain(counts).flat_map(u16::to_be_bytes);
    let mut bytes: Vec<u8> = header.chain(QUESTION.iter().copied()).collect();
    for address in addresses {
        bytes.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
        bytes.extend(address);
    }
    if edns {
        bytes.extend(OPT);
    }
    bytes
}

/// The built-in list, read once.
fn list() -> &'static FingerprintSet {
    static LIST: OnceLock<FingerprintSet> = OnceLock::new();
    LIST.get_or_init(FingerprintSet::builtin)
}

fn asks(at: u64) -> Shot {
    let bytes = message(0x0100, true, &[]);
    Shot { at, way: Direction::ToServer, ttl: 64, ip_id: 7 + at as u16, bytes }
}

fn answers(at: u64, addresses: &[[u8; 4]]) -> Shot {
    let bytes = message(RA, true, addresses);
    Shot { at, way: Direction::ToClient, ttl: 53, ip_id: 0, bytes }
}

/// As a simple injector answers: another TTL, an IP-ID, no EDNS.
fn forges(at: u64, addresses: &[[u8; 4]]) -> Shot {
    let bytes = message(RA, false, addresses);
    Shot { ttl: 61, ip_id: 40_000, bytes, ..answers(at, addresses) }
}

fn stamp(shot: &Shot, number: u64) -> Stamp {
    let ip = IpHeader {
        ttl: Ttl(shot.ttl),
        id: Some(shot.ip_id),
        dont_fragment: false,
        traffic_class: 0,
        reassembled: false,
        tunnels: 0,
    };
    let time = Timestamp::from_nanos(shot.at as i64 * 1_000_000);
    Stamp { frame: FrameId::new(0, number), time, ip: Some(ip) }
}

fn exchanges(shots: &[Shot]) -> Vec<Exchange> {
    let list = list();
    let mut book = Book::default();
    for (number, shot) in (1..).zip(shots) {
        let message = Message::read(&shot.bytes, false).expect("a header");
        book.message(message, stamp(shot, number), shot.way, list);
    }
    book.finish(list)
}

/// Judges the only exchange of `shots`, the resolver having answered `usual` others in 56 ms.
fn judged(shots: &[Shot], usual: usize) -> Option<Suspicion> {
    let list = list();
    let mut habits = Habits::default();
    let other = exchanges(&[asks(0), answers(56, &[A])]);
    for exchange in std::iter::repeat_n(&other, usual).flatten() {
        habits.add([CLIENT, SERVER], exchange, Some(list));
    }
    let found = exchanges(shots);
    let [exchange] = found.as_slice() else { panic!("{} exchanges", found.len()) };
    habits.add([CLIENT, SERVER], exchange, Some(list));
    judge(exchange, SERVER, &habits, (list, &Forgeries::default()))
}

fn grade_of(suspicion: &Suspicion, signal: Signal) -> Option<Grade> {
    suspicion.facts.iter().find(|fact| fact.signal == signal).map(|fact| fact.grade)
}

fn numbers(frames: &[FrameId]) -> Vec<u64> {
    frames.iter().map(|frame| frame.number()).collect()
}

/// The site's own address, one of its network, and two of other networks.
const A: [u8; 4] = [203, 0, 113, 10];
const NEAR_A: [u8; 4] = [203, 0, 200, 1];
const B: [u8; 4] = [192, 0, 2, 113];
const C: [u8; 4] = [198, 18, 66, 6];

#[test]
fn conflicts_are_graded_by_what_the_twins_allow() {
    let denied = |at| Shot { bytes: message(RA | 3, false, &[]), ..forges(at, &[]) };
    let cut = |at| Shot { bytes: message(RA | 0x0200, true, &[]), ..answers(at, &[]) };
    let failed = |at| Shot { bytes: message(RA | 2, true, &[]), ..answers(at, &[]) };
    let same_sender = |at| answers(at, &[B]);
    let proof = Some(Grade::Proof);
    let table: Vec<(&str, Vec<Shot>, Option<Grade>)> = vec![
        ("forged, then true", vec![asks(0), forges(7, &[B]), answers(56, &[A])], proof),
        ("denied, then true", vec![asks(0), denied(7), answers(56, &[A])], proof),
        ("two forged", vec![asks(0), forges(7, &[B]), forges(8, &[C]), answers(56, &[A])], proof),
        (
            "the second asked later",
            vec![asks(0), forges(7, &[B]), answers(56, &[A]), asks(400), forges(407, &[B])],
            proof,
        ),
        (
            "no sign of two senders",
            vec![asks(0), same_sender(56), answers(58, &[A])],
            Some(Grade::Full),
        ),
        ("long apart", vec![asks(0), forges(7, &[B]), answers(2500, &[A])], Some(Grade::Full)),
        (
            "asked twice before",
            vec![asks(0), asks(5), forges(7, &[B]), answers(56, &[A])],
            Some(Grade::Half),
        ),
        ("asked twice, rotated", vec![asks(0), asks(5), same_sender(56), answers(58, &[A])], None),
        ("too late to compare", vec![asks(0), same_sender(56), answers(6000, &[A])], None),
        ("a set that rotates", vec![asks(0), answers(56, &[A, B]), answers(58, &[B, C])], None),
        ("neighbours", vec![asks(0), answers(56, &[A]), answers(58, &[NEAR_A])], None),
        ("in another order", vec![asks(0), answers(56, &[A, B]), answers(58, &[B, A])], None),
        ("cut to fit", vec![asks(0), cut(56), answers(58, &[A])], None),
        ("failed, then answered", vec![asks(0), failed(56), answers(58, &[A])], None),
        ("one answer", vec![asks(0), answers(56, &[A])], None),
        ("no question", vec![forges(7, &[B]), answers(56, &[A])], None),
        ("no answer", vec![asks(0)], None),
    ];
    for (name, shots, grade) in table {
        let found = judged(&shots, 5);
        let seen = found.as_ref().and_then(|found| grade_of(found, Signal::DnsConflict));
        assert_eq!(seen, grade, "{name}: {found:#?}");
        assert_eq!(found.is_some(), grade.is_some(), "{name}");
    }
}

#[test]
fn the_forged_one_is_told_from_the_true_one() {
    let first = judged(&[asks(0), forges(7, &[B]), answers(56, &[A])], 5).expect("a suspicion");
    assert_eq!((numbers(&first.forged), numbers(&first.genuine)), (vec![2], vec![3]));
    assert_eq!(first.trigger.map(FrameId::number), Some(1));
    let injector = first.injector.expect("a portrait");
    assert_eq!((injector.hops_min, injector.server_hops), (Some(3), Some(11)));
    assert_eq!(injector.in_path, Some(false));
    // Headers outweigh the order.
    let late = judged(&[asks(0), answers(56, &[A]), forges(70, &[B])], 5).expect("a suspicion");
    assert_eq!((numbers(&late.forged), numbers(&late.genuine)), (vec![3], vec![2]));
    // Where nothing else is known, who forges must be first.
    let alone = judged(&[asks(0), forges(7, &[B]), answers(56, &[A])], 0).expect("a suspicion");
    assert_eq!(numbers(&alone.forged), [2]);
    // All are known to be false: the true answer was swallowed.
    let false_ones = [forges(7, &[[10, 10, 34, 36]]), forges(9, &[[243, 185, 187, 39]])];
    let [one, other] = false_ones;
    let all = judged(&[asks(0), one, other], 5).expect("a suspicion");
    assert_eq!((numbers(&all.forged), numbers(&all.genuine)), (vec![2, 3], vec![]));
}

#[test]
fn who_is_too_soon_himself_is_not_believed() {
    // Two injectors, and the true answer lost.
    let second = |at| Shot { ttl: 60, ip_id: 41_000, ..answers(at, &[C]) };
    let found = judged(&[asks(0), forges(7, &[B]), second(9)], 5).expect("a suspicion");
    assert_eq!((numbers(&found.forged), numbers(&found.genuine)), (vec![2, 3], vec![]));
    assert_eq!(grade_of(&found, Signal::DnsConflict), Some(Grade::Proof));
    assert!(found.injector.is_some_and(|portrait| portrait.in_path.is_none()));
    // What contradicts is shown, and not the last to come.
    let found = judged(&[asks(0), forges(7, &[B]), second(9), forges(11, &[B])], 5);
    let facts = found.map(|found| found.facts).unwrap_or_default();
    let text = facts.iter().find(|fact| fact.signal == Signal::DnsConflict).map(|it| &it.observed);
    assert_eq!(text.map(String::as_str), Some("192.0.2.113 and 198.18.66.6"));
    // The resolver had it in its cache: sooner than ever, but by the same way and program.
    let found = judged(&[asks(0), forges(7, &[B]), answers(20, &[A])], 5).expect("a suspicion");
    assert_eq!((numbers(&found.forged), numbers(&found.genuine)), (vec![2], vec![3]));
    // Without a habit nothing is known of how soon is too soon.
    let found = judged(&[asks(0), forges(7, &[B]), second(9)], 0).expect("a suspicion");
    assert_eq!((numbers(&found.forged), numbers(&found.genuine)), (vec![2], vec![3]));
}

#[test]
fn frames_captured_twice_count_once() {
    let double = |shot: &Shot| Shot { ttl: shot.ttl - 1, at: shot.at, ..shot.clone() };
    let (ask, forged, own) = (asks(0), forges(7, &[B]), answers(56, &[A]));
    let own = Shot { ip_id: 77, ..own };
    let all = [&ask, &forged, &own].map(|shot| [shot.clone(), double(shot)]).concat();
    let found = judged(&all, 5).expect("a suspicion");
    assert_eq!(grade_of(&found, Signal::DnsConflict), Some(Grade::Proof));
    // The network doubled the question, and the resolver answered both.
    let (one, other) = (answers(56, &[A]), answers(58, &[B]));
    assert_eq!(judged(&[ask.clone(), double(&ask), one, other], 5), None);
}

#[test]
fn a_single_answer_is_judged_by_habit() {
    let in_path = [asks(0), forges(7, &[B])];
    let found = judged(&in_path, 5).expect("too soon, and built by another program");
    assert_eq!(grade_of(&found, Signal::DnsFast), Some(Grade::Full));
    assert_eq!(grade_of(&found, Signal::DnsHeaderBreak), Some(Grade::Full));
    assert_eq!(judged(&in_path, 1), None, "one other answer is no habit");
    // Another place behind the same address: sooner, another TTL, the same program.
    let near = Shot { ttl: 61, ..answers(7, &[B]) };
    assert_eq!(judged(&[asks(0), near], 5), None);
}

#[test]
fn a_ttl_that_both_answers_have_tells_them_not_apart() {
    let far = |at, addresses: &[[u8; 4]]| Shot { ttl: 61, ..answers(at, addresses) };
    for usual in [1, 5] {
        let twice = [asks(0), far(56, &[B]), far(60, &[A])];
        let found = judged(&twice, usual).expect("a contradiction");
        assert_eq!(grade_of(&found, Signal::TtlShift), None, "a question doubled on the way");
        let two = [asks(0), far(56, &[B]), answers(60, &[A])];
        let found = judged(&two, usual).expect("a contradiction");
        assert!(grade_of(&found, Signal::TtlShift).is_some());
    }
}

#[test]
fn two_programs_behind_one_address_are_not_two_senders() {
    let list = list();
    let other_program =
        |at, ttl| Shot { bytes: message(RA, false, &[A]), ttl, ..answers(at, &[A]) };
    let judged = |ttl: u8| {
        let mut habits = Habits::default();
        for turn in 0..8_u64 {
            let answer = if turn % 2 == 0 { answers(56, &[A]) } else { other_program(56, ttl) };
            for exchange in exchanges(&[asks(0), answer]) {
                habits.add([CLIENT, SERVER], &exchange, Some(list));
            }
        }
        // A question doubled on the way, which each of the two answers from its own set.
        let other = Shot { bytes: message(RA, false, &[B]), ..other_program(57, ttl) };
        let found = exchanges(&[asks(0), other, answers(60, &[A])]);
        habits.add([CLIENT, SERVER], &found[0], Some(list));
        judge(&found[0], SERVER, &habits, (list, &Forgeries::default())).expect("a contradiction")
    };
    for ttl in [53, 47] {
        let found = judged(ttl);
        assert_eq!(grade_of(&found, Signal::DnsConflict), Some(Grade::Full), "TTL {ttl}");
        assert_eq!(grade_of(&found, Signal::DnsHeaderBreak), None, "TTL {ttl}");
    }
}

#[test]
fn a_fragmented_answer_shows_no_habit_of_its_sender() {
    let list = list();
    let mut habits = Habits::default();
    for exchange in std::iter::repeat_n(&exchanges(&[asks(0), answers(56, &[A])]), 5).flatten() {
        habits.add([CLIENT, SERVER], exchange, Some(list));
    }
    // Sooner, and with an identification: that of its fragments.
    let mut found = exchanges(&[asks(0), Shot { ip_id: 40_000, ..answers(7, &[B]) }]);
    assert!(judge(&found[0], SERVER, &habits, (list, &Forgeries::default())).is_some());
    for reply in &mut found[0].replies {
        reply.stamp.ip = reply.stamp.ip.map(|ip| IpHeader { reassembled: true, ..ip });
    }
    assert_eq!(judge(&found[0], SERVER, &habits, (list, &Forgeries::default())), None);
}

#[test]
fn answers_that_cannot_be_true() {
    let table: [([u8; 4], Option<Grade>); 6] = [
        ([240, 1, 2, 3], Some(Grade::Full)),
        ([0, 1, 2, 3], Some(Grade::Full)),
        ([0, 0, 0, 0], None),
        ([127, 0, 0, 1], None),
        ([192, 168, 1, 1], None),
        (A, None),
    ];
    for (address, grade) in table {
        let found = judged(&[asks(0), answers(56, &[address])], 5);
        let seen = found.and_then(|found| grade_of(&found, Signal::DnsBogus));
        assert_eq!(seen, grade, "{address:?}");
    }
    let listed = judged(&[asks(0), answers(56, &[[10, 10, 34, 36]])], 5).expect("a suspicion");
    assert_eq!(grade_of(&listed, Signal::DnsListed), Some(Grade::Full));
    let device = listed.injector.and_then(|injector| injector.fingerprint);
    assert_eq!(device.as_deref(), Some("iran_dns"));
}

#[test]
fn books_are_bounded() {
    let list = list();
    let mut book = Book::default();
    for number in 0..5_000_u64 {
        let mut asked = message(0x0100, false, &[]);
        asked.splice(0..2, (number as u16).to_be_bytes());
        let shot = Shot { bytes: asked, ..asks(number) };
        let message = Message::read(&shot.bytes, false).expect("a header");
        book.message(message, stamp(&shot, number + 1), shot.way, list);
        assert!(book.memory() < 2 * Book::OPEN_MAX * size_of::<Exchange>(), "{number}");
    }
    let all = book.finish(list);
    assert_eq!(all.len(), Book::TOLD_MAX, "none stands out");
    assert!(all.is_sorted_by_key(Exchange::first_frame));
}

#[test]
fn records_tell_each_question_once() {
    let found = exchanges(&[asks(0), asks(400), answers(456, &[A]), answers(457, &[A])]);
    let record = found[0].record();
    assert_eq!(
        (record.name.as_str(), record.qtype.as_str(), record.queries),
        ("news.example", "A", 2)
    );
    assert_eq!(record.frame.map(FrameId::number), Some(1));
    let told: Vec<_> =
        record.answers.iter().map(|answer| (answer.frame.number(), answer.data.concat())).collect();
    assert_eq!(told, [(3, "203.0.113.10".to_owned()), (4, "203.0.113.10".to_owned())]);
}

fn arb_shot() -> impl Strategy<Value = Shot> {
    let address = prop_oneof![Just(A), Just(B), Just(C), Just([10, 10, 34, 36]), any::<[u8; 4]>()];
    let bytes = prop_oneof![
        8 => (any::<bool>(), prop::collection::vec(address, 0..3), 0_u16..4)
            .prop_map(|(edns, addresses, rcode)| message(RA | rcode, edns, &addresses)),
        4 => Just(message(0x0100, true, &[])),
        1 => prop::collection::vec(any::<u8>(), 12..60),
    ];
    (0_u64..8_000, any::<bool>(), 50_u8..66, 0_u16..3, bytes).prop_map(
        |(at, up, ttl, ip_id, bytes)| {
            let way = if up { Direction::ToServer } else { Direction::ToClient };
            Shot { at, way, ttl, ip_id, bytes }
        },
    )
}

proptest! {
    #[test]
    fn any_conversation_is_judged(mut shots in prop::collection::vec(arb_shot(), 0..40)) {
        shots.sort_by_key(|shot| shot.at);
        let list = list();
        let found = exchanges(&shots);
        prop_assert!(found.iter().all(|exchange| exchange.replies.len() <= Exchange::REPLIES_MAX));
        let mut habits = Habits::default();
        for exchange in &found {
            habits.add([CLIENT, SERVER], exchange, Some(list));
        }
        for suspicion in found.iter().filter_map(|exchange| judge(exchange, SERVER, &habits, (list, &Forgeries::default()))) {
            prop_assert!(!suspicion.forged.is_empty() && suspicion.trigger.is_some());
            prop_assert!(!suspicion.genuine.iter().any(|frame| suspicion.forged.contains(frame)));
            prop_assert!(suspicion.facts.iter().all(|fact| !fact.text.is_empty()));
        }
    }

    #[test]
    fn habits_do_not_depend_on_order(shots in prop::collection::vec(arb_shot(), 0..40), cut in 0_usize..40) {
        let list = list();
        let found = exchanges(&shots);
        let (one, other) = found.split_at(cut.min(found.len()));
        let learn = |exchanges: &mut dyn Iterator<Item = &Exchange>| {
            let mut habits = Habits::default();
            for exchange in exchanges {
                habits.add([CLIENT, SERVER], exchange, Some(list));
            }
            habits
        };
        let mut whole = learn(&mut found.iter());
        let mut merged = learn(&mut other.iter().rev());
        merged.merge(learn(&mut one.iter()));
        whole.settle();
        merged.settle();
        for exchange in &found {
            prop_assert_eq!(
                judge(exchange, SERVER, &whole, (list, &Forgeries::default())),
                judge(exchange, SERVER, &merged, (list, &Forgeries::default()))
            );
        }
    }
}

#[test]
fn who_answers_from_home_without_edns_is_not_held_against_who_has_it_elsewhere() {
    // The resolver's own answer comes from its distance; the one before it, with EDNS, does not.
    let elsewhere = Shot { ttl: 61, ..answers(7, &[B]) };
    let plain = Shot { bytes: message(RA, false, &[A]), ..answers(56, &[A]) };
    let suspicion = judged(&[asks(0), elsewhere.clone(), plain.clone()], 5).unwrap();
    assert_eq!(numbers(&suspicion.forged), [2]);
    // Of two from there, the one that lacks it is not the resolver's program.
    let same_way = Shot { ttl: 53, ..elsewhere };
    let suspicion = judged(&[asks(0), plain, same_way], 5).unwrap();
    assert_eq!(numbers(&suspicion.forged), [2]);
}

#[test]
fn an_answer_built_from_its_question_is_not_a_resolver_s_that_builds_its_own() {
    // The resolver's program and time, from elsewhere, with the question's identification.
    let turned = Shot { ttl: 61, ip_id: asks(0).ip_id, ..answers(57, &[B]) };
    let suspicion = judged(&[asks(0), turned.clone()], 5).expect("a copied identification");
    assert_eq!(grade_of(&suspicion, Signal::IpIdMirror), Some(Grade::Full));
    assert_eq!(grade_of(&suspicion, Signal::TtlShift), Some(Grade::Full));
    // One of its own, from there or from home, and a copied one from home.
    let own = Shot { ip_id: 40_000, ..turned.clone() };
    let home = Shot { ttl: 53, ..turned.clone() };
    for shot in [own, home] {
        assert_eq!(judged(&[asks(0), shot], 5), None);
    }
    // Of two others nothing follows yet.
    assert_eq!(judged(&[asks(0), turned.clone()], 2), None);
    // A resolver that turns all questions round in place, behind a balancer.
    let list = list();
    let mut habits = Habits::default();
    for n in 0..6 {
        let usual = Shot { ip_id: asks(n).ip_id, ..answers(n + 56, &[A]) };
        let usual = exchanges(&[asks(n), usual]);
        habits.add([CLIENT, SERVER], &usual[0], Some(list));
    }
    let found = exchanges(&[asks(0), turned]);
    assert_eq!(judge(&found[0], SERVER, &habits, (list, &Forgeries::default())), None);
}
