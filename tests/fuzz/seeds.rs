//! Where fuzzing begins: the captures of `captures/`, in the form that each target takes.

use std::collections::BTreeMap;
use std::path::Path;

use tamperscope::decode::{Decoder, Packet};
use tamperscope::protocol::{Probe, is_quic_initial, probe};
use tamperscope::wire::{Endpoint, Frame, FrameId, LinkType, Segment, TcpFlags, Timestamp};

use crate::bodies::conversation::{FROM_SERVER, TIMESTAMPS};
use crate::stories::{Shot, captures_of, shots, stories};

/// Inputs of one target, each with a name.
pub(crate) type Seeds = Vec<(String, Vec<u8>)>;

/// The seeds of all targets, by target.
pub(crate) fn all() -> BTreeMap<&'static str, Seeds> {
    let mut seeds: BTreeMap<&'static str, Seeds> = BTreeMap::new();
    for story in stories() {
        for file in captures_of(&story) {
            let name = format!("{}-{}", label(&story), label(&file));
            let stored = std::fs::read(&file).expect("a capture");
            let mut add = |target, what: &str, bytes: Vec<u8>| {
                seeds.entry(target).or_default().push((format!("{name}{what}"), bytes));
            };
            add("capture", "", [&[16, 0][..], &stored].concat());
            let shots = shots(&[file]);
            add("decode", "", frames(&shots));
            for (place, payload) in questions(&shots).into_iter().enumerate().take(TALKS_MAX) {
                add("dns", &format!("-{place}"), [&[0, 0][..], &payload].concat());
                let length = (payload.len() as u16).to_be_bytes();
                add("dns", &format!("-{place}-stream"), [&[1, 3], &length[..], &payload].concat());
            }
            add("analyze", "", if stored.starts_with(b"\x1f\x8b") { pcap(&shots) } else { stored });
            for (place, talk) in talks(&shots).into_values().enumerate().take(TALKS_MAX) {
                add("conversation", &format!("-{place}"), talk.script());
                for (way, stream) in talk.streams.iter().enumerate() {
                    of_stream(stream, &format!("-{place}-{way}"), &mut add);
                }
            }
            for (place, datagrams) in handshakes(&shots).into_values().enumerate() {
                for len in 1..=datagrams.len().min(DATAGRAMS_MAX) {
                    add("quic", &format!("-{place}-{len}"), datagrams[..len].concat());
                }
            }
        }
    }
    seeds.insert("assembler", scripts());
    seeds
}

fn label(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn of_stream(stream: &[u8], name: &str, add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    match probe(stream) {
        Probe::Tls => {
            let client = u8::from(stream.get(5) == Some(&1));
            add("tls", name, [&[client, 100, 0, 0, 0][..], stream].concat());
            add("tls", &format!("{name}-hole"), [&[client | 2, 7, 1, 0, 7][..], stream].concat());
        }
        Probe::Http => {
            add("http", name, [&[0, 0, 0, 0, 100, 0, 0, 0][..], stream].concat());
            add("http", &format!("{name}-hole"), [&[1, 1, 0, 0, 7, 0, 90, 5][..], stream].concat());
            if stream.starts_with(b"HTTP/") {
                for (number, list) in LISTS.iter().enumerate() {
                    let [high, low] = (list.len() as u16).to_be_bytes();
                    let head = [high, low, 12];
                    let parts = [&head, list.as_bytes(), b"www.example.", stream];
                    add("fingerprint", &format!("{name}-{number}"), parts.concat());
                }
            }
        }
        _ => {}
    }
}

/// Payloads of datagrams from and to a resolver's port.
fn questions(shots: &[Shot]) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::new();
    let mut payloads = Vec::new();
    for (place, shot) in shots.iter().enumerate() {
        let frame = Frame {
            id: FrameId::new(0, place as u64 + 1),
            time: Timestamp::from_nanos(shot.time_ns),
            link: LinkType(shot.link),
            bytes: &shot.bytes,
            original_len: shot.original_len,
        };
        if let Ok(Packet::Udp(datagram)) = decoder.decode(&frame)
            && (datagram.src.port == 53 || datagram.dst.port == 53)
        {
            payloads.push(datagram.payload.to_vec());
        }
    }
    payloads
}

