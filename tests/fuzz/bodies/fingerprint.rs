//! Any list of fingerprints, against any answer.
//!
//! Head: length of the list (2), length of the host (1), the list, the host. The rest is an
//! answer, head and body, as it would be on the wire.

use std::sync::LazyLock;

use tamperscope::detect::fingerprint::{Answer, FingerprintSet};
use tamperscope::protocol::{Page, ResponseEvent, ResponseReader};

use super::head::Head;

/// A list is loaded or refused, never half; and both lists can be held against the answer.
pub fn check(bytes: &[u8]) {
    static BUILTIN: LazyLock<FingerprintSet> = LazyLock::new(FingerprintSet::builtin);
    let mut head = Head(bytes);
    let (list_len, host_len) = (head.u16(), head.u8());
    let (list, host) = (head.bytes(usize::from(list_len)), head.bytes(usize::from(host_len)));
    let mut set = FingerprintSet::default();
    match set.load("fuzz", list) {
        Ok(report) => {
            let [source] = &set.sources()[..] else { panic!("one list, one source") };
            assert_eq!(source.entries, report.entries());
        }
        Err(_) => assert!(set.sources().is_empty() && set.dns_entries().is_empty()),
    }
    let seen = Seen::read(head.0);
    let host = std::str::from_utf8(host).ok();
    let headers = seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = headers.collect();
    for known in [&set, &*BUILTIN] {
        for text in ["", seen.page.text.as_str()] {
            let answer = Answer {
                host,
                status: seen.status,
                headers: &headers,
                body: &seen.body,
                text,
                title: seen.page.title.as_deref(),
            };
            let first = known.matches(&answer);
            assert_eq!(first, known.matches(&answer), "the same answer, the same match");
        }
    }
}

struct Seen {
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    page: Page,
}

impl Seen {
    /// What is no answer is a body.
    fn read(bytes: &[u8]) -> Self {
        let mut reader = ResponseReader::new();
        let (mut status, mut headers, mut body) = (None, Vec::new(), None);
        let mut note = |event| match event {
            ResponseEvent::Response(response) => {
                status = Some(response.status);
                let list = response.headers.iter();
                headers = list.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            }
            ResponseEvent::Body(found) => body = Some(found.decoded().bytes.into_owned()),
            _ => {}
        };
        reader.push(bytes, &mut note);
        reader.end(&mut note);
        let body = body.unwrap_or_else(|| bytes.to_vec());
        let page = Page::read(None, &body);
        Self { status, headers, body, page }
    }
}
