"""Forged SYN/ACKs, forged alerts, substituted certificates, and their innocent twins."""

import base64

from story import innocent, story

BLOCKED = {"sni": ["blocked.example"]}
HOSTS = {"blocked.example": "blocked", "open.example": "untouched"}
ADDRESS = {"syn_to": ["203.0.113.10"]}


def syn_ack(**fields):
    """A SYN/ACK without options, as a device makes one that never means to talk."""
    return {"to": "client", "flags": "SA", "seq": 0x5A17C0DE, "ttl": 128, "window": 8192, **fields}


def alert(code, **fields):
    """A fatal alert in the server's name."""
    record = bytes([21, 3, 3, 0, 2, 2, code])
    return {"to": "client", "flags": "PA", "ttl": 128,
            "payload": base64.b64encode(record).decode(), **fields}


@story(scenario={"triggers": ADDRESS, "forge": [syn_ack()]}, hosts={"open.example": "untouched"})
def synack_forged(lab):
    """Each SYN to one address gets a forged SYN/ACK of another sequence number, which wins.

    As China's devices do for a while after a blocked name. The client takes the forged number; the
    true SYN/ACK comes 50 ms later to the same SYN, and the server rejects what the client
    acknowledges, by RSTs of its own, which nobody forged.
    """
    lab.curl("https://blocked.example/")
    lab.curl("http://blocked.example/")
    lab.curl("https://open.example/")


@story(scenario={"triggers": {"syn_to": ["2001:db8:5::10"]}, "forge": [syn_ack(ttl=55, seq=0x11110000, df=True,
                                                        window=64240, delay_ms=2)]},
       hosts={"open.example": "untouched"})
def synack_forged_ipv6(lab):
    """The same over IPv6, by a device whose hop limit is not far from the server's.
    """
    lab.curl("http://blocked.example/", "-6")
    lab.curl("http://open.example/", "-6")


@story(scenario={"triggers": {"http_host": ["blocked.example"]}, "forge": [
    {"to": "client", "flags": "RA", "seq": ahead, "ttl": 121 + at, "window": 1830 + at,
     "delay_ms": 0.5 + at / 10} for at, ahead in enumerate((0, 1460, 4380))],
                 "residual": {"seconds": 2.5, "forge": [syn_ack(ttl=92, window=4100)]}})
def synack_residual(lab):
    """After a name, every SYN of that client to that server and port gets a forged SYN/ACK.

    The other half of reset-residual, as older Chinese devices did for 90 s: the client takes a
    wrong number, and the server itself resets what it then acknowledges. shared-b.example is
    blocked by nobody and merely shares the address. Another port is not concerned, and after three
    seconds the same visit succeeds.
    """
    lab.curl("http://blocked.example/", "--connect-to", "blocked.example:80:203.0.113.30:80")
    lab.curl("http://shared-b.example/")
    lab.curl("https://shared-b.example/")
    lab.sleep(3)
    lab.curl("http://shared-b.example/")


@innocent(shows=("tcp.flags.syn == 1 && tcp.flags.ack == 1", "tcp.analysis.retransmission"))
def synack_two_backends(lab):
    """A SYN is sent again because its machine is busy, and the balancer gives the second one to
    another machine: two SYN/ACKs of different numbers, TTL and window.

    Both are the owner's. The client ignores the late one, and the busy machine's connection dies.
    """
    lab.balanced("203.0.113.71", 80)
    lab.client("quiet", "203.0.113.71", "balanced.example", 4)


@story(scenario={"triggers": BLOCKED, "forge": [alert(40)]}, hosts=HOSTS)
def tls_alert_forged(lab):
    """A device beside the path answers a ClientHello with a fatal alert (handshake_failure).

    The alert stands where the server's ServerHello belongs, which arrives 50 ms later: one of the
    two is not the server's.
    """
    lab.curl("https://blocked.example/")
    lab.curl("https://open.example/", "--tls-max", "1.2")


@story(scenario={"triggers": BLOCKED, "swallow": "flow", "finish": True,
                 "forge": [alert(112, ttl=255), {"to": "client", "flags": "FA", "ttl": 255,
                                                 "seq": 7, "delay_ms": 0.8}]},
       confidence="likely", hosts=HOSTS)
def tls_alert_forged_in_path(lab):
    """A device in the path swallows the ClientHello and refuses the name itself, then closes.

    The nearest twin of tls-alert-unrecognised-name: the same alert, and nothing genuine
    contradicts it. But it comes after an eighth of the round trip, from another distance, without
    the timestamps that both sides agreed on.
    """
    lab.curl("https://blocked.example/")
    lab.curl("https://open.example/")


@story(impostor="blocked.example", confidence="likely",
       hosts={"blocked.example": "partly", "open.example": "untouched"},
       shows=("tls.handshake.certificate",))
def certificate_swap(lab):
    """One client's TLS 1.2 to blocked.example is ended on the way, with a self-signed certificate.

    Two other clients get the site's own certificate from the same address. The impostor is a
    whole server: its packets are in order, only nearer and of another TTL than those which the
    same address sends to others.
    """
    lab.impostor("203.0.113.10", "198.51.100.10", "blocked.example")
    lab.curl("https://blocked.example/", "--tls-max", "1.2", source="198.51.100.11")
    lab.curl("https://blocked.example/", "--tls-max", "1.2", "-k")
    lab.curl("https://blocked.example/", "--tls-max", "1.2")
    lab.curl("https://blocked.example/", "--tls-max", "1.2", source="198.51.100.12")
    lab.curl("https://open.example/", "--tls-max", "1.2")


@innocent(shows=("tls.handshake.certificate",))
def certificate_self_signed(lab):
    """One name, one machine with a self-signed certificate and two with their authority's.

    An owner's test machine: at the same distance, on an address of its own.
    """
    for address in ("203.0.113.68", "203.0.113.67", "203.0.113.69"):
        lab.curl("https://rotating.example/", "-k", "--tls-max", "1.2", "--connect-to",
                 f"rotating.example:443:{address}:443")
