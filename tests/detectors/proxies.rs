//! A page or certificate from a transparent proxy, from the packets to the verdict, beside the
//! recordings that come nearest to it.

use std::collections::BTreeMap;

use tamperscope::capture::Input;
use tamperscope::evidence::{Confidence, Finding, HostVerdict, Kind, Signal};
use tamperscope::pipeline::Analysis;

use crate::run::{analyze, settings};

const NOTICE: &str = "<html><head><title>Warning!</title></head><body>Warning! You can't connect to this website because it's in blacklist site.</body></html>";
const STOCK: &str = "<html><head><title>Access Denied</title></head><body><blockquote>Your request was denied because of its content categorization: 'News'</blockquote></body></html>";
const OWN: &str = "<html><head><title>Shop</title></head><body>Shoes.</body></html>";

const PHOTOS: Server = Server { ip: [104, 16, 132, 229], name: "www.instagram.com" };
const NEWS: Server = Server { ip: [104, 244, 42, 1], name: "www.nknews.org" };
const SHOP: Server = Server { ip: [93, 184, 215, 14], name: "example-shop.net" };

/// Address and port.
type Endpoint = ([u8; 4], u16);
/// Flags, sequence and acknowledgment number.
type Header = (u8, u32, u32);

#[derive(Clone, Copy)]
struct Server {
    ip: [u8; 4],
    name: &'static str,
}

/// From how far a port answers.
#[derive(Clone, Copy)]
struct Way {
    ttl: u8,
    micros: u64,
}

const PROXY: Way = Way { ttl: 63, micros: 4_000 };
const FAR: Way = Way { ttl: 53, micros: 40_000 };

/// IP packets of one recording, each connection after the one before.
#[derive(Default)]
struct Tape {
    bytes: Vec<u8>,
    micros: u64,
    port: u16,
}

impl Tape {
    /// A request on port 80, and the page that answers it.
    fn http(&mut self, server: Server, way: Way, page: &str) {
        let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.name);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
        self.connection((server, 80), way, request.as_bytes(), answer.as_bytes());
    }

    /// A TLS hello on port 443, and a `ServerHello`.
    fn tls(&mut self, server: Server, way: Way) {
        let name = server.name.as_bytes();
        let of = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
        let listed = of(&[&[0][..], &of(name)].concat());
        let extensions = of(&[&[0, 0][..], &of(&listed)].concat());
        let hello =
            [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0xc0, 0x2f], &[1, 0], &extensions].concat();
        let answer = [&[3, 3][..], &[9; 32], &[0], &[0xc0, 0x2f, 0]].concat();
        let record = |kind: u8, body: &[u8]| {
            let len = body.len() as u32;
            let message = [&[kind][..], &len.to_be_bytes()[1..], body].concat();
            [&[22, 3, 1][..], &of(&message)].concat()
        };
        self.connection((server, 443), way, &record(1, &hello), &record(2, &answer));
    }

    fn connection(&mut self, (server, to): (Server, u16), way: Way, asks: &[u8], says: &[u8]) {
        const SYN: u8 = 2;
        const ACK: u8 = 16;
        self.port += 1;
        self.micros += 500_000;
        let (here, there) = (([198, 51, 100, 10], 40_000 + self.port), (server.ip, to));
        let (end, heard) = (101 + asks.len() as u32, 501 + says.len() as u32);
        let begins = self.micros;
        let after = |trips: u64| begins + trips * (way.micros + 100);
        let script: [(u64, bool, Header, &[u8]); 6] = [
            (after(0), true, (SYN, 100, 0), &[]),
            (after(1), false, (SYN | ACK, 500, 101), &[]),
            (after(1) + 10, true, (ACK, 101, 501), &[]),
            (after(1) + 20, true, (ACK, 101, 501), asks),
            (after(2), false, (ACK, 501, end), says),
            (after(2) + 10, true, (ACK, end, heard), &[]),
        ];
        for (micros, up, header, payload) in script {
            let (src, dst, ttl) = if up { (here, there, 64) } else { (there, here, way.ttl) };
            self.packet(micros, (src, dst, ttl), header, payload);
        }
        self.micros = after(3);
    }

    fn packet(
        &mut self,
        micros: u64,
        (src, dst, ttl): (Endpoint, Endpoint, u8),
        (flags, seq, ack): Header,
        payload: &[u8],
    ) {
        let len = 40 + payload.len() as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(len.to_be_bytes());
        packet.extend([0, 0, 0x40, 0, ttl, 6, 0, 0]);
        packet.extend(src.0);
        packet.extend(dst.0);
        packet.extend(src.1.to_be_bytes());
        packet.extend(dst.1.to_be_bytes());
        packet.extend(seq.to_be_bytes());
        packet.extend(ack.to_be_bytes());
        packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(payload);
        let (seconds, part) = ((micros / 1_000_000) as u32, (micros % 1_000_000) as u32);
        for field in [seconds, part, packet.len() as u32, packet.len() as u32] {
            self.bytes.extend(field.to_le_bytes());
        }
        self.bytes.extend(packet);
    }

    fn analysis(&self) -> Analysis {
        const RAW: u32 = 101;
        let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0]);
        file.extend(RAW.to_le_bytes());
        file.extend(&self.bytes);
        let input = Input::Bytes { name: "made".to_owned(), bytes: file.into() };
        analyze(&[input], &settings())
    }
}

