//! What a client asks, request after request.

use std::mem::MaybeUninit;

use super::{
    Headers, HttpMalformed,
    framing::Framing,
    head::Collector,
    response::DOUBTS_MAX,
    split::{self, Split},
    target,
};
use crate::protocol::probe::{Probe, probe_request};

/// A request's head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Whom it is for, lower-case, without port and trailing dot: the target's host, otherwise
    /// that of the first `Host` line.
    pub host: Option<Box<str>>,
    /// Whether that is a name that a host may have; otherwise odd bytes in it were replaced.
    pub host_valid: bool,
    /// The port named with the host.
    pub port: Option<u16>,
    /// The header lines.
    pub headers: Headers,
    /// Whether the whole head was there.
    pub complete: bool,
    /// Whether a strict parser refuses the head.
    pub lenient: bool,
}

/// Something that a stream of requests says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestEvent {
    /// A request's head.
    Request(Box<Request>),
    /// The request is whole, its body included.
    End,
    /// The stream speaks another protocol from here on: the last event.
    Upgraded,
    /// The bytes are no requests: the last event.
    Malformed(HttpMalformed),
    /// Bytes missing from the capture hide how many requests there were; reading goes on with the
    /// next bytes handed over that begin another one.
    Lost,
}

/// Reads a stream of requests, see the [module](super).
#[derive(Clone, Default, Debug)]
pub struct RequestReader {
    phase: Phase,
    head: Collector,
    /// How often bytes after missing ones began nothing.
    doubts: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Phase {
    /// Before or in a head.
    #[default]
    Head,
    /// Before a head that may be none: after missing bytes, or after a request that asked for
    /// another protocol. `asked` tells the two apart. After missing bytes the start of each chunk
    /// is tried, for a client begins a request with a segment of its own.
    Doubtful { asked: bool },
    /// In a body.
    Body { framing: Framing, asked: bool },
    /// Nothing more will be told.
    Stopped,
}

impl RequestReader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The start of the stream, of which nothing was read yet, is missing from the capture.
    pub fn begins_late(&mut self) {
        self.phase = Phase::Doubtful { asked: false };
    }

    /// Whether more bytes can lead to more events. A caller stops copying when they cannot.
    pub fn wants_more(&self) -> bool {
        self.phase != Phase::Stopped
    }

    /// How many bytes the reader holds on the heap.
    pub fn held_bytes(&self) -> usize {
        self.head.held_bytes()
    }

    /// Reads the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(RequestEvent)) {
        let mut rest = bytes;
        while !rest.is_empty() && self.wants_more() {
            match self.phase {
                Phase::Body { framing, asked } => self.read_body(framing, asked, &mut rest, sink),
                _ => self.read_head(&mut rest, sink),
            }
        }
    }

    /// `missing` bytes of the stream are not in the capture.
    pub fn gap(&mut self, missing: u64, sink: &mut impl FnMut(RequestEvent)) {
        if !self.wants_more() || missing == 0 {
            return;
        }
        if let Phase::Body { mut framing, asked } = self.phase
            && framing.gap(missing)
        {
            return self.after_body_bytes(framing, asked, sink);
        }
        self.flush(sink);
        if self.wants_more() {
            self.phase = Phase::Doubtful { asked: false };
            sink(RequestEvent::Lost);
        }
    }

    /// Nothing more will come: tells what an unfinished head has told so far.
    pub fn end(&mut self, sink: &mut impl FnMut(RequestEvent)) {
        if self.wants_more() {
            self.flush(sink);
            self.phase = Phase::Stopped;
        }
    }

    /// The server has agreed to another protocol (`101`, or success of `CONNECT`).
    pub fn upgraded(&mut self, sink: &mut impl FnMut(RequestEvent)) {
        self.stop(RequestEvent::Upgraded, sink);
    }

    fn read_head(&mut self, rest: &mut &[u8], sink: &mut impl FnMut(RequestEvent)) {
        let phase = self.phase;
        let refuse = |prefix: &[u8]| match phase {
            Phase::Doubtful { .. } => matches!(probe_request(prefix), Probe::Other | Probe::Http2),
            _ => is_no_request(prefix),
        };
        match (self.head.push(rest, refuse), phase) {
            (Ok(None), _) => {}
            (Ok(Some(head)), _) => self.tell(&head, sink),
            (Err(HttpMalformed::NotHttp), Phase::Doubtful { asked: true }) => {
                self.stop(RequestEvent::Upgraded, sink);
            }
            // That bytes are missing was told already.
            (Err(_), Phase::Doubtful { asked: false }) => self.doubt(rest),
            (Err(reason), _) => self.stop(RequestEvent::Malformed(reason), sink),
        }
    }

    /// These bytes are the midst of something: perhaps the next ones begin a request.
    fn doubt(&mut self, rest: &mut &[u8]) {
        *rest = &[];
        self.head.flush();
        self.doubts += 1;
        if self.doubts > DOUBTS_MAX {
            self.halt();
        }
    }

    fn tell(&mut self, head: &[u8], sink: &mut impl FnMut(RequestEvent)) {
        let Some(request) = Request::read(head, true) else {
            return self.stop(RequestEvent::Malformed(HttpMalformed::StartLine), sink);
        };
        self.doubts = 0;
        let framing = Framing::of_request(&request.headers);
        let asked = request.asks_for_another_protocol();
        sink(RequestEvent::Request(Box::new(request)));
        match framing {
            Ok(framing) => self.after_body_bytes(framing, asked, sink),
            Err(reason) => self.stop(RequestEvent::Malformed(reason), sink),
        }
    }

    fn read_body(
        &mut self,
        mut framing: Framing,
        asked: bool,
        rest: &mut &[u8],
        sink: &mut impl FnMut(RequestEvent),
    ) {
        match framing.push(rest, &mut |_| {}) {
            Ok(()) => self.after_body_bytes(framing, asked, sink),
            Err(reason) => self.stop(RequestEvent::Malformed(reason), sink),
        }
    }

    fn after_body_bytes(
        &mut self,
        framing: Framing,
        asked: bool,
        sink: &mut impl FnMut(RequestEvent),
    ) {
        self.phase = match (framing.is_done(), asked) {
            (false, _) => Phase::Body { framing, asked },
            (true, true) => Phase::Doubtful { asked },
            (true, false) => Phase::Head,
        };
        if framing.is_done() {
            sink(RequestEvent::End);
        }
    }

    fn flush(&mut self, sink: &mut impl FnMut(RequestEvent)) {
        let head = self.head.flush();
        if let Some(request) = Request::read(&head, false) {
            sink(RequestEvent::Request(Box::new(request)));
        }
    }

    fn stop(&mut self, event: RequestEvent, sink: &mut impl FnMut(RequestEvent)) {
        if self.wants_more() {
            self.halt();
            sink(event);
        }
    }

    fn halt(&mut self) {
        *self = Self { phase: Phase::Stopped, ..Self::default() };
    }
}

