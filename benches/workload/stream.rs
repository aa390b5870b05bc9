//! What one side says: bytes written out where somebody reads them, noise where nobody can.

use std::sync::LazyLock;

use super::rng::Rng;

/// The bytes of one direction, as pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    pieces: Vec<Piece>,
    written_out: Vec<u8>,
    len: u64,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// From this place of `written_out` on.
    Written(u32),
    /// From this place of the noise on.
    Noise(u32),
    /// TLS application data of this many bytes in all, in records as large as they may be.
    Sealed { noise: u32, len: u64 },
}

impl Stream {
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.push(Kind::Written(self.written_out.len() as u32), bytes.len() as u64);
        self.written_out.extend(bytes);
    }

    pub(crate) fn noise(&mut self, rng: &mut Rng, len: u64) {
        self.push(Kind::Noise(rng.next() as u32), len);
    }

    /// `len` bytes of records, headers included.
    pub(crate) fn sealed(&mut self, rng: &mut Rng, len: u64) {
        // The last record has at least room for its tag.
        let len = if len % RECORD < 32 { len + 32 } else { len };
        self.push(Kind::Sealed { noise: rng.next() as u32, len }, len);
    }

    fn push(&mut self, kind: Kind, len: u64) {
        self.pieces.push(Piece { start: self.len, kind });
        self.len += len;
    }

    /// The bytes from `offset` on.
    pub(crate) fn read(&self, mut offset: u64, mut room: &mut [u8]) {
        let mut at = self.pieces.partition_point(|piece| piece.start <= offset).saturating_sub(1);
        while let (Some(piece), false) = (self.pieces.get(at), room.is_empty()) {
            let end = self.pieces.get(at + 1).map_or(self.len, |next| next.start);
            let len = room.len().min(end.saturating_sub(offset) as usize);
            let (part, rest) = room.split_at_mut(len);
            self.read_piece(piece, offset - piece.start, part);
            offset += len as u64;
            room = rest;
            at += 1;
        }
    }

    fn read_piece(&self, piece: &Piece, offset: u64, room: &mut [u8]) {
        match piece.kind {
            Kind::Written(place) => {
                let from = place as usize + offset as usize;
                room.copy_from_slice(&self.written_out[from..from + room.len()]);
            }
            Kind::Noise(place) => noise_at(place, offset, room),
            Kind::Sealed { noise, len } => {
                noise_at(noise, offset, room);
                heads(offset, len, room);
            }
        }
    }
}

/// Puts record headers where records begin.
fn heads(offset: u64, len: u64, room: &mut [u8]) {
    let end = offset + room.len() as u64;
    let mut record = offset / RECORD;
    while record * RECORD < end {
        let start = record * RECORD;
        let body = (len - start).min(RECORD) as u16 - 5;
        let [high, low] = body.to_be_bytes();
        for (place, byte) in (start..).zip([23, 3, 3, high, low]) {
            if place >= offset && place < end {
                room[(place - offset) as usize] = byte;
            }
        }
        record += 1;
    }
}

fn noise_at(place: u32, offset: u64, mut room: &mut [u8]) {
    let mut from = (u64::from(place) + offset) as usize % NOISE;
    while !room.is_empty() {
        let len = room.len().min(NOISE - from);
        let (part, rest) = room.split_at_mut(len);
        part.copy_from_slice(&NOISES[from..from + len]);
        room = rest;
        from = 0;
    }
}

static NOISES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut noise = vec![0; NOISE];
    Rng::new(0x006e_6f69_7365, 0).fill(&mut noise);
    noise
});

/// Fits into the second level of caches.
const NOISE: usize = 1 << 18;
/// A record of 16 KiB and what seals it (RFC 8446 §5.2).
const RECORD: u64 = 16_384 + 17 + 5;
