//! Ordinary traffic of a network's edge: TLS, HTTP, DNS and QUIC side by side.

use super::http;
use super::interference;
use super::names::{self, NAME_BITS};
use super::packet::{ACK, RST};
use super::plan::{Path, Plan, disturb};
use super::rng::Rng;
use super::talk::{CLIENT, End, SERVER, SHORT_HEADER, Shot, Talk};
use super::tls::{self, Offer};
use super::{dns, quic};

/// How clients behave.
#[derive(Clone, Copy)]
struct Manner {
    /// Requests on a connection.
    requests: u64,
    /// Between two of them.
    think_ns_max: u64,
}

/// A sequence of conversations, in the order of their beginnings.
pub(crate) struct Mix {
    rng: Rng,
    next: u64,
    end: u64,
    /// Between two beginnings.
    gap_ns: u64,
    /// Interfered with, in a thousand.
    interfered: u64,
    manner: Manner,
    /// Only TCP; what is interfered with is so late, where the protocol lets it.
    tcp_only: bool,
}

impl Mix {
    /// As many conversations as `millionths` of scale 1 has.
    pub(crate) fn new(seed: u64, millionths: u64) -> Self {
        let end = (TALKS * millionths / 1_000_000).max(1);
        let gap_ns = DURATION_NS / TALKS;
        let rng = Rng::new(seed, 1);
        let manner = Manner { requests: 1, think_ns_max: 3 << 30 };
        Self { rng, next: 0, end, gap_ns, interfered: 10, manner, tcp_only: false }
    }

    /// `end` connections that begin within 20 s and go on for a minute.
    pub(crate) const fn established(seed: u64, end: u64) -> Self {
        let rng = Rng::new(seed, 2);
        let gap_ns = 20_000_000_000 / end;
        let manner = Manner { requests: 5, think_ns_max: 24 << 30 };
        Self { rng, next: 0, end, gap_ns, interfered: 50, manner, tcp_only: true }
    }

    fn tcp(&mut self, start: u64) -> Talk {
        let rng = &mut self.rng;
        let rank = rng.zipf(NAME_BITS);
        let host = names::name(rank);
        let is_tls = rng.per_mille(740);
        let port = if is_tls { 443 } else { 80 };
        let mut talk = talk(rng, (rank, port, self.next), true);
        talk.stamps = rng.per_mille(850);
        talk.is_interfered = rng.per_mille(self.interfered);
        let path = path(rng, &talk);
        let (manner, is_late) = (self.manner, self.tcp_only);
        let is_interfered = talk.is_interfered;
        let mut plan = Plan::open(&mut talk, path, start);
        if is_tls {
            let offer = if rng.per_mille(400) { Offer::Hybrid } else { Offer::Classic };
            let hello = tls::client_hello(rng, &host, offer);
            plan.talk.ends[CLIENT].stream.write(&hello);
        } else {
            let request = http::request(rng, &host, false);
            plan.talk.ends[CLIENT].stream.write(&request);
        }
        plan.wait(rng.within(10_000, 3_000_000));
        plan.say(CLIENT);
        if is_interfered {
            if is_late && !is_tls {
                http_answer(&mut plan, rng);
                http_request(&mut plan, rng, (&host, manner));
            }
            interference::strike(&mut plan, rng, is_tls);
            talk.settle();
            return talk;
        }
        if is_tls {
            tls_session(&mut plan, rng, manner);
        } else {
            http_session(&mut plan, rng, (&host, manner));
        }
        end(&mut plan, rng);
        disturb(&mut talk, rng, &path);
        talk
    }

    fn dns(&mut self, start: u64) -> Talk {
        let rng = &mut self.rng;
        let rank = rng.zipf(NAME_BITS);
        let mut talk = talk(rng, (rank, 53, self.next), false);
        let v6 = talk.ends[CLIENT].ip.is_ipv6();
        talk.ends[SERVER].ip = names::resolver(rng, v6);
        let query = dns::query(rng.next() as u16, &names::name(rank), v6);
        let answer = dns::answer(&query, names::server(rank, v6), rng.within(30, 3600) as u32);
        let rtt = rng.within(8_000_000, 60_000_000);
        talk.ends[CLIENT].stream.write(&query);
        talk.ends[SERVER].stream.write(&answer);
        talk.shots.push(datagram(start, CLIENT, (0, query.len())));
        if rng.per_mille(self.interfered) {
            interference::forge_answer(&mut talk, rng, &query);
        }
        talk.shots.push(datagram(start + rtt, SERVER, (0, answer.len())));
        talk
    }

    fn quic(&mut self, start: u64) -> Talk {
        let rng = &mut self.rng;
        let rank = rng.zipf(NAME_BITS);
        let mut talk = talk(rng, (rank, 443, self.next), false);
        let ids = quic::Ids { first: rng.bytes(), server: rng.bytes() };
        let [client, server] =
            [quic::client_initial(rng, &names::name(rank), &ids), quic::server_initial(rng, &ids)];
        talk.ends[CLIENT].stream.write(&client);
        talk.ends[SERVER].stream.write(&server);
        let path = path(rng, &talk);
        let mut at = start;
        talk.shots.push(datagram(at, CLIENT, (0, client.len())));
        at += path.rtt[SERVER] + rng.within(300_000, 2_000_000);
        talk.shots.push(datagram(at, SERVER, (0, server.len())));
        at += path.rtt[CLIENT];
        let len = rng.heavy(6_000, 420, 9);
        let mut sent = [client.len() as u64, server.len() as u64];
        talk.ends[CLIENT].stream.noise(rng, len / 16 + 1300);
        talk.ends[SERVER].stream.noise(rng, len + 1300);
        for n in 0..=len / 1250 {
            let (from, size) = if n % 5 == 0 { (CLIENT, 60) } else { (SERVER, 1250) };
            let shot = datagram(at, from, (sent[from], size));
            sent[from] += size as u64;
            talk.shots.push(Shot { flags: SHORT_HEADER, ..shot });
            at += if n % 20 == 19 { path.rtt[0] + path.rtt[1] } else { path.spacing };
        }
        talk
    }
}

