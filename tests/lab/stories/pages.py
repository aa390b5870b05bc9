"""Substituted and injected answers, seen near the client."""

import pages
from story import story
from stories.resets import HOSTS, ONLY, rst

WEB = {"http_host": ["blocked.example"]}
DENIED = "Access denied"


def answer(payload, **fields):
    """A forged answer: by default without timestamps and from TTL 128."""
    return {"to": "client", "flags": "PA", "ttl": 128, "payload": payload, **fields}


@story(scenario={"triggers": WEB, "forge": [answer(pages.notice())]}, hosts=HOSTS,
       page_title=DENIED, page_status=403)
def page_beside_path(lab):
    """A 403 notice is injected; the server's true answer follows and overlaps it.

    The forged segment and the server's own claim the same sequence numbers with other bytes. The
    client's stack keeps the first. The forged one has no timestamp option though timestamps were
    negotiated, and another TTL.
    """
    lab.curl("http://blocked.example/")
    lab.curl("http://open.example/")


@story(scenario={"triggers": WEB, "forge": [
    answer(pages.notice("200 OK"), flags="FPA", ttl=250, ipid=1)]}, hosts=ONLY,
       page_title=DENIED, page_status=200, files=("capture.pcapng",))
def page_beside_path_fin(lab):
    """The forged page carries a FIN and IP-ID 1, so that the true answer finds a closed client.

    The page calls itself 200. The server's answer, of another length, comes after it.
    """
    lab.curl("http://blocked.example/")


@story(scenario={"triggers": WEB, "swallow": "flow", "finish": True,
                 "forge": [answer(pages.notice(), flags="FPA")]},
       confidence="likely", hosts=HOSTS, page_title=DENIED, page_status=403)
def page_in_path(lab):
    """The request is swallowed and answered with a notice and a FIN; the server never hears of it.

    The device plays the server to the end and acknowledges the client's FIN. Nothing contradicts
    it. The answer comes in an eighth of the round trip, from another TTL, without the timestamps
    that were negotiated.
    """
    for _ in range(2):
        lab.curl("http://blocked.example/")
        lab.curl("http://open.example/")


@story(scenario={"triggers": WEB, "swallow": "flow", "finish": True, "forge": [
    answer(pages.notice(), flags="FPA", ttl="copy", ipid="next", df=True,
           timestamps="mirror", window=64)]},
       confidence="possible", hosts={"open.example": "untouched"}, page_title=DENIED,
       page_status=403, files=("capture.pcapng.gz",))
def page_in_path_careful(lab):
    """As page-in-path, but TTL, IP-ID, DF and timestamps all continue the server's own.

    What is left is the time: an answer to a request cannot be faster than the round trip of the
    handshake. One weak family, hence `possible`.
    """
    lab.curl("http://blocked.example/")
    lab.curl("http://open.example/")


@story(scenario={"triggers": WEB, "forge": [answer(pages.notice("200 OK", "gzip"))]},
       hosts=ONLY, page_title=DENIED, page_status=200)
def page_gzip_chunked(lab):
    """The forged page is gzip-compressed and chunked; to name its title it must be decoded.

    The server's true answer follows and overlaps it.
    """
    lab.curl("http://blocked.example/", "--compressed")


@story(scenario={"triggers": WEB, "forge": [answer(pages.long_notice(), mss=1380)]},
       hosts=ONLY, page_title=DENIED, page_status=200)
def page_several_segments(lab):
    """A forged page of three segments, longer than the server's true answer.

    The true answer overlaps the first of them.
    """
    lab.curl("http://blocked.example/")


@story(scenario={"triggers": WEB, "forge": [
    answer(pages.redirect("http://notice.example/warning?id=42"), flags="FPA", ipid=0, ttl=61)]},
       hosts=HOSTS, page_status=302, files=("capture.pcap.gz",))
