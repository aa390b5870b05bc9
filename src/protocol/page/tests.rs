//! Pages as they were sent by devices, and pages that were not.

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS, WINDOWS_1251, WINDOWS_1256};
use proptest::prelude::*;

use super::*;

const KOREAN: &str =
    "이 사이트는 유해한 내용을 담고 있어 접속할 수 없습니다. 다른 사이트를 이용하여 주십시오.";

fn in_charset(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, failed) = encoding.encode(text);
    assert!(!failed);
    bytes.into_owned()
}

#[test]
fn the_charset_is_found_in_the_order_of_browsers() {
    let korean = in_charset(EUC_KR, KOREAN);
    let meta = [
        &b"<html><META http-equiv=Content-Type content='text/html; charset=ks_c_5601-1987'>"[..],
        &korean,
    ]
    .concat();
    let short = [&b"<meta charset=\"euc-kr\">"[..], &korean].concat();
    let bom = [&b"\xef\xbb\xbf"[..], KOREAN.as_bytes()].concat();
    let late = [&[b' '; 1024][..], b"<meta charset=windows-1251>", &korean].concat();
    let table: [(Option<&str>, &[u8], &str, CharsetSource); 9] = [
        (Some("text/html; charset=EUC-KR"), &korean, "EUC-KR", CharsetSource::Header),
        (Some("text/html;Charset = \"euc-kr\"; x"), &korean, "EUC-KR", CharsetSource::Header),
        (Some("text/html; charset=nonsense"), &meta, "EUC-KR", CharsetSource::Meta),
        (None, &meta, "EUC-KR", CharsetSource::Meta),
        (None, &short, "EUC-KR", CharsetSource::Meta),
        (None, &korean, "EUC-KR", CharsetSource::Guess),
        (Some("text/html; charset=windows-1251"), &bom, "UTF-8", CharsetSource::Bom),
        (None, &late, "EUC-KR", CharsetSource::Guess),
        (Some("text/html"), b"plain", "UTF-8", CharsetSource::Guess),
    ];
    for (content_type, body, charset, source) in table {
        let page = Page::read(content_type, body);
        assert_eq!((page.charset, page.charset_source), (charset, source), "{content_type:?}");
        assert!(page.text.ends_with("주십시오.") || page.text == "plain");
    }
}

#[test]
fn charsets_of_the_world_are_guessed() {
    let table = [
        (
            WINDOWS_1251,
            "Доступ к запрашиваемому ресурсу ограничен по решению суда. Обратитесь к оператору связи.",
        ),
        (
            WINDOWS_1256,
            "تم حجب هذا الموقع وفقا للقوانين المعمول بها في البلاد. يرجى الاتصال بمزود الخدمة.",
        ),
        (GBK, "您访问的网站含有不良信息，已被依法屏蔽。请联系网络管理员了解详细情况。"),
        (
            SHIFT_JIS,
            "このサイトは有害な情報を含むため、アクセスが制限されています。管理者にお問い合わせください。",
        ),
        (BIG5, "您所瀏覽的網站含有不當內容，已被依法封鎖。請與網路管理員聯絡以瞭解詳細情況。"),
        (EUC_KR, KOREAN),
    ];
    for (encoding, text) in table {
        let body = in_charset(encoding, &format!("<html><title>{text}</title></html>"));
        let page = Page::read(None, &body);
        assert_eq!((page.charset, page.title.as_deref()), (encoding.name(), Some(text)));
    }
}

#[test]
fn a_notice_from_iran_is_read() {
    let body = b"<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; \
        charset=windows-1256\"><title>M1-7\n</title></head><body><iframe src=\"http://10.10.34.34?\
        type=Invalid Site&policy=MainPolicy \" style=\"width: 100%\" frameborder=\"0\"></iframe>\
        </body></html>\r\n\r\n";
    let page = Page::read(None, body);
    assert_eq!(page.title.as_deref(), Some("M1-7"));
    assert_eq!((page.charset, page.charset_source), ("windows-1256", CharsetSource::Meta));
    assert_eq!(page.frames, ["http://10.10.34.34?type=Invalid Site&policy=MainPolicy"]);
    assert_eq!(page.text.as_bytes(), body);
}

#[test]
fn titles_and_addresses_are_taken_from_bad_markup() {
    let table = [
        ("<title>a</title>", Some("a")),
        (
            "<TITLE lang=en>\r\n Web&nbsp;page\tblocked &amp; &#x421;&#1090;op &bogus; &#0;</TiTlE>",
            Some("Web page blocked & Стop &bogus; \u{fffd}"),
        ),
        ("<title>never closed <b>x", Some("never closed <b>x")),
        ("<!-- <title>no</title> --><title>yes</title>", Some("yes")),
        ("<script>'<title>no</title>'</script ><title>yes", Some("yes")),
        ("<title></title><title>second</title>", Some("second")),
        ("<titles>x</titles>", None),
        ("<!-- <title>open comment</title>", None),
        ("< title>x</title>", None),
    ];
    for (source, title) in table {
        assert_eq!(Page::read(None, source.as_bytes()).title.as_deref(), title, "{source}");
    }
    let page = Page::read(
        None,
        b"<meta content=\"0;URL='http://a.example/?a=1&amp;b=2'\" http-equiv = Refresh>\
          <frame SRC=/x><iframe/src='y>z'><iframe><iframe src=\"unclosed>",
    );
    assert_eq!(page.refresh.as_deref(), Some("http://a.example/?a=1&b=2"));
    assert_eq!(page.frames, ["/x", "y>z", "unclosed"]);
    let reload = Page::read(None, b"<meta http-equiv=refresh content=30>");
    assert_eq!(reload.refresh, None);
}

#[test]
fn limits_hold() {
    let long = format!("<title>{0}</title>{1}{0}", "가".repeat(9000), "<iframe src=x>".repeat(50));
    let page = Page::read(None, long.as_bytes());
    assert_eq!(page.title.unwrap().chars().count(), TITLE_CHARS_MAX);
    assert_eq!((page.text.chars().count(), page.frames.len()), (TEXT_CHARS_MAX, FRAMES_MAX));
}

/// Input that a careless walk needs quadratic time for.
#[test]
fn hostile_markup_takes_linear_time() {
    let started = std::time::Instant::now();
    for piece in ["<a \"", "<!--", "</", "<title>", "<x =", "&#", "<script>", "<iframe src='"] {
        let source = piece.repeat((256 << 10) / piece.len());
        Page::read(Some("text/html; charset=utf-8"), source.as_bytes());
    }
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
}

proptest! {
    #[test]
    fn any_bytes_are_survived(content_type: Option<String>, body: Vec<u8>) {
        let page = Page::read(content_type.as_deref(), &body);
        prop_assert!(page.text.chars().count() <= TEXT_CHARS_MAX);
    }

    #[test]
    fn any_markup_is_survived(
        source in "(<|>|/|=|\"|'|&|;|#|!--|-->| |meta|title|iframe|src|content|http-equiv|refresh|url|x|가){0,60}",
    ) {
        Page::read(None, source.as_bytes());
    }

    #[test]
    fn a_title_comes_back(title in "[a-zA-Z가-힣 ]{0,40}[a-z]") {
        let page = Page::read(None, format!("<html><title>{title}</title>").as_bytes());
        let folded = title.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(page.title, Some(folded));
    }
}
