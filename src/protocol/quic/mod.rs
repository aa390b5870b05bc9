//! QUIC as far as everybody in the path can read it (RFC 9000, 9001 §5.2, 9369).
//!
//! *Enters:* the UDP payloads of one pair of endpoints, in the order of the capture. *Leaves:*
//! [`QuicEvent`]s: what the client asks for, and whether the server answered. *Kept:* the keys of
//! the Initials, which follow from the client's first one, and the parts of a hello that has holes,
//! at most 64 KiB in 1,024 runs; nothing once both ends have left the Initials behind. *Bounds:* a
//! connection's keys are sought in at most [`DERIVATIONS_MAX`] packets.
//!
//! What is told was authenticated: an Initial that does not open is no QUIC, or damaged, or belongs
//! to a connection whose beginning is not in the capture, and tells nothing. That keeps other
//! protocols out. It does not keep forgers out: their Initials open too, if they saw the first one.
//!
//! *Not done:* 0-RTT, Handshake and 1-RTT packets have keys that nobody in the path knows. An
//! Initial that the capture cut short cannot be authenticated, and is passed over. Versions are
//! those of [`QuicVersion`]; Google's QUIC without TLS is not among them.

mod connection;
mod cursor;
mod frame;
mod handshake;
mod keys;
mod packet;
mod version;

pub use packet::{is_quic_initial, is_quic_long_header};
pub use version::QuicVersion;

use super::tls::{ClientHello, TlsCarrier};
use connection::Connection;
use frame::Frame;
use handshake::{Handshake, Message};
use keys::Opened;
use packet::{Kind, Packet};

/// Which end sent a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum QuicSender {
    /// The one that sent the first Initial.
    Client,
    /// The one that answers it.
    Server,
}

/// Something that the datagrams of a connection say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QuicEvent {
    /// The client's hello. Another one follows where the client begins anew: after a Retry, after
    /// a negotiation of versions, or another connection between the same ports.
    ClientHello {
        /// The version of the packet that completed it.
        version: QuicVersion,
        /// What it asks for.
        hello: Box<ClientHello>,
    },
    /// The server was heard of for the first time: an Initial that opens, or a Handshake packet to
    /// the connection ID that the client chose.
    Answered,
    /// An end gave up during the handshake.
    Closed {
        /// Which end.
        by: QuicSender,
        /// Why (RFC 9000 §20.1); from 0x100 on the alert of TLS plus 0x100.
        code: u64,
    },
    /// The server wants to see the client's address proven first.
    Retry,
    /// The server does not know the version that the client chose.
    VersionNegotiation,
    /// An authentic Initial holds what no Initial may hold; told once.
    Malformed(QuicMalformed),
}

/// What is wrong in an Initial that opens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum QuicMalformed {
    /// A frame that is cut short, unknown, or not allowed there.
    Frame,
    /// The client's handshake does not begin with a hello that can be read.
    Hello,
}

/// Reads the datagrams of one pair of endpoints, see the [module](self).
#[derive(Clone, Default, Debug)]
pub struct QuicReader {
    connection: Option<Connection>,
    handshake: Handshake,
    told: Told,
    /// How often keys were derived.
    derivations: u8,
}

#[derive(Clone, Copy, Default, Debug)]
struct Told {
    hello: bool,
    answered: bool,
    malformed: bool,
    /// The handshake has gone beyond Initials, on the client's and on the server's side.
    beyond: [bool; 2],
}

impl QuicReader {
    /// A reader that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The version that the ends speak; `None` until an Initial of the client was opened. From then
    /// on it is certain that this is QUIC, and who is the client.
    pub fn version(&self) -> Option<QuicVersion> {
        self.connection.as_ref().map(|connection| connection.version)
    }

    /// Whether more datagrams can lead to more events.
    pub fn wants_more(&self) -> bool {
        let [client, server] = self.told.beyond;
        let settled = client || server && self.told.hello;
        let lost = self.connection.is_none() && self.derivations >= DERIVATIONS_MAX;
        !settled && !lost
    }

    /// How many bytes the reader holds on the heap.
    pub fn held_bytes(&self) -> usize {
        self.handshake.held_bytes()
    }

    /// Reads the next datagram.
    pub fn datagram(&mut self, from: QuicSender, payload: &[u8], sink: &mut impl FnMut(QuicEvent)) {
        if !self.wants_more() {
            return;
        }
        if packet::is_short_header(payload) {
            return self.pass_initials(from);
        }
        for packet in packet::packets(payload) {
            match (packet.kind, from) {
                (Kind::Initial, _) => self.initial(from, &packet, sink),
                (Kind::Handshake, _) => self.handshake_packet(from, &packet, sink),
                (Kind::Retry, QuicSender::Server) => self.retry(&packet, sink),
                (Kind::VersionNegotiation, QuicSender::Server) => self.negotiation(&packet, sink),
                _ => {}
            }
        }
    }

    /// Nothing more will come: tells what an unfinished hello has told so far.
    pub fn end(&mut self, sink: &mut impl FnMut(QuicEvent)) {
        if !self.told.hello
            && let Some(connection) = &self.connection
            && let Some(message) = self.handshake.take()
        {
            self.told.hello = true;
            sink(read_hello(connection.version, &message).unwrap_or_else(QuicEvent::Malformed));
        }
        self.told.beyond = [true; 2];
    }

