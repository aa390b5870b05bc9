#!/usr/bin/env python3
"""Two machines behind one balancer. Usage: balanced.py ADDRESS PORT; runs in the server's place.

The first SYN of a connection goes to a machine that is busy for a second and more, the next to one
that answers at once. Each has its own initial sequence number, window and TTL. Raw segments, for
one kernel cannot play two; the kernel's own answers are filtered by the caller.
"""

import socket
import sys
import threading

from packets import ACK, FIN, PSH, RST, SYN, Segment, build, parse

ETH_P_IP = 0x0800
BUSY_SECONDS = 1.25
MACHINES = [{"isn": 0x2A000000, "ttl": 64, "window": 64240, "wait": BUSY_SECONDS},
            {"isn": 0x71000000, "ttl": 62, "window": 28960, "wait": 0}]
ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")


class Balancer:
    """Who got which SYN, and what is said to whom."""

    def __init__(self, address, port):
        self.address, self.port = address, port
        self.syns = {}
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def take(self, segment):
        """One segment from a client."""
        client = (segment.src, segment.sport)
        if segment.flags & SYN:
            number = self.syns[client] = self.syns.get(client, -1) + 1
            machine = MACHINES[min(number, 1)]
            self.later(machine, segment, SYN | ACK, machine["isn"], segment.seq + 1)
        elif segment.payload:
            machine = next(one for one in MACHINES if (segment.ack - one["isn"]) >> 20 == 0)
            end = segment.seq + len(segment.payload)
            self.say(machine, segment, PSH | ACK | FIN, segment.ack, end, ANSWER)
        elif segment.flags & FIN and not segment.flags & RST:
            machine = next(one for one in MACHINES if (segment.ack - one["isn"]) >> 20 == 0)
            self.say(machine, segment, ACK, segment.ack, segment.seq + 1)

    def later(self, machine, *what):
        """When the machine gets to it."""
        threading.Timer(machine["wait"], self.say, (machine, *what)).start()

    def say(self, machine, to, flags, seq, ack, payload=b""):
        """One segment to the client."""
        segment = Segment(self.address, to.src, self.port, to.sport, seq, ack, flags,
                          window=machine["window"], ttl=machine["ttl"], payload=payload)
        self.out.sendto(build(segment), (to.src, 0))


def main():
    """Answer until terminated."""
    address, port = sys.argv[1], int(sys.argv[2])
    balancer = Balancer(address, port)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
    wire.bind(("eth0", 0))
    print("ready", flush=True)
    while True:
        segment = parse(wire.recv(4096))
        if segment and (segment.dst, segment.dport) == (address, port):
            balancer.take(segment)


if __name__ == "__main__":
    main()
