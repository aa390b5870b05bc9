//! One TCP connection of any segments: what a file of random bytes hardly ever is.
//!
//! Each segment: what it is (1), its flags (1), distance of its sequence number from the next one
//! due (2), of its acknowledgment from what the other side sent (2), TTL, identification, time
//! since the last one (a power of two nanoseconds), payload length (2, below 4,096), payload. The headers
//! around it are well-formed and their checksums right, so that every input reaches the analysis.

use tamperscope::wire::{TcpFlags, transport_checksum};

use super::analyze;
use super::head::Head;

/// The client, 192.0.2.1:49152.
pub const CLIENT: ([u8; 4], u16) = ([192, 0, 2, 1], 49_152);
/// The server, 198.51.100.1:80.
pub const SERVER: ([u8; 4], u16) = ([198, 51, 100, 1], 80);
/// In the first byte of a segment: it comes from the server.
pub const FROM_SERVER: u8 = 1;
/// In the first byte of a segment: it carries timestamps.
pub const TIMESTAMPS: u8 = 2;
/// In the first byte of a segment: its distances count 65,536-fold.
pub const FAR: u8 = 4;

/// The analysis holds what it promises.
pub fn check(bytes: &[u8]) {
    analyze::judge(&pcap(bytes));
}

/// The connection as a capture file.
pub fn pcap(bytes: &[u8]) -> Vec<u8> {
    let (mut head, mut script) = (Head(bytes), Script::default());
    while !head.is_empty() {
        script.segment(&mut head);
    }
    script.pcap
}

struct Script {
    pcap: Vec<u8>,
    time_ns: u64,
    /// The next sequence number due of client and server.
    next: [u32; 2],
}

impl Default for Script {
    fn default() -> Self {
        // Classic pcap, nanoseconds, raw IP (pcap-savefile(5)); sequence numbers that will wrap.
        let words = [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65_535, 101];
        let pcap = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self { pcap, time_ns: 1_435_000_000 << 30, next: [u32::MAX - 1000, 7] }
    }
}

impl Script {
    fn segment(&mut self, head: &mut Head<'_>) {
        let (what, flags) = (head.u8(), head.u8());
        let (seq_distance, ack_distance) = (head.u16() as i16, head.u16() as i16);
        let (ttl, identification, wait, len) = (head.u8(), head.u8(), head.u8(), head.u16() % 4096);
        let payload = head.bytes(usize::from(len));
        let from = usize::from(what & FROM_SERVER);
        let far = if what & FAR == 0 { 1 } else { 1 << 16 };
        let away = |distance: i16| (i32::from(distance) * far) as u32;
        let seq = self.next[from].wrapping_add(away(seq_distance));
        let ack = self.next[1 - from].wrapping_add(away(ack_distance));
        let flags = TcpFlags(u16::from(flags));
        let phantom = u32::from(flags.intersects(TcpFlags::SYN.union(TcpFlags::FIN)));
        if seq_distance == 0 && !flags.contains(TcpFlags::RST) {
            self.next[from] = seq.wrapping_add(payload.len() as u32 + phantom);
        }
        self.time_ns += 1 << (wait % 40);
        let options = if what & TIMESTAMPS == 0 { Vec::new() } else { self.timestamps() };
        let tcp = tcp([seq, ack], flags, &options, payload);
        let (src, dst) = if from == 0 { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        self.packet(&ip(ttl, identification, [src, dst], tcp));
    }

    fn timestamps(&self) -> Vec<u8> {
        let millis = (self.time_ns / 1_000_000) as u32;
        [&[1, 1, 8, 10][..], &millis.to_be_bytes(), &millis.to_be_bytes()].concat()
    }

    fn packet(&mut self, bytes: &[u8]) {
        let (seconds, nanos) = (self.time_ns / 1_000_000_000, self.time_ns % 1_000_000_000);
        let len = bytes.len() as u32;
        for word in [seconds as u32, nanos as u32, len, len] {
            self.pcap.extend(word.to_le_bytes());
        }
        self.pcap.extend(bytes);
    }
}

/// A segment whose ports and checksum are still to come.
fn tcp([seq, ack]: [u32; 2], flags: TcpFlags, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let words = 5 + options.len() / 4;
    let mut segment = vec![0; 4];
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([(words << 4) as u8, flags.0 as u8, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(options);
    segment.extend(payload);
    segment
}

fn ip(ttl: u8, identification: u8, ends: [([u8; 4], u16); 2], mut tcp: Vec<u8>) -> Vec<u8> {
    let [(src, src_port), (dst, dst_port)] = ends;
    tcp[..2].copy_from_slice(&src_port.to_be_bytes());
    tcp[2..4].copy_from_slice(&dst_port.to_be_bytes());
    let sum = transport_checksum(src.into(), dst.into(), 6, &tcp);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let [high, low] = (tcp.len() as u16 + 20).to_be_bytes();
    let mut packet = vec![0x45, 0, high, low, 0, identification, 0x40, 0, ttl, 6, 0, 0];
    packet.extend(src);
    packet.extend(dst);
    packet.extend(tcp);
    packet
}
