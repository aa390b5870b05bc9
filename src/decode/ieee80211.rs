//! 802.11 frames and the capture headers that drivers put before them.

use super::Skip;
use super::link::IEEE802_11;
use super::octets::Octets;
use super::walk::Next;
use crate::wire::LinkType;

/// An 802.11 frame (IEEE 802.11 §9.2): only plain data frames carry packets that can be read.
///
/// ```text
/// | control 2 | duration 2 | address 6 | address 6 | address 6 | sequence 2 |
/// | address 6, between access points only | QoS 2 | HT control 4 | LLC ...
/// ```
pub(super) fn frame(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    octets.skip(header_len(octets)?).map(Next::Llc).ok_or(Skip::TruncatedLink)
}

/// Radiotap: a length, then fields by a bit mask that may be continued.
///
/// Only the flags are read: one of them says that the 802.11 header is padded to 32 bits.
pub(super) fn radiotap(octets: Octets<'_>) -> Result<Next<'_>, Skip> {
    const DATA_PAD: u8 = 0x20;
    let len = octets.le16(2).ok_or(Skip::TruncatedLink)?;
    let body = octets.skip(usize::from(len).max(8)).ok_or(Skip::TruncatedLink)?;
    if radiotap_flags(octets).unwrap_or_default() & DATA_PAD == 0 {
        return Ok(Next::Link(IEEE802_11, body));
    }
    let padded = header_len(body)?.next_multiple_of(4);
    body.skip(padded).map(Next::Llc).ok_or(Skip::TruncatedLink)
}

/// Prism's header or, under either link type, that of AVS: both carry their own length.
pub(super) fn prism_or_avs(octets: Octets<'_>) -> Option<Next<'_>> {
    // The last byte of AVS's magic number is its revision.
    let is_avs = octets.be32(0)? & 0xffff_ff00 == 0x8021_1000;
    let len = if is_avs { octets.be32(4)? } else { octets.le32(4)? };
    Some(Next::Link(IEEE802_11, octets.skip(len.max(8) as usize)?))
}

/// Per-packet information: a length, and the link type of what follows.
pub(super) fn ppi(octets: Octets<'_>) -> Option<Next<'_>> {
    let len = usize::from(octets.le16(2)?).max(8);
    let link = LinkType(u16::try_from(octets.le32(4)?).unwrap_or(u16::MAX));
    Some(Next::Link(link, octets.skip(len)?))
}

/// The length of a plain data frame's header, or why the frame is none.
fn header_len(octets: Octets<'_>) -> Result<usize, Skip> {
    let [kind, flags] = octets.array(0).ok_or(Skip::TruncatedLink)?;
    // Version 0, type "data", and not one of the subtypes that carry none.
    if kind & 0x0f != 0x08 || kind & SUBTYPE_NO_DATA != 0 {
        return Err(Skip::Ieee80211NotData);
    }
    if flags & PROTECTED != 0 {
        return Err(Skip::Ieee80211Encrypted);
    }
    let sequence = octets.le16(22).ok_or(Skip::TruncatedLink)?;
    if flags & MORE_FRAGMENTS != 0 || sequence & 0x0f != 0 {
        return Err(Skip::Ieee80211Fragment);
    }
    let mut len = if flags & BETWEEN_ACCESS_POINTS == BETWEEN_ACCESS_POINTS { 30 } else { 24 };
    if kind & SUBTYPE_QOS != 0 {
        let qos = octets.le16(len).ok_or(Skip::TruncatedLink)?;
        if qos & QOS_AGGREGATE != 0 {
            return Err(Skip::Ieee80211Aggregate);
        }
        len += if flags & HT_CONTROL == 0 { 2 } else { 6 };
    }
    Ok(len)
}

/// The flags field, if present: it stands behind the masks and an aligned 64-bit timer.
fn radiotap_flags(octets: Octets<'_>) -> Option<u8> {
    const TIMER: u32 = 1;
    const FLAGS: u32 = 2;
    const CONTINUED: u32 = 1 << 31;
    let present = octets.le32(4)?;
    let mut at = 8;
    let mut mask = present;
    while mask & CONTINUED != 0 {
        mask = octets.le32(at)?;
        at += 4;
    }
    if present & TIMER != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    if present & FLAGS != 0 { octets.u8(at) } else { None }
}

const SUBTYPE_NO_DATA: u8 = 0x40;
const SUBTYPE_QOS: u8 = 0x80;
const BETWEEN_ACCESS_POINTS: u8 = 0x03;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;
const QOS_AGGREGATE: u16 = 0x80;
