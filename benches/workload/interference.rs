//! What boxes in the path do: forged resets, a notice in the server's place, a forged DNS answer.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::dns;
use super::http::NOTICE;
use super::mix::datagram;
use super::packet::{ACK, FIN, PSH, RST};
use super::plan::Plan;
use super::rng::Rng;
use super::talk::{CLIENT, SERVER, Shot, Talk};
use super::tls;

/// Right after the client's first request, which has reached the server.
pub(crate) fn strike(plan: &mut Plan<'_>, rng: &mut Rng, is_tls: bool) {
    plan.talk.forged.ttl = rng.within(44, 61) as u8;
    let answer_at = plan.now;
    let server_rtt = plan.rtt(SERVER);
    plan.now -= server_rtt - server_rtt / 8 - 300_000;
    let box_at = plan.now;
    match rng.below(3) {
        0 if !is_tls => notice(plan),
        1 => {
            // Three, each a segment further, as one sender of resets is known for.
            for n in 0..3 {
                plan.forge(SERVER, RST | ACK, (0, n * 1460));
                plan.wait(15_000);
            }
        }
        _ => plan.forge(SERVER, RST, (0, 0)),
    }
    plan.now = (box_at + plan.rtt(CLIENT)).max(answer_at);
    genuine(plan, rng, is_tls);
}

/// The client takes the forged answer for the server's.
fn notice(plan: &mut Plan<'_>) {
    plan.talk.forged.payload = NOTICE.to_vec();
    plan.forge(SERVER, PSH | FIN | ACK, (NOTICE.len() as u64, 0));
    plan.reach(CLIENT);
    plan.shoot(CLIENT, ACK, 0);
    if let Some(shot) = plan.talk.shots.last_mut() {
        shot.ack += NOTICE.len() as u64 + 1;
    }
}

/// The server answers the request; the client, whose connection is gone, resets it.
fn genuine(plan: &mut Plan<'_>, rng: &mut Rng, is_tls: bool) {
    let server = &mut plan.talk.ends[SERVER].stream;
    if is_tls {
        server.write(&tls::server_hello(rng));
        server.sealed(rng, 2600);
    } else {
        let head = super::http::answer(rng, 2600);
        server.write(&head);
        server.noise(rng, 2600);
    }
    plan.wait(rng.within(300_000, 3_000_000));
    let mut left = server_left(plan);
    while left > 0 {
        let len = left.min(1400);
        left -= len;
        plan.shoot(SERVER, PSH | ACK, len);
        let passed = plan.now;
        plan.wait(plan.rtt(CLIENT));
        plan.shoot(CLIENT, RST, 0);
        if let Some(shot) = plan.talk.shots.last_mut() {
            shot.ack = 0;
        }
        plan.now = passed + 30_000;
    }
}

fn server_left(plan: &Plan<'_>) -> u64 {
    plan.talk.ends[SERVER].stream.len() - plan.sent[SERVER]
}

/// A second answer that comes before the resolver's.
pub(crate) fn forge_answer(talk: &mut Talk, rng: &mut Rng, query: &[u8]) {
    let n = rng.within(1, 9) as u8;
    let address = if talk.ends[CLIENT].ip.is_ipv6() {
        Ipv6Addr::new(0x2001, 0xdb8, 0xf0, 0, 0, 0, 0, n.into()).into()
    } else {
        Ipv4Addr::new(203, 0, 113, n).into()
    };
    let forged = dns::answer(query, address, 300);
    talk.forged.ttl = rng.within(44, 61) as u8;
    let at = talk.start() + rng.within(1_000_000, 6_000_000);
    let shot = datagram(at, SERVER, (0, forged.len()));
    talk.shots.push(Shot { is_forged: true, ..shot });
    talk.forged.payload = forged;
    talk.is_interfered = true;
}