/// Each site by both ways: port 80 as given, TLS from afar.
fn tape(sites: &[(Server, Way, &str)]) -> Tape {
    let mut tape = Tape::default();
    for (server, way, page) in sites {
        tape.http(*server, *way, page);
        tape.tls(*server, FAR);
    }
    tape
}

fn surest(analysis: &Analysis) -> Option<Confidence> {
    analysis.findings.iter().map(|finding| finding.confidence).max()
}

fn found<'a>(analysis: &'a Analysis, host: &str) -> &'a Finding {
    let named = |finding: &&Finding| finding.host.as_deref() == Some(host);
    analysis.findings.iter().find(named).unwrap()
}

#[test]
fn a_country_s_notice_from_a_proxy_is_likely_and_what_it_relays_is_untouched() {
    let sites = [(PHOTOS, PROXY, NOTICE), (NEWS, PROXY, NOTICE), (SHOP, PROXY, OWN)];
    let analysis = tape(&sites).analysis();
    assert_eq!(analysis.findings.len(), 2, "{:?}", analysis.findings);
    let finding = found(&analysis, PHOTOS.name);
    assert_eq!((finding.kind, finding.confidence), (Kind::Response, Confidence::Likely));
    let signals: Vec<Signal> = finding.evidence.iter().map(|fact| fact.signal).collect();
    for signal in [Signal::BlockPage, Signal::HandshakeFast, Signal::TtlShift, Signal::OneVoice] {
        assert!(signals.contains(&signal), "{signals:?}");
    }
    assert_eq!(finding.against, []);
    let page = finding.block_page.as_ref().unwrap();
    assert!(page.text.contains("blacklist site"), "{}", page.text);
    let injector = finding.injector.as_ref().unwrap();
    assert_eq!((injector.hops_max, injector.server_hops), (Some(1), Some(11)));
    let hosts: BTreeMap<&str, (HostVerdict, &[u16])> = analysis
        .hosts
        .iter()
        .map(|host| (&*host.host, (host.verdict, &host.untouched_ports[..])))
        .collect();
    assert_eq!(hosts[PHOTOS.name], (HostVerdict::Partly, &[443][..]));
    assert_eq!(hosts[SHOP.name], (HostVerdict::Untouched, &[80, 443][..]));
}

#[test]
fn a_site_behind_the_same_proxy_that_quotes_the_notice_in_an_article_is_untouched() {
    let article = NOTICE.replace("<body>", "<body><article>In 2015 users read: ");
    let sites = [(PHOTOS, PROXY, &*article), (NEWS, PROXY, OWN), (SHOP, PROXY, OWN)];
    assert_eq!(surest(&tape(&sites).analysis()), None);
}

#[test]
fn a_site_that_shows_the_words_itself_is_at_most_worth_a_look() {
    let sites = [(PHOTOS, FAR, NOTICE), (NEWS, FAR, OWN), (SHOP, FAR, OWN)];
    let mut tape = tape(&sites);
    tape.tls(PHOTOS, FAR);
    let analysis = tape.analysis();
    assert_eq!(surest(&analysis), Some(Confidence::Possible));
    let against: Vec<Signal> =
        analysis.findings[0].against.iter().map(|fact| fact.signal).collect();
    assert!(against.contains(&Signal::TtlMatch), "{against:?}");
}

#[test]
fn a_cache_before_one_site_is_no_proxy() {
    let near = Way { ttl: 61, micros: 9_000 };
    let sites = [(PHOTOS, PROXY, NOTICE), (NEWS, FAR, OWN), (SHOP, near, OWN)];
    assert_eq!(surest(&tape(&sites).analysis()), Some(Confidence::Possible));
}

#[test]
fn a_proxy_that_keeps_nobody_away_is_nothing() {
    let sites = [(PHOTOS, PROXY, OWN), (NEWS, PROXY, OWN), (SHOP, PROXY, OWN)];
    assert_eq!(surest(&tape(&sites).analysis()), None);
}

#[test]
fn a_product_s_page_from_a_proxy_is_worth_a_look() {
    let sites = [(PHOTOS, PROXY, STOCK), (NEWS, PROXY, STOCK), (SHOP, PROXY, OWN)];
    let analysis = tape(&sites).analysis();
    assert_eq!(surest(&analysis), Some(Confidence::Possible));
    assert_eq!(analysis.findings.len(), 2);
}

#[test]
fn a_maker_of_filters_that_shows_its_own_page_is_nothing() {
    for way in [PROXY, FAR] {
        let mut tape = Tape::default();
        tape.http(PHOTOS, way, STOCK);
        tape.http(NEWS, way, OWN);
        assert_eq!(surest(&tape.analysis()), None);
    }
}
