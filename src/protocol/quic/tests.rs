//! The vectors of the standards, and connections made by hand.

use proptest::prelude::*;

use super::QuicSender::{Client, Server};
use super::keys::InitialKeys;
use super::packet::ConnectionId;
use super::*;

/// Reads hexadecimal digits, whatever blanks are between them.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn keys(version: QuicVersion, original: &[u8], from: QuicSender) -> InitialKeys {
    let original = ConnectionId::new(original).unwrap();
    InitialKeys::derive(version.protections().last().unwrap(), &original, from).unwrap()
}

/// How a packet is to be made.
#[derive(Clone, Copy)]
struct Make<'a> {
    version: QuicVersion,
    from: QuicSender,
    /// What the keys follow from.
    original: &'a [u8],
    destination: &'a [u8],
    source: &'a [u8],
    number: u64,
}

/// The client's first flight.
const FIRST: Make<'static> = Make {
    version: QuicVersion::V1,
    from: QuicSender::Client,
    original: b"original",
    destination: b"original",
    source: b"client",
    number: 0,
};

/// The server's answer to it.
const ANSWER: Make<'static> =
    Make { from: QuicSender::Server, destination: b"client", source: b"server", ..FIRST };

impl Make<'_> {
    fn initial(self, frames: &[u8]) -> Vec<u8> {
        let frames = [frames, &[0; 20][..]].concat();
        let kind = if self.version == QuicVersion::V2 { 0xd0 } else { 0xc0 };
        let rest = ((frames.len() + 18) as u16 | 0x4000).to_be_bytes();
        let header = [
            &[kind | 1][..],
            &self.version.0.to_be_bytes(),
            &[self.destination.len() as u8],
            self.destination,
            &[self.source.len() as u8],
            self.source,
            &[3, 0x74, 0x6f, 0x6b],
            &rest,
            &(self.number as u16).to_be_bytes(),
        ]
        .concat();
        keys(self.version, self.original, self.from).seal(&header, self.number, &frames)
    }

    /// A packet of another kind, with `rest` behind the connection IDs.
    fn other(self, first: u8, rest: &[u8]) -> Vec<u8> {
        let version = self.version.0.to_be_bytes();
        let ids = [self.destination, self.source].map(|id| [&[id.len() as u8], id].concat());
        [&[first][..], &version, &ids[0], &ids[1], rest].concat()
    }
}

fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let varint = |number: usize| (number as u16 | 0x4000).to_be_bytes();
    [&[6][..], &varint(offset), &varint(bytes.len()), bytes].concat()
}

/// The handshake message of RFC 9001 §A.2, which asks for example.com.
fn hello() -> Vec<u8> {
    hex(RFC_CRYPTO)[4..].to_vec()
}

fn read(datagrams: &[(QuicSender, Vec<u8>)]) -> (QuicReader, Vec<QuicEvent>) {
    let (mut reader, mut events) = (QuicReader::new(), Vec::new());
    for (from, datagram) in datagrams {
        reader.datagram(*from, datagram, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 96 << 10);
    }
    (reader, events)
}

/// The events in a word each; of a hello its version and name.
fn words(events: &[QuicEvent]) -> Vec<String> {
    let word = |event: &QuicEvent| match event {
        QuicEvent::ClientHello { version, hello } => {
            format!("{version} {}", hello.sni.as_deref().unwrap_or("-"))
        }
        other => format!("{other:?}").to_lowercase(),
    };
    events.iter().map(word).collect()
}

