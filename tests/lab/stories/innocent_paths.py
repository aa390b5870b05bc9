"""Innocent twins made by the path, or by the recording itself."""

import random
from dataclasses import replace

from story import innocent

SERVER_RESETS = "tcp.flags.reset == 1 && ip.src == 203.0.113.0/24"


def both(**way):
    """The same in both directions."""
    return {"to_left": way, "to_right": way}


@innocent(far={**both(loss=0.08), "seed": 5}, shows=("tcp.analysis.retransmission",))
def loss(lab):
    """A path that loses 8 % of the packets each way: retransmissions, holes, late acknowledgements.
    """
    lab.curl("http://open.example/big.bin")
    for _ in range(2):
        lab.curl("https://blocked.example/photo.jpg")
        lab.curl("http://closing.example/")


@innocent(far={"to_left": {"late": 0.4, "late_ms": 4}, "seed": 3},
          shows=("tcp.analysis.out_of_order || tcp.analysis.duplicate_ack", SERVER_RESETS))
def reordering(lab):
    """A path on which packets to the client are overtaken by those behind them.

    Also by the server's own resets: data arrive after a reset, from the very sender of the reset.
    Their sequence numbers lie below that of the reset, as the sender's must.
    """
    lab.curl("http://open.example/photo.jpg")
    lab.server("hasty")
    for _ in range(8):
        lab.curl("http://odd.example/")


@innocent(far={**both(duplicate=0.2, duplicate_ms=0.4), "seed": 4},
          shows=("tcp.analysis.retransmission || tcp.analysis.duplicate_ack", SERVER_RESETS))
def duplication(lab):
    """A path that sends every fifth packet twice, the server's resets among them.
    """
    lab.curl("http://open.example/big.bin")
    for _ in range(4):
        lab.curl("http://closing.example/")
    lab.curl("https://open.example/")


@innocent(interface="any", files=("capture.pcapng",), shows=(SERVER_RESETS, "sll"))
def tap_twice(lab):
    """Recorded on all interfaces of the edge router: every frame is seen as it enters and leaves.

    Each packet is there twice with TTLs one apart, a server's own reset too. Linux cooked frames.
    """
    lab.curl("http://closing.example/")
    lab.curl("https://open.example/")


def mirrored(records):
    """What a switch gives that mirrors both ports of a connection: each frame as it enters and as it
    leaves, alike to the last byte, 15 to 60 us apart, so that the copies of a burst come late."""
    chance, found = random.Random(17), []
    for record in records:
        later = record.time + chance.randrange(15_000, 60_000)
        found += [record, replace(record, time=later)]
    return sorted(found, key=lambda record: record.time)


@innocent(edit=mirrored, far={"to_left": {"loss": 0.03}, "seed": 9}, shows=(SERVER_RESETS,),
          files=("capture.pcap.gz",))
def mirror_twice(lab):
    """A mirror port that shows both directions of both ports: each frame twice, TTL and all alike.

    Between the copies of one frame others may stand. Resets, refused connections, downloads with
    lost packets and questions are seen so. Copies were made after the recording.
    """
    lab.curl("http://closing.example/")
    lab.curl("http://open.example/big.bin")
    lab.curl("https://open.example/")
    lab.curl("http://open.example:8081/")
    lab.client("half-closed", "203.0.113.20", "open.example")
    lab.server("partial")
    lab.curl("http://odd.example/")


@innocent(far={"to_left": {"flap": [4, 1]}}, shows=(
    SERVER_RESETS, "ip.ttl == 59 && ip.src == 203.0.113.0/24",
    "ip.ttl == 53 && ip.src == 203.0.113.0/24"))
def ttl_flapping(lab):
    """The path from the server changes within each connection: TTL 53, then 59.

    The server's own reset comes with the second TTL, six away from that of the SYN/ACK.
    """
    lab.server("partial")
    lab.curl("http://odd.example/")
    lab.curl("http://open.example/photo.jpg")
    lab.curl("http://closing.example/")


def punctured(records):
    """A recorder that has lost every twelfth frame or so."""
    chance = random.Random(11)
    return [record for record in records if chance.random() > 0.08]


@innocent(edit=punctured, files=("capture.pcapng",), pcapng={"drops": 9},
          shows=("tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment",))
