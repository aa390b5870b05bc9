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

/// The list of protocol names (RFC 7301 §3.1).
pub(super) fn protocol_list(mut content: Cursor<'_>) -> &[u8] {
    content.prefixed_u16().map_or(&[], |list| list.rest())
}

/// The protocol names of a list, GREASE included.
pub(super) fn protocol_names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Cursor::new(list);
    std::iter::from_fn(move || list.prefixed_u8().map(|name| name.rest())).take(ALPN_NAMES_MAX)
}

/// Whether a list names a protocol that is no GREASE.
pub(super) fn has_name(list: &[u8]) -> bool {
    protocol_names(list).any(|name| !is_grease_name(name))
}

/// The list of versions that a client offers (RFC 8446 §4.2.1).
pub(super) fn version_list(mut content: Cursor<'_>) -> &[u8] {
    content.prefixed_u8().map_or(&[], |list| list.rest())
}

/// The versions of a list, without GREASE, in its order.
pub(super) fn offered_versions(list: &[u8]) -> impl Iterator<Item = TlsVersion> {
    numbers(list).filter(|version| !is_grease(*version)).take(VERSIONS_MAX).map(TlsVersion)
}

/// The list of signature algorithms (RFC 8446 §4.2.3).
pub(super) fn signature_list(mut content: Cursor<'_>) -> &[u8] {
    content.prefixed_u16().map_or(&[], |list| list.rest())
}

/// The numbers of a list, two bytes each; a last odd byte is dropped.
pub(super) fn numbers(list: &[u8]) -> impl Iterator<Item = u16> {
    let mut list = Cursor::new(list);
    std::iter::from_fn(move || list.u16())
}

/// Whether `parse` of `tls-parser` takes one extension after the other, to the last byte.
pub(super) fn are_strict<'a>(
    block: &'a [u8],
    parse: impl Fn(&'a [u8]) -> tls_parser::IResult<&'a [u8], tls_parser::TlsExtension<'a>>,
) -> bool {
    let mut rest = block;
    while !rest.is_empty() {
        let Ok((after, _)) = parse(rest) else { return false };
        rest = after;
    }
    true
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
pub(super) const ALPN_NAMES_MAX: usize = 32;

/// Real clients offer four.
const VERSIONS_MAX: usize = 32;
