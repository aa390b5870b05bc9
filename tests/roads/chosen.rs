//! Resets from this side of a server that meet one name each time, and the others never.

use tamperscope::evidence::{Kind, Signal};
use tamperscope::pipeline::{Analysis, Settings};

use crate::packet::{ACK, ETHERNET, Layout, PSH, RST, SYN};
use crate::run::{analyze, settings};
use crate::stories::Shot;
use crate::write;

const CLIENT: [u8; 4] = [198, 51, 100, 7];
const SERVER: [u8; 4] = [203, 0, 113, 9];
const HOME_TTL: u8 = 52;
const ISN: u32 = 9_000;

/// A segment on port 80, without options.
fn segment(micros: i64, port: u16, (up, ttl, flags): (bool, u8, u8), data: &[u8]) -> Shot {
    let ([src, dst], ports) =
        if up { ([CLIENT, SERVER], [port, 80]) } else { ([SERVER, CLIENT], [80, port]) };
    // What comes before is told by the flags: only SYNs have a number of their own.
    let begins = u32::from(flags & SYN == 0);
    let asked = if !up && flags & SYN == 0 { REQUEST_LEN } else { 0 };
    let (seq, ack) = if up { (begins, ISN + begins) } else { (ISN + begins, 1 + asked) };
    let ack = if flags & ACK == 0 { 0 } else { ack };
    let total = (40 + data.len()) as u16;
    let ip = [&[0x45, 0][..], &total.to_be_bytes(), &[0, 0, 0x40, 0, ttl, 6, 0, 0], &src, &dst];
    let tcp = [
        &ports[0].to_be_bytes()[..],
        &ports[1].to_be_bytes(),
        &seq.to_be_bytes(),
        &ack.to_be_bytes(),
        &[0x50, flags, 2, 0, 0, 0, 0, 0],
    ];
    let bytes = [&[2; 12][..], &[8, 0], &ip.concat(), &tcp.concat(), data].concat();
    let original_len = bytes.len() as u32;
    let mut shot = Shot { time_ns: micros * 1000, bytes, original_len, link: ETHERNET };
    Layout::of(&shot).expect("a segment").mend(&mut shot.bytes);
    shot
}

/// Every name has as many letters.
fn request(name: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {name}.example\r\n\r\n").into_bytes()
}

const REQUEST_LEN: u32 = 37;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One flow each five seconds, 40 ms from the server: a name, and the TTL of the RST that it meets 26 ms
/// after the request, if any.
fn flows(names: &[(&str, Option<u8>)]) -> Vec<Shot> {
    let mut shots = Vec::new();
    for (place, (name, met)) in names.iter().enumerate() {
        let (at, port) = (1_000_000 + 5_000_000 * place as i64, 40_000 + place as u16);
        let request = request(name);
        assert_eq!(request.len(), REQUEST_LEN as usize);
        shots.extend([
            segment(at, port, (true, 64, SYN), &[]),
            segment(at + 40_000, port, (false, HOME_TTL, SYN | ACK), &[]),
            segment(at + 40_100, port, (true, 64, ACK), &[]),
            segment(at + 40_200, port, (true, 64, ACK | PSH), &request),
        ]);
        shots.push(match met {
            Some(ttl) => segment(at + 66_200, port, (false, *ttl, RST | ACK), &[]),
            None => segment(at + 80_300, port, (false, HOME_TTL, ACK | PSH), ANSWER),
        });
    }
    shots
}

/// How many resets are told, how many of these as one name's, and how many as `likely` or more.
fn told(names: &[(&str, Option<u8>)]) -> [usize; 2] {
    let input = || [write::input("one", write::pcap(&flows(names)))];
    let analysis = analyze(&input(), &settings());
    for lanes in [2, 8] {
        let lanes = lanes.try_into().expect("lanes");
        let other = analyze(&input(), &Settings { lanes, ..settings() });
        assert_eq!(other.findings, analysis.findings, "{lanes} lanes");
    }
    count(&analysis)
}

fn count(analysis: &Analysis) -> [usize; 2] {
    let resets = || analysis.findings.iter().filter(|finding| finding.kind == Kind::Reset);
    let chosen = resets().filter(|finding| {
        finding.evidence.iter().any(|fact| fact.signal == Signal::NameSingledOut)
    });
    [resets().count(), chosen.count()]
}

/// 3 hops away, where the server is 12 away.
const NEAR: Option<u8> = Some(61);

#[test]
fn a_name_that_meets_resets_from_nearer_each_time_is_singled_out() {
    let turns = [("bad", NEAR), ("one", None), ("bad", NEAR), ("two", None)];
    assert_eq!(told(&[turns, turns, turns].concat()), [6, 6]);
}

/// The innocent twins: a gateway in trouble, which meets all names alike; a server that refuses a name
/// itself, or a balancer before it.
#[test]
fn trouble_of_all_names_and_refusals_of_the_server_s_own_single_nobody_out() {
    let trouble =
        [("bad", NEAR), ("one", None), ("bad", NEAR), ("two", None), ("bad", None), ("one", NEAR)];
    assert_eq!(told(&[trouble, trouble].concat()), [6, 0]);
    for ttl in [HOME_TTL, 57] {
        let turns = [("bad", Some(ttl)), ("one", None), ("bad", Some(ttl)), ("two", None)];
        assert_eq!(told(&[turns, turns, turns].concat()), [0, 0], "{ttl}");
    }
}