/// For the target `decode`: the first frames.
fn frames(shots: &[Shot]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for shot in shots.iter().take(FRAMES_MAX) {
        bytes.extend(shot.link.to_be_bytes());
        bytes.extend(
            (shot.original_len.saturating_sub(shot.bytes.len() as u32) as u16).to_be_bytes(),
        );
        bytes.extend((shot.bytes.len() as u16).to_be_bytes());
        bytes.extend(&shot.bytes);
    }
    bytes
}

/// Classic pcap of nanoseconds.
fn pcap(shots: &[Shot]) -> Vec<u8> {
    let link = shots.first().map_or(1, |shot| u32::from(shot.link));
    let mut words = vec![0xa1b2_3c4d, 0x0004_0002, 0, 0, 1 << 18, link];
    let mut bytes = Vec::new();
    for shot in shots {
        let (seconds, nanos) = (shot.time_ns / 1_000_000_000, shot.time_ns % 1_000_000_000);
        words.extend([seconds as u32, nanos as u32, shot.bytes.len() as u32, shot.original_len]);
        bytes.extend(words.drain(..).flat_map(u32::to_le_bytes));
        bytes.extend(&shot.bytes);
    }
    bytes
}

/// One TCP connection, as the target `conversation` writes it down.
#[derive(Default)]
struct Talk {
    client: Option<Endpoint>,
    last_ns: i64,
    next: [Option<u32>; 2],
    steps: Vec<u8>,
    /// Payloads as they came, both ways.
    streams: [Vec<u8>; 2],
}

impl Talk {
    fn segment(&mut self, segment: &Segment<'_>) {
        let from = usize::from(*self.client.get_or_insert(segment.src) != segment.src);
        let phantom = u32::from(segment.flags.intersects(TcpFlags::SYN.union(TcpFlags::FIN)));
        let end = segment.seq.0.wrapping_add(segment.payload.len() as u32 + phantom);
        let distance = |due: Option<u32>, number: u32| {
            let distance = number.wrapping_sub(due.unwrap_or(number)) as i32;
            distance.clamp(-32_768, 32_767) as i16
        };
        let seq_distance = distance(self.next[from], segment.seq.0);
        let ack_distance = distance(self.next[1 - from], segment.ack.0);
        if seq_distance == 0 && !segment.flags.contains(TcpFlags::RST) {
            self.next[from] = Some(end);
        }
        let wait = (segment.time.as_nanos() - self.last_ns).clamp(1, 1 << 35);
        self.last_ns = segment.time.as_nanos();
        let stamped = if segment.options.timestamps.is_some() { TIMESTAMPS } else { 0 };
        let payload = segment.payload.get(..4000).unwrap_or(segment.payload);
        self.steps.push(if from == 1 { FROM_SERVER | stamped } else { stamped });
        self.steps.push(segment.flags.0 as u8);
        self.steps.extend(seq_distance.to_be_bytes());
        self.steps.extend(ack_distance.to_be_bytes());
        let (ttl, identification) = (segment.ip.ttl.0, segment.ip.id.unwrap_or(0));
        self.steps.extend([ttl, identification as u8, wait.ilog2() as u8]);
        self.steps.extend((payload.len() as u16).to_be_bytes());
        self.steps.extend(payload);
        let stream = &mut self.streams[from];
        let room = STREAM_MAX.saturating_sub(stream.len()).min(payload.len());
        stream.extend(&payload[..room]);
    }

    fn script(&self) -> Vec<u8> {
        self.steps.iter().copied().take(SCRIPT_MAX).collect()
    }
}

fn talks(shots: &[Shot]) -> BTreeMap<(Endpoint, Endpoint), Talk> {
    let mut decoder = Decoder::new();
    let mut talks: BTreeMap<_, Talk> = BTreeMap::new();
    for (number, shot) in (1..).zip(shots) {
        if let Ok(Packet::Tcp(segment)) = decoder.decode(&frame(shot, number)) {
            let (low, high) = (segment.src.min(segment.dst), segment.src.max(segment.dst));
            talks.entry((low, high)).or_default().segment(&segment);
        }
    }
    talks
}

