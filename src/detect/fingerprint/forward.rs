//! Where a document sends its reader: frames, meta refresh, a script that sets `location`.

use super::pattern::cut;

/// Bytes before an address in which the forwarding markup must begin.
const LOOK_BACK: usize = 300;
/// Bytes after it in which a tag must end.
const LOOK_AHEAD: usize = 300;
/// Bytes between `location` and the address (`.replace("`, `.href = '`).
const SCRIPT_GAP: usize = 40;

/// Whether the document sends its reader to the address that begins at `at`.
pub(super) fn forwards_at(source: &str, at: usize) -> bool {
    let Some((before, after)) = source.split_at_checked(at) else { return false };
    let from = before.ceil_char_boundary(before.len().saturating_sub(LOOK_BACK));
    let before = before.get(from..).unwrap_or_default().to_ascii_lowercase();
    let after = cut(after, LOOK_AHEAD).to_ascii_lowercase();
    in_forwarding_tag(&before, &after) || in_script(&before)
}

fn in_forwarding_tag(before: &str, after: &str) -> bool {
    let Some((_, tag)) = before.rsplit_once('<') else { return false };
    if tag.contains('>') {
        return false;
    }
    let rest = after.split('>').next().unwrap_or_default();
    let frame = ["iframe", "frame"].iter().any(|name| opens(tag, name));
    let refresh = opens(tag, "meta") && (tag.contains("refresh") || rest.contains("refresh"));
    (frame && tag.contains("src")) || refresh
}

fn opens(tag: &str, name: &str) -> bool {
    tag.strip_prefix(name)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// `location = "`, `location.href="`, `location.replace('`; not `?location=` inside an address.
fn in_script(before: &str) -> bool {
    let Some((head, gap)) = before.rsplit_once("location") else { return false };
    let sets = gap.contains('=') || gap.contains('(');
    let quoted = gap.contains('"') || gap.contains('\'');
    let query = head.ends_with(['?', '&', ';', '-', '_']) && !head.ends_with("; ");
    sets && quoted && !query && gap.len() <= SCRIPT_GAP && !gap.contains([';', '<', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarding_and_mere_links() {
        for (source, expected) in [
            (r#"<iframe src="http://b.example/x"></iframe>"#, true),
            (r"<IFRAME width=1 SRC='http://b.example/x'>", true),
            (r#"<frameset rows="*"><frame src="http://b.example"></frameset>"#, true),
            (r#"<meta http-equiv="refresh" content="0;url=http://b.example/x">"#, true),
            (r#"<meta content="0;URL='http://b.example/x'" http-equiv="Refresh">"#, true),
            (r#"<script>window.location.replace("http://b.example/x")</script>"#, true),
            (r#"<body onload="location.href = 'http://b.example/x'">"#, true),
            (r#"<script>location="http://b.example";</script>"#, true),
            (r#"<a href="http://b.example/x">"#, false),
            (r#"<img src="http://b.example/x">"#, false),
            (r#"<meta property="og:url" content="http://b.example/x">"#, false),
            (r#"<a href="/go?location=http://b.example/x">"#, false),
            (r"<p>the location of http://b.example</p>", false),
            (r#"<iframe src="/a"></iframe> http://b.example"#, false),
            (r#"<frameless src="http://b.example">"#, false),
        ] {
            let at = source.find("http://b.example").unwrap();
            assert_eq!(forwards_at(source, at), expected, "{source}");
        }
        assert!(!forwards_at("short", 99));
    }
}
