//! Reassembly of fragmented IP packets (RFC 791 §3.2, RFC 8200 §4.5).
//!
//! Fragments enter; whole packets leave, and [conflicts](FragmentConflict): fragments that state
//! different bytes for the same place, which is how inspection is evaded. The first copy wins.
//! Kept are the pieces of at most [`DATAGRAMS_MAX`] packets and [`BYTES_MAX`] bytes, tables
//! included, each for at most 30 seconds of packet time; the oldest packet is given up first and
//! counted. A fragment costs O(log n) in the packets held plus its own length.
//! RFC 5722 would have receivers drop IPv6 packets with overlaps; that is not done here.

mod datagram;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use self::datagram::{Assembly, Head, Piece};
use super::Skip;
use super::ip::IpPacket;
use super::octets::Octets;
use crate::wire::{Duration, Frame, FrameId, Timestamp};

/// Which packet a fragment belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct FragmentKey {
    /// Source address.
    pub(super) src: IpAddr,
    /// Destination address.
    pub(super) dst: IpAddr,
    /// Identification, 16 bits in IPv4 and 32 in IPv6.
    pub(super) id: u32,
    /// The protocol in IPv4; in IPv6 that of the fragment header, since only the first counts.
    pub(super) protocol: u8,
}

/// A part of an IP packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    /// Which packet.
    pub(super) key: FragmentKey,
    /// Where in it, in bytes.
    pub(super) offset: u32,
    /// Other parts follow.
    pub(super) more: bool,
    /// Its header, and the part as the body.
    pub(super) packet: IpPacket<'a>,
}

/// Two fragments of one packet state different bytes for the same place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FragmentConflict {
    /// The frame whose bytes were kept.
    pub first_frame: FrameId,
    /// The frame that states others.
    pub later_frame: FrameId,
    /// When the later one was captured.
    pub time: Timestamp,
    /// Source of both.
    pub src: IpAddr,
    /// Destination of both.
    pub dst: IpAddr,
    /// Identification of the packet: 16 bits in IPv4, 32 in IPv6.
    pub id: u32,
    /// Offset of the first differing byte in the packet behind its IP header.
    pub offset: u32,
}

/// What became of fragmented packets, and what is held of them now.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FragmentStats {
    /// Packets put together.
    pub completed: u64,
    /// Packets given up because their other fragments did not come in time.
    pub timed_out: u64,
    /// Packets given up because too many others were waiting.
    pub evicted: u64,
    /// Conflicts that nobody took in time.
    pub conflicts_lost: u64,
    /// Packets waiting for fragments.
    pub held_packets: usize,
    /// Bytes kept for them, tables included.
    pub held_bytes: usize,
}

/// Packets in the making.
#[derive(Debug, Default)]
pub(super) struct Reassembler {
    assemblies: HashMap<FragmentKey, Assembly>,
    /// The same packets by the order of their first fragments.
    by_age: BTreeMap<u64, FragmentKey>,
    serial: u64,
    conflicts: Vec<FragmentConflict>,
    stats: FragmentStats,
}

impl Reassembler {
    /// Takes a fragment; returns what the packet carries once it is whole.
    pub(super) fn add(
        &mut self,
        frame: &Frame<'_>,
        fragment: &Fragment<'_>,
    ) -> Result<(Head, Vec<u8>), Skip> {
        let piece = fragment.piece(frame)?;
        self.expire(frame.time);
        let assembly = self.assemblies.entry(fragment.key).or_insert_with(|| {
            self.serial += 1;
            self.by_age.insert(self.serial, fragment.key);
            let fresh = Assembly::new(frame.time, self.serial);
            self.stats.held_bytes += fresh.held_bytes();
            fresh
        });
        let before = assembly.held_bytes();
        let added = assembly.add(&piece, fragment.head());
        self.stats.held_bytes += assembly.held_bytes() - before;
        let complete = assembly.is_complete();
        if let Ok(Some(disagreement)) = added {
            self.tell(frame, fragment, disagreement);
        }
        if complete {
            self.stats.completed += 1;
            let whole = self.remove(fragment.key).and_then(Assembly::into_whole);
            return whole.ok_or(Skip::IpFragmentPending);
        }
        self.evict();
        Err(added.err().unwrap_or(Skip::IpFragmentPending))
    }

