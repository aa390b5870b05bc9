#!/usr/bin/env python3
"""Resolvers that dnsmasq cannot play. Usage: resolvers.py WHAT ADDRESS PORT; UDP and TCP.

Each act takes (query, source address, whether over TCP) and gives (delay in seconds, message,
initial TTL). All answer honestly, each question once.
"""

import heapq
import itertools
import select
import socket
import struct
import sys
import time

import dnswire
from dnswire import AA, RA, TC

# Addresses of one name in four networks, as large services have them.
NETWORKS = ["203.0.113.20", "192.0.2.120", "198.18.7.20", "100.64.9.20"]


class Acts:
    """The behaviours; they count what they answered."""

    def __init__(self):
        self.count = itertools.count()

    def slow(self, query, _source, _tcp):
        """Slower than the client's patience, and every answer from another network."""
        network = NETWORKS[next(self.count) % len(NETWORKS)]
        return 1.3, dnswire.answer(query, [("A", network)], edns=query.edns), 64

    def balanced(self, query, _source, _tcp):
        """A balanced set over several networks, one address a time, then two."""
        start = next(self.count)
        chosen = [NETWORKS[(start + more) % len(NETWORKS)] for more in range(1 + start % 2)]
        records = [("A", address) for address in chosen]
        return 0.001, dnswire.answer(query, records, edns=query.edns), 64

    def split(self, query, source, _tcp):
        """Another answer for clients inside: a private address for the one, a public one else."""
        address = "10.20.30.40" if source.endswith(".11") else "203.0.113.20"
        return 0.001, dnswire.answer(query, [("A", address)], flags=RA | AA, edns=query.edns), 64

    def anycast(self, query, _source, _tcp):
        """Two places behind one address: one near, one far and with another TTL."""
        near = next(self.count) % 2
        address = NETWORKS[0] if near else NETWORKS[1]
        delay, ttl = (0, 61) if near else (0.06, 52)
        return delay, dnswire.answer(query, [("A", address)], edns=query.edns), ttl

    def caching(self, query, _source, _tcp):
        """A cache in the path that holds two names, and the resolver behind it for all others."""
        names = ["one", "two", "three", "four", "five", "six"]
        place = names.index(query.name.split(".")[0])
        address = NETWORKS[place % 4] if place < 4 else f"198.18.8.{place}"
        delay, ttl = (0, 61) if place < 2 else (0.06, 52)
        return delay, dnswire.answer(query, [("A", address)], edns=query.edns), ttl

    def filtering(self, query, _source, _tcp):
        """A resolver with a block list of its owner's: these names are answered at once, the others
        after a look-up."""
        if query.name.startswith(("ads.", "track.")):
            address = "0.0.0.0" if query.kind == "A" else "::"
            message = dnswire.answer(query, [(query.kind, address)], flags=RA | AA, edns=query.edns)
            return 0, message, 64
        return 0.12, dnswire.answer(query, [("A", "203.0.113.20")], edns=query.edns), 64

    def cutting(self, query, _source, tcp):
        """An answer too long for a datagram: cut (TC), then whole over TCP."""
        if not tcp:
            return 0, dnswire.answer(query, [], flags=RA | TC, edns=query.edns), 64
        records = [("TXT", f"line {number} of a long text") for number in range(40)]
        return 0, dnswire.answer(query, records, edns=query.edns), 64

    def ordinary(self, query, source, _tcp):
        """Chains of aliases, names that do not exist, failures and then success, answers for the
        subnet that asks."""
        alias = dnswire.name_bytes("edge.cdn.example")
        chain = [("CNAME", "edge.cdn.example"), ("A", "203.0.113.21", 20, alias)]
        if query.name == "gone.example":
            return 0, dnswire.answer(query, [], "NXDOMAIN", RA, query.edns), 64
        if query.name == "flaky.example":
            failed = next(self.count) % 2 == 0
            records, rcode = ([], "SERVFAIL") if failed else ([("A", NETWORKS[0])], "NOERROR")
            return 0.01, dnswire.answer(query, records, rcode, RA, query.edns), 64
        if query.name == "subnet.example":
            address = NETWORKS[int(source.rsplit(".", 1)[1]) % len(NETWORKS)]
            return 0, dnswire.answer(query, [("A", address)], edns=query.edns), 64
        if query.kind == "MX":
            return 0, dnswire.answer(query, [("MX", "mail.example")], edns=query.edns), 64
        return 0, dnswire.answer(query, chain if query.kind == "A" else [], edns=query.edns), 64


class Server:
    """One loop for datagrams, connections and answers that wait."""

    def __init__(self, act, address, port):
        self.act = act
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.bind((address, port))
        self.tcp = socket.socket(family, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, port))
        self.tcp.listen(8)
        self.waiting, self.order = [], itertools.count()

    def run(self):
        """Answer until terminated."""
        print("ready", flush=True)
        while True:
            wait = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else 1
            ready, _, _ = select.select([self.udp, self.tcp], [], [], wait)
            if self.udp in ready:
                self.datagram(*self.udp.recvfrom(4096))
            if self.tcp in ready:
                self.connection(*self.tcp.accept())
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                _, _, message, ttl, client = heapq.heappop(self.waiting)
                self.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
                self.udp.sendto(message, client)

    def datagram(self, payload, client):
        """One query."""
        query = dnswire.parse(payload)
        if query:
            delay, message, ttl = self.act(query, client[0], False)
            due = time.monotonic() + delay
            heapq.heappush(self.waiting, (due, next(self.order), message, ttl, client))

    def connection(self, sock, client):
        """One query over TCP."""
        sock.settimeout(2)
        length = struct.unpack("!H", sock.recv(2, socket.MSG_WAITALL))[0]
        query = dnswire.parse(sock.recv(length, socket.MSG_WAITALL))
        if query:
            message = self.act(query, client[0], True)[1]
            sock.sendall(struct.pack("!H", len(message)) + message)
        sock.recv(1)
        sock.close()


if __name__ == "__main__":
    Server(getattr(Acts(), sys.argv[1]), sys.argv[2], int(sys.argv[3])).run()
