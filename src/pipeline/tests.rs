//! What a lane reads where the capture lacks something.

use std::sync::Arc;

use super::clock::Clock;
use super::{Directory, Lane, Limits, Settings};
use crate::decode::Packet;
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::{FlowRecord, HttpExchange};
use crate::wire::{
    Duration, Endpoint, FrameId, IpHeader, Segment, SeqNumber, TcpFlags, TcpOptions, Timestamp, Ttl,
};

const ACK: TcpFlags = TcpFlags::ACK;
const SYN: TcpFlags = TcpFlags::SYN;

/// Who sends what: `>` the client on port 40,000, `<` the server on port 9,000.
type Script<'a> = &'a [(char, TcpFlags, u32, u32, &'a [u8])];

/// The records of the flows that `script` makes; one segment a millisecond.
fn flows(script: Script<'_>) -> Vec<FlowRecord> {
    flows_timed(script, |number| number)
}

/// The same; `millis_of` gives the time of a segment, of which the first is number 1.
fn flows_timed(script: Script<'_>, millis_of: impl Fn(u64) -> u64) -> Vec<FlowRecord> {
    let settings = Settings {
        filter: None,
        hash: false,
        flows: true,
        fingerprints: Arc::new(FingerprintSet::builtin()),
        services: Arc::default(),
        limits: Limits::default(),
        lanes: std::num::NonZeroUsize::MIN,
    };
    let directory = Directory::default();
    let mut clock = Clock::default();
    let mut lane = Lane::new(&settings, &directory);
    for (number, (way, flags, seq, ack, payload)) in (1..).zip(script) {
        let frame = FrameId::new(0, number);
        let time = Timestamp::ZERO + Duration::from_millis(millis_of(number));
        let client = Endpoint::new([192, 0, 2, 1].into(), 40_000);
        let server = Endpoint::new([198, 51, 100, 1].into(), 9_000);
        let (src, dst) = if *way == '>' { (client, server) } else { (server, client) };
        let packet = Packet::Tcp(Segment {
            frame,
            time,
            ip: IpHeader {
                ttl: Ttl(64),
                id: Some(number as u16),
                dont_fragment: true,
                traffic_class: 0,
                reassembled: false,
                tunnels: 0,
            },
            src,
            dst,
            seq: SeqNumber(*seq),
            ack: SeqNumber(*ack),
            flags: *flags,
            window: 1000,
            checksum: 0,
            options: TcpOptions::default(),
            payload,
            payload_len: payload.len() as u32,
            transport: &[],
        });
        lane.packet(&packet, packet.flow(), clock.tick(time, frame));
    }
    lane.finish(clock.now()).flows.into_iter().map(|ended| ended.record).collect()
}

/// Host and status of each exchange of the only flow.
fn exchanges(script: Script<'_>) -> Vec<(String, Option<u16>)> {
    let [flow] = flows(script).try_into().expect("one flow");
    let told = |exchange: HttpExchange| (exchange.host.unwrap_or_default(), exchange.status);
    flow.http.into_iter().map(told).collect()
}

fn host(name: &str) -> String {
    name.to_owned()
}

const FIRST: &[u8] = b"GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n";
const SECOND: &[u8] = b"GET /2 HTTP/1.1\r\nHost: b.example\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[test]
fn a_connection_is_read_from_where_the_capture_begins() {
    let script: Script<'_> = &[
        ('<', ACK, 9000, 100, b"the midst of an answer"),
        // A keep-alive: one byte that was sent before (RFC 9293 §3.8.4).
        ('>', ACK, 99, 9022, b"\0"),
        ('>', ACK, 100, 9022, FIRST),
        ('<', ACK, 9022, 135, OK),
    ];
    assert_eq!(exchanges(script), [(host("a.example"), Some(200))]);
}

#[test]
fn a_hole_that_is_never_filled_is_a_hole() {
    let post = b"POST /1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 17\r\n\r\n";
    let script: Script<'_> = &[
        ('>', SYN, 99, 0, b""),
        ('<', SYN.union(ACK), 8999, 100, b""),
        ('>', ACK, 100, 9000, post),
        // The body is missing, and nobody acknowledges it.
        ('>', ACK, 100 + post.len() as u32 + 17, 9000, SECOND),
    ];
    assert_eq!(exchanges(script), [(host("a.example"), None), (host("b.example"), None)]);
}

#[test]
fn an_answer_without_its_head_hides_no_later_one() {
    let script: Script<'_> = &[
        ('>', ACK, 100, 9000, FIRST),
        ('<', ACK, 9500, 135, b"the midst of an answer"),
        ('>', ACK, 135, 9522, SECOND),
        ('<', ACK, 9522, 170, OK),
    ];
    assert_eq!(exchanges(script), [(host("a.example"), None), (host("b.example"), Some(200))]);
}

#[test]
fn what_begins_late_and_begins_nothing_is_given_up() {
    let mut script = vec![('>', ACK, 100, 0, FIRST)];
    let noise: Vec<_> =
        (0..65).map(|n| ('<', ACK, 9000 + 10 * n, 100, &b"0123456789"[..])).collect();
    script.splice(0..0, noise);
    assert_eq!(exchanges(&script), []);
}

#[test]
fn an_answer_after_a_lost_one_belongs_to_the_last_request() {
    let script: Script<'_> = &[
        ('>', SYN, 99, 0, b""),
        ('<', SYN.union(ACK), 8999, 100, b""),
        ('>', ACK, 100, 9000, FIRST),
        ('<', ACK, 9500, 135, b"the midst of an answer"),
        ('>', ACK, 135, 9522, SECOND),
        ('<', ACK, 9522, 170, OK),
    ];
    assert_eq!(exchanges(script), [(host("a.example"), None), (host("b.example"), Some(200))]);
}

#[test]
fn of_two_handshakes_the_acknowledged_one_counts() {
    let both = |accepted: u32| {
        exchanges(&[
            ('>', SYN, 99, 0, b""),
            ('<', SYN.union(ACK), 8999, 100, b""),
            ('<', SYN.union(ACK), 70_008_999, 100, b""),
            ('>', ACK, 100, accepted, b""),
            ('>', ACK, 100, accepted, FIRST),
            ('<', ACK, accepted, 135, OK),
        ])
    };
    assert_eq!(both(9000), [(host("a.example"), Some(200))]);
    assert_eq!(both(70_009_000), [(host("a.example"), Some(200))]);
}

#[test]
fn a_long_pause_cuts_no_connection_that_begins_after_it() {
    let script: Script<'_> = &[
        ('<', ACK, 5000, 50, b"of an earlier one"),
        ('>', SYN, 99, 0, b""),
        ('<', SYN.union(ACK), 8999, 100, b""),
        ('>', ACK, 100, 9000, FIRST),
    ];
    let days = 3 * 24 * 3_600_000;
    let flows = flows_timed(script, |number| if number == 1 { 1 } else { days + number });
    let frames: Vec<_> = flows.iter().map(|flow| flow.first_frame.number()).collect();
    assert_eq!(frames, [1, 2]);
    assert!(flows.iter().all(|flow| flow.http.len() <= 1));
    // A stray time stamp is no pause.
    let flows = flows_timed(script, |number| if number == 1 { days } else { number });
    assert_eq!(flows.len(), 2);
}
