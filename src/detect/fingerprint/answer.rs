//! An HTTP answer, and the views of it in which patterns are looked for.

use std::cell::OnceCell;

use super::pattern::cut;
use super::visible::{folded, visible};

/// An HTTP answer as its parser hands it over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// Host that was asked for, without port. Where it is given, a site's own addresses never
    /// accuse it.
    pub host: Option<&'a str>,
    /// Status code.
    pub status: Option<u16>,
    /// Headers as name and value, in order.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body, decoded of its content encoding; read only where `text` is empty.
    pub body: &'a [u8],
    /// Body decoded to Unicode, with its markup.
    pub text: &'a str,
    /// Title, if the caller has read it.
    pub title: Option<&'a str>,
}

impl Answer<'_> {
    /// Whether its text is looked at: not where the headers say that it is none.
    pub fn is_text(&self) -> bool {
        self.content() != Content::Other
    }

    /// All header lines, one below the other.
    pub(super) fn head(&self) -> String {
        let bytes = self.headers.iter().map(|(name, value)| name.len() + value.len() + 3);
        let mut head = String::with_capacity(bytes.sum::<usize>().min(2 * Page::HEADERS_MAX));
        for (name, value) in read_headers(self.headers) {
            write_line(&mut head, name, value);
            head.push('\n');
        }
        head
    }

    /// The names of the headers that are read.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &str> {
        read_headers(self.headers).map(|(name, _)| name)
    }

    fn content(&self) -> Content {
        let mut headers = read_headers(self.headers);
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        found.map_or(Content::Page, |(_, value)| content_of(value))
    }
}

/// What kind of content the answer says it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    /// HTML or plain text, or nothing said.
    Page,
    /// Text that is not a page: a script, JSON, a style sheet, a feed.
    Text,
    /// Not text.
    Other,
}

/// A header line, written `Name: value`.
#[derive(Debug)]
pub(super) struct HeaderLine {
    /// Name in lower case.
    pub(super) name: String,
    /// Name with capitals, colon, space, value.
    pub(super) line: String,
    /// Where the value begins in `line`.
    pub(super) value_at: usize,
    /// Whether the header sends the reader elsewhere.
    pub(super) forwards: bool,
}

/// The views of one answer.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) headers: Vec<HeaderLine>,
    /// The document with its markup, cut to 64 KiB.
    pub(super) source: String,
    /// What a reader sees of it.
    pub(super) visible: String,
    pub(super) title: String,
    pub(super) host: Option<String>,
    visible_chars: usize,
    content: Content,
    cut_short: bool,
    /// Asked only when something accuses, and then once.
    article: OnceCell<bool>,
}

impl Page {
    /// Bytes of text that are read.
    const TEXT_MAX: usize = 64 * 1024;
    /// Bytes of headers that are read, together and each.
    const HEADERS_MAX: usize = 32 * 1024;
    const HEADER_MAX: usize = 4 * 1024;
    /// A page of fewer characters can be a notice whatever it says.
    const NOTICE_MIN: usize = 800;
    /// A page of more characters cannot.
    const NOTICE_MAX: usize = 3000;
    /// Between them, the matched words must make up this part of the page.
    const NOTICE_SHARE: usize = 16;

    pub(super) fn new(answer: &Answer<'_>) -> Self {
        let headers = header_lines(answer.headers, answer.status);
        let content = answer.content();
        let source = match content {
            Content::Other => String::new(),
            _ if answer.text.is_empty() => {
                let bytes = answer.body.get(..Self::TEXT_MAX).unwrap_or(answer.body);
                String::from_utf8_lossy(bytes).into_owned()
            }
            _ => cut(answer.text, Self::TEXT_MAX).to_owned(),
        };
        let visible = visible(&source);
        Self {
            visible_chars: visible.chars().count(),
            cut_short: answer.text.len().max(answer.body.len()) > Self::TEXT_MAX,
            title: answer
                .title
                .map(|title| folded(cut(title, Self::HEADER_MAX)))
                .unwrap_or_default(),
            host: answer.host.map(str::to_ascii_lowercase).filter(|host| host.contains('.')),
            headers,
            source,
            visible,
            content,
            article: OnceCell::new(),
        }
    }

    /// Whether a page of which these words are `chars` characters can be a notice at all.
    ///
    /// Notices are short: they say one thing. A page that says more is about something, be it
    /// about the notice.
    pub(super) fn can_be_notice(&self, chars: usize) -> bool {
        let limit = chars.saturating_mul(Self::NOTICE_SHARE);
        self.content == Content::Page
            && !self.cut_short
            && self.visible_chars <= limit.clamp(Self::NOTICE_MIN, Self::NOTICE_MAX)
            && !self.is_article()
    }

    /// Whether the page is marked up as an article or a feed.
    fn is_article(&self) -> bool {
        *self.article.get_or_init(|| {
            let lower = self.source.to_ascii_lowercase();
            ARTICLE_MARKS.iter().any(|mark| lower.contains(mark))
        })
    }
}

