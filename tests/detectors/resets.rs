//! Forged resets and closes, beside those of honest stacks.

use tamperscope::evidence::{Grade, Kind, Signal};
use tamperscope::verdict;

use crate::play::*;

#[test]
fn a_server_that_goes_on_after_its_rst_did_not_send_it() {
    let rst = forged(server(RTT + 4000, RST, 1, 0, 0));
    let goes_on = server(2 * RTT + 1000, ACK, 1, 101, 1200);
    let (signals, verdict) = reset(&[rst, goes_on]);
    assert!(signals.contains(&Signal::RstThenData) && signals.contains(&Signal::RstFast));
    assert_eq!(verdict, Some("confirmed"));
}

#[test]
fn a_rst_of_an_earlier_connection_between_the_same_ports_proves_nothing() {
    // The client reuses its port while the server still ends the connection before: a bare RST, with
    // that one's number, between this one's SYN and SYN/ACK.
    let old = Packet { seq: SERVER - 9_000, ip_id: 0, ..server(RTT / 2, RST, 0, 0, 0) };
    let mut packets = opening();
    packets.insert(1, old);
    packets
        .extend([server(2 * RTT + 1000, ACK, 1, 101, 0), server(2 * RTT + 1500, ACK, 1, 101, 500)]);
    let (flow, watch, _) = observed(&packets);
    let told = watch.conclude(&flow, endpoint(1, 443).ip, 0);
    let verdicts = told.iter().filter_map(verdict::weigh).map(|verdict| verdict.confidence);
    assert!(verdicts.max() < Some(tamperscope::evidence::Confidence::Likely), "{told:?}");
    assert!(told.iter().flat_map(|told| &told.facts).all(|fact| fact.grade != Grade::Proof));
}

#[test]
fn data_that_a_genuine_rst_has_overtaken_proves_nothing() {
    let rst = server(2 * RTT + 1100, RST, 1201, 0, 0);
    let overtaken = server(2 * RTT + 1200, ACK, 1, 101, 1200);
    let (signals, verdict) = reset(&[rst, overtaken]);
    assert!(!signals.contains(&Signal::RstThenData));
    assert_eq!(verdict, None);
}

#[test]
fn a_bare_acknowledgment_behind_a_rst_is_no_proof() {
    let rst = server(2 * RTT + 1100, RST_ACK, 1, 101, 0);
    let late = server(2 * RTT + 31_000, ACK, 1, 101, 0);
    let (_, verdict) = reset(&[rst, late]);
    assert_ne!(verdict, Some("confirmed"));
    assert_ne!(verdict, Some("likely"));
}

#[test]
fn link_padding_behind_a_rst_is_no_data() {
    let rst = server(2 * RTT + 1100, RST_ACK, 1, 101, 0);
    let padded = server(3 * RTT, ACK, 1, 101, 6);
    assert_eq!(reset(&[rst, padded]).1, None);
}

#[test]
fn a_second_rst_that_guesses_ahead_is_forged() {
    let first = forged(server(RTT + 4000, RST, 1, 0, 0));
    let second = Packet { ip_id: 0x1235, ..forged(server(RTT + 4100, RST, 1461, 0, 0)) };
    let (signals, verdict) = reset(&[first, second]);
    assert!(signals.contains(&Signal::RstSeqAhead));
    assert_eq!(verdict, Some("confirmed"));
}

#[test]
fn a_second_rst_beyond_the_end_of_its_senders_stream_is_forged() {
    // In the server's own time and with its own headers; but it ends its stream with 500 bytes.
    let resets = [server(2 * RTT + 1100, RST, 1, 0, 0), server(2 * RTT + 1200, RST, 1461, 0, 0)];
    let answer = server(2 * RTT + 2000, ACK, 1, 101, 500);
    let end = server(2 * RTT + 2100, FIN_ACK, 501, 101, 0);
    let (signals, verdict) = reset(&[&resets[..], &[answer, end]].concat());
    assert!(signals.contains(&Signal::RstSeqAhead));
    assert_eq!(verdict, Some("confirmed"));
    // Had it sent that much, its RSTs might answer acknowledgments that the capture lacks.
    let longer = server(2 * RTT + 2000, ACK, 1, 101, 1460);
    let end = server(2 * RTT + 2100, FIN_ACK, 1461, 101, 0);
    let (_, verdict) = reset(&[&resets[..], &[longer, end]].concat());
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{verdict:?}");
    // Nor does an end that lies elsewhere, of another connection, tell anything.
    let elsewhere = server(2 * RTT + 2100, FIN_ACK, 900_000, 101, 0);
    let (_, verdict) = reset(&[&resets[..], &[elsewhere]].concat());
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{verdict:?}");
}

