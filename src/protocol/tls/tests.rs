//! Streams made by hand, cut in every way.

use proptest::prelude::*;

use super::*;

/// All events of a stream cut into chunks of the given lengths, in turn.
fn read(sender: TlsSender, stream: &[u8], chunks: &[usize]) -> Vec<TlsEvent> {
    let (mut reader, mut events) = (TlsReader::new(sender), Vec::new());
    let (mut rest, mut turn) = (stream, 0);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(chunks[turn % chunks.len()].clamp(1, rest.len()));
        reader.push(chunk, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 128 << 10);
        (rest, turn) = (after, turn + 1);
    }
    reader.end(&mut |event| events.push(event));
    events
}

fn prefixed<const N: usize>(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u64).to_be_bytes()[8 - N..], body].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &prefixed::<2>(content)].concat()
}

fn sni(name: &[u8]) -> Vec<u8> {
    extension(0, &prefixed::<2>(&[&[0][..], &prefixed::<2>(name)].concat()))
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &prefixed::<3>(body)].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1][..], &prefixed::<2>(body)].concat()
}

fn client_body(extensions: &[Vec<u8>]) -> Vec<u8> {
    let ciphers = [0x1a, 0x1a, 0x13, 0x01, 0xc0, 0x2f];
    let fixed = [&[3, 3][..], &[7; 32], &prefixed::<1>(&[9; 32]), &prefixed::<2>(&ciphers)];
    [&fixed.concat()[..], &[1, 0], &prefixed::<2>(&extensions.concat())].concat()
}

fn client_hello(name: &[u8]) -> Vec<u8> {
    message(
        1,
        &client_body(&[
            extension(0x2a2a, &[]),
            sni(name),
            extension(16, &prefixed::<2>(b"\x02\x5a\x5a\x02h2\x08http/1.1")),
            extension(43, b"\x06\x3a\x3a\x03\x04\x03\x03"),
            extension(13, b"\x00\x04\x04\x03\x08\x04"),
            extension(0xfe0d, &[0; 40]),
        ]),
    )
}

fn server_body(random: [u8; 32], extensions: &[Vec<u8>]) -> Vec<u8> {
    let fixed = [&[3, 3][..], &random, &[0], &[0x13, 0x02], &[0]];
    [&fixed.concat()[..], &prefixed::<2>(&extensions.concat())].concat()
}

const CCS: &[u8] = &[20, 3, 3, 0, 1, 1];
const DATA: &[u8] = &[23, 3, 3, 0, 5, 1, 2, 3, 4, 5];

fn only_hello(events: &[TlsEvent]) -> &ClientHello {
    match events {
        [TlsEvent::ClientHello(hello), ..] => hello,
        other => panic!("no hello first: {other:?}"),
    }
}

#[test]
fn a_hello_is_told() {
    let stream = [&record(22, &client_hello(b"WWW.Example.org"))[..], CCS, DATA].concat();
    let events = read(TlsSender::Client, &stream, &[usize::MAX]);
    let hello = only_hello(&events);
    assert_eq!(hello.sni.as_deref(), Some("www.example.org"));
    assert_eq!(hello.alpn().collect::<Vec<_>>(), ["h2", "http/1.1"]);
    let versions = [TlsVersion::TLS13, TlsVersion::TLS12];
    assert!(hello.versions().eq(versions));
    assert_eq!(hello.legacy_version, TlsVersion::TLS12);
    assert!(hello.sni_valid && hello.ech && !hello.esni && hello.complete && !hello.lenient);
    assert!(hello.ja4().as_deref().is_some_and(|ja4| ja4.starts_with("t13d0205h2_")));
    assert_eq!(events[1..], [TlsEvent::Encrypted]);
}

#[test]
fn a_hello_over_many_records_is_joined() {
    let hello = client_hello(b"example.org");
    let whole = read(TlsSender::Client, &record(22, &hello), &[usize::MAX]);
    let cut: Vec<u8> = hello.chunks(7).flat_map(|part| record(22, part)).collect();
    assert_eq!(read(TlsSender::Client, &cut, &[usize::MAX]), whole);
}

