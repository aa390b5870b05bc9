//! Every built-in row: a page that it must find, and innocent twins that it must not.

use super::super::list::List;
use super::super::pattern::Trust;
use super::super::row::Target;
use super::super::set::FingerprintSet;
use super::super::{Place, Scope, Strength};
use super::{Sample, prose};

const BUILTIN: &str = include_str!("../builtin.csv");

/// What the notice of each row says, or where it sends the reader.
const SHOWN: [(&str, &str); 54] = [
    (
        "koryolink_2015_english",
        "Warning! You can't connect to this website because it's in blacklist site.",
    ),
    (
        "koryolink_2015_korean_a",
        "경고! 이 싸이트는 유해로운 내용을 담고있으므로 접속할수 없습니다.",
    ),
    ("koryolink_2015_korean_b", "경고! 유해한 내용이 들어있는 싸이트입니다."),
    ("iran_frame", "http://10.10.34.34?type=Invalid Site&policy=MainPolicy"),
    ("iran_frame_ipv6", "http://[d0:0:0:0:0:0:0:11:80]"),
    ("iran_peyvandha", "http://peyvandha.ir/1-2"),
    ("korea_kcsc_forward", "http://www.warning.or.kr/i1.html"),
    ("korea_kcsc_text", "불법·유해 정보(사이트)에 대한 차단 안내"),
    ("saudi_text", "Sorry, the requested page is violating the regulations of Saudi Arabia"),
    (
        "turkey_5651",
        "aşağıdaki karara istinaden 5651 sayılı Kanun uyarınca Erişim Sağlayıcıları Birliği tarafından erişime engellenmiştir",
    ),
    (
        "thailand_mdes",
        "Sorry. Access to this website has been disabled because the Ministry of Digital Economy",
    ),
    (
        "myanmar_motc",
        "You have tried to access a web page which has been blocked as per directive received from the Ministry of Transport and Communications of Myanmar",
    ),
    (
        "malaysia_mcmc",
        "This website is not available in Malaysia as it violate(s) the National law(s)",
    ),
    ("indonesia_lamanlabuh", "http://lamanlabuh.aduankonten.id/"),
    ("indonesia_internetpositif", "http://internetpositif.uzone.id/?u=x"),
    ("indonesia_internet_positif_org", "http://internet-positif.org/site.block?d=x"),
    ("indonesia_mercusuar", "http://mercusuar.uzone.id/"),
    ("indonesia_trustpositif", "https://trustpositif.kominfo.go.id/"),
    (
        "india_dot_text",
        "The website has been blocked as per instructions from Department of Telecommunications of India.",
    ),
    (
        "india_dot_directions",
        "Your requested URL has been blocked as per the directions received from Department of Telecommunications, Government of India.",
    ),
    ("india_airtel_frame", "http://www.airtel.in/dot/?dpid=1&dpruleid=3"),
    (
        "pakistan_pta",
        "The site you are trying to access contains content that is prohibited for viewership from within Pakistan",
    ),
    (
        "russia_law_149",
        "Доступ к информационному ресурсу ограничен на основании Федерального закона от 27 июля 2006 г. № 149-ФЗ",
    ),
    ("russia_rkn_forward", "http://blocklist.rkn.gov.ru/"),
    ("russia_mts", "http://blocked.mts.ru/?u=x"),
    ("russia_beeline", "http://blackhole.beeline.ru/?url=x"),
    ("russia_rostelecom", "http://warning.rt.ru/?id=17"),
    ("russia_ertelecom", "http://lawfilter.ertelecom.ru/"),
    ("emirates_du", "http://lighthouse.du.ae?dpid=1"),
    ("emirates_etisalat", "http://proxy.etisalat.ae/proxy3/index.html"),
    ("qatar_censor", "http://www.censor.qa/?dpid=1"),
    ("oman_siteblocked", "http://siteblocked.om/?accessurl=x"),
    ("bahrain_anonymous", "http://www.anonymous.com.bh/"),
    ("kuwait_zain", "http://restrict.kw.zain.com:8080/webadmin/x"),
    ("yemen_yemennet", "http://deny.yemen.net.ye/x"),
    ("britain_court_orders", "http://www.ukispcourtorders.co.uk/"),
    (
        "australia_federal_court",
        "Access to this website has been disabled because the Federal Court of Australia has determined that it infringes copyright",
    ),
    (
        "fortiguard_text",
        "You have tried to access a web page which is in violation of your Internet usage policy.",
    ),
    ("fortiguard_ips", "FortiGuard Intrusion Prevention - Access Blocked"),
    ("netsweeper_deny", "http://172.16.0.9:8080/webadmin/deny/index.php?dpid=1"),
    ("bluecoat_notify", "http://notify.bluecoat.com/notify-NotifyUser1?x"),
    (
        "bluecoat_category",
        "Your request was denied because of its content categorization: \"Sports\"",
    ),
    ("websense_frame", "http://172.16.0.9:15871/cgi-bin/blockpage.cgi?ws-session=1"),
    ("zscaler_forward", "https://gateway.zscaler.net/auD?origurl=x"),
    ("umbrella_forward", "https://block.opendns.com/?url=x"),
    ("checkpoint_usercheck", "http://172.16.0.9/UserCheck/PortalMain?IID=1"),
    (
        "paloalto_text",
        "Access to the web page you were trying to visit has been blocked in accordance with company policy.",
    ),
    ("mcafee_title", "McAfee Web Gateway - Notification - Blocked by URL filtering"),
    ("sophos_utm", "The URL you have requested is blocked by Surf Protection."),
    ("watchguard_text", "Request denied by WatchGuard HTTP Proxy."),
    ("contentkeeper_text", "Blocked by ContentKeeper"),
    ("kerio_text", "This page has been blocked by Kerio Control"),
    ("squidguard_forward", "http://172.16.0.9/cgi-bin/squidGuard.cgi?clientaddr=1"),
    ("squid_denied", "ERR_ACCESS_DENIED 0"),
];

