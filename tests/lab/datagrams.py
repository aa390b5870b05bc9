"""UDP datagrams as bytes and back, beside the segments of packets.py."""

import ipaddress
import struct
from dataclasses import dataclass

from packets import ETHERNET, TYPE_IPV4, TYPE_IPV6, checksum, network_layer

UDP = 17


@dataclass
class Datagram:
    """One UDP datagram with the IP fields that a forger chooses."""

    src: str
    dst: str
    sport: int
    dport: int
    payload: bytes = b""
    ttl: int = 64
    ipid: int = 0
    df: bool = True
    macs: bytes = b""

    @property
    def version(self):
        """4 or 6."""
        return 6 if ":" in self.src else 4

    @property
    def key(self):
        """All that routers leave as it is: two captures of one packet agree on it."""
        return (self.src, self.sport, self.dst, self.dport, self.ipid, self.df, self.payload)


def parse(frame, link_type=ETHERNET):
    """The frame's UDP datagram, or None where it carries none, or a fragment."""
    layer = network_layer(frame, link_type)
    if layer is None:
        return None
    start, ether_type = layer
    macs = frame[:12] if start == 14 else b""
    if ether_type == TYPE_IPV4 and len(frame) >= start + 28:
        header = (frame[start] & 15) * 4
        total, ipid, fragment, ttl, protocol = struct.unpack_from("!HHHBB", frame, start + 2)
        if protocol != UDP or fragment & 0x3FFF:
            return None
        ends = [str(ipaddress.IPv4Address(frame[start + at:start + at + 4])) for at in (12, 16)]
        return udp(frame[start + header:start + total], ends,
                   {"ttl": ttl, "ipid": ipid, "df": bool(fragment & 0x4000), "macs": macs})
    if ether_type == TYPE_IPV6 and len(frame) >= start + 48:
        length, following, hops = struct.unpack_from("!HBB", frame, start + 4)
        if following != UDP:
            return None
        ends = [str(ipaddress.IPv6Address(frame[start + at:start + at + 16])) for at in (8, 24)]
        return udp(frame[start + 40:start + 40 + length], ends, {"ttl": hops, "macs": macs})
    return None


def udp(raw, ends, fields):
    """A datagram from its UDP header onward."""
    sport, dport, length = struct.unpack_from("!HHH", raw)
    return Datagram(*ends, sport, dport, raw[8:length], **fields)


def build(datagram):
    """The IP packet of a datagram, without the link layer."""
    src, dst = (ipaddress.ip_address(end).packed for end in (datagram.src, datagram.dst))
    length = 8 + len(datagram.payload)
    raw = struct.pack("!HHHH", datagram.sport, datagram.dport, length, 0) + datagram.payload
    pseudo = src + dst + (struct.pack("!HH", UDP, length) if datagram.version == 4
                          else struct.pack("!II", length, UDP))
    raw = raw[:6] + struct.pack("!H", checksum(pseudo + raw) or 0xFFFF) + raw[8:]
    if datagram.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, UDP, datagram.ttl) + src + dst + raw
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, datagram.ipid,
                         0x4000 if datagram.df else 0, datagram.ttl, UDP, 0) + src + dst
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + raw
