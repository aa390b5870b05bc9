//! Tests of the room as a whole: the built-in list, innocent pages, list formats, public lists.

mod builtin;
mod formats;
mod pages;
mod public;

use super::{Answer, FingerprintSet, Match};

/// The content of an answer for tests.
#[derive(Default)]
struct Sample {
    host: Option<&'static str>,
    status: u16,
    headers: Vec<(String, String)>,
    text: String,
    title: Option<String>,
}

impl Sample {
    fn html(text: impl Into<String>) -> Self {
        let text = text.into();
        let title = text
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"))
            .map(|(title, _)| title.to_owned());
        Self { status: 200, text, title, ..Self::default() }.header("Content-Type", "text/html")
    }

    fn redirect(location: &str) -> Self {
        let text = "<html><head><title>302 Found</title></head><body><center><h1>302 Found</h1>\
                    </center><hr><center>nginx</center></body></html>";
        Self { status: 302, ..Self::html(text) }.header("Location", location)
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn host(self, host: &'static str) -> Self {
        Self { host: Some(host), ..self }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn matched<'a>(&self, set: &'a FingerprintSet) -> Option<Match<'a>> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        set.matches(&Answer {
            host: self.host,
            status: Some(self.status),
            headers: &headers.collect::<Vec<_>>(),
            body: self.text.as_bytes(),
            text: &self.text,
            title: self.title.as_deref(),
        })
    }

    /// Name of the row that accuses, if any does.
    fn accused<'a>(&self, set: &'a FingerprintSet) -> Option<Match<'a>> {
        self.matched(set).filter(|found| found.strength.accuses())
    }
}

/// Text of a news article, `words` words long.
fn prose(words: usize) -> String {
    let text = "The agency reported on Monday that the service could still be used on some phones \
                while others showed the notice and that nobody could say who had ordered it ";
    text.split(' ').cycle().take(words).collect::<Vec<_>>().join(" ")
}
