"""A two-ended user-space wire: raw sockets, a queue ordered by time, one loop.

The middlebox and the delaying link are both such wires; they differ in what they do with a
frame. Kernel queueing disciplines for delay and loss are not needed, nor assumed.
"""

import heapq
import itertools
import os
import select
import signal
import socket
import sys
import time

PACKET_IGNORE_OUTGOING = 23
SOL_PACKET = 263
ETH_P_ALL = 3


def raw_socket(interface):
    """A socket that receives every frame of the interface and sends frames unaltered."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((interface, 0))
    sock.setblocking(False)
    return sock


def hurry():
    """Ask for real-time scheduling, so that a busy machine does not show as jitter."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError:
        print("bridge: no real-time scheduling here", file=sys.stderr)


class Bridge:
    """Two interfaces, `left` towards the client and `right` towards the server."""

    def __init__(self, left, right):
        self.sockets = {"left": raw_socket(left), "right": raw_socket(right)}
        self.queue = []
        self.order = itertools.count()
        self.running = True
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, *_):
        """End the loop at its next turn."""
        self.running = False

    def send(self, side, frame, delay=0.0, sent=None):
        """Send a frame out of `side` after `delay` seconds; `sent` is called then."""
        due = time.monotonic() + delay
        heapq.heappush(self.queue, (due, next(self.order), side, frame, sent))

    def flush(self):
        """Send what is due; return the seconds until the next frame is, or None."""
        while self.queue:
            wait = self.queue[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, side, frame, sent = heapq.heappop(self.queue)
            if sent:
                sent()
            try:
                self.sockets[side].send(frame)
            except OSError as error:
                print(f"bridge: cannot send {len(frame)} bytes: {error}", file=sys.stderr)
        return None

    def run(self, handle):
        """Call `handle(side, frame)` for every frame that arrives on `side`."""
        hurry()
        sides = {sock.fileno(): side for side, sock in self.sockets.items()}
        poll = select.poll()
        for number in sides:
            poll.register(number, select.POLLIN)
        print("ready", flush=True)
        while self.running:
            wait = self.flush()
            # poll counts whole milliseconds; the last one is spent asking again.
            timeout = 200 if wait is None else min(200, int(wait * 1000))
            for number, _ in poll.poll(timeout):
                self.drain(sides[number], handle)

    def drain(self, side, handle):
        """Hand on all frames that wait on one side."""
        while True:
            try:
                frame = self.sockets[side].recv(65535)
            except BlockingIOError:
                return
            except OSError as error:
                print(f"bridge: {side}: {error}", file=sys.stderr)
                return
            handle(side, frame)


def opposite(side):
    """The other end."""
    return "right" if side == "left" else "left"