def capture_loss(lab):
    """The network is fine, the recording is not: 8 % of the frames are missing from the file.

    Acknowledgements for bytes that were never seen, resets whose cause is not there. The file
    says that frames were dropped. Frames were taken out after the recording.
    """
    lab.curl("http://open.example/big.bin")
    for _ in range(4):
        lab.curl("http://closing.example/")
        lab.curl("https://open.example/")


def headless(records):
    """From the third large frame on, which is in the middle of the first download."""
    large = [at for at, record in enumerate(records) if record.length > 1000]
    return records[large[2]:]


@innocent(edit=headless, shows=(SERVER_RESETS,), never=("frame.number < 3 && tcp.flags.syn == 1",))
def mid_stream_start(lab):
    """The recording begins in the middle of a connection: no handshake, no round trip, no ISN.

    That connection ends in the server's own reset; a whole one follows. The first frames were cut
    off after the recording.
    """
    lab.server("partial")
    lab.curl("http://odd.example/")
    lab.curl("http://odd.example/")


@innocent(far=both(delay_ms=1), near=both(delay_ms=0.2), shows=(SERVER_RESETS,))
def near_by_server(lab):
    """A server so near that the round trip is under 4 ms: timing cannot tell anything.
    """
    lab.curl("http://closing.example/")
    lab.curl("http://open.example/")
    lab.curl("https://forbidding.example/")


@innocent(far={"to_left": {"jitter_ms": 90}, "seed": 8}, shows=(SERVER_RESETS,))
def jitter(lab):
    """A radio link: up to 90 ms of further delay, so that an answer may take far less time than
    the handshake did.

    Half of the handshake's round trip is then an ordinary time for an honest answer, and packets
    overtake each other.
    """
    for _ in range(3):
        lab.curl("http://closing.example/")
        lab.curl("http://open.example/photo.jpg")


@innocent(gateway=True, shows=(SERVER_RESETS, "tcp.flags.reset == 1 && ip.ttl == 64"))
def gateway_forgets(lab):
    """A firewall of the user's network forgets connections over which nothing passed for five
    seconds, and refuses what comes of them later.

    Its resets claim to come from the server, at once, with a TTL of their own, right after a
    request. Nobody chose that request. The kernel's own connection tracking does it
    (`nf_conntrack_tcp_timeout_established`; a real one waits for minutes or hours).
    """
    guard(lab)
    lab.run("edge", "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_timeout_established=5")
    for name, address in (("open.example", "203.0.113.20"), ("news.example", "203.0.113.11")):
        lab.client("pause", address, name, 11)
    lab.client("pause", "203.0.113.20", "open.example", 1)
    lab.curl("http://open.example/")


@innocent(gateway=True, shows=(SERVER_RESETS, "tcp.flags.reset == 1 && ip.ttl == 64"))
def gateway_restarts(lab):
    """A firewall of the user's network loses its table while two pages are being loaded.

    What comes of their connections it refuses from then on, in the servers' names; the servers know
    nothing of it, and their data follow the resets.
    """
    guard(lab)
    loads = [lab.curl(f"http://{name}/big.bin", "--limit-rate", "20k", wait=False)
             for name in ("open.example", "news.example")]
    lab.sleep(0.18)
    lab.run("edge", "conntrack", "-F")
    for load in loads:
        load.wait(12)
    lab.curl("http://open.example/")


@innocent(shows=("tcp.analysis.retransmission && ip.src == 198.51.100.0/24 && tcp.len > 0",))
def gateway_forgets_silently(lab):
    """The same firewall as in gateway-forgets, set to discard what it has forgotten.

    Three connections for one name go on after a pause, and none is heard; others with the same
    server pass meanwhile. Nobody chose the name: its connections are those that had been idle.
    """
    guard(lab, "drop")
    lab.run("edge", "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_timeout_established=5")
    idle = [lab.client_later("pause", "203.0.113.30", "shared-a.example", 11) for _ in range(3)]
    lab.sleep(9)
    lab.curl("http://shared-b.example/")
    lab.sleep(4)
    lab.curl("http://shared-b.example/")
    for client in idle:
        client.wait(15)
    lab.curl("http://shared-b.example/")


def guard(lab, verdict="reject with tcp reset"):
    """The user's own router refuses what its connection tracking does not know."""
    for rule in ("add table inet guard",
                 "add chain inet guard forward { type filter hook forward priority 0; }",
                 f"add rule inet guard forward iifname lan ct state invalid {verdict}"):
        lab.run("edge", "nft", rule)
    lab.run("edge", "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")