/// RFC 9001 §A, RFC 9369 §A: version, packets, keys.
struct Vectors {
    version: QuicVersion,
    /// Of the client's Initial: its header in the clear, its first 32 bytes and its tag.
    client: [&'static str; 3],
    server: &'static str,
    retry: &'static str,
}

const RFC_CRYPTO: &str = "
    060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c0000041301
    1302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007
    000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f5
    0f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00
    024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f0
    3e51570806048000ffff";

const VECTORS: [Vectors; 2] = [
    Vectors {
        version: QuicVersion::V1,
        client: [
            "c300000001088394c8f03e5157080000449e00000002",
            "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
            "e221af44860018ab0856972e194cd934",
        ],
        server: "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a
            5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3
            dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84
            022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4
            2158407dd074ee",
        retry: "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
    },
    Vectors {
        version: QuicVersion::V2,
        client: [
            "d36b3343cf088394c8f03e5157080000449e00000002",
            "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
            "a18b2faa745b6fe189cf772a9f84cbfc",
        ],
        server: "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698
            baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17
            f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2
            c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca8
            4bed8521e2e140",
        retry: "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6",
    },
];

/// The client's Initial of a standard. Its tag depends on all its bytes, so that with the tag the
/// whole packet is right.
fn client_initial(vectors: &Vectors) -> Vec<u8> {
    let mut payload = hex(RFC_CRYPTO);
    payload.resize(1162, 0);
    let [header, start, tag] = vectors.client.map(hex);
    let packet = keys(vectors.version, &hex("8394c8f03e515708"), Client).seal(&header, 2, &payload);
    assert!(packet.starts_with(&start) && packet.ends_with(&tag) && packet.len() == 1200);
    packet
}

#[test]
fn the_vectors_of_the_standards() {
    for vectors in &VECTORS {
        let datagrams = [
            (Client, client_initial(vectors)),
            (Server, hex(vectors.retry)),
            (Server, hex(vectors.server)),
        ];
        let (reader, events) = read(&datagrams);
        let hello = format!("{} example.com", vectors.version);
        assert_eq!(words(&events), [&hello, "retry", "answered"]);
        assert_eq!(reader.version(), Some(vectors.version));
        let QuicEvent::ClientHello { hello, .. } = &events[0] else { panic!("no hello") };
        assert_eq!((hello.alpn().collect(), hello.lenient), (vec!["alpn".to_owned()], false));
        assert_eq!(hello.ja4().as_deref(), Some("q13d0211an_62ed6f6ca7ad_4d634acda6c0"));
    }
}

#[test]
fn a_hello_over_datagrams_and_frames_in_any_order() {
    let hello = hello();
    let first = [crypto(150, &hello[150..]), vec![1, 0, 0], crypto(20, &hello[20..80])].concat();
    let second = [crypto(0, &hello[..20]), crypto(70, &hello[70..160])].concat();
    let later = Make { destination: b"server", number: 1, ..FIRST };
    let datagrams = [
        (Client, FIRST.initial(&first)),
        (Server, ANSWER.initial(&[2, 0, 0, 0, 0])),
        // The server has named itself by now; the keys remain those of the first Initial.
        (Client, later.initial(&second)),
    ];
    let (reader, events) = read(&datagrams[..2]);
    assert_eq!((words(&events), reader.wants_more()), (vec!["answered".to_owned()], true));
    assert!(reader.held_bytes() >= hello.len());
    let (reader, events) = read(&datagrams);
    assert_eq!(words(&events), ["answered", "1 example.com"]);
    assert_eq!(reader.held_bytes(), 0);
}

#[test]
fn an_answer_ends_the_reading() {
    let server_hello = [2, 0, 0, 90].into_iter().chain([3; 90]).collect::<Vec<_>>();
    let answer =
        [ANSWER.initial(&crypto(0, &server_hello)), ANSWER.other(0xe0, &[30; 31]), vec![0x41; 30]]
            .concat();
    let datagrams = [(Client, FIRST.initial(&crypto(0, &hello()))), (Server, answer)];
    let (reader, events) = read(&datagrams);
    assert_eq!(words(&events), ["1 example.com", "answered"]);
    assert!(!reader.wants_more());
}

#[test]
fn a_handshake_packet_answers_if_it_is_for_the_client() {
    let first = (Client, FIRST.initial(&crypto(0, &hello())));
    let foreign = Make { destination: b"another", ..ANSWER };
    let (_, events) = read(&[first.clone(), (Server, foreign.other(0xe0, &[30; 31]))]);
    assert_eq!(words(&events), ["1 example.com"]);
    let (_, events) = read(&[first, (Server, ANSWER.other(0xe0, &[30; 31]))]);
    assert_eq!(words(&events), ["1 example.com", "answered"]);
}

#[test]
fn a_refusal_is_told_with_its_code() {
    // 0x170: unrecognized_name.
    let close = ANSWER.initial(&[0x1c, 0x41, 0x70, 6, 2, b'n', b'o']);
    let (_, events) = read(&[(Client, FIRST.initial(&crypto(0, &hello()))), (Server, close)]);
    let closed = QuicEvent::Closed { by: Server, code: 0x170 };
    assert_eq!((&events[1], &events[2..]), (&QuicEvent::Answered, &[closed][..]));
}

#[test]
fn after_a_retry_the_keys_follow_from_the_new_name() {
    let retry = "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba";
    let retried = hex("f067a5502a4262b5");
    let again = Make { original: &retried, destination: &retried, source: b"", ..FIRST };
    let answer = Make { original: &retried, destination: b"", ..ANSWER };
    let mut datagrams = vec![
        (Client, client_initial(&VECTORS[0])),
        (Server, hex(retry)),
        (Client, again.initial(&crypto(0, &hello()))),
        (Server, answer.initial(&[2, 0, 0, 0, 0])),
    ];
    let (_, events) = read(&datagrams);
    assert_eq!(words(&events), ["1 example.com", "retry", "1 example.com", "answered"]);
    // A Retry for another connection, or altered on its way, is none.
    datagrams[1].1[30] ^= 1;
    assert_eq!(words(&read(&datagrams).1), ["1 example.com", "1 example.com", "answered"]);
}

#[test]
fn versions_are_negotiated_by_a_new_hello() {
    let versions = Make { version: QuicVersion(0), source: b"original", ..ANSWER };
    let draft = Make { version: QuicVersion(0xff00_001d), ..FIRST };
    let datagrams = [
        (Client, draft.initial(&crypto(0, &hello()))),
        (Server, versions.other(0x80, &[0, 0, 0, 1])),
        (Client, FIRST.initial(&crypto(0, &hello()))),
    ];
    let (_, events) = read(&datagrams);
    assert_eq!(words(&events), ["draft-29 example.com", "versionnegotiation", "1 example.com"]);
    let forged = Make { source: b"whatever", ..versions };
    let (_, events) = read(&[datagrams[0].clone(), (Server, forged.other(0x80, &[0, 0, 0, 1]))]);
    assert_eq!(words(&events), ["draft-29 example.com"]);
}

#[test]
fn versions_are_changed_on_the_way() {
    // RFC 9369 §4.1: the server goes on in version 2, and so does the client.
    let hello = hello();
    let datagrams = [
        (Client, FIRST.initial(&crypto(0, &hello[..99]))),
        (Server, Make { version: QuicVersion::V2, ..ANSWER }.initial(&[1])),
        (Client, Make { version: QuicVersion::V2, ..FIRST }.initial(&crypto(99, &hello[99..]))),
    ];
    let (reader, events) = read(&datagrams);
    assert_eq!(words(&events), ["answered", "2 example.com"]);
    assert_eq!(reader.version(), Some(QuicVersion::V2));
}

#[test]
fn a_version_that_no_server_knows() {
    let reserved = Make { version: QuicVersion(0x1a2a_3a4a), ..FIRST };
    let versions = Make { version: QuicVersion(0), source: b"original", ..ANSWER };
    let datagrams = [
        (Client, reserved.initial(&crypto(0, &hello()))),
        (Server, versions.other(0x80, &[0, 0, 0, 1])),
        (Client, FIRST.initial(&crypto(0, &hello()))),
    ];
    let expected = ["0x1a2a3a4a example.com", "versionnegotiation", "1 example.com"];
    assert_eq!(words(&read(&datagrams).1), expected);
}

#[test]
fn half_a_hello_is_told_at_the_end() {
    let hello = hello();
    let (mut reader, mut events) = read(&[(Client, FIRST.initial(&crypto(0, &hello[..99])))]);
    assert_eq!(words(&events), [""; 0]);
    reader.end(&mut |event| events.push(event));
    assert_eq!(words(&events), ["1 example.com"]);
    let QuicEvent::ClientHello { hello, .. } = &events[0] else { panic!("no hello") };
    assert_eq!((hello.complete, hello.ja4()), (false, None));
    assert!(!reader.wants_more() && reader.held_bytes() == 0);
}

#[test]
fn authentic_nonsense_is_told_once() {
    let number = |number| Make { number, ..FIRST };
    let datagrams = [
        (Client, FIRST.initial(&[1, 0x08, 0, 0])),
        (Client, number(1).initial(&crypto(0, &[2, 0, 0, 1, 0]))),
    ];
    let (_, events) = read(&datagrams);
    assert_eq!(events, [QuicEvent::Malformed(QuicMalformed::Frame)]);
    let (_, events) = read(&datagrams[1..]);
    assert_eq!(events, [QuicEvent::Malformed(QuicMalformed::Hello)]);
}

#[test]
fn a_connection_whose_beginning_is_missing_tells_nothing() {
    let later = Make { destination: b"server", ..FIRST };
    let (reader, events) = read(&[(Client, later.initial(&crypto(0, &hello())))]);
    assert_eq!((reader.version(), events.len(), reader.wants_more()), (None, 0, true));
    let many = vec![(Client, later.initial(&[1])); usize::from(DERIVATIONS_MAX)];
    assert!(!read(&many).0.wants_more());
}

/// Datagrams that look like something.
fn datagrams() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..80);
    let datagram = prop_oneof![
        bytes(),
        bytes().prop_map(|frames| FIRST.initial(&frames)),
        bytes().prop_map(|frames| ANSWER.initial(&frames)),
        (0_usize..70_000, bytes()).prop_map(|(at, bytes)| FIRST.initial(&crypto(at, &bytes))),
        (any::<u8>(), bytes()).prop_map(|(first, rest)| ANSWER.other(first, &rest)),
        (0_usize..6).prop_map(|_| Make { version: QuicVersion(0), ..ANSWER }.other(0x80, &[1; 8])),
    ];
    proptest::collection::vec((any::<bool>(), datagram), 0..12)
}

