//! JA4, the fingerprint of a TLS client over TCP or QUIC.
//!
//! The form and its rules are those that `FoxIO` published (technical details of JA4, BSD 3-clause):
//! two clients of one build have one fingerprint whatever name they ask for and however they
//! shuffle their extensions. Our own code; the vectors in the tests are the published ones.

use sha2::{Digest, Sha256};

use super::{TlsCarrier, TlsVersion, extension::number};
use crate::protocol::text::{hex, push_hex};

/// What of a hello goes into the fingerprint; all lists without GREASE, in the client's order.
pub(super) struct Offer<'a> {
    pub(super) carrier: TlsCarrier,
    /// The highest version offered.
    pub(super) version: TlsVersion,
    /// Whether the server name extension is there.
    pub(super) named: bool,
    pub(super) ciphers: &'a [u16],
    pub(super) extensions: &'a [u16],
    pub(super) signature_algorithms: &'a [u16],
    /// Empty where there is none.
    pub(super) first_alpn: &'a [u8],
}

/// As `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(super) fn fingerprint(offer: &Offer<'_>) -> String {
    let [first, last] = alpn_letters(offer.first_alpn);
    let mut ciphers = offer.ciphers.to_vec();
    ciphers.sort_unstable();
    // The first part tells of name and protocol already.
    let mut extensions = offer.extensions.to_vec();
    extensions.retain(|kind| !matches!(*kind, number::SERVER_NAME | number::ALPN));
    extensions.sort_unstable();
    let mut tail = list(&extensions);
    if !tail.is_empty() && !offer.signature_algorithms.is_empty() {
        tail.push('_');
        tail.push_str(&list(offer.signature_algorithms));
    }
    format!(
        "{}{}{}{:02}{:02}{first}{last}_{}_{}",
        match offer.carrier {
            TlsCarrier::Tcp => 't',
            TlsCarrier::Quic => 'q',
        },
        version_letters(offer.version),
        if offer.named { 'd' } else { 'i' },
        offer.ciphers.len().min(99),
        offer.extensions.len().min(99),
        digest(&list(&ciphers)),
        digest(&tail),
    )
}

const fn version_letters(version: TlsVersion) -> &'static str {
    match version.0 {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last letter; of a name that begins or ends with none, those of its hex digits.
fn alpn_letters(name: &[u8]) -> [char; 2] {
    match (name.first(), name.last()) {
        (Some(first), Some(last))
            if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
        {
            [char::from(*first), char::from(*last)]
        }
        (Some(first), Some(last)) => {
            let digits = hex(&[*first, *last]);
            [digits.chars().next().unwrap_or('0'), digits.chars().last().unwrap_or('0')]
        }
        _ => ['0', '0'],
    }
}

/// As `1301,1302`.
fn list(numbers: &[u16]) -> String {
    let mut text = String::with_capacity(numbers.len().saturating_mul(5));
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        push_hex(&mut text, &number.to_be_bytes());
    }
    text
}

/// The first twelve digits of the digest; zeros for nothing.
fn digest(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    let digest = Sha256::digest(text.as_bytes());
    hex(digest.get(..6).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the technical details: Chrome.
    fn chrome() -> Offer<'static> {
        Offer {
            carrier: TlsCarrier::Tcp,
            version: TlsVersion::TLS13,
            named: true,
            ciphers: &[
                0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: &[
                0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023,
                0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
            ],
            signature_algorithms: &[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            first_alpn: b"h2",
        }
    }

    #[test]
    fn published_vectors() {
        assert_eq!(fingerprint(&chrome()), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        // The same list without signature algorithms ends without an underscore.
        let unsigned = Offer { signature_algorithms: &[], ..chrome() };
        assert_eq!(fingerprint(&unsigned), "t13d1516h2_8daaf6152771_6d807ffa2a79");
        // A raw and a hashed form published side by side for another client.
        let other = Offer {
            carrier: TlsCarrier::Tcp,
            version: TlsVersion::TLS13,
            named: true,
            ciphers: &[
                0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0x00ff,
            ],
            extensions: &[
                0x0000, 0x0005, 0x000a, 0x000b, 0x000d, 0x0010, 0x0017, 0x0023, 0x002b, 0x002d,
                0x0033,
            ],
            signature_algorithms: &[
                0x0503, 0x0403, 0x0807, 0x0806, 0x0805, 0x0804, 0x0601, 0x0501, 0x0401,
            ],
            first_alpn: b"h2",
        };
        assert_eq!(fingerprint(&other), "t13d1011h2_61a7ad8aa9b6_3fcd1a44f3e3");
    }

    #[test]
    fn edges() {
        let bare = Offer {
            carrier: TlsCarrier::Quic,
            version: TlsVersion(0x7f1c),
            named: false,
            ciphers: &[],
            extensions: &[],
            signature_algorithms: &[0x0403],
            first_alpn: b"",
        };
        assert_eq!(fingerprint(&bare), "q00i000000_000000000000_000000000000");
        let many = vec![0x1301; 120];
        let many = Offer { ciphers: &many, ..chrome() };
        assert!(fingerprint(&many).starts_with("t13d9916h2_"));
    }

    #[test]
    fn alpn_letters_as_published() {
        let table: [(&[u8], [char; 2]); 8] = [
            (b"h2", ['h', '2']),
            (b"http/1.1", ['h', '1']),
            (b"x", ['x', 'x']),
            (b"\xab", ['a', 'b']),
            (b"\xab\xcd", ['a', 'd']),
            (b"\x30\xab", ['3', 'b']),
            (b"\x30\x31\xab\xcd", ['3', 'd']),
            (b"\x30\xab\xcd\x31", ['0', '1']),
        ];
        for (name, letters) in table {
            assert_eq!(alpn_letters(name), letters);
        }
    }
}
