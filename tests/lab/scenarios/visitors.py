#!/usr/bin/env python3
"""All clients of a scenario in one process. Usage: visitors.py PLAN; runs in the client's place.

A thread for each flow, started when the plan says, from the port that the plan says. Ordinary
sockets of the ordinary kernel, but for `scan`, which sends a raw SYN. One line of JSON a flow tells
how it went; nothing depends on it.
"""

import json
import random
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from clients import LINGER_ZERO, request
from packets import SYN, Segment, build

TLS = {"tls", "think-tls", "linger-tls", "alert-name", "alert-ttl", "alert-version",
       "hello-reset", "hello-close", "big-tls", "self-signed", "vouched", "impostor",
       "back-end-tls", "dead-origin-tls"}
PATIENCE = 9.0


def connect(flow, port, kind=socket.SOCK_STREAM):
    """A socket from the flow's own port."""
    sock = socket.socket(socket.AF_INET6 if ":" in flow["server"] else socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(PATIENCE)
    if flow["act"] == "sip":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.bind((flow["client"], flow["port"]))
    sock.connect((flow["server"], port))
    return sock


def read_all(sock, enough=1 << 30):
    """To the end, or until enough has come."""
    total = 0
    while total < enough and (piece := sock.recv(65536)):
        total += len(piece)
    return total


def closing(flow, target="/"):
    """A request that asks for the connection to be closed after it."""
    return request(flow["name"], target, "Connection: close\r\n")


def web(flow):
    """One page, in the clear or not, read to its end."""
    tls = flow["act"] in TLS
    sock = connect(flow, 443 if tls else 80)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if flow.get("tls12") or flow["act"] == "alert-version":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        sock = context.wrap_socket(sock, server_hostname=flow["name"])
    target = "/big.bin" if flow["port"] % 5 == 0 else "/"
    plain = flow["act"] in ("page", "tls", "close-silent", "late")
    sock.sendall(closing(flow, target) if plain else request(flow["name"]))
    first = sock.recv(65536)
    size = len(first) + measured(sock, first)
    time.sleep(1.6 if flow["act"] == "idle-reset" else 0)
    sock.close()
    return size


def measured(sock, first):
    """What is still to come of an answer: by its length, or to the end."""
    head, _, body = first.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return read_all(sock, max(0, int(line.split(b":")[1]) - len(body)))
    return read_all(sock) if first else 0


def keep_alive(flow):
    """Several requests, one connection, with pauses."""
    sock = connect(flow, 80)
    for target in ("/", "/photo.jpg", "/")[:2 + flow["port"] % 2]:
        sock.sendall(request(flow["name"], target))
        measured(sock, sock.recv(65536))
        time.sleep(12 if flow["act"] == "forgotten" else 0.2)
    sock.close()


def abort(flow):
    """A tab closed in the middle of a download: the client's own reset."""
    sock = connect(flow, 80)
    sock.sendall(closing(flow, "/big.bin"))
    sock.recv(2000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    sock.close()


def close_unread(flow):
    """Closed with data unread, and more on the way."""
    sock = connect(flow, 80)
    sock.sendall(closing(flow, "/big.bin"))
    sock.recv(100)
    time.sleep(0.05)
    sock.close()


def impatient(flow):
    """Closed before the answer."""
    sock = connect(flow, 80)
    sock.sendall(request(flow["name"]))
    time.sleep(0.4)
    sock.close()


def half_closed(flow):
    """The request, the end of that half, then the answer."""
    sock = connect(flow, 80)
    sock.sendall(closing(flow, "/big.bin"))
    sock.shutdown(socket.SHUT_WR)
    read_all(sock)
    sock.close()


def port_reuse(flow):
    """The same five-tuple three times: closed by reset, so that it is free at once."""
    for _ in range(3):
        sock = connect(flow, 80)
        sock.sendall(request(flow["name"]))
        sock.recv(65536)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        sock.close()
        time.sleep(0.1)


def idle(flow):
    """A connection over which nothing is ever said."""
    sock = connect(flow, 80)
    time.sleep(3)
    sock.close()


def too_large(flow):
    """A body that the server does not want."""
    sock = connect(flow, 80)
    body = b"x" * 24_000
    sock.sendall(f"POST /up HTTP/1.1\r\nHost: {flow['name']}\r\nContent-Length: {len(body)}\r\n\r\n"
                 .encode() + body)
    read_all(sock)


def to_port(port):
    """A connection to a port where nobody answers."""
    def act(flow):
        connect(flow, port).close()
    return act


def scan(flow):
    """A raw SYN without options; the kernel itself resets what comes back."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    syn = Segment(flow["client"], flow["server"], flow["port"], 80, random.getrandbits(32), 0, SYN,
                  window=1024, ttl=random.choice((64, 242, 255)), ipid=54321, df=False)
    sock.sendto(build(syn), (flow["server"], 0))


def ask(flow):
    """One question; sent again where the act says so."""
    sock = connect(flow, 53, socket.SOCK_DGRAM)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in flow["name"].split("."))
    edns = flow["port"] % 4 != 0
    kind = 28 if flow["act"] == "dns-six" else 1
    query = struct.pack("!6H", random.getrandbits(16), 0x0100, 1, 0, 0, int(edns)) + labels
    query += b"\0" + struct.pack("!HH", kind, 1) + (b"\0\0\x29\x04\xd0\0\0\0\0\0\0" if edns else b"")
    sock.send(query)
    if flow["act"] == "dns-twice":
        sock.send(query)
    if flow["act"] == "dns-retry":
        time.sleep(0.3)
        sock.send(query)
    deadline, again, size = time.monotonic() + 2.5, time.monotonic() + 1.0, 0
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(min(left, max(0.01, again - time.monotonic())))
        try:
            size += len(sock.recv(4096))
            again = deadline
        except TimeoutError:
            if again < deadline:
                sock.send(query)
                again = deadline
    return size


ACTS = {"keep-alive": keep_alive, "forgotten": keep_alive, "abort": abort,
        "close-unread": close_unread, "idle": idle, "impatient": impatient,
        "half-closed": half_closed, "port-reuse": port_reuse, "too-large": too_large,
        "refused": to_port(8081), "firewalled": to_port(8080), "guarded-drop": to_port(8443),
        "scan": scan}


def play(flow, begin):
    """One flow."""
    time.sleep(max(0, begin + flow["start"] - time.monotonic()))
    act = ask if flow["act"].startswith("dns") else ACTS.get(flow["act"], web)
    try:
        said = act(flow)
    except (OSError, ssl.SSLError, ValueError) as error:
        said = f"{type(error).__name__} {error}"
    print(json.dumps({"port": flow["port"], "act": flow["act"], "said": said}), flush=True)


def main():
    """Play the plan to its end."""
    with open(sys.argv[1], encoding="utf-8") as file:
        flows = json.load(file)["flows"]
    begin = time.monotonic() + 0.3
    threads = [threading.Thread(target=play, args=(flow, begin)) for flow in flows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)


if __name__ == "__main__":
    main()
