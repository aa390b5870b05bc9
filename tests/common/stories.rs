//! The stories of `captures/`, their files and the frames in them.

use std::fs;
use std::path::{Path, PathBuf};

use tamperscope::capture::{Block, Input, OpenOptions, Recording, expand};

/// A frame, and all that a capture file says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shot {
    pub(crate) time_ns: i64,
    /// `LINKTYPE_` number.
    pub(crate) link: u16,
    pub(crate) bytes: Vec<u8>,
    /// Its length on the wire.
    pub(crate) original_len: u32,
}

/// The folders of `captures/`, by name.
pub(crate) fn stories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let entries = fs::read_dir(&root).expect("captures/").map(|entry| entry.expect("entry").path());
    let mut stories: Vec<PathBuf> =
        entries.filter(|path| path.join("label.json").is_file()).collect();
    stories.sort();
    assert!(stories.len() >= 30, "only {} stories under {}", stories.len(), root.display());
    stories
}

/// The captures of a story, by name.
pub(crate) fn captures_of(story: &Path) -> Vec<PathBuf> {
    let is_capture = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        [".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz"].iter().any(|end| name.ends_with(end))
    };
    let entries = fs::read_dir(story).expect("a story").map(|entry| entry.expect("entry").path());
    let mut files: Vec<PathBuf> = entries.filter(is_capture).collect();
    files.sort();
    assert!(!files.is_empty(), "no capture in {}", story.display());
    files
}

/// All frames of `files`, read as one recording.
pub(crate) fn shots(files: &[PathBuf]) -> Vec<Shot> {
    let inputs: Vec<Input> = expand(files).expect("captures").inputs;
    let mut recording = Recording::open(&inputs, &OpenOptions::default()).expect("captures");
    let (mut block, mut shots) = (Block::new(), Vec::new());
    while recording.next_block(&mut block) {
        shots.extend(block.frames().map(|frame| Shot {
            time_ns: frame.time.as_nanos(),
            link: frame.link.0,
            bytes: frame.bytes.to_vec(),
            original_len: frame.original_len,
        }));
    }
    shots
}
