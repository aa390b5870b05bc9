"""TCP segments as bytes and back: what the middlebox, the labeller and the link share.

Reads Ethernet, Linux cooked v2 and raw IP frames; writes Ethernet. IPv4 and IPv6 without
extension headers, because the laboratory sends no others.
"""

import ipaddress
import struct
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
FLAG_LETTERS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, "A": ACK}

ETHERNET, RAW_IP, COOKED_V2 = 1, 101, 276
TYPE_IPV4, TYPE_IPV6 = 0x0800, 0x86DD


@dataclass
class Segment:
    """One TCP segment with the IP fields that a forger chooses."""

    src: str
    dst: str
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    window: int = 64240
    ttl: int = 64
    ipid: int = 0
    df: bool = True
    reserved: int = 0
    options: bytes = b""
    payload: bytes = b""
    macs: bytes = b""

    @property
    def version(self):
        """4 or 6."""
        return 6 if ":" in self.src else 4

    @property
    def length(self):
        """Sequence space that the segment consumes (RFC 9293 3.4)."""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

    @property
    def key(self):
        """All that routers leave as it is: two captures of one packet agree on it."""
        return (self.src, self.sport, self.dst, self.dport, self.seq, self.ack,
                self.flags, self.window, self.ipid, self.options, self.payload)

    def timestamps(self):
        """(TSval, TSecr) of RFC 7323, or None."""
        at = 0
        while at < len(self.options):
            kind = self.options[at]
            if kind == 0:
                return None
            if kind == 1:
                at += 1
                continue
            if at + 1 >= len(self.options) or self.options[at + 1] < 2:
                return None
            if kind == 8:
                return struct.unpack_from("!II", self.options, at + 2)
            at += self.options[at + 1]
        return None


def flag_bits(letters):
    """'RA' -> RST | ACK."""
    return sum(FLAG_LETTERS[letter] for letter in letters)


def flag_letters(bits):
    """RST | ACK -> 'RA'."""
    return "".join(letter for letter, bit in FLAG_LETTERS.items() if bits & bit)


def network_layer(frame, link_type=ETHERNET):
    """(offset of the IP header, EtherType) of a captured frame, or None."""
    if link_type == ETHERNET:
        return (14, struct.unpack_from("!H", frame, 12)[0]) if len(frame) >= 14 else None
    if link_type == COOKED_V2:
        return (20, struct.unpack_from("!H", frame, 0)[0]) if len(frame) >= 20 else None
    if link_type == RAW_IP and frame:
        return 0, TYPE_IPV6 if frame[0] >> 4 == 6 else TYPE_IPV4
    return None


def parse(frame, link_type=ETHERNET):
    """The frame's TCP segment, or None where it carries none."""
    layer = network_layer(frame, link_type)
    if layer is None:
        return None
    start, ether_type = layer
    if ether_type == TYPE_IPV4 and len(frame) >= start + 40:
        return parse_ipv4(frame, start)
    if ether_type == TYPE_IPV6 and len(frame) >= start + 60:
        return parse_ipv6(frame, start)
    return None


def parse_ipv4(frame, start):
    """The TCP segment behind an IPv4 header at `start`."""
    header = (frame[start] & 15) * 4
    total, ipid, fragment, ttl, protocol = struct.unpack_from("!HHHBB", frame, start + 2)
    if protocol != 6 or fragment & 0x1FFF:
        return None
    src, dst = (str(ipaddress.IPv4Address(frame[start + at:start + at + 4])) for at in (12, 16))
    segment = parse_tcp(frame[start + header:start + total], src, dst)
    segment.ttl, segment.ipid, segment.df = ttl, ipid, bool(fragment & 0x4000)
    segment.macs = frame[:12] if start == 14 else b""
    return segment


def parse_ipv6(frame, start):
    """The TCP segment behind an IPv6 header at `start`."""
    length, following, hops = struct.unpack_from("!HBB", frame, start + 4)
    if following != 6:
        return None
    src, dst = (str(ipaddress.IPv6Address(frame[start + at:start + at + 16])) for at in (8, 24))
    segment = parse_tcp(frame[start + 40:start + 40 + length], src, dst)
    segment.ttl = hops
    segment.macs = frame[:12] if start == 14 else b""
    return segment


def parse_tcp(raw, src, dst):
    """A segment from its TCP header onward."""
    sport, dport, seq, ack, bits, window = struct.unpack_from("!HHIIHH", raw)
    header = (bits >> 12) * 4
    return Segment(src, dst, sport, dport, seq, ack, bits & 0x3F, window,
                   reserved=(bits >> 6) & 0x3F, options=raw[20:header], payload=raw[header:])


def checksum(data):
    """The ones' complement sum of RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def build_tcp(segment):
    """The TCP header and payload with a right checksum."""
    bits = ((20 + len(segment.options)) // 4 << 12) | (segment.reserved << 6) | segment.flags
    raw = struct.pack("!HHIIHHHH", segment.sport, segment.dport, segment.seq & 0xFFFFFFFF,
                      segment.ack & 0xFFFFFFFF, bits, segment.window, 0, 0)
    raw += segment.options + segment.payload
    addresses = ipaddress.ip_address(segment.src).packed + ipaddress.ip_address(segment.dst).packed
    pseudo = addresses + (struct.pack("!HH", 6, len(raw)) if segment.version == 4
                          else struct.pack("!II", len(raw), 6))
    return raw[:16] + struct.pack("!H", checksum(pseudo + raw)) + raw[18:]


def build(segment):
    """The IP packet of a segment, without the link layer."""
    tcp = build_tcp(segment)
    src, dst = ipaddress.ip_address(segment.src).packed, ipaddress.ip_address(segment.dst).packed
    if segment.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(tcp), 6, segment.ttl) + src + dst + tcp
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), segment.ipid,
                         0x4000 if segment.df else 0, segment.ttl, 6, 0) + src + dst
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + tcp


def lower_ttl(frame, hops):
    """The Ethernet frame as `hops` further routers would have passed it on; None if it died."""
    layer = network_layer(frame)
    if layer is None or not hops or layer[1] not in (TYPE_IPV4, TYPE_IPV6):
        return frame
    start, ether_type = layer
    at = start + (8 if ether_type == TYPE_IPV4 else 7)
    if ether_type == TYPE_IPV6 and frame[start + 6] == 58 and frame[start + 40] in range(133, 138):
        return frame  # neighbour discovery must arrive with hop limit 255 (RFC 4861 7.1)
    if frame[at] <= hops:
        return None
    changed = bytearray(frame)
    changed[at] -= hops
    if ether_type == TYPE_IPV4:
        changed[start + 10:start + 12] = b"\0\0"
        header = bytes(changed[start:start + (frame[start] & 15) * 4])
        changed[start + 10:start + 12] = struct.pack("!H", checksum(header))
    return bytes(changed)
