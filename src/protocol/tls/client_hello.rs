//! What a client asks for in the clear (RFC 8446 §4.1.2).

use smallvec::SmallVec;

use super::{
    TlsCarrier, TlsVersion,
    cursor::Cursor,
    extension::{self, number},
    offer::{Lists, Offer},
};
use crate::protocol::text::HostName;

/// A client's hello.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientHello {
    /// The server name asked for, lower-case, without a trailing dot.
    pub sni: Option<Box<str>>,
    /// Whether that name is one that a host may have; otherwise odd bytes in it were replaced.
    pub sni_valid: bool,
    /// The version field of the hello itself, TLS 1.2 at most in honest ones.
    pub legacy_version: TlsVersion,
    /// Whether an encrypted client hello is there; then `sni` may be an outer name.
    ///
    /// Some browsers always send one filled with noise, so it proves nothing by itself.
    pub ech: bool,
    /// Whether the older encrypted server name is there.
    pub esni: bool,
    /// Whether the hello came in the form of SSL 2.0.
    pub sslv2: bool,
    /// Whether the whole hello was there.
    pub complete: bool,
    /// Whether a strict parser refuses the bytes.
    pub lenient: bool,
    /// What is read only if somebody asks.
    offer: Offer,
}

impl ClientHello {
    /// Reads the body of a handshake message of type 1, as far as it can be read.
    ///
    /// `None` of less than a version and a random.
    pub fn read(body: &[u8], carrier: TlsCarrier) -> Option<Self> {
        let Parts { version, ciphers, extensions } = Parts::read(body)?;
        let contents = Contents::read(extensions);
        let lists = Lists { ciphers, extensions: &contents.numbers, ..contents.lists };
        let (sni, sni_valid) = match contents.sni {
            Some(HostName { text, valid }) => (Some(text.into_boxed_str()), valid),
            None => (None, false),
        };
        Some(Self {
            sni,
            sni_valid,
            legacy_version: version,
            ech: contents.ech,
            esni: contents.esni,
            sslv2: false,
            complete: true,
            lenient: !is_strict(body),
            offer: Offer::of(&lists, version, carrier),
        })
    }

    /// The application protocols offered, in the client's order, without GREASE, at most 32.
    pub fn alpn(&self) -> impl Iterator<Item = String> {
        self.offer.protocols().map(extension::protocol_text)
    }

    /// The versions offered, in the client's order, without GREASE, at most 32; of a client that
    /// lists none, the one highest version that it knows.
    pub fn versions(&self) -> impl Iterator<Item = TlsVersion> {
        self.offer.versions()
    }

    /// The JA4 fingerprint; `None` of an incomplete hello, half of which would mislead, and of one in
    /// SSL 2.0 form.
    pub fn ja4(&self) -> Option<String> {
        (self.complete && !self.sslv2).then(|| self.offer.ja4())
    }

    /// Bytes held on the heap.
    pub fn held_bytes(&self) -> usize {
        self.offer.held_bytes() + self.sni.as_ref().map_or(0, |name| name.len())
    }

    /// Reads a hello in the form of SSL 2.0 (RFC 5246 §E.2), which can carry no names.
    ///
    /// ```text
    /// 1 | version | cipher length | session length | challenge length | ...
    /// ```
    pub(super) fn read_sslv2(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        cursor.byte()?;
        let version = TlsVersion(cursor.u16()?);
        Some(Self {
            sni: None,
            sni_valid: false,
            legacy_version: version,
            ech: false,
            esni: false,
            sslv2: true,
            complete: true,
            lenient: false,
            offer: Offer::of(&Lists::default(), version, TlsCarrier::Tcp),
        })
    }

    /// Marks a hello of which bytes are missing.
    #[must_use]
    pub(in crate::protocol) fn cut(mut self, cut: bool) -> Self {
        self.complete &= !cut;
        self
    }
}

/// A hello up to its extensions.
///
/// ```text
/// version 2 | random 32 | 1+session | 2+ciphers | 1+compression | 2+extensions
/// ```
struct Parts<'a> {
    version: TlsVersion,
    ciphers: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let version = TlsVersion(cursor.u16()?);
        cursor.array::<32>()?;
        cursor.prefixed_u8();
        let ciphers = cursor.prefixed_u16().map_or(&[][..], |list| list.rest());
        cursor.prefixed_u8();
        let extensions = cursor.prefixed_u16().map_or(&[][..], |block| block.rest());
        Some(Self { version, ciphers, extensions })
    }
}

/// What the extensions say.
#[derive(Default)]
struct Contents<'a> {
    /// The numbers of all, in the client's order, two bytes each.
    numbers: SmallVec<[u8; 64]>,
    sni: Option<HostName>,
    ech: bool,
    esni: bool,
    lists: Lists<'a>,
}

impl<'a> Contents<'a> {
    fn read(block: &'a [u8]) -> Self {
        let mut contents = Self::default();
        let lists = &mut contents.lists;
        for (kind, content) in extension::extensions(block) {
            contents.numbers.extend_from_slice(&kind.to_be_bytes());
            match kind {
                number::SERVER_NAME if contents.sni.is_none() => {
                    contents.sni = extension::server_name(content);
                }
                number::ALPN if !extension::has_name(lists.protocols) => {
                    lists.protocols = extension::protocol_list(content);
                }
                number::SUPPORTED_VERSIONS => {
                    lists.versions = Some(extension::version_list(content));
                }
                number::SIGNATURE_ALGORITHMS => {
                    lists.signatures = extension::signature_list(content);
                }
                number::ENCRYPTED_CLIENT_HELLO => contents.ech = true,
                number::ENCRYPTED_SERVER_NAME => contents.esni = true,
                _ => {}
            }
        }
        contents
    }
}

/// Whether `tls-parser` takes the hello, to the last byte and the last extension.
fn is_strict(body: &[u8]) -> bool {
    let Ok((rest, hello)) = tls_parser::parse_tls_handshake_client_hello(body) else {
        return false;
    };
    let parse = tls_parser::parse_tls_client_hello_extension;
    rest.is_empty() && hello.ext.is_none_or(|block| extension::are_strict(block, parse))
}
