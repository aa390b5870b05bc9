//! Few flows of large segments, as a card with receive offload hands them up.

use super::http;
use super::names;
use super::plan::{Path, Plan, disturb};
use super::rng::Rng;
use super::talk::{CLIENT, End, SERVER, Talk};
use super::tls::{self, Offer};

/// Sixteen transfers that begin one after the other and go on side by side.
pub(crate) struct Bulk {
    rng: Rng,
    next: u64,
    /// Of each flow.
    bytes: u64,
}

impl Bulk {
    pub(crate) fn new(seed: u64, millionths: u64) -> Self {
        let bytes = (BYTES / 1_000_000 * millionths / FLOWS).max(10_000);
        Self { rng: Rng::new(seed, 4), next: 0, bytes }
    }
}

impl Iterator for Bulk {
    type Item = Talk;

    fn next(&mut self) -> Option<Talk> {
        let n = self.next;
        if n == FLOWS {
            return None;
        }
        self.next += 1;
        let (rng, bytes) = (&mut self.rng, self.bytes);
        let is_tls = n % 4 != 3;
        let v6 = n % 7 == 2;
        let port = if is_tls { 443 } else { 80 };
        let client = End::new(rng, names::client(n, v6), 40_000 + n as u16, 63);
        let server = End::new(rng, names::server(n + 1, v6), port, 54);
        let mut talk = Talk::new(client, server, true);
        let one = if v6 { 1428 } else { 1448 };
        let last = if n.is_multiple_of(2) { 2 } else { 3 };
        let path = Path {
            rtt: [400_000, 4_000_000 + n * 700_000],
            spacing: 24_000,
            segments: [one, 2 * one, one, last * one],
            window: 20,
        };
        let mut plan = Plan::open(&mut talk, path, n * 11_000_000);
        let host = names::name(n + 1);
        let uploads = n % 8 == 5;
        let [mut up, mut down] = [300, bytes];
        if uploads {
            (up, down) = (bytes, 300);
        }
        if is_tls {
            let hello = tls::client_hello(rng, &host, Offer::Classic);
            plan.talk.ends[CLIENT].stream.write(&hello);
            plan.say(CLIENT);
            let hello = tls::server_hello(rng);
            plan.talk.ends[SERVER].stream.write(&hello);
            plan.talk.ends[SERVER].stream.sealed(rng, 3000);
            plan.say(SERVER);
            plan.talk.ends[CLIENT].stream.write(&tls::CHANGE_CIPHER_SPEC);
            plan.talk.ends[CLIENT].stream.sealed(rng, 58);
            plan.talk.ends[CLIENT].stream.sealed(rng, up);
            plan.say(CLIENT);
            plan.talk.ends[SERVER].stream.sealed(rng, down);
        } else {
            let request = http::request(rng, &host, false);
            plan.talk.ends[CLIENT].stream.write(&request);
            plan.say(CLIENT);
            let head = http::answer(rng, down);
            plan.talk.ends[SERVER].stream.write(&head);
            plan.talk.ends[SERVER].stream.noise(rng, down);
        }
        plan.say(SERVER);
        plan.close(CLIENT);
        disturb(&mut talk, rng, &path);
        Some(talk)
    }
}

const FLOWS: u64 = 16;
/// Payload at scale 1.
const BYTES: u64 = 1_500_000_000;
