//! The scene: one flow's odd moment, with all that the detectors may look at.

use std::net::IpAddr;

use crate::evidence::{BlockPage, Fact, Grade, HostSource, Signal};
use crate::flow::{Handshake, Sighting};
use crate::protocol::{Excerpt, Page};
use crate::wire::{Direction, Duration, FrameId};

/// Client data that carried a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// The frame that completed it.
    pub frame: FrameId,
    /// The name.
    pub host: Option<Box<str>>,
    /// Where it stood.
    pub source: HostSource,
}

/// Two copies of the same bytes that differ.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The packet that brought the first copy.
    pub first: Sighting,
    /// The packet that brought the later copy.
    pub later: Sighting,
    /// Bytes that both claim.
    pub len: u32,
    /// Bytes of these that differ.
    pub differing: u32,
    /// The start of the first copy, at most [`Conflict::SHOWN`] bytes.
    pub first_bytes: Vec<u8>,
    /// The start of the later copy.
    pub later_bytes: Vec<u8>,
}

impl Conflict {
    /// Bytes of each copy that are kept to be shown.
    pub const SHOWN: usize = 64;
}

/// A known notice, as its fingerprint tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Name of the fingerprint.
    pub name: String,
    /// Who describes it.
    pub source: String,
    /// A notice of one network or country, not of a product that anybody may run.
    pub specific: bool,
}

/// What the body of an answer says.
#[derive(Clone, Debug)]
pub enum Said {
    /// It has none.
    Nothing,
    /// It was read.
    Read(Box<Reading>),
    /// Nobody has asked yet.
    Unread(Excerpt),
}

/// A body that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Title of the page, white space folded.
    pub title: Option<String>,
    /// Character encoding and, in brackets, how it was learnt.
    pub charset: String,
    /// The first 2,000 characters, decoded.
    pub text: String,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

impl Reading {
    /// What a page says of which the bytes have that digest.
    pub fn of(page: Page, sha256: String) -> Self {
        let charset = page.charset_told();
        Self { charset, title: page.title, text: page.text, sha256 }
    }
}

/// An HTTP answer as it was read.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The frame that brought its first byte.
    pub begins: FrameId,
    /// The frame of the request that it answers.
    pub request: Option<FrameId>,
    /// Its status code.
    pub status: Option<u16>,
    /// Its `Location` header.
    pub location: Option<Box<str>>,
    /// What its body says.
    pub said: Said,
    /// The known notice that it is.
    pub notice: Option<Box<Notice>>,
    /// It was read from the later of two copies of the stream.
    pub alternate: bool,
}

impl Answer {
    /// Bytes held, this value included, about.
    pub(super) fn memory(&self) -> usize {
        let said = match &self.said {
            Said::Nothing => 0,
            Said::Read(words) => {
                let title = words.title.as_ref().map_or(0, String::capacity);
                size_of::<Reading>() + words.text.capacity() + title + words.sha256.capacity()
            }
            Said::Unread(body) => body.held_bytes(),
        };
        let notice = self.notice.as_ref().map_or(0, |_| size_of::<Notice>());
        let location = self.location.as_ref().map_or(0, |location| location.len());
        size_of::<Self>() + said + notice + location
    }

    /// The page as it is told.
    pub fn told(&self) -> BlockPage {
        let words = match &self.said {
            Said::Nothing => None,
            Said::Read(words) => Some(Reading::clone(words)),
            Said::Unread(body) => Some(Reading::of(body.read(), body.sha256())),
        };
        let charset = words.as_ref().map(|words| words.charset.clone());
        let (title, text, sha256) =
            words.map(|words| (words.title, words.text, words.sha256)).unwrap_or_default();
        BlockPage {
            status: self.status,
            title,
            charset,
            text,
            sha256,
            location: self.location.as_deref().map(str::to_owned),
            fingerprint: self.notice.as_ref().map(|found| found.name.clone()),
        }
    }
}

/// A fatal TLS alert that was the server's first word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TlsRefusal {
    /// The frame that completed it.
    pub frame: FrameId,
    /// The description's number.
    pub code: u8,
    /// The description's name.
    pub name: &'static str,
}