#[test]
fn broken_hellos_are_told_and_marked() {
    let good = client_body(&[sni(b"example.org")]);
    let clipped = message(1, &good[..good.len() - 2]);
    let odd = client_body(&[extension(10, &[0xff]), sni(b"ex ample\xff")]);
    for (bytes, name, valid) in
        [(clipped, "example.o", true), (message(1, &odd), "ex ample\u{fffd}", false)]
    {
        let events = read(TlsSender::Client, &record(22, &bytes), &[usize::MAX]);
        let hello = only_hello(&events);
        assert_eq!((hello.sni.as_deref(), hello.sni_valid), (Some(name), valid));
        assert!(hello.lenient && hello.complete);
    }
    let short = record(22, &message(1, &[3, 3, 0]));
    let events = read(TlsSender::Client, &short, &[usize::MAX]);
    assert_eq!(events, [TlsEvent::Malformed(TlsMalformed::Hello)]);
}

#[test]
fn an_unfinished_hello_is_told_at_the_end() {
    let stream = record(22, &client_hello(b"example.org"));
    let events = read(TlsSender::Client, &stream[..stream.len() - 10], &[50]);
    let hello = only_hello(&events);
    assert_eq!(hello.sni.as_deref(), Some("example.org"));
    assert_eq!((hello.complete, hello.ja4(), events.len()), (false, None, 1));
    assert_eq!(read(TlsSender::Client, &stream[..30], &[50]), []);
}

#[test]
fn a_hello_of_ssl_2_is_told() {
    let body = [&[1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2f][..], &[7; 16]].concat();
    let stream = [&[0x80, body.len() as u8][..], &body, CCS].concat();
    for chunk in [1, 4, usize::MAX] {
        let events = read(TlsSender::Client, &stream, &[chunk]);
        let hello = only_hello(&events);
        assert!(hello.sslv2 && hello.complete && hello.ja4().is_none());
        assert!(hello.versions().eq([TlsVersion(0x0301)]));
        assert_eq!(events[1..], [TlsEvent::Encrypted]);
    }
}

#[test]
fn a_second_hello_follows_a_retry() {
    let retry = message(
        2,
        &server_body(
            *b"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\
           \xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c",
            &[extension(43, &[3, 4])],
        ),
    );
    let hello = message(2, &server_body([1; 32], &[extension(43, &[3, 4])]));
    let server = [&record(22, &retry)[..], CCS, &record(22, &hello), DATA].concat();
    let events = read(TlsSender::Server, &server, &[usize::MAX]);
    let [TlsEvent::ServerHello(first), TlsEvent::ServerHello(second), TlsEvent::Encrypted] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert!(first.hello_retry_request && !second.hello_retry_request);
    assert_eq!(second.version, TlsVersion::TLS13);
    assert_eq!(second.cipher, Some(CipherSuite(0x1302)));

    let hello = record(22, &client_hello(b"example.org"));
    let client = [&hello[..], CCS, &hello, DATA].concat();
    let events = read(TlsSender::Client, &client, &[usize::MAX]);
    assert!(matches!(
        events[..],
        [TlsEvent::ClientHello(_), TlsEvent::ClientHello(_), TlsEvent::Encrypted]
    ));
    let finished = [&hello[..], CCS, &record(22, &[0, 0, 0, 0, 0, 0, 0, 0, 9, 8, 7])].concat();
    let events = read(TlsSender::Client, &finished, &[usize::MAX]);
    assert_eq!(events[1..], [TlsEvent::Encrypted]);
}

#[test]
fn alerts_in_the_clear_are_told() {
    let stream = [21, 3, 3, 0, 2, 2, 112];
    let alert = Alert { fatal: true, code: 112, name: "unrecognized_name" };
    for chunk in [1, usize::MAX] {
        assert_eq!(read(TlsSender::Server, &stream, &[chunk]), [TlsEvent::Alert(alert)]);
    }
    let encrypted = record(21, &[0; 26]);
    assert_eq!(read(TlsSender::Server, &encrypted, &[9]), [TlsEvent::Encrypted]);
}

