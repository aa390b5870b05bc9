use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::evidence::{Confidence, Lost, Run, Slices};
use crate::verdict;
use crate::wire::{Endpoint, Timestamp, Transport};

fn road(server: u8) -> Road {
    let ip = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    Road { client: ip(7), server: Endpoint::new(ip(server), 443), proto: Transport::Tcp }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

fn subject(name: &str) -> Subject {
    Subject::of(name, 0).expect("a name")
}

/// A flow for `name` that began at `second` and was held to 20 kB a second for ten seconds.
fn slow(second: i64, name: &str) -> Slow {
    let frame = |n: u64| FrameId::new(0, 1_000 * second.unsigned_abs() + n);
    let (begun, onset, last) = (at(second * 1_000), second * 1_000 + 200, second * 1_000 + 10_200);
    let mut slices = Slices::default();
    (0..=40).for_each(|n| slices.note(Duration::from_millis(250 * n)));
    Slow {
        road: road(1),
        subject: subject(name),
        source: HostSource::Sni,
        trigger: frame(4),
        begins: frame(1),
        ceiling: Ceiling {
            direction: Direction::ToClient,
            begun,
            onset: (frame(30), at(onset)),
            felt: at(onset - 50),
            last: (frame(400), at(last)),
            losses: 41,
            lost: Lost { before: 200, beyond: 0 },
            rate: 20_000,
            burst: 10_000,
            holds: None,
            wobble: 1_500,
            reach: 200_000,
            slices,
            beyond: false,
        },
    }
}

/// 120 kB in 200 ms for `name` from `server`, begun at `millis`.
fn fast(millis: i64, name: &str, server: u8) -> Swift {
    Swift {
        road: road(server),
        subject: subject(name),
        direction: Direction::ToClient,
        begins: FrameId::new(0, millis.unsigned_abs()),
        run: Run { from: at(millis), span: Duration::from_millis(200), bytes: 120_000 },
        whole: true,
        lost: Lost::default(),
    }
}

fn judge(all: &[Slow], fast: impl IntoIterator<Item = Swift>) -> Option<Throttled> {
    let mut swifts = Swifts::default();
    fast.into_iter().for_each(|swift| swifts.add(swift));
    Slows::of(all).judge(&all[0], &swifts)
}

fn level(all: &[Slow], fast: impl IntoIterator<Item = Swift>) -> Option<Confidence> {
    let judged = judge(all, fast)?;
    Some(verdict::weigh(&judged.suspicion)?.confidence)
}

#[test]
fn a_ceiling_beside_a_faster_flow_is_likely_and_tells_its_rate() {
    let judged = judge(&[slow(100, "a.example")], [fast(103_000, "b.example", 1)]);
    let Throttled { control, policed, suspicion } = judged.expect("a suspicion");
    assert_eq!(control, FrameId::new(0, 103_000));
    assert_eq!((policed.rate_bps, policed.burst_bytes), (160_000, 10_000));
    assert_eq!((policed.control_bps, policed.onset), (Some(4_800_000), at(100_200)));
    assert!(suspicion.forged.is_empty());
    let level = level(&[slow(100, "a.example")], [fast(103_000, "b.example", 1)]);
    assert_eq!(level, Some(Confidence::Likely));
}

#[test]
fn without_a_faster_flow_nothing_is_told() {
    assert_eq!(judge(&[slow(100, "a.example")], []), None);
    let far = [fast(300_000, "b.example", 1)];
    assert_eq!(judge(&[slow(100, "a.example")], far), None);
    let same = [Swift { begins: slow(100, "a.example").begins, ..fast(103_000, "b.example", 1) }];
    assert_eq!(judge(&[slow(100, "a.example")], same), None);
    let upload = [Swift { direction: Direction::ToServer, ..fast(103_000, "b.example", 1) }];
    assert_eq!(judge(&[slow(100, "a.example")], upload), None);
    let mut little = fast(103_000, "b.example", 1);
    little.run.bytes = 40_000;
    assert_eq!(judge(&[slow(100, "a.example")], [little]), None);
}

#[test]
fn a_flow_that_came_before_may_have_used_up_the_burst_of_the_line() {
    let before = [fast(97_000, "b.example", 1)];
    let judged = judge(&[slow(100, "a.example")], before.clone()).expect("a suspicion");
    assert!(judged.suspicion.alternatives.iter().any(|cause| cause.contains("whole line")));
    assert_eq!(level(&[slow(100, "a.example")], before), Some(Confidence::Possible));
}

#[test]
fn soon_after_no_bucket_of_the_line_could_have_filled_and_long_after_it_could() {
    let after = |millis| level(&[slow(100, "a.example")], [fast(millis, "b.example", 1)]);
    assert_eq!(after(110_500), Some(Confidence::Likely));
    assert_eq!(after(140_000), Some(Confidence::Possible));
}

#[test]
fn a_run_out_of_the_same_bucket_would_bend_the_line() {
    // Two bouts of losses, and seven seconds between them in which a bucket may fill.
    let bouts = |second: &[u64]| {
        let mut slow = slow(100, "a.example");
        let mut slices = Slices::default();
        let first = (0..6).map(|n| 250 * n);
        first.chain(second.iter().copied()).for_each(|at| slices.note(Duration::from_millis(at)));
        slow.ceiling.slices = slices;
        [slow]
    };
    let mut run = fast(108_500, "b.example", 1);
    run.run.bytes = 60_000;
    let run = || [run.clone()];
    assert_eq!(level(&bouts(&[9_000, 9_250, 9_500, 10_000]), run()), Some(Confidence::Likely));
    // Too few points behind it, or a line that is crooked by as much.
    assert_eq!(level(&bouts(&[10_000]), run()), Some(Confidence::Possible));
    let mut crooked = bouts(&[9_000, 9_250, 9_500, 10_000]);
    crooked[0].ceiling.wobble = 4_300;
    assert_eq!(level(&crooked, run()), Some(Confidence::Possible));
}

#[test]
fn a_bucket_that_runs_over_is_full_before_long() {
    let mut slow = slow(100, "a.example");
    let late = [fast(140_000, "b.example", 1)];
    assert_eq!(level(&[slow.clone()], late.clone()), Some(Confidence::Possible));
    slow.ceiling.holds = Some(30_000);
    assert_eq!(level(&[slow.clone()], late.clone()), Some(Confidence::Likely));
    slow.ceiling.holds = Some(60_000);
    assert_eq!(level(&[slow], late), Some(Confidence::Possible));
}

#[test]
fn a_control_that_loses_as_much_is_none_and_one_from_elsewhere_is_half_a_control() {
    let lossy =
        |before, beyond| Swift { lost: Lost { before, beyond }, ..fast(103_000, "b.example", 1) };
    assert_eq!(level(&[slow(100, "a.example")], [lossy(150, 0)]), None);
    // What was lost on the other side of the capture point was not lost in the same queue.
    assert_eq!(level(&[slow(100, "a.example")], [lossy(0, 150)]), Some(Confidence::Likely));
    let mut uneven = lossy(40, 0);
    uneven.run.span = Duration::from_millis(1_300);
    assert_eq!(level(&[slow(100, "a.example")], [uneven.clone()]), None);
    uneven.lost.before = 33;
    assert_eq!(level(&[slow(100, "a.example")], [uneven]), Some(Confidence::Likely));
    let beside = [fast(103_000, "b.example", 2)];
    assert_eq!(level(&[slow(100, "a.example")], beside), Some(Confidence::Possible));
}

#[test]
fn losses_off_the_line_or_few_are_no_ceiling() {
    let mut slow = slow(100, "a.example");
    slow.ceiling.wobble = 14_000;
    assert_eq!(judge(&[slow.clone()], [fast(103_000, "b.example", 1)]), None);
    slow.ceiling.wobble = 10_000;
    assert_eq!(level(&[slow.clone()], [fast(103_000, "b.example", 1)]), Some(Confidence::Possible));
    // A bucket's line is no thicker for being long; chance's is.
    slow.ceiling.reach = 600_000;
    assert_eq!(level(&[slow.clone()], [fast(103_000, "b.example", 1)]), Some(Confidence::Possible));
    slow.ceiling.wobble = 1_000;
    assert_eq!(level(&[slow.clone()], [fast(103_000, "b.example", 1)]), Some(Confidence::Likely));
    slow.ceiling.lost.before = 20;
    assert_eq!(judge(&[slow], [fast(103_000, "b.example", 1)]), None);
}

#[test]
fn other_names_held_too_speak_for_the_line() {
    let all = [slow(100, "a.example"), slow(101, "c.example"), slow(102, "d.example")];
    let control = [fast(97_000, "b.example", 1)];
    assert_eq!(level(&all, control), None);
    // Two names may be on a list; a control in full excludes the line.
    let two = [slow(100, "a.example"), slow(101, "c.example")];
    assert_eq!(level(&two, [fast(103_000, "b.example", 1)]), Some(Confidence::Likely));
    assert_eq!(level(&all, [fast(103_000, "b.example", 1)]), Some(Confidence::Likely));
    let more = [all.as_slice(), &[slow(103, "e.example")]].concat();
    assert_eq!(level(&more, [fast(103_000, "b.example", 1)]), Some(Confidence::Possible));
}

#[test]
fn the_same_name_at_full_speed_speaks_for_chance() {
    let both = [fast(103_000, "b.example", 1), fast(104_000, "a.example", 1)];
    assert_eq!(level(&[slow(100, "a.example")], both), Some(Confidence::Possible));
}

#[test]
fn a_name_held_again_at_the_same_rate_is_no_chance() {
    let again = [slow(100, "a.example"), slow(115, "a.example"), slow(130, "a.example")];
    let judged = judge(&again, [fast(103_000, "b.example", 1)]).expect("a suspicion");
    let repeated = judged.suspicion.facts.iter().find(|fact| fact.signal == Signal::NameRepeated);
    assert_eq!(repeated.map(|fact| fact.grade), Some(Grade::Full));
}