    fn initial(&mut self, from: QuicSender, packet: &Packet<'_>, sink: &mut impl FnMut(QuicEvent)) {
        let opened = self.open(from, packet).or_else(|| self.open_anew(from, packet));
        let Some(opened) = opened else { return };
        if from == QuicSender::Server {
            self.tell_answered(sink);
        }
        for frame in frame::frames(&opened.payload) {
            match frame {
                Ok(Frame::Crypto { offset, bytes }) if from == QuicSender::Client => {
                    self.crypto(packet.version, offset, bytes, sink);
                }
                Ok(Frame::Close { code }) => sink(QuicEvent::Closed { by: from, code }),
                Ok(Frame::Crypto { .. } | Frame::Other) => {}
                Err(reason) => self.tell_malformed(reason, sink),
            }
        }
    }

    /// Opens an Initial of the connection that is known, in its version or in another one.
    fn open(&mut self, from: QuicSender, packet: &Packet<'_>) -> Option<Opened> {
        if packet.version == self.version()? {
            return self.connection.as_mut()?.open(from, packet);
        }
        self.count_derivation()?;
        self.connection.as_mut()?.change_version(from, packet)
    }

    /// Opens an Initial of the client that begins a connection.
    fn open_anew(&mut self, from: QuicSender, packet: &Packet<'_>) -> Option<Opened> {
        let known = self.connection.as_ref().is_some_and(|known| known.begins_at(packet));
        if from == QuicSender::Server || known {
            return None;
        }
        self.count_derivation()?;
        let (connection, opened) = Connection::begin(packet)?;
        self.connection = Some(connection);
        self.expect_hello();
        Some(opened)
    }

    fn count_derivation(&mut self) -> Option<()> {
        self.derivations = self.derivations.checked_add(1).filter(|n| *n <= DERIVATIONS_MAX)?;
        Some(())
    }

    fn crypto(
        &mut self,
        version: QuicVersion,
        offset: u64,
        bytes: &[u8],
        sink: &mut impl FnMut(QuicEvent),
    ) {
        if self.told.hello {
            return;
        }
        let Some(message) = self.handshake.push(offset, bytes) else { return };
        self.told.hello = true;
        match read_hello(version, &message) {
            Ok(event) => sink(event),
            Err(reason) => self.tell_malformed(reason, sink),
        }
    }

    fn handshake_packet(
        &mut self,
        from: QuicSender,
        packet: &Packet<'_>,
        sink: &mut impl FnMut(QuicEvent),
    ) {
        if self.connection.as_ref().is_some_and(|known| known.has(from, packet)) {
            self.pass_initials(from);
            if from == QuicSender::Server {
                self.tell_answered(sink);
            }
        }
    }

    fn retry(&mut self, packet: &Packet<'_>, sink: &mut impl FnMut(QuicEvent)) {
        if self.connection.as_ref().is_some_and(|known| known.is_retried_by(packet)) {
            sink(QuicEvent::Retry);
        }
    }

    fn negotiation(&mut self, packet: &Packet<'_>, sink: &mut impl FnMut(QuicEvent)) {
        if self.connection.as_ref().is_some_and(|known| known.is_negotiated_by(packet)) {
            // The client begins anew, maybe with the same connection IDs.
            self.expect_hello();
            sink(QuicEvent::VersionNegotiation);
        }
    }

    fn expect_hello(&mut self) {
        self.handshake = Handshake::default();
        self.told.hello = false;
    }

    /// `from` sends with keys that are agreed on: it will send no hello any more (RFC 9001 §4.9.1).
    fn pass_initials(&mut self, from: QuicSender) {
        if self.connection.is_some()
            && let Some(beyond) = self.told.beyond.get_mut(from.index())
        {
            *beyond = true;
        }
    }

    fn tell_answered(&mut self, sink: &mut impl FnMut(QuicEvent)) {
        if !std::mem::replace(&mut self.told.answered, true) {
            sink(QuicEvent::Answered);
        }
    }

    fn tell_malformed(&mut self, reason: QuicMalformed, sink: &mut impl FnMut(QuicEvent)) {
        if !std::mem::replace(&mut self.told.malformed, true) {
            sink(QuicEvent::Malformed(reason));
        }
    }
}

impl QuicSender {
    const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

fn read_hello(version: QuicVersion, message: &Message<'_>) -> Result<QuicEvent, QuicMalformed> {
    const CLIENT_HELLO: u8 = 1;
    let hello = (message.kind == CLIENT_HELLO)
        .then(|| ClientHello::read(&message.body, TlsCarrier::Quic))
        .flatten()
        .ok_or(QuicMalformed::Hello)?;
    let hello = Box::new(hello.cut(!message.complete));
    Ok(QuicEvent::ClientHello { version, hello })
}

/// An honest connection needs one, and one more each for a Retry and a change of versions; a
/// recording that begins in the middle of one may see some Initials that never open.
pub const DERIVATIONS_MAX: u8 = 32;

#[cfg(test)]
mod tests;
