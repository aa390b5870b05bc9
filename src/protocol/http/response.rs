//! What a server answers, response after response.

use std::mem::MaybeUninit;

use smallvec::SmallVec;

use super::{
    Body, BodyEnd, Headers, HttpMalformed,
    framing::Framing,
    head::Collector,
    request::{STRICT_HEADERS_MAX, VERSION_BYTES_MAX},
    split::{self, Split},
};
use crate::protocol::probe::{Probe, probe_response};

/// A response's head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: Headers,
    /// Whether the final response is still to come (RFC 9110 §15.2).
    pub interim: bool,
    /// Whether the whole head was there.
    pub complete: bool,
    /// Whether a strict parser refuses the head.
    pub lenient: bool,
}

/// Something that a stream of responses says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResponseEvent {
    /// A response's head.
    Response(Box<Response>),
    /// The start of the body, once for each response that has one: at its end, or as soon as no
    /// more of it can be told.
    Body(Body),
    /// The response has ended.
    End {
        /// Length of the body in bytes, chunks joined, those included that were not kept.
        body_len: u64,
        /// How the body ended: never `Open`, `Full` or `Hole`.
        end: BodyEnd,
    },
    /// The stream speaks another protocol from here on: the last event.
    Upgraded,
    /// The bytes are no responses: the last event.
    Malformed(HttpMalformed),
    /// Bytes missing from the capture hide how many responses there were; reading goes on with the
    /// next bytes handed over that begin another one.
    Lost,
}

/// Reads a stream of responses, see the [module](super).
#[derive(Clone, Default, Debug)]
pub struct ResponseReader {
    phase: Phase,
    head: Collector,
    /// The methods of requests that were not answered yet.
    asked: SmallVec<[Asked; 16]>,
    current: Option<Current>,
    /// How often bytes after missing ones began nothing.
    doubts: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Phase {
    /// Before or in a head.
    #[default]
    Head,
    /// After missing bytes: a head, or something in the midst. A server begins an answer with a
    /// segment of its own, so the start of each chunk is tried.
    Doubtful,
    /// In a body.
    Body(Framing),
    /// Nothing more will be told.
    Stopped,
}

/// The methods that change what an answer looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Head,
    Connect,
    Other,
}

/// The response whose body is being read.
#[derive(Clone, Debug)]
struct Current {
    len: u64,
    /// `None` once it was told.
    body: Option<Body>,
}

