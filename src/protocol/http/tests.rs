//! Streams as servers, censors and evaders send them.

use super::*;

pub(super) fn requests(stream: &[u8], chunks: &[usize]) -> Vec<RequestEvent> {
    let (mut reader, mut events) = (RequestReader::new(), Vec::new());
    for chunk in cut(stream, chunks) {
        reader.push(chunk, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 64 << 10);
    }
    reader.end(&mut |event| events.push(event));
    events
}

pub(super) fn responses(stream: &[u8], asked: &[&str], chunks: &[usize]) -> Vec<ResponseEvent> {
    let (mut reader, mut events) = (ResponseReader::new(), Vec::new());
    for method in asked {
        reader.expect(method);
    }
    for chunk in cut(stream, chunks) {
        reader.push(chunk, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 128 << 10);
    }
    reader.end(&mut |event| events.push(event));
    events
}

pub(super) fn cut<'a>(stream: &'a [u8], chunks: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut parts) = (stream, Vec::new());
    for chunk in chunks.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (part, after) = rest.split_at((*chunk).clamp(1, rest.len()));
        parts.push(part);
        rest = after;
    }
    parts
}

pub(super) const WHOLE: &[usize] = &[usize::MAX];

/// The events in short: what a table can be written in.
fn request_lines(events: &[RequestEvent]) -> Vec<String> {
    let line = |event: &RequestEvent| match event {
        RequestEvent::Request(r) => format!(
            "{} {} {} {}{}{}",
            r.method(),
            r.target(),
            r.host.as_deref().unwrap_or("-"),
            r.version(),
            if r.lenient { " lenient" } else { "" },
            if r.complete { "" } else { " cut" },
        ),
        other => format!("{other:?}"),
    };
    events.iter().map(line).collect()
}

fn response_lines(events: &[ResponseEvent]) -> Vec<String> {
    let line = |event: &ResponseEvent| match event {
        ResponseEvent::Response(r) => format!(
            "{} {}{}{}",
            r.status,
            r.reason(),
            if r.lenient { " lenient" } else { "" },
            if r.complete { "" } else { " cut" },
        ),
        ResponseEvent::Body(b) => {
            format!("{:?} {}", b.end, String::from_utf8_lossy(&b.decoded().bytes))
        }
        ResponseEvent::End { body_len, end } => format!("end {body_len} {end:?}"),
        other => format!("{other:?}"),
    };
    events.iter().map(line).collect()
}

#[test]
fn requests_are_told() {
    let table: &[(&str, &[&str])] = &[
        (
            "GET /a HTTP/1.1\r\nHost: Example.org.:80\r\n\r\nPOST /b HTTP/1.1\r\nhost: x\r\n\
             Content-Length: 5\r\n\r\nGET /\r\nHEAD / HTTP/1.0\r\n\r\n",
            &[
                "GET /a example.org HTTP/1.1",
                "End",
                "POST /b x HTTP/1.1",
                "End",
                "HEAD / - HTTP/1.0",
                "End",
            ],
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
             GET http://b.org/x HTTP/1.1\r\nHost: a\r\n\r\n",
            &["POST / a HTTP/1.1", "End", "GET http://b.org/x b.org HTTP/1.1", "End"],
        ),
        ("\r\n\nGET / HTTP/1.1\nHost: a\n\n", &["GET / a HTTP/1.1 lenient", "End"]),
        ("get  /  HTTP/1.1\r\nHost : a\r\n\r\n", &["get / a HTTP/1.1 lenient", "End"]),
        ("GET /a b HTTP/1.1\r\nhOsT:a\r\nx\r\n\r\n", &["GET /a b a HTTP/1.1 lenient", "End"]),
        ("GET /\r\n\r\n", &["GET / -  lenient", "End"]),
        ("GET / HTTP/1.1\r\nHost: a.org\r\nCook", &["GET / a.org HTTP/1.1 cut"]),
        ("GET / HT", &[]),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            &["POST / - HTTP/1.1", "Malformed(BodyLength)"],
        ),
        (
            "CONNECT b.org:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01\x02",
            &["CONNECT b.org:443 b.org HTTP/1.1", "End", "Upgraded"],
        ),
        (
            "CONNECT b.org:443 HTTP/1.1\r\n\r\nCONNECT b.org:443 HTTP/1.1\r\nProxy-Auth: x\r\n\r\n",
            &["CONNECT b.org:443 b.org HTTP/1.1", "End", "CONNECT b.org:443 b.org HTTP/1.1", "End"],
        ),
        (
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}\u{3}",
            &["GET / - HTTP/1.1", "End", "Upgraded"],
        ),
        ("\u{16}\u{3}\u{1}", &["Malformed(NotHttp)"]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &["Malformed(NotHttp)"]),
        ("GET \r\n\r\n", &["Malformed(StartLine)"]),
    ];
    for (stream, expected) in table {
        for chunks in [WHOLE, &[1], &[3, 17]] {
            let events = requests(stream.as_bytes(), chunks);
            assert_eq!(request_lines(&events), *expected, "{stream:?}");
        }
    }
}