#[test]
fn honest_resets_whose_acknowledgments_the_capture_lacks_do_not_guess() {
    // As above, but of the server's last data and the client's acknowledgments nothing was captured.
    let resets = [server(3 * RTT + 1500, RST, 1001, 0, 0), server(3 * RTT + 1600, RST, 2001, 0, 0)];
    let (_, verdict) = reset(&resets);
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{verdict:?}");
    // Too early to answer anything that the capture may lack.
    let early = resets.map(|rst| Packet { micros: rst.micros - 2 * RTT, ..rst });
    assert_eq!(reset(&early).1, Some("confirmed"));
}

#[test]
fn a_filter_on_the_server_that_refuses_behind_its_back_is_no_third_party() {
    // A new request is refused in the server's name, at its distance and in its time; the server, which
    // never got it, sends its last data again.
    let answer = server(2 * RTT + 1000, ACK, 1, 101, 1200);
    let rst = Packet { stamped: false, ..server(3 * RTT, RST, 1, 0, 0) };
    let unaware = server(8 * RTT, ACK, 1, 101, 1200);
    let (signals, verdict) = reset(&[rst, unaware]);
    assert!(signals.contains(&Signal::RstThenData));
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{verdict:?}");
    // In the middle of an answer even a filter that stands elsewhere is none that chose a name.
    let heard = client(2 * RTT + 1500, ACK, 101, 1201, 0);
    let refused = forged(server(3 * RTT, RST, 1201, 0, 0));
    let goes_on = server(6 * RTT, ACK, 1201, 101, 1200);
    assert!(!matches!(reset(&[answer, heard, refused, goes_on]).1, Some("likely" | "confirmed")));
    // Nor where the acknowledgment is not in the capture.
    assert!(!matches!(reset(&[answer, refused, goes_on]).1, Some("likely" | "confirmed")));
    let foreign = forged(server(RTT + 20_000, RST, 1, 0, 0));
    assert_eq!(reset(&[foreign, unaware]).1, Some("confirmed"));
}

#[test]
fn a_stack_that_answers_each_late_segment_does_not_guess() {
    // The server has closed; each segment that was under way gets a RST at the number that it
    // acknowledges (RFC 9293 §3.10.7.1), so the numbers rise with the acknowledgments.
    let answer = server(2 * RTT + 1000, ACK, 1, 101, 2000);
    let acks =
        [client(2 * RTT + 1500, ACK, 101, 1001, 0), client(2 * RTT + 1600, ACK, 101, 2001, 0)];
    let resets = [server(3 * RTT + 1500, RST, 1001, 0, 0), server(3 * RTT + 1600, RST, 2001, 0, 0)];
    let (signals, verdict) = reset(&[&[answer], &acks[..], &resets[..]].concat());
    assert!(!signals.contains(&Signal::RstSeqAhead));
    assert_eq!(verdict, None);
}

#[test]
fn a_stack_that_gives_up_after_its_answers_in_a_disordered_path_does_not_guess() {
    // The server gives up by RST+ACK behind 118 bytes of its own; the bare RSTs with which it then
    // answers late segments overtake both, and its data come last of all.
    let answers = server(2 * RTT + 1000, RST, 1, 0, 0);
    let gives_up = server(2 * RTT + 1100, RST_ACK, 119, 101, 0);
    let overtaken = server(2 * RTT + 2500, ACK, 1, 101, 118);
    let (signals, verdict) = reset(&[answers, gives_up, overtaken]);
    assert!(!signals.contains(&Signal::RstSeqAhead));
    assert_ne!(verdict, Some("confirmed"));
    assert_ne!(verdict, Some("likely"));
}

#[test]
fn a_fast_rst_of_foreign_make_is_likely_even_where_nothing_follows() {
    let (signals, verdict) = reset(&[forged(server(RTT + 5000, RST_ACK, 1, 101, 0))]);
    assert!(signals.contains(&Signal::RstFast) && signals.contains(&Signal::RstTtlNear));
    assert_eq!(verdict, Some("likely"));
}

