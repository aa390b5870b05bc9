//! Which frame brought what.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::*;
use crate::detect::Watch;
use crate::pipeline::{Limits, Settings};
use crate::wire::Timestamp;

const REQUEST: FrameId = FrameId::new(0, 4);
const ANSWER: FrameId = FrameId::new(0, 6);
const LATER: [FrameId; 2] = [FrameId::new(0, 7), FrameId::new(0, 8)];

/// A talk that has heard `request` and `answer`, each in a frame of its own.
fn heard(request: &[u8], answer: &[u8], then: impl Fn(&mut HttpTalk, &mut Around<'_>)) -> HttpTalk {
    let settings = Settings {
        filter: None,
        hash: false,
        flows: true,
        lanes: NonZeroUsize::MIN,
        fingerprints: Arc::default(),
        services: Arc::default(),
        limits: Limits::default(),
    };
    let (mut talk, mut watch) = (HttpTalk::default(), Watch::default());
    let mut around = Around { watch: &mut watch, settings: &settings, time: Timestamp::ZERO };
    talk.bytes(Direction::ToServer, request, REQUEST, &mut around);
    talk.bytes(Direction::ToClient, answer, ANSWER, &mut around);
    then(&mut talk, &mut around);
    talk
}

#[test]
fn an_unfinished_answer_is_in_the_frame_that_brought_it() {
    let ask = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n";
    let answer = b"HTTP/1.1 302 Found\r\nLocation: http://notice.example/\r\nContent-Le";
    let cut = heard(ask, answer, |talk, around| talk.gap(Direction::ToClient, 100, around));
    let over = heard(ask, answer, HttpTalk::end);
    for talk in [cut, over] {
        let [exchange] = &talk.exchanges()[..] else { panic!("one exchange") };
        assert_eq!((exchange.status, exchange.status_frame), (Some(302), Some(ANSWER)));
    }
}

#[test]
fn an_unfinished_request_is_in_the_frame_that_brought_it() {
    let ask = b"GET / HTTP/1.1\r\nHost: www.example\r\nUser-";
    let cut = heard(ask, b"", |talk, around| talk.gap(Direction::ToServer, 100, around));
    let over = heard(ask, b"", HttpTalk::end);
    for talk in [cut, over] {
        let [exchange] = &talk.exchanges()[..] else { panic!("one exchange") };
        let told = (exchange.host.as_deref(), exchange.frame);
        assert_eq!(told, (Some("www.example"), Some(REQUEST)));
    }
}

#[test]
fn an_answer_begins_in_the_frame_of_its_first_byte() {
    let asks = b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
    let begun = |answer: &[u8], parts: [&[u8]; 2]| {
        let talk = heard(asks, answer, |talk, around| {
            for (frame, part) in LATER.into_iter().zip(parts) {
                talk.bytes(Direction::ToClient, part, frame, around);
            }
        });
        talk.responses.head.map(|head| head.begins)
    };
    let empty = b"HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(begun(b"HTTP/1.1 200 OK\r\n", [b"Content-Length: 9\r\n", b"\r\nab"]), Some(ANSWER));
    assert_eq!(begun(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", [b"a", b"b"]), Some(ANSWER));
    let second: [&[u8]; 2] = [b"HTTP/1.1 200 O", b"K\r\nContent-Length: 9\r\n\r\n"];
    assert_eq!(begun(empty, second), Some(LATER[0]));
    let in_one_frame = [&empty[..], second[0]].concat();
    assert_eq!(begun(&in_one_frame, [second[1], b""]), Some(ANSWER));
    let in_the_last = [&empty[20..], second[0], second[1]].concat();
    assert_eq!(begun(&empty[..20], [b"", &in_the_last]), Some(LATER[1]));
}
