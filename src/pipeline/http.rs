//! What the two directions of an HTTP/1 connection say, request joined to answer.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::talk::{Around, Hosts};
use crate::detect::fingerprint::{self, FingerprintSet, Strength};
use crate::detect::{Answer, Notice, Trigger};
use crate::evidence::{BlockPage, HostSource, HttpExchange};
use crate::protocol::{
    Body, Excerpt, Page, Request, RequestEvent, RequestReader, Response, ResponseEvent,
    ResponseReader,
};
use crate::stream::Overlap;
use crate::wire::{Direction, FrameId};

/// The readers of both directions, and the exchanges read.
#[derive(Debug, Default)]
pub(super) struct HttpTalk {
    requests: RequestReader,
    responses: Answers,
    /// The frame of the last bytes of each direction: what a gap or the end brings to light was
    /// carried by it.
    last: [FrameId; 2],
    /// Exchanges in order; those from `unanswered` on still wait.
    exchanges: Vec<HttpExchange>,
    waiting: VecDeque<Asked>,
    /// The other version of the answer, where two copies differ.
    alternate: Option<Box<Alternate>>,
    /// Answers may be missing: the next one is that to the last request.
    answers_lost: bool,
}

/// What a push brings: a head, a body and its end at most, as a rule.
type Events<E> = SmallVec<[E; 3]>;

