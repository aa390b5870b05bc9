//! Substituted and injected answers: two copies of the same bytes, foreign headers, known notices.

use super::baseline::Baseline;
use super::reset::{speaks_against, trigger_of};
use super::scene::{Words, fact};
use super::{Answer, Conflict, Scene, device, marks, unsaid};
use crate::evidence::{Fact, Grade, Kind, Signal, Suspicion};
use crate::flow::Sighting;
use crate::wire::{Direction, Duration, FrameId};

/// Judges the answers of a scene.
pub(super) fn judge(scene: &Scene<'_>) -> Option<Suspicion> {
    let quarrel = Quarrel::over(scene);
    let suspect =
        quarrel.forged.first().copied().or_else(|| noticed(scene)).or_else(|| foreign(scene))?;
    let forged = forged_frames(scene, &quarrel, &suspect);
    let mut facts = facts(scene, &quarrel, &suspect, &forged);
    let denies = unsaid::add(&mut facts, scene, &suspect, &forged);
    let answer = answer_of(scene, &forged);
    let trigger =
        answer.and_then(|answer| answer.request).or_else(|| trigger_of(scene, suspect.frame));
    Some(Suspicion {
        kind: Kind::Response,
        time: suspect.time,
        trigger,
        direction: Some(Direction::ToClient),
        alternatives: alternatives(scene, &quarrel, answer),
        injector: Some(device::portrait(scene, &forged, Some(Direction::ToClient))),
        block_page: answer.map(Answer::told),
        until: None,
        genuine: genuine_frames(scene, &quarrel, (&forged, denies)),
        forged,
        haste: marks::haste_of(scene, &facts),
        facts,
    })
}

/// The conflicts of a scene, with each copy told to be the forged or the genuine one.
pub(super) struct Quarrel<'a> {
    pub(super) conflicts: Vec<&'a Conflict>,
    pub(super) forged: Vec<Sighting>,
    pub(super) genuine: Vec<Sighting>,
    /// The marks told which copy is forged.
    pub(super) resolved: bool,
}

impl<'a> Quarrel<'a> {
    pub(super) fn over(scene: &Scene<'a>) -> Self {
        let conflicts: Vec<&Conflict> =
            scene.conflicts.iter().filter(|found| counts(found)).collect();
        let copies: Vec<FrameId> =
            conflicts.iter().flat_map(|found| [found.first.frame, found.later.frame]).collect();
        let own = Baseline::of(scene, Direction::ToClient, &copies);
        let mute = scene.muted();
        let strangeness = |seen: &Sighting| {
            marks::of(&mute, seen, &own)
                .iter()
                .map(|mark| if speaks_against(mark.signal) { -1 } else { 2 })
                .sum::<i32>()
        };
        // All copies that came first against all that came later: one race, one winner.
        let first: i32 = conflicts.iter().map(|found| strangeness(&found.first)).sum();
        let later: i32 = conflicts.iter().map(|found| strangeness(&found.later)).sum();
        let (forged, genuine) = if later > first {
            (copies_of(&conflicts, |found| found.later), copies_of(&conflicts, |found| found.first))
        } else {
            (copies_of(&conflicts, |found| found.first), copies_of(&conflicts, |found| found.later))
        };
        Self { conflicts, forged, genuine, resolved: first != later }
    }
}

fn copies_of(conflicts: &[&Conflict], which: impl Fn(&Conflict) -> Sighting) -> Vec<Sighting> {
    let mut copies: Vec<Sighting> = conflicts.iter().map(|found| which(found)).collect();
    copies.sort_by_key(|seen| seen.frame);
    copies.dedup_by_key(|seen| seen.frame);
    copies
}

/// Conflicts that can count: sent to the client, in more than one byte, and no link padding (a few
/// zero bytes at the end of a small packet that some captures count as data).
fn counts(conflict: &Conflict) -> bool {
    // Later copies are of another connection, or of a capture that was put together.
    const SENT_AGAIN_MAX: Duration = Duration::from_secs(3_600);
    let padding = |bytes: &[u8]| conflict.len <= 18 && bytes.iter().all(|byte| *byte == 0);
    conflict.first.direction == Direction::ToClient
        && conflict.later.time.distance(conflict.first.time) <= SENT_AGAIN_MAX
        && conflict.differing > 1
        && !padding(&conflict.first_bytes)
        && !padding(&conflict.later_bytes)
}