    /// The conflicts since the last call.
    pub(super) fn take_conflicts(&mut self) -> Vec<FragmentConflict> {
        std::mem::take(&mut self.conflicts)
    }

    /// What became of fragmented packets.
    pub(super) fn stats(&self) -> FragmentStats {
        FragmentStats { held_packets: self.assemblies.len(), ..self.stats }
    }

    /// Gives up packets that began too long ago, or in a future from which the clock came back.
    fn expire(&mut self, now: Timestamp) {
        while let Some(key) = self.oldest() {
            let since = self.assemblies.get(&key).map_or(now, |assembly| assembly.since);
            if now.distance(since) <= TIMEOUT {
                break;
            }
            self.remove(key);
            self.stats.timed_out += 1;
        }
    }

    fn evict(&mut self) {
        while self.assemblies.len() > DATAGRAMS_MAX || self.stats.held_bytes > BYTES_MAX {
            let Some(key) = self.oldest() else { break };
            self.remove(key);
            self.stats.evicted += 1;
        }
    }

    fn oldest(&self) -> Option<FragmentKey> {
        self.by_age.first_key_value().map(|(_, key)| *key)
    }

    fn remove(&mut self, key: FragmentKey) -> Option<Assembly> {
        let assembly = self.assemblies.remove(&key)?;
        self.by_age.remove(&assembly.serial);
        self.stats.held_bytes -= assembly.held_bytes();
        Some(assembly)
    }

    fn tell(
        &mut self,
        frame: &Frame<'_>,
        fragment: &Fragment<'_>,
        disagreement: datagram::Disagreement,
    ) {
        if self.conflicts.len() >= CONFLICTS_MAX {
            self.stats.conflicts_lost += 1;
            return;
        }
        self.conflicts.push(FragmentConflict {
            first_frame: disagreement.first_frame,
            later_frame: frame.id,
            time: frame.time,
            src: fragment.key.src,
            dst: fragment.key.dst,
            id: fragment.key.id,
            offset: disagreement.offset,
        });
    }
}

impl<'a> Fragment<'a> {
    /// The stretch that it brings, unless it cannot be part of any packet.
    fn piece(&self, frame: &Frame<'_>) -> Result<Piece<'a>, Skip> {
        let body = self.packet.body;
        let piece =
            Piece { start: self.offset, bytes: body.bytes(), more: self.more, frame: frame.id };
        if body.bytes().len() < body.wire_len() as usize {
            return Err(Skip::IpFragmentTruncated);
        }
        // All but the last come in units of eight bytes (RFC 791 §3.2, RFC 8200 §4.5).
        let odd = self.more && !piece.bytes.len().is_multiple_of(8);
        if piece.bytes.is_empty() || odd || piece.end() > PACKET_MAX {
            return Err(Skip::BadIpFragment);
        }
        Ok(piece)
    }

    /// Its header, marked as that of a packet made from fragments.
    fn head(&self) -> Head {
        let mut header = self.packet.header;
        header.reassembled = true;
        Head {
            src: self.packet.src,
            dst: self.packet.dst,
            header,
            protocol: self.packet.protocol,
            body: Octets::new(&[], 0),
        }
    }
}

/// Packets in the making at any time.
pub const DATAGRAMS_MAX: usize = 4096;

/// Bytes kept for them, tables included.
pub const BYTES_MAX: usize = 16 << 20;

/// Conflicts kept until they are taken.
pub const CONFLICTS_MAX: usize = 256;

/// What 16 bits of length can state.
const PACKET_MAX: u32 = 65_535;

/// RFC 1122 §3.3.2 asks for 60 to 120 seconds; Linux takes 30, and RFC 8200 §4.5 takes 60.
const TIMEOUT: Duration = Duration::from_secs(30);
