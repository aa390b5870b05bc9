"""Innocent twins whose odd packets come from the client, or from both ends' ordinary habits."""

import signal

from story import innocent

CLIENT_RESETS = "tcp.flags.reset == 1 && ip.src == 198.51.100.0/24"
SERVER_RESETS = "tcp.flags.reset == 1 && ip.src == 203.0.113.0/24"


@innocent(shows=("tls.handshake.type == 2", "http.response", "dns.flags.response == 1",
                 "ipv6 && tcp"), never=("tcp.flags.reset == 1",), files=("capture.pcapng",),
          nanoseconds=True)
def plain_browsing(lab):
    """Nothing odd: HTTP and HTTPS, IPv4 and IPv6, TLS 1.2 and 1.3, several names.
    """
    for name in ("open.example", "blocked.example", "news.example"):
        lab.curl(f"http://{name}/")
        lab.curl(f"https://{name}/")
    lab.curl("https://open.example/", "-6")
    lab.curl("http://blocked.example/photo.jpg", "-6")
    lab.curl("https://mail.example/", "--tls-max", "1.2")


@innocent(shows=(CLIENT_RESETS,))
def client_abort(lab):
    """The client closes in the middle of a download: its kernel resets, and resets again for each
    segment that was still under way.

    Data keep coming after the resets, but from the other side.
    """
    lab.client("impatient", "203.0.113.20", "open.example", 0.1)
    download = lab.curl("http://open.example/big.bin", "--limit-rate", "20k", wait=False)
    lab.sleep(0.35)
    lab.kill(download, signal.SIGKILL)


@innocent(vantage="near server", shows=(CLIENT_RESETS,), files=("capture.pcapng.gz",))
def client_abort_near_server(lab):
    """The same beside the server, where a reset in mid-stream looks like one injected to it.
    """
    lab.client("impatient", "203.0.113.20", "open.example", 0.1)
    lab.client("impatient", "203.0.113.20", "open.example", 0.2)


@innocent(shows=(CLIENT_RESETS, "tcp.len > 0 && ip.src == 203.0.113.70"))
def client_loses_patience(lab):
    """A slow server answers after the client has closed: its data meet a closed port.

    FIN of the client, then the server's data, then the client's resets.
    """
    lab.server("late")
    lab.curl("http://odd.example/", "-m", "1")
    lab.sleep(1.2)


@innocent(shows=("tcp.flags.fin == 1 && ip.src == 198.51.100.10",),
          never=("tcp.flags.reset == 1",))
def half_closed(lab):
    """The client closes its half after the request (FIN) and reads on: data follow a FIN, in the
    other direction, which RFC 9293 3.6 allows.
    """
    lab.client("half-closed", "203.0.113.20", "open.example")


@innocent(shows=("tcp.analysis.keep_alive",))
def keep_alive(lab):
    """Many requests on one connection, then TCP's own keep-alive probes on an idle one.

    A probe repeats the sequence number before the next byte: it looks like old data.
    """
    lab.client("many-requests", "203.0.113.20", "open.example", *["/"] * 8)
    lab.client("keep-alive", "203.0.113.20", "open.example")


@innocent(shows=("tcp.port == 40123 && tcp.flags.reset == 1",))
def port_reuse(lab):
    """The same five-tuple four times within a second, each closed by the client's reset.

    After the reset come a new SYN and new data: another connection, not a contradiction.
    """
    lab.client("reuse-port", "203.0.113.20", "open.example")


@innocent(shows=("ip.id == 54321", SERVER_RESETS, CLIENT_RESETS))
def scan(lab):
    """A SYN scan of two hosts: IP-ID 54321, no options, TTL 241.

    Closed ports reset the scanner; open ones are reset by the scanner's kernel, which knows
    nothing of the connection that it is offered.
    """
    ports = (21, 22, 23, 25, 80, 110, 143, 443, 445, 3389, 8080)
    lab.client("scan", "198.51.100.10", *[f"203.0.113.{host}:{port}" for host in (20, 21)
                                          for port in ports])


@innocent(vantage="near server", shows=("ip.id == 54321", CLIENT_RESETS))
def scan_near_server(lab):
    """A SYN scan beside the server: SYN, SYN/ACK, RST of the scanner's kernel, again and again.

    The resets have another initial TTL and IP-ID line than the raw SYNs before them.
    """
    lab.client("scan", "198.51.100.10", *[f"203.0.113.{host}:{port}" for host in (10, 20, 21, 30)
                                          for port in (80, 443)])


@innocent(far={"to_right": {"ipv6_ms": 150}, "to_left": {"ipv6_ms": 150}},
          shows=("ipv6 && tcp.flags.syn == 1 && tcp.flags.ack == 1",
                 "ip && tcp.flags.syn == 1 && tcp.flags.ack == 1"))
def happy_eyeballs(lab):
    """IPv6 is slow, so curl tries IPv4 beside it and keeps the quicker connection (RFC 8305).

    The SYN/ACK of the other one meets a closed port and is reset.
    """
    for name in ("open.example", "blocked.example"):
        lab.both_families(f"http://{name}/")


@innocent(gateway=True, shows=("tls.handshake.type == 2", "http.response.code == 200"),
          never=("tcp.flags.reset == 1 && ip.src == 198.51.100.0/24",))
def transparent_proxy(lab):
    """The gateway ends every TCP connection itself and opens one of its own to the server: all names
    alike, on both ports.

    Every SYN/ACK comes within a millisecond and with the gateway's TTL, whatever the server's
    distance; contents are the servers' own. What opens slowly waits for the gateway's own connection.
    """
    lab.transparent_proxy()
    for name in ("open.example", "blocked.example", "shared-a.example", "open.example"):
        lab.curl(f"http://{name}/photo.jpg")
        lab.curl(f"https://{name}/")
    lab.curl("http://closing.example/")
    lab.curl("https://strict.example/")


@innocent(gateway=True, shows=("http.response.code == 403", "tls.handshake.type == 2"))
def gateway_proxy(lab):
    """The user's own gateway: a transparent proxy that ends port 80 and serves a company notice.

    No packet is forged: the whole connection, from the SYN on, is with the proxy in the
    gateway (edge), in the server's name, with one TTL and a round trip of a millisecond. Port 443
    is routed through and comes from 56 ms away. That the page is the proxy's is true, and so is
    that the owner of the gateway put it there: not more than `possible`.
    """
    lab.company_proxy("203.0.113.10")
    for _ in range(2):
        lab.curl("http://blocked.example/")
        lab.curl("https://blocked.example/")
        lab.curl("http://open.example/")