/// All that the detectors of one flow look at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The server's address, for sentences.
    pub server: IpAddr,
    /// The opening exchange.
    pub handshake: &'a Handshake,
    /// Headers around everything odd, in capture order.
    pub log: &'a [Sighting],
    /// Client data with names.
    pub triggers: &'a [Trigger],
    /// Disagreements about bytes.
    pub conflicts: &'a [Conflict],
    /// Answers.
    pub answers: &'a [Answer],
    /// A fatal alert before any ServerHello.
    pub refusal: Option<TlsRefusal>,
    /// Payload bytes that the capture lacks, either way.
    pub gaps: u64,
    /// Marks are only weighed and not told yet: they need no words, which cost the most.
    pub mute: bool,
}

/// How a gateway shows that it does not know a connection any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LostTrack {
    /// The stated sender had said nothing for so long.
    Forgot(Duration),
    /// What is refused belongs to the middle of an answer, where this frame stands.
    Refused(FrameId),
    /// What its stated sender said before is not in the capture.
    Unseen,
}

impl<'a> Scene<'a> {
    /// The same, mute.
    pub(super) const fn muted(&self) -> Self {
        Self { mute: true, ..*self }
    }

    /// The words of a mark, or none where the scene is mute.
    pub(super) fn words(&self, told: impl FnOnce() -> Words) -> Words {
        if self.mute { Words::default() } else { told() }
    }

    /// What was sent in `direction`, frames captured twice counted once.
    pub fn sent(&self, direction: Direction) -> impl Iterator<Item = &'a Sighting> + use<'a> {
        self.log.iter().filter(move |seen| seen.direction == direction && !seen.duplicate)
    }

