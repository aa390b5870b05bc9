"""Forged DNS answers, seen near the client."""

from story import story

FALSE, ELSEWHERE = "192.0.2.113", "198.18.66.6"
CONTROLS = ("open.example", "news.example", "cdn.example", "mail.example", "moved.example")


def answer(address=FALSE, **fields):
    """A simple forged answer: one A record, RA, no EDNS, IP TTL 64, no DF."""
    return {"records": [["A", address]], **fields}


def poison(*forge, names=("blocked.example",), **fields):
    """A device that answers queries for blocked.example."""
    return {"dns": {"names": list(names), "forge": list(forge), **fields}}


def controls(lab):
    """Names that nobody minds: they show how the resolver usually answers."""
    for name in CONTROLS:
        lab.dig(name)


@story(scenario=poison(answer()))
def dns_beside_path(lab):
    """A device beside the path answers a query; the resolver's own answer comes 50 ms later.

    One question, sent once, and two answers that name addresses of different networks. The forged
    one comes first, from another distance, without EDNS. Five other names are left alone.
    """
    controls(lab)
    lab.dig("blocked.example")


@story(scenario=poison(answer()), files=("capture.pcapng",), nanoseconds=True)
def dns_beside_path_alone(lab):
    """The same with nothing else in the recording: no other answer tells how the resolver answers.

    Asked by a plain stub without EDNS. Which of the two answers is forged is told by the time: the
    first came in an eighth of what the second needed.
    """
    lab.client("ask", "203.0.113.53", "", "blocked.example")


@story(scenario=poison(
    answer("192.0.2.113", flags=["aa", "ra"], ttl=128),
    answer("198.18.66.6", df=True, ttl=250, delay_ms=1.1),
    answer("100.64.66.6", ipid=0, ttl=61, delay_ms=1.4)), files=("capture.pcap.gz",))
def dns_three_injectors(lab):
    """Three devices of different make answer the same query before the resolver does.

    As described of China since 2014: the first sets AA, lives 60 s and has no DF; the second has DF
    and another TTL; the third has IP-ID 0. Each names another address. The fourth answer is true.
    """
    controls(lab)
    lab.dig("blocked.example")


@story(scenario=poison({"rcode": "NXDOMAIN", "ttl": 128}))
def dns_nxdomain_forged(lab):
    """A device denies that the name exists; 50 ms later the resolver gives its address."""
    controls(lab)
    lab.dig("blocked.example")


@story(scenario=poison(answer(ttl=128), swallow=True), confidence="likely")
def dns_in_path(lab):
    """A device in the path swallows the query and answers itself: there is no second answer.

    The address is on no list, so only the answer's headers and its haste can tell, held against the
    resolver's five other answers: TTL, DF, EDNS, an eighth of the time.
    """
    controls(lab)
    lab.dig("blocked.example")


BLOCKED = ("blocked.example", "video.example", "talk.example")


@story(scenario=poison(answer(), names=BLOCKED, swallow=True), confidence="likely")
def dns_in_path_names(lab):
    """The same for three names that have nothing to do with each other, asked again and again among
    others: half of all answers come from the device.

    So its TTL and its haste are as usual as the resolver's own. But they split by name without an
    exception, and all three names get one address.
    """
    for _ in range(3):
        for blocked, other in zip(BLOCKED, CONTROLS):
            lab.dig(blocked)
            lab.dig(other)
    for name in CONTROLS:
        lab.dig(name)


@story(scenario=poison(answer("10.10.34.36", ttl=128), swallow=True), confidence="likely")
def dns_in_path_listed(lab):
    """The same with an address that is known to be given in Iran for blocked names."""
    controls(lab)
    lab.dig("blocked.example")


@story(scenario=poison(answer("10.10.34.35"), swallow=True), confidence="possible")
def dns_in_path_listed_alone(lab):
    """A listed address and nothing else in the recording: nothing tells that it was not the
    resolver's own answer.
    """
    lab.client("ask", "203.0.113.53", "", "blocked.example")


@story(scenario=poison({"records": [["AAAA", "2001::face:b00c:12"]], "flags": ["aa", "ra"]},
                       types=["AAAA"]))
def dns_aaaa_teredo(lab):
    """A forged IPv6 address of the tunnel prefix 2001::/32, as China's devices give; the A query of
    the same name is answered by the resolver alone.
    """
    lab.dig("blocked.example", kind="AAAA")
    lab.dig("blocked.example")
    lab.dig("open.example", kind="AAAA")


@story(scenario=poison(answer(ttl="copy", ipid=0, df=True, edns=True)), confidence="likely")
def dns_ttl_copied(lab):
    """A careful injector: the resolver's own TTL, DF, IP-ID 0, EDNS and flags.

    Two answers to one question remain, and that the first came in an eighth of the time that this
    resolver needs.
    """
    controls(lab)
    lab.dig("blocked.example")


@story(scenario=poison(answer(ttl=250)), files=("capture.pcapng",))
def dns_asked_again_forged(lab):
    """The client asks twice, 0.4 s apart: two forged answers and two true ones.

    With two questions two answers would be no contradiction; here the true answer to the first came
    before the second question. Held together there are two parties, and one of them is always
    sooner than the resolver can be.
    """
    controls(lab)
    lab.client("ask", "203.0.113.53", "0.4", "blocked.example")


@story(scenario=poison(answer()))
def dns_ipv6(lab):
    """The same over IPv6, where packets have no identification."""
    for name in CONTROLS:
        lab.dig(name, server="2001:db8:5::10")
    lab.dig("blocked.example", server="2001:db8:5::10")


@story(scenario=poison(answer(), port=5300))
def dns_other_port(lab):
    """The resolver listens on port 5300, and the device knows it."""
    lab.resolver("ordinary", port=5300)
    lab.dig("open.example", "-p", "5300", server="203.0.113.65")
    lab.dig("blocked.example", "-p", "5300", server="203.0.113.65")


@story(scenario=poison(answer("192.0.2.2")), gateway=True, shows=("tcp.flags.reset == 1",))
def dns_led_astray(lab):
    """The forged address belongs to a machine on the way, which serves a page on port 80 and
    nothing on 443: the client goes there, because the first answer is the one that counts.

    What follows the forged answer is that machine's own doing and forged by nobody: one connection
    is answered, one refused. Both were led there by the finding.
    """
    controls(lab)
    lab.run("client", "ip", "route", "add", "192.0.2.0/24", "via", "198.51.100.1")
    (lab.folder / "astray").mkdir()
    lab.start("r1", "python3", "-m", "http.server", "80", "--bind", "192.0.2.2",
              "--directory", lab.folder / "astray")
    lab.sleep(0.5)
    lab.curl("http://blocked.example/")
    lab.curl("https://blocked.example/")
