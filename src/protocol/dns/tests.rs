use proptest::prelude::*;

use super::*;

/// A message: header fields, then the parts as they are.
fn message(flags: u16, counts: [u16; 4], parts: &[&[u8]]) -> Vec<u8> {
    let header = [0x1234, flags].into_iter().chain(counts).flat_map(u16::to_be_bytes);
    header.chain(parts.concat()).collect()
}

const QUESTION: &[u8] = b"\x04News\x07EXAMPLE\0\0\x01\0\x01";
const A: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xcb\0\x71\x07";

fn read(bytes: &[u8]) -> Message {
    Message::read(bytes, false).expect("a header")
}

fn told(message: &Message) -> Vec<String> {
    message.answers.iter().map(ToString::to_string).collect()
}

#[test]
fn a_question_and_its_answer() {
    let query =
        read(&message(0x0100, [1, 0, 0, 1], &[QUESTION, b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"]));
    let asked = query.question.clone().unwrap();
    assert_eq!((&*asked.name, asked.kind, asked.class), ("news.example", RecordType::A, 1));
    assert_eq!(query.edns, Some(Edns { udp_size: 1232, version: 0, dnssec_ok: true }));
    assert!(query.is_plain_query() && query.flags.recursion_desired());

    let answer = read(&message(0x8580, [1, 1, 0, 0], &[QUESTION, A]));
    assert!(answer.is_plain_answer() && answer.flags.is_authoritative());
    assert!(answer.flags.recursion_available() && !answer.flags.is_truncated());
    assert_eq!(told(&answer), ["203.0.113.7"]);
    assert!(answer.answers[0].on_topic);
    assert_eq!((answer.answers[0].ttl, answer.rcode.to_string()), (60, "NOERROR".to_owned()));
}

#[test]
fn content_is_told_by_type() {
    let table: &[(u16, &[u8], &str)] = &[
        (1, b"\xcb\0\x71\x07", "203.0.113.7"),
        (1, b"\xcb\0\x71", "A malformed \\# cb0071"),
        (28, b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", "2001:db8::1"),
        (5, b"\x03www\xc0\x0c", "CNAME www.news.example"),
        (5, b"\x03www\xc0\x0c\0", "CNAME malformed \\# 03777777c00c00"),
        (2, b"\x02ns\xc0\x0c", "NS ns.news.example"),
        (15, b"\0\x0a\x02mx\0", "MX 10 mx"),
        (16, b"\x02a\"\x03b\x01c", "TXT \"a\\\"\" \"b\\001c\""),
        (16, b"\x05ab", "TXT malformed \\# 056162"),
        (6, b"\x01a\0\x01b\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "SOA a b 7"),
        (65, b"\0\x01\0\0\x01\0\x03\x02h2", "HTTPS 1 . \\# 7 00010003026832"),
        (64, b"\0\0\x01x\0", "SVCB 0 x"),
        (4711, b"\x01\x02", "TYPE4711 \\# 2 0102"),
    ];
    for (kind, data, text) in table {
        let fixed =
            [&kind.to_be_bytes()[..], b"\0\x01\0\0\0\0", &(data.len() as u16).to_be_bytes()];
        let record = [b"\xc0\x0c", fixed.concat().as_slice(), data].concat();
        let answer = read(&message(0x8180, [1, 1, 0, 0], &[QUESTION, &record]));
        assert_eq!(told(&answer), [*text]);
        assert_eq!(answer.fault.is_some(), text.contains("malformed"), "{text}");
    }
}

#[test]
fn records_are_held_against_the_name_asked_for() {
    let alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\0\0\x06\x03cdn\xc0\x11";
    let at_alias = b"\x03cdn\x07example\0\0\x01\0\x01\0\0\0\0\0\x04\xcb\0\x71\x08";
    let elsewhere = b"\x05other\0\0\x01\0\x01\0\0\0\0\0\x04\xcb\0\x71\x09";
    let answer = read(&message(0x8180, [1, 4, 0, 0], &[QUESTION, A, alias, at_alias, elsewhere]));
    assert_eq!(answer.fault, None);
    let on_topic: Vec<bool> = answer.answers.iter().map(|record| record.on_topic).collect();
    assert_eq!(on_topic, [true, true, true, false]);
}

/// Parts, counts; what is wrong, how the name begins, how many answers are read.
type Faulty<'a> = (&'a [&'a [u8]], [u16; 4], Option<Fault>, Option<&'a str>, usize);

#[test]
fn what_is_wrong_is_told_and_the_rest_is_read() {
    let long: Vec<u8> = [b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(4);
    let long = [&long, b"\0\0\x01\0\x01".as_slice()].concat();
    let many = b"\0\0\x01\0\x01\0\0\0\0\0\0".repeat(2000);
    let itself = b"\xc0\x0c\0\x01\0\x01".as_slice();
    let circle = b"\x01a\xc0\x0c\0\x01\0\x01".as_slice();
    let (short, name) = (Some(Fault::Short), Some(Fault::Name));
    let (news, nothing) = (Some("news.example"), None);
    let table: &[Faulty<'_>] = &[
        (&[QUESTION, A], [1, 2, 0, 0], short, news, 1),
        (&[QUESTION, A, b"x"], [1, 1, 0, 0], Some(Fault::Trailing), news, 1),
        (&[itself, A], [1, 1, 0, 0], name, Some(""), 1),
        (&[circle], [1, 0, 0, 0], name, Some("a.a.a"), 0),
        (&[&long], [1, 0, 0, 0], name, nothing, 0),
        (&[b"\x41a\0\0\x01\0\x01"], [1, 0, 0, 0], name, nothing, 0),
        (&[b"\x04news"], [1, 0, 0, 0], short, nothing, 0),
        (&[], [0, 0, 0, 0], None, nothing, 0),
        (&[QUESTION], [1, 0, 0, 0xffff], short, news, 0),
        (&[QUESTION, &many], [1, 0, 0, 2000], Some(Fault::Records), news, 0),
    ];
    for (parts, counts, fault, name, answers) in table {
        let message = read(&message(0x8180, *counts, parts));
        let asked = message.question.as_ref().map(|asked| &*asked.name);
        assert_eq!((message.fault, message.answers.len()), (*fault, *answers), "{parts:02x?}");
        let begins = asked.zip(*name).is_some_and(|(asked, name)| asked.starts_with(name));
        assert!(begins || asked == *name, "{asked:?} {parts:02x?}");
    }
    assert_eq!(Message::read(b"\x12\x34\x81\x80\0\x01\0\0\0\0\0", false), None);
    let snapped = Message::read(&message(0x8180, [1, 2, 0, 0], &[QUESTION, A]), true);
    assert_eq!(snapped.expect("a header").fault, None, "the capture is short, not the message");
}

#[test]
fn names_are_safe_to_print() {
    let table: &[(&[u8], &str)] = &[
        (b"\0", "."),
        (b"\x03a.b\x02\\\x1b\x01\xff\0", "a\\.b.\\\\\\027.\\255"),
        (b"\x05A-_1~\0", "a-_1~"),
    ];
    for (wire, text) in table {
        let query = read(&message(0x0100, [1, 0, 0, 0], &[wire, b"\0\x01\0\x01"]));
        assert_eq!(query.question.map(|asked| asked.name).as_deref(), Some(*text));
    }
}

#[test]
fn extended_codes_have_their_names() {
    let bad = read(&message(0x8180, [1, 0, 0, 1], &[QUESTION, b"\0\0\x29\x04\xd0\x01\0\0\0\0\0"]));
    assert_eq!(bad.rcode.to_string(), "BADVERS");
    assert_eq!(
        (Rcode(3).to_string(), Rcode(99).to_string()),
        ("NXDOMAIN".into(), "RCODE99".into())
    );
    assert_eq!(RecordType(65).to_string(), "HTTPS");
}

fn events(stream: &[u8], chunk: usize) -> Vec<Event> {
    let (mut reader, mut events) = (Reader::default(), Vec::new());
    for part in stream.chunks(chunk.max(1)) {
        reader.push(part, &mut |event| events.push(event));
        assert!(reader.held_bytes() <= 2 + 65_535);
    }
    events
}

#[test]
fn streams_are_cut_into_messages() {
    let query = message(0x0100, [1, 0, 0, 0], &[QUESTION]);
    let framed = [&(query.len() as u16).to_be_bytes()[..], &query].concat();
    let stream = framed.repeat(3);
    assert_eq!(events(&stream, usize::MAX).len(), 3);
    let mut reader = Reader::default();
    let mut seen = Vec::new();
    reader.push(&framed[..9], &mut |event| seen.push(event));
    reader.gap(1, &mut |event| seen.push(event));
    reader.push(&stream, &mut |event| seen.push(event));
    assert_eq!((seen, reader.wants_more()), (vec![Event::Lost], false));
    assert_eq!(events(b"\0\0\0\x05hello", 1), [Event::Malformed]);
}

/// What a stricter reader makes of the same bytes: questions and answers as text.
fn strictly(bytes: &[u8]) -> Option<(String, u16, usize)> {
    let packet = simple_dns::Packet::parse(bytes).ok()?;
    let asked = packet.questions.first()?;
    let kind = u16::from(asked.qtype);
    Some((asked.qname.to_string().to_ascii_lowercase(), kind, packet.answers.len()))
}

fn arb_name() -> impl Strategy<Value = Vec<u8>> {
    let label =
        "[a-z]{1,8}".prop_map(|label| [vec![label.len() as u8], label.into_bytes()].concat());
    let end = prop_oneof![Just(vec![0]), Just(vec![0xc0, 12]), Just(vec![0xc0, 17])];
    (prop::collection::vec(label, 0..3), end)
        .prop_map(|(labels, end)| [labels.concat(), end].concat())
}

fn arb_record() -> impl Strategy<Value = Vec<u8>> {
    let data = prop_oneof![
        (Just(1_u16), prop::collection::vec(any::<u8>(), 4)),
        (Just(28_u16), prop::collection::vec(any::<u8>(), 16)),
        (Just(5_u16), arb_name()),
        (Just(16_u16), Just(b"\x02ab".to_vec())),
        (300_u16.., prop::collection::vec(any::<u8>(), 0..20)),
    ];
    (arb_name(), data).prop_map(|(owner, (kind, data))| {
        let len = (data.len() as u16).to_be_bytes();
        [owner, kind.to_be_bytes().to_vec(), b"\0\x01\0\0\0\x3c".to_vec(), len.to_vec(), data]
            .concat()
    })
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300), cut: bool) {
        if let Some(message) = Message::read(&bytes, cut) {
            prop_assert!(message.answers.len() <= Message::ANSWERS_MAX);
            if let Some(asked) = message.question {
                prop_assert!(asked.name.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(asked.name.len() <= 4 * 255);
            }
            for record in message.answers {
                prop_assert!(record.to_string().bytes().all(|b| matches!(b, 0x20..=0x7e)));
            }
        }
    }

    #[test]
    fn who_is_stricter_reads_the_same(
        records in prop::collection::vec(arb_record(), 0..4),
        flip in prop::option::of((0_usize..200, any::<u8>())),
    ) {
        let question = b"\x04news\x07example\0\0\x01\0\x01".as_slice();
        let parts: Vec<&[u8]> = std::iter::once(question).chain(records.iter().map(|r| &r[..])).collect();
        let mut bytes = message(0x8180, [1, records.len() as u16, 0, 0], &parts);
        if let Some((at, value)) = flip {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let ours = read(&bytes);
        if let (Some((name, kind, answers)), None) = (strictly(&bytes), ours.fault) {
            let asked = ours.question.expect("the stricter one read it");
            prop_assert_eq!(asked.kind.0, kind);
            if name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.')) {
                prop_assert_eq!(&*asked.name, &*name);
            }
            prop_assert_eq!(ours.answers.len(), answers);
        }
    }

    #[test]
    fn cuts_do_not_change_what_a_stream_says(
        sizes in prop::collection::vec(0_usize..40, 1..6),
        chunk in 1_usize..50,
    ) {
        let mut stream = Vec::new();
        for (number, size) in sizes.iter().enumerate() {
            let body = vec![number as u8; *size];
            stream.extend((size + 12).to_be_bytes().last_chunk::<2>().expect("eight bytes"));
            stream.extend(message(0x0100, [0; 4], &[&body]));
        }
        prop_assert_eq!(events(&stream, chunk), events(&stream, usize::MAX));
    }

    #[test]
    fn hostile_streams_are_read_alike(stream in prop::collection::vec(any::<u8>(), 0..200), chunk in 1_usize..9) {
        prop_assert_eq!(events(&stream, chunk), events(&stream, usize::MAX));
    }
}