/// For the target `quic`: the datagrams of each connection, as the target takes them.
fn handshakes(shots: &[Shot]) -> BTreeMap<(Endpoint, Endpoint), Vec<Vec<u8>>> {
    let mut decoder = Decoder::new();
    let mut handshakes: BTreeMap<_, Vec<Vec<u8>>> = BTreeMap::new();
    for shot in shots {
        let Ok(Packet::Udp(datagram)) = decoder.decode(&frame(shot, 1)) else { continue };
        let (there, back) = ((datagram.src, datagram.dst), (datagram.dst, datagram.src));
        let from_client = !handshakes.contains_key(&back);
        let key = if from_client { there } else { back };
        if handshakes.contains_key(&key) || is_quic_initial(datagram.payload) {
            let len = (datagram.payload.len() as u16).to_be_bytes();
            let written = [&[u8::from(from_client)][..], &len, datagram.payload].concat();
            handshakes.entry(key).or_default().push(written);
        }
    }
    handshakes
}

fn frame(shot: &Shot, number: u64) -> Frame<'_> {
    Frame {
        id: FrameId::new(0, number),
        time: Timestamp::from_nanos(shot.time_ns),
        link: LinkType(shot.link),
        bytes: &shot.bytes,
        original_len: shot.original_len,
    }
}

/// For the target `assembler`: in order, swapped, overlapping, contradicting.
fn scripts() -> Seeds {
    let steps = [
        ("in-order", [[3, 0, 0, 40, 0, 0], [3, 40, 0, 40, 0, 0], [0, 80, 0, 0, 0, 0]]),
        ("swapped", [[3, 40, 0, 40, 0, 0], [3, 0, 0, 40, 0, 0], [3, 80, 0, 9, 0, 0]]),
        ("overlapping", [[3, 0, 0, 40, 0, 0], [3, 20, 0, 40, 0, 0], [3, 10, 0, 9, 0, 0]]),
        ("contradicting", [[3, 0, 0, 40, 0, 0], [3, 20, 0, 40, 0, 1], [1, 0, 0, 1, 0, 2]]),
        ("snapped", [[2, 0, 0, 40, 9, 0], [0, 40, 0, 0, 0, 0], [3, 20, 0, 40, 0, 2]]),
    ];
    let heads = [("roomy", [0, 0, 0, 7, 0]), ("tight", [255, 255, 255, 230, 3])];
    let mut seeds = Vec::new();
    for (head_name, head) in heads {
        for (name, steps) in steps {
            seeds.push((format!("{head_name}-{name}"), [&head[..], steps.as_flattened()].concat()));
        }
    }
    seeds
}

/// Frames of a seed for `decode`.
const FRAMES_MAX: usize = 24;
/// Connections of a capture.
const TALKS_MAX: usize = 4;
/// Datagrams of a handshake.
const DATAGRAMS_MAX: usize = 4;
/// Bytes of a stream.
const STREAM_MAX: usize = 6000;
/// Bytes of a conversation.
const SCRIPT_MAX: usize = 12_000;

/// A list of each format.
const LISTS: [&str; 5] = [
    "name,scope,strength,countries,place,match,pattern,source\n\
     a,national,specific,ZZ,visible,regexp,blocked by.{0,9}order,here\n\
     b,isp,weak,ZZ,forward,contains,http://notice.example/,here\n",
    "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,\
     expected_countries,source,exp_url,notes\n\
     zz_0,nat,,header.location,prefix,http://blocked.example/,5,\"ZZ,YY\",ooni,,\n\
     zz_1,isp,,body,regexp,\"notice-[0-9]+\",8,ZZ,ooni,,\n\
     zz_2,nat,,dns,full,192.0.2.7,10,ZZ,ooni,,\n",
    "{\"fingerprint\": \"b_nat_zz_0\", \"pattern\": \"<title>Blocked\"}\n\
     {\"fingerprint\": \"fp_1\", \"pattern\": \"Server: .*x\"}\n",
    "fingerprint,country,pattern,location\n",
    "",
];
