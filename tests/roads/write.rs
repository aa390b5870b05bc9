//! Frames as capture files.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tamperscope::capture::Input;

use crate::stories::Shot;

/// Classic pcap of nanoseconds (pcap-savefile(5)).
pub(crate) fn pcap(shots: &[Shot]) -> Vec<u8> {
    classic(shots, 0xa1b2_3c4d, 1, u32::to_le_bytes)
}

/// The same, written by a machine of the other byte order.
pub(crate) fn pcap_big_endian(shots: &[Shot]) -> Vec<u8> {
    classic(shots, 0xa1b2_3c4d, 1, u32::to_be_bytes)
}

/// Classic pcap of microseconds: what lies between them is lost.
pub(crate) fn pcap_micros(shots: &[Shot]) -> Vec<u8> {
    classic(shots, 0xa1b2_c3d4, 1000, u32::to_le_bytes)
}

fn classic(shots: &[Shot], magic: u32, unit_ns: i64, word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let link = u32::from(link_of(shots));
    let versions = if word(1) == 1_u32.to_be_bytes() { 0x0002_0004 } else { 0x0004_0002 };
    let mut file: Vec<u8> =
        [magic, versions, 0, 0, 1 << 18, link].into_iter().flat_map(word).collect();
    for shot in shots {
        let (seconds, rest) = (shot.time_ns / 1_000_000_000, shot.time_ns % 1_000_000_000);
        let head = [seconds as u32, (rest / unit_ns) as u32, shot.bytes.len() as u32];
        file.extend(head.into_iter().chain([shot.original_len]).flat_map(word));
        file.extend(&shot.bytes);
    }
    file
}

/// pcapng with one interface that counts nanoseconds.
pub(crate) fn pcapng(shots: &[Shot]) -> Vec<u8> {
    let mut file = Vec::new();
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    block(&mut file, 0x0a0d_0d0a, &section);
    let resolution = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let link = u32::from(link_of(shots)).to_le_bytes();
    block(&mut file, 1, &[&link[..], &[0; 4], &resolution].concat());
    for shot in shots {
        let (high, low) = ((shot.time_ns >> 32) as u32, shot.time_ns as u32);
        let head = [0, high, low, shot.bytes.len() as u32, shot.original_len];
        let head: Vec<u8> = head.into_iter().flat_map(u32::to_le_bytes).collect();
        let padding = vec![0; shot.bytes.len().next_multiple_of(4) - shot.bytes.len()];
        block(&mut file, 6, &[&head[..], &shot.bytes, &padding].concat());
    }
    file
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let len = (body.len() as u32 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(len);
    file.extend(body);
    file.extend(len);
}

pub(crate) fn gzip(file: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(file).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn zstd(file: &[u8]) -> Vec<u8> {
    zstd::encode_all(file, 1).expect("memory")
}

/// A file in memory.
pub(crate) fn input(name: &str, file: Vec<u8>) -> Input {
    Input::Bytes { name: name.to_owned(), bytes: Arc::from(file) }
}

fn link_of(shots: &[Shot]) -> u16 {
    let link = shots.first().map_or(1, |shot| shot.link);
    assert!(shots.iter().all(|shot| shot.link == link), "classic pcap has one link type");
    link
}
