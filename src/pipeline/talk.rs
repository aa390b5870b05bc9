//! Which protocol a connection speaks, and the readers for it.

use smallvec::SmallVec;

use super::dns::{DnsTalk, Spoken};
use super::http::HttpTalk;
use super::settings::Settings;
use super::tls::TlsTalk;
use crate::detect::Watch;
use crate::detect::fingerprint::FingerprintSet;
use crate::protocol::{PROBE_BYTES_MAX, Probe, probe};
use crate::wire::{Direction, FrameId, Timestamp, prefetch};

/// What is known of the protocol.
#[derive(Debug, Default)]
pub(super) struct Talk {
    speaks: Speaks,
}

#[derive(Debug)]
enum Speaks {
    /// Not known yet: the first bytes of each direction, once there are any.
    Unknown(Option<Box<[First; 2]>>),
    Tls(Box<TlsTalk>),
    Http(Box<HttpTalk>),
    Dns(Box<DnsTalk>),
    Other,
}

impl Speaks {
    /// The readers for what a probe found; none where it needs more.
    fn of(spoken: Probe) -> Option<Self> {
        match spoken {
            Probe::NeedMore => None,
            Probe::Tls => Some(Self::Tls(Box::new(TlsTalk::new()))),
            Probe::Http => Some(Self::Http(Box::default())),
            Probe::Dns => Some(Self::Dns(Box::default())),
            Probe::Http2 | Probe::Other => Some(Self::Other),
        }
    }
}

impl Default for Speaks {
    fn default() -> Self {
        Self::Unknown(None)
    }
}

/// The first bytes of a direction, while the protocol is unknown.
#[derive(Debug, Default)]
struct First {
    bytes: Vec<u8>,
    frame: FrameId,
    /// The capture lacks the start: what is seen first may be the midst of anything, so each chunk
    /// is judged for itself.
    lost: bool,
    /// Chunks judged so.
    tries: u8,
}

impl First {
    /// Chunks of a direction without a start that are judged before it is given up.
    const TRIES_MAX: u8 = 64;

    /// Judges the first bytes with `bytes` after them, and tells whether the latter alone decide.
    /// Where more are needed, they are kept.
    fn judge(&mut self, bytes: &[u8]) -> (Probe, bool) {
        // A first chunk of the usual size is judged and read in place.
        let mut whole = self.bytes.is_empty();
        let mut spoken = if whole { probe(bytes) } else { probe(self.collect(bytes)) };
        if spoken == Probe::Other && self.lost && !whole {
            self.bytes.clear();
            (spoken, whole) = (probe(bytes), true);
        }
        match spoken {
            Probe::NeedMore if whole => _ = self.collect(bytes),
            Probe::Other if self.lost && self.tries < Self::TRIES_MAX => {
                self.tries += 1;
                spoken = Probe::NeedMore;
            }
            _ => {}
        }
        (spoken, whole)
    }

    /// Adds `bytes`. All of them: they are read once the protocol is known, and with at most
    /// [`PROBE_BYTES_MAX`] bytes it is.
    fn collect(&mut self, bytes: &[u8]) -> &[u8] {
        debug_assert!(self.bytes.len() < PROBE_BYTES_MAX);
        self.bytes.extend_from_slice(bytes);
        &self.bytes
    }
}

/// Hosts asked for, each with the frame in which it answered; most connections name one.
pub(super) type Hosts<'a> = SmallVec<[(&'a str, Option<FrameId>); 1]>;

/// What the readers may turn to.
pub(super) struct Around<'a> {
    pub(super) watch: &'a mut Watch,
    pub(super) settings: &'a Settings,
    /// The time of the packet under way.
    pub(super) time: Timestamp,
}

impl Talk {
    /// The next bytes of `direction`, brought by `frame`.
    pub(super) fn bytes(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        frame: FrameId,
        around: &mut Around<'_>,
    ) {
        match &mut self.speaks {
            Speaks::Unknown(_) => self.probe(direction, bytes, frame, around),
            Speaks::Tls(talk) => talk.bytes(direction, bytes, frame, around.watch),
            Speaks::Http(talk) => talk.bytes(direction, bytes, frame, around),
            Speaks::Dns(talk) => {
                let list = &around.settings.fingerprints;
                talk.bytes(direction, bytes, (frame, around.time), list);
            }
            Speaks::Other => {}
        }
    }

    /// `missing` bytes of `direction` will not come.
    pub(super) fn gap(&mut self, direction: Direction, missing: u64, around: &mut Around<'_>) {
        match &mut self.speaks {
            Speaks::Unknown(firsts) => {
                let firsts = firsts.get_or_insert_default();
                if let Some(first) = firsts.get_mut(direction.index()) {
                    first.lost = true;
                    first.bytes.clear();
                }
            }
            Speaks::Tls(talk) => talk.gap(direction, missing),
            Speaks::Http(talk) => talk.gap(direction, missing, around),
            Speaks::Dns(talk) => talk.gap(direction, missing),
            Speaks::Other => {}
        }
    }

    /// The capture lacks the start of `direction`, of which nothing was seen yet.
    pub(super) fn begins_late(&mut self, direction: Direction) {
        match &mut self.speaks {
            Speaks::Unknown(firsts) => {
                let firsts = firsts.get_or_insert_default();
                if let Some(first) = firsts.get_mut(direction.index()) {
                    first.lost = true;
                }
            }
            Speaks::Http(talk) => talk.begins_late(direction),
            Speaks::Tls(_) | Speaks::Dns(_) | Speaks::Other => {}
        }
    }

    /// Client and server turn out to be the other way round.
    pub(super) fn swap_roles(&mut self) {
        if let Speaks::Unknown(Some(firsts)) = &mut self.speaks {
            firsts.swap(0, 1);
        }
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self, around: &mut Around<'_>) {
        if let Speaks::Http(talk) = &mut self.speaks {
            talk.end(around);
        }
    }

