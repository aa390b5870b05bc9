"""Downloads held to a rate by a device that knows the name, beside others that are not."""

from story import story

HOSTS = {"shared-a.example": "blocked", "shared-b.example": "untouched"}
SLOW = {"rate_bps": 150_000, "burst": 12_000}
LONG = "tcp.analysis.retransmission || tcp.analysis.out_of_order"


def named(name="shared-a.example", **police):
    """A policer for one name, in a ClientHello or a request."""
    return {"triggers": {"sni": [name], "http_host": [name]}, "police": {**SLOW, **police}}


def beside(lab, scheme, *options):
    """The slowed download, and another one from the same server while it lasts."""
    slowed = lab.curl(f"{scheme}://shared-a.example/long.bin", "-m", "30", *options, wait=False)
    lab.sleep(2)
    lab.curl(f"{scheme}://shared-b.example/long.bin", "-m", "20", *options)
    slowed.wait(30)


@story(scenario=named(), hosts=HOSTS, confidence="likely", shows=(LONG,))
def throttle_sni(lab):
    """A device polices what comes after a ClientHello with one name to 150 kbit/s: 12,000 bytes pass
    at once, then a bucket fills at that rate, and what finds it empty is dropped.

    shared-b.example, at the same address, is fetched meanwhile, in a fraction of a second. The
    capture lies behind the device: it shows each byte once, and the holes. Rate and manner are those
    of the device that slowed Twitter in Russia in 2021.
    """
    beside(lab, "https")


@story(scenario=named(), hosts=HOSTS, confidence="likely", vantage="near server", shows=(LONG,))
def throttle_near_server(lab):
    """The same before the device: the capture shows what the server sends, the dropped packets too,
    and what the client acknowledges.
    """
    beside(lab, "https")


@story(scenario=named(rate_bps=130_000, burst=20_000), hosts=HOSTS, confidence="likely",
       vantage="middle", files=("capture.pcap.gz",), shows=(LONG, "ipv6"))
def throttle_ipv6(lab):
    """IPv6 and plain HTTP: the Host of the request sets it off. 130 kbit/s after 20,000 bytes.
    """
    beside(lab, "http", "-6")


@story(scenario=named(), confidence="likely", files=("capture.pcap.gz",),
       hosts={**HOSTS, "open.example": "untouched"}, shows=(LONG,))
def throttle_repeated(lab):
    """Three downloads of one name are each held to the same rate; two others are not, one of them
    from another server, at which nobody looks.
    """
    slowed = [lab.curl("http://shared-a.example/long.bin", "-m", "30", wait=False)
              for _ in range(3)]
    lab.sleep(2)
    lab.curl("http://shared-b.example/long.bin")
    lab.curl("http://open.example/long.bin")
    for one in slowed:
        one.wait(30)