fn notices(target: &Target, shown: &str) -> Vec<Sample> {
    match target {
        Target::Forward => vec![
            Sample::redirect(shown),
            Sample::html(format!("<html><body><iframe src=\"{shown}\"></iframe></body></html>")),
            Sample::html(format!("<meta http-equiv=\"refresh\" content=\"0;url={shown}\">")),
        ],
        Target::Header(name) => vec![Sample::html("no").status(403).header(name, shown)],
        _ => vec![Sample::html(format!(
            "<html><head><title>{shown}</title></head><body><h1>{shown}</h1></body></html>"
        ))],
    }
}

/// Pages that have the same words and mean something else.
fn twins(target: &Target, shown: &str) -> Vec<Sample> {
    let long = prose(300);
    let quoted = format!("{} It reads: \u{201c}{shown}\u{201d} {}", prose(20), prose(20));
    let mut twins = vec![
        Sample::html(format!("<h1>News</h1><p>{long}</p><p>{shown}</p><p>{long}</p>")),
        Sample::html(format!("<article><h1>News</h1><p>{shown}</p></article>")),
        Sample::html(format!("<p>{quoted}</p>")),
    ];
    let script =
        Sample { text: format!("var notice = '{shown}';"), status: 200, ..Sample::default() };
    twins.push(script.header("Content-Type", "application/javascript"));
    if *target == Target::Forward {
        twins.push(Sample::html(format!("<p>See <a href=\"{shown}\">the notice</a></p>")));
        twins.push(Sample::redirect(&format!("https://login.example/?next={shown}")));
    }
    twins
}

#[test]
fn every_row_has_its_notice_and_its_twins() {
    let set = FingerprintSet::builtin();
    let list = List::read("builtin", BUILTIN.as_bytes(), (0, Trust::Foreign)).unwrap();
    assert_eq!(list.report.rejections, [], "every row loads");
    assert_eq!(list.rows.len(), SHOWN.len());
    for row in &list.rows {
        let (_, shown) = SHOWN.iter().find(|(name, _)| *name == row.name).expect(&row.name);
        for sample in notices(&row.target, shown) {
            let found = sample.matched(&set).unwrap_or_else(|| panic!("{} not found", row.name));
            let wider = found.scope >= row.scope && found.strength >= row.rating.most();
            assert!(found.name == row.name || wider, "{} found as {found:?}", row.name);
            assert!(found.strength >= row.rating.most(), "{} found as {found:?}", row.name);
        }
        for twin in twins(&row.target, shown) {
            assert_eq!(twin.accused(&set), None, "twin of {}: {}", row.name, twin.text);
        }
    }
}

#[test]
fn koryolink_in_the_forms_that_servers_give_it() {
    let set = FingerprintSet::builtin();
    for text in [
        "Warning! You can't connect to this website because it's in blacklist site.",
        "<b>Warning!</b><br>You can&#39;t connect to this website because it&#39;s in blacklist site.",
        "<p>You can\u{2019}t  connect\r\n to this website because it\u{2019}s in blacklist site</p>",
        "WARNING ! You can&rsquo;t connect to<br/>this website<br/>because it&rsquo;s in blacklist site.",
        "You can\u{fffd}t connect to this website because it\u{fffd}s in blacklist site.",
        "<h2>Warning!</h2><p>You can't connect to this website because it's in blacklist site.</p>\
         <p>경고! 이 싸이트는 유해로운 내용을 담고있습니다.</p><p>Koryolink 2015</p>",
    ] {
        let found = Sample::html(text).matched(&set).expect(text);
        assert_eq!(found.name, "koryolink_2015_english", "{text}");
        assert_eq!((found.strength, found.scope), (Strength::Specific, Scope::National));
        assert_eq!(found.countries, ["KP"]);
        assert_eq!((found.list, found.place), ("builtin", Place::Text));
        assert!(found.source.contains("Associated Press"));
    }
}

#[test]
fn koryolink_in_a_short_news_item_is_a_mention() {
    let set = FingerprintSet::builtin();
    let item = "<h1>Instagram blocked</h1><p>Opening the app with mobile devices on the carrier \
                Koryolink has resulted in a notification in English: \u{201c}Warning! You can\u{2019}t \
                connect to this website because it\u{2019}s in blacklist site.\u{201d} A similar \
                notice in Korean says that the site contains harmful content.</p>";
    let found = Sample::html(item).matched(&set).unwrap();
    assert_eq!((found.name, found.strength), ("koryolink_2015_english", Strength::Mention));
}

#[test]
fn southern_korean_notices_are_not_the_northern_one() {
    let set = FingerprintSet::builtin();
    let text = "<p>귀하가 접속하려고 하는 사이트에서 불법·유해 내용이 제공되고 있어 접속이 차단되었습니다.</p>";
    assert_eq!(Sample::html(text).matched(&set), None);
}

#[test]
fn a_site_that_forwards_within_itself_is_not_accused() {
    let set = FingerprintSet::builtin();
    for (host, location) in [
        ("blocked.mts.ru", "https://blocked.mts.ru/?u=1"),
        ("mts.ru", "http://blocked.mts.ru/"),
        ("warning.or.kr", "http://www.warning.or.kr/i1.html"),
    ] {
        assert_eq!(Sample::redirect(location).host(host).accused(&set), None, "{host}");
        let other = Sample::redirect(location).host("news.example");
        assert_eq!(other.accused(&set).map(|found| found.strength), Some(Strength::Specific));
    }
}
