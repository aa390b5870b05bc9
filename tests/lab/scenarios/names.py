#!/usr/bin/env python3
"""Three honest resolvers in one process. Usage: names.py SEED; runs in the server's place.

Each has a habit of its own (EDNS, AA, what a look-up takes), drawn from the seed. What a name is
answered with is told by its first label, as visitors.py writes it. UDP, both families.
"""

import heapq
import itertools
import random
import select
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import dnswire
from dnswire import AA, RA
from resolvers import NETWORKS


class Resolver:
    """One address: its habit and its answers."""

    def __init__(self, r, last):
        self.edns = r.random() < 0.75
        self.flags = RA | (AA if r.random() < 0.15 else 0)
        self.cached = r.uniform(0.2, 0.9)   # how many names it knows without asking
        self.look_up = r.uniform(0.01, 0.15)
        self.anycast = last == 66
        self.random = random.Random(r.random())
        self.count = itertools.count()

    def answer(self, query):
        """(seconds to wait, message, hops by which this answer comes nearer)."""
        wait = 0.0005 if self.random.random() < self.cached else self.look_up
        act = query.name.split("-")[0]
        turn = next(self.count)
        records, rcode, flags = [("A", f"203.0.113.{turn % 200 + 10}")], "NOERROR", self.flags
        if act == "gone":
            records, rcode = [], "NXDOMAIN"
        elif act == "failing" and turn % 2:
            records, rcode = [], "SERVFAIL"
        elif act == "chain":
            alias = dnswire.name_bytes("edge.cdn.example")
            records = [("CNAME", "edge.cdn.example"), ("A", "203.0.113.21", 20, alias)]
        elif act == "inside":
            records = [("A", f"10.20.{turn % 200}.40")]
        elif act == "filtered":
            records, wait, flags = [("A", "0.0.0.0")], 0, flags | AA
        elif act in ("balanced", "twice", "retry"):
            chosen = [NETWORKS[(turn + more) % len(NETWORKS)] for more in range(1 + turn % 2)]
            records = [("A", address) for address in chosen]
        elif act == "slow":
            records, wait = [("A", NETWORKS[turn % len(NETWORKS)])], 1.3
        if query.kind == "AAAA" and rcode == "NOERROR":
            records = [("AAAA", f"2001:db8:5::{turn % 200 + 16:x}")]
        nearer = 9 if self.anycast and turn % 2 else 0
        message = dnswire.answer(query, records, rcode, flags, query.edns and self.edns)
        return wait + (0.06 if self.anycast and not nearer else 0), message, nearer


def bound(address):
    """A socket on port 53."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    return sock


def say(sock, message, client, nearer):
    """Send an answer with a TTL that is lower by `nearer`."""
    if sock.family == socket.AF_INET6:
        with open("/proc/sys/net/ipv6/conf/default/hop_limit", encoding="ascii") as file:
            hops = int(file.read()) - nearer
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
    else:
        with open("/proc/sys/net/ipv4/ip_default_ttl", encoding="ascii") as file:
            hops = int(file.read()) - nearer
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
    sock.sendto(message, client)


def main():
    """Answer until terminated."""
    r = random.Random(f"resolvers {sys.argv[1]}")
    socks = {}
    for last in (53, 65, 66):
        resolver = Resolver(r, last)
        for address in (f"203.0.113.{last}", f"2001:db8:5::{last}"):
            socks[bound(address)] = resolver
    waiting, order = [], itertools.count()
    print("ready", flush=True)
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else 1
        for sock in select.select(list(socks), [], [], wait)[0]:
            payload, client = sock.recvfrom(4096)
            query = dnswire.parse(payload)
            if query:
                seconds, message, nearer = socks[sock].answer(query)
                due = time.monotonic() + seconds
                heapq.heappush(waiting, (due, next(order), sock, message, client, nearer))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, sock, message, client, nearer = heapq.heappop(waiting)
            say(sock, message, client, nearer)


if __name__ == "__main__":
    main()
