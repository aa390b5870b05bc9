//! The extensions of a hello (RFC 8446 §4.2), read as far as they can be.

use super::{TlsVersion, cursor::Cursor, names::is_grease};
use crate::protocol::text::{self, HostName};

/// The extensions that give names.
pub(super) mod number {
    pub(in super::super) const SERVER_NAME: u16 = 0;
    pub(in super::super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(in super::super) const ALPN: u16 = 16;
    pub(in super::super) const SUPPORTED_VERSIONS: u16 = 43;
    pub(in super::super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
    pub(in super::super) const ENCRYPTED_SERVER_NAME: u16 = 0xffce;
}

/// Cuts an extension block; a last extension that is cut short is given as far as it goes.
pub(super) fn extensions(block: &[u8]) -> impl Iterator<Item = (u16, Cursor<'_>)> {
    let mut cursor = Cursor::new(block);
    std::iter::from_fn(move || Some((cursor.u16()?, cursor.prefixed_u16()?)))
}

/// The host name of a server name list (RFC 6066 §3): the first entry of type 0.
pub(super) fn server_name(mut content: Cursor<'_>) -> Option<HostName> {
    let mut list = content.prefixed_u16()?;
    while let Some(kind) = list.byte() {
        let name = list.prefixed_u16()?;
        if kind == 0 && !name.rest().is_empty() {
            return Some(text::host_name(name.rest()));
        }
    }
    None
}

/// The protocol names of an ALPN list (RFC 7301 §3.1), GREASE included.
pub(super) fn protocol_names(mut content: Cursor<'_>) -> impl Iterator<Item = &[u8]> {
    let mut list = content.prefixed_u16();
    std::iter::from_fn(move || list.as_mut()?.prefixed_u8().map(|name| name.rest()))
        .take(ALPN_NAMES_MAX)
}

/// The versions that a client offers (RFC 8446 §4.2.1), without GREASE, in its order.
pub(super) fn offered_versions(mut content: Cursor<'_>) -> Vec<TlsVersion> {
    let Some(list) = content.prefixed_u8() else { return Vec::new() };
    list.all_u16().filter(|&v| !is_grease(v)).take(VERSIONS_MAX).map(TlsVersion).collect()
}

/// The signature algorithms (RFC 8446 §4.2.3), without GREASE, in the client's order.
pub(super) fn signature_algorithms(mut content: Cursor<'_>) -> Vec<u16> {
    let Some(list) = content.prefixed_u16() else { return Vec::new() };
    list.all_u16().filter(|&a| !is_grease(a)).collect()
}

/// A protocol name as text; GREASE names are bytes, not text.
pub(super) fn protocol_text(name: &[u8]) -> String {
    text::lossy(name, usize::from(u8::MAX))
}

/// Whether a protocol name is a GREASE one: two like bytes of the form 0x?a (RFC 8701 §3).
pub(super) const fn is_grease_name(name: &[u8]) -> bool {
    matches!(name, [a, b] if is_grease(u16::from_be_bytes([*a, *b])))
}

/// Real clients offer two.
const ALPN_NAMES_MAX: usize = 32;

/// Real clients offer four.
const VERSIONS_MAX: usize = 32;
