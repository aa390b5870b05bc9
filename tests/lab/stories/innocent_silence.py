"""Innocent twins of silence: what is not answered although nobody swallows it by its name."""

from story import innocent

SHARED = "203.0.113.30"
ODD = "203.0.113.70"
RETRANSMITTED = "tcp.analysis.retransmission"


def both(**way):
    """The same in both directions."""
    return {"to_left": way, "to_right": way}


@innocent(far={**both(loss=0.3), "seed": 21}, shows=(RETRANSMITTED,))
def heavy_loss(lab):
    """A path that loses three packets of ten: hellos and requests are sent again, some several times.
    """
    for name in ("shared-a.example", "shared-b.example"):
        lab.curl(f"https://{name}/", "-m", "5")
        lab.curl(f"http://{name}/", "-m", "5")


@innocent(shows=("tcp.flags.syn == 1 && tcp.analysis.retransmission",))
def dead_host(lab):
    """A host is down: SYNs to it are never answered, those to its neighbours are.
    """
    for rule in ("add table inet quiet", "add chain inet quiet input "
                 "{ type filter hook input priority 0; }",
                 f"add rule inet quiet input ip daddr {SHARED} drop"):
        lab.run("server", "nft", rule)
    lab.curl("https://open.example/")
    lab.curl("https://shared-a.example/", "-m", "8")
    lab.curl("https://open.example/")


@innocent(far=both(outages=[[2.5, 9.0]]), shows=(RETRANSMITTED,))
def outage(lab):
    """The path is down for some seconds, for all names alike; it is well before and after.

    Two connections are under way when it goes down: their handshakes passed, their hellos do not.
    """
    lab.curl("http://shared-a.example/")
    ways = [lab.client_later("late-request", SHARED, name, 2.5)
            for name in ("shared-a.example", "shared-b.example")]
    for way in ways:
        way.wait(15)
    lab.curl("http://shared-b.example/")


@innocent(far=both(outages=[[2.0, 8.0]]), shows=(RETRANSMITTED,))
def outage_kept_alive(lab):
    """The path is down for some seconds while a connection is in use: its next request is not heard.

    Another name at the same server is answered before and after; the connection's own first request,
    for the same name, had been answered a moment before.
    """
    lab.curl("http://shared-b.example/")
    lab.client("many-requests", SHARED, "shared-a.example", *["/"] * 24)
    lab.curl("http://shared-b.example/")


@innocent(far={"to_right": {"largest": 1000}}, shows=(RETRANSMITTED,))
def mtu_black_hole(lab):
    """Large packets to the server are lost without a word; small ones pass.

    The request for one name carries a large cookie and is never acknowledged. The other name's has
    none, and is answered.
    """
    lab.curl("http://shared-b.example/")
    lab.curl("http://shared-a.example/", "-H", "Cookie: " + "x" * 1200, "-m", "5")
    lab.curl("http://shared-b.example/")


@innocent(shows=(RETRANSMITTED,))
def overloaded_server(lab):
    """A server's program hangs, and its queue of connections is full.

    Four clients come at the same moment. The handshakes pass; then the server's kernel has room
    for one of them, and discards the requests of the others, again and again. The same address
    answers on another port, under another name.
    """
    lab.server("full", "203.0.113.30", 8080)
    lab.curl("http://shared-b.example/")
    lab.client("crowd", SHARED, 8080, "shared-a.example", 4, 4)
    lab.curl("http://shared-b.example/")


@innocent(shows=(RETRANSMITTED,))
def overloaded_server_cookies(lab):
    """The same of a server that answers SYNs by cookies: it keeps no trace of those that it forgets.

    Four clients come at the same moment. All handshakes pass, for a SYN/ACK costs a server that sends
    cookies nothing; then it has room for one or two of them, and discards the requests of the others,
    whose SYN/ACK it does not send again. Two servers beside it answer the same client all the while.
    """
    lab.run("server", "sysctl", "-qw", "net.ipv4.tcp_syncookies=2")
    lab.server("full", ODD, 80)
    lab.curl("http://open.example/")
    crowd = lab.client_later("crowd", ODD, 80, "odd.example", 4, 8)
    lab.sleep(2)
    lab.curl("http://shared-b.example/")
    crowd.wait(15)
    lab.curl("http://open.example/")


@innocent(shows=("quic", RETRANSMITTED + " || tls.handshake.type == 2"))
def udp_closed(lab):
    """A network that passes no UDP on port 443: QUIC fails for all names, TLS passes.
    """
    lab.quic_server("203.0.113.20")
    for rule in ("add table ip closed", "add chain ip closed forward "
                 "{ type filter hook forward priority 0; }",
                 "add rule ip closed forward udp dport 443 drop"):
        lab.run("r1", "nft", rule)
    for name in ("open.example", "blocked.example"):
        lab.quic_get("203.0.113.20", name)
        lab.curl(f"https://{name}/")


def upward(records):
    """What went to the server alone."""
    client = bytes([198, 51, 100])
    return [record for record in records if record.frame[26:29] == client]


@innocent(edit=upward, never=("ip.src == 203.0.113.0/24",), shows=("tls.handshake.type == 1",))
def one_sided(lab):
    """A capture of one direction: the server's packets take another way.

    Nothing is answered in it, and nothing is wrong. The other direction was taken out after the
    recording.
    """
    lab.curl("https://shared-a.example/")
    lab.curl("http://shared-b.example/")
    lab.curl("https://open.example/")


@innocent(far=both(delay_ms=400), shows=("tls.handshake.type == 1",))
def closed_tab(lab):
    """Clients that give up before the server can have answered: the hello is sent once or twice.
    """
    lab.curl("https://shared-b.example/")
    for _ in range(2):
        lab.curl("https://shared-a.example/", "-m", "1.1")
    lab.curl("https://shared-b.example/")
