//! Resets that were put together without knowing the connection, beside those of stacks that know it.

use tamperscope::evidence::{Grade, Kind, Signal};
use tamperscope::verdict;

use crate::play::*;

/// How well `signal` is met, and how sure that makes us.
fn judged(packets: &[Packet], signal: Signal) -> (Option<Grade>, Option<&'static str>) {
    let (flow, watch, _) = observed(packets);
    let suspicions = watch.conclude(&flow, endpoint(1, 443).ip, 0);
    let Some(suspicion) = suspicions.iter().find(|found| found.kind == Kind::Reset) else {
        return (None, None);
    };
    let fact = suspicion.facts.iter().find(|fact| fact.signal == signal);
    let confidence = verdict::weigh(suspicion).map(|verdict| verdict.confidence.name());
    (fact.map(|fact| fact.grade), confidence)
}

fn after_request(rest: &[Packet], signal: Signal) -> (Option<Grade>, Option<&'static str>) {
    judged(&opening().into_iter().chain(rest.iter().copied()).collect::<Vec<_>>(), signal)
}

fn is_sure(verdict: Option<&str>) -> bool {
    matches!(verdict, Some("likely" | "confirmed"))
}

/// A RST of the server, as late as its answer would be, that nothing but its numbers sets apart.
fn bare(micros: u64, seq: u32) -> Packet {
    Packet { ip_id: 0, stamped: false, ..server(micros, RST, seq, 0, 0) }
}

/// Beside the server: a SYN, its answer, the client's RST, and then the client as if nothing had been;
/// whether it is `refused` from then on.
fn refused_syn(rst: Packet, refused: bool) -> Vec<Packet> {
    let reaction = |micros| {
        if refused { server(micros, RST, 1, 0, 0) } else { server(micros, ACK, 1, 101, 0) }
    };
    vec![
        client(0, SYN, 0, 0, 0),
        Packet { ip_id: 0, ..server(50, SYN_ACK, 0, 1, 0) },
        rst,
        client(RTT, ACK, 1, 1, 0),
        client(RTT + 500, ACK, 1, 1, 100),
        reaction(RTT + 550),
    ]
}

/// A RST in the client's name that acknowledges `ack`, whatever the server sent.
fn of_client(ack: u32) -> Packet {
    let rst = client(RTT / 2, RST_ACK, 1, 1, 0);
    Packet { ack, ttl: 70, stamped: false, ..rst }
}

#[test]
fn a_reset_in_its_place_that_acknowledges_what_was_never_sent_is_no_stack_s() {
    // The SYN's own acknowledgment, 0, and one less than that.
    for ack in [0, u32::MAX] {
        let (grade, verdict) = judged(&refused_syn(of_client(ack), true), Signal::RstBadAck);
        assert_eq!(grade, Some(Grade::Full), "{ack}");
        assert!(is_sure(verdict));
    }
    // Where the server goes on as well, the client's own software may have sent it in vain.
    assert_eq!(judged(&refused_syn(of_client(0), false), Signal::RstBadAck).0, Some(Grade::Half));
}

#[test]
fn a_client_that_gives_up_acknowledges_what_it_got() {
    for ack in [SERVER + 1, SERVER, SERVER + 3000] {
        let (grade, _) = judged(&refused_syn(of_client(ack), false), Signal::RstBadAck);
        assert_eq!(grade, None, "{ack}");
    }
    // What an earlier connection between the same ports left behind has neither number of this one.
    let old = Packet { seq: CLIENT.wrapping_sub(90_000), ..of_client(0) };
    assert_eq!(judged(&refused_syn(old, true), Signal::RstBadAck).0, None);
}

#[test]
fn beside_the_client_such_a_reset_may_be_evasion() {
    let mut packets = opening();
    packets.push(Packet { ack: 0, ..client(RTT + 2000, RST_ACK, 101, 1, 0) });
    packets.push(client(2 * RTT, ACK, 101, 1, 50));
    assert_eq!(judged(&packets, Signal::RstBadAck).0, None);
}

/// A pair of RSTs as far `apart`, where the capture lacks what was sent in between.
fn pair(apart: u32) -> [Packet; 2] {
    [bare(2 * RTT + 500, 1), Packet { window: 4000, ..bare(2 * RTT + 600, 1 + apart) }]
}