impl Request {
    /// Reads a head; `None` where its start line is not whole or has no target.
    fn read(head: &[u8], complete: bool) -> Option<Self> {
        // An unfinished head is read up to its last line end.
        let end = head.iter().rposition(|&b| b == b'\n')? + 1;
        let head = head.get(..end)?;
        let Split { start_line, mut headers, bare_lf } = split::split(head);
        let [method, target, version] = start_line_words(start_line);
        if target.is_empty() {
            return None;
        }
        let [method, target] = [(method, METHOD_BYTES_MAX), (target, TARGET_BYTES_MAX)];
        headers.keep_words(head, [method, target, (version, VERSION_BYTES_MAX)]);
        let [method, target] = [0, 1].map(|at| headers.word(at));
        let authority = target::authority(method, target, headers.first("host"));
        let (host, port) = authority.map_or((None, None), |a| (Some(a.host), a.port));
        Some(Self {
            host_valid: host.as_ref().is_some_and(|host| host.valid),
            host: host.map(|host| host.text.into_boxed_str()),
            port,
            lenient: complete && (bare_lf || !is_strict(head)),
            complete,
            headers,
        })
    }

    /// As sent.
    pub fn method(&self) -> &str {
        self.headers.word(0)
    }

    /// As sent, at most 8 KiB.
    pub fn target(&self) -> &str {
        self.headers.word(1)
    }

    /// As sent, `HTTP/1.1`; empty where there is none.
    pub fn version(&self) -> &str {
        self.headers.word(2)
    }

    fn asks_for_another_protocol(&self) -> bool {
        self.method().eq_ignore_ascii_case("CONNECT") || self.headers.first("upgrade").is_some()
    }
}

/// Method, target, version; a target with spaces in it is taken whole.
fn start_line_words(line: &[u8]) -> [&[u8]; 3] {
    let [method, target, version] = split::words(line);
    let is_version = |word: &[u8]| word.get(..5).is_some_and(|w| w.eq_ignore_ascii_case(b"HTTP/"));
    let (before, last) = split::last_word(version);
    if before.is_empty() || !is_version(last) {
        return [method, target, version];
    }
    let (line, _) = split::last_word(line);
    let rest = line.get(method.len()..).unwrap_or_default();
    [method, rest.trim_ascii(), last]
}

/// Whether the first bytes cannot be a request: a word of printable letters, then a space; and
/// not the preface of HTTP/2, which was made to look like one (RFC 9113 §3.4).
fn is_no_request(prefix: &[u8]) -> bool {
    if prefix.starts_with(b"PRI * HTTP/2") {
        return true;
    }
    match prefix.iter().position(|b| !b.is_ascii_graphic()) {
        Some(at) => at == 0 || !matches!(prefix.get(at), Some(b' ' | b'\t')),
        None => prefix.len() >= METHOD_BYTES_MAX,
    }
}

/// Whether `httparse` takes the head.
fn is_strict(head: &[u8]) -> bool {
    let mut space = [const { MaybeUninit::uninit() }; STRICT_HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(head, &mut space);
    parsed.is_ok_and(|status| status.is_complete())
}

/// The longest method in the registry has 17 letters.
const METHOD_BYTES_MAX: usize = super::head::PREFIX_BYTES;

const TARGET_BYTES_MAX: usize = 8 << 10;

pub(super) const VERSION_BYTES_MAX: usize = 32;

/// As many as common servers take.
pub(super) const STRICT_HEADERS_MAX: usize = 100;
