//! DNS over datagrams and over TCP, and what was found in it once all resolvers are known.

use super::closing::Found;
use std::net::IpAddr;

use crate::detect::dns::{Book, Exchange, Forgeries, Habits, Look, Stamp, judge, stands_out};
use crate::detect::fingerprint::FingerprintSet;
use crate::evidence::{Confidence, DnsExchange, FlowRecord, HostSource, Suspicion};
use crate::protocol::dns::{Event, Message, Reader};
use crate::verdict::{self, Verdict};
use crate::wire::{Datagram, Direction, FrameId, Timestamp};

/// What a UDP flow says in DNS, if it does.
///
/// On port 53 every datagram with a header is a message. On the ports of multicast DNS (5353) and
/// of LLMNR (5355), where many may answer, messages are told and never judged. On any other port
/// the first datagram must be a plain query, whole and without a fault, and the first one back a
/// plain answer with its id and question; only then is anything told.
#[derive(Debug, Default)]
pub(super) enum DatagramDns {
    #[default]
    Unseen,
    /// A plain query on another port: the answer decides.
    Asked(Box<Book>),
    Spoken(Box<Book>),
    /// Messages that many may answer.
    Multicast(Box<Book>),
    Other,
}

/// What a flow said in DNS.
#[derive(Debug, Default)]
pub struct Spoken {
    /// Its exchanges, in order.
    exchanges: Vec<Exchange>,
    /// Whether there is one honest answerer, so that the exchanges may be judged.
    judged: bool,
    /// Whether an exchange stands out by itself.
    stands_out: bool,
}

impl DatagramDns {
    /// Takes in a datagram that went `way`.
    pub(super) fn datagram(
        &mut self,
        datagram: &Datagram<'_>,
        way: Direction,
        list: &FingerprintSet,
    ) {
        if matches!(self, Self::Unseen) {
            *self = Self::by_port(datagram);
        }
        let Self::Unseen = self else {
            return self.read(datagram, way, list);
        };
        *self = Self::Other;
        let plain = plain(datagram).filter(Message::is_plain_query);
        if let (Some(query), Direction::ToServer) = (plain, way) {
            let mut book = Box::<Book>::default();
            book.message(query, Stamp::of(datagram), way, list);
            *self = Self::Asked(book);
        }
    }

    /// Ends the flow.
    pub(super) fn finish(self, list: &FingerprintSet) -> Spoken {
        match self {
            Self::Spoken(book) => Spoken::judged(book.finish(list), list),
            Self::Multicast(book) => Spoken { exchanges: book.finish(list), ..Spoken::default() },
            Self::Unseen | Self::Asked(_) | Self::Other => Spoken::default(),
        }
    }

    /// Bytes held, about.
    pub(super) fn memory(&self) -> usize {
        self.book().map_or(0, |book| size_of::<Book>() + book.memory())
    }

    /// Gives up what is under way.
    pub(super) fn give_up(&mut self, list: &FingerprintSet) {
        if let Self::Asked(book) | Self::Spoken(book) | Self::Multicast(book) = self {
            book.give_up_open(list);
        }
    }

    pub(super) fn book(&self) -> Option<&Book> {
        match self {
            Self::Asked(book) | Self::Spoken(book) | Self::Multicast(book) => Some(book),
            Self::Unseen | Self::Other => None,
        }
    }

    fn by_port(datagram: &Datagram<'_>) -> Self {
        match (datagram.src.port, datagram.dst.port) {
            (53, _) | (_, 53) => Self::Spoken(Box::default()),
            (5353 | 5355, _) | (_, 5353 | 5355) => Self::Multicast(Box::default()),
            // NetBIOS has messages of the same form, and many who answer (RFC 1002 §4.2).
            (137, _) | (_, 137) => Self::Other,
            _ => Self::Unseen,
        }
    }

    fn read(&mut self, datagram: &Datagram<'_>, way: Direction, list: &FingerprintSet) {
        match self {
            Self::Spoken(book) | Self::Multicast(book) => {
                let cut = (datagram.payload.len() as u64) < u64::from(datagram.payload_len);
                if let Some(message) = Message::read(datagram.payload, cut) {
                    book.message(message, Stamp::of(datagram), way, list);
                }
            }
            Self::Asked(book) => {
                let fits = |message: &Message| match way {
                    Direction::ToServer => message.is_plain_query(),
                    Direction::ToClient => book.first().is_some_and(|asked| {
                        let question = message.question.as_ref();
                        let named = question.is_some_and(|question| question.name == asked.name);
                        named && message.is_plain_answer() && message.id == asked.id
                    }),
                };
                let Some(message) = plain(datagram).filter(fits) else {
                    *self = Self::Other;
                    return;
                };
                let mut book = std::mem::take(book);
                book.message(message, Stamp::of(datagram), way, list);
                let answered = way == Direction::ToClient;
                *self = if answered { Self::Spoken(book) } else { Self::Asked(book) };
            }
            Self::Unseen | Self::Other => {}
        }
    }
}

fn plain(datagram: &Datagram<'_>) -> Option<Message> {
    let whole = datagram.payload.len() as u64 == u64::from(datagram.payload_len);
    // Most of the datagrams of the world end here: QR, OPCODE and Z, then the one question.
    let [_, _, _, _, 0, 1, ..] = datagram.payload else { return None };
    if whole { Message::read(datagram.payload, false) } else { None }
}

