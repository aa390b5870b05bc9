//! What the two directions of an HTTP/1 connection say, request joined to answer.

use smallvec::SmallVec;

use super::talk::{Around, Hosts};
use crate::detect::fingerprint::{self, FingerprintSet, Strength};
use crate::detect::{Answer, Notice, Reading, Said, Trigger};
use crate::evidence::{HostSource, HttpExchange};
use crate::protocol::{
    Body, Excerpt, Page, Request, RequestEvent, RequestReader, Response, ResponseEvent,
    ResponseReader,
};
use crate::stream::Overlap;
use crate::wire::{Direction, FrameId, prefetch};

/// The readers of both directions, and the exchanges read.
#[derive(Debug, Default)]
pub(super) struct HttpTalk {
    requests: RequestReader,
    responses: Answers,
    /// The frame of the last bytes of each direction: what a gap or the end brings to light was
    /// carried by it.
    last: [FrameId; 2],
    /// Exchanges in order; those from `unanswered` on still wait.
    exchanges: SmallVec<[Exchange; 1]>,
    waiting: SmallVec<[Asked; 1]>,
    /// The other version of the answer, where two copies differ.
    alternate: Option<Box<Alternate>>,
    /// Answers may be missing: the next one is that to the last request.
    answers_lost: bool,
}

/// What a push brings: a head, a body and its end at most, as a rule.
type Events<E> = SmallVec<[E; 3]>;

/// What [`HttpExchange`] is made of, if it is told: of most connections it is not.
#[derive(Debug, Default)]
struct Exchange {
    host: Option<Box<str>>,
    line: Option<Line>,
    frame: Option<FrameId>,
    status: Option<u16>,
    status_frame: Option<FrameId>,
    lenient: bool,
}

/// The line that a request begins with: the target behind the method.
#[derive(Debug)]
struct Line {
    text: Box<str>,
    method_len: usize,
}

/// A request that waits for its answer.
#[derive(Clone, Debug, Default)]
struct Asked {
    frame: Option<FrameId>,
    whom: Whom,
}

/// The host that was asked.
#[derive(Clone, Debug)]
enum Whom {
    /// That of a recorded exchange, by its place.
    Recorded(u8),
    /// That of a later one.
    Named(Option<Box<str>>),
}

impl Default for Whom {
    fn default() -> Self {
        Self::Named(None)
    }
}

/// A reader of answers, with the head whose body is under way.
#[derive(Debug, Default)]
struct Answers {
    reader: ResponseReader,
    /// The frame of the first byte of a head that is not whole yet.
    begins: Option<FrameId>,
    head: Option<Head>,
}

#[derive(Debug)]
struct Head {
    /// The frame of its first byte.
    begins: FrameId,
    asked: Asked,
    response: Box<Response>,
}

/// The later of two copies of the stream, read for itself.
#[derive(Debug)]
struct Alternate {
    answers: Answers,
    /// Offset up to which it was read.
    next: u64,
    /// The frame of its last bytes.
    last: FrameId,
    asked: Asked,
}

impl HttpTalk {
    /// Exchanges recorded.
    const EXCHANGES_MAX: usize = 64;
    /// Requests that may wait for an answer.
    const WAITING_MAX: usize = 256;

    /// The capture lacks the start of `direction`, of which nothing was read yet.
    pub(super) fn begins_late(&mut self, direction: Direction) {
        match direction {
            Direction::ToServer => self.requests.begins_late(),
            Direction::ToClient => {
                self.responses.reader.begins_late();
                self.answers_lost = true;
            }
        }
    }

    pub(super) fn bytes(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        frame: FrameId,
        around: &mut Around<'_>,
    ) {
        if let Some(last) = self.last.get_mut(direction.index()) {
            *last = frame;
        }
        match direction {
            Direction::ToServer => {
                let mut events = Events::new();
                self.requests.push(bytes, &mut |event| events.push(event));
                self.asked(&mut events, frame, around);
            }
            Direction::ToClient => {
                let mut events = Events::new();
                self.responses.reader.push(bytes, &mut |event| events.push(event));
                self.answered(&mut events, frame, around);
                self.responses.note_begin(frame);
            }
        }
    }

