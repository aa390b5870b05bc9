#!/usr/bin/env python3
"""A stretch of the Internet between two interfaces: delay, loss, duplicates, disorder, hops.

Usage: link.py LEFT RIGHT SETTINGS, where SETTINGS is a JSON object with, for each of
`to_right` and `to_left`, any of

  delay_ms    constant delay
  jitter_ms   further delay, uniform from 0; frames may overtake each other
  loss        probability that a frame is lost
  duplicate   probability that a frame is sent twice, and `duplicate_ms` between the copies
  late        probability that a frame is held for `late_ms`, so that later ones overtake it
  hops        routers that the stretch stands for: the TTL falls by as much
  flap        [packets, hops]: from that packet on (SYN counts as 1, by flow) other hops
  ipv6_ms     further delay for IPv6 alone
  largest     packets above this many bytes are lost without a word (an MTU black hole)
  outages     [[from, to], ...]: nothing passes in these seconds after the start
  police      {"rate_bps", "burst"}: what is above the rate is lost, all flows together (police.py)
  shape       {"rate_bps", "queue"}: what is above the rate waits, and is lost when as many bytes do

and `seed`.
"""

import json
import random
import sys
import time

from bridge import Bridge, opposite
from packets import SYN, lower_ttl, parse
from police import Bucket


class Link:
    """What one stretch does to the frames that cross it."""

    def __init__(self, bridge, settings):
        self.bridge = bridge
        self.ways = {side: settings.get(f"to_{side}", {}) for side in ("left", "right")}
        self.random = random.Random(settings.get("seed", 1))
        self.counts = {}
        self.start = time.monotonic()
        self.buckets = {side: Bucket(way["police"]) for side, way in self.ways.items()
                        if "police" in way}
        self.free = {"left": 0.0, "right": 0.0}

    def handle(self, side, frame):
        """Pass one frame on, or not."""
        way = self.ways[opposite(side)]
        if self.random.random() < way.get("loss", 0) or len(frame) - 14 > way.get("largest", 65535):
            return
        elapsed = time.monotonic() - self.start
        if any(begin <= elapsed < end for begin, end in way.get("outages", [])):
            return
        bucket = self.buckets.get(opposite(side))
        waits = self.waits(opposite(side), way, len(frame) - 14)
        if waits is None or (bucket and not bucket.lets_pass(len(frame) - 14)):
            return
        frame = lower_ttl(frame, self.hops(way, frame))
        if frame is None:
            return
        delay = self.delay(way, frame) + waits
        self.bridge.send(opposite(side), frame, delay)
        if self.random.random() < way.get("duplicate", 0):
            gap = way.get("duplicate_ms", 1) / 1000
            self.bridge.send(opposite(side), frame, delay + gap)

    def waits(self, side, way, size):
        """Seconds until a slow line has sent this packet; None where its queue is full."""
        if "shape" not in way:
            return 0
        rate, now = way["shape"]["rate_bps"] / 8, time.monotonic()
        begins = max(now, self.free[side])
        if (begins - now) * rate + size > way["shape"]["queue"]:
            return None
        self.free[side] = begins + size / rate
        return self.free[side] - now

    def delay(self, way, frame):
        """Seconds for which this frame is held."""
        milliseconds = way.get("delay_ms", 0) + self.random.random() * way.get("jitter_ms", 0)
        if self.random.random() < way.get("late", 0):
            milliseconds += way.get("late_ms", 5)
        if frame[12:14] == b"\x86\xdd":
            milliseconds += way.get("ipv6_ms", 0)
        return milliseconds / 1000

    def hops(self, way, frame):
        """Routers that this frame meets, which may change in the middle of a flow."""
        if "flap" not in way:
            return way.get("hops", 0)
        segment = parse(frame)
        if segment is None:
            return way.get("hops", 0)
        flow = (segment.src, segment.sport, segment.dst, segment.dport)
        self.counts[flow] = 1 if segment.flags & SYN else self.counts.get(flow, 0) + 1
        after, hops = way["flap"]
        return hops if self.counts[flow] >= after else way.get("hops", 0)


def main():
    """Run until terminated."""
    left, right, settings = sys.argv[1:4]
    bridge = Bridge(left, right)
    bridge.run(Link(bridge, json.loads(settings)).handle)


if __name__ == "__main__":
    main()