def redirect_302_beside_path(lab):
    """A forged 302 with FIN and IP-ID 0 sends the browser to a page of notices.

    As older Russian devices do. The true 200 follows.
    """
    lab.curl("http://open.example/")
    lab.curl("http://blocked.example/")


@story(scenario={"triggers": WEB, "forge": [
    answer(pages.response("307 Temporary Redirect", b"", ["Location: http://adverts.example/c/?u=1",
                                                          "Connection: close"]),
           flags="FPA", ipid=0x3412, ttl=60, window=32120),
    {"to": "server", "flags": "RA", "ipid": 0x3412, "ttl": 60, "window": 32120}]},
       hosts={"open.example": "untouched"}, page_status=307)
def redirect_307_advertisement(lab):
    """A forged 307 with FIN sends the browser to advertisements; the server is reset.

    Such redirects were reported from Egypt in 2018 (Citizen Lab, Bad Traffic). All that is forged
    has IP-ID 0x3412. The server has answered before the reset reaches it, so its own page follows
    and contradicts the redirect.
    """
    lab.curl("http://blocked.example/")
    lab.curl("http://open.example/")


@story(scenario={"triggers": WEB, "forge": [answer(pages.euc_kr(), ttl=255)]}, hosts=ONLY,
       page_title="접속 차단 안내", page_status=200)
def page_euc_kr(lab):
    """The forged page is Korean in EUC-KR; title and text must be decoded to be told.

    The text was composed for this recording. The true answer follows.
    """
    lab.curl("http://blocked.example/")


@story(scenario={"triggers": WEB, "forge": [answer(pages.notice(), ttl=40)]}, hosts=HOSTS,
       page_title=DENIED, page_status=403)
def page_ipv6(lab):
    """A forged notice over IPv6, the true answer behind it.
    """
    lab.curl("http://blocked.example/", "-6")
    lab.curl("http://open.example/", "-6")


MANY = {"sni": ["blocked.example"], "http_host": ["news.example"], "http_path": ["forbidden"]}


@story(scenario={"triggers": MANY, "exempt": ["198.51.100.12"], "forge": [
    rst(), rst(flags="RA", delay_ms=0.7)]},
       hosts={"blocked.example": "partly", "news.example": "blocked", "open.example": "untouched",
              "cdn.example": "untouched", "mail.example": "untouched"},
       files=("capture.pcapng",), nanoseconds=True)
def many_hosts(lab):
    """Three clients visit five names by HTTP, HTTPS, IPv4 and IPv6.

    blocked.example is reset by its name in TLS, but not over plain HTTP, and not for the third
    client, which the device lets through; news.example is reset by its Host. The others answer.
    All resets are contradicted by later data of the server.
    """
    for source in ("198.51.100.10", "198.51.100.11", "198.51.100.12"):
        lab.curl("https://blocked.example/", source=source)
        lab.curl("https://open.example/", source=source)
    lab.curl("http://news.example/")
    lab.curl("http://news.example/", source="198.51.100.11")
    lab.curl("http://cdn.example/photo.jpg")
    lab.curl("https://mail.example/")
    lab.curl("https://blocked.example/", "-6")
    lab.curl("http://blocked.example/")


def rotate(records):
    """Two files, cut before the request of the second connection, as tcpdump's -C cuts."""
    cut = next(at for at, record in enumerate(records) if b"GET /second" in record.frame) - 1
    return records[:cut], records[cut:]


@story(scenario={"triggers": {"http_path": ["second"]}, "forge": [rst(ttl=99)]},
       hosts={"open.example": "partly"}, split=rotate,
       files=("capture-1.pcap", "capture-2.pcap"))
def split_files(lab):
    """One recording in two files: a connection opens in the first and is reset in the second.

    Read together they are one recording. The handshake, with its round trip, TTL and timestamps,
    is in the first file; request, forged RST and the server's true answer are in the second,
    where frames count from 1 again.
    """
    lab.curl("http://open.example/photo.jpg")
    lab.curl("http://open.example/second")