#[test]
fn a_server_whose_handshake_was_late_on_the_way_is_not_called_quick() {
    // The server is 12 ms away, as its bare acknowledgment shows; its SYN/ACK took 40 ms.
    let at = RTT + 1000 + 12_000;
    let acknowledged = server(at, ACK, 1, 101, 0);
    let rst = Packet { ttl: 49, ip_id: 0, ..server(at + 300, RST_ACK, 1, 101, 0) };
    let (signals, told) = reset(&[acknowledged, rst]);
    assert!(!signals.contains(&Signal::RstFast), "{signals:?}");
    assert_eq!(told, None);
    // Without it, the RST seems to come in a third of the server's time.
    assert!(reset(&[rst]).0.contains(&Signal::RstFast));
}

#[test]
fn a_rst_that_offers_a_window_was_built_by_no_stack() {
    let marked = |rst: Packet| reset(&[rst]).0.contains(&Signal::RstWindow);
    let bare = server(2 * RTT + 1100, RST, 1, 0, 0);
    assert!(!marked(bare) && marked(Packet { window: 1460, ..bare }));
    // Who gives a connection up offers nothing, or about what it offered before.
    let heard = server(2 * RTT + 1000, ACK, 1, 101, 0);
    let gives_up = server(2 * RTT + 1100, RST_ACK, 1, 101, 0);
    for (window, odd) in [(0, false), (500, false), (900, false), (8192, true), (20, true)] {
        let (signals, verdict) = reset(&[heard, Packet { window, ..gives_up }]);
        assert_eq!(signals.contains(&Signal::RstWindow), odd, "{window}");
        // A balancer that tells the cause so is nobody's censor.
        assert!(!matches!(verdict, Some("likely" | "confirmed")), "{window}: {verdict:?}");
    }
    // A SYN's window is not scaled, and so no measure.
    assert!(!marked(Packet { window: 8192, ..gives_up }));
}

#[test]
fn a_close_with_another_df_is_marked_and_a_reset_is_not() {
    let signals = |packet: Packet| {
        let of = play(&[packet]).into_iter().flat_map(|found| found.facts);
        of.map(|fact| (fact.signal, fact.grade)).filter(|(signal, _)| *signal == Signal::DfBreak)
    };
    let close = forged(server(RTT + 4000, FIN_ACK, 1, 101, 0));
    assert_eq!(signals(close).count(), 0);
    let cut = Packet { whole: false, ..close };
    assert_eq!(signals(cut).collect::<Vec<_>>(), [(Signal::DfBreak, Grade::Full)]);
    let rst = Packet { whole: false, ..forged(server(RTT + 4000, RST, 1, 0, 0)) };
    assert_eq!(signals(rst).count(), 0, "many stacks send RSTs without DF");
    // Nor a server whose identifications run on: it has changed its mind.
    let numbered = |micros, ip_id| Packet { ip_id, ..server(micros, ACK, 1, 101, 0) };
    let line =
        [numbered(2 * RTT, 7001), numbered(2 * RTT + 10, 7002), numbered(2 * RTT + 20, 7003)];
    let next =
        Packet { ttl: 61, ip_id: 7004, whole: false, ..server(2 * RTT + 1000, FIN_ACK, 1, 101, 0) };
    let told = play(&[&line[..], &[next]].concat());
    let facts: Vec<Signal> =
        told.iter().flat_map(|found| &found.facts).map(|fact| fact.signal).collect();
    assert!(facts.contains(&Signal::IpIdMatch) && !facts.contains(&Signal::DfBreak), "{facts:?}");
}

/// The RST+ACK into which a device turns the server's answer, at these milliseconds.
fn turned(millis: &[u64]) -> Vec<Packet> {
    millis.iter().map(|at| server(2 * RTT + 1000 + at * 1000, RST_ACK, 1, 101, 0)).collect()
}

#[test]
fn a_rst_that_is_sent_again_by_a_timer_was_an_answer() {
    let (signals, verdict) = reset(&turned(&[0, 220, 660, 1540, 3300]));
    assert!(signals.contains(&Signal::RstByTimer));
    assert_eq!(verdict, Some("confirmed"));
    let told = play(&turned(&[0, 220, 660, 1540, 3300]));
    assert_eq!(told[0].forged.len(), 5, "all of them");
    let innocent = |rsts: Vec<Packet>| {
        let (signals, verdict) = reset(&rsts);
        assert!(!signals.contains(&Signal::RstByTimer), "{signals:?}");
        assert!(!matches!(verdict, Some("likely" | "confirmed")), "{verdict:?}");
    };
    // Too few; at one go; evenly; as answers to what the client sends again.
    innocent(turned(&[0, 220, 660]));
    innocent(turned(&[0, 1, 2, 3, 4]));
    innocent(turned(&[0, 500, 1000, 1500, 2000]));
    let asks = |at: u64| client(2 * RTT + at * 1000, ACK, 1, 1, 100);
    let mut answers = turned(&[0, 220, 660, 1540, 3300]);
    for (place, at) in [(1, 219), (3, 659), (5, 1539), (7, 3299)] {
        answers.insert(place, asks(at));
    }
    innocent(answers);
    // Bare ones are a host's that does not know the connection, whose provocations the capture lacks.
    innocent(turned(&[0, 220, 660, 1540, 3300]).into_iter().map(bare).collect());
}

