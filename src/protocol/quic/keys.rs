//! The keys of Initials, which everybody can derive who sees the first one (RFC 9001 §5).
//!
//! Nothing here is secret and nothing is kept secret: an Initial is sealed against alteration by
//! accident, and against boxes in the path that know only another version.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::Aes128Enc;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, consts::U12};
use aes_gcm::{AesGcm, Tag};
use hkdf::Hkdf;
use sha2::Sha256;

use super::QuicSender;
use super::packet::{ConnectionId, Packet};
use super::version::{Labels, Protection, RetryKey};

/// What opens the Initials of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct InitialKeys {
    key: [u8; 16],
    iv: [u8; 12],
    header: [u8; 16],
}

/// An opened packet.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Opened {
    pub(super) number: u64,
    /// Its frames.
    pub(super) payload: Vec<u8>,
}

impl InitialKeys {
    /// The keys of what `sender` sends in a connection that the client began by an Initial to
    /// `destination` (RFC 9001 §5.2). Only keys that are too long could not be derived.
    pub(super) fn derive(
        protection: &Protection,
        destination: &ConnectionId,
        sender: QuicSender,
    ) -> Option<Self> {
        let initial = Hkdf::<Sha256>::new(Some(&protection.salt), destination.as_bytes());
        let label: &[u8] = match sender {
            QuicSender::Client => b"client in",
            QuicSender::Server => b"server in",
        };
        let secret: [u8; 32] = expand(&initial, label)?;
        let Labels { key, iv, header } = &protection.labels;
        let secret = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        Some(Self {
            key: expand(&secret, key)?,
            iv: expand(&secret, iv)?,
            header: expand(&secret, header)?,
        })
    }

    /// Takes the header's protection off (RFC 9001 §5.4) and opens the packet (§5.3); `None` where
    /// it was not sealed with these keys. `largest` is the greatest packet number so far.
    ///
    /// ```text
    /// first byte | ... | packet number 1..=4 | payload           | tag 16
    ///      ^ 4 bits      ^ masked              ^ 4 bytes from the start of the number: 16 of sample
    /// ```
    pub(super) fn open(&self, packet: &Packet<'_>, largest: Option<u64>) -> Option<Opened> {
        let (header, rest) = packet.bytes.split_at_checked(packet.number_at)?;
        let sample = rest.get(4..20)?;
        let mask = self.mask(sample.try_into().ok()?);
        let (first_mask, masks) = mask.split_first()?;
        let (first, middle) = header.split_first()?;
        let first = first ^ first_mask & 0x0f;
        let number_len = usize::from(first & 3) + 1;
        let (masked, sealed) = rest.split_at_checked(number_len)?;
        let (payload, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
        let number = masked.iter().zip(masks).map(|(byte, mask)| byte ^ mask);
        let mut clear = Vec::with_capacity(header.len() + number_len);
        clear.push(first);
        clear.extend_from_slice(middle);
        clear.extend(number.clone());
        let truncated = number.fold(0, |number, byte| number << 8 | u64::from(byte));
        let number = whole_number(truncated, number_len, largest);
        let mut payload = payload.to_vec();
        let nonce = self.nonce(number);
        AesGcm::<Aes128Enc, U12>::new(&self.key.into())
            .decrypt_inout_detached(
                &nonce.into(),
                &clear,
                payload.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .ok()?;
        Some(Opened { number, payload })
    }

    /// Of which the first five bytes count (RFC 9001 §5.4.1).
    fn mask(&self, sample: [u8; 16]) -> [u8; 16] {
        let mut block = sample.into();
        Aes128Enc::new(&self.header.into()).encrypt_block(&mut block);
        block.into()
    }

    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, number) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }
}

/// Whether a Retry answers an Initial to `original` (RFC 9001 §5.8): it is sealed, by published
/// keys, together with that connection ID, which only who saw the Initial knows.
pub(super) fn is_retry_of(packet: &Packet<'_>, original: &ConnectionId) -> bool {
    let Some(RetryKey { key, nonce }) =
        packet.version.protections().first().and_then(|protection| protection.retry.as_ref())
    else {
        return false;
    };
    let Some((retry, tag)) = packet.bytes.split_last_chunk::<TAG_LEN>() else { return false };
    let id = original.as_bytes();
    let sealed = [&[id.len() as u8], id, retry].concat();
    AesGcm::<Aes128Enc, U12>::new(&(*key).into())
        .decrypt_inout_detached(
            &(*nonce).into(),
            &sealed,
            [].as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .is_ok()
}

/// HKDF-Expand-Label (RFC 8446 §7.1) without context.
///
/// ```text
/// length 2 | 1+"tls13 " and label | 1+context
/// ```
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &[u8]) -> Option<[u8; N]> {
    let mut output = [0; N];
    let (length, label_len) = ((N as u16).to_be_bytes(), [6 + label.len() as u8]);
    secret.expand_multi_info(&[&length, &label_len, b"tls13 ", label, &[0]], &mut output).ok()?;
    Some(output)
}