/// A request that waits for its answer.
#[derive(Clone, Debug, Default)]
struct Asked {
    host: Option<String>,
    frame: Option<FrameId>,
    /// Its place among the recorded exchanges; later ones are not recorded.
    place: Option<usize>,
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
                self.asked(events, frame, around);
            }
            Direction::ToClient => {
                let mut events = Events::new();
                self.responses.reader.push(bytes, &mut |event| events.push(event));
                self.answered(events, frame, around);
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
                self.asked(events, last_request, around);
            }
            Direction::ToClient => {
                let mut events = Events::new();
                self.responses.reader.gap(missing, &mut |event| events.push(event));
                self.answered(events, last_answer, around);
            }
        }
    }

    /// The server's FIN: its stream ends here.
    pub(super) fn closes(&mut self, around: &mut Around<'_>) {
        let [_, last_answer] = self.last;
        let mut events = Events::new();
        self.responses.reader.closes(&mut |event| events.push(event));
        self.answered(events, last_answer, around);
    }

    /// Nothing more will come: what is open is told as far as it is known.
    pub(super) fn end(&mut self, around: &mut Around<'_>) {
        let [last_request, last_answer] = self.last;
        let mut events = Events::new();
        self.requests.end(&mut |event| events.push(event));
        self.asked(events, last_request, around);
        let mut events = Events::new();
        self.responses.reader.end(&mut |event| events.push(event));
        self.answered(events, last_answer, around);
        if let Some(mut alternate) = self.alternate.take() {
            let mut events = Events::new();
            alternate.answers.reader.end(&mut |event| events.push(event));
            let last = alternate.last;
            alternate.read(events, last, around);
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
        alternate.read(events, overlap.later_frame, around);
        alternate.answers.note_begin(overlap.later_frame);
    }

    /// The exchanges recorded so far.
    pub(super) fn exchanges(&self) -> &[HttpExchange] {
        &self.exchanges
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

    pub(super) fn is_done(&self) -> bool {
        !self.requests.wants_more() && !self.responses.reader.wants_more()
    }

    /// Bytes held, this value included, about.
    pub(super) fn held_bytes(&self) -> usize {
        let exchanges = self.exchanges.capacity() * EXCHANGE_BYTES
            + self.waiting.capacity() * size_of::<Asked>();
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
            host: exchange.host.clone(),
            frame: exchange.frame,
            place: None,
        })
    }

    fn asked(&mut self, events: Events<RequestEvent>, frame: FrameId, around: &mut Around<'_>) {
        for event in events {
            if let RequestEvent::Request(request) = event {
                self.responses.reader.expect(&request.method);
                self.ask(*request, frame, around);
            }
        }
    }

    fn ask(&mut self, request: Request, frame: FrameId, around: &mut Around<'_>) {
        let host = request.host.clone();
        let boxed = host.clone().map(String::into_boxed_str);
        around.watch.named(Trigger { frame, host: boxed, source: HostSource::Http });
        let place = self.record(HttpExchange {
            host: request.host,
            method: Some(request.method),
            target: Some(request.target),
            frame: Some(frame),
            status: None,
            status_frame: None,
            lenient: request.lenient,
        });
        if self.waiting.len() < Self::WAITING_MAX {
            if self.waiting.is_empty() {
                self.waiting.reserve_exact(1);
            }
            self.waiting.push_back(Asked { host, frame: Some(frame), place });
        }
    }

    fn record(&mut self, exchange: HttpExchange) -> Option<usize> {
        (self.exchanges.len() < Self::EXCHANGES_MAX).then(|| {
            if self.exchanges.is_empty() {
                // Most connections have one.
                self.exchanges.reserve_exact(1);
            }
            self.exchanges.push(exchange);
            self.exchanges.len() - 1
        })
    }

    fn answered(&mut self, events: Events<ResponseEvent>, frame: FrameId, around: &mut Around<'_>) {
        for event in events {
            match event {
                ResponseEvent::Response(response) if !response.interim => {
                    let asked = self.next_asked();
                    self.note_status(&asked, &response, frame);
                    self.responses.begin(response, asked, frame);
                }
                ResponseEvent::Lost => self.answers_lost = true,
                ResponseEvent::Upgraded => self.requests.upgraded(&mut |_| {}),
                event => self.responses.judge(event, false, around),
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
        self.waiting.pop_front().unwrap_or_default()
    }

    fn note_status(&mut self, asked: &Asked, response: &Response, frame: FrameId) {
        let place = asked.place.or_else(|| match asked.frame {
            // An answer whose request the capture lacks.
            None => self.record(HttpExchange::default()),
            Some(_) => None,
        });
        if let Some(exchange) = place.and_then(|place| self.exchanges.get_mut(place)) {
            exchange.status = Some(response.status);
            exchange.status_frame = Some(frame);
            exchange.lenient |= response.lenient;
        }
    }
}

impl Alternate {
    fn read(&mut self, events: Events<ResponseEvent>, frame: FrameId, around: &mut Around<'_>) {
        for event in events {
            match event {
                ResponseEvent::Response(response) if !response.interim => {
                    self.answers.begin(response, self.asked.clone(), frame);
                }
                event => self.answers.judge(event, true, around),
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
    fn judge(&mut self, event: ResponseEvent, alternate: bool, around: &mut Around<'_>) {
        let body = match event {
            ResponseEvent::Body(body) => Some(body),
            ResponseEvent::End { .. } => None,
            _ => return,
        };
        let Some(head) = self.head.take() else { return };
        around.watch.answer(read_answer(head, body.as_deref(), alternate, around));
    }
}

fn read_answer(head: Head, body: Option<&Body>, alternate: bool, around: &Around<'_>) -> Answer {
    let Head { begins, asked, response } = head;
    let location = response.headers.first("location").map(str::to_owned);
    let content_type = response.headers.first("content-type").map(str::to_owned);
    let headers: SmallVec<[(&str, &str); 16]> = response.headers.iter().collect();
    let answer = fingerprint::Answer {
        host: asked.host.as_deref(),
        status: Some(response.status),
        headers: &headers,
        ..fingerprint::Answer::default()
    };
    let unread = body.and_then(|body| put_off(&answer, body, content_type.as_deref()));
    let page = match (&unread, body) {
        (Some(_), _) => None,
        (None, Some(body)) => Some(Page::read(content_type.as_deref(), &body.decoded().bytes)),
        (None, None) => Some(Page::read(content_type.as_deref(), &[])),
    };
    let notice = find_notice(&around.settings.fingerprints, answer, page.as_ref());
    let sha256 = body.filter(|_| unread.is_none()).map(Body::sha256);
    let charset = page.as_ref().filter(|_| body.is_some()).map(Page::charset_told);
    let (title, text) = page.map(|page| (page.title, page.text)).unwrap_or_default();
    Answer {
        begins,
        request: asked.frame,
        notice,
        alternate,
        page: BlockPage {
            status: Some(response.status),
            charset,
            title,
            text,
            sha256: sha256.unwrap_or_default(),
            location,
            fingerprint: None,
        },
        unread,
    }
}

/// The body as it is kept where its text decides nothing, so that it is read only if told.
fn put_off(
    answer: &fingerprint::Answer<'_>,
    body: &Body,
    content_type: Option<&str>,
) -> Option<Excerpt> {
    let plain = body.codings.is_empty() && !answer.is_text();
    plain.then(|| Excerpt::of(content_type, &body.bytes))?
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
const EXCHANGE_BYTES: usize = size_of::<HttpExchange>() + 64;

#[cfg(test)]
mod tests;
