//! Which packets are taken for company of a forged one, and which are not.

use tamperscope::evidence::Kind;

use crate::play::*;

#[test]
fn an_own_refusal_that_was_captured_twice_is_no_copy_of_a_forged_one() {
    let forged = Packet { ttl: 61, ip_id: 0, stamped: false, ..server(RTT + 4000, RST, 1, 0, 0) };
    let own = |micros| Packet { micros, ttl: 52, ..forged };
    let told = play(&[forged, own(3 * RTT), own(3 * RTT + 30)]);
    let reset = told.iter().find(|found| found.kind == Kind::Reset).unwrap();
    assert_eq!(reset.forged.iter().map(|frame| frame.number()).collect::<Vec<_>>(), [5]);
    // The forged one captured twice is.
    let told = play(&[forged, Packet { micros: RTT + 4030, ..forged }, own(3 * RTT)]);
    let reset = told.iter().find(|found| found.kind == Kind::Reset).unwrap();
    assert_eq!(reset.forged.iter().map(|frame| frame.number()).collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn a_close_that_nothing_speaks_against_is_no_company_of_a_forged_one() {
    // The forged FIN acknowledges a FIN that was never sent; the server's own comes 6 ms later, before
    // its data, which overtook nothing.
    let forged = Packet { ttl: 52, ..forged(server(2 * RTT - 4000, FIN_ACK, 1, 102, 0)) };
    let close = server(2 * RTT + 2000, FIN_ACK, 864, 101, 0);
    let data = server(2 * RTT + 4000, ACK, 1, 101, 863);
    let told = play(&[forged, close, data]);
    let reset = told.iter().find(|found| found.kind == Kind::Reset).unwrap();
    assert_eq!(reset.forged.iter().map(|frame| frame.number()).collect::<Vec<_>>(), [5]);
}