    pub(super) fn gap(&mut self, direction: Direction, missing: u64, around: &mut Around<'_>) {
        let [last_request, last_answer] = self.last;
        match direction {
            Direction::ToServer => {
                let mut events = Events::new();
                self.requests.gap(missing, &mut |event| events.push(event));
                self.asked(&mut events, last_request, around);
            }
            Direction::ToClient => {
                let mut events = Events::new();
                self.responses.reader.gap(missing, &mut |event| events.push(event));
                self.answered(&mut events, last_answer, around);
            }
        }
    }

    /// The server's FIN: its stream ends here.
    pub(super) fn closes(&mut self, around: &mut Around<'_>) {
        let [_, last_answer] = self.last;
        let mut events = Events::new();
        self.responses.reader.closes(&mut |event| events.push(event));
        self.answered(&mut events, last_answer, around);
    }

    /// Nothing more will come: what is open is told as far as it is known.
    pub(super) fn end(&mut self, around: &mut Around<'_>) {
        let [last_request, last_answer] = self.last;
        let mut events = Events::new();
        self.requests.end(&mut |event| events.push(event));
        self.asked(&mut events, last_request, around);
        let mut events = Events::new();
        self.responses.reader.end(&mut |event| events.push(event));
        self.answered(&mut events, last_answer, around);
        if let Some(mut alternate) = self.alternate.take() {
            let mut events = Events::new();
            alternate.answers.reader.end(&mut |event| events.push(event));
            let last = alternate.last;
            alternate.read(&mut events, (last, &self.exchanges), around);
        }
    }

    /// The other version of a part of the answer.
    pub(super) fn contradicted(&mut self, overlap: &Overlap<'_>, around: &mut Around<'_>) {
        let begins = overlap.later_whole.starts_with(b"HTTP/");
        if self.alternate.is_none() && begins {
            let asked = self.responses.head.as_ref().map(|head| head.asked.clone());
            let next = overlap.later_offset.0;
            let asked = asked.unwrap_or_else(|| self.last_asked());
            let (answers, last) = (Answers::default(), overlap.later_frame);
            self.alternate = Some(Box::new(Alternate { answers, next, last, asked }));
        }
        let Some(alternate) = &mut self.alternate else { return };
        if overlap.later_offset.0 != alternate.next {
            return;
        }
        alternate.next += overlap.later_whole.len() as u64;
        alternate.last = overlap.later_frame;
        let mut events = Events::new();
        alternate.answers.reader.push(overlap.later_whole, &mut |event| events.push(event));
        alternate.read(&mut events, (overlap.later_frame, &self.exchanges), around);
        alternate.answers.note_begin(overlap.later_frame);
    }

    /// The exchanges recorded so far.
    pub(super) fn exchanges(&self) -> Vec<HttpExchange> {
        self.exchanges.iter().map(Exchange::told).collect()
    }