/// The readers of both directions of DNS over TCP, and what they read.
#[derive(Debug, Default)]
pub(super) struct DnsTalk {
    readers: [Reader; 2],
    book: Book,
}

impl DnsTalk {
    /// The next bytes of `direction`, brought by `frame` at `time`.
    pub(super) fn bytes(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        (frame, time): (FrameId, Timestamp),
        list: &FingerprintSet,
    ) {
        let Self { readers, book } = self;
        let Some(reader) = readers.get_mut(direction.index()) else { return };
        let stamp = Stamp { frame, time, ip: None };
        reader.push(bytes, &mut |event| {
            if let Event::Message(message) = event {
                book.message(*message, stamp, direction, list);
            }
        });
    }

    pub(super) fn gap(&mut self, direction: Direction, missing: u64) {
        if let Some(reader) = self.readers.get_mut(direction.index()) {
            reader.gap(missing, &mut |_| {});
        }
    }

    /// Whether neither direction will tell anything more.
    pub(super) fn is_done(&self) -> bool {
        self.readers.iter().all(|reader| !reader.wants_more())
    }

    /// Bytes held, this value included, about.
    pub(super) fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + self.readers.iter().map(Reader::held_bytes).sum::<usize>()
            + self.book.memory()
    }

    /// Ends the flow.
    pub(super) fn finish(&mut self, list: &FingerprintSet) -> Spoken {
        Spoken::judged(std::mem::take(&mut self.book).finish(list), list)
    }
}

impl Spoken {
    fn judged(exchanges: Vec<Exchange>, list: &FingerprintSet) -> Self {
        let stands_out = exchanges.iter().any(|exchange| stands_out(exchange, list));
        Self { exchanges, judged: true, stands_out }
    }

    /// What the flow record tells of it.
    pub(super) fn records(&self) -> Vec<DnsExchange> {
        self.exchanges.iter().map(Exchange::record).collect()
    }

    /// The exchanges, where there is one honest answerer.
    pub(super) fn asked(&self) -> &[Exchange] {
        if self.judged { &self.exchanges } else { &[] }
    }

    /// Whether it is to be judged, whatever the resolver's habits are.
    pub(super) fn stands_out(&self) -> bool {
        self.stands_out
    }

    /// Adds its exchanges, those of a client with a server, to that resolver's habits; the rarest
    /// look of the answers.
    pub(super) fn add_to(
        &self,
        habits: &mut Habits,
        ends: [IpAddr; 2],
        list: &FingerprintSet,
    ) -> Option<Look> {
        let list = Some(list).filter(|_| self.stands_out);
        self.asked().iter().filter_map(|exchange| habits.add(ends, exchange, list)).max()
    }
}

/// An exchange that is suspect, what is suspected, and how sure that is.
pub(super) type Suspect<'a> = (&'a Exchange, Suspicion, Verdict);

/// The exchanges of one flow that are suspect.
pub(super) fn suspects<'a>(
    spoken: &'a Spoken,
    record: &FlowRecord,
    habits: &Habits,
    against: (&FingerprintSet, &Forgeries),
) -> Vec<Suspect<'a>> {
    let judged = spoken.asked().iter().filter_map(|exchange| {
        let suspicion = judge(exchange, record.server.ip, habits, against)?;
        let verdict = verdict::weigh(&suspicion)?;
        Some((exchange, suspicion, verdict))
    });
    judged.collect()
}

/// Adds to `known` what the suspect exchanges of one flow show, by themselves, to be forged.
pub(super) fn learn_forged(known: &mut Forgeries, suspects: &[Suspect<'_>], record: &FlowRecord) {
    for (exchange, suspicion, verdict) in suspects {
        if verdict.confidence >= Confidence::Likely {
            let proven = verdict.confidence == Confidence::Confirmed;
            known.add(exchange, record.server.ip, (suspicion, proven));
        }
    }
}

/// What is found in one flow. A flow has one finding of a kind: of several exchanges the surest are
/// told, with the facts of each, under the name of the first.
pub(super) fn found(
    spoken: &Spoken,
    record: &FlowRecord,
    habits: &Habits,
    against: (&FingerprintSet, &Forgeries),
) -> Option<Found> {
    let judged = suspects(spoken, record, habits, against);
    let surest = judged.iter().map(|(.., verdict)| verdict.confidence).max()?;
    let mut alike = judged.into_iter().filter(|(.., verdict)| verdict.confidence == surest);
    let (exchange, mut suspicion, verdict) = alike.next()?;
    let mut together = 1;
    for (_, more, _) in alike.take(TOGETHER_MAX) {
        suspicion.forged.extend(more.forged);
        suspicion.genuine.extend(more.genuine);
        suspicion.facts.extend(more.facts);
        together += 1;
    }
    let verdict = if together > 1 { verdict::weigh(&suspicion)? } else { verdict };
    suspicion.forged.sort_unstable();
    suspicion.genuine.sort_unstable();
    let host = Some((exchange.name.to_string(), HostSource::Dns));
    Some(Found::new(suspicion, verdict, host))
}

/// Exchanges that are told together with the first.
const TOGETHER_MAX: usize = 32;
