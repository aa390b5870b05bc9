//! Millions of short flows: scans, queries, handshakes with hardly a word.

use super::mix::datagram;
use super::names::{self, NAME_BITS};
use super::packet::{ACK, RST, SYN};
use super::plan::{Path, Plan};
use super::rng::Rng;
use super::talk::{CLIENT, End, SERVER, Talk};
use super::tls::{self, Offer};
use super::{dns, http};

/// A sequence of short flows, in the order of their beginnings.
pub(crate) struct Small {
    rng: Rng,
    next: u64,
    end: u64,
}

impl Small {
    pub(crate) fn new(seed: u64, millionths: u64) -> Self {
        Self { rng: Rng::new(seed, 3), next: 0, end: (TALKS * millionths / 1_000_000).max(1) }
    }

    /// One of many SYNs of a scanner; the port is closed, or nobody is there.
    fn probe(&mut self, start: u64, is_answered: bool) -> Talk {
        let rng = &mut self.rng;
        let n = self.next;
        let v6 = n % 7 == 3;
        let scanner = names::client(0x00f0_0000 + n % SCANNERS, v6);
        let target = n / SCANNERS;
        let port = PORTS[(target >> 15) as usize % PORTS.len()];
        let client = End::new(rng, scanner, 32_768 + (target % 28_000) as u16, 57);
        let server = End::new(rng, names::server(target & 0x7fff, v6), port, 60);
        let mut talk = Talk::new(client, server, true);
        talk.stamps = false;
        let path = path(rng);
        let mut plan = Plan::begin(&mut talk, path, start);
        plan.shoot(CLIENT, SYN, 0);
        if is_answered {
            plan.reach(SERVER);
            plan.shoot(SERVER, RST | ACK, 0);
        } else if rng.per_mille(200) {
            plan.wait(1_000_000_000);
            plan.shoot(CLIENT, SYN, 0);
        }
        talk
    }

    fn query(&mut self, start: u64) -> Talk {
        let rng = &mut self.rng;
        let rank = rng.zipf(NAME_BITS);
        let mut talk = ends(rng, (rank, 53, self.next), false);
        let v6 = talk.ends[CLIENT].ip.is_ipv6();
        talk.ends[SERVER].ip = names::resolver(rng, v6);
        let query = dns::query(rng.next() as u16, &names::name(rank), v6);
        let answer = dns::answer(&query, names::server(rank, v6), 300);
        talk.ends[CLIENT].stream.write(&query);
        talk.ends[SERVER].stream.write(&answer);
        talk.shots.push(datagram(start, CLIENT, (0, query.len())));
        let at = start + rng.within(2_000_000, 40_000_000);
        talk.shots.push(datagram(at, SERVER, (0, answer.len())));
        talk
    }

    fn short(&mut self, start: u64, is_tls: bool) -> Talk {
        let rng = &mut self.rng;
        let rank = rng.zipf(NAME_BITS);
        let host = names::name(rank);
        let mut talk = ends(rng, (rank, if is_tls { 443 } else { 80 }, self.next), true);
        let path = path(rng);
        let mut plan = Plan::open(&mut talk, path, start);
        let (request, answer, rest) = if is_tls {
            (tls::client_hello(rng, &host, Offer::Bare), tls::server_hello(rng), 300)
        } else {
            let len = rng.within(100, 500);
            (http::request(rng, &host, true), http::answer(rng, len), len)
        };
        plan.talk.ends[CLIENT].stream.write(&request);
        plan.say(CLIENT);
        let server = &mut plan.talk.ends[SERVER].stream;
        if is_tls {
            server.write(&answer);
            server.sealed(rng, rest);
        } else {
            server.write(&answer);
            server.noise(rng, rest);
        }
        plan.wait(rng.within(500_000, 5_000_000));
        plan.say(SERVER);
        plan.wait(rng.within(100_000, 50_000_000));
        if rng.per_mille(700) {
            plan.close(CLIENT);
        } else {
            plan.shoot(CLIENT, RST | ACK, 0);
        }
        talk
    }
}

impl Iterator for Small {
    type Item = Talk;

    fn next(&mut self) -> Option<Talk> {
        if self.next == self.end {
            return None;
        }
        let start = self.next * (DURATION_NS / TALKS);
        let talk = match self.next * 37 % 100 {
            0..33 => self.probe(start, true),
            33..51 => self.probe(start, false),
            51..70 => self.query(start),
            turn => self.short(start, turn % 2 == 0),
        };
        self.next += 1;
        Some(talk)
    }
}

fn ends(rng: &mut Rng, (rank, port, n): (u64, u16, u64), is_tcp: bool) -> Talk {
    let v6 = rng.per_mille(150);
    let own_port = 1024 + (n / CLIENTS % 64_000) as u16;
    let client = End::new(rng, names::client(n * 1597 % CLIENTS, v6), own_port, 62);
    let server = End::new(rng, names::server(rank, v6), port, 52);
    Talk::new(client, server, is_tcp)
}

fn path(rng: &mut Rng) -> Path {
    let rtt = [rng.within(600_000, 5_000_000), rng.within(5_000_000, 90_000_000)];
    Path { rtt, spacing: 30_000, segments: [1400; 4], window: 10 }
}

/// At scale 1, within ten minutes.
const TALKS: u64 = 2_000_000;
const DURATION_NS: u64 = 600_000_000_000;
const CLIENTS: u64 = 20_000;
const SCANNERS: u64 = 50;
const PORTS: [u16; 8] = [22, 23, 445, 3389, 8080, 5900, 2323, 6379];
