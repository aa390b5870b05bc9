//! Resets from this side of the server, beside those of machines that are as far as it is.

use tamperscope::evidence::Signal;

use crate::play::*;

/// A RST after the request, as late as an answer; the server, 12 hops away, is heard at 52.
fn rst(ttl: u8) -> Packet {
    Packet { ttl, ..server(2 * RTT + 1100, RST_ACK, 1, 101, 0) }
}

fn is_sure(verdict: Option<&str>) -> bool {
    matches!(verdict, Some("likely" | "confirmed"))
}

#[test]
fn a_reset_from_half_way_is_nearer_than_its_sender() {
    // 6, 3, 2 and 0 hops from 64, 64, 255 and 128.
    for ttl in [58, 61, 253, 128] {
        let (signals, _) = reset(&[rst(ttl)]);
        assert!(signals.contains(&Signal::RstTtlNear), "{ttl}: {signals:?}");
        assert!(!signals.contains(&Signal::TtlShift));
    }
    // With that it came sooner than it may.
    let soon = Packet { micros: RTT + 4000, ..rst(61) };
    let (signals, verdict) = reset(&[soon]);
    assert!(signals.contains(&Signal::RstFast) && is_sure(verdict), "{signals:?}");
}

#[test]
fn a_stack_with_an_initial_value_of_its_own_is_not_nearer() {
    // RSTs that begin with 102, as some of 2006 do; and one of a server whose packets begin with 200.
    assert!(!reset(&[rst(90)]).0.contains(&Signal::RstTtlNear));
    let odd = |packet: &Packet| match packet.ttl {
        52 => Packet { ttl: 188, ..*packet },
        _ => *packet,
    };
    let packets: Vec<Packet> = opening().iter().map(odd).chain([rst(52)]).collect();
    let (flow, watch, _) = observed(&packets);
    let told = watch.conclude(&flow, endpoint(1, 443).ip, 0);
    let mut facts = told.iter().flat_map(|found| &found.facts);
    assert!(facts.all(|fact| fact.signal != Signal::RstTtlNear));
}

#[test]
fn what_stands_before_the_server_is_about_as_far() {
    // 7, 10 and 12 hops; made up: 105 hops; further away: 20 hops.
    for ttl in [57, 54, 243, 150, 44] {
        let (signals, verdict) = reset(&[rst(ttl)]);
        assert!(!signals.contains(&Signal::RstTtlNear), "{ttl}: {signals:?}");
        assert!(!is_sure(verdict), "{ttl}");
    }
    assert!(!reset(&[rst(52)]).0.contains(&Signal::RstTtlNear), "its own");
}

#[test]
fn nearness_alone_is_no_more_than_possible() {
    for ttl in [61, 253] {
        let (_, verdict) = reset(&[rst(ttl)]);
        assert!(!is_sure(verdict), "{ttl}: {verdict:?}");
    }
}

#[test]
fn a_gateway_of_the_client_s_that_forgot_the_connection_is_near_and_no_censor() {
    let late = 30_000_000;
    let asked = client(late, ACK, 101, 1, 50);
    let forgot = Packet { micros: late + 300, ttl: 64, ..server(0, RST, 1, 0, 0) };
    let (signals, verdict) = reset(&[server(2 * RTT, ACK, 1, 101, 0), asked, forgot]);
    assert!(!signals.contains(&Signal::RstTtlNear), "{signals:?}");
    assert!(!is_sure(verdict), "{verdict:?}");
}

#[test]
fn beside_the_server_no_reset_of_its_own_is_nearer() {
    // The server is one hop away.
    let near = |packet: Packet| Packet { ttl: 63, ..packet };
    let [syn, answer, rest @ ..] = &opening()[..] else { unreachable!() };
    let packets = [&[*syn, near(*answer)], rest, &[rst(255)]].concat();
    let (flow, watch, _) = observed(&packets);
    let told = watch.conclude(&flow, endpoint(1, 443).ip, 0);
    let facts = told.iter().flat_map(|found| &found.facts);
    assert!(facts.into_iter().all(|fact| fact.signal != Signal::RstTtlNear));
}