fn bare(rst: Packet) -> Packet {
    Packet { flags: RST, ack: 0, window: 0, ..rst }
}

#[test]
fn a_client_that_sends_again_by_its_timer_never_reset() {
    // Beside the server: the client is 40 ms away, the server none.
    let opening = [
        client(0, SYN, 0, 0, 0),
        Packet { ip_id: 0, ..server(20, SYN_ACK, 0, 1, 0) },
        client(RTT, ACK, 1, 1, 0),
        client(RTT + 10, ACK, 1, 1, 100),
        server(RTT + 30, ACK, 1, 101, 0),
    ];
    let again = |millis: &[u64]| -> Vec<Packet> {
        millis.iter().map(|at| client(RTT + at * 1000, ACK, 1, 1, 100)).collect()
    };
    let judged = |rest: &[Packet]| {
        let (flow, watch, _) = observed(&[&opening[..], rest].concat());
        let told = watch.conclude(&flow, endpoint(1, 443).ip, 0);
        let by = told
            .iter()
            .flat_map(|found| &found.facts)
            .any(|fact| fact.signal == Signal::RstThenData && fact.grade >= Grade::Full);
        (by, told.iter().filter_map(verdict::weigh).map(|verdict| verdict.confidence.name()).max())
    };
    let rst = Packet { stamped: false, ..client(RTT + 150, RST, 101, 0, 0) };
    let timer = again(&[300, 600, 1200]);
    assert!(judged(&[&[rst][..], &timer].concat()).0);
    let far = Packet { ttl: 70, ..rst };
    assert_eq!(judged(&[&[far][..], &timer].concat()), (true, Some("confirmed")));
    // Sent before the RST and late on the way; or once more only.
    assert!(!judged(&[&[rst][..], &again(&[1, 2, 3])].concat()).0);
    assert!(!judged(&[&[rst][..], &again(&[300])].concat()).0);
    // A gateway beside the client refuses the server's packet in its name, a round trip later.
    let refused = Packet { micros: 2 * RTT + 100, ..rst };
    assert!(!judged(&[&[refused][..], &timer].concat()).0);
}

#[test]
fn resets_of_two_makers_in_one_name_are_marked() {
    let shift = server(2 * RTT + 1100, RST_ACK, 1, 101, 0);
    let foreign = Packet { ttl: 57, ..shift };
    let own = server(3 * RTT, RST, 1, 0, 0);
    assert!(reset(&[foreign, own]).0.contains(&Signal::RstTtlSplit));
    assert!(reset(&[foreign]).0.contains(&Signal::TtlShift));
    // A stack that gives all its RSTs another TTL.
    let alike = Packet { ttl: 57, ..own };
    let (signals, verdict) = reset(&[foreign, alike]);
    assert!(signals.contains(&Signal::TtlShift) && !signals.contains(&Signal::RstTtlSplit));
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{verdict:?}");
}

#[test]
fn hops_are_told_only_where_a_path_can_have_them() {
    let hops = |ttls: [u8; 2]| {
        let [one, two] = ttls.map(|ttl| Packet { ttl, ..server(RTT + 4000, RST, 1, 0, 0) });
        let injector = play(&[one, two])[0].injector.clone().unwrap();
        (injector.hops_min, injector.hops_max)
    };
    assert_eq!(hops([61, 60]), (Some(3), Some(4)));
    assert_eq!(hops([74, 118]), (None, None), "made up: 54 and 10 hops from 128");
    assert_eq!(hops([128, 110]), (None, None), "no device stands at two places");
}

