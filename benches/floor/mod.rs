//! The floor: the least that any flow analyzer does. It walks a capture file in large reads,
//! decodes Ethernet, IP, TCP and UDP by hand, and updates one table of five-tuples. No analysis.
//!
//! Reads classic pcap of either unit in this machine's order with Ethernet frames: what the
//! workloads are. It is as tight as a C program of the same plan: no allocation but the table's,
//! no virtual call, one cache line a flow.

mod table;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use table::{Key, Packet, Table};

/// How flows are looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LookUp {
    /// Each when its packet is read.
    OneByOne,
    /// [`BATCH`] at a time, their slots prefetched when the key is known.
    Batched,
}

/// What a walk counts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    pub(crate) packets: u64,
    /// Of frames as captured.
    pub(crate) bytes: u64,
    pub(crate) tcp: u64,
    pub(crate) udp: u64,
    /// Neither, or cut short.
    pub(crate) other: u64,
    pub(crate) flows: u64,
    /// A digest of the table, so that nothing of it can be left out.
    pub(crate) digest: u64,
}

/// Walks the capture file.
pub(crate) fn walk(path: &Path, look_up: LookUp) -> io::Result<Counts> {
    let mut file = File::open(path)?;
    let mut head = [0; 24];
    file.read_exact(&mut head)?;
    let mut lane = Lane::default();
    let mut block = vec![0; BLOCK];
    let mut kept = 0;
    loop {
        let read = file.read(&mut block[kept..])?;
        if read == 0 {
            break;
        }
        let end = kept + read;
        let used = match look_up {
            LookUp::OneByOne => lane.records::<false>(&block[..end]),
            LookUp::Batched => lane.records::<true>(&block[..end]),
        };
        block.copy_within(used..end, 0);
        kept = end - used;
    }
    lane.settle();
    let (flows, digest) = lane.table.summary();
    Ok(Counts { flows, digest, ..lane.counts })
}

#[derive(Default)]
struct Lane {
    table: Table,
    counts: Counts,
    waiting: Vec<Packet>,
}

impl Lane {
    /// Reads whole records; tells how many bytes they were.
    fn records<const BATCHED: bool>(&mut self, block: &[u8]) -> usize {
        let mut rest = block;
        while let Some((head, after)) = rest.split_first_chunk::<16>() {
            let len = word(head, 8) as usize;
            let Some((frame, after)) = after.split_at_checked(len) else { break };
            rest = after;
            self.counts.packets += 1;
            self.counts.bytes += len as u64;
            let time = u64::from(word(head, 0)) << 32 | u64::from(word(head, 4));
            let Some((key, flags)) = decode(frame) else {
                self.counts.other += 1;
                continue;
            };
            if key.is_tcp() {
                self.counts.tcp += 1;
            } else {
                self.counts.udp += 1;
            }
            let packet = Packet { hash: key.hash(), key, time, len: len as u32, flags };
            if BATCHED {
                self.table.prefetch(packet.hash);
                self.waiting.push(packet);
                if self.waiting.len() == BATCH {
                    self.settle();
                }
            } else {
                self.table.update(&packet);
            }
        }
        block.len() - rest.len()
    }

    fn settle(&mut self) {
        for packet in &self.waiting {
            self.table.update(packet);
        }
        self.waiting.clear();
    }
}

/// The key of a TCP or UDP packet, and its TCP flags.
#[inline]
fn decode(frame: &[u8]) -> Option<(Key, u8)> {
    let (ethernet, ip) = frame.split_first_chunk::<14>()?;
    match [ethernet[12], ethernet[13]] {
        [0x08, 0x00] => {
            let header = ip.first_chunk::<20>()?;
            if header[0] >> 4 != 4 || (header[6] & 0x1f) | header[7] != 0 {
                return None;
            }
            let transport = ip.get(usize::from(header[0] & 15) * 4..)?;
            let (ports, flags) = transport_of(transport, header[9])?;
            Some((Key::v4(header, ports), flags))
        }
        [0x86, 0xdd] => {
            let (header, transport) = ip.split_first_chunk::<40>()?;
            if header[0] >> 4 != 6 {
                return None;
            }
            let (ports, flags) = transport_of(transport, header[6])?;
            Some((Key::v6(header, ports), flags))
        }
        _ => None,
    }
}

/// Source and destination port, as they are on the wire, and the protocol; flags.
#[inline]
fn transport_of(transport: &[u8], protocol: u8) -> Option<((u16, u16, u8), u8)> {
    let flags = match protocol {
        6 => transport.first_chunk::<20>()?[13],
        17 => 0,
        _ => return None,
    };
    let ports = transport.first_chunk::<8>()?;
    let [source, destination] =
        [u16::from_be_bytes([ports[0], ports[1]]), u16::from_be_bytes([ports[2], ports[3]])];
    Some(((source, destination, protocol), flags))
}

#[inline]
fn word(bytes: &[u8; 16], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Of a read: within the second or third level of caches.
const BLOCK: usize = 1 << 20;
const BATCH: usize = 32;
