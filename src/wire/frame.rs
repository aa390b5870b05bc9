//! A captured frame and its number, which is what a reader types into Wireshark.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Timestamp;

/// Which frame of the recording: the capture file's place in it and the frame's number there.
///
/// Frames are ordered as the recording is: file after file, frame after frame. Numbers count
/// from 1 within each file, as Wireshark counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct FrameId(u64);

impl FrameId {
    const NUMBER_BITS: u32 = 48;

    /// Frame `number` (from 1) of capture `file` (from 0).
    pub const fn new(file: u16, number: u64) -> Self {
        Self(((file as u64) << Self::NUMBER_BITS) | (number & ((1 << Self::NUMBER_BITS) - 1)))
    }

    /// File and number in one word, ordered as frames are.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// What [`Self::as_u64`] was taken of.
    pub const fn from_u64(word: u64) -> Self {
        Self(word)
    }

    /// The capture's place in the recording, from 0.
    pub const fn file(self) -> u16 {
        (self.0 >> Self::NUMBER_BITS) as u16
    }

    /// The frame's number within its file, from 1.
    pub const fn number(self) -> u64 {
        self.0 & ((1 << Self::NUMBER_BITS) - 1)
    }
}

impl fmt::Display for FrameId {
    /// `f44`; the file is named elsewhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{}", self.number())
    }
}

impl Serialize for FrameId {
    /// The number within the file.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.number())
    }
}

impl schemars::JsonSchema for FrameId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FrameNumber".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "integer",
            "minimum": 1,
            "description": "frame number within its capture file, from 1, as Wireshark counts"
        })
    }
}

/// A link-layer header type, in the numbering of capture files (`LINKTYPE_`, tcpdump.org).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkType(pub u16);

/// One captured frame; the bytes belong to the block that it was read into.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its place in the recording.
    pub id: FrameId,
    /// When it was captured.
    pub time: Timestamp,
    /// How its first header is to be read.
    pub link: LinkType,
    /// The captured bytes; may be fewer than were on the wire.
    pub bytes: &'a [u8],
    /// Its length on the wire, in bytes. Never below `bytes.len()`.
    pub original_len: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_ordered_file_after_file() {
        let last_of_first = FrameId::new(0, 1 << 40);
        let first_of_second = FrameId::new(1, 1);
        assert!(last_of_first < first_of_second);
        assert_eq!(first_of_second.file(), 1);
        assert_eq!(first_of_second.number(), 1);
        assert_eq!(last_of_first.to_string(), format!("f{}", 1u64 << 40));
    }
}
