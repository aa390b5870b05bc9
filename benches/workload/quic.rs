//! Initials of QUIC version 1, sealed with the keys that everybody can derive (RFC 9001 §5).

use aes_gcm::AesGcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::Aes128Enc;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, consts::U12};
use hkdf::Hkdf;
use sha2::Sha256;

use super::rng::Rng;
use super::tls::{self, Offer};

/// The connection IDs that the client chose for the server, and the server for itself.
pub(crate) struct Ids {
    pub(crate) first: [u8; 8],
    pub(crate) server: [u8; 8],
}

/// The client's first datagram, 1,200 bytes (RFC 9000 §14.1).
pub(crate) fn client_initial(rng: &mut Rng, host: &str, ids: &Ids) -> Vec<u8> {
    let mut parameters = Vec::new();
    // max_idle_timeout, initial_max_data, no initial_source_connection_id: the client has none.
    let body = [1, 4, 0x80, 0, 0x75, 0x30, 4, 4, 0x80, 0x10, 0, 0, 15, 0];
    tls::extension(&mut parameters, 57, &body);
    let hello = tls::client_message(rng, host, (Offer::Classic, b"\x02h3", &parameters));
    let mut header = vec![0xc3, 0, 0, 0, 1, 8];
    header.extend(ids.first);
    header.extend([0, 0]);
    initial(&header, &hello, (&ids.first, b"client in"))
}

/// The server's first datagram: an Initial that holds its hello.
pub(crate) fn server_initial(rng: &mut Rng, ids: &Ids) -> Vec<u8> {
    let record = tls::server_hello(rng);
    let hello = &record[5..record.len() - tls::CHANGE_CIPHER_SPEC.len()];
    let mut header = vec![0xc3, 0, 0, 0, 1, 0, 8];
    header.extend(ids.server);
    header.push(0);
    initial(&header, hello, (&ids.first, b"server in"))
}

/// Seals `crypto` into a packet of 1,200 bytes. `header` goes as far as the token.
fn initial(header: &[u8], crypto: &[u8], (first, label): (&[u8; 8], &[u8])) -> Vec<u8> {
    let mut header = header.to_vec();
    let sealed_len = DATAGRAM - header.len() - 2 - NUMBER;
    header.extend((0x4000 | (sealed_len + NUMBER) as u16).to_be_bytes());
    header.extend([0; NUMBER]);
    let mut frames = vec![6, 0];
    frames.extend((0x4000 | crypto.len() as u16).to_be_bytes());
    frames.extend(crypto);
    frames.resize(sealed_len - TAG, 0);
    let initial = Hkdf::<Sha256>::new(Some(&SALT), first);
    let secret: [u8; 32] = expand(&initial, label);
    let secret = Hkdf::<Sha256>::from_prk(&secret).expect("32 bytes");
    let (key, iv): ([u8; 16], [u8; 12]) =
        (expand(&secret, b"quic key"), expand(&secret, b"quic iv"));
    let protection: [u8; 16] = expand(&secret, b"quic hp");
    // The packet's number is zero, so the nonce is the vector itself.
    let tag = AesGcm::<Aes128Enc, U12>::new(&key.into())
        .encrypt_inout_detached(&iv.into(), &header, frames.as_mut_slice().into())
        .expect("short enough");
    let mut packet = [&header[..], &frames, &tag].concat();
    let number_at = header.len() - NUMBER;
    let sample: [u8; 16] = packet[number_at + 4..number_at + 20].try_into().expect("sixteen");
    let mut mask = sample.into();
    Aes128Enc::new(&protection.into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    for (byte, mask) in packet[number_at..].iter_mut().zip(&mask[1..=NUMBER]) {
        *byte ^= mask;
    }
    packet
}

/// HKDF-Expand-Label (RFC 8446 §7.1) without context.
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &[u8]) -> [u8; N] {
    let mut output = [0; N];
    let (length, label_len) = ((N as u16).to_be_bytes(), [6 + label.len() as u8]);
    secret
        .expand_multi_info(&[&length, &label_len, b"tls13 ", label, &[0]], &mut output)
        .expect("a short output");
    output
}

const DATAGRAM: usize = 1200;
const NUMBER: usize = 4;
const TAG: usize = 16;
/// RFC 9001 §5.2.
const SALT: [u8; 20] =
    *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
