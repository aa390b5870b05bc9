//! What a server chose, in the clear (RFC 8446 §4.1.3).

use super::{
    CipherSuite, TlsVersion,
    cursor::Cursor,
    extension::{self, number},
};

/// A server's hello, or its hello retry request, which has the same form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerHello {
    /// The version chosen: that of the extension where there is one (RFC 8446 §4.2.1).
    pub version: TlsVersion,
    /// The cipher suite chosen.
    pub cipher: Option<CipherSuite>,
    /// The application protocol chosen; TLS 1.3 tells it encrypted.
    pub alpn: Option<String>,
    /// Whether the client is asked for another hello.
    pub hello_retry_request: bool,
    /// Whether the whole hello was there.
    pub complete: bool,
    /// Whether a strict parser refuses the bytes.
    pub lenient: bool,
}

impl ServerHello {
    /// Reads the body of a handshake message of type 2, as far as it can be read.
    ///
    /// `None` of less than a version and a random.
    ///
    /// ```text
    /// version 2 | random 32 | 1+session | cipher 2 | compression 1 | 2+extensions
    /// ```
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let legacy = TlsVersion(cursor.u16()?);
        let random = cursor.array::<32>()?;
        cursor.prefixed_u8();
        let cipher = cursor.u16().map(CipherSuite);
        cursor.byte();
        let block = cursor.prefixed_u16().map_or(&[][..], |block| block.rest());
        let mut hello = Self {
            version: legacy,
            cipher,
            alpn: None,
            hello_retry_request: random == HELLO_RETRY_RANDOM,
            complete: true,
            lenient: !is_strict(body),
        };
        for (kind, mut content) in extension::extensions(block) {
            match kind {
                number::SUPPORTED_VERSIONS => {
                    hello.version = content.u16().map_or(hello.version, TlsVersion);
                }
                number::ALPN => {
                    let names = extension::protocol_list(content);
                    hello.alpn =
                        extension::protocol_names(names).next().map(extension::protocol_text);
                }
                _ => {}
            }
        }
        Some(hello)
    }

    #[must_use]
    pub(super) fn cut(mut self, cut: bool) -> Self {
        self.complete &= !cut;
        self
    }
}

/// Whether `tls-parser` takes the hello, to the last byte and the last extension.
fn is_strict(body: &[u8]) -> bool {
    let Ok((rest, hello)) = tls_parser::parse_tls_handshake_server_hello(body) else {
        return false;
    };
    let parse = tls_parser::parse_tls_server_hello_extension;
    rest.is_empty() && hello.ext.is_none_or(|block| extension::are_strict(block, parse))
}

/// SHA-256 of `HelloRetryRequest` (RFC 8446 §4.1.3).
const HELLO_RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_retry_random_is_the_digest_of_its_name() {
        assert_eq!(Sha256::digest(b"HelloRetryRequest")[..], HELLO_RETRY_RANDOM);
    }
}
