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

/// The frames on which a capture's two readings differ, each with both.
fn differences(path: &Path) -> Vec<String> {
    let Some(capture) = Capture::open(path) else { return vec!["cannot be opened".to_owned()] };
    let (ours, theirs) = (ours(&capture), theirs(path).unwrap_or_default());
    if ours.len() != theirs.len() {
        return vec![format!("{} frames against {}", ours.len(), theirs.len())];
    }
    let pairs = (1..).zip(ours.iter().zip(&theirs));
    pairs
        .filter(|(_, (ours, theirs))| {
            let packet = |name| if matches!(name, "tcp" | "udp") { name } else { "none" };
            packet(ours) != transport(theirs)
        })
        .map(|(number, (ours, theirs))| format!("f{number}: {ours} against {theirs}"))
        .collect()
}

#[test]
fn frames_are_read_as_the_referee_reads_them() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/benign");
    if !captures.is_dir() || Command::new("tshark").arg("-v").output().is_err() {
        eprintln!("skipped: needs ../shared/captures and tshark");
        return;
    }
    let paths: Vec<PathBuf> = FILES
        .iter()
        .flat_map(|(folder, names)| names.iter().map(move |name| (folder, name)))
        .map(|(folder, name)| captures.join(folder).join(format!("{name}.pcap")))
        .collect();
    let (first, second) = paths.split_at(paths.len() / 2);
    let all = |paths: &[PathBuf]| -> Vec<(String, Vec<String>)> {
        let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
        paths.iter().map(|path| (name(path), differences(path))).collect()
    };
    let mut found = std::thread::scope(|scope| {
        let other = scope.spawn(|| all(second));
        let mut found = all(first);
        found.extend(other.join().unwrap());
        found
    });
    found.retain(|(name, differences)| {
        let known = KNOWN.iter().find(|known| known.0 == name).map_or(0, |known| known.1);
        differences.len() > known
    });
    assert!(found.is_empty(), "{found:#?}");
}

/// Every link type, shim and tunnel that the stored captures have, and plain traffic.
const FILES: [(&str, &[&str]); 4] = [
    (
        "ntop+nDPI/tests/cfgs/default/pcap",
        &[
            "4in4tunnel",
            "4in6tunnel",
            "6in4tunnel",
            "6in6tunnel",
            "ajp",
            "badpackets",
            "BGP_Cisco_hdlc_slarp",
            "dlt_ppp",
            "dns_fragmented",
            "ip_fragmented_garbage",
            "ipv6_in_gtp",
            "KakaoTalk_chat",
            "pptp",
            "smb_frags",
            "teredo",
            "vxlan",
            "youtube_quic",
        ],
    ),
    (
        "seladb+PcapPlusPlus/Tests/Packet++Test/PacketExamples",
        &["gtp-u", "MplsPackets", "nflogPacket", "PPPoESession", "Vxlan1"],
    ),
    (
        "seladb+PcapPlusPlus/Tests/Pcap++Test/PcapExamples",
        &[
            "ip4_fragments",
            "ip6_fragments",
            "ip4_bad_fragment",
            "null_loopback",
            "raw_ip",
            "sll",
            "sll2",
            "VlanPackets",
        ],
    ),
    (
        "the-tcpdump-group+tcpdump/tests",
        &[
            "802.1ad_QinQ",
            "bigtcp-ipv4-geneve-ipv6",
            "erspan-type-i-1",
            "erspan-type-ii-1",
            "erspan-type-iii-pb-1",
            "gso-ipv6-geneve-ipv4",
            "ieee802.11_rx-stbc",
            "LINKTYPE_PKTAP",
            "macsec-integonly",
            "ppp_ip_udp_dns",
            "vxlan_port_8472",
            "wccp_redirect_gre",
        ],
    ),
];

/// How many frames of a file may be read otherwise, and why.
const KNOWN: [(&str, usize, &str); 3] = [
    ("ip_fragmented_garbage", 2, "put together, the header's data offset is impossible"),
    ("badpackets", 93, "first fragments cut by the capture: they cannot be put together"),
    ("bigtcp-ipv4-geneve-ipv6", 1, "TShark 4.0 takes a total length of 0 for an error"),
];