impl ResponseReader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The start of the stream, of which nothing was read yet, is missing from the capture.
    pub fn begins_late(&mut self) {
        self.phase = Phase::Doubtful;
    }

    /// The client has sent another request. Without this, answers are read as those to `GET`.
    pub fn expect(&mut self, method: &str) {
        if self.asked.len() < ASKED_MAX {
            self.asked.push(match () {
                () if method.eq_ignore_ascii_case("HEAD") => Asked::Head,
                () if method.eq_ignore_ascii_case("CONNECT") => Asked::Connect,
                () => Asked::Other,
            });
        }
    }

    /// Whether more bytes can lead to more events than the end. A caller stops copying when
    /// they cannot.
    pub fn wants_more(&self) -> bool {
        match self.phase {
            Phase::Stopped => false,
            Phase::Body(Framing::UntilClose) => self.body_so_far().is_some(),
            _ => true,
        }
    }

    /// How many bytes the reader holds on the heap.
    pub fn held_bytes(&self) -> usize {
        self.head.held_bytes() + self.body_so_far().map_or(0, |body| body.bytes.capacity())
    }

    /// The body that is being read and was not told yet: a connection that is cut off, or kept
    /// open, may never end it.
    pub fn body_so_far(&self) -> Option<&Body> {
        self.current.as_ref()?.body.as_ref()
    }

    /// The rest of this body is of no interest: it is counted, not kept, and not told.
    pub fn skip_body(&mut self) {
        if let Some(current) = &mut self.current {
            current.body = None;
        }
    }

    /// Reads the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(ResponseEvent)) {
        let mut rest = bytes;
        while !rest.is_empty() && self.phase != Phase::Stopped {
            match self.phase {
                Phase::Body(framing) => self.read_body(framing, &mut rest, sink),
                _ => self.read_head(&mut rest, sink),
            }
        }
    }

    /// `missing` bytes of the stream are not in the capture.
    pub fn gap(&mut self, missing: u64, sink: &mut impl FnMut(ResponseEvent)) {
        if self.phase == Phase::Stopped || missing == 0 {
            return;
        }
        self.tell_body(BodyEnd::Hole, sink);
        if let Phase::Body(mut framing) = self.phase
            && framing.gap(missing)
        {
            if let Some(current) = &mut self.current {
                current.len = current.len.saturating_add(missing);
            }
            return self.after_body_bytes(framing, sink);
        }
        self.flush_head(sink);
        self.current = None;
        self.phase = Phase::Doubtful;
        sink(ResponseEvent::Lost);
    }

    /// The stream ends here, whatever may be sent beyond (RFC 9293 §3.10.7.4): a body that only this
    /// can end is whole.
    pub fn closes(&mut self, sink: &mut impl FnMut(ResponseEvent)) {
        if matches!(self.phase, Phase::Body(Framing::UntilClose)) {
            self.end(sink);
        }
    }

    /// Nothing more will come: tells what an unfinished response has told so far.
    pub fn end(&mut self, sink: &mut impl FnMut(ResponseEvent)) {
        match self.phase {
            Phase::Stopped => {}
            Phase::Body(Framing::UntilClose) => self.finish(BodyEnd::Closed, sink),
            Phase::Body(_) => self.finish(BodyEnd::CutShort, sink),
            Phase::Head | Phase::Doubtful => self.flush_head(sink),
        }
        self.halt();
    }

    fn read_head(&mut self, rest: &mut &[u8], sink: &mut impl FnMut(ResponseEvent)) {
        let refuse = |prefix: &[u8]| match self.phase {
            Phase::Doubtful => probe_response(prefix) == Probe::Other,
            _ => is_no_response(prefix),
        };
        match self.head.push(rest, refuse) {
            Ok(None) => {}
            Ok(Some(head)) => self.tell_head(&head, sink),
            // That bytes are missing was told already.
            Err(_) if self.phase == Phase::Doubtful => self.doubt(rest),
            Err(reason) => self.stop(ResponseEvent::Malformed(reason), sink),
        }
    }

    /// These bytes are the midst of something: perhaps the next ones begin a response.
    fn doubt(&mut self, rest: &mut &[u8]) {
        *rest = &[];
        self.head.flush();
        self.doubts += 1;
        if self.doubts > DOUBTS_MAX {
            self.halt();
        }
    }

    fn tell_head(&mut self, head: &[u8], sink: &mut impl FnMut(ResponseEvent)) {
        let Some(response) = Response::read(head, true) else {
            if self.phase == Phase::Doubtful {
                return;
            }
            return self.stop(ResponseEvent::Malformed(HttpMalformed::StartLine), sink);
        };
        let (status, interim) = (response.status, response.interim);
        if self.phase == Phase::Doubtful {
            // Hardly any client asks again before it was answered: only the last one waits.
            self.asked.drain(..self.asked.len().saturating_sub(1));
        }
        self.phase = Phase::Head;
        self.doubts = 0;
        let asked =
            if interim || self.asked.is_empty() { Asked::Other } else { self.asked.remove(0) };
        let framing = match (asked, status) {
            // RFC 9112 §6.3, points 1 and 2.
            (Asked::Head, _) | (_, 100..=199 | 204 | 304) => Framing::EMPTY,
            _ => Framing::of_response(&response.headers),
        };
        let body = (!framing.is_done()).then(|| Body::of(&response.headers));
        sink(ResponseEvent::Response(Box::new(response)));
        match (asked, status) {
            (_, 101) | (Asked::Connect, 200..=299) => self.stop(ResponseEvent::Upgraded, sink),
            _ if interim => {}
            _ => {
                self.current = Some(Current { len: 0, body });
                self.after_body_bytes(framing, sink);
            }
        }
    }

    fn read_body(
        &mut self,
        mut framing: Framing,
        rest: &mut &[u8],
        sink: &mut impl FnMut(ResponseEvent),
    ) {
        let (mut len, mut full) = (0, false);
        let current = &mut self.current;
        if let Framing::Length(len) = framing
            && let Some(body) = current.as_mut().and_then(|current| current.body.as_mut())
        {
            body.expect(len);
        }
        let read = framing.push(rest, &mut |content| {
            len += content.len() as u64;
            if let Some(body) = current.as_mut().and_then(|current| current.body.as_mut()) {
                full |= !body.keep(content);
            }
        });
        if let Some(current) = current {
            current.len = current.len.saturating_add(len);
        }
        if full {
            self.tell_body(BodyEnd::Full, sink);
        }
        match read {
            Ok(()) => self.after_body_bytes(framing, sink),
            Err(reason) => {
                self.finish(BodyEnd::Broken, sink);
                self.stop(ResponseEvent::Malformed(reason), sink);
            }
        }
    }

    fn after_body_bytes(&mut self, framing: Framing, sink: &mut impl FnMut(ResponseEvent)) {
        if framing.is_done() {
            self.finish(BodyEnd::Whole, sink);
        } else {
            self.phase = Phase::Body(framing);
        }
    }

    fn finish(&mut self, end: BodyEnd, sink: &mut impl FnMut(ResponseEvent)) {
        self.tell_body(end, sink);
        self.phase = Phase::Head;
        if let Some(current) = self.current.take() {
            sink(ResponseEvent::End { body_len: current.len, end });
        }
    }

    fn tell_body(&mut self, end: BodyEnd, sink: &mut impl FnMut(ResponseEvent)) {
        let body = self.current.as_mut().and_then(|current| current.body.take());
        if let Some(mut body) = body.filter(|body| !body.bytes.is_empty()) {
            body.end = end;
            sink(ResponseEvent::Body(body));
        }
    }

    fn flush_head(&mut self, sink: &mut impl FnMut(ResponseEvent)) {
        let head = self.head.flush();
        if let Some(response) = Response::read(&head, false) {
            sink(ResponseEvent::Response(Box::new(response)));
        }
    }

    fn stop(&mut self, event: ResponseEvent, sink: &mut impl FnMut(ResponseEvent)) {
        self.halt();
        sink(event);
    }

    fn halt(&mut self) {
        *self = Self { phase: Phase::Stopped, ..Self::default() };
    }
}