/// A Location sends the reader elsewhere on a redirection only (RFC 9110 §10.2.2).
fn forwards(name: &str, status: Option<u16>) -> bool {
    let redirection = status.is_none_or(|status| (300..400).contains(&status));
    name == "refresh" || (name == "location" && redirection)
}

/// The headers that are read, names and values cut.
fn read_headers<'a>(headers: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut left = Page::HEADERS_MAX;
    headers.iter().map_while(move |(name, value)| {
        let (name, value) = (cut(name, 256), cut(value.trim(), Page::HEADER_MAX));
        left = left.checked_sub(name.len())?.checked_sub(value.len())?;
        Some((name, value))
    })
}

fn header_lines(headers: &[(&str, &str)], status: Option<u16>) -> Vec<HeaderLine> {
    let lines = read_headers(headers).map(|(name, value)| {
        let lower = name.to_ascii_lowercase();
        let mut line = String::with_capacity(name.len() + value.len() + 2);
        write_line(&mut line, name, value);
        HeaderLine {
            line,
            value_at: name.len().saturating_add(2),
            forwards: forwards(&lower, status),
            name: lower,
        }
    });
    lines.collect()
}

/// Writes `content-type` as `Content-Type: value`: names are free of case (RFC 9110 §5.1), patterns
/// are not.
fn write_line(out: &mut String, name: &str, value: &str) {
    let begin = out.len();
    out.push_str(name);
    let Some(written) = out.get_mut(begin..) else { return };
    written.make_ascii_lowercase();
    let mut begins = true;
    for (at, byte) in name.bytes().enumerate() {
        // Where a word begins with more than a byte, there is nothing to write large.
        if begins && let Some(initial) = written.get_mut(at..=at) {
            initial.make_ascii_uppercase();
        }
        begins = byte == b'-';
    }
    out.push_str(": ");
    out.push_str(value);
}

fn content_of(content_type: &str) -> Content {
    const PAGES: [&str; 3] = ["text/html", "text/plain", "application/xhtml+xml"];
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is = |whole: &str| kind.eq_ignore_ascii_case(whole);
    let begins = |with: &str| kind.get(..with.len()).is_some_and(|k| k.eq_ignore_ascii_case(with));
    let ends = |with: &str| {
        let at = kind.len().checked_sub(with.len());
        at.and_then(|at| kind.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(with))
    };
    let has = |word: &str| {
        let mut places = kind.as_bytes().windows(word.len());
        places.any(|place| place.eq_ignore_ascii_case(word.as_bytes()))
    };
    if kind.is_empty() || PAGES.into_iter().any(is) {
        Content::Page
    } else if begins("text/") || ["xml", "json", "javascript"].into_iter().any(ends) {
        Content::Text
    } else if has("wap") || !kind.contains('/') {
        // WAP pages, and types that a careless injector makes up ("html").
        Content::Page
    } else {
        Content::Other
    }
}

/// Markup of news sites, blogs and feeds.
const ARTICLE_MARKS: [&str; 7] = [
    "<article",
    "newsarticle",
    "blogposting",
    "article:published_time",
    "content=\"article\"",
    "<rss",
    "<feed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_written_in_one_way() {
        let headers = [("x-squid-ERROR", " ERR_ACCESS_DENIED 0")];
        let lines = header_lines(&headers, None);
        assert_eq!(lines[0].line, "X-Squid-Error: ERR_ACCESS_DENIED 0");
        assert_eq!(&lines[0].line[lines[0].value_at..], "ERR_ACCESS_DENIED 0");
    }

    #[test]
    fn headers_that_forward() {
        for (name, status, expected) in [
            ("location", Some(302), true),
            ("location", None, true),
            ("location", Some(201), false),
            ("location", Some(200), false),
            ("refresh", Some(200), true),
            ("content-location", Some(302), false),
        ] {
            assert_eq!(forwards(name, status), expected, "{name} {status:?}");
        }
    }

    #[test]
    fn headers_are_bounded() {
        let value = "b".repeat(10_000);
        let headers = vec![("a", value.as_str()); 100];
        let total: usize = header_lines(&headers, None).iter().map(|line| line.line.len()).sum();
        assert!(total <= Page::HEADERS_MAX + 1000);
    }

    #[test]
    fn kinds_of_content() {
        for (value, expected) in [
            ("text/html; charset=utf-8", Content::Page),
            ("Text/HTML", Content::Page),
            ("html", Content::Page),
            ("application/json", Content::Text),
            ("text/css", Content::Text),
            ("application/rss+xml", Content::Text),
            ("image/png", Content::Other),
            ("application/octet-stream", Content::Other),
        ] {
            let headers = [("Content-Type", value)];
            let answer = Answer { headers: &headers, ..Answer::default() };
            assert_eq!(answer.content(), expected, "{value}");
            assert_eq!(answer.is_text(), expected != Content::Other, "{value}");
        }
        assert_eq!(Answer::default().content(), Content::Page);
    }
}
