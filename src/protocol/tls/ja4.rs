//! JA4, the fingerprint of a TLS client over TCP or QUIC.
//!
//! The form and its rules are those that `FoxIO` published (technical details of JA4, BSD 3-clause):
//! two clients of one build have one fingerprint whatever name they ask for and however they
//! shuffle their extensions. Our own code; the vectors in the tests are the published ones.

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

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
    let mut told = String::with_capacity(LENGTH);
    told.push(match offer.carrier {
        TlsCarrier::Tcp => 't',
        TlsCarrier::Quic => 'q',
    });
    told.push_str(version_letters(offer.version));
    told.push(if offer.named { 'd' } else { 'i' });
    push_count(&mut told, offer.ciphers.len());
    push_count(&mut told, offer.extensions.len());
    told.extend(alpn_letters(offer.first_alpn));
    let mut numbers: SmallVec<[u16; 64]> = SmallVec::from_slice(offer.ciphers);
    numbers.sort_unstable();
    let mut text = SmallVec::new();
    push_list(&mut text, &numbers);
    push_digest(&mut told, &text);
    // The first part tells of name and protocol already.
    let told_already = |kind: &&u16| matches!(**kind, number::SERVER_NAME | number::ALPN);
    numbers.clear();
    numbers.extend(offer.extensions.iter().filter(|kind| !told_already(kind)).copied());
    numbers.sort_unstable();
    text.clear();
    push_list(&mut text, &numbers);
    if !text.is_empty() && !offer.signature_algorithms.is_empty() {
        text.push(b'_');
        push_list(&mut text, offer.signature_algorithms);
    }
    push_digest(&mut told, &text);
    told
}

/// What lists are written into; those of browsers fit.
type Text = SmallVec<[u8; 256]>;

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

/// Two digits, of at most 99.
fn push_count(told: &mut String, count: usize) {
    let count = count.min(99) as u8;
    told.extend([count / 10, count % 10].map(|digit| char::from(b'0' + digit)));
}

/// As `1301,1302`.
fn push_list(text: &mut Text, numbers: &[u16]) {
    let digit = |number: u16, shift: u32| {
        let nibble = (number >> shift & 15) as u8;
        if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }
    };
    for (place, number) in numbers.iter().enumerate() {
        let digits = [12, 8, 4, 0].map(|shift| digit(*number, shift));
        if place > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&digits);
    }
}

/// The first twelve digits of the digest; zeros for nothing.
fn push_digest(told: &mut String, text: &[u8]) {
    told.push('_');
    if text.is_empty() {
        told.push_str("000000000000");
    } else {
        push_hex(told, Sha256::digest(text).get(..6).unwrap_or_default());
    }
}

/// Ten letters, and twice an underscore and twelve digits.
const LENGTH: usize = 36;

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
