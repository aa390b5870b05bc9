use super::super::sample::{SERVER_ISN, down, handshake, opening, scene, up};
use super::*;
use crate::wire::{SeqNumber, TcpFlags};

const DATA: TcpFlags = TcpFlags::PSH.union(TcpFlags::ACK);

/// Handshake with windows scaled by 7 bits, and a request of `asked` bytes.
fn asked(asked: u32) -> Vec<Sighting> {
    let scaled = opening().map(|seen| Sighting { window_scale: Some(7), ..seen });
    let request = Sighting { payload_len: asked, window: 502, ..up(4, 60, DATA) };
    let [syn, answer] = scaled;
    vec![syn, answer, up(3, 57, TcpFlags::ACK), request]
}

fn answer(window: u16) -> Sighting {
    Sighting { payload_len: 300, window, ..down(6, 117, DATA) }
}

/// How the window of the last packet of `log` is judged.
fn window(log: &[Sighting]) -> Option<Grade> {
    let handshake = handshake(log);
    let scene = scene(&handshake, log);
    let suspect = log.last()?;
    let own = Baseline::of(&scene, suspect.direction, &[suspect.frame]);
    answer_window(&scene, suspect, &own).map(|fact| fact.grade)
}

fn answered(window_offered: u16) -> Option<Grade> {
    window(&[asked(100), vec![answer(window_offered)]].concat())
}

#[test]
fn no_server_offers_nothing_or_hundreds_of_segments_of_64_kib_at_first() {
    assert_eq!(answered(0), Some(Grade::Full));
    // 65,535 << 7 is 8 MiB, which some do; with the scale of 10 it is 64 MiB.
    assert_eq!(answered(65_535), None);
    let mut wider = asked(100);
    wider[1].window_scale = Some(10);
    assert_eq!(window(&[wider, vec![answer(65_535)]].concat()), Some(Grade::Full));
}

#[test]
fn what_is_not_scaled_is_no_window_of_mebibytes() {
    let mut log = asked(100);
    (log[0].window_scale, log[1].window_scale) = (None, Some(14));
    assert_eq!(window(&[log, vec![answer(65_535)]].concat()), None);
}

#[test]
fn a_server_that_is_full_offers_nothing() {
    // It took in 60,000 of the 64,240 bytes that it had offered.
    assert_eq!(window(&[asked(60_000), vec![answer(0)]].concat()), None);
}

#[test]
fn a_window_unlike_the_one_just_before_is_odd_in_part() {
    let heard = Sighting { window: 501, seq: SeqNumber(SERVER_ISN + 1), ..down(5, 116, DATA) };
    let after =
        |window_offered| window(&[asked(100), vec![heard, answer(window_offered)]].concat());
    assert_eq!(after(64_240), Some(Grade::Half));
    assert_eq!(after(50), Some(Grade::Half));
    // Buffers grow and fill.
    assert_eq!((after(502), after(2_000), after(120)), (None, None, None));
}

/// How the identification of the middle one of three packets of the server is judged.
fn identification(ids: [u16; 3]) -> Option<Signal> {
    let mut log = asked(100);
    let ids = [5_000, 5_001].into_iter().chain(ids);
    log.extend(
        (5..).zip(ids).map(|(frame, id)| Sighting {
            ip_id: Some(id),
            ..down(frame, 100 + frame as i64, DATA)
        }),
    );
    let handshake = handshake(&log);
    let scene = scene(&handshake, &log);
    let suspect = log[log.len() - 2];
    let own = Baseline::of(&scene, suspect.direction, &[suspect.frame]);
    ip_id_line(&scene, &suspect, &own).map(|fact| fact.signal)
}

#[test]
fn an_identification_between_its_neighbours_is_on_the_line() {
    assert_eq!(identification([5_002, 5_003, 5_004]), Some(Signal::IpIdMatch));
    // Overtaken by a few, or by its neighbour.
    assert_eq!(identification([5_020, 5_003, 5_021]), Some(Signal::IpIdMatch));
    // A counter of all connections goes further at once.
    assert_eq!(identification([5_002, 5_600, 5_900]), Some(Signal::IpIdMatch));
}

#[test]
fn an_identification_far_behind_its_neighbours_is_off_the_line() {
    assert_eq!(identification([5_002, 4_400, 5_004]), Some(Signal::IpIdBreak));
    assert_eq!(identification([5_002, 61_000, 5_004]), Some(Signal::IpIdBreak));
}