    /// The hosts asked for, each once and with the frame in which it answered last.
    pub(super) fn hosts(&self) -> Hosts<'_> {
        let asked = self.exchanges.iter();
        let mut hosts: Hosts<'_> = asked
            .filter_map(|exchange| Some((exchange.host.as_deref()?, exchange.status_frame)))
            .collect();
        // Descending: of equal names the last answer comes first, and stays.
        hosts.sort_unstable_by(|one, other| other.cmp(one));
        hosts.dedup_by_key(|(host, _)| *host);
        hosts
    }

    /// Prefetches the hosts asked for.
    pub(super) fn prefetch(&self) {
        self.exchanges.iter().filter_map(|exchange| exchange.host.as_deref()).for_each(prefetch);
    }

    pub(super) fn is_done(&self) -> bool {
        !self.requests.wants_more() && !self.responses.reader.wants_more()
    }

    /// Bytes held, this value included, about.
    pub(super) fn held_bytes(&self) -> usize {
        let exchanges =
            self.exchanges.len() * EXCHANGE_BYTES + self.waiting.len() * size_of::<Asked>();
        let alternate = self
            .alternate
            .as_ref()
            .map_or(0, |alternate| size_of::<Alternate>() + alternate.answers.reader.held_bytes());
        let readers = self.requests.held_bytes() + self.responses.reader.held_bytes();
        size_of::<Self>() + exchanges + readers + alternate
    }

    fn last_asked(&self) -> Asked {
        let last = self.exchanges.last();
        last.map_or_else(Asked::default, |exchange| Asked {
            frame: exchange.frame,
            whom: Whom::Named(exchange.host.clone()),
        })
    }

    fn asked(
        &mut self,
        events: &mut Events<RequestEvent>,
        frame: FrameId,
        around: &mut Around<'_>,
    ) {
        for event in events.drain(..) {
            if let RequestEvent::Request(request) = event {
                self.responses.reader.expect(request.method());
                self.ask(*request, frame, around);
            }
        }
    }

    fn ask(&mut self, request: Request, frame: FrameId, around: &mut Around<'_>) {
        let host = request.host.clone();
        around.watch.named(Trigger { frame, host, source: HostSource::Http });
        let recorded = self.exchanges.len() < Self::EXCHANGES_MAX;
        let whom = if recorded {
            let place = self.record(Exchange {
                line: Some(Line::of(&request)),
                host: request.host,
                frame: Some(frame),
                lenient: request.lenient,
                ..Exchange::default()
            });
            Whom::Recorded(place)
        } else {
            Whom::Named(request.host)
        };
        if self.waiting.len() < Self::WAITING_MAX {
            self.waiting.push(Asked { frame: Some(frame), whom });
        }
    }

    /// Records an exchange, for which there is room, and gives its place.
    fn record(&mut self, exchange: Exchange) -> u8 {
        const { assert!(Self::EXCHANGES_MAX <= u8::MAX as usize) };
        self.exchanges.push(exchange);
        (self.exchanges.len() - 1) as u8
    }

    fn answered(
        &mut self,
        events: &mut Events<ResponseEvent>,
        frame: FrameId,
        around: &mut Around<'_>,
    ) {
        for event in events.drain(..) {
            match event {
                ResponseEvent::Response(response) if !response.interim => {
                    let asked = self.next_asked();
                    self.note_status(&asked, &response, frame);
                    self.responses.begin(response, asked, frame);
                }
                ResponseEvent::Lost => self.answers_lost = true,
                ResponseEvent::Upgraded => self.requests.upgraded(&mut |_| {}),
                event => self.responses.judge(event, (&self.exchanges, false), around),
            }
        }
    }

    /// The request that the next answer belongs to. After a loss it is the last one, for hardly
    /// any client asks again before it was answered.
    fn next_asked(&mut self) -> Asked {
        if std::mem::take(&mut self.answers_lost)
            && let Some(last) = self.waiting.len().checked_sub(1)
        {
            self.waiting.drain(..last);
        }
        if self.waiting.is_empty() { Asked::default() } else { self.waiting.remove(0) }
    }

    fn note_status(&mut self, asked: &Asked, response: &Response, frame: FrameId) {
        let place = match (&asked.whom, asked.frame) {
            (Whom::Recorded(place), _) => Some(*place),
            // An answer whose request the capture lacks.
            (Whom::Named(_), None) if self.exchanges.len() < Self::EXCHANGES_MAX => {
                Some(self.record(Exchange::default()))
            }
            (Whom::Named(_), _) => None,
        };
        if let Some(exchange) = place.and_then(|at| self.exchanges.get_mut(usize::from(at))) {
            exchange.status = Some(response.status);
            exchange.status_frame = Some(frame);
            exchange.lenient |= response.lenient;
        }
    }
}

impl Alternate {
    fn read(
        &mut self,
        events: &mut Events<ResponseEvent>,
        (frame, exchanges): (FrameId, &[Exchange]),
        around: &mut Around<'_>,
    ) {
        for event in events.drain(..) {
            match event {
                ResponseEvent::Response(response) if !response.interim => {
                    self.answers.begin(response, self.asked.clone(), frame);
                }
                event => self.answers.judge(event, (exchanges, true), around),
            }
        }
    }
}

impl Answers {
    /// A head is whole; `frame` brought the last of it.
    fn begin(&mut self, response: Box<Response>, asked: Asked, frame: FrameId) {
        let begins = self.begins.take().unwrap_or(frame);
        self.head = Some(Head { begins, asked, response });
    }

