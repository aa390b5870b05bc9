"""DNS messages as the laboratory's forger and resolvers need them (RFC 1035, RFC 6891)."""

import ipaddress
import struct
from dataclasses import dataclass

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "OPT": 41}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {"NOERROR": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}
AA, TC, RD, RA = 0x0400, 0x0200, 0x0100, 0x0080


@dataclass
class Query:
    """A question, with what an answer copies from it."""

    number: int
    name: str
    kind: str
    flags: int
    edns: bool
    question: bytes


def parse(payload):
    """The question of a standard query, or None."""
    if len(payload) < 17:
        return None
    number, flags, questions, answers, _, additional = struct.unpack_from("!6H", payload)
    if flags & 0xF800 or questions != 1 or answers:
        return None
    labels, at = [], 12
    while at < len(payload) and payload[at]:
        labels.append(payload[at + 1:at + 1 + payload[at]].decode("ascii", "replace").lower())
        at += 1 + payload[at]
    if at + 5 > len(payload):
        return None
    kind = struct.unpack_from("!H", payload, at + 1)[0]
    return Query(number, ".".join(labels), NAMES.get(kind, str(kind)), flags, bool(additional),
                 payload[12:at + 5])


def answer_id(payload):
    """(id, question) of an answer, to match it with its query."""
    if len(payload) < 12 or not payload[2] & 0x80:
        return None
    end = payload.find(b"\0", 12)
    return struct.unpack_from("!H", payload)[0], payload[12:end + 5].lower()


def name_bytes(name):
    """A name on the wire, without compression."""
    labels = [label for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def data(kind, value):
    """The content of a record."""
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "CNAME":
        return name_bytes(value)
    if kind == "MX":
        return struct.pack("!H", 10) + name_bytes(value)
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    raise ValueError(kind)


def record(kind, value, ttl=60, owner=b"\xc0\x0c"):
    """One record; the owner is the question's name unless given."""
    content = data(kind, value)
    return owner + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(content)) + content


def answer(query, records, rcode="NOERROR", flags=RA, edns=False):
    """A whole answer to `query`, `records` being (kind, value) or (kind, value, ttl, owner)."""
    body = b"".join(record(*fields) for fields in records)
    extra = b"\0" + struct.pack("!HHIH", TYPES["OPT"], 1232, 0, 0) if edns else b""
    bits = 0x8000 | (query.flags & RD) | flags | RCODES[rcode]
    head = struct.pack("!6H", query.number, bits, 1, len(records), 0, bool(extra))
    return head + query.question + body + extra
