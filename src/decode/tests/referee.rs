//! Frame by frame against `TShark`, on captures that lie beside the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Decoder, Packet};
use crate::wire::{Frame, FrameId, LinkType, Timestamp};

/// A classic capture file, read whole.
struct Capture {
    link: LinkType,
    big_endian: bool,
    bytes: Vec<u8>,
}

impl Capture {
    fn open(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let big_endian = match bytes.first_chunk()? {
            [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => true,
            [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => false,
            _ => return None,
        };
        let mut capture = Self { link: LinkType(0), big_endian, bytes };
        // The upper bits of the field state how long the frame check sequence is.
        capture.link = LinkType(capture.u32(20)? as u16);
        Some(capture)
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut at = 24;
        (1..).map_while(move |number| {
            let nanos = i64::from(self.u32(at)?) * 1_000_000_000 + i64::from(self.u32(at + 4)?);
            let len = self.u32(at + 8)? as usize;
            let original_len = self.u32(at + 12)?.max(len as u32);
            let bytes = self.bytes.get(at + 16..at + 16 + len)?;
            at += 16 + len;
            let time = Timestamp::from_nanos(nanos);
            Some(Frame { id: FrameId::new(0, number), time, link: self.link, bytes, original_len })
        })
    }
}

/// What we make of each frame: `tcp`, `udp`, or why neither.
fn ours(capture: &Capture) -> Vec<&'static str> {
    let mut decoder = Decoder::new();
    let name = |frame: Frame<'_>| match decoder.decode(&frame) {
        Ok(Packet::Tcp(_)) => "tcp",
        Ok(Packet::Udp(_)) => "udp",
        Err(skip) => skip.name(),
    };
    capture.frames().map(name).collect()
}

/// What the referee makes of each frame: the chain of its protocols.
fn theirs(path: &Path) -> Option<Vec<String>> {
    let output = Command::new("tshark")
        .args(["-n", "-T", "fields", "-e", "frame.protocols", "-r"])
        .arg(path)
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// The innermost transport of a chain of protocols; a packet quoted by ICMP does not count.
fn transport(protocols: &str) -> &str {
    let quoted = |name: &&str| !matches!(*name, "icmp" | "icmpv6");
    let chain: Vec<_> = protocols.split(':').take_while(quoted).collect();
    chain.into_iter().rfind(|name| matches!(*name, "tcp" | "udp")).unwrap_or("none")
}

#[test]
fn explore() {
    let Ok(list) = std::env::var("REFEREE_LIST") else { return };
    for path in std::fs::read_to_string(list).unwrap().lines() {
        let path = PathBuf::from(path);
        let Some(capture) = Capture::open(&path) else { continue };
        let ours = ours(&capture);
        let theirs = theirs(&path).unwrap();
        if ours.len() != theirs.len() {
            println!("LEN {} ours {} theirs {}", path.display(), ours.len(), theirs.len());
        }
        for (n, (o, t)) in ours.iter().zip(&theirs).enumerate() {
            let want = transport(t);
            let got = if matches!(*o, "tcp" | "udp") { *o } else { "none" };
            if want != got {
                println!("DIFF {} f{} ours {o} theirs {t}", path.display(), n + 1);
            }
        }
        println!("DONE {} {}", path.display(), ours.len());
    }
}