    /// Remembers which frame brought the start of what waits for its rest.
    fn note_begin(&mut self, frame: FrameId) {
        let waits = self.head.is_none() && self.reader.held_bytes() > 0;
        self.begins = waits.then(|| self.begins.unwrap_or(frame));
    }

    /// Hands the answer to the watch once its body, or that it has none, is known.
    fn judge(
        &mut self,
        event: ResponseEvent,
        (exchanges, alternate): (&[Exchange], bool),
        around: &mut Around<'_>,
    ) {
        let body = match event {
            ResponseEvent::Body(body) => Some(body),
            ResponseEvent::End { .. } => None,
            _ => return,
        };
        let Some(head) = self.head.take() else { return };
        let host = head.asked.host(exchanges);
        let known = &around.settings.fingerprints;
        around.watch.answer(Answer { alternate, ..read_answer(&head, host, body, known) });
    }
}

impl Exchange {
    fn told(&self) -> HttpExchange {
        let words = self.line.as_ref().and_then(|line| line.text.split_at_checked(line.method_len));
        let (method, target) = words.unzip();
        HttpExchange {
            host: self.host.as_deref().map(str::to_owned),
            method: method.map(str::to_owned),
            target: target.map(str::to_owned),
            frame: self.frame,
            status: self.status,
            status_frame: self.status_frame,
            lenient: self.lenient,
        }
    }
}

impl Line {
    fn of(request: &Request) -> Self {
        let (method, target) = (request.method(), request.target());
        Self { text: [method, target].concat().into_boxed_str(), method_len: method.len() }
    }
}

impl Asked {
    fn host<'a>(&'a self, exchanges: &'a [Exchange]) -> Option<&'a str> {
        match &self.whom {
            Whom::Recorded(place) => exchanges.get(usize::from(*place))?.host.as_deref(),
            Whom::Named(host) => host.as_deref(),
        }
    }
}

/// Reads the answer that was asked of `host`.
fn read_answer(
    head: &Head,
    host: Option<&str>,
    body: Option<Body>,
    known: &FingerprintSet,
) -> Answer {
    let response = &head.response;
    let content_type = response.headers.first("content-type");
    let headers: SmallVec<[(&str, &str); 16]> = response.headers.iter().collect();
    let answer = fingerprint::Answer {
        host,
        status: Some(response.status),
        headers: &headers,
        ..fingerprint::Answer::default()
    };
    let said = body.map_or(Ok(Said::Nothing), |body| put_off(&answer, body, content_type));
    let (said, notice) = match said {
        Ok(said) => (said, find_notice(known, answer, None)),
        Err(body) => {
            let page = Page::read(content_type, &body.decoded().bytes);
            let notice = find_notice(known, answer, Some(&page));
            (Said::Read(Box::new(Reading::of(page, body.sha256()))), notice)
        }
    };
    Answer {
        begins: head.begins,
        request: head.asked.frame,
        status: Some(response.status),
        location: response.headers.first("location").map(Box::from),
        said,
        notice: notice.map(Box::new),
        alternate: false,
    }
}

/// The body as it is kept where its text decides nothing, so that it is read only if told; the body
/// itself where it is to be read.
fn put_off(
    answer: &fingerprint::Answer<'_>,
    mut body: Body,
    content_type: Option<&str>,
) -> Result<Said, Body> {
    if !body.codings.is_empty() || answer.is_text() {
        return Err(body);
    }
    let bytes = std::mem::take(&mut body.bytes);
    Excerpt::of(content_type, bytes).map(Said::Unread).map_err(|bytes| Body { bytes, ..body })
}

/// The known notice that the answer is, if its row may accuse anybody.
fn find_notice(
    known: &FingerprintSet,
    answer: fingerprint::Answer<'_>,
    page: Option<&Page>,
) -> Option<Notice> {
    let found = known.matches(&fingerprint::Answer {
        text: page.map_or("", |page| &page.text),
        title: page.and_then(|page| page.title.as_deref()),
        ..answer
    })?;
    found.strength.accuses().then(|| Notice {
        name: found.name.to_owned(),
        source: found.source.to_owned(),
        specific: found.strength == Strength::Specific,
    })
}

/// An exchange with the host and the target that it usually has.
const EXCHANGE_BYTES: usize = size_of::<Exchange>() + 64;

#[cfg(test)]
mod tests;
