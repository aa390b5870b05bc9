//! TLS in the clear: hellos, certificates, alerts (RFC 8446, 5246, 6066).
//!
//! *Enters:* the bytes of one direction. *Leaves:* [`TlsEvent`]s up to the point where the
//! direction is encrypted. *Kept:* one unfinished handshake message, at most 64 KiB, certificates
//! 128 KiB; what a message has beyond that is counted, not kept. *Not done:* TLS 1.3 hides its
//! certificates, so none are told; nothing of a message is verified.

mod certificate;
mod client_hello;
mod cursor;
mod extension;
mod handshake;
mod ja4;
mod names;
mod offer;
mod record;
mod server_hello;

pub use certificate::{CertificateChain, CertificateClaims, CertificateInfo};
pub use client_hello::ClientHello;
pub use names::{CipherSuite, TlsVersion};
pub use server_hello::ServerHello;

use handshake::{Joiner, Kind, Message};
use record::{Header, Record, RecordKind};

/// Which end sent the bytes that a reader reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TlsSender {
    /// The one that sent the `ClientHello`.
    Client,
    /// The one that answers it.
    Server,
}

/// What carries the messages of TLS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TlsCarrier {
    /// Records over TCP.
    Tcp,
    /// CRYPTO frames of QUIC (RFC 9001 §4).
    Quic,
}

/// Something that one direction of a TLS stream says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsEvent {
    /// The client's hello; a second one follows a hello retry request.
    ClientHello(Box<ClientHello>),
    /// The server's hello, or its hello retry request.
    ServerHello(Box<ServerHello>),
    /// The sender's certificates; TLS 1.2 and older.
    Certificate(CertificateChain),
    /// An alert in the clear.
    Alert(Alert),
    /// From here on the direction is encrypted: the last event.
    Encrypted,
    /// The bytes are no TLS: the last event.
    Malformed(TlsMalformed),
    /// Bytes missing from the capture hide where the next record begins: the last event.
    Lost,
}

/// An alert (RFC 8446 §6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Alert {
    /// Whether the level is `fatal`.
    pub fatal: bool,
    /// The description's number.
    pub code: u8,
    /// The description's name in the registry, as `unrecognized_name`.
    pub name: &'static str,
}

/// Why bytes are no TLS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TlsMalformed {
    /// A record header names an unknown type, a version other than 3.x, or too long a record.
    Record,
    /// A handshake message is of a type that does not exist, or that this end cannot send.
    Handshake,
    /// A hello is too short to hold a version and a random.
    Hello,
    /// An alert of less than two bytes.
    Alert,
}

/// Reads one direction of a TLS stream, see the [module](self).
#[derive(Clone, Debug)]
pub struct TlsReader {
    sender: TlsSender,
    phase: Phase,
    header: Header,
    /// The record that is being read.
    record: Option<Record>,
    joiner: Joiner,
    alert_level: Option<u8>,
}

impl TlsReader {
    /// A reader of the bytes that `sender` sends.
    pub fn new(sender: TlsSender) -> Self {
        Self {
            sender,
            phase: Phase::Start,
            header: Header::default(),
            record: None,
            joiner: Joiner::default(),
            alert_level: None,
        }
    }

    /// Whether more bytes can lead to more events. A caller stops copying when they cannot.
    pub fn wants_more(&self) -> bool {
        self.phase != Phase::Stopped
    }

    /// How many bytes the reader holds on the heap.
    pub fn held_bytes(&self) -> usize {
        self.joiner.held_bytes()
    }

