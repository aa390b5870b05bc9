//! The fragments of one IP packet: which of its bytes came, in which frame, and from whom first.

use crate::decode::Skip;
use crate::decode::ip::IpPacket;
use crate::wire::{FrameId, Timestamp};

/// One IP packet in the making.
///
/// Invariant: the runs are sorted, do not touch each other's bytes, and each names where in
/// `bytes` its bytes stand. Bytes are only ever appended; the first copy of a byte stays.
#[derive(Debug)]
pub(super) struct Assembly {
    /// When its first fragment came.
    pub(super) since: Timestamp,
    /// Its place in the order of arrival.
    pub(super) serial: u64,
    head: Option<Head>,
    bytes: Vec<u8>,
    runs: Vec<Run>,
    len: Option<u32>,
}

/// A stretch of the packet that one frame brought.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    end: u32,
    at: u32,
    frame: FrameId,
}

/// What the fragment with offset 0 says of the whole packet.
pub(super) type Head = IpPacket<'static>;

/// A stretch of a packet as one fragment states it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// Offset in the packet.
    pub(super) start: u32,
    /// The bytes from there on.
    pub(super) bytes: &'a [u8],
    /// Other fragments follow.
    pub(super) more: bool,
    /// The frame that brought it.
    pub(super) frame: FrameId,
}

/// Two frames state different bytes for the same place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Disagreement {
    /// Whose bytes came first and stay.
    pub(super) first_frame: FrameId,
    /// Offset of the first byte that differs.
    pub(super) offset: u32,
}

impl Assembly {
    /// An empty packet whose first fragment comes at `since`.
    pub(super) const fn new(since: Timestamp, serial: u64) -> Self {
        Self { since, serial, head: None, bytes: Vec::new(), runs: Vec::new(), len: None }
    }

    /// What it keeps in memory, with what the tables around it need for it.
    pub(super) fn held_bytes(&self) -> usize {
        OVERHEAD + self.bytes.capacity() + self.runs.capacity() * size_of::<Run>()
    }

    /// Takes a piece; tells of the first place where it disagrees with an earlier one.
    ///
    /// The work is proportional to the piece's length, plus a move of at most [`RUNS_MAX`] runs
    /// for each gap that it fills.
    pub(super) fn add(
        &mut self,
        piece: &Piece<'_>,
        head: Head,
    ) -> Result<Option<Disagreement>, Skip> {
        self.settle_len(piece)?;
        let end = piece.end();
        let mut disagreement = None;
        let mut cursor = piece.start;
        let mut place = self.runs.partition_point(|run| run.end <= cursor);
        while cursor < end {
            match self.runs.get(place).copied() {
                Some(run) if run.start <= cursor => {
                    let until = run.end.min(end);
                    disagreement = disagreement.or_else(|| self.compare(run, cursor, until, piece));
                    cursor = run.end;
                }
                behind => {
                    let until = behind.map_or(end, |run| run.start.min(end));
                    self.fill(place, cursor, until, piece)?;
                    cursor = until;
                }
            }
            place += 1;
        }
        if piece.start == 0 {
            self.head.get_or_insert(head);
        }
        Ok(disagreement)
    }

    /// Whether nothing of the packet is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.head.is_some() && self.len.is_some_and(|len| self.bytes.len() == len as usize)
    }

    /// What the first fragment said of the packet, and its bytes in order.
    ///
    /// Fragments mostly come in order: then the bytes already stand as they should.
    pub(super) fn into_whole(self) -> Option<(Head, Vec<u8>)> {
        let head = self.head?;
        if self.runs.iter().all(|run| run.at == run.start) {
            return Some((head, self.bytes));
        }
        let mut whole = Vec::with_capacity(self.bytes.len());
        for run in &self.runs {
            let at = run.at as usize;
            let len = (run.end - run.start) as usize;
            whole.extend_from_slice(self.bytes.get(at..at + len)?);
        }
        Some((head, whole))
    }

    /// The last fragment states the length; what contradicts it is refused.
    fn settle_len(&mut self, piece: &Piece<'_>) -> Result<(), Skip> {
        let end = piece.end();
        let fits = match (self.len, piece.more) {
            (Some(len), true) => end <= len,
            (Some(len), false) => end == len,
            (None, true) => true,
            (None, false) => self.runs.last().is_none_or(|run| run.end <= end),
        };
        if !fits {
            return Err(Skip::BadIpFragment);
        }
        if !piece.more {
            self.len = Some(end);
        }
        Ok(())
    }

    fn compare(&self, run: Run, from: u32, until: u32, piece: &Piece<'_>) -> Option<Disagreement> {
        let kept_from = (run.at + (from - run.start)) as usize;
        let kept = self.bytes.get(kept_from..kept_from + (until - from) as usize)?;
        let stated = piece.slice(from, until)?;
        let differing = kept.iter().zip(stated).position(|(kept, stated)| kept != stated)?;
        Some(Disagreement { first_frame: run.frame, offset: from + differing as u32 })
    }

    fn fill(&mut self, place: usize, from: u32, until: u32, piece: &Piece<'_>) -> Result<(), Skip> {
        if self.runs.len() >= RUNS_MAX {
            return Err(Skip::IpFragmentLimit);
        }
        let bytes = piece.slice(from, until).ok_or(Skip::BadIpFragment)?;
        let run = Run { start: from, end: until, at: self.bytes.len() as u32, frame: piece.frame };
        self.bytes.extend_from_slice(bytes);
        self.runs.insert(place, run);
        Ok(())
    }
}

impl<'a> Piece<'a> {
    /// Offset behind the last byte.
    pub(super) const fn end(&self) -> u32 {
        self.start.saturating_add(self.bytes.len() as u32)
    }

    /// Its bytes between two offsets of the packet.
    fn slice(&self, from: u32, until: u32) -> Option<&'a [u8]> {
        let from = from.checked_sub(self.start)? as usize;
        self.bytes.get(from..until.checked_sub(self.start)? as usize)
    }
}

/// Pieces of one packet: 54 make 65,535 bytes over the smallest IPv6 MTU, but those who evade
/// inspection cut into eight or sixteen bytes.
pub(super) const RUNS_MAX: usize = 1024;

/// What a packet costs in the tables around it, rounded up.
const OVERHEAD: usize = 512;
