"""Forged resets and FINs, seen near the client."""

from story import story

BLOCKED = {"sni": ["blocked.example"], "http_host": ["blocked.example"]}
HOSTS = {"blocked.example": "blocked", "open.example": "untouched"}
ONLY = {"blocked.example": "blocked"}


def rst(to="client", **fields):
    """A bare RST, as a simple device makes it; fields change it."""
    return {"to": to, "flags": "R", "ttl": 128, **fields}


@story(scenario={"triggers": BLOCKED, "forge": [rst()]}, hosts=HOSTS)
def reset_to_client(lab):
    """A device beside the path answers a ClientHello with one RST to the client.

    TLS 1.3 to blocked.example; the device copies what it sees and cannot hold it back, so the
    server's ServerHello arrives some 50 ms after the RST, at the very sequence number of the RST.
    No stack sends data after it has reset. The RST has TTL 128 at its origin, no DF. A visit to
    open.example right after is left alone.
    """
    lab.curl("https://blocked.example/")
    lab.curl("https://open.example/")


@story(scenario={"triggers": BLOCKED,
                 "forge": [rst(flags="RA", ttl=64, ipid=0), rst("server", flags="RA", ttl=64)]},
       confidence="likely", hosts=HOSTS, files=("capture.pcapng",))
def reset_both_ends(lab):
    """A device resets client and server at once (RST+ACK, TTL 64, IP-ID 0).

    TLS 1.2. The server is reset before it can answer: what comes from it after the forged RST is
    one bare acknowledgement, sent on receipt of the ClientHello. Only `likely` is asked for,
    because an acknowledgement may be overtaken by a reset of the same sender; that the RST comes
    after an eighth of the round trip speaks against that.
    """
    lab.curl("https://blocked.example/", "--tls-max", "1.2")
    lab.sleep(0.2)
    lab.curl("https://open.example/", "--tls-max", "1.2")


@story(scenario={"triggers": BLOCKED, "forge": [
    rst(seq=0, ttl=57, window=2100, ipid=4000),
    rst(seq=1460, ttl=58, window=2101, ipid=4001, delay_ms=0.6),
    rst(seq=4380, ttl=59, window=2102, ipid=4002, delay_ms=0.7)]}, hosts=ONLY)
def reset_rising_seq(lab):
    """Three RSTs at the expected sequence number, 1460 and 4380 ahead; TTL and window rise.

    The older habit of China's devices: the further ones are for the case that the server's answer
    has moved the window on. The true server sent nothing that far ahead, and its HTTP answer
    follows the resets.
    """
    lab.curl("http://blocked.example/")
    lab.curl("http://blocked.example/photo.jpg")


@story(scenario={"triggers": {"sni": ["blocked.example"]}, "forge": [
    rst(ttl=97, delay_ms=65),
    rst(flags="RA", ttl=144, window=900, delay_ms=66),
    rst(flags="RA", seq=1460, ttl=145, window=901, delay_ms=66.1)]},
       hosts={"open.example": "untouched"})
def reset_outrun(lab):
    """A device beside the path is slower than the server: its resets come behind the ServerHello.

    They stand at the number that the client's hello acknowledged, which the server has passed
    meanwhile, and 1460 ahead of it. The client's stack ignores them and the visit succeeds. Haste
    hardly betrays the device, but TTL, IP-ID, the missing timestamps, and a server that goes on
    sending.
    """
    lab.curl("https://blocked.example/")
    lab.curl("https://open.example/")


@story(scenario={"triggers": BLOCKED, "forge": [rst(ttl="copy", ipid="trigger", window="copy",
                                                    df=True)]}, hosts=HOSTS,
       files=("capture.pcap.gz",))
def reset_ttl_copied(lab):
    """A careful injector: it arrives with the server's own TTL, and mirrors IP-ID and window.

    The TTL says nothing here, and must not be needed: the server's genuine data follow the RST.
    IP-ID and window equal those of the client's ClientHello.
    """
    lab.curl("https://open.example/")
    lab.curl("https://blocked.example/")


@story(scenario={"triggers": BLOCKED, "swallow": "flow", "forge": [rst(ttl=255)]},
       confidence="likely", hosts=HOSTS)
def reset_in_path_swallowed(lab):
    """A device in the path swallows the ClientHello and resets the client; nothing else follows.

    No packet of the server contradicts the RST, so nothing is proven. Several families agree:
    the RST comes in an eighth of the round trip, from another distance (TTL 253 against 53), on
    the ClientHello and never on open.example.
    """
    for _ in range(3):
        lab.curl("https://blocked.example/")
        lab.curl("https://open.example/")


@story(scenario={"triggers": BLOCKED, "forge": [rst(ttl=44), rst(ttl=44, delay_ms=0.9)]},
       hosts=HOSTS)
