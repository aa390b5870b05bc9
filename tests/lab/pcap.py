"""Recorded files: read pcap, write pcap and pcapng, compressed or not. Offline work only.

The reader is for what tcpdump has just written; the writers give the stories their variety of
formats. Other people's files are the program's business, not the laboratory's.
"""

import gzip
import shutil
import struct
import subprocess
from dataclasses import dataclass, replace

MAGIC_MICRO, MAGIC_NANO = 0xA1B2C3D4, 0xA1B23C4D


@dataclass
class Record:
    """One frame with its time in nanoseconds since 1970."""

    time: int
    frame: bytes
    length: int
    interface: int = 0


@dataclass
class Capture:
    """A whole recorded file."""

    link_type: int
    records: list
    nanoseconds: bool = False

    def with_records(self, records):
        """The same file with other frames."""
        return replace(self, records=list(records))


def read(path):
    """A pcap file of this machine's byte order."""
    data = path.read_bytes()
    magic, _, _, _, _, _, link_type = struct.unpack_from("<IHHiIII", data)
    if magic not in (MAGIC_MICRO, MAGIC_NANO):
        raise ValueError(f"{path.name}: not a pcap file of ours")
    unit = 1 if magic == MAGIC_NANO else 1000
    records, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, size, length = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + size]
        records.append(Record(seconds * 10**9 + fraction * unit, frame, length))
        at += 16 + size
    return Capture(link_type, records, magic == MAGIC_NANO)


def pcap_bytes(capture):
    """The pcap form."""
    magic, unit = (MAGIC_NANO, 1) if capture.nanoseconds else (MAGIC_MICRO, 1000)
    parts = [struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, capture.link_type)]
    for record in capture.records:
        seconds, fraction = divmod(record.time, 10**9)
        parts.append(struct.pack("<IIII", seconds, fraction // unit, len(record.frame),
                                 record.length) + record.frame)
    return b"".join(parts)


def block(kind, body):
    """One pcapng block."""
    body += b"\0" * (-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def option(code, value):
    """One pcapng option."""
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def pcapng_bytes(capture, names=("edge",), drops=0):
    """The pcapng form with nanosecond times, interface names and the interfaces' statistics."""
    parts = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for name in names:
        options = option(2, name.encode()) + option(9, b"\x09") + option(0, b"")
        parts.append(block(1, struct.pack("<HHI", capture.link_type, 0, 262144) + options))
    for record in capture.records:
        head = struct.pack("<IIIII", record.interface, record.time >> 32,
                           record.time & 0xFFFFFFFF, len(record.frame), record.length)
        parts.append(block(6, head + record.frame))
    last = capture.records[-1].time if capture.records else 0
    for number in range(len(names)):
        count = sum(record.interface == number for record in capture.records)
        options = (option(4, struct.pack("<Q", count + drops))
                   + option(5, struct.pack("<Q", drops)) + option(0, b""))
        parts.append(block(5, struct.pack("<III", number, last >> 32, last & 0xFFFFFFFF) + options))
    return b"".join(parts)


def write(path, capture, **pcapng):
    """Write in the form that the name asks for: `.pcap`, `.pcapng`, with `.gz` or `.zst`."""
    plain = path.name.removesuffix(".gz").removesuffix(".zst")
    data = pcapng_bytes(capture, **pcapng) if plain.endswith(".pcapng") else pcap_bytes(capture)
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    elif path.suffix == ".zst":
        data = subprocess.run([shutil.which("zstd"), "-19", "-q", "-c"], input=data,
                              capture_output=True, check=True).stdout
    path.write_bytes(data)
