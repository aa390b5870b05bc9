//! One message, from its header to its last record (RFC 1035 §4.1).

use super::record::{self, u16_at, u32_at};
use super::{Rcode, Record, RecordType, name};

/// A message, as far as it could be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Chosen by who asks, copied by who answers.
    pub id: u16,
    /// The second field of the header.
    pub flags: Flags,
    /// The response code, with the bits that EDNS adds.
    pub rcode: Rcode,
    /// The first question.
    pub question: Option<Question>,
    /// Questions, answers, authority and additional records, as the header counts them.
    pub counts: [u16; 4],
    /// The answers that could be read, the first [`Message::ANSWERS_MAX`].
    pub answers: Vec<Record>,
    /// The pseudo-record of EDNS.
    pub edns: Option<Edns>,
    /// The first thing that is wrong. What the capture has cut off is no fault.
    pub fault: Option<Fault>,
}

/// What is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// It ends before what its counts promise.
    Short,
    /// A name is longer than 255 bytes, has a label of a reserved type, or a pointer that does not
    /// lead backwards.
    Name,
    /// The content of a record is not what its type needs.
    Data,
    /// Bytes are left over.
    Trailing,
    /// More records than are walked over.
    Records,
}

/// The question.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Question {
    /// The name asked for: lower-case, without the last dot; `.` for the root.
    pub name: Box<str>,
    /// The type asked for.
    pub kind: RecordType,
    /// The class asked for; 1 is the Internet.
    pub class: u16,
}

/// What the OPT record says (RFC 6891 §6.1).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Edns {
    /// The largest datagram that its sender takes.
    pub udp_size: u16,
    /// Version.
    pub version: u8,
    /// DNSSEC records are wanted, or given.
    pub dnssec_ok: bool,
}

/// The flags of a message.
///
/// ```text
/// QR | OPCODE 4 | AA | TC | RD | RA | Z | AD | CD | RCODE 4     RFC 1035 §4.1.1, RFC 2535 §6.1
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Flags(pub u16);

impl Flags {
    /// QR: an answer, not a question.
    pub const fn is_response(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// OPCODE; 0 is a standard query.
    pub const fn opcode(self) -> u8 {
        (self.0 >> 11 & 0xf) as u8
    }

    /// AA: the answerer is an authority for the name.
    pub const fn is_authoritative(self) -> bool {
        self.0 & 0x0400 != 0
    }

    /// TC: cut to fit a datagram; to be asked for again over TCP (RFC 7766 §5).
    pub const fn is_truncated(self) -> bool {
        self.0 & 0x0200 != 0
    }

    /// RD: recursion is wanted.
    pub const fn recursion_desired(self) -> bool {
        self.0 & 0x0100 != 0
    }

    /// RA: recursion is to be had.
    pub const fn recursion_available(self) -> bool {
        self.0 & 0x0080 != 0
    }

    /// The one bit that must be zero.
    pub const fn is_reserved_set(self) -> bool {
        self.0 & 0x0040 != 0
    }

    const fn rcode(self) -> u16 {
        self.0 & 0xf
    }
}

impl Message {
    /// Bytes of the header.
    pub const HEADER_BYTES: usize = 12;
    /// Answers that are told.
    pub const ANSWERS_MAX: usize = 64;
    /// Records that are walked over.
    pub const RECORDS_MAX: usize = 1024;

    /// Reads a message; `None` where there is not even a header. `cut` says that the capture has
    /// not all of its bytes, so that a missing end is not the sender's fault.
    pub fn read(bytes: &[u8], cut: bool) -> Option<Self> {
        let flags = Flags(u16_at(bytes, 2)?);
        let counts = [u16_at(bytes, 4)?, u16_at(bytes, 6)?, u16_at(bytes, 8)?, u16_at(bytes, 10)?];
        let message = Self {
            id: u16_at(bytes, 0)?,
            flags,
            rcode: Rcode(flags.rcode()),
            question: None,
            counts,
            answers: Vec::new(),
            edns: None,
            fault: None,
        };
        let at = Self::HEADER_BYTES;
        Some(Walk { bytes, cut, at, message, alias: None, owner: String::new() }.walk())
    }

    /// A plain query, whatever port it goes to: one question of the Internet class, standard, no
    /// answers, nothing wrong.
    pub fn is_plain_query(&self) -> bool {
        let [questions, answers, authorities, additional] = self.counts;
        !self.flags.is_response()
            && self.is_plain()
            && (questions, answers, authorities) == (1, 0, 0)
            && additional <= 2
            && self.rcode == Rcode::NO_ERROR
    }

    /// A plain answer: as [`Message::is_plain_query`], with answers.
    pub fn is_plain_answer(&self) -> bool {
        self.flags.is_response() && self.is_plain()
    }

    fn is_plain(&self) -> bool {
        self.fault.is_none()
            && self.flags.opcode() == 0
            && !self.flags.is_reserved_set()
            && self.question.as_ref().is_some_and(|asked| asked.class == 1)
    }
}

/// A message under way.
struct Walk<'a> {
    bytes: &'a [u8],
    cut: bool,
    at: usize,
    message: Message,
    /// The name that the next record should belong to, if it is not the one asked for: its alias.
    alias: Option<String>,
    /// The name that the record under way belongs to.
    owner: String,
}