impl Iterator for Mix {
    type Item = Talk;

    fn next(&mut self) -> Option<Talk> {
        if self.next == self.end {
            return None;
        }
        let start = self.next * self.gap_ns;
        let turn = self.next * 37 % 116;
        self.next += 1;
        Some(match turn {
            _ if self.tcp_only => self.tcp(start),
            0..85 => self.tcp(start),
            85..110 => self.dns(start),
            _ => self.quic(start),
        })
    }
}

/// The ends of conversation `n` with the server of `rank`.
fn talk(rng: &mut Rng, (rank, port, n): (u64, u16, u64), is_tcp: bool) -> Talk {
    let v6 = rng.per_mille(150);
    // A client comes back after as many conversations as there are clients, with its next port.
    let own_port = 1024 + (n / CLIENTS % 64_000) as u16;
    let hops = 6 + (super::rng::mix(rank) % 14) as u8;
    let client = End::new(rng, names::client(n * 1597 % CLIENTS, v6), own_port, 63);
    let server = End::new(rng, names::server(rank, v6), port, 64 - hops);
    Talk::new(client, server, is_tcp)
}

fn path(rng: &mut Rng, talk: &Talk) -> Path {
    let v6 = if talk.ends[CLIENT].ip.is_ipv6() { 20 } else { 0 };
    let segment = 1460 - v6 - if talk.stamps { 12 } else { 0 };
    Path {
        rtt: [rng.within(600_000, 9_000_000), rng.heavy(8_000_000, 500, 3)],
        spacing: rng.within(12_000, 120_000),
        segments: [segment; 4],
        window: 10,
    }
}

fn tls_session(plan: &mut Plan<'_>, rng: &mut Rng, manner: Manner) {
    let hello = tls::server_hello(rng);
    let certificates = rng.within(2400, 4600);
    plan.talk.ends[SERVER].stream.write(&hello);
    plan.talk.ends[SERVER].stream.sealed(rng, certificates);
    plan.wait(rng.within(300_000, 5_000_000));
    plan.say(SERVER);
    plan.talk.ends[CLIENT].stream.write(&tls::CHANGE_CIPHER_SPEC);
    plan.talk.ends[CLIENT].stream.sealed(rng, 58);
    for request in 0..rng.heavy(manner.requests, 200, 3) {
        if request > 0 {
            plan.wait(rng.within(manner.think_ns_max / 50, manner.think_ns_max));
        }
        let (request, answer) = (rng.within(180, 1400), rng.heavy(ANSWER, 420, 12));
        plan.talk.ends[CLIENT].stream.sealed(rng, request);
        plan.say(CLIENT);
        plan.wait(rng.within(1_000_000, 60_000_000));
        plan.talk.ends[SERVER].stream.sealed(rng, answer);
        plan.say(SERVER);
    }
}

/// The first request was sent.
fn http_session(plan: &mut Plan<'_>, rng: &mut Rng, (host, manner): (&str, Manner)) {
    http_answer(plan, rng);
    for _ in 1..rng.heavy(manner.requests, 200, 3) {
        http_request(plan, rng, (host, manner));
        http_answer(plan, rng);
    }
}

fn http_answer(plan: &mut Plan<'_>, rng: &mut Rng) {
    let len = rng.heavy(ANSWER, 420, 12);
    let head = http::answer(rng, len);
    plan.talk.ends[SERVER].stream.write(&head);
    plan.talk.ends[SERVER].stream.noise(rng, len);
    plan.wait(rng.within(1_000_000, 60_000_000));
    plan.say(SERVER);
}

fn http_request(plan: &mut Plan<'_>, rng: &mut Rng, (host, manner): (&str, Manner)) {
    plan.wait(rng.within(manner.think_ns_max / 50, manner.think_ns_max));
    let request = http::request(rng, host, false);
    plan.talk.ends[CLIENT].stream.write(&request);
    plan.say(CLIENT);
}

/// Four in five connections end in order, the client first or the server first; some clients just
/// leave, and some connections are never heard of again.
fn end(plan: &mut Plan<'_>, rng: &mut Rng) {
    plan.wait(rng.within(1_000_000, 2_000_000_000));
    match rng.below(20) {
        0..12 => plan.close(CLIENT),
        12..16 => plan.close(SERVER),
        16..19 => plan.shoot(CLIENT, RST | ACK, 0),
        _ => {}
    }
}

pub(crate) const fn datagram(at: u64, from: usize, (offset, len): (u64, usize)) -> Shot {
    let len = len as u16;
    Shot { at, from, flags: 0, is_forged: false, len, offset, ack: 0, echo: 0 }
}

/// At scale 1: 85,000 connections, 25,000 queries, 6,000 of QUIC, within five minutes.
const TALKS: u64 = 116_000;
const DURATION_NS: u64 = 300_000_000_000;
const CLIENTS: u64 = 2000;
/// Half of the answers are below twice this.
const ANSWER: u64 = 1530;