    /// Whether it is settled that nothing more can be read.
    pub(super) fn is_done(&self) -> bool {
        match &self.speaks {
            Speaks::Unknown(_) => false,
            Speaks::Tls(talk) => talk.is_done(),
            Speaks::Http(talk) => talk.is_done(),
            Speaks::Dns(talk) => talk.is_done(),
            Speaks::Other => true,
        }
    }

    /// Whether what was said only goes into tallies.
    pub(super) fn is_plain(&self) -> bool {
        match &self.speaks {
            Speaks::Tls(talk) => talk.is_plain(),
            Speaks::Dns(_) => false,
            Speaks::Unknown(_) | Speaks::Http(_) | Speaks::Other => true,
        }
    }

    /// Prefetches the readers.
    pub(super) fn prefetch(&self) {
        match &self.speaks {
            Speaks::Tls(talk) => prefetch(&**talk),
            Speaks::Http(talk) => prefetch(&**talk),
            Speaks::Dns(talk) => prefetch(&**talk),
            Speaks::Unknown(_) | Speaks::Other => {}
        }
    }

    /// Prefetches the hosts that they have read.
    pub(super) fn prefetch_leaves(&self) {
        match &self.speaks {
            Speaks::Tls(talk) => talk.host().into_iter().for_each(|(host, _)| prefetch(host)),
            Speaks::Http(talk) => talk.prefetch(),
            Speaks::Unknown(_) | Speaks::Dns(_) | Speaks::Other => {}
        }
    }

    /// The HTTP readers, if it is HTTP.
    pub(super) fn http(&mut self) -> Option<&mut HttpTalk> {
        match &mut self.speaks {
            Speaks::Http(talk) => Some(talk),
            _ => None,
        }
    }

    /// The TLS readers, if it is TLS.
    pub(super) fn tls(&self) -> Option<&TlsTalk> {
        match &self.speaks {
            Speaks::Tls(talk) => Some(talk),
            _ => None,
        }
    }

    /// The hosts asked for, each once and with the frame in which the server answered.
    pub(super) fn hosts(&self) -> Hosts<'_> {
        match &self.speaks {
            Speaks::Tls(talk) => talk.host().into_iter().collect(),
            Speaks::Http(talk) => talk.hosts(),
            Speaks::Unknown(_) | Speaks::Dns(_) | Speaks::Other => Hosts::new(),
        }
    }

    /// What was said in DNS; the readers have nothing more to say.
    pub(super) fn finish_dns(&mut self, list: &FingerprintSet) -> Spoken {
        match &mut self.speaks {
            Speaks::Dns(talk) => talk.finish(list),
            _ => Spoken::default(),
        }
    }

    /// Whether nothing was read yet.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.speaks, Speaks::Unknown(_))
    }

    pub(super) fn held_bytes(&self) -> usize {
        match &self.speaks {
            Speaks::Tls(talk) => talk.held_bytes(),
            Speaks::Http(talk) => talk.held_bytes(),
            Speaks::Dns(talk) => talk.held_bytes(),
            Speaks::Unknown(Some(firsts)) => {
                let bytes = firsts.iter().map(|first| first.bytes.capacity());
                size_of::<[First; 2]>() + bytes.sum::<usize>()
            }
            Speaks::Unknown(None) | Speaks::Other => 0,
        }
    }

    fn probe(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        frame: FrameId,
        around: &mut Around<'_>,
    ) {
        let Speaks::Unknown(firsts) = &mut self.speaks else { return };
        // Most connections tell by the first bytes: then nothing is to be kept.
        if firsts.is_none()
            && let Some(speaks) = Speaks::of(probe(bytes))
        {
            self.speaks = speaks;
            self.bytes(direction, bytes, frame, around);
            return;
        }
        let firsts = firsts.get_or_insert_default();
        let Some(first) = firsts.get_mut(direction.index()) else { return };
        let (spoken, whole) = first.judge(bytes);
        first.frame = frame;
        let Some(speaks) = Speaks::of(spoken) else { return };
        let Speaks::Unknown(Some(firsts)) = std::mem::replace(&mut self.speaks, speaks) else {
            return;
        };
        let [to_server, to_client] = *firsts;
        for (way, first) in [(Direction::ToServer, to_server), (Direction::ToClient, to_client)] {
            if first.lost {
                self.begins_late(way);
            }
            let kept = if way == direction && whole { bytes } else { &first.bytes };
            if !kept.is_empty() {
                self.bytes(way, kept, first.frame, around);
            }
        }
    }
}

/// Whether the first payload shows that its sender is not whom the ports made it: a request or a
/// `ClientHello` from the server, an answer or a `ServerHello` from the client.
pub(super) fn contradicts_roles(direction: Direction, payload: &[u8]) -> bool {
    const CLIENT_HELLO: u8 = 1;
    const SERVER_HELLO: u8 = 2;
    let sender = match probe(payload) {
        Probe::Http if payload.starts_with(b"HTTP/") => Direction::ToClient,
        // QR, the first bit of the flags, tells an answer (RFC 1035 §4.1.1).
        Probe::Dns if payload.get(4).is_some_and(|flags| flags & 0x80 != 0) => Direction::ToClient,
        Probe::Http | Probe::Http2 | Probe::Dns => Direction::ToServer,
        Probe::Tls => match (payload.first(), payload.get(5)) {
            (Some(22), Some(&CLIENT_HELLO)) => Direction::ToServer,
            (Some(22), Some(&SERVER_HELLO)) => Direction::ToClient,
            _ => return false,
        },
        Probe::Other | Probe::NeedMore => return false,
    };
    sender != direction
}