/// The packet that brought a page which is a known notice.
fn noticed(scene: &Scene<'_>) -> Option<Sighting> {
    let answer = scene.answers.iter().find(|answer| answer.notice.is_some())?;
    scene.sighting(answer.begins).copied()
}

/// The first answer whose headers are not the server's.
fn foreign(scene: &Scene<'_>) -> Option<Sighting> {
    let own = Baseline::of(scene, Direction::ToClient, &payload_frames(scene));
    let mute = scene.muted();
    let is_strange = |head: &&Sighting| {
        let strange = |mark: &Fact| match mark.signal {
            Signal::TtlShift | Signal::NoTimestamp => true,
            Signal::WindowBreak => mark.grade == Grade::Full,
            _ => false,
        };
        marks::of(&mute, head, &own).iter().any(strange)
    };
    let heads = scene.answers.iter().filter_map(|answer| scene.sighting(answer.begins));
    heads.into_iter().find(is_strange).copied()
}

fn payload_frames(scene: &Scene<'_>) -> Vec<FrameId> {
    scene
        .sent(Direction::ToClient)
        .filter(|seen| seen.payload_len > 0)
        .map(|seen| seen.frame)
        .collect()
}

/// The suspect, the forged copies, and what was made by the same hand: packets to the client that
/// share the suspect's TTL and its lack of timestamps, where the genuine ones have another.
pub(super) fn forged_frames(
    scene: &Scene<'_>,
    quarrel: &Quarrel<'_>,
    suspect: &Sighting,
) -> Vec<FrameId> {
    let mut forged: Vec<FrameId> = quarrel.forged.iter().map(|seen| seen.frame).collect();
    forged.push(suspect.frame);
    let genuine: Vec<FrameId> = quarrel.genuine.iter().map(|seen| seen.frame).collect();
    let others = Baseline::of(scene, Direction::ToClient, &payload_frames(scene));
    let told_apart =
        others.ttl_range(suspect.frame).is_some_and(|range| range.off(suspect.ttl) > 0)
            || quarrel.genuine.iter().any(|seen| seen.ttl != suspect.ttl);
    let window = Duration::from_secs(10);
    for seen in scene.sent(Direction::ToClient) {
        let near = seen.time.distance(suspect.time) <= window && seen.frame >= suspect.frame;
        let alike = told_apart
            && seen.ttl == suspect.ttl
            && seen.timestamps.is_some() == suspect.timestamps.is_some();
        if near && alike && !genuine.contains(&seen.frame) {
            forged.push(seen.frame);
        }
    }
    forged.sort_unstable();
    forged.dedup();
    forged
}

pub(super) fn genuine_frames(
    scene: &Scene<'_>,
    quarrel: &Quarrel<'_>,
    (forged, denies): (&[FrameId], Option<FrameId>),
) -> Vec<FrameId> {
    let mut genuine: Vec<FrameId> = quarrel.genuine.iter().map(|seen| seen.frame).collect();
    genuine.extend(denies);
    let Some(first) = forged.first() else { return genuine };
    if !quarrel.conflicts.is_empty() {
        let theirs = scene
            .sent(Direction::ToClient)
            .filter(|seen| seen.payload_len > 0 && seen.frame > *first && !seen.is_reset());
        genuine.extend(theirs.map(|seen| seen.frame).take(GENUINE_SHOWN));
    }
    genuine.retain(|frame| !forged.contains(frame));
    genuine.sort_unstable();
    genuine.dedup();
    genuine.truncate(GENUINE_SHOWN);
    genuine
}