#[test]
fn what_is_proven_forged_is_no_measure_of_the_server() {
    // A forged SYN/ACK came 5 ms after the SYN, and a RST 5 ms after the request.
    let packets = [
        client(0, SYN, 0, 0, 0),
        forged(Packet { ip_id: 77, ..server(5000, SYN_ACK, 70_000, 1, 0) }),
        Packet { ip_id: 0, ..server(RTT, SYN_ACK, 0, 1, 0) },
        client(RTT + 1000, ACK, 1, 1, 100),
        forged(server(RTT + 6000, RST_ACK, 1, 101, 0)),
        // The server knows of no acknowledgment, nor of the other number.
        Packet { ip_id: 0, ..server(RTT + 1_000_000, SYN_ACK, 0, 1, 0) },
    ];
    let judged = |packets: &[Packet]| {
        let (flow, watch, _) = observed(packets);
        let told = watch.conclude(&flow, endpoint(1, 443).ip, 0);
        let of = told.into_iter().filter(|found| found.kind == Kind::Reset);
        of.flat_map(|found| found.facts).map(|fact| fact.signal).collect::<Vec<_>>()
    };
    assert!(judged(&packets).contains(&Signal::RstFast));
    // Where two machines may have answered a SYN that was sent twice, nothing is proven.
    let mut twice = packets.to_vec();
    twice.insert(1, client(1000, SYN, 0, 0, 0));
    assert!(!judged(&twice).contains(&Signal::RstFast));
}

#[test]
fn a_server_that_resets_in_its_own_time_is_left_alone() {
    let (_, verdict) = reset(&[server(2 * RTT + 1100, RST_ACK, 1, 101, 0)]);
    assert_eq!(verdict, None);
}

#[test]
fn a_balancer_that_resets_in_the_servers_time_with_another_ttl_is_left_alone() {
    let rst = Packet { ttl: 57, ..forged(server(2 * RTT + 1100, RST_ACK, 1, 101, 0)) };
    let (signals, verdict) = reset(&[rst]);
    assert!(signals.contains(&Signal::TtlShift));
    assert_eq!(verdict, None);
}

#[test]
fn a_client_that_aborts_is_left_alone() {
    let answer = server(2 * RTT + 1000, ACK, 1, 101, 1200);
    let abort = client(2 * RTT + 1500, RST, 101, 0, 0);
    let under_way = server(2 * RTT + 2000, ACK, 1201, 101, 1200);
    let again = client(2 * RTT + 2100, RST, 101, 0, 0);
    assert_eq!(reset(&[answer, abort, under_way, again]).1, None);
}

#[test]
fn data_beyond_a_fin_shows_that_the_fin_was_forged() {
    let fin = forged(server(RTT + 4000, FIN_ACK, 1, 101, 0));
    let goes_on = server(2 * RTT + 1000, ACK, 1, 101, 1200);
    let (signals, verdict) = reset(&[fin, goes_on]);
    assert!(signals.contains(&Signal::DataAfterFin));
    assert_eq!(verdict, Some("confirmed"));
}

#[test]
fn a_close_in_place_of_an_answer_is_judged_by_its_headers() {
    let fin = server(RTT + 4000, FIN_ACK, 1, 101, 0);
    let (signals, verdict) = reset(&[forged(fin)]);
    assert!(signals.contains(&Signal::DataFast) && signals.contains(&Signal::RstTtlNear));
    assert_eq!(verdict, Some("likely"));
    // A server that has nothing to say, in its own time and with its own headers.
    let own = Packet { micros: 2 * RTT + 1100, ..fin };
    assert_eq!(reset(&[own]).1, None);
    // After a first answer, or before the request has come, it is a close like any other.
    let answer = server(2 * RTT + 1000, ACK, 1, 101, 500);
    let after = forged(server(2 * RTT + 1100, FIN_ACK, 501, 101, 0));
    assert_eq!(reset(&[answer, after]).1, None);
    assert_eq!(reset(&[forged(server(RTT + 4000, FIN_ACK, 1, 1, 0))]).1, None);
}

#[test]
fn data_far_beyond_a_fin_may_be_of_a_later_connection() {
    let fin = server(2 * RTT + 1000, FIN_ACK, 1, 101, 0);
    let later = server(100 * RTT, ACK, 20_000_000, 101, 1200);
    let (signals, verdict) = reset(&[fin, later]);
    assert!(signals.contains(&Signal::DataAfterFin));
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{verdict:?}");
}

#[test]
fn a_fin_sent_again_with_its_last_data_is_no_contradiction() {
    let data = server(2 * RTT + 1000, ACK, 1, 101, 1200);
    let fin = server(2 * RTT + 1100, FIN_ACK, 1201, 101, 0);
    let again = server(4 * RTT, FIN_ACK, 1, 101, 1200);
    let (signals, verdict) = reset(&[data, fin, again]);
    assert!(!signals.contains(&Signal::DataAfterFin));
    assert_eq!(verdict, None);
}

