//! Handshakes of TLS 1.3 as a browser and a server have them (RFC 8446 §4).

use super::rng::Rng;

/// A hello's size, by what it offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offer {
    /// The least that a scanner sends.
    Bare,
    /// A browser's, padded to 512 bytes (RFC 7685).
    Classic,
    /// A browser's with a post-quantum share: longer than a segment.
    Hybrid,
}

/// A ClientHello for `host`, in its record.
pub(crate) fn client_hello(rng: &mut Rng, host: &str, offer: Offer) -> Vec<u8> {
    let mut hello = vec![22, 3, 1, 0, 0];
    hello.extend(client_message(rng, host, (offer, b"\x02h2\x08http/1.1", &[])));
    set_length(&mut hello, 3, 2);
    hello
}

/// The handshake message without a record, as QUIC carries it: with its ALPN and more extensions.
pub(crate) fn client_message(
    rng: &mut Rng,
    host: &str,
    (offer, alpn, more): (Offer, &[u8], &[u8]),
) -> Vec<u8> {
    let mut hello = vec![1, 0, 0, 0, 3, 3];
    hello.extend(rng.bytes::<32>());
    hello.push(32);
    hello.extend(rng.bytes::<32>());
    let suites = if offer == Offer::Bare { &SUITES[..6] } else { SUITES };
    hello.extend((suites.len() as u16).to_be_bytes());
    hello.extend(suites);
    hello.extend([1, 0]);
    let at = hello.len();
    hello.extend([0, 0]);
    let name = host.as_bytes();
    let list = [&(name.len() as u16 + 3).to_be_bytes()[..], &[0]].concat();
    extension(&mut hello, 0, &[&list, &(name.len() as u16).to_be_bytes()[..], name].concat());
    extension(&mut hello, 10, &[0, 8, 0x11, 0xec, 0, 29, 0, 23, 0, 24]);
    extension(&mut hello, 13, &[0, 8, 4, 3, 8, 4, 4, 1, 8, 5]);
    extension(&mut hello, 43, &[4, 3, 4, 3, 3]);
    extension(&mut hello, 51, &shares(rng, offer));
    if offer != Offer::Bare {
        extension(&mut hello, 23, &[]);
        extension(&mut hello, 0xff01, &[0]);
        extension(&mut hello, 11, &[1, 0]);
        extension(&mut hello, 35, &[]);
        extension(&mut hello, 16, &[&(alpn.len() as u16).to_be_bytes()[..], alpn].concat());
        extension(&mut hello, 5, &[1, 0, 0, 0, 0]);
        extension(&mut hello, 18, &[]);
        extension(&mut hello, 45, &[1, 1]);
    }
    hello.extend(more);
    if offer == Offer::Classic && more.is_empty() {
        let padding = 508_usize.saturating_sub(hello.len());
        extension(&mut hello, 21, &vec![0; padding]);
    }
    set_length(&mut hello, at, 2);
    set_length(&mut hello, 1, 3);
    hello
}

fn shares(rng: &mut Rng, offer: Offer) -> Vec<u8> {
    let mut shares = vec![0, 0];
    if offer == Offer::Hybrid {
        shares.extend([0x11, 0xec, 4, 0xc0]);
        shares.extend(rng.bytes::<1216>());
    }
    shares.extend([0, 29, 0, 32]);
    shares.extend(rng.bytes::<32>());
    set_length(&mut shares, 0, 2);
    shares
}

/// A ServerHello and the change of ciphers that follows it for old boxes' sake (RFC 8446 §D.4).
pub(crate) fn server_hello(rng: &mut Rng) -> Vec<u8> {
    let mut hello = vec![22, 3, 3, 0, 0, 2, 0, 0, 0, 3, 3];
    hello.extend(rng.bytes::<32>());
    hello.push(32);
    hello.extend(rng.bytes::<32>());
    hello.extend([0x13, 1, 0, 0, 46]);
    extension(&mut hello, 43, &[3, 4]);
    let mut share = vec![0, 29, 0, 32];
    share.extend(rng.bytes::<32>());
    extension(&mut hello, 51, &share);
    set_length(&mut hello, 6, 3);
    set_length(&mut hello, 3, 2);
    hello.extend(CHANGE_CIPHER_SPEC);
    hello
}

/// Of the client, after the server's first flight.
pub(crate) const CHANGE_CIPHER_SPEC: [u8; 6] = [20, 3, 3, 0, 1, 1];

/// One extension: type, length, body.
pub(crate) fn extension(hello: &mut Vec<u8>, kind: u16, body: &[u8]) {
    hello.extend(kind.to_be_bytes());
    hello.extend((body.len() as u16).to_be_bytes());
    hello.extend(body);
}

/// States at `at`, in `width` bytes, how much comes after it.
pub(crate) fn set_length(bytes: &mut [u8], at: usize, width: usize) {
    let len = (bytes.len() - at - width) as u32;
    bytes[at..at + width].copy_from_slice(&len.to_be_bytes()[4 - width..]);
}

const SUITES: &[u8] = &[
    0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc,
    0xa8, 0xc0, 0x13, 0xc0, 0x14, 0, 0x9c, 0, 0x9d, 0, 0x2f, 0, 0x35,
];
