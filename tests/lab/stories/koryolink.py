"""The seed case: North Korea, June 2015, rebuilt from what was reported."""

import pages
from story import story

PHONE, OTHER_PHONE = "198.51.100.21", "198.51.100.22"
WIRED, ABROAD = "198.51.100.31", "198.51.100.41"
BLOCKED = ["instagram.com", "www.instagram.com", "i.instagram.com", "upload.instagram.com"]
PICTURES = "scontent.instagram.com"


def verdicts(verdict):
    """One verdict for all blocked hosts; pictures are never touched."""
    return {**dict.fromkeys(BLOCKED, verdict), PICTURES: "untouched"}


def together(*let_through):
    """What is to be told of all names of the site: some pass, and some devices do."""
    return {"instagram.com": {"verdict": "partly", "let_through": list(let_through)}}


def visit(lab, source):
    """The site, a profile, a posting, a picture."""
    lab.curl("http://instagram.com/", source=source)
    lab.curl("http://www.instagram.com/", source=source)
    lab.curl("http://i.instagram.com/api/v1/users/1/info/", source=source)
    lab.curl("http://upload.instagram.com/api/v1/upload/photo/", "-d", "upload_id=1",
             source=source)
    lab.curl(f"http://{PICTURES}/photo.jpg", source=source)


@story(scenario={"triggers": {"http_host": BLOCKED}, "exempt": [OTHER_PHONE, ABROAD],
                 "swallow": "flow", "finish": True,
                 "forge": [{"to": "client", "flags": "FPA", "ttl": 64,
                            "payload": pages.koryolink()}]},
       confidence="likely", page_title="Warning!", page_status=200,
       files=("3g-client.pcap", "wired-client.pcap", "control.pcap"),
       hosts=verdicts("partly"), services=together(OTHER_PHONE, ABROAD),
       vantages={"3g": {"files": ["3g-client.pcap"], "hosts": verdicts("partly"),
                        "services": together(OTHER_PHONE)},
                 "wired": {"files": ["wired-client.pcap"], "hosts": verdicts("blocked"),
                           "services": together()},
                 "control": {"files": ["control.pcap"], "hosts": verdicts("untouched")}})
def koryolink(lab):
    """A reconstruction of June 2015, when Koryolink users got a notice instead of instagram.com.

    Nobody has published packets of that case. These were made in the laboratory, with laboratory
    addresses and today's clock.

    Reported: an HTTP answer in place of the site's, with the sentence "Warning! You can't connect
    to this website because it's in blacklist site." and a Korean text on harmful content; on the
    3G network and on wired desktops; for some devices and not for others; for some functions of
    the service (posting, profiles) and not for others.

    Invented: everything else. The Korean sentence, the title and the markup of the page; that the
    device is in the path and swallows the request ("in place of"), answers with a FIN, TTL 64 and
    no timestamps; which hosts are concerned (site, i. and upload. blocked, scontent. not); that
    the second 3G device is let through for all of them; the control line from abroad. HTTPS was
    left out, because nothing is known of it. Nothing in the packets proves the forgery beyond
    doubt, as the true answer never comes: `likely`, and the comparison of the vantage points.
    """
    lab.recording("3g-client.pcap", lambda: [visit(lab, at) for at in (PHONE, OTHER_PHONE)])
    lab.recording("wired-client.pcap", lambda: [visit(lab, WIRED) for _ in range(2)])
    lab.recording("control.pcap", lambda: visit(lab, ABROAD))