#[test]
fn a_fin_that_acknowledges_a_fin_never_sent_is_odd_and_no_proof() {
    let fin = forged(server(RTT + 4000, FIN_ACK, 1, 102, 0));
    let (signals, verdict) = reset(&[fin]);
    assert!(signals.contains(&Signal::FinAckSkew));
    assert_ne!(verdict, Some("confirmed"));
}

#[test]
fn a_fin_that_the_capture_lacks_was_sent_all_the_same() {
    let fin = Packet { stamped: true, ..server(3 * RTT, FIN_ACK, 1, 102, 0) };
    let counts_it = client(3 * RTT + 500, ACK, 102, 2, 0);
    assert!(!reset(&[fin, counts_it]).0.contains(&Signal::FinAckSkew));
    let counts_none = client(3 * RTT + 500, ACK, 101, 1, 0);
    assert!(reset(&[fin, counts_none]).0.contains(&Signal::FinAckSkew));
}

#[test]
fn a_rst_after_a_close_in_good_order_is_ordinary() {
    let rest = [
        server(2 * RTT + 1000, ACK, 1, 101, 1200),
        server(2 * RTT + 1100, FIN_ACK, 1201, 101, 0),
        client(2 * RTT + 1200, FIN_ACK, 101, 1202, 0),
        forged(server(3 * RTT, RST, 1202, 0, 0)),
    ];
    let (signals, verdict) = reset(&rest);
    assert!(signals.contains(&Signal::OrderlyClose));
    assert_eq!(verdict, None);
}

#[test]
fn a_frame_captured_twice_is_one_frame() {
    let rst = server(2 * RTT + 1100, RST_ACK, 1, 101, 0);
    let suspicions = play(&[rst, Packet { micros: rst.micros + 30, ..rst }]);
    assert!(
        suspicions.iter().all(|found| found.facts.iter().all(|f| f.signal != Signal::RstBurst))
    );
}

#[test]
fn a_refusal_of_a_syn_that_is_accepted_later_came_too_soon() {
    let sure = |refused: Packet| {
        let mut packets = opening();
        packets.insert(1, refused);
        let (flow, watch, _) = observed(&packets);
        let told = watch.conclude(&flow, endpoint(1, 443).ip, 0);
        let signals: Vec<Signal> =
            told.iter().flat_map(|told| &told.facts).map(|fact| fact.signal).collect();
        let verdict = told.iter().find_map(verdict::weigh);
        (signals, verdict.map(|verdict| verdict.confidence.name()))
    };
    let refusal =
        |micros| Packet { seq: 0, ip_id: 0, stamped: false, ..server(micros, RST_ACK, 0, 1, 0) };
    let (signals, verdict) = sure(refusal(RTT / 4));
    assert!(signals.contains(&Signal::RstThenSynAck) && signals.contains(&Signal::RstFast));
    assert_eq!(verdict, Some("likely"));
    // One of a connection before between the same ports answers no SYN, however soon it comes.
    let late = Packet { flags: RST, ack: 0, window: 0, seq: SERVER, ..refusal(RTT / 4) };
    let (signals, verdict) = sure(late);
    assert!(!signals.contains(&Signal::RstFast), "{signals:?}");
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{signals:?}");
    // One that took as long as the SYN/ACK may be a machine beside the server, or its filter.
    let (signals, verdict) = sure(refusal(RTT - 2_000));
    assert!(!signals.contains(&Signal::RstFast));
    assert!(!matches!(verdict, Some("likely" | "confirmed")), "{signals:?}");
}

#[test]
fn a_clock_tells_that_data_were_sent_after_the_rst_that_they_follow_at_once() {
    let grade = |rst: Packet| {
        let goes_on = server(2 * RTT + 5_000, ACK, 1, 101, 1200);
        let facts = play(&[rst, goes_on]).into_iter().flat_map(|found| found.facts);
        let mut facts = facts.filter(|fact| fact.signal == Signal::RstThenData);
        facts.next().map(|fact| fact.grade)
    };
    // 4 ms later they may have been on the way already, but for the sender's clock.
    let rst = server(2 * RTT + 1_000, RST, 1, 0, 0);
    assert_eq!(grade(rst), Some(Grade::Full));
    assert_eq!(grade(Packet { stamped: false, ..rst }), Some(Grade::Half));
}