/// The packet number whose last `len` bytes are `truncated`, nearest to the one after `largest`
/// (RFC 9000 §A.3).
fn whole_number(truncated: u64, len: usize, largest: Option<u64>) -> u64 {
    let window = 1_u64 << (8 * len.min(4));
    let expected = largest.map_or(0, |largest| largest + 1);
    let candidate = expected & !(window - 1) | truncated;
    if candidate + window / 2 <= expected && candidate + window <= NUMBER_MAX {
        candidate + window
    } else if candidate > expected + window / 2 && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

/// RFC 9000 §12.3.
const NUMBER_MAX: u64 = (1 << 62) - 1;

const TAG_LEN: usize = 16;

#[cfg(test)]
pub(super) mod seal {
    //! The sender's side, for tests.

    use super::*;

    impl InitialKeys {
        /// Seals `frames` behind `header`, which ends with a packet number of `number_len` bytes
        /// (the length is in its first byte already), and protects the header.
        pub(in super::super) fn seal(&self, header: &[u8], number: u64, frames: &[u8]) -> Vec<u8> {
            let number_len = usize::from(header[0] & 3) + 1;
            let mut sealed = frames.to_vec();
            let tag = AesGcm::<Aes128Enc, U12>::new(&self.key.into())
                .encrypt_inout_detached(
                    &self.nonce(number).into(),
                    header,
                    sealed.as_mut_slice().into(),
                )
                .expect("short enough");
            let mut packet = [header, &sealed, &tag].concat();
            let number_at = header.len() - number_len;
            let sample = packet[number_at + 4..][..16].try_into().expect("sixteen");
            let mask = self.mask(sample);
            packet[0] ^= mask[0] & 0x0f;
            for (byte, mask) in packet[number_at..][..number_len].iter_mut().zip(&mask[1..]) {
                *byte ^= mask;
            }
            packet
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::quic::QuicVersion;

    #[test]
    fn numbers_are_completed() {
        // The first row is the example of RFC 9000 §A.3.
        let table = [
            (0x9b32, 2, Some(0xa82f_30ea), 0xa82f_9b32),
            (0, 1, None, 0),
            (255, 1, None, 255),
            (0xffff_ffff, 4, None, 0xffff_ffff),
            (3, 1, Some(250), 259),
            (250, 1, Some(256), 250),
            (5, 1, Some(NUMBER_MAX - 1), NUMBER_MAX - 250),
        ];
        for (truncated, len, largest, whole) in table {
            assert_eq!(whole_number(truncated, len, largest), whole);
        }
    }

    #[test]
    fn the_keys_of_the_standard() {
        // RFC 9001 §A.1.
        let original = ConnectionId::new(b"\x83\x94\xc8\xf0\x3e\x51\x57\x08").expect("short");
        let protection = &QuicVersion::V1.protections()[0];
        let derive = |from| InitialKeys::derive(protection, &original, from).expect("short");
        let client = InitialKeys {
            key: *b"\x1f\x36\x96\x13\xdd\x76\xd5\x46\x77\x30\xef\xcb\xe3\xb1\xa2\x2d",
            iv: *b"\xfa\x04\x4b\x2f\x42\xa3\xfd\x3b\x46\xfb\x25\x5c",
            header: *b"\x9f\x50\x44\x9e\x04\xa0\xe8\x10\x28\x3a\x1e\x99\x33\xad\xed\xd2",
        };
        let server = InitialKeys {
            key: *b"\xcf\x3a\x53\x31\x65\x3c\x36\x4c\x88\xf0\xf3\x79\xb6\x06\x7e\x37",
            iv: *b"\x0a\xc1\x49\x3c\xa1\x90\x58\x53\xb0\xbb\xa0\x3e",
            header: *b"\xc2\x06\xb8\xd9\xb9\xf0\xf3\x76\x44\x43\x0b\x49\x0e\xea\xa3\x14",
        };
        assert_eq!((derive(QuicSender::Client), derive(QuicSender::Server)), (client, server));
    }
}
