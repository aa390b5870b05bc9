//! What a body says when it is read as a page: title, text, where it leads.
//!
//! *Enters:* a body without its codings. *Leaves:* a [`Page`], or an [`Excerpt`] to read it from
//! later. *Kept:* nothing. *Bounds:* every list and text has a stated limit, and each byte is looked
//! at a fixed number of times. *Not done:* this is no browser; scripts are skipped, and no tree is
//! built.

mod charset;
mod excerpt;
mod markup;

pub use charset::CharsetSource;
pub use excerpt::Excerpt;

use encoding_rs::Encoding;

use crate::protocol::text::first_chars;
use markup::{Tag, Tags};

/// A body read as a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The title, entities resolved, white space folded, at most 500 characters.
    pub title: Option<String>,
    /// The charset it was read with, by its name in the Encoding Standard, as `EUC-KR`.
    pub charset: &'static str,
    /// How that charset was found.
    pub charset_source: CharsetSource,
    /// The first 2,000 characters of the source, mark-up included.
    pub text: String,
    /// Where a `<meta http-equiv=refresh>` leads.
    pub refresh: Option<String>,
    /// What its frames show, at most 16 addresses.
    pub frames: Vec<String>,
}

impl Page {
    /// Reads `body`; `content_type` is the value of that header.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Self {
        Self::read_in(content_type.and_then(charset::parameter), body)
    }

    /// Reads `body`, of which the header names the charset `named`.
    fn read_in(named: Option<&'static Encoding>, body: &[u8]) -> Self {
        let found = charset::find(named, body);
        let (source, _) = found.encoding.decode_with_bom_removal(body);
        let mut page = Self {
            title: None,
            charset: found.encoding.name(),
            charset_source: found.source,
            text: first_chars(&source, TEXT_CHARS_MAX).to_owned(),
            refresh: None,
            frames: Vec::new(),
        };
        let mut tags = Tags::of(&source);
        while let Some(tag) = tags.next() {
            page.note(&tag, &mut tags);
        }
        page
    }

    /// The charset and, in brackets, how it was found.
    pub fn charset_told(&self) -> String {
        format!("{} ({})", self.charset, self.charset_source.name())
    }

    fn note(&mut self, tag: &Tag<'_>, tags: &mut Tags<'_>) {
        match () {
            () if tag.is("title") && self.title.is_none() => {
                let title = markup::plain_text(tags.text_until_end_of("title"), TITLE_CHARS_MAX);
                self.title = Some(title).filter(|title| !title.is_empty());
            }
            () if tag.is("meta") && self.refresh.is_none() => {
                let attributes = tag.attributes();
                if attributes.value("http-equiv").is_some_and(|v| v.eq_ignore_ascii_case("refresh"))
                {
                    self.refresh = attributes.value("content").as_deref().and_then(refresh_url);
                }
            }
            () if (tag.is("iframe") || tag.is("frame")) && self.frames.len() < FRAMES_MAX => {
                self.frames.extend(tag.attributes().value("src").map(|url| cut(&url)));
            }
            () => {}
        }
    }
}

/// The address in `5; url='http://example.org/'`; a refresh of the page itself has none.
fn refresh_url(content: &str) -> Option<String> {
    let (_, rest) = content.split_once([';', ','])?;
    let rest = rest.trim_start();
    let url = match rest.split_at_checked(3) {
        Some((word, after)) if word.eq_ignore_ascii_case("url") => {
            after.trim_start().strip_prefix('=').unwrap_or(rest)
        }
        _ => rest,
    };
    let url = url.trim().trim_matches(['"', '\'']).trim();
    (!url.is_empty()).then(|| cut(url))
}

fn cut(url: &str) -> String {
    first_chars(url.trim(), URL_CHARS_MAX).to_owned()
}

/// As the contract's `block_page.text` says.
const TEXT_CHARS_MAX: usize = 2000;

const TITLE_CHARS_MAX: usize = 500;

const URL_CHARS_MAX: usize = 2000;

const FRAMES_MAX: usize = 16;

#[cfg(test)]
mod tests;
