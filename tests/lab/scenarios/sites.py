#!/usr/bin/env python3
"""Servers of many habits in one process. Usage: sites.py FOLDER ROLE; runs in the server's place.

ROLE is `sites`, or `impostor` (port 4443 of every address, a certificate of its own making). The
habit is told by the first label of the name asked for, as visitors.py writes it. Ordinary sockets;
every reset is the kernel's own.
"""

import random
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from plan import LOST, ODD
from services import OWN_403
from servers import BODY, LINGER_ZERO
from triggers import client_hello_name, http_request

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()


def context(stem, least=ssl.TLSVersion.TLSv1_2):
    """A server's TLS settings."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(FOLDER / f"{stem}.pem", FOLDER / f"{stem}.key")
    made.minimum_version = least
    made.sni_callback = refuse
    return made


def refuse(_sock, name, _context):
    """The server's own fatal alert, for names that begin so."""
    if name and name.startswith("alert-"):
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return None


def other_ttl(sock):
    """Packets of another distance, as from a balancer's other machine."""
    if sock.family == socket.AF_INET6:
        usual = sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, usual - random.randrange(1, 9))
    else:
        usual = sock.getsockopt(socket.IPPROTO_IP, socket.IP_TTL)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, usual - random.randrange(1, 9))


def reset(sock):
    """Close by reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    if isinstance(sock, ssl.SSLSocket):
        socket.socket(fileno=sock.detach()).close()
    else:
        sock.close()


def page(host, size=0, status="200 OK", body=None, extra=""):
    """A whole answer."""
    if body is None:
        text = f"<html><head><title>{host}</title></head><body>{host}"
        body = (text + "<p>some words</p>" * 20 + "</body></html>").encode()
    body = (body * (size // len(body) + 1))[:size] if size else body
    return (f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
            f"{extra}\r\n").encode() + body


def serve(sock, host, habit):
    """Answer one request, already read, in the habit of its name."""
    promised = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    if habit == "think":
        time.sleep(random.uniform(0.02, 0.5))
    if habit in ("linger", "lingerttl"):
        if habit == "lingerttl":
            other_ttl(sock)
        return reset(sock)
    if habit in ("partial", "hasty"):
        sock.sendall(promised + BODY[:5000])
        time.sleep(0.15 if habit == "partial" else 0)
        return reset(sock)
    if habit == "silent":
        return sock.close()
    if habit == "late":
        time.sleep(1.5)
    if habit == "idlereset":
        sock.sendall(page(host))
        time.sleep(1.2)
        return reset(sock)
    if habit == "datattl":
        other_ttl(sock)
    if habit == "paced":
        sock.sendall(promised)
        for at in range(0, len(BODY), 400):
            sock.sendall(BODY[at:at + 400])
            time.sleep(0.12)
        return None
    if habit == "own403":
        sock.sendall(page(host, status="403 Forbidden", body=OWN_403.encode()))
    elif habit == "own302":
        sock.sendall(page(host, status="302 Found", body=b"moved",
                          extra="Location: http://portal.example/blocked\r\n"))
    else:
        sock.sendall(page(host, size=120_000 if habit == "big" else 0))
    return None


def read_head(sock):
    """A request head, or what came of it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(4096)
        if not piece:
            break
        data += piece
    return data


def requests(sock):
    """Requests of one connection until the client closes or the habit ends it."""
    while True:
        head = read_head(sock)
        found = http_request(head)
        if not found:
            return sock.close()
        serve(sock, found[0], found[0].split("-")[0])
        if sock.fileno() < 0:
            return None


def plain(sock):
    """A connection to port 80: some habits begin before the whole request is read."""
    first = sock.recv(200, socket.MSG_PEEK)
    habit = (http_request(first + b"\r\n\r\n") or ("-", ""))[0].split("-")[0]
    if habit == "unread":
        sock.recv(10)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY[:3000])
        time.sleep(0.1)
        return sock.close()
    if habit == "large":
        sock.recv(2000)
        sock.sendall(page("", status="413 Too Large", body=b"<title>413</title>Too large.",
                          extra="Connection: close\r\n"))
        return sock.close()
    return requests(sock)


def secret(sock, contexts):
    """A connection to port 443: the name is read before the handshake."""
    first = b""
    for _ in range(50):
        first = sock.recv(4096, socket.MSG_PEEK)
        if len(first) < 5 or len(first) >= 5 + struct.unpack_from("!H", first, 3)[0]:
            break
        time.sleep(0.02)
    name = client_hello_name(first) or ""
    habit = name.split("-")[0]
    if habit == "helloreset":
        sock.recv(4096)
        return reset(sock)
    if habit == "helloclose":
        sock.recv(4096)
        return sock.close()
    if name.startswith("alert-ttl"):
        other_ttl(sock)
    chosen = contexts["own" if sock.getsockname()[0] in OWN and name == "shop.example" else
                      "new" if habit == "newest" else "site"]
    return requests(chosen.wrap_socket(sock, server_side=True))


# Where the name of the vouched certificate is served with a self-signed one: a test machine's.
OWN = {f"203.0.113.{last}" for last in ODD[1:]}


def guarded(act, sock, *more):
    """One connection to its end, whatever that is."""
    sock.settimeout(15)
    try:
        act(sock, *more)
    except OSError:
        sock.close()


def listen(address, port, act, *more):
    """Accept on one address, a thread for each connection."""
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(64)

    def loop():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=guarded, args=(act, sock, *more), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def main():
    """Answer until terminated."""
    if sys.argv[2] == "impostor":
        listen("0.0.0.0", 4443, lambda sock: requests(
            context("impostor").wrap_socket(sock, server_side=True)))
    else:
        contexts = {"site": context("site"), "own": context("own"),
                    "new": context("site", ssl.TLSVersion.TLSv1_3)}
        for address in ("203.0.113.{}", "2001:db8:5::{}"):
            for last in ODD:
                listen(address.format(last), 80, plain)
                listen(address.format(last), 443, secret, contexts)
            for port in (80, 443):
                listen(address.format(LOST), port, reset)
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
