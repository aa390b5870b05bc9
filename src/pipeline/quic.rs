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
    Settled(Option<Box<QuicNames>>),
}

#[derive(Debug)]
struct Reading {
    reader: QuicReader,
    /// Who sent the first Initial.
    client: Side,
    names: QuicNames,
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

    /// The names, once the talk is settled; `None` where it was no QUIC for certain.
    pub(super) fn names(&self) -> Option<&QuicNames> {
        match &self.state {
            State::Settled(names) => names.as_deref(),
            State::Silent | State::Reading(_) => None,
        }
    }

    /// Bytes held beside the flow's slot.
    pub(super) fn memory(&self) -> usize {
        match &self.state {
            State::Reading(reading) => size_of::<Reading>() + reading.reader.held_bytes(),
            _ => 0,
        }
    }
}

impl Reading {
    fn new(client: Side) -> Self {
        Self { reader: QuicReader::new(), client, names: QuicNames::default() }
    }

    fn datagram(&mut self, datagram: &Datagram<'_>, sender: Side, flow: &mut UdpFlow) {
        let uncertain = self.reader.version().is_none();
        if uncertain && is_quic_initial(datagram.payload) {
            self.client = sender;
        }
        let from = if sender == self.client { QuicSender::Client } else { QuicSender::Server };
        let names = &mut self.names;
        self.reader
            .datagram(from, datagram.payload, &mut |event| note(names, event, datagram.frame));
        if uncertain && self.reader.version().is_some() {
            flow.set_client(self.client);
        }
    }

    fn finish(&mut self) -> Option<Box<QuicNames>> {
        let version = self.reader.version()?;
        let mut names = std::mem::take(&mut self.names);
        self.reader.end(&mut |event| {
            if let QuicEvent::ClientHello { hello, .. } = event {
                note_client_hello(&mut names, *hello);
            }
        });
        if names.version.is_empty() {
            names.version = version.to_string();
        }
        Some(Box::new(names))
    }
}

fn note(names: &mut QuicNames, event: QuicEvent, frame: FrameId) {
    match event {
        QuicEvent::ClientHello { version, hello } => {
            // A client that begins anew, after a Retry or in another version, still asks for what
            // it asked for first.
            names.version = version.to_string();
            if names.client_hello_frame.is_none() {
                names.client_hello_frame = Some(frame);
                note_client_hello(names, *hello);
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

fn note_client_hello(names: &mut QuicNames, hello: ClientHello) {
    names.sni = hello.sni;
    names.alpn = hello.alpn;
    names.ech = hello.ech;
    names.ja4 = hello.ja4;
    names.lenient |= hello.lenient;
}
