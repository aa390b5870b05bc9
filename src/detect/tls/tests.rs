use super::super::TlsRefusal;
use super::super::sample::{SERVER_ISN, down, handshake, opening, scene, up};
use super::*;
use crate::evidence::Confidence;
use crate::verdict;
use crate::wire::{FrameId, SeqNumber, TcpFlags, Ttl};

const DATA: TcpFlags = TcpFlags::PSH.union(TcpFlags::ACK);
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
const HELLO: [u8; 7] = [22, 3, 3, 0, 122, 2, 0];

/// Handshake, hello, and an alert in frame 5 that came `took` milliseconds after the hello.
fn refused(took: i64, change: impl Fn(&mut Sighting)) -> Vec<Sighting> {
    let [syn, answer] = opening();
    let hello = Sighting { payload_len: 517, ..up(4, 60, DATA) };
    let mut alert = Sighting { payload_len: 7, ack: hello.seq_end(), ..down(5, 60 + took, DATA) };
    change(&mut alert);
    vec![syn, answer, up(3, 57, TcpFlags::ACK), hello, alert]
}

fn foreign(alert: &mut Sighting) {
    alert.ttl = Ttl(126);
    alert.timestamps = None;
}

fn suspicion(log: &[Sighting], conflicts: &[Conflict]) -> Option<Suspicion> {
    let handshake = handshake(log);
    let refusal =
        Some(TlsRefusal { frame: FrameId::new(0, 5), code: 40, name: "handshake_failure" });
    judge(&Scene { conflicts, refusal, ..scene(&handshake, log) })
}

fn confidence(log: &[Sighting], conflicts: &[Conflict]) -> Option<Confidence> {
    verdict::weigh(&suspicion(log, conflicts)?).map(|verdict| verdict.confidence)
}

fn conflict(first: (Sighting, &[u8]), later: (Sighting, &[u8])) -> Conflict {
    Conflict {
        first: first.0,
        later: later.0,
        len: 7,
        differing: 5,
        first_bytes: first.1.to_vec(),
        later_bytes: later.1.to_vec(),
    }
}

#[test]
fn a_servers_own_refusal_is_no_finding() {
    assert_eq!(confidence(&refused(57, |_| {}), &[]), None);
}

#[test]
fn an_alert_too_soon_and_from_elsewhere_is_likely_forged() {
    assert_eq!(confidence(&refused(4, foreign), &[]), Some(Confidence::Likely));
}

#[test]
fn a_shifted_ttl_alone_accuses_nobody() {
    assert_eq!(confidence(&refused(57, |alert| alert.ttl = Ttl(47)), &[]), None);
}

#[test]
fn an_alert_contradicted_by_a_server_hello_is_confirmed() {
    let mut log = refused(4, foreign);
    let hello = Sighting { payload_len: 127, seq: SeqNumber(SERVER_ISN + 1), ..down(6, 118, DATA) };
    log.push(hello);
    let conflicts = [conflict((log[4], &ALERT), (hello, &HELLO))];
    assert_eq!(confidence(&log, &conflicts), Some(Confidence::Confirmed));
    let found = suspicion(&log, &conflicts).unwrap();
    assert_eq!(found.kind, Kind::Tls);
    assert_eq!((found.forged, found.genuine), (vec![log[4].frame], vec![hello.frame]));
}

#[test]
fn an_alert_that_lost_the_race_is_found_in_the_later_copy() {
    let mut log = refused(56, |seen| seen.payload_len = 127);
    let late = Sighting { payload_len: 7, ..down(6, 130, DATA) };
    log.push(Sighting { ttl: Ttl(126), timestamps: None, ..late });
    let conflicts = [conflict((log[4], &HELLO), (log[5], &ALERT))];
    let found = suspicion(&log, &conflicts).unwrap();
    assert_eq!(found.forged, vec![log[5].frame]);
}
