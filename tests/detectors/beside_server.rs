//! Resets in the client's name, seen beside the server: there all is seen that the client can refuse.

use tamperscope::evidence::{Grade, Kind, Signal};
use tamperscope::verdict;

use crate::play::*;

/// Handshake, a request of 100 bytes and its acknowledgment; the client is 40 ms away.
fn opening() -> Vec<Packet> {
    vec![
        client(0, SYN, 0, 0, 0),
        Packet { ip_id: 0, ..server(50, SYN_ACK, 0, 1, 0) },
        client(RTT, ACK, 1, 1, 0),
        client(RTT + 500, ACK, 1, 1, 100),
        server(RTT + 550, ACK, 1, 101, 0),
    ]
}

/// What speaks for a forged reset, how much of each, and how sure that makes us.
fn reset(rest: &[Packet]) -> (Vec<(Signal, Grade)>, Option<&'static str>) {
    let packets: Vec<Packet> = opening().into_iter().chain(rest.iter().copied()).collect();
    let (flow, watch, _) = observed(&packets);
    let suspicions = watch.conclude(&flow, endpoint(1, 443).ip, 0);
    let Some(suspicion) = suspicions.iter().find(|found| found.kind == Kind::Reset) else {
        return (Vec::new(), None);
    };
    let confidence = verdict::weigh(suspicion).map(|verdict| verdict.confidence.name());
    (suspicion.facts.iter().map(|fact| (fact.signal, fact.grade)).collect(), confidence)
}

/// A RST of the client, with the client's own headers but for a window.
fn bare(micros: u64, seq: u32) -> Packet {
    Packet { window: 1460, ip_id: 0, stamped: false, ..client(micros, RST, seq, 0, 0) }
}

fn is_sure(verdict: Option<&str>) -> bool {
    matches!(verdict, Some("likely" | "confirmed"))
}

#[test]
fn a_guess_that_refuses_nothing_of_the_server_s_is_forged() {
    let guesses = [bare(2 * RTT + 5_000, 101), bare(2 * RTT + 5_100, 1561)];
    let (facts, verdict) = reset(&guesses);
    assert!(facts.contains(&(Signal::RstSeqAhead, Grade::Full)), "{facts:?}");
    assert_eq!(verdict, Some("likely"));
    // So it is where the client does not know of it, and the server refuses what comes.
    let unaware = client(3 * RTT, ACK, 101, 1, 50);
    let refused = server(3 * RTT + 50, RST, 1, 0, 0);
    assert_eq!(reset(&[&guesses[..], &[unaware, refused]].concat()).1, Some("likely"));
}

#[test]
fn evasion_software_whose_connection_lives_on_is_no_third_party() {
    let decoys = [bare(RTT + 5_000, 9_101), bare(RTT + 5_100, 10_561)];
    let goes_on = [client(2 * RTT, ACK, 101, 1, 50), server(2 * RTT + 50, ACK, 1, 151, 500)];
    let (facts, verdict) = reset(&[&decoys[..], &goes_on].concat());
    assert!(!facts.contains(&(Signal::RstSeqAhead, Grade::Full)), "{facts:?}");
    assert!(!is_sure(verdict), "{verdict:?}");
}

#[test]
fn a_client_that_refuses_what_the_server_acknowledged_does_not_guess() {
    let more = [client(RTT + 600, ACK, 101, 1, 1460), server(RTT + 650, ACK, 1, 1561, 0)];
    let refusals = [bare(2 * RTT + 700, 101), bare(2 * RTT + 800, 1561)];
    let (facts, verdict) = reset(&[&more[..], &refusals].concat());
    assert!(facts.iter().all(|(signal, _)| *signal != Signal::RstSeqAhead), "{facts:?}");
    assert!(!is_sure(verdict), "{verdict:?}");
}

#[test]
fn a_refusal_sooner_than_the_client_can_have_read_what_it_refuses_is_fast() {
    let fast = (Signal::RstFast, Grade::Half);
    assert!(reset(&[bare(RTT + 3_000, 101)]).0.contains(&fast));
    // A round trip later it may be the client's; and one that gives up does so when it likes.
    assert!(!reset(&[bare(2 * RTT + 600, 101)]).0.contains(&fast));
    let gives_up = Packet { window: 500, ..client(RTT + 3_000, RST_ACK, 101, 1, 0) };
    assert!(!reset(&[gives_up]).0.contains(&fast));
}

#[test]
fn the_haste_of_a_client_is_not_held_against_handshakes_of_servers() {
    let hasty = bare(RTT + 3_000, 101);
    let packets: Vec<Packet> = opening().into_iter().chain([hasty]).collect();
    let (flow, watch, _) = observed(&packets);
    let told = watch.conclude(&flow, endpoint(1, 443).ip, 0);
    let fast = |found: &&tamperscope::evidence::Suspicion| {
        found.facts.iter().any(|fact| fact.signal == Signal::RstFast)
    };
    let found = told.iter().find(fast).expect("a RST that is too fast");
    assert_eq!(found.haste, None);
}

#[test]
fn a_reset_that_ends_the_connection_of_an_unaware_client_is_no_evasion() {
    let rst = bare(RTT + 3_000, 101);
    let unaware = client(2 * RTT + 600, ACK, 101, 1, 50);
    let of_fact = |rest: &[Packet]| {
        let facts = reset(&[&[rst, unaware], rest].concat()).0;
        facts.into_iter().find(|(signal, _)| *signal == Signal::RstThenData)
    };
    let refused = server(2 * RTT + 650, RST, 1, 0, 0);
    assert_eq!(of_fact(&[refused]), Some((Signal::RstThenData, Grade::Full)));
    // Where the server goes on as well, the client's own software may have sent it in vain.
    let answered = server(2 * RTT + 650, ACK, 1, 151, 500);
    assert_eq!(of_fact(&[answered]), Some((Signal::RstThenData, Grade::Half)));
}
