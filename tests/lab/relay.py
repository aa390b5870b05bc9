#!/usr/bin/env python3
"""A transparent proxy: it ends every TCP connection that nftables redirects to it, and opens one of
its own to where the client wanted to go. Usage: relay.py PORT SOURCE; runs in a router's place.
"""

import socket
import struct
import sys
import threading

SO_ORIGINAL_DST = 80


def pump(source, target):
    """Carry bytes one way to their end."""
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for sock in (source, target):
            sock.close()


def serve(client, source):
    """One connection, with its counterpart."""
    raw = client.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    port, address = struct.unpack_from("!2xH4s", raw)
    server = socket.create_connection((socket.inet_ntoa(address), port), 10, (source, 0))
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


def main():
    """Accept until terminated."""
    port, source = int(sys.argv[1]), sys.argv[2]
    listener = socket.create_server(("0.0.0.0", port), backlog=64)
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, source), daemon=True).start()


if __name__ == "__main__":
    main()
