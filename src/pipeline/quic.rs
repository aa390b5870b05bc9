//! What a UDP flow tells in the clear, if it is QUIC.

use crate::evidence::QuicNames;
use crate::flow::UdpFlow;
use crate::protocol::{ClientHello, QuicEvent, QuicReader, QuicSender, is_quic_initial};
use crate::wire::{Datagram, FrameId, Side};

/// A word or two for a flow that is no QUIC; the reader comes with the first Initial, on any port,
/// and goes when the handshake has left the Initials behind.
#[derive(Debug, Default)]
pub(super) struct QuicTalk {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// No Initial was seen.
    #[default]
    Silent,
    Reading(Box<Reading>),
    /// Nothing more will be read; `None` where it was no QUIC after all.
    Settled(Option<Box<Heard>>),
}

#[derive(Debug)]
struct Reading {
    reader: QuicReader,
    /// Who sent the first Initial.
    client: Side,
    heard: Heard,
}

/// What was heard.
#[derive(Debug, Default)]
struct Heard {
    /// Without what the hello offers.
    names: QuicNames,
    /// The hello that the names are of.
    hello: Option<Box<ClientHello>>,
}

impl QuicTalk {
    /// Reads the next datagram of `flow`, sent by `sender`.
    pub(super) fn datagram(&mut self, datagram: &Datagram<'_>, sender: Side, flow: &mut UdpFlow) {
        if matches!(self.state, State::Silent) && is_quic_initial(datagram.payload) {
            self.state = State::Reading(Box::new(Reading::new(sender)));
        }
        let State::Reading(reading) = &mut self.state else { return };
        reading.datagram(datagram, sender, flow);
        if !reading.reader.wants_more() {
            self.settle();
        }
    }

    /// Nothing more will be read: the flow is over, or memory is short.
    pub(super) fn settle(&mut self) {
        if let State::Reading(reading) = &mut self.state {
            self.state = State::Settled(reading.finish());
        }
    }

    /// The names without what the hello offers, once the talk is settled; `None` where it was no
    /// QUIC for certain.
    pub(super) fn names(&self) -> Option<&QuicNames> {
        self.heard().map(|heard| &heard.names)
    }

    /// The same with what the hello offers.
    pub(super) fn told(&self) -> Option<QuicNames> {
        let heard = self.heard()?;
        let hello = heard.hello.as_deref();
        Some(QuicNames {
            alpn: hello.into_iter().flat_map(ClientHello::alpn).collect(),
            ja4: hello.and_then(ClientHello::ja4),
            ..heard.names.clone()
        })
    }

    fn heard(&self) -> Option<&Heard> {
        match &self.state {
            State::Settled(heard) => heard.as_deref(),
            State::Silent | State::Reading(_) => None,
        }
    }

    /// Bytes held beside the flow's slot.
    pub(super) fn memory(&self) -> usize {
        match &self.state {
            State::Reading(reading) => {
                let heard = reading.heard.held_bytes();
                size_of::<Reading>() + reading.reader.held_bytes() + heard
            }
            State::Settled(Some(heard)) => size_of::<Heard>() + heard.held_bytes(),
            State::Silent | State::Settled(None) => 0,
        }
    }
}

impl Reading {
    fn new(client: Side) -> Self {
        Self { reader: QuicReader::new(), client, heard: Heard::default() }
    }

    fn datagram(&mut self, datagram: &Datagram<'_>, sender: Side, flow: &mut UdpFlow) {
        let uncertain = self.reader.version().is_none();
        if uncertain && is_quic_initial(datagram.payload) {
            self.client = sender;
        }
        let from = if sender == self.client { QuicSender::Client } else { QuicSender::Server };
        let heard = &mut self.heard;
        self.reader
            .datagram(from, datagram.payload, &mut |event| heard.note(event, datagram.frame));
        if uncertain && self.reader.version().is_some() {
            flow.set_client(self.client);
        }
    }

    fn finish(&mut self) -> Option<Box<Heard>> {
        let version = self.reader.version()?;
        let mut heard = std::mem::take(&mut self.heard);
        self.reader.end(&mut |event| {
            if let QuicEvent::ClientHello { hello, .. } = event {
                heard.note_client_hello(hello);
            }
        });
        if heard.names.version.is_empty() {
            heard.names.version = version.to_string();
        }
        Some(Box::new(heard))
    }
}

impl Heard {
    fn note(&mut self, event: QuicEvent, frame: FrameId) {
        let names = &mut self.names;
        match event {
            QuicEvent::ClientHello { version, hello } => {
                // A client that begins anew, after a Retry or in another version, still asks for
                // what it asked for first.
                names.version = version.to_string();
                if names.client_hello_frame.is_none() {
                    names.client_hello_frame = Some(frame);
                    self.note_client_hello(hello);
                }
            }
            QuicEvent::Answered | QuicEvent::Retry | QuicEvent::VersionNegotiation => {
                names.answer_frame.get_or_insert(frame);
            }
            QuicEvent::Closed { by: QuicSender::Server, code } => {
                names.close_code.get_or_insert(code);
            }
            QuicEvent::Closed { .. } | QuicEvent::Malformed(_) => {}
        }
    }

    fn held_bytes(&self) -> usize {
        let hello = self.hello.as_ref();
        hello.map_or(0, |hello| size_of::<ClientHello>() + hello.held_bytes())
    }

    fn note_client_hello(&mut self, hello: Box<ClientHello>) {
        let names = &mut self.names;
        names.sni = hello.sni.as_deref().map(str::to_owned);
        names.ech = hello.ech;
        names.lenient |= hello.lenient;
        self.hello = Some(hello);
    }
}