impl Response {
    /// Reads a head; `None` where its status line is not whole or has no status.
    fn read(head: &[u8], complete: bool) -> Option<Self> {
        // An unfinished head is read up to its last line end.
        let end = head.iter().rposition(|&b| b == b'\n')? + 1;
        let head = head.get(..end)?;
        let Split { start_line, mut headers, bare_lf } = split::split(head);
        let [version, status, reason] = split::words(start_line);
        headers.keep_words(
            head,
            [(version, VERSION_BYTES_MAX), (status, 0), (reason, REASON_BYTES_MAX)],
        );
        let status = std::str::from_utf8(status)
            .ok()
            .filter(|word| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()))?;
        let status = status.parse::<u16>().ok()?;
        Some(Self {
            status,
            headers,
            interim: (100..200).contains(&status) && status != 101,
            complete,
            lenient: complete && (bare_lf || !is_strict(head)),
        })
    }

    /// As sent, `HTTP/1.1`.
    pub fn version(&self) -> &str {
        self.headers.word(0)
    }

    /// The words after the status, possibly none, at most 1 KiB.
    pub fn reason(&self) -> &str {
        self.headers.word(2)
    }
}

/// Whether the first bytes cannot be a response.
fn is_no_response(prefix: &[u8]) -> bool {
    !prefix.iter().zip(b"HTTP").all(|(byte, letter)| byte.eq_ignore_ascii_case(letter))
}

/// Whether `httparse` takes the head.
fn is_strict(head: &[u8]) -> bool {
    let mut space = [const { MaybeUninit::uninit() }; STRICT_HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let parsed = config.parse_response_with_uninit_headers(&mut response, head, &mut space);
    parsed.is_ok_and(|status| status.is_complete())
}

/// Nobody pipelines as many; further ones are read as answers to `GET`.
const ASKED_MAX: usize = 256;

/// Chunks that may begin nothing before reading is given up.
pub(super) const DOUBTS_MAX: u16 = 1024;

const REASON_BYTES_MAX: usize = 1 << 10;
