//! The bytes of a capture, unpacked if they were packed.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::magic::HEAD_BYTES;
use super::stored::Stored;
use super::{Compression, DamageReason, Expansion, Unreadable};

/// Where records come from. Reads fill their buffer unless the input ends.
pub(super) struct Source {
    packing: Packing,
    unpacked: u64,
    expansion: Expansion,
}

/// How the bytes ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// Where the file ends.
    Clean,
    /// Before that.
    Fault(DamageReason),
}

impl Source {
    /// Looks at the first bytes and unpacks from there on if they call for it.
    pub(super) fn new(mut stored: Stored, expansion: Expansion) -> Result<Self, Unreadable> {
        let head = stored.peek(HEAD_BYTES).map_err(|error| Unreadable::Io(error.kind()))?;
        let packing = match Compression::of(head) {
            None => Packing::Plain(stored),
            Some(Compression::Gzip) => {
                let buffered = BufReader::with_capacity(PACKED_BUFFER_BYTES, stored);
                Packing::Gzip(Box::new(MultiGzDecoder::new(buffered)))
            }
            Some(Compression::Zstd) => {
                let buffered = BufReader::with_capacity(PACKED_BUFFER_BYTES, stored);
                let decoder = ZstdDecoder::with_buffer(buffered)
                    .map_err(|error| Unreadable::Io(error.kind()))?;
                Packing::Zstd(Box::new(decoder))
            }
        };
        Ok(Self { packing, unpacked: 0, expansion })
    }

    pub(super) const fn compression(&self) -> Option<Compression> {
        match self.packing {
            Packing::Plain(_) => None,
            Packing::Gzip(_) => Some(Compression::Gzip),
            Packing::Zstd(_) => Some(Compression::Zstd),
        }
    }

    /// Fills `buffer`; says how far, and if that is not to its end, why.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> (usize, Option<End>) {
        let mut got = 0;
        while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
            match self.packing.read(rest) {
                Ok(0) => return (got, Some(End::Clean)),
                Ok(count) => {
                    got = got.saturating_add(count);
                    self.unpacked = self.unpacked.saturating_add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (got, Some(End::Fault(self.reason(&error)))),
            }
            if self.expands_too_far() {
                return (got, Some(End::Fault(DamageReason::Expansion)));
            }
        }
        (got, None)
    }

    pub(super) fn stored(&self) -> &Stored {
        match &self.packing {
            Packing::Plain(stored) => stored,
            Packing::Gzip(decoder) => decoder.get_ref().get_ref(),
            Packing::Zstd(decoder) => decoder.get_ref().get_ref(),
        }
    }

    pub(super) fn into_stored(self) -> Stored {
        match self.packing {
            Packing::Plain(stored) => stored,
            Packing::Gzip(decoder) => decoder.into_inner().into_inner(),
            Packing::Zstd(decoder) => decoder.finish().into_inner(),
        }
    }

    fn expands_too_far(&self) -> bool {
        self.compression().is_some()
            && !self.expansion.allows(self.stored().served(), self.unpacked)
    }

    /// The packed input may break, or the system below it.
    fn reason(&self, error: &io::Error) -> DamageReason {
        if let Some(kind) = self.stored().failure() {
            return DamageReason::ReadFailed(kind);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => DamageReason::CompressedCut,
            _ => DamageReason::Compressed,
        }
    }
}

enum Packing {
    Plain(Stored),
    Gzip(Box<MultiGzDecoder<BufReader<Stored>>>),
    Zstd(Box<ZstdDecoder<'static, BufReader<Stored>>>),
}

impl Read for Packing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stored) => stored.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

const PACKED_BUFFER_BYTES: usize = 128 << 10;
