#!/usr/bin/env python3
"""Servers that nginx cannot play. Usage: servers.py WHAT ADDRESS PORT; runs in the server's place.

One connection after the other, ordinary sockets, the kernel's own resets.
"""

import socket
import struct
import sys
import time

LINGER_ZERO = struct.pack("ii", 1, 0)
BODY = b"".join(b"line %04d of the answer of a server that has not long to live\n" % number
                for number in range(160))


def linger(sock):
    """Read the request, answer by a reset alone, as an overloaded front end does."""
    sock.recv(4096)
    linger_now(sock)


def partial(sock):
    """Half of the promised answer, then a reset."""
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY[:5000])
    time.sleep(0.15)
    linger_now(sock)


def linger_now(sock):
    """Close by reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    sock.close()


def hasty(sock):
    """The first segments of an answer and, at their heels, a reset."""
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY[:5000])
    linger_now(sock)


def too_large(sock):
    """A 413 while the body is still coming; the rest stays unread, so that closing resets."""
    sock.recv(2000)
    body = b"<html><head><title>413 Too large</title></head><body>Too large.</body></html>"
    sock.sendall(b"HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\n"
                 b"Content-Length: %d\r\n\r\n" % len(body) + body)
    sock.close()


def slow(sock):
    """A slow answer, which leaves time to be killed in; what else the client says stays unread."""
    sock.recv(10)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY))
    for at in range(0, len(BODY), 500):
        sock.sendall(BODY[at:at + 500])
        time.sleep(0.1)
    sock.close()


def paced(sock):
    """A long answer of some 20 kB a second, as a live stream is sent."""
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (10 * len(BODY)))
    for at in range(0, 10 * len(BODY), 500):
        sock.sendall((BODY * 2)[at % len(BODY):][:min(500, 10 * len(BODY) - at)])
        time.sleep(0.025)
    sock.close()


def old(sock):
    """HTTP/1.0 without a length: the end of the connection is the end of the page."""
    sock.recv(4096)
    sock.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n"
                 b"<html><head><title>Old</title></head><body>" + BODY[:4000] + b"</body></html>")
    sock.close()


def late(sock):
    """An answer after the client has lost patience."""
    sock.recv(4096)
    time.sleep(1.5)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + BODY[:5000])
    time.sleep(0.3)
    sock.close()


def dropped_session(sock):
    """A front end that has lost its table: it accepts, then resets before any byte is sent."""
    linger_now(sock)


def full(address, port):
    """A program that hangs: its queue of connections is full, and its kernel forgets the rest."""
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    listener.listen(0)
    print("ready", flush=True)
    time.sleep(600)


WHAT = {act.__name__.replace("_", "-"): act for act in (
    linger, partial, hasty, too_large, slow, paced, old, late, dropped_session)}


def main():
    """Accept and answer until terminated."""
    act, address, port = sys.argv[1:4]
    if act == "full":
        return full(address, port)
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    listener.listen(16)
    print("ready", flush=True)
    while True:
        sock, _ = listener.accept()
        try:
            WHAT[act](sock)
        except OSError as error:
            print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