#[test]
fn responses_are_told() {
    let table: &[ResponseRow] = &[
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 302 Found\r\n\
             Location: http://block.example/\r\nContent-Length: 0\r\n\r\n",
            &["GET", "GET"],
            &["200 OK", "Whole hello", "end 5 Whole", "302 Found", "end 0 Whole"],
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            &["POST", "GET"],
            &[
                "100 Continue",
                "200 OK",
                "Whole abcde",
                "end 5 Whole",
                "204 No Content",
                "end 0 Whole",
            ],
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\n\
             Content-Length: 99\r\n\r\nHTTP/1.0 403 Forbidden\r\n\r\n<html>blocked",
            &["HEAD", "GET", "GET"],
            &[
                "200 OK",
                "end 0 Whole",
                "304 Not Modified",
                "end 0 Whole",
                "403 Forbidden",
                "Closed <html>blocked",
                "end 13 Closed",
            ],
        ),
    ];
    check_responses(table);
}

#[test]
fn broken_responses_are_told() {
    let table: &[ResponseRow] = &[
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n<html>cut",
            &[],
            &["403 Forbidden", "CutShort <html>cut", "end 9 CutShort"],
        ),
        (
            "HTTP/1.1 403\nContent Type: x\nno colon\n\n<html>",
            &[],
            &["403  lenient", "Closed <html>", "end 6 Closed"],
        ),
        (
            "HTTP 403 Заблокировано\r\n\r\nx",
            &[],
            &["403 Заблокировано lenient", "Closed x", "end 1 Closed"],
        ),
        ("HTTP/1.1 200 OK\r\nServer: x\r\nLoc", &[], &["200 OK cut"]),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz",
            &[],
            &["200 OK", "Broken abc", "end 3 Broken", "Malformed(Chunk)"],
        ),
        (
            "HTTP/1.1 200 Established\r\n\r\n\u{16}\u{3}",
            &["CONNECT"],
            &["200 Established", "Upgraded"],
        ),
        (
            "HTTP/1.1 407 Auth\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 101 Switching\r\n\r\n\u{1}",
            &["CONNECT", "GET"],
            &["407 Auth", "Whole x", "end 1 Whole", "101 Switching", "Upgraded"],
        ),
        ("HTTP/1.1 abc\r\n\r\n", &[], &["Malformed(StartLine)"]),
        ("220 mail ESMTP\r\n", &[], &["Malformed(NotHttp)"]),
    ];
    check_responses(table);
}

/// A stream, the methods asked, the events in short.
type ResponseRow = (&'static str, &'static [&'static str], &'static [&'static str]);

fn check_responses(table: &[ResponseRow]) {
    for (stream, asked, expected) in table {
        for chunks in [WHOLE, &[1], &[3, 17]] {
            let events = responses(stream.as_bytes(), asked, chunks);
            assert_eq!(response_lines(&events), *expected, "{stream:?}");
        }
    }
}

#[test]
fn a_coded_body_is_decoded() {
    let plain = b"<html><title>blocked</title></html>";
    let coded = zstd::stream::encode_all(&plain[..], 1).unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: zstd\r\n\
         Content-Length: {}\r\n\r\n",
        coded.len()
    );
    let events = responses(&[head.as_bytes(), &coded].concat(), &[], &[7]);
    let [_, ResponseEvent::Body(body), _] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&body.bytes, &body.codings[..]), (&coded, &[Coding::Zstd][..]));
    assert_eq!(&body.decoded().bytes[..], plain);
}

