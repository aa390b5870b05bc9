//! What a reader of a page would have seen of it.

/// The words of an HTML page: without tags, comments, scripts, styles and the title, white space
/// folded. Text that is no HTML comes out as it is. For quoting alone: entities stay as they are,
/// and what a style hides is shown.
pub(super) fn visible(page: &str) -> String {
    let mut words = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        words.push_str(before);
        // A tag parts words: "<br>" and "<p>" stand where a reader sees white space.
        words.push(' ');
        rest = after(tag);
    }
    words.push_str(rest);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What follows the tag, comment or unseen element that begins `tag`; nothing, if it never ends.
fn after(tag: &str) -> &str {
    let unseen = UNSEEN.iter().find(|(start, _)| {
        tag.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start))
    });
    let end = unseen.map_or(">", |(_, end)| end);
    let place = tag.char_indices().map(|(at, _)| at).find(|at| {
        let here = tag.get(*at..at + end.len());
        here.is_some_and(|here| here.eq_ignore_ascii_case(end))
    });
    let rest = place.and_then(|at| tag.get(at + end.len()..)).unwrap_or_default();
    // An end tag like "</script" still has to be closed.
    if end.starts_with("</") { rest.split_once('>').map_or("", |(_, rest)| rest) } else { rest }
}

/// How an element without visible words begins, after its `<`, and how it ends.
const UNSEEN: [(&str, &str); 4] =
    [("!--", "-->"), ("script", "</script"), ("style", "</style"), ("title", "</title")];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_a_reader_sees_is_left() {
        let cases = [
            ("plain  text\n", "plain text"),
            ("<h1>Warning!</h1><p>You can't", "Warning! You can't"),
            ("a<!-- <b>x</b> -->b", "a b"),
            ("<TITLE>T</TITLE >x<script>if (a<b) {}</SCRIPT>y<style>p{}</style>", "x y"),
            ("접속<br>차단", "접속 차단"),
            ("cut <in the mid", "cut"),
            ("x<script>never ends", "x"),
            ("", ""),
        ];
        for (page, words) in cases {
            assert_eq!(visible(page), words, "{page}");
        }
    }

    proptest! {
        #[test]
        fn any_page_is_read_to_its_end(page in "(?s)(<|>|!--|-->|</?script>|<title|é|x| ){0,40}") {
            let words = visible(&page);
            prop_assert!(words.len() <= page.len() && !words.contains('<'));
        }

        #[test]
        fn no_bytes_are_too_much(page: String) {
            prop_assert!(!visible(&page).contains('<'));
        }
    }
}
