//! Queries and answers (RFC 1035 §4).

use std::net::IpAddr;

/// A query for the address of `host`.
pub(crate) fn query(id: u16, host: &str, v6: bool) -> Vec<u8> {
    let mut query = Vec::with_capacity(32 + host.len());
    query.extend(id.to_be_bytes());
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in host.split('.') {
        query.push(label.len() as u8);
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, if v6 { 28 } else { 1 }, 0, 1]);
    query
}

/// An answer to `query` with one address.
pub(crate) fn answer(query: &[u8], address: IpAddr, ttl_s: u32) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
    let (kind, bytes) = match address {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (28, v6.octets().to_vec()),
    };
    answer.extend([0xc0, 12, 0, kind, 0, 1]);
    answer.extend(ttl_s.to_be_bytes());
    answer.extend((bytes.len() as u16).to_be_bytes());
    answer.extend(bytes);
    answer
}