#[test]
fn what_is_no_tls_stops_the_reader() {
    let table: [(&[u8], TlsMalformed); 5] = [
        (b"HTTP/1.1 403 Forbidden\r\n", TlsMalformed::Record),
        (b"\x16\x04\x01\x00\x10", TlsMalformed::Record),
        (b"\x16\x03\x01\xff\xff", TlsMalformed::Record),
        (b"\x15\x03\x01\x00\x01\x01", TlsMalformed::Alert),
        (b"\x16\x03\x01\x00\x04\x63\x00\x00\x00", TlsMalformed::Handshake),
    ];
    for (stream, reason) in table {
        assert_eq!(read(TlsSender::Server, stream, &[2]), [TlsEvent::Malformed(reason)]);
    }
}

#[test]
fn a_hole_within_a_message_costs_that_message_only() {
    let hello = message(2, &server_body([1; 32], &[]));
    let certificate = message(11, &prefixed::<3>(&prefixed::<3>(&[0x30; 300])));
    let done = [&record(22, &[&hello[..], &certificate, &message(14, &[])].concat())[..], CCS];
    let stream = done.concat();
    let (mut reader, mut events) = (TlsReader::new(TlsSender::Server), Vec::new());
    let hole = 5 + hello.len() + 100;
    reader.push(&stream[..hole], &mut |event| events.push(event));
    reader.gap(150, &mut |event| events.push(event));
    reader.push(&stream[hole + 150..], &mut |event| events.push(event));
    assert!(matches!(events[..], [TlsEvent::ServerHello(_), TlsEvent::Encrypted]), "{events:?}");

    let (mut reader, mut events) = (TlsReader::new(TlsSender::Server), Vec::new());
    reader.push(&stream[..hole], &mut |event| events.push(event));
    reader.gap(5000, &mut |event| events.push(event));
    assert!(matches!(events[..], [TlsEvent::ServerHello(_), TlsEvent::Lost]), "{events:?}");
    assert!(!reader.wants_more());
}

#[test]
fn a_long_chain_is_kept_up_to_its_limit() {
    let der = prefixed::<3>(&vec![0x30; 50_000]);
    let body = prefixed::<3>(&der.repeat(4));
    let stream: Vec<u8> =
        message(11, &body).chunks(16_000).flat_map(|part| record(22, part)).collect();
    for chunk in [1400, usize::MAX] {
        let events = read(TlsSender::Server, &stream, &[chunk]);
        let [TlsEvent::Certificate(chain)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((chain.certificates.len(), chain.complete), (2, false));
        assert_eq!(chain.certificates[0].der_len, 50_000);
        assert_eq!(chain.certificates[0].claims, None);
    }
}

#[test]
fn a_certificate_is_told() {
    const DER: &[u8] = include_bytes!("tests/self_signed.der");
    let body = prefixed::<3>(&[prefixed::<3>(DER), prefixed::<3>(b"none")].concat());
    let events = read(TlsSender::Server, &record(22, &message(11, &body)), &[100]);
    let [TlsEvent::Certificate(chain)] = &events[..] else { panic!("{events:?}") };
    assert!(chain.complete);
    let [own, broken] = &chain.certificates[..] else { panic!("{chain:?}") };
    assert_eq!(
        (own.der_len, own.sha256.as_str()),
        (DER.len(), "300e03ce2174308872db9a0d7521ee5f167464a3d4836f85418c1aff0e14bbe1")
    );
    let claims = own.claims.as_ref().expect("a readable certificate");
    assert_eq!(claims.subject, "C=XX, O=Example Org, CN=example.org");
    assert_eq!((&claims.issuer, claims.self_signed), (&claims.subject, true));
    assert_eq!(claims.names, ["example.org", "*.example.org", "192.0.2.1"]);
    assert_eq!(
        (&claims.not_before[..], &claims.not_after[..]),
        ("2026-11-23T02:24:09Z", "2126-10-30T02:24:09Z")
    );
    assert_eq!((broken.der_len, &broken.claims), (4, &None));
}

/// The hello of the published example, byte by byte; the contents that do not count are empty.
fn chrome_hello(order: &[u16]) -> Vec<u8> {
    let content = |kind| match kind {
        0 => prefixed::<2>(&[&[0][..], &prefixed::<2>(b"example.org")].concat()),
        16 => prefixed::<2>(b"\x02h2\x08http/1.1"),
        43 => b"\x06\x3a\x3a\x03\x04\x03\x03".to_vec(),
        13 => prefixed::<2>(b"\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01"),
        _ => Vec::new(),
    };
    let extensions: Vec<_> = order.iter().map(|&kind| extension(kind, &content(kind))).collect();
    let ciphers = b"\x6a\x6a\x13\x01\x13\x02\x13\x03\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\
        \xcc\xa8\xc0\x13\xc0\x14\x00\x9c\x00\x9d\x00\x2f\x00\x35";
    let fixed = [&[3, 3][..], &[7; 32], &[0], &prefixed::<2>(ciphers), &[1, 0]].concat();
    [fixed, prefixed::<2>(&extensions.concat())].concat()
}

const CHROME_ORDER: [u16; 18] = [
    0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
    0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0x9a9a,
];

/// Streams that are nearly right, so that the deep paths are met.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(record(22, &client_hello(b"example.org"))),
        Just(record(22, &message(2, &server_body([1; 32], &[extension(43, &[3, 4])])))),
        Just(record(22, &message(11, &prefixed::<3>(&prefixed::<3>(&[0x30; 30]))))),
        Just([&[0x80, 0x1c][..], &[1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2f], &[7; 16]].concat()),
        Just(CCS.to_vec()),
        Just(vec![21, 3, 3, 0, 2, 1, 0]),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|body| record(22, &body)),
        proptest::collection::vec(any::<u8>(), 0..8),
    ];
    let flips = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (proptest::collection::vec(piece, 1..5), flips).prop_map(|(pieces, flips)| {
        let mut stream = pieces.concat();
        for (place, byte) in flips {
            if !stream.is_empty() {
                let at = place.index(stream.len());
                stream[at] = byte;
            }
        }
        stream
    })
}

