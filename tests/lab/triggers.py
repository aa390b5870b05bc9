"""What the middlebox reacts to: the Host of an HTTP request, the name in a ClientHello.

One packet at a time and without reassembly, like the cheaper devices in the field.
"""

import struct

METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ")


def http_request(payload):
    """(host, target) of an HTTP request head, or None."""
    if not payload.startswith(METHODS):
        return None
    lines = payload.split(b"\r\n\r\n")[0].split(b"\r\n")
    words = lines[0].split(b" ")
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"host" and len(words) >= 2:
            host = value.strip().decode("ascii", "replace").lower()
            return host.partition(":")[0], words[1].decode("ascii", "replace")
    return None


def client_hello_name(payload):
    """The server_name of a TLS ClientHello (RFC 6066 3), or None."""
    if len(payload) < 43 or payload[0] != 22 or payload[5] != 1:
        return None
    try:
        at = 43
        at += 1 + payload[at]
        at += 2 + struct.unpack_from("!H", payload, at)[0]
        at += 1 + payload[at]
        end = at + 2 + struct.unpack_from("!H", payload, at)[0]
        at += 2
        while at + 4 <= end:
            kind, length = struct.unpack_from("!HH", payload, at)
            if kind == 0:
                size = struct.unpack_from("!H", payload, at + 7)[0]
                return payload[at + 9:at + 9 + size].decode("ascii").lower()
            at += 4 + length
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    return None


def match(rules, segment):
    """The name that set the middlebox off, or None.

    `rules`: `http_host` and `sni` (lists of names), `http_path` (a substring of the target).
    """
    request = http_request(segment.payload)
    if request:
        host, target = request
        named = host in rules.get("http_host", [])
        worded = any(word in target for word in rules.get("http_path", []))
        return host if named or worded else None
    name = client_hello_name(segment.payload)
    return name if name in rules.get("sni", []) else None