    /// Reads the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(TlsEvent)) {
        let mut rest = bytes;
        while !rest.is_empty() && self.wants_more() {
            match self.record {
                None => self.read_header(&mut rest, sink),
                Some(record) => self.read_fragment(record, &mut rest, sink),
            }
        }
    }

    /// `missing` bytes of the stream are not in the capture.
    ///
    /// Within one record the next boundary is still known; otherwise the reader gives up.
    pub fn gap(&mut self, missing: u64, sink: &mut impl FnMut(TlsEvent)) {
        if !self.wants_more() || missing == 0 {
            return;
        }
        match self.record {
            Some(record) if u64::from(record.remaining) >= missing => {
                if let Some(message) = self.joiner.gap(missing as usize) {
                    self.read_message(&message, sink);
                }
                self.alert_level = None;
                self.record = record.after(missing as u16);
            }
            _ => {
                self.flush(sink);
                self.stop(TlsEvent::Lost, sink);
            }
        }
    }

    /// Nothing more will come: tells what an unfinished message has told so far.
    pub fn end(&mut self, sink: &mut impl FnMut(TlsEvent)) {
        if self.wants_more() {
            self.flush(sink);
            self.phase = Phase::Stopped;
        }
    }

    fn read_header(&mut self, rest: &mut &[u8], sink: &mut impl FnMut(TlsEvent)) {
        let Some(header) = self.header.push(rest) else { return };
        let later = self.phase.after_first();
        let first = std::mem::replace(&mut self.phase, later);
        if first == Phase::Start && self.sender == TlsSender::Client && record::is_sslv2(header) {
            return self.start_sslv2(header);
        }
        let Some((kind, remaining)) = Record::parse(header) else {
            return self.stop(TlsEvent::Malformed(TlsMalformed::Record), sink);
        };
        match (kind, remaining) {
            // An alert is two bytes; a longer record of that type is an encrypted one.
            (RecordKind::ApplicationData, _) | (RecordKind::Alert, 3..) => {
                self.stop(TlsEvent::Encrypted, sink);
            }
            (RecordKind::Alert, 0..=1) => {
                self.stop(TlsEvent::Malformed(TlsMalformed::Alert), sink);
            }
            (RecordKind::ChangeCipherSpec, _) => {
                self.change_cipher_spec(sink);
                self.record = (remaining > 0).then_some(Record { kind, remaining });
            }
            (_, 0) => {}
            _ => self.record = Some(Record { kind, remaining }),
        }
    }

    fn read_fragment(&mut self, record: Record, rest: &mut &[u8], sink: &mut impl FnMut(TlsEvent)) {
        let take = rest.len().min(usize::from(record.remaining));
        let (mut fragment, after) = rest.split_at_checked(take).unwrap_or((rest, &[]));
        *rest = after;
        self.record = record.after(take as u16);
        match record.kind {
            RecordKind::Handshake => {
                while let Some(message) = self.joiner.push(&mut fragment) {
                    self.read_message(&message, sink);
                    if !self.wants_more() {
                        return;
                    }
                }
                let distrust = |(kind, hello_sized)| self.distrust(kind, hello_sized);
                if let Some(event) = self.joiner.begun().and_then(distrust) {
                    self.stop(event, sink);
                }
            }
            RecordKind::Alert => self.read_alert(fragment, sink),
            RecordKind::ChangeCipherSpec | RecordKind::ApplicationData => {}
        }
    }

    /// Whether the header of a message shows that it is none.
    fn distrust(&self, kind: Kind, hello_sized: bool) -> Option<TlsEvent> {
        let (own, foreign) = match self.sender {
            TlsSender::Client => (Kind::ClientHello, Kind::ServerHello),
            TlsSender::Server => (Kind::ServerHello, Kind::ClientHello),
        };
        // After a change of ciphers the first byte of a handshake record is either that of the
        // second hello of TLS 1.3, or of something encrypted.
        if self.phase == Phase::Doubtful && (kind != own || !hello_sized) {
            return Some(TlsEvent::Encrypted);
        }
        (kind == foreign || kind == Kind::Unknown)
            .then_some(TlsEvent::Malformed(TlsMalformed::Handshake))
    }

    fn read_message(&mut self, message: &Message<'_>, sink: &mut impl FnMut(TlsEvent)) {
        if let Some(event) = self.distrust(message.kind, message.is_hello_sized()) {
            return self.stop(event, sink);
        }
        let event = match message.kind {
            Kind::ClientHello => ClientHello::read(&message.body, TlsCarrier::Tcp)
                .map(|hello| TlsEvent::ClientHello(Box::new(hello.cut(!message.complete)))),
            Kind::ClientHelloV2 => ClientHello::read_sslv2(&message.body)
                .map(|hello| TlsEvent::ClientHello(Box::new(hello.cut(!message.complete)))),
            Kind::ServerHello => ServerHello::read(&message.body)
                .map(|hello| TlsEvent::ServerHello(Box::new(hello.cut(!message.complete)))),
            Kind::Certificate => {
                let chain = CertificateChain::read(&message.body, message.complete);
                if !chain.certificates.is_empty() {
                    sink(TlsEvent::Certificate(chain));
                }
                return;
            }
            Kind::Other | Kind::Unknown => return,
        };
        match event {
            Some(event) => self.tell_hello(event, sink),
            None if !message.complete => {}
            None => self.stop(TlsEvent::Malformed(TlsMalformed::Hello), sink),
        }
    }

    fn tell_hello(&mut self, event: TlsEvent, sink: &mut impl FnMut(TlsEvent)) {
        // A hello retry request, and a client that offers TLS 1.3, may be followed by a change of
        // ciphers that changes nothing (RFC 8446 §D.4).
        let may_feign = match &event {
            TlsEvent::ClientHello(hello) => {
                hello.versions().any(|version| version == TlsVersion::TLS13)
            }
            TlsEvent::ServerHello(hello) => hello.hello_retry_request,
            _ => false,
        };
        self.phase = if may_feign { Phase::ClearOrFeigned } else { Phase::Clear };
        sink(event);
    }

    fn change_cipher_spec(&mut self, sink: &mut impl FnMut(TlsEvent)) {
        if self.phase == Phase::ClearOrFeigned {
            self.phase = Phase::Doubtful;
        } else if self.phase != Phase::Doubtful {
            self.stop(TlsEvent::Encrypted, sink);
        }
    }

    fn read_alert(&mut self, fragment: &[u8], sink: &mut impl FnMut(TlsEvent)) {
        for &byte in fragment {
            match self.alert_level.take() {
                None => self.alert_level = Some(byte),
                Some(level) => sink(TlsEvent::Alert(Alert {
                    fatal: level == 2,
                    code: byte,
                    name: names::alert_name(byte),
                })),
            }
        }
    }

    fn start_sslv2(&mut self, header: [u8; 5]) {
        let [high, low, body @ ..] = header;
        let len = u16::from_be_bytes([high & 0x7f, low]);
        self.joiner.start_sslv2(len, body);
        self.record = len
            .checked_sub(body.len() as u16)
            .map(|remaining| Record { kind: RecordKind::Handshake, remaining });
    }

    /// Tells what can be told of a message that will not be finished.
    fn flush(&mut self, sink: &mut impl FnMut(TlsEvent)) {
        if let Some(message) = self.joiner.flush()
            && self.phase != Phase::Doubtful
        {
            self.read_message(&message, sink);
        }
    }

    fn stop(&mut self, event: TlsEvent, sink: &mut impl FnMut(TlsEvent)) {
        if self.wants_more() {
            self.phase = Phase::Stopped;
            self.record = None;
            self.joiner = Joiner::default();
            sink(event);
        }
    }
}

/// How far a direction has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// No record was seen.
    Start,
    /// A change of ciphers means what it says.
    Clear,
    /// A change of ciphers may be there for the sake of middleboxes only.
    ClearOrFeigned,
    /// After such a change: a second hello, or encrypted.
    Doubtful,
    /// Nothing more will be told.
    Stopped,
}

impl Phase {
    const fn after_first(self) -> Self {
        match self {
            Self::Start => Self::Clear,
            later => later,
        }
    }
}

#[cfg(test)]
mod tests;