fn facts(
    scene: &Scene<'_>,
    quarrel: &Quarrel<'_>,
    suspect: &Sighting,
    forged: &[FrameId],
) -> Vec<Fact> {
    let mut facts: Vec<Fact> = overlap(quarrel).into_iter().collect();
    let own = Baseline::of(scene, Direction::ToClient, forged);
    facts.extend(marks::of(scene, suspect, &own));
    let notice = notice(scene, forged);
    if notice.is_some() {
        // They tell that one machine sent handshake and page, and no more: a proxy on the way does
        // both. Other flows tell from how far the server answers.
        facts.retain(|fact| !speaks_against(fact.signal));
    }
    facts.extend(notice);
    facts.extend(data_beyond_end(scene, forged));
    facts
}

pub(super) fn overlap(quarrel: &Quarrel<'_>) -> Option<Fact> {
    let worst = quarrel
        .conflicts
        .iter()
        .max_by_key(|found| (found.differing, std::cmp::Reverse(found.first.frame)))?;
    let (first, later) = (&worst.first, &worst.later);
    let grade = if quarrel.resolved { Grade::Proof } else { Grade::Half };
    let words = Words {
        expected: "the same bytes again, or nothing".to_owned(),
        observed: format!("{} of {} bytes differ", worst.differing, worst.len),
        text: format!(
            "{} and {} claim the same {} bytes of the server's answer, and {} of them differ: one of the two is not the server's",
            first.frame, later.frame, worst.len, worst.differing
        ),
    };
    Some(fact(Signal::OverlapConflict, grade, worst.first.frame, words))
}

/// `block_page`: the answer is a known notice.
fn notice(scene: &Scene<'_>, forged: &[FrameId]) -> Option<Fact> {
    let answer = scene
        .answers
        .iter()
        .find(|answer| answer.notice.is_some() && forged.contains(&answer.begins))?;
    let notice = answer.notice.as_ref()?;
    let grade = if notice.specific { Grade::Full } else { Grade::Half };
    let words = Words {
        expected: "an answer of the site".to_owned(),
        observed: format!("a notice known as {}", notice.name),
        text: format!(
            "the answer that begins in {} is a notice known as {} ({})",
            answer.begins, notice.name, notice.source
        ),
    };
    Some(fact(Signal::BlockPage, grade, answer.begins, words))
}

/// `data_after_fin`: the page closes the connection, and the server goes on.
fn data_beyond_end(scene: &Scene<'_>, forged: &[FrameId]) -> Option<Fact> {
    let closing = scene
        .sent(Direction::ToClient)
        .find(|seen| seen.is_fin() && forged.contains(&seen.frame))?;
    let found = super::reset_sequence::of_fin(scene, closing).into_iter();
    found.map(|found| found.fact).find(|fact| fact.signal == Signal::DataAfterFin)
}

fn answer_of<'a>(scene: &Scene<'a>, forged: &[FrameId]) -> Option<&'a Answer> {
    let ours = || scene.answers.iter().filter(|answer| forged.contains(&answer.begins));
    ours().find(|answer| answer.notice.is_some()).or_else(|| ours().next())
}

fn alternatives(scene: &Scene<'_>, quarrel: &Quarrel<'_>, answer: Option<&Answer>) -> Vec<String> {
    let mut open = Vec::new();
    if answer.is_some_and(|answer| answer.notice.is_some()) {
        open.push("The site shows the words of this notice itself.".to_owned());
    } else if quarrel.conflicts.is_empty() {
        open.push(
            "A proxy or content network that answers for the site with the site's consent."
                .to_owned(),
        );
    }
    if !quarrel.conflicts.is_empty() && !quarrel.resolved {
        open.push("Nothing in the headers tells which of the two copies is the server's; the first to come is listed as forged.".to_owned());
    }
    if answer.is_some_and(|answer| answer.notice.as_ref().is_some_and(|found| !found.specific)) {
        open.push(
            "The notice is a filter product's, which companies, schools and households use too."
                .to_owned(),
        );
    }
    if scene.gaps > 0 {
        open.push(format!("{} payload bytes are missing from the capture.", scene.gaps));
    }
    open
}

/// Contradicting frames that are listed.
const GENUINE_SHOWN: usize = 16;
