"""The name in a QUIC version 1 Initial (RFC 9000 17.2.2, RFC 9001 5.2), for the middlebox.

Needs `cryptography`, which comes with aioquic. Whole hellos in one datagram alone, as the cheaper
devices in the field.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.hmac import HMAC

from triggers import client_hello_name

SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")


def expand(secret, label, length):
    """HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1)."""
    full = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)


def variable(data, at):
    """(value, next place) of a variable-length integer (RFC 9000 16)."""
    size = 1 << (data[at] >> 6)
    value = int.from_bytes(data[at:at + size], "big") & ((1 << (8 * size - 2)) - 1)
    return value, at + size


def initial_name(payload):
    """The server name of a client's Initial, or None."""
    try:
        return crypto_name(decrypt(payload))
    except (IndexError, ValueError, InvalidTag):
        return None  # later Initials have another connection id, and the first one's keys


def decrypt(payload):
    """The frames of a client's first packet."""
    if payload[0] & 0xF0 != 0xC0 or payload[1:5] != b"\0\0\0\1":
        raise ValueError("no Initial of version 1")
    at = 6 + payload[5]
    connection = payload[6:at]
    at += 1 + payload[at]
    length, at = variable(payload, at)
    at += length
    length, at = variable(payload, at)
    extract = HMAC(SALT, hashes.SHA256())
    extract.update(connection)
    secret = expand(extract.finalize(), b"client in", 32)
    key, iv, mask_key = (expand(secret, label, size) for label, size in (
        (b"quic key", 16), (b"quic iv", 12), (b"quic hp", 16)))
    sample = payload[at + 4:at + 20]
    mask = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor().update(sample)
    first = payload[0] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(payload[at:at + size], mask[1:]))
    header = bytes([first]) + payload[1:at] + number
    nonce = (int.from_bytes(iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    return AESGCM(key).decrypt(nonce, payload[at + size:at + length], header)


def crypto_name(frames):
    """The name in the CRYPTO frames, joined in order."""
    at, pieces = 0, {}
    while at < len(frames):
        kind, at = variable(frames, at)
        if kind != 6:
            continue  # PADDING and PING have no content; a client's first packet has no other
        offset, at = variable(frames, at)
        length, at = variable(frames, at)
        pieces[offset] = frames[at:at + length]
        at += length
    hello = b"".join(pieces[offset] for offset in sorted(pieces))
    return client_hello_name(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
