"""Innocent twins of throttling: downloads that are slow although nobody slows their name."""

from story import innocent

LOSSY = "tcp.analysis.retransmission || tcp.analysis.out_of_order"
GZ = ("capture.pcap.gz",)


def both(**way):
    """The same in both directions."""
    return {"to_left": way, "to_right": way}


def two(lab, apart=2, first="shared-a.example", second="shared-b.example"):
    """Two long downloads, the second while the first lasts."""
    one = lab.curl(f"http://{first}/long.bin", "-m", "40", wait=False)
    lab.sleep(apart)
    lab.curl(f"http://{second}/long.bin", "-m", "40")
    one.wait(45)


@innocent(near={"to_left": {"police": {"rate_bps": 300_000, "burst": 12_000}}}, files=GZ,
          shows=(LOSSY,))
def rate_line_policed(lab):
    """The client's whole line is policed, all names alike: two downloads share one bucket.
    """
    two(lab)


@innocent(near={"to_left": {"police": {"rate_bps": 300_000, "burst": 150_000}}}, files=GZ,
          shows=(LOSSY,))
def rate_line_policed_burst(lab):
    """The whole line is policed, and the first download passes at full speed in its large burst.

    The second, for another name at the same server, finds the bucket empty: it is held from its
    beginning, and a third one too.
    """
    lab.curl("http://shared-b.example/long.bin", "-m", "20")
    lab.curl("http://shared-a.example/long.bin", "-m", "40")
    lab.curl("http://shared-a.example/long.bin", "-m", "40")


@innocent(near={"to_left": {"shape": {"rate_bps": 300_000, "queue": 60_000}}}, files=GZ)
def rate_line_shaped(lab):
    """The whole line is slow and queues: all names wait alike, and nearly nothing is lost.
    """
    two(lab)


@innocent(near={"to_left": {"shape": {"rate_bps": 400_000, "queue": 9_000}}}, files=GZ,
          shows=(LOSSY,))
def rate_congested(lab):
    """A congested link with a short queue, shared by three downloads: all lose, and share unfairly.
    """
    more = lab.curl("http://open.example/long.bin", "-m", "40", wait=False)
    two(lab, 1)
    more.wait(45)


@innocent(files=GZ)
def rate_slow_server(lab):
    """A server that sends 20 kB a second, as live streams are sent, beside a fast one.
    """
    lab.server("paced")
    two(lab, 2, "odd.example", "open.example")


@innocent(far={**both(loss=0.07), "seed": 31}, files=GZ, shows=(LOSSY,))
def rate_slow_server_loss(lab):
    """The same on a path that loses 7 %: the slow server's bytes lie on a straight line at all its
    losses, and the faster download loses as much.
    """
    lab.server("paced")
    two(lab, 2, "odd.example", "open.example")


@innocent(files=GZ)
def rate_small_window(lab):
    """A client that reads through a receive window of a few kilobytes, and another that does not.
    """
    slow = lab.client_later("sip", "203.0.113.30", "shared-a.example", "/long.bin")
    lab.sleep(0.5)
    lab.curl("http://shared-b.example/long.bin")
    slow.wait(30)


@innocent(far={**both(loss=0.05), "seed": 32}, files=GZ, shows=(LOSSY,))
def rate_loss(lab):
    """Long downloads on a path that loses 5 %: some are unlucky, and slower than others.
    """
    for name in ("shared-a.example", "shared-b.example", "shared-a.example"):
        two(lab, 0.2, name, "shared-b.example")


@innocent(far={**both(delay_ms=280, loss=0.03), "seed": 33}, files=GZ, shows=(LOSSY,))
def rate_long_way(lab):
    """Long downloads over a satellite's round trip of 560 ms, with 3 % of loss.
    """
    two(lab, 1)
    two(lab, 0.2, "open.example", "shared-a.example")


@innocent(far={"to_left": {"late": 0.3, "late_ms": 12}, "seed": 34}, files=GZ,
          shows=("tcp.analysis.out_of_order || tcp.analysis.duplicate_ack",))
def rate_reordered(lab):
    """Long downloads on a path on which three packets of ten are overtaken, beside one over a line
    of its own: what comes late was not lost.
    """
    two(lab, 0.05)
    two(lab, 0.05, "open.example", "shared-b.example")