#[test]
fn a_step_of_a_full_segment_that_the_connection_does_not_have_is_a_guess() {
    // With timestamps a full segment has 1,448 bytes.
    for apart in [1460, 4380] {
        let (grade, verdict) = after_request(&pair(apart), Signal::RstSeqAhead);
        assert_eq!(grade, Some(Grade::Full), "{apart}");
        assert!(is_sure(verdict));
    }
}

#[test]
fn a_step_that_the_connection_may_have_is_half_a_guess() {
    for apart in [1448, 2896, 863, 1461, 14_600] {
        let (grade, verdict) = after_request(&pair(apart), Signal::RstSeqAhead);
        assert_eq!(grade, Some(Grade::Half), "{apart}");
        assert!(!is_sure(verdict), "{apart}");
    }
    // Without timestamps 1,460 bytes are one segment and its acknowledgment, both not captured.
    let plain: Vec<Packet> = opening()
        .into_iter()
        .chain(pair(1460))
        .map(|packet| Packet { stamped: false, ..packet })
        .collect();
    assert_eq!(judged(&plain, Signal::RstSeqAhead).0, Some(Grade::Half));
}

#[test]
fn who_gives_up_has_sent_all_that_was_on_its_way() {
    // With an acknowledgment: its number is the one after all that was sent.
    let gives_up = Packet { stamped: false, ..server(2 * RTT + 1000, RST_ACK, 1, 101, 0) };
    let data = server(2 * RTT + 3000, ACK, 1, 101, 500);
    let (grade, _) = after_request(&[gives_up, data], Signal::RstThenData);
    assert_eq!(grade, Some(Grade::Full));
    // Its twins: a bare RST, which has the number that the client acknowledged; a RST after the data
    // that it overtook; a bare acknowledgment that was on its way; what counts for no data at all.
    let grade = |rst, more| after_request(&[rst, more], Signal::RstThenData).0;
    assert_eq!(grade(bare(2 * RTT + 1000, 1), data), Some(Grade::Half));
    assert_eq!(grade(server(2 * RTT + 1000, RST_ACK, 501, 101, 0), data), None);
    let acked = server(2 * RTT + 3000, ACK, 1, 101, 0);
    assert_eq!(grade(gives_up, acked), Some(Grade::Half));
}

#[test]
fn a_counter_gives_no_number_twice() {
    let own = |rst: Packet| {
        let heard = [server(2 * RTT, ACK, 1, 101, 0), server(2 * RTT + 500, ACK, 1, 101, 50)];
        let heard = [heard[0], Packet { ip_id: heard[0].ip_id + 1, ..heard[1] }];
        let last = Packet { ip_id: heard[0].ip_id + 4, ..server(3 * RTT, ACK, 51, 101, 50) };
        let rst = Packet { ip_id: heard[0].ip_id + rst.ip_id, stamped: false, ..rst };
        after_request(&[heard[0], heard[1], rst, last], Signal::IpIdBreak).0
    };
    let rst = server(2 * RTT + 900, RST_ACK, 51, 101, 0);
    assert_eq!(own(Packet { ip_id: 1, ..rst }), Some(Grade::Full));
    assert_eq!(own(Packet { ip_id: 2, ..rst }), None);
}

#[test]
fn a_number_copied_from_the_request_is_copied_though_the_client_said_more() {
    let mirror = |ip_id| {
        let more = client(RTT + 2000, ACK, 101, 1, 0);
        let rst = Packet { ip_id, window: 500, ..bare(RTT + 3000, 1) };
        after_request(&[more, rst], Signal::IpIdMirror).0
    };
    let [.., request] = opening()[..] else { unreachable!() };
    assert_eq!(mirror(request.ip_id), Some(Grade::Full));
    assert_eq!(mirror(request.ip_id + 7), None);
}

#[test]
fn a_window_that_is_not_scaled_as_agreed_is_no_server_s() {
    let scaled =
        |packet: &Packet| Packet { scale: (packet.flags.contains(SYN)).then_some(7), ..*packet };
    let odd = |window| {
        let rst = Packet { window, ..server(2 * RTT + 1100, RST_ACK, 1, 101, 0) };
        let packets: Vec<Packet> = opening().iter().chain(&[rst]).map(scaled).collect();
        judged(&packets, Signal::RstWindow).0
    };
    // The SYN/ACK offered 500 bytes: no more than eight times as much is told apart from none.
    assert_eq!(odd(53_021), Some(Grade::Half));
    assert_eq!(odd(62), None);
    assert_eq!(odd(0), None);
}
