//! What a client asks for in the clear (RFC 8446 §4.1.2).

use super::{
    TlsCarrier, TlsVersion,
    cursor::Cursor,
    extension::{self, number},
    ja4,
    names::is_grease,
};
use crate::protocol::text::HostName;

/// A client's hello.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientHello {
    /// The server name asked for, lower-case, without a trailing dot.
    pub sni: Option<String>,
    /// Whether that name is one that a host may have; otherwise odd bytes in it were replaced.
    pub sni_valid: bool,
    /// The application protocols offered, in the client's order, without GREASE.
    pub alpn: Vec<String>,
    /// The versions offered, in the client's order, without GREASE; of a client that lists
    /// none, the one highest version that it knows.
    pub versions: Vec<TlsVersion>,
    /// The version field of the hello itself, TLS 1.2 at most in honest ones.
    pub legacy_version: TlsVersion,
    /// Whether an encrypted client hello is there; then `sni` may be an outer name.
    ///
    /// Some browsers always send one filled with noise, so it proves nothing by itself.
    pub ech: bool,
    /// Whether the older encrypted server name is there.
    pub esni: bool,
    /// The JA4 fingerprint; `None` of an incomplete hello and of one in SSL 2.0 form.
    pub ja4: Option<String>,
    /// Whether the hello came in the form of SSL 2.0.
    pub sslv2: bool,
    /// Whether the whole hello was there.
    pub complete: bool,
    /// Whether a strict parser refuses the bytes.
    pub lenient: bool,
}

impl ClientHello {
    /// Reads the body of a handshake message of type 1, as far as it can be read.
    ///
    /// `None` of less than a version and a random.
    pub fn read(body: &[u8], carrier: TlsCarrier) -> Option<Self> {
        let parts = Parts::read(body)?;
        let contents = Contents::read(parts.extensions);
        let ja4 = ja4::fingerprint(&ja4::Offer {
            carrier,
            version: contents.versions.iter().copied().max().unwrap_or(parts.version),
            named: contents.types.contains(&number::SERVER_NAME),
            ciphers: &parts.ciphers,
            extensions: &contents.types,
            signature_algorithms: &contents.signature_algorithms,
            first_alpn: contents.first_alpn,
        });
        let listed = contents.types.contains(&number::SUPPORTED_VERSIONS);
        let (sni, sni_valid) = match contents.sni {
            Some(HostName { text, valid }) => (Some(text), valid),
            None => (None, false),
        };
        Some(Self {
            sni,
            sni_valid,
            alpn: contents.alpn,
            versions: if listed { contents.versions } else { vec![parts.version] },
            legacy_version: parts.version,
            ech: contents.types.contains(&number::ENCRYPTED_CLIENT_HELLO),
            esni: contents.types.contains(&number::ENCRYPTED_SERVER_NAME),
            ja4: Some(ja4),
            sslv2: false,
            complete: true,
            lenient: !is_strict(body),
        })
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
            alpn: Vec::new(),
            versions: vec![version],
            legacy_version: version,
            ech: false,
            esni: false,
            ja4: None,
            sslv2: true,
            complete: true,
            lenient: false,
        })
    }

    /// Marks a hello of which bytes are missing; a fingerprint of half a hello would mislead.
    #[must_use]
    pub(in crate::protocol) fn cut(mut self, cut: bool) -> Self {
        if cut {
            self.complete = false;
            self.ja4 = None;
        }
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
    /// Without GREASE.
    ciphers: Vec<u16>,
    extensions: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let version = TlsVersion(cursor.u16()?);
        cursor.array::<32>()?;
        cursor.prefixed_u8();
        let ciphers = cursor.prefixed_u16().map_or_else(Vec::new, |list| {
            list.all_u16().filter(|&suite| !is_grease(suite)).collect()
        });
        cursor.prefixed_u8();
        let extensions = cursor.prefixed_u16().map_or(&[][..], |block| block.rest());
        Some(Self { version, ciphers, extensions })
    }
}

/// What the extensions say.
#[derive(Default)]
struct Contents<'a> {
    /// The numbers of all, in the client's order, without GREASE.
    types: Vec<u16>,
    sni: Option<HostName>,
    alpn: Vec<String>,
    first_alpn: &'a [u8],
    versions: Vec<TlsVersion>,
    signature_algorithms: Vec<u16>,
}

impl<'a> Contents<'a> {
    fn read(block: &'a [u8]) -> Self {
        let mut contents = Self::default();
        for (kind, content) in extension::extensions(block).filter(|(kind, _)| !is_grease(*kind)) {
            contents.types.push(kind);
            match kind {
                number::SERVER_NAME if contents.sni.is_none() => {
                    contents.sni = extension::server_name(content);
                }
                number::ALPN if contents.alpn.is_empty() => {
                    let names = || {
                        extension::protocol_names(content)
                            .filter(|name| !extension::is_grease_name(name))
                    };
                    contents.first_alpn = names().next().unwrap_or_default();
                    contents.alpn = names().map(extension::protocol_text).collect();
                }
                number::SUPPORTED_VERSIONS => {
                    contents.versions = extension::offered_versions(content);
                }
                number::SIGNATURE_ALGORITHMS => {
                    contents.signature_algorithms = extension::signature_algorithms(content);
                }
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
    rest.is_empty()
        && hello.ext.is_none_or(|block| {
            tls_parser::parse_tls_client_hello_extensions(block)
                .is_ok_and(|(rest, _)| rest.is_empty())
        })
}