proptest! {
    #[test]
    fn nothing_panics(datagrams in datagrams()) {
        let ends = |client| if client { Client } else { Server };
        let datagrams: Vec<_> =
            datagrams.into_iter().map(|(client, bytes)| (ends(client), bytes)).collect();
        let (mut reader, events) = read(&datagrams);
        reader.end(&mut |_| ());
        prop_assert!(!reader.wants_more());
        prop_assert!(events.is_empty() || reader.version().is_some());
    }

    #[test]
    fn one_changed_bit_and_nothing_is_told(at in 0_usize..311, bit in 0_u8..8) {
        let mut datagram = FIRST.initial(&crypto(0, &hello()));
        prop_assert_eq!(datagram.len(), 311);
        datagram[at] ^= 1 << bit;
        let (reader, events) = read(&[(Client, datagram)]);
        prop_assert_eq!((reader.version(), events), (None, vec![]));
    }

    #[test]
    fn how_a_hello_is_cut_does_not_matter(
        cuts in proptest::collection::btree_set(1_usize..240, 0..12),
        order in Just((0_usize..13).collect::<Vec<_>>()).prop_shuffle(),
        in_a_datagram in 1_usize..5,
    ) {
        let hello = hello();
        let ends: Vec<_> = cuts.into_iter().chain([hello.len()]).collect();
        let parts = order.iter().filter_map(|place| {
            let end = *ends.get(*place)?;
            let at = place.checked_sub(1).map_or(0, |before| ends[before]);
            Some(crypto(at, &hello[at..end]))
        });
        let parts: Vec<_> = parts.collect();
        let datagrams: Vec<_> = (0_u64..)
            .zip(parts.chunks(in_a_datagram))
            .map(|(number, parts)| (Client, Make { number, ..FIRST }.initial(&parts.concat())))
            .collect();
        let (_, events) = read(&datagrams);
        let (_, whole) = read(&[(Client, FIRST.initial(&crypto(0, &hello)))]);
        prop_assert_eq!(events, whole);
    }
}
