"""Innocent twins of forged DNS answers."""

from story import innocent

ODD = "203.0.113.65"
NAMES = ("one.example", "two.example", "three.example", "four.example")


@innocent(shows=("dns.a == 203.0.113.20", "dns.a == 192.0.2.120"))
def dns_slow_resolver(lab):
    """The resolver takes longer than the client has patience: the question is sent again after one
    second, and both are answered, from different networks.

    The first answer comes 0.3 s after the second question, the second 1 s later: two answers that
    contradict each other, to one id, name and port, and after the last question.
    """
    lab.resolver("slow")
    lab.client("ask", ODD, "1.0", *NAMES[:3])


@innocent(shows=("dns.a == 192.0.2.120", "dns.a == 203.0.113.20"))
def dns_balanced(lab):
    """A name whose addresses lie in four networks: every question gets another answer."""
    lab.resolver("balanced")
    for _ in range(4):
        lab.dig("service.example", server=ODD)
    lab.client("ask", ODD, "0.3", "service.example", "service.example")


@innocent(shows=("dns.a == 10.20.30.40",))
def dns_split_horizon(lab):
    """One client is inside and gets a private address, the other the public one."""
    lab.resolver("split")
    for source in ("198.51.100.10", "198.51.100.11"):
        for name in NAMES:
            lab.dig(name, server=ODD, source=source)


@innocent(shows=("ip.ttl == 50", "ip.ttl == 41"))
def dns_anycast(lab):
    """Two places behind one address: the answers differ in content, TTL and time, but each question
    has one.
    """
    lab.resolver("anycast")
    for name in (*NAMES, *NAMES):
        lab.dig(name, server=ODD)


@innocent(shows=("ip.ttl == 50 && dns.a", "ip.ttl == 41 && dns.a", "dns.a == 192.0.2.120"))
def dns_nearer_cache(lab):
    """A cache near the client answers under the resolver's address for the names that it holds, and
    passes all other questions on: by TTL and time the answers split by name without an exception.

    But they are true: each name has an address of its own, wherever its answer comes from.
    """
    lab.resolver("caching")
    for _ in range(3):
        for name in (*NAMES, "five.example", "six.example"):
            lab.dig(name, server=ODD)


@innocent(shows=("dns.a == 0.0.0.0",))
def dns_block_list(lab):
    """A resolver with a block list of its owner's: names on it are answered at once, with authority
    and with 0.0.0.0, all others after 120 ms.
    """
    lab.resolver("filtering")
    for name in ("open.example", "ads.example", "news.example", "track.example", "cdn.example"):
        lab.dig(name, server=ODD)


@innocent(shows=("dns.flags.truncated == 1 && udp", "tcp.port == 53 && dns.flags.response == 1"))
def dns_over_tcp(lab):
    """An answer too long for a datagram is cut, and asked for again over TCP."""
    lab.resolver("cutting")
    lab.dig("long.example", kind="TXT", server=ODD)
    lab.dig("longer.example", kind="TXT", server=ODD)


@innocent(shows=("dns.flags.rcode == 3", "dns.cname", "dns.flags.rcode == 2"))
def dns_ordinary(lab):
    """What resolvers do all day: aliases, names that do not exist, types that do not, a failure and
    then success, answers for the subnet that asks.
    """
    lab.resolver("ordinary")
    for name in ("www.example", "gone.example", "flaky.example", "flaky.example"):
        lab.dig(name, server=ODD)
    for source in ("198.51.100.10", "198.51.100.11", "198.51.100.12"):
        lab.dig("subnet.example", "+subnet=198.51.100.0/24", server=ODD, source=source)
    lab.dig("www.example", kind="AAAA", server=ODD)
    lab.dig("www.example", kind="MX", server=ODD)


@innocent(gateway=True, shows=("ip.src == 198.51.100.1 && dns.a == 203.0.113.20",
                              "ip.src == 198.51.100.1 && dns.a == 198.51.100.21"))
def dns_forwarder(lab):
    """The home router's forwarder: some names from its own file within a millisecond and with
    authority, the others from the resolver after 56 ms.

    One address answers in two ways, and its TTL is the same.
    """
    lab.start("edge", "dnsmasq", "-d", "--no-resolv", "--no-hosts", "--user=root",
              "--listen-address=198.51.100.1", "--bind-interfaces",
              "--server=203.0.113.53@198.51.100.1",
              "--host-record=printer.example,198.51.100.21", "--cache-size=100")
    lab.sleep(0.5)
    for name in ("open.example", "printer.example", "news.example", "open.example",
                 "cdn.example", "printer.example"):
        lab.dig(name, server="198.51.100.1")


@innocent(interface="any", files=("capture.pcapng",), shows=("sll",))
def dns_tap_twice(lab):
    """Recorded on all interfaces of the edge router: every query and every answer is there twice,
    with TTLs one apart.
    """
    for name in ("rotating.example", "open.example", "blocked.example"):
        lab.dig(name)
    lab.client("ask", "203.0.113.53", "", "rotating.example")


@innocent(far={"to_right": {"duplicate": 0.6, "duplicate_ms": 2}, "seed": 4})
def dns_duplicated_on_the_way(lab):
    """The path doubles queries behind the tap: the resolver answers both, and from another network
    each time. The recording has one question and two answers that contradict each other.

    Nothing in the headers tells two senders, and so there is no proof.
    """
    lab.resolver("balanced")
    for _ in range(6):
        lab.client("ask", ODD, "", "service.example")


@innocent(shows=("dns.a == 192.0.2.120",))
def dns_two_resolvers(lab):
    """One question to two resolvers from one port with one id; their answers differ."""
    lab.resolver("balanced")
    lab.client("two-resolvers", "rotating.example", "203.0.113.53", ODD)
    lab.client("two-resolvers", "rotating.example", ODD, "203.0.113.53")