fn senders() -> impl Strategy<Value = TlsSender> {
    prop_oneof![Just(TlsSender::Client), Just(TlsSender::Server)]
}

proptest! {
    #[test]
    fn cutting_changes_nothing(
        sender in senders(),
        stream in streams(),
        chunks in proptest::collection::vec(1usize..90, 1..6),
    ) {
        let whole = read(sender, &stream, &[usize::MAX]);
        prop_assert_eq!(&read(sender, &stream, &chunks), &whole);
        prop_assert_eq!(&read(sender, &stream, &[1]), &whole);
    }

    #[test]
    fn holes_never_break_the_reader(
        sender in senders(),
        stream in streams(),
        holes in proptest::collection::vec((0usize..200, 0u64..400), 0..4),
    ) {
        let (mut reader, mut last) = (TlsReader::new(sender), None);
        let mut rest = &stream[..];
        for (at, missing) in holes {
            let (chunk, after) = rest.split_at(at.min(rest.len()));
            reader.push(chunk, &mut |event| last = Some(event));
            reader.gap(missing, &mut |event| last = Some(event));
            rest = &after[after.len().min(missing as usize)..];
        }
        reader.push(rest, &mut |event| last = Some(event));
        let final_event =
            matches!(last, Some(TlsEvent::Encrypted | TlsEvent::Malformed(_) | TlsEvent::Lost));
        prop_assert_eq!(reader.wants_more(), !final_event);
    }

    #[test]
    fn shuffled_extensions_keep_the_fingerprint(
        order in Just(CHROME_ORDER.to_vec()).prop_shuffle(),
    ) {
        let hello = ClientHello::read(&chrome_hello(&order), TlsCarrier::Tcp).expect("a whole hello");
        let ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1".to_owned();
        prop_assert_eq!(hello.ja4(), Some(ja4));
    }

    #[test]
    fn a_name_survives_any_other_extension(name in "[a-z]{1,20}\\.example", kind in 1u16.., content: Vec<u8>) {
        let body = client_body(&[extension(kind, &content), sni(name.as_bytes())]);
        let hello = ClientHello::read(&body, TlsCarrier::Tcp).expect("a whole hello");
        prop_assert_eq!(hello.sni.as_deref(), Some(&*name));
    }
}
