//! Names: what readers of protocols make of single messages, of real clients and servers.

use std::collections::HashMap;

use tamperscope::decode::Packet;
use tamperscope::protocol::dns::Message;
use tamperscope::protocol::{
    QuicEvent, QuicReader, QuicSender, RequestEvent, RequestReader, ResponseEvent, ResponseReader,
    TlsEvent, TlsReader, TlsSender, is_quic_initial,
};
use tamperscope::wire::{FlowKey, Transport};

use super::decode::packet;
use super::input;

/// Kinds of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// In TLS records, for SNI and JA4.
    ClientHello,
    /// Head of an HTTP/1 request.
    Request,
    /// Head of an HTTP/1 response.
    Response,
    /// A query or an answer in a datagram.
    Dns,
    /// A client's datagram with a whole hello: opened, and the hello read.
    QuicInitial,
}

/// Something that one side said.
struct Said {
    ports: (u16, u16),
    bytes: Vec<u8>,
}

impl Kind {
    /// [`MESSAGES`] messages: those of the recordings, again and again.
    pub(crate) fn messages(self) -> Vec<Vec<u8>> {
        let said = STORIES.into_iter().flat_map(said);
        let messages: Vec<_> = said.filter_map(|said| self.message(said)).collect();
        assert!(messages.len() > 2, "several are {self:?}");
        messages.into_iter().cycle().take(MESSAGES).collect()
    }

    fn message(self, said: Said) -> Option<Vec<u8>> {
        let Said { ports, bytes } = said;
        let fits = match (self, ports) {
            // A handshake message of type 1, in a record of type 22.
            (Self::ClientHello, (_, 443)) => matches!(bytes[..], [22, 3, _, _, _, 1, ..]),
            (Self::Request, (_, 80)) => bytes.starts_with(b"GET "),
            (Self::Response, (80, _)) => bytes.starts_with(b"HTTP/1."),
            (Self::Dns, (53, _) | (_, 53)) => true,
            // Some hellos are spread over two datagrams.
            (Self::QuicInitial, (_, 443)) => is_quic_initial(&bytes) && quic_initial(&bytes),
            _ => false,
        };
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        match self {
            _ if !fits => None,
            Self::Request | Self::Response => Some(bytes[..head? + 4].to_vec()),
            _ => Some(bytes),
        }
    }

    /// Reads a message; whether it told what it is read for.
    fn reads(self, message: &[u8]) -> bool {
        match self {
            Self::ClientHello => client_hello(message),
            Self::Request => request(message),
            Self::Response => response(message),
            Self::Dns => Message::read(message, false).is_some_and(|read| read.question.is_some()),
            Self::QuicInitial => quic_initial(message),
        }
    }

    /// Reads all.
    pub(crate) fn read(self, messages: &[Vec<u8>]) {
        let told = messages.iter().filter(|message| self.reads(message));
        assert_eq!(told.count(), messages.len(), "each {self:?} tells its name");
    }
}

/// What is said in a recording: datagrams, and in TCP all that one side says before the other
/// answers.
fn said(story: &str) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    let mut last = HashMap::new();
    for packet in input::frames(input::story(story)).iter().filter_map(packet) {
        match packet {
            Packet::Udp(datagram) => said.push(Said {
                ports: (datagram.src.port, datagram.dst.port),
                bytes: datagram.payload.to_vec(),
            }),
            Packet::Tcp(segment) if segment.payload.is_empty() => {}
            Packet::Tcp(segment) => {
                let ports = (segment.src.port, segment.dst.port);
                let (key, _) = FlowKey::of(Transport::Tcp, segment.src, segment.dst);
                match last.get(&key).map(|place: &usize| &mut said[*place]) {
                    Some(said) if said.ports == ports => said.bytes.extend(segment.payload),
                    _ => {
                        last.insert(key, said.len());
                        said.push(Said { ports, bytes: segment.payload.to_vec() });
                    }
                }
            }
        }
    }
    said
}

fn client_hello(message: &[u8]) -> bool {
    let mut told = false;
    TlsReader::new(TlsSender::Client).push(message, &mut |event| {
        if let TlsEvent::ClientHello(hello) = event {
            told = hello.sni.is_some() && hello.ja4().is_some();
        }
    });
    told
}

fn request(message: &[u8]) -> bool {
    let mut told = false;
    RequestReader::new().push(message, &mut |event| {
        if let RequestEvent::Request(request) = event {
            told = request.host.is_some();
        }
    });
    told
}

fn response(message: &[u8]) -> bool {
    let mut told = false;
    ResponseReader::new().push(message, &mut |event| {
        told |= matches!(event, ResponseEvent::Response(_));
    });
    told
}

fn quic_initial(message: &[u8]) -> bool {
    let mut told = false;
    QuicReader::new().datagram(QuicSender::Client, message, &mut |event| {
        if let QuicEvent::ClientHello { hello, .. } = event {
            told = hello.sni.is_some() && hello.ja4().is_some();
        }
    });
    told
}

pub(crate) const MESSAGES: usize = 100;
const STORIES: [&str; 3] =
    ["plain-browsing/capture.pcapng", "many-hosts/capture.pcapng", "quic-plain/capture.pcap"];