impl Walk<'_> {
    fn walk(mut self) -> Message {
        let read = self.questions().and_then(|()| self.records());
        let whole = read.is_some();
        if whole && self.at < self.bytes.len() {
            self.fault(Fault::Trailing);
        }
        self.message
    }

    /// Reads the first question and walks over the others; `None` where the walk cannot go on.
    fn questions(&mut self) -> Option<()> {
        let [questions, ..] = self.message.counts;
        if usize::from(questions) > Message::RECORDS_MAX {
            return self.give_up(Fault::Records);
        }
        for number in 0..questions {
            let mut text = String::new();
            let end = self.name(&mut text)?;
            let (Some(kind), Some(class)) = (u16_at(self.bytes, end), u16_at(self.bytes, end + 2))
            else {
                return self.give_up(Fault::Short);
            };
            self.at = end + 4;
            if number == 0 {
                let name = text.into_boxed_str();
                self.message.question = Some(Question { name, kind: RecordType(kind), class });
            }
        }
        Some(())
    }

    fn records(&mut self) -> Option<()> {
        let [_, answers, authorities, additional] = self.message.counts.map(usize::from);
        let all = answers + authorities + additional;
        for number in 0..all.min(Message::RECORDS_MAX) {
            let told = number < answers && self.message.answers.len() < Message::ANSWERS_MAX;
            self.record(told)?;
        }
        if all > Message::RECORDS_MAX { self.give_up(Fault::Records) } else { Some(()) }
    }

    /// ```text
    /// NAME | TYPE 2 | CLASS 2 | TTL 4 | RDLENGTH 2 | RDATA     RFC 1035 §4.1.3
    /// ```
    fn record(&mut self, told: bool) -> Option<()> {
        let fixed = if told {
            let mut owner = std::mem::take(&mut self.owner);
            owner.clear();
            let end = self.name(&mut owner);
            self.owner = owner;
            end?
        } else {
            let Some(end) = name::skip(self.bytes, self.at) else {
                return self.give_up(Fault::Short);
            };
            end
        };
        let (Some(kind), Some(class), Some(ttl), Some(len)) = (
            u16_at(self.bytes, fixed),
            u16_at(self.bytes, fixed + 2),
            u32_at(self.bytes, fixed + 4),
            u16_at(self.bytes, fixed + 8),
        ) else {
            return self.give_up(Fault::Short);
        };
        let (kind, start) = (RecordType(kind), fixed + 10);
        let end = start + usize::from(len);
        if end > self.bytes.len() {
            return self.give_up(Fault::Short);
        }
        self.at = end;
        if kind == RecordType::OPT {
            self.edns(class, ttl);
        } else if told {
            self.answer(kind, ttl, (start, end));
        }
        Some(())
    }

    fn answer(&mut self, kind: RecordType, ttl: u32, (start, end): (usize, usize)) {
        let data = record::read(self.bytes, kind, start, end);
        if let Some(fault) = data.fault() {
            self.fault(fault);
        }
        let (owner, asked) = (self.owner.as_str(), self.message.question.as_ref());
        let topic = self.alias.as_deref().or(asked.map(|asked| &*asked.name)).unwrap_or_default();
        let on_topic = owner == topic || (kind == RecordType::DNAME && is_below(topic, owner));
        if let (true, RecordType::CNAME, record::Data::Name(alias)) = (on_topic, kind, &data) {
            self.alias = Some((**alias).to_owned());
        }
        if self.message.answers.is_empty() {
            // As many as are announced, if that is few: most answers have one or two.
            let [_, announced, ..] = self.message.counts;
            self.message.answers.reserve_exact(usize::from(announced).min(ANSWERS_USUAL));
        }
        self.message.answers.push(Record { kind, ttl, on_topic, data });
    }

    /// ```text
    /// CLASS: UDP size | TTL: extended RCODE 8, VERSION 8, DO 1, zero 15     RFC 6891 §6.1.3
    /// ```
    fn edns(&mut self, class: u16, ttl: u32) {
        let [extended, version, flags, _] = ttl.to_be_bytes();
        self.message.rcode = Rcode(u16::from(extended) << 4 | self.message.flags.rcode());
        self.message.edns = Some(Edns { udp_size: class, version, dnssec_ok: flags & 0x80 != 0 });
    }

    /// Reads the name here into `text`; where it ends.
    fn name(&mut self, text: &mut String) -> Option<usize> {
        let read = name::read(self.bytes, self.at, text);
        if let Some(fault) = read.fault {
            self.fault(fault);
        }
        read.end
    }

    fn give_up(&mut self, fault: Fault) -> Option<()> {
        self.fault(fault);
        None
    }

    fn fault(&mut self, fault: Fault) {
        if !(self.cut && fault == Fault::Short) {
            self.message.fault.get_or_insert(fault);
        }
    }
}

/// Answers for which there is room at first.
const ANSWERS_USUAL: usize = 4;

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}
