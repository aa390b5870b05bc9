"""Innocent twins whose odd packets the server itself sends."""

import signal

from story import innocent

SERVER_RESETS = "tcp.flags.reset == 1 && ip.src == 203.0.113.0/24"
ODD = "203.0.113.70"


@innocent(shows=(SERVER_RESETS, 'http.host == "closing.example"'))
def server_closes_with_reset(lab):
    """nginx drops requests for one host by reset (`return 444`, `reset_timedout_connection`).

    The nearest twin of reset-on-http-host: one name is reset on its request, every time, others
    on the same machine are not. But the resets come after a full round trip, with the server's
    TTL, and nothing contradicts them.
    """
    for _ in range(2):
        lab.curl("http://closing.example/")
        lab.curl("https://closing.example/")
        lab.curl("http://open.example/")


@innocent(vantage="near server", shows=(SERVER_RESETS,))
def server_closes_with_reset_near_server(lab):
    """The same, recorded beside the server: the reset follows the request within a millisecond.

    So does everything from the server here. Speed tells nothing at this vantage.
    """
    lab.curl("http://closing.example/")
    lab.curl("http://open.example/")


@innocent(shows=(SERVER_RESETS,), files=("capture.pcapng",))
def server_linger_zero(lab):
    """A front end that closes with SO_LINGER 0, as overloaded balancers do: RST+ACK after the
    request, on every connection.
    """
    lab.server("linger")
    for _ in range(3):
        lab.curl("http://odd.example/")


@innocent(shows=(SERVER_RESETS,))
def balancer_lost_session(lab):
    """A front end accepts, then resets before a byte was sent: a reset right after the handshake.
    """
    lab.server("dropped-session")
    for _ in range(2):
        lab.curl("http://odd.example/")
        lab.curl("http://open.example/")


@innocent(shows=(SERVER_RESETS, "tcp.len > 0 && ip.src == 203.0.113.70"))
def answer_cut_by_reset(lab):
    """Half of the promised answer, then the server's own reset, beyond its data.
    """
    lab.server("partial")
    lab.curl("http://odd.example/")


@innocent(shows=(SERVER_RESETS,))
def crashed_backend(lab):
    """The server's process is killed (-9) in the middle of its answer.

    It had not read the whole request, so the kernel closes with a reset at the end of what was
    sent. After it the address refuses.
    """
    server = lab.server("slow")
    download = lab.curl("http://odd.example/", wait=False)
    lab.sleep(0.6)
    lab.kill(server, signal.SIGKILL)
    download.wait(5)
    lab.curl("http://odd.example/")


@innocent(shows=(SERVER_RESETS, "tcp.flags.syn == 1 && tcp.flags.ack == 0"))
def refused_port(lab):
    """Closed ports: RST+ACK to each SYN, after a full round trip, over IPv4 and IPv6.
    """
    for url in ("http://open.example:8080/", "https://open.example:8443/"):
        lab.curl(url)
    lab.curl("http://open.example:8080/", "-6")
    lab.curl("http://open.example/")


@innocent(shows=("http.response.code == 403",))
def own_403(lab):
    """A site's own 403: its page says "blocked" and "not available in your country".

    The words are a notice's, the packets are the server's: its TTL, timestamps and round trip.
    Whether a site refuses by itself is not interference with the connection.
    """
    lab.curl("http://forbidding.example/")
    lab.curl("https://forbidding.example/")
    lab.curl("http://open.example/")


@innocent(shows=("http.response.code == 302",))
def own_redirect(lab):
    """A site's own 302 to another host's /blocked page.
    """
    lab.curl("http://moved.example/")
    lab.curl("http://open.example/")


@innocent(shows=("http.response.code == 502",))
def gateway_502(lab):
    """nginx in front of a dead upstream: its own 502, with a page and an orderly close.
    """
    lab.curl("http://gateway.example/")
    lab.curl("https://gateway.example/")