#[test]
fn what_follows_a_close_is_no_part_of_the_answer() {
    let told = |head: &[u8]| {
        let (mut reader, mut events) = (ResponseReader::new(), Vec::new());
        reader.push(head, &mut |event| events.push(event));
        reader.closes(&mut |event| events.push(event));
        reader.push(b"beyond", &mut |event| events.push(event));
        reader.end(&mut |event| events.push(event));
        response_lines(&events)
    };
    let open = told(b"HTTP/1.1 307 Gone\r\n\r\n<html>");
    assert_eq!(open.last().unwrap(), "end 6 Closed", "{open:?}");
    // A length that was told outlives a FIN that may be forged: the capture shows what came of it.
    let measured = told(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html>");
    assert_eq!(measured.last().unwrap(), "end 12 Whole", "{measured:?}");
}

#[test]
fn the_body_can_be_seen_before_its_end() {
    let mut reader = ResponseReader::new();
    let sink = &mut |_| ();
    reader.push(b"HTTP/1.1 403 Forbidden\r\n\r\n<html>", sink);
    reader.push(b"blocked", sink);
    let body = reader.body_so_far().unwrap();
    assert_eq!((&body.bytes[..], body.end), (&b"<html>blocked"[..], BodyEnd::Open));
    reader.skip_body();
    assert_eq!((reader.body_so_far(), reader.wants_more()), (None, false));
}

#[test]
fn a_long_body_is_told_at_the_limit_once() {
    for head in ["Content-Length: 200000", "Transfer-Encoding: chunked", "X: y"] {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        let size = if head.contains("chunked") { "30d40\r\n" } else { "" };
        let stream = [head.as_bytes(), size.as_bytes(), &vec![b'x'; 200_000]].concat();
        let mut reader = ResponseReader::new();
        let mut bodies = Vec::new();
        for chunk in stream.chunks(1460) {
            reader.push(chunk, &mut |event| {
                if let ResponseEvent::Body(body) = event {
                    bodies.push((body.bytes.len(), body.end));
                }
            });
        }
        assert_eq!(bodies, [(64 << 10, BodyEnd::Full)]);
        assert_eq!(reader.wants_more(), !head.contains("X: y"));
    }
}

#[test]
fn holes_in_bodies_are_survived() {
    let (mut reader, mut events) = (ResponseReader::new(), Vec::new());
    let mut sink = |event| events.push(event);
    reader.push(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", &mut sink);
    reader.gap(5, &mut sink);
    reader.push(b"ijHTTP/1.1 204 x\r\n\r\n", &mut sink);
    reader.gap(7, &mut sink);
    reader.push(b"HTTP/1.1 205 y\r\nContent-Length: 0\r\n\r\n", &mut sink);
    reader.gap(7, &mut sink);
    reader.push(b"in the midst", &mut sink);
    reader.push(b"HTTPS, not a status line\r\n\r\n", &mut sink);
    reader.push(b"HTTP/1.1 204 z\r\n\r\n", &mut sink);
    let expected = [
        "200 OK",
        "Hole abc",
        "end 10 Whole",
        "204 x",
        "end 0 Whole",
        "Lost",
        "205 y",
        "end 0 Whole",
        "Lost",
        "204 z",
        "end 0 Whole",
    ];
    assert_eq!(response_lines(&events), expected);

    let (mut reader, mut events) = (RequestReader::new(), Vec::new());
    let mut sink = |event| events.push(event);
    reader.push(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na", &mut sink);
    reader.gap(4, &mut sink);
    reader.push(b"\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\nC", &mut sink);
    reader.gap(100, &mut sink);
    reader.push(b"GET /y HTTP/1.1\r\n\r\n", &mut sink);
    reader.gap(100, &mut sink);
    reader.push(b"x: y\r\n\r\n", &mut sink);
    reader.push(b"GET /z HTTP/1.1\r\n\r\n", &mut sink);
    let expected = [
        "POST / - HTTP/1.1",
        "End",
        "GET /x a HTTP/1.1 cut",
        "Lost",
        "GET /y - HTTP/1.1",
        "End",
        "Lost",
        "GET /z - HTTP/1.1",
        "End",
    ];
    assert_eq!(request_lines(&events), expected);
}

#[test]
fn after_a_hole_the_last_request_is_answered() {
    let (mut reader, mut events) = (ResponseReader::new(), Vec::new());
    let mut sink = |event| events.push(event);
    reader.expect("GET");
    reader.gap(100, &mut sink);
    reader.push(b"in the midst", &mut sink);
    reader.expect("HEAD");
    reader.push(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", &mut sink);
    assert_eq!(response_lines(&events), ["Lost", "200 OK", "end 0 Whole"]);
}

#[test]
fn what_begins_nothing_after_a_hole_is_given_up() {
    let (mut requests, mut responses) = (RequestReader::new(), ResponseReader::new());
    requests.begins_late();
    responses.begins_late();
    for _ in 0..response::DOUBTS_MAX {
        requests.push(b"noise", &mut |event| panic!("{event:?}"));
        responses.push(b"noise", &mut |event| panic!("{event:?}"));
    }
    assert!(requests.wants_more() && responses.wants_more());
    requests.push(b"noise", &mut |event| panic!("{event:?}"));
    responses.push(b"noise", &mut |event| panic!("{event:?}"));
    assert!(!requests.wants_more() && !responses.wants_more());
}

#[test]
fn heads_without_end_are_given_up() {
    let stream = ["GET / HTTP/1.1\r\n", &"a: b\r\n".repeat(20_000)].concat();
    for chunks in [WHOLE, &[1460]] {
        let events = requests(stream.as_bytes(), chunks);
        assert_eq!(events, [RequestEvent::Malformed(HttpMalformed::HeadTooLong)]);
    }
}