    /// The sighting of `frame`.
    pub fn sighting(&self, frame: FrameId) -> Option<&'a Sighting> {
        self.log.iter().find(|seen| seen.frame == frame)
    }

    /// What preceded `sighting` in `direction`, latest first.
    pub fn before(
        &self,
        sighting: &Sighting,
        direction: Direction,
    ) -> impl Iterator<Item = &'a Sighting> + use<'a> {
        let limit = sighting.frame;
        self.log.iter().rev().filter(move |seen| {
            seen.direction == direction && seen.frame < limit && !seen.duplicate
        })
    }

    /// What followed `sighting` in `direction`.
    pub fn after(
        &self,
        sighting: &Sighting,
        direction: Direction,
    ) -> impl Iterator<Item = &'a Sighting> + use<'a> {
        let limit = sighting.frame;
        self.sent(direction).filter(move |seen| seen.frame > limit)
    }

    /// The packet of the other side that `sighting` can be an answer to: the latest with data, or
    /// else the SYN.
    pub fn provocation(&self, sighting: &Sighting) -> Option<&'a Sighting> {
        let theirs = sighting.direction.reverse();
        self.before(sighting, theirs)
            .find(|seen| !seen.is_reset() && (seen.payload_len > 0 || seen.is_syn()))
    }

    /// Why a gateway or firewall on the way may have sent `rst`, because it did not know the
    /// connection any more. What such a machine does not know it refuses in the other side's name, at
    /// once and with a TTL of its own, and the other side knows nothing of it.
    ///
    /// It forgets what has been silent (RFC 5382 §5 lets established connections go after 2 h 4 min;
    /// many go after far less). Or it lost its table, was told to refuse this client from now on, or
    /// another machine took over the address: then what is refused is any packet, such as a bare
    /// acknowledgment in the middle of an answer, in the form of RFC 9293 §3.5.2 (a RST without
    /// acknowledgment, at the number that was acknowledged). Who resets for a name does so after it.
    pub fn lost_track(&self, rst: &Sighting) -> Option<LostTrack> {
        match self.before(rst, rst.direction).find(|seen| !seen.is_reset()) {
            Some(latest) if rst.after(latest) >= FORGETFUL => {
                return Some(LostTrack::Forgot(rst.after(latest)));
            }
            // Not so where it answers a SYN, before which nobody says anything.
            None => {
                let mut theirs = self.before(rst, rst.direction.reverse());
                let goes_on =
                    theirs.find(|seen| !seen.is_reset()).is_some_and(|seen| !seen.is_syn());
                return goes_on.then_some(LostTrack::Unseen);
            }
            Some(_) => {}
        }
        if rst.has_ack() || !rst.is_reset() {
            return None;
        }
        let named = self.trigger_before(rst.frame);
        let after_name = |seen: &Sighting| named.is_none_or(|named| seen.frame > named);
        let answers = |seen: &&Sighting| seen.payload_len > 0 && after_name(seen);
        let refused = self
            .before(rst, rst.direction.reverse())
            .find(|seen| !seen.is_reset() && seen.has_ack() && seen.ack == rst.seq)
            .filter(|seen| self.before(seen, rst.direction).any(|seen| answers(&seen)));
        // Or one that the capture lacks: the number is where a part of the answer ended.
        let unseen = || {
            self.before(rst, rst.direction).filter(answers).find(|seen| seen.seq_end() == rst.seq)
        };
        refused.or_else(unseen).map(|seen| LostTrack::Refused(seen.frame))
    }

    /// Tap to server and back.
    pub fn server_rtt(&self) -> Option<Duration> {
        self.handshake.server_rtt()
    }

    /// The quickest that the server was seen to answer: the handshake, or a bare acknowledgment from
    /// where its SYN/ACK came from. One packet that was late on the way makes a handshake long; who
    /// injects answers and resets has no use for bare acknowledgments.
    pub fn quickest_answer(&self) -> Option<Duration> {
        let home = self.handshake.syn_ack?.ttl;
        let bare = self.sent(Direction::ToClient).filter(|seen| seen.is_bare_ack());
        let took = bare.filter(|seen| seen.ttl == home).filter_map(|seen| {
            let acknowledged = |asked: &&Sighting| {
                asked.payload_len > 0 && asked.seq_end() == seen.ack && asked.frame < seen.frame
            };
            self.sent(Direction::ToServer).find(acknowledged).map(|asked| seen.after(asked))
        });
        took.chain(self.server_rtt()).min()
    }

    /// Whether the tap stands beside the server: the way to the client is the long one. Where a RST
    /// came in the client's name before it had answered the SYN/ACK, its answer is looked for behind it.
    pub fn is_near_server(&self) -> bool {
        let late = || {
            let (answer, syn) = self.handshake.syn_ack.zip(self.handshake.syn)?;
            let answers = |seen: &&Sighting| {
                let fits = seen.seq == syn.seq.plus(1) && seen.ack == answer.seq.plus(1);
                seen.frame > answer.frame && seen.has_ack() && !seen.is_reset() && fits
            };
            let completed = self.sent(Direction::ToServer).find(answers)?.time;
            Some(Handshake { completed: Some(completed), ..*self.handshake })
        };
        let handshake = self.handshake;
        handshake.is_beside_server()
            || (handshake.completed.is_none()
                && late().is_some_and(|handshake| handshake.is_beside_server()))
    }

    /// The latest name-bearing client packet not after `frame`.
    pub fn trigger_before(&self, frame: FrameId) -> Option<FrameId> {
        self.triggers.iter().map(|trigger| trigger.frame).rfind(|trigger| *trigger <= frame)
    }

    /// Who is said to have sent `sighting`, in words. The client's address is never named.
    pub fn claimed(&self, sighting: &Sighting) -> String {
        match sighting.direction {
            Direction::ToClient => format!("the server {}", self.server),
            Direction::ToServer => "the client".to_owned(),
        }
    }
}

/// No stack that knows nothing of the path sends a SYN again sooner (RFC 6298 §2.1).
pub(super) const SYN_AGAIN: Duration = Duration::from_millis(900);
/// No gateway that is of any use forgets a connection sooner.
const FORGETFUL: Duration = Duration::from_secs(10);

/// Builds a fact.
pub(super) fn fact(signal: Signal, grade: Grade, frame: FrameId, words: Words) -> Fact {
    let Words { expected, observed, text } = words;
    Fact { signal, grade, frame, expected, observed, text }
}

/// What was expected, what was seen, and both in a sentence.
#[derive(Default)]
pub(super) struct Words {
    pub(super) expected: String,
    pub(super) observed: String,
    pub(super) text: String,
}
