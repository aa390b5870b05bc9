//! What holds for any stream, however it is cut.

use proptest::prelude::*;

use super::{
    tests::{WHOLE, cut, requests, responses},
    *,
};

/// Streams that are nearly right, so that the deep paths are met.
fn streams(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

const REQUEST_PIECES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /x HTTP/1.1\n",
    "CONNECT a:1 HTTP/1.1\r\n",
    "Host: a.org\r\n",
    "Content-Length: 4\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Upgrade: x\r\n",
    "no colon\r\n",
    "\r\n",
    "\n",
    " ",
    "4\r\nabcd\r\n",
    "0\r\n\r\n",
    "body",
    "\r",
];

const RESPONSE_PIECES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 403\n",
    "HTTP/1.1 100 C\r\n\r\n",
    "HTTP/1.1 204 N\r\n",
    "Content-Length: 4\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Encoding: gzip\r\n",
    "X: y\r\n",
    "no colon\r\n",
    "\r\n",
    "\n",
    " ",
    "4\r\nabcd\r\n",
    "0\r\n\r\n",
    "body",
    "\r",
];

proptest! {
    #[test]
    fn cutting_requests_changes_nothing(
        stream in streams(REQUEST_PIECES),
        chunks in proptest::collection::vec(1usize..40, 1..6),
    ) {
        let whole = requests(&stream, WHOLE);
        prop_assert_eq!(&requests(&stream, &chunks), &whole);
        prop_assert_eq!(&requests(&stream, &[1]), &whole);
    }

    #[test]
    fn cutting_responses_changes_nothing(
        stream in streams(RESPONSE_PIECES),
        asked in proptest::collection::vec(prop::sample::select(&["GET", "HEAD", "CONNECT"][..]), 0..4),
        chunks in proptest::collection::vec(1usize..40, 1..6),
    ) {
        let whole = responses(&stream, &asked, WHOLE);
        prop_assert_eq!(&responses(&stream, &asked, &chunks), &whole);
        prop_assert_eq!(&responses(&stream, &asked, &[1]), &whole);
    }

    #[test]
    fn holes_never_break_the_readers(
        stream in streams(RESPONSE_PIECES),
        holes in proptest::collection::vec((0usize..60, 0u64..80), 0..4),
    ) {
        let (mut requests, mut responses) = (RequestReader::new(), ResponseReader::new());
        let (mut open, mut rest) = (0, &stream[..]);
        let mut sink = |event| match event {
            ResponseEvent::Response(response) if !response.interim && response.complete => open += 1,
            ResponseEvent::End { .. } | ResponseEvent::Upgraded | ResponseEvent::Lost => open = 0,
            _ => {}
        };
        for (at, missing) in holes {
            let (chunk, after) = rest.split_at(at.min(rest.len()));
            requests.push(chunk, &mut |_| ());
            responses.push(chunk, &mut sink);
            requests.gap(missing, &mut |_| ());
            responses.gap(missing, &mut sink);
            rest = &after[after.len().min(missing as usize)..];
        }
        responses.push(rest, &mut sink);
        responses.end(&mut sink);
        prop_assert!(!responses.wants_more());
        prop_assert_eq!(open, 0, "each response comes to an end");
    }

    #[test]
    fn a_body_comes_back_however_it_is_chunked(
        body in proptest::collection::vec(any::<u8>(), 1..400),
        sizes in proptest::collection::vec(1usize..50, 1..5),
        chunks in proptest::collection::vec(1usize..90, 1..5),
    ) {
        let mut stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for part in cut(&body, &sizes) {
            stream.extend(format!("{:X}\r\n", part.len()).bytes());
            stream.extend(part);
            stream.extend(b"\r\n");
        }
        stream.extend(b"0\r\n\r\n");
        let events = responses(&stream, &[], &chunks);
        let ResponseEvent::Body(told) = &events[1] else { panic!("{events:?}") };
        prop_assert_eq!(&told.bytes, &body);
        prop_assert_eq!(told.end, BodyEnd::Whole);
    }
}
