//! A connection, by what all its Initials have in common: its keys, and how its ends call it.

use super::keys::{InitialKeys, Opened, is_retry_of};
use super::packet::{ConnectionId, Packet};
use super::version::Protection;
use super::{QuicSender, QuicVersion};

/// A connection of which an Initial of the client was opened.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) version: QuicVersion,
    protection: &'static Protection,
    /// Whither the client sent its first Initial: all keys follow from it.
    original: ConnectionId,
    /// How the client calls itself: whither the server answers.
    client: ConnectionId,
    keys: [Option<InitialKeys>; 2],
    /// The greatest packet numbers, the client's and the server's.
    largest: [Option<u64>; 2],
}

impl Connection {
    /// Opens an Initial with keys that follow from its own destination, as do those of the client's
    /// first one, and those of its first after a Retry (RFC 9001 §5.2).
    pub(super) fn begin(packet: &Packet<'_>) -> Option<(Self, Opened)> {
        let original = packet.destination;
        let (protection, keys, opened) = seek(QuicSender::Client, packet, &original, None)?;
        let connection = Self {
            version: packet.version,
            protection,
            original,
            client: packet.source,
            keys: [Some(keys), None],
            largest: [Some(opened.number), None],
        };
        Some((connection, opened))
    }

    /// Opens an Initial of the connection's version.
    pub(super) fn open(&mut self, from: QuicSender, packet: &Packet<'_>) -> Option<Opened> {
        let place = self.keys.get_mut(from.index())?;
        let keys = match *place {
            Some(keys) => keys,
            None => InitialKeys::derive(self.protection, &self.original, from)?,
        };
        *place = Some(keys);
        let largest = self.largest.get_mut(from.index())?;
        let opened = keys.open(packet, *largest)?;
        *largest = (*largest).max(Some(opened.number));
        Some(opened)
    }

    /// Opens an Initial of another version. Both ends may agree on one while they shake hands; its
    /// keys follow from the same connection ID (RFC 9369 §4.1).
    pub(super) fn change_version(
        &mut self,
        from: QuicSender,
        packet: &Packet<'_>,
    ) -> Option<Opened> {
        let largest = self.largest.get_mut(from.index())?;
        let (protection, keys, opened) = seek(from, packet, &self.original, *largest)?;
        *largest = (*largest).max(Some(opened.number));
        self.version = packet.version;
        self.protection = protection;
        self.keys = [None; 2];
        *self.keys.get_mut(from.index())? = Some(keys);
        Some(opened)
    }

    /// Whether a packet goes where the client's first Initial went.
    pub(super) fn begins_at(&self, packet: &Packet<'_>) -> bool {
        packet.destination == self.original
    }

    /// Whether a packet names the client as it calls itself.
    pub(super) fn has(&self, from: QuicSender, packet: &Packet<'_>) -> bool {
        self.client
            == match from {
                QuicSender::Client => packet.source,
                QuicSender::Server => packet.destination,
            }
    }

    /// Whether a Retry answers the client's first Initial.
    pub(super) fn is_retried_by(&self, packet: &Packet<'_>) -> bool {
        self.has(QuicSender::Server, packet) && is_retry_of(packet, &self.original)
    }

    /// Whether a negotiation of versions answers the client's first Initial: both its connection
    /// IDs come back, the other way round (RFC 8999 §6).
    pub(super) fn is_negotiated_by(&self, packet: &Packet<'_>) -> bool {
        self.has(QuicSender::Server, packet) && packet.source == self.original
    }
}

/// Opens a packet with the keys that follow from `original`, in whatever way its version may be
/// protected.
fn seek(
    from: QuicSender,
    packet: &Packet<'_>,
    original: &ConnectionId,
    largest: Option<u64>,
) -> Option<(&'static Protection, InitialKeys, Opened)> {
    packet.version.protections().iter().find_map(|protection| {
        let keys = InitialKeys::derive(protection, original, from)?;
        Some((protection, keys, keys.open(packet, largest)?))
    })
}
