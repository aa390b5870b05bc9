#!/usr/bin/env python3
"""Clients that curl cannot play. Usage: clients.py WHAT [ARGUMENT...]; runs in the client's place.

Ordinary sockets of the ordinary kernel throughout, but for `scan`, which sends raw SYNs.
"""

import socket
import struct
import sys
import time

from packets import SYN, Segment, build

LINGER_ZERO = struct.pack("ii", 1, 0)


def connect(address, port, source_port=0, timeout=4):
    """A TCP connection, from a chosen port if one is given."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(timeout)
    if source_port:
        sock.bind(("", source_port))
    sock.connect((address, port))
    return sock


def request(host, target="/", extra="", version="1.1"):
    """The bytes of a GET."""
    return (f"GET {target} HTTP/{version}\r\nHost: {host}\r\nUser-Agent: lab/1\r\n{extra}\r\n"
            ).encode("ascii")


def read_response(sock):
    """One response with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        piece = sock.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def read_all(sock):
    """To the end, whatever the end is."""
    total = 0
    try:
        while piece := sock.recv(65536):
            total += len(piece)
    except OSError as error:
        print(f"after {total} bytes: {error}")
    return total


def half_closed(address, host):
    """Send the request, close that half, then read the answer."""
    sock = connect(address, 80)
    sock.sendall(request(host, "/big.bin", "Connection: close\r\n"))
    sock.shutdown(socket.SHUT_WR)
    print(read_all(sock))


def sip(address, host, target):
    """Read a long answer through a receive window of a few kilobytes."""
    sock = socket.socket(socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(30)
    sock.connect((address, 80))
    sock.sendall(request(host, target, "Connection: close\r\n"))
    print(read_all(sock))


def many_requests(address, host, *targets):
    """Several requests, one connection, with pauses."""
    sock = connect(address, 80)
    for target in targets:
        sock.sendall(request(host, target))
        try:
            print(len(read_response(sock)))
        except OSError as error:
            print(error)
            return
        time.sleep(0.15)
    sock.close()


def keep_alive(address, host):
    """An idle connection held open by TCP's probes (RFC 9293 3.8.4), between two requests."""
    sock = connect(address, 80)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    sock.sendall(request(host))
    read_response(sock)
    time.sleep(3.5)
    sock.sendall(request(host, "/photo.jpg"))
    read_response(sock)
    sock.close()


def pause(address, host, seconds):
    """Two requests on one connection, and nothing at all between them."""
    sock = connect(address, 80, timeout=6)
    sock.sendall(request(host))
    read_response(sock)
    time.sleep(float(seconds))
    sock.sendall(request(host, "/photo.jpg"))
    try:
        read_response(sock)
    except OSError as error:
        print(type(error).__name__)
    sock.close()


def reuse_port(address, host):
    """The same five-tuple four times: closed by reset, so that it is free at once."""
    for _ in range(4):
        sock = connect(address, 80, source_port=40123)
        sock.sendall(request(host))
        read_response(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        sock.close()
        time.sleep(0.1)


def post(address, host, size):
    """Send more than the server wants to read."""
    sock = connect(address, 80)
    extra = f"Content-Length: {size}\r\nContent-Type: application/octet-stream\r\n"
    sock.sendall(request(host, "/", extra).replace(b"GET", b"POST", 1))
    try:
        for _ in range(int(size) // 1000):
            sock.sendall(b"x" * 1000)
            time.sleep(0.004)
    except OSError as error:
        print(error)
    read_all(sock)
    sock.close()


def unfinished(address, host):
    """A request without its end; wait for what the server thinks of that."""
    sock = connect(address, 80)
    sock.sendall(request(host)[:-4])
    print(read_all(sock))
    sock.close()


def late_request(address, host, seconds):
    """Connect, wait, ask, and wait for an answer for seven seconds."""
    sock = connect(address, 80, timeout=7)
    time.sleep(float(seconds))
    sock.sendall(request(host))
    print(read_all(sock))
    sock.close()


def crowd(address, port, host, count, seconds):
    """Several connections at the same moment, a request on each, and no patience beyond `seconds`."""
    socks = []
    for _ in range(int(count)):
        sock = socket.socket(socket.AF_INET)
        sock.setblocking(False)
        sock.connect_ex((address, int(port)))
        socks.append(sock)
    time.sleep(0.3)
    for sock in socks:
        try:
            sock.send(request(host))
        except OSError as error:
            print(error)
    time.sleep(float(seconds))


def impatient(address, host, seconds):
    """Ask for much, leave before it has come."""
    sock = connect(address, 80)
    sock.sendall(request(host, "/big.bin"))
    time.sleep(float(seconds))
    sock.recv(1000)
    sock.close()


def quiet(address, host, seconds):
    """Ask, wait for an answer for a while, then close."""
    sock = connect(address, 80, timeout=float(seconds))
    sock.sendall(request(host))
    print(read_all(sock))
    sock.close()


def scan(source, *targets):
    """Raw SYNs to ADDRESS:PORT, as port scanners send them: no options, IP-ID 54321."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for number, target in enumerate(targets):
        address, port = target.split(":")
        probe = Segment(source, address, 51000 + number, int(port), 0x5CA10000 + number, 0, SYN,
                        window=1024, ttl=241, ipid=54321, df=False)
        sock.sendto(build(probe), (address, 0))
        time.sleep(0.02)
    time.sleep(0.4)


def same_query(server, name, times):
    """One DNS query several times over, with the same id from the same port."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack("!HHHHHH", 0x4242, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\x01\0\x01"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 40053))
    sock.settimeout(2)
    for _ in range(int(times)):
        sock.sendto(query, (server, 53))
    for _ in range(int(times)):
        print(len(sock.recv(512)))


def ask(server, pauses, *names):
    """One question for each name, A, from one port each and without EDNS; sent again after each of
    `pauses` (seconds, with commas between) whether or not an answer has come."""
    for number, name in enumerate(names):
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        query = struct.pack("!6H", 0x5100 + number, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\x01\0\x01"
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        address, _, port = server.partition("#")
        sock.connect((address, int(port or 53)))
        waits = [float(pause) for pause in pauses.split(",") if pause]
        for pause in (*waits, 1.5):
            sock.send(query)
            listen(sock, pause)
        sock.close()


def listen(sock, seconds):
    """Take what comes for so long."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            print(len(sock.recv(2048)))
        except TimeoutError:
            return


def two_resolvers(name, *servers):
    """One question to several resolvers from one port, with one id."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack("!6H", 0x5200, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\x01\0\x01"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 40153))
    for server in servers:
        sock.sendto(query, (server, 53))
    listen(sock, 1)


WHAT = {act.__name__.replace("_", "-"): act for act in (
    half_closed, sip, crowd, late_request, many_requests, keep_alive, pause, reuse_port, post,
    unfinished, impatient, quiet, scan,
    same_query, ask, two_resolvers)}

if __name__ == "__main__":
    WHAT[sys.argv[1]](*sys.argv[2:])
