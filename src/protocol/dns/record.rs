//! Records and their content (RFC 1035 §3.3, §4.1.3).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::name;
use super::{Fault, RecordType};
use crate::protocol::text::hex;

/// One record of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its type.
    pub kind: RecordType,
    /// How many seconds it may be kept.
    pub ttl: u32,
    /// Its owner is the name asked for, or an alias that the records before it gave to that name.
    pub on_topic: bool,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A name: CNAME, NS, PTR, DNAME.
    Name(Box<str>),
    /// Anything else, in words as far as they are known; long content is cut.
    Words(Box<str>),
    /// Not what its type needs; its bytes in hexadecimal, cut.
    Malformed(Box<str>),
}

impl fmt::Display for Record {
    /// An address bare, all else with its type: `203.0.113.7`, `CNAME www.example`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.data {
            Data::A(address) => address.fmt(f),
            Data::Aaaa(address) => address.fmt(f),
            Data::Name(text) | Data::Words(text) => write!(f, "{} {text}", self.kind),
            Data::Malformed(bytes) => write!(f, "{} malformed \\# {bytes}", self.kind),
        }
    }
}

/// Reads the content at `start..end` of `message`.
pub(super) fn read(message: &[u8], kind: RecordType, start: usize, end: usize) -> Data {
    let bytes = message.get(start..end).unwrap_or_default();
    let within = message.get(..end).unwrap_or(message);
    let data = match kind {
        RecordType::A => bytes.try_into().ok().map(|octets: [u8; 4]| Data::A(octets.into())),
        RecordType::AAAA => bytes.try_into().ok().map(|octets: [u8; 16]| Data::Aaaa(octets.into())),
        // NS, CNAME, PTR, DNAME
        RecordType(2 | 5 | 12 | 39) => only_name(within, start).map(Data::Name),
        RecordType(6) => soa(within, start).map(Data::Words),
        RecordType(15) => preferred(within, start).map(Data::Words),
        RecordType(16 | 99) => text(bytes).map(Data::Words),
        RecordType(64 | 65) => service(within, start, end).map(Data::Words),
        _ => Some(Data::Words(other(bytes))),
    };
    data.unwrap_or_else(|| Data::Malformed(cut_hex(bytes)))
}

impl Data {
    /// The fault of a message that has this record.
    pub(super) fn fault(&self) -> Option<Fault> {
        matches!(self, Self::Malformed(_)).then_some(Fault::Data)
    }
}

/// One name and nothing after it.
fn only_name(within: &[u8], at: usize) -> Option<Box<str>> {
    let (text, end) = named(within, at)?;
    (end == within.len()).then(|| text.into_boxed_str())
}

fn named(within: &[u8], at: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let read = name::read(within, at, &mut text);
    read.fault.is_none().then_some(())?;
    Some((text, read.end?))
}

/// ```text
/// MNAME | RNAME | SERIAL 4 | REFRESH 4 | RETRY 4 | EXPIRE 4 | MINIMUM 4     RFC 1035 §3.3.13
/// ```
fn soa(within: &[u8], at: usize) -> Option<Box<str>> {
    let (primary, at) = named(within, at)?;
    let (mailbox, at) = named(within, at)?;
    let numbers: [u8; 20] = within.get(at..)?.try_into().ok()?;
    let serial = numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))?;
    Some(format!("{primary} {mailbox} {serial}").into())
}

/// ```text
/// PREFERENCE 2 | EXCHANGE     RFC 1035 §3.3.9
/// ```
fn preferred(within: &[u8], at: usize) -> Option<Box<str>> {
    let preference = u16_at(within, at)?;
    let exchange = only_name(within, at + 2)?;
    Some(format!("{preference} {exchange}").into())
}

/// ```text
/// PRIORITY 2 | TARGET | parameters: KEY 2 | LENGTH 2 | VALUE     RFC 9460 §2.2
/// ```
/// The parameters are told by their bytes: they must not differ unnoticed.
fn service(within: &[u8], at: usize, end: usize) -> Option<Box<str>> {
    let priority = u16_at(within, at)?;
    let (target, after) = named(within, at + 2)?;
    let parameters = within.get(after..end).unwrap_or_default();
    let shown =
        if parameters.is_empty() { String::new() } else { format!(" {}", other(parameters)) };
    Some(format!("{priority} {target}{shown}").into())
}

/// Strings, each behind its length (RFC 1035 §3.3.14), as `"a" "b"`.
fn text(bytes: &[u8]) -> Option<Box<str>> {
    let (mut rest, mut text) = (bytes, String::new());
    while let Some((len, after)) = rest.split_first() {
        let (string, after) = after.split_at_checked(usize::from(*len))?;
        rest = after;
        if text.len() >= SHOWN_BYTES_MAX {
            continue;
        }
        text.push_str(if text.is_empty() { "\"" } else { " \"" });
        for byte in string {
            match byte {
                b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
                0x20..=0x7e => text.push(char::from(*byte)),
                _ => name::push_escaped(&mut text, *byte),
            }
        }
        text.push('"');
    }
    Some(text.into())
}

/// The generic form of RFC 3597 §5: `\# LENGTH HEX`.
fn other(bytes: &[u8]) -> Box<str> {
    format!("\\# {} {}", bytes.len(), cut_hex(bytes)).into()
}

fn cut_hex(bytes: &[u8]) -> Box<str> {
    hex(bytes.get(..HEX_BYTES_MAX).unwrap_or(bytes)).into()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|pair| u16::from_be_bytes(*pair))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

/// Bytes of text after which no further string is told.
const SHOWN_BYTES_MAX: usize = 255;
/// Bytes told in hexadecimal.
const HEX_BYTES_MAX: usize = 64;
