//! Which frame brought what.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::*;
use crate::detect::Watch;
use crate::pipeline::{Limits, Settings};
use crate::wire::Timestamp;

const REQUEST: FrameId = FrameId::new(0, 4);
const ANSWER: FrameId = FrameId::new(0, 6);

/// A talk that has heard `request` and `answer`, each in a frame of its own.
fn heard(request: &[u8], answer: &[u8], then: impl Fn(&mut HttpTalk, &mut Around<'_>)) -> HttpTalk {
    let settings = Settings {
        filter: None,
        hash: false,
        flows: true,
        lanes: NonZeroUsize::MIN,
        fingerprints: Arc::default(),
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
        let [exchange] = talk.exchanges() else { panic!("one exchange") };
        assert_eq!((exchange.status, exchange.status_frame), (Some(302), Some(ANSWER)));
    }
}

#[test]
fn an_unfinished_request_is_in_the_frame_that_brought_it() {
    let ask = b"GET / HTTP/1.1\r\nHost: www.example\r\nUser-";
    let cut = heard(ask, b"", |talk, around| talk.gap(Direction::ToServer, 100, around));
    let over = heard(ask, b"", HttpTalk::end);
    for talk in [cut, over] {
        let [exchange] = talk.exchanges() else { panic!("one exchange") };
        let told = (exchange.host.as_deref(), exchange.frame);
        assert_eq!(told, (Some("www.example"), Some(REQUEST)));
    }
}
