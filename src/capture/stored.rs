//! The bytes of a capture as they are stored: counted, hashed, and for streams, read once.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// A file or stream from its first byte to its last.
///
/// Every read fills its whole buffer unless the input ends, so that what is found, and where,
/// does not depend on how a pipe was fed.
pub(super) struct Stored {
    inner: Box<dyn Read + Send>,
    /// Bytes taken from `inner` ahead of being served.
    ahead: Vec<u8>,
    ahead_served: usize,
    /// Keep what is served in `ahead`, for a rewind.
    keeping: bool,
    served: u64,
    hash: Option<Sha256>,
    failure: Option<io::ErrorKind>,
}

impl Stored {
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        Self {
            inner,
            ahead: Vec::new(),
            ahead_served: 0,
            keeping: false,
            served: 0,
            hash: None,
            failure: None,
        }
    }

    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(Box::new(File::open(path)?)))
    }

    /// The next `count` bytes, or as many as there are, without serving them.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        let held = self.ahead.len().saturating_sub(self.ahead_served);
        let missing = count.saturating_sub(held) as u64;
        self.inner.by_ref().take(missing).read_to_end(&mut self.ahead)?;
        let unserved = self.ahead.get(self.ahead_served..).unwrap_or_default();
        Ok(unserved.get(..count).unwrap_or(unserved))
    }

    /// From now on, remembers what it serves.
    pub(super) fn keep(&mut self) {
        self.keeping = true;
    }

    /// Starts again at the first byte and remembers no more.
    pub(super) fn rewind(&mut self) {
        self.keeping = false;
        self.ahead_served = 0;
        self.served = 0;
        self.failure = None;
    }

    /// From now on, hashes what it serves.
    pub(super) fn hash(&mut self) {
        self.hash = Some(Sha256::new());
    }

    /// Bytes served.
    pub(super) const fn served(&self) -> u64 {
        self.served
    }

    /// Why the system refused to read on, if it did.
    pub(super) const fn failure(&self) -> Option<io::ErrorKind> {
        self.failure
    }

    /// Reads what is left and returns the hash of all bytes; none if it was not asked for or
    /// the input cannot be read to its end.
    pub(super) fn digest(&mut self) -> Option<String> {
        self.hash.as_ref()?;
        io::copy(self, &mut io::sink()).ok()?;
        let mut hex = String::with_capacity(64);
        for byte in self.hash.take()?.finalize() {
            let _ = write!(hex, "{byte:02x}");
        }
        Some(hex)
    }

    fn serve_ahead(&mut self, buffer: &mut [u8]) -> usize {
        let held = self.ahead.get(self.ahead_served..).unwrap_or_default();
        let count = held.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(held) {
            *to = *from;
        }
        self.ahead_served = self.ahead_served.saturating_add(count);
        if !self.keeping && self.ahead_served == self.ahead.len() {
            self.ahead = Vec::new();
            self.ahead_served = 0;
        }
        count
    }

    fn serve_inner(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
            match self.inner.read(rest) {
                Ok(0) => break,
                Ok(count) => got = got.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error.kind());
                    if got == 0 {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        if self.keeping {
            self.ahead.extend_from_slice(buffer.get(..got).unwrap_or_default());
            self.ahead_served = self.ahead.len();
        }
        Ok(got)
    }
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = self.serve_ahead(buffer);
        let got = match buffer.get_mut(ahead..) {
            Some(rest) if !rest.is_empty() => match self.serve_inner(rest) {
                Ok(count) => ahead.saturating_add(count),
                // What was held is served first; the failure comes back with the next call.
                Err(_) if ahead > 0 => ahead,
                Err(error) => return Err(error),
            },
            _ => ahead,
        };
        self.served = self.served.saturating_add(got as u64);
        if let (Some(hash), Some(bytes)) = (&mut self.hash, buffer.get(..got)) {
            hash.update(bytes);
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a call, and an error in the end if asked to.
    struct Drip(Vec<u8>, bool);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return if self.1 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(0) };
            }
            buffer[0] = self.0.remove(0);
            Ok(1)
        }
    }

    fn drip(bytes: &[u8], fails: bool) -> Stored {
        Stored::new(Box::new(Drip(bytes.to_vec(), fails)))
    }

    #[test]
    fn a_read_fills_its_buffer_however_the_input_drips() {
        let mut stored = drip(b"abcdefg", false);
        assert_eq!(stored.peek(3).unwrap(), b"abc");
        let mut buffer = [0; 5];
        assert_eq!(stored.read(&mut buffer).unwrap(), 5);
        assert_eq!(&buffer, b"abcde");
        assert_eq!(stored.read(&mut buffer).unwrap(), 2);
        assert_eq!(stored.served(), 7);
    }

    #[test]
    fn a_stream_is_read_again_from_its_first_byte() {
        let mut stored = drip(b"abcdefg", false);
        stored.peek(2).unwrap();
        stored.keep();
        let mut buffer = [0; 4];
        stored.read_exact(&mut buffer).unwrap();
        stored.rewind();
        stored.hash();
        let mut all = Vec::new();
        stored.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"abcdefg");
        let digest = stored.digest();
        assert!(digest.is_some_and(|hex| hex.starts_with("7d1a54127b2225")), "SHA-256 of abcdefg");
    }

    #[test]
    fn a_failure_comes_after_the_bytes_before_it() {
        let mut stored = drip(b"abc", true);
        let mut buffer = [0; 8];
        assert_eq!(stored.read(&mut buffer).unwrap(), 3);
        assert!(stored.read(&mut buffer).is_err());
        assert_eq!(stored.failure(), Some(io::ErrorKind::BrokenPipe));
    }
}