@innocent(shows=("tls.alert_message.desc == 112", "tls.handshake.type == 2"))
def tls_alert_unrecognised_name(lab):
    """The server refuses unknown names itself: a fatal alert as its first record, then FIN.

    It answers for strict.example and for nothing else at that address. TLS 1.3 and 1.2.
    """
    target = "stranger.example:443:203.0.113.63:443"
    lab.curl("https://stranger.example/", "--connect-to", target)
    lab.curl("https://stranger.example/", "--connect-to", target, "--tls-max", "1.2")
    lab.curl("https://strict.example/")


@innocent(shows=("http.response.code == 413", SERVER_RESETS), files=("capture.pcap.gz",))
def upload_refused(lab):
    """A body that is too large: 413 while the client still sends, then the server's reset.

    The server closes without reading the rest, so that its kernel resets. An answer and a reset
    before the request was complete, and both are the server's.
    """
    lab.server("too-large")
    lab.client("post", ODD, "odd.example", 24000)


@innocent(shows=(SERVER_RESETS,))
def server_loses_patience(lab):
    """A request without its end: after a second nginx gives up by reset.
    """
    lab.client("unfinished", "203.0.113.66", "impatient.example")


@innocent(shows=('http.response.version == "HTTP/1.0"',))
def http_1_0_close(lab):
    """HTTP/1.0 without a length: the server's FIN ends the page.
    """
    lab.server("old")
    lab.curl("http://odd.example/", "-0")
    lab.curl("http://odd.example/")


@innocent(shows=("tls.handshake.certificate",))
def certificate_rotation(lab):
    """One name, two addresses, two different certificates of one authority (TLS 1.2).

    As during a rotation, or behind two providers. Both are the owner's.
    """
    for address in ("203.0.113.68", "203.0.113.69"):
        lab.curl("https://rotating.example/", "--tls-max", "1.2", "--connect-to",
                 f"rotating.example:443:{address}:443")


@innocent(shows=("tls.handshake.certificate",))
def certificate_two_providers(lab):
    """One name with two content networks: two addresses, and certificates of two authorities (TLS 1.2).

    The name changes between them from one connection to the next. Both are the owner's.
    """
    for address in ("203.0.113.68", "203.0.113.74", "203.0.113.68", "203.0.113.74"):
        lab.curl("https://rotating.example/", "--tls-max", "1.2", "--connect-to",
                 f"rotating.example:443:{address}:443")


@innocent(shows=("dns.id == 0x4242 && dns.flags.response == 1",))
def dns_asked_twice(lab):
    """One question three times from one port with one id; the answers come in rotated order.

    Two answers of differing bytes to one query id, and as many queries as answers.
    """
    lab.client("same-query", "203.0.113.53", "rotating.example", 3)


@innocent(gateway=True, shows=(SERVER_RESETS, "icmp.type == 3"))
def firewall_in_front(lab):
    """The server's own firewall: TCP resets for one port, ICMP prohibitions for another.

    The machine in front of the server (r3) refuses in its name, so the resets have the TTL of one
    hop less. To a SYN, that is a refusal like any other; nothing else ever answers.
    """
    lab.run("r3", "nft", "add table inet guard")
    lab.run("r3", "nft", "add chain inet guard forward { type filter hook forward priority 0; }")
    lab.run("r3", "nft", "add rule inet guard forward tcp dport 8080 reject with tcp reset")
    lab.run("r3", "nft", "add rule inet guard forward tcp dport 8443 reject with icmpx "
            "admin-prohibited")
    lab.curl("http://open.example:8080/")
    lab.curl("http://open.example:8443/", "-m", "2")
    lab.curl("http://open.example/")


@innocent(shows=("tcp.flags.reset == 1",))
def server_bans(lab):
    """A server's own packet filter begins to refuse a client in the middle of a download.

    It answers each packet of the client by a reset, as nftables' `reject with tcp reset` does. The
    server's TCP, which knows nothing of that, goes on sending.
    """
    lab.server("slow")
    slow = lab.curl("http://odd.example/", "-m", "6", wait=False)
    lab.sleep(0.7)
    for rule in ("add table inet ban", "add chain inet ban input "
                 "{ type filter hook input priority 0; }",
                 "add rule inet ban input ip saddr 198.51.100.0/24 meta l4proto tcp "
                 "reject with tcp reset"):
        lab.run("server", "nft", rule)
    slow.wait(12)