def reset_ipv6(lab):
    """The same over IPv6: two RSTs with hop limit 44, the server's ServerHello behind them.

    There is no IP-ID in IPv6 and no header checksum.
    """
    lab.curl("https://blocked.example/", "-6")
    lab.curl("https://open.example/", "-6")


@story(scenario={"triggers": BLOCKED, "forge": [rst(ipid=1)]}, hosts=HOSTS)
def reset_on_http_host(lab):
    """The trigger is the Host of a plain HTTP request; RST with IP-ID 1; the 200 follows.
    """
    lab.curl("http://open.example/")
    lab.curl("http://blocked.example/")


@story(scenario={"triggers": BLOCKED, "forge": [
    rst(flags="RA", df=True, ipid=23000 + 7 * at, ttl=101, delay_ms=0.5 + at / 10)
    for at in range(3)]}, hosts=ONLY, files=("capture.pcapng.gz",), nanoseconds=True)
def reset_rst_ack_three(lab):
    """Three RST+ACK of one sequence number with DF set, the server's answer behind them.

    As one of China's devices does. A host that answers each of three segments, or a frame
    captured three times, would look similar; the data after them do not.
    """
    lab.curl("https://blocked.example/")


@story(scenario={"triggers": {"syn_to": ["203.0.113.10"]}, "forge": [rst(flags="RA", ttl=50)]},
       hosts={"open.example": "untouched"})
def reset_after_syn(lab):
    """An address is blocked: each SYN to it is answered with a forged RST+ACK.

    It looks like a closed port, until the server's SYN/ACK to that same SYN arrives: a server
    that refuses does not accept as well. No name is on the flow; the DNS answer before it has one.
    """
    lab.curl("https://blocked.example/")
    lab.curl("https://open.example/")
    lab.curl("http://blocked.example/")


@story(scenario={"triggers": {"syn_to": ["203.0.113.10"]}, "forge": [
    rst(flags="RA", ttl=64, ack=-1, ipid="trigger", window="copy", reserved=0x3F)]})
def reset_after_syn_bad_ack(lab):
    """A clumsy device: RST+ACK to a SYN that acknowledges the ISN itself, reserved bits set.

    The client's stack ignores it (RFC 9293 3.10.7.3 wants ISN+1) and the connection goes on. All
    reserved bits and AE are set, IP-ID and window are those of the SYN, as in captures of 2009.
    """
    lab.curl("http://blocked.example/")


@story(scenario={"triggers": BLOCKED, "forge": [rst(flags="FA", ttl=120)]}, hosts=HOSTS)
def fin_forged(lab):
    """A forged FIN instead of a reset: the client sees an orderly close without an answer.

    The server's data then arrive at the FIN's own sequence number, though it had said that no
    more would come.
    """
    lab.curl("http://blocked.example/")
    lab.curl("http://open.example/")


@story(scenario={"triggers": BLOCKED, "swallow": "flow",
                 "forge": [rst(flags="FA", ttl=188, ack=1)]}, confidence="likely", hosts=HOSTS)
def fin_forged_ack_skew(lab):
    """A forged FIN that acknowledges one byte more than was sent, then a black hole.

    As seen from Iran. The client's stack answers the impossible acknowledgement with its own and
    goes on; its request is swallowed, and so are the repetitions. Nothing genuine follows, so
    `likely` is what is asked for.
    """
    lab.client("quiet", "203.0.113.10", "blocked.example", 2)
    lab.curl("http://open.example/")


@story(scenario={"triggers": {"http_path": ["forbidden-topic"]}, "forge": [rst(ttl=97)]},
       hosts={"open.example": "partly"})
def reset_on_second_request(lab):
    """One connection, three requests: the second's path has the word, and is reset.

    The first answer is genuine and went through unharmed. Another connection to the same host is
    untouched, hence `partly`.
    """
    lab.client("many-requests", "203.0.113.20", "open.example", "/", "/forbidden-topic", "/")
    lab.curl("http://open.example/")


@story(scenario={"triggers": BLOCKED, "forge": [rst(ttl=70)],
                 "residual": {"seconds": 2.5, "forge": [rst(flags="RA", ttl=70)]}},
       confidence={"blocked.example": "confirmed", "residual": "confirmed"})
def reset_residual(lab):
    """After a trigger all connections of that client to that server and port are reset a while.

    shared-b.example has the address of shared-a.example, which nobody blocks; but it is visited
    right after blocked content on that address, and its SYNs are answered by forged RST+ACKs. The
    true SYN/ACKs follow. After three seconds the same visit succeeds, and another port was never
    touched.
    """
    lab.curl("http://blocked.example/", "--connect-to", "blocked.example:80:203.0.113.30:80")
    lab.curl("http://shared-b.example/")
    lab.curl("https://shared-b.example/")
    lab.sleep(3)
    lab.curl("http://shared-b.example/")
