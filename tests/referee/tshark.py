"""TShark's reading of a capture: flows, and what TLS and HTTP say in them.

Two runs a file. The first prints one line a frame: the chain of its protocols, and the fields of
all layers, which `walk` gives back to each layer by following the chain. The second, made only
where some chain names TLS or HTTP, prints those frames as JSON, because only there the fields of
two requests in one frame stay apart.
"""

import collections
import functools
import ipaddress
import json
import subprocess

# What makes the comparison fair: both sides put streams in order, put fragments together and look
# at no checksum.
OPTIONS = [
    "-n", "-2", "--enable-protocol", "communityid",
    "-o", "tcp.desegment_tcp_streams:TRUE",
    "-o", "tcp.reassemble_out_of_order:TRUE",
    "-o", "tcp.analyze_sequence_numbers:TRUE",
    "-o", "tcp.relative_sequence_numbers:FALSE",
    "-o", "tcp.check_checksum:FALSE",
    "-o", "udp.check_checksum:FALSE",
    "-o", "ip.check_checksum:FALSE",
    "-o", "ip.defragment:TRUE",
    "-o", "ipv6.defragment:TRUE",
    "-o", "tls.desegment_ssl_records:TRUE",
    "-o", "http.desegment_headers:TRUE",
    "-o", "http.desegment_body:TRUE",
]

FIELDS = [
    "frame.number", "frame.protocols", "frame.time_epoch", "frame.len", "frame.cap_len",
    "ip.src", "ip.dst", "ip.len", "ip.flags.mf", "ip.frag_offset", "ip.fragments",
    "ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.fragments",
    "tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.len", "tcp.hdr_len",
    "tcp.analysis.initial_rtt", "udp.stream", "udp.srcport", "udp.dstport", "communityid",
    "_ws.malformed",
]

SEPARATOR = "\x1f"
SECONDS_MAX = 30
SYN, ACK = 0x02, 0x10


class Failed(Exception):
    """TShark did not end in time."""


class Frame:
    """One frame: its innermost transport, packets quoted by ICMP apart."""

    __slots__ = (
        "number", "chain", "time", "cut", "fragment", "joined", "empty_length", "malformed",
        "proto", "stream", "ends", "flags", "length", "header", "rtt", "community_id",
    )


class Reading:
    """What TShark made of a file."""

    def __init__(self):
        self.frames = []
        # (protocol, five-tuple) -> first frames of its streams, in order.
        self.flows = collections.defaultdict(list)
        # (protocol, stream) -> its frames.
        self.by_stream = collections.defaultdict(list)
        # Five-tuple -> what was said, in order, each with its frame.
        self.names = collections.defaultdict(list)
        self.requests = collections.defaultdict(list)
        self.statuses = collections.defaultdict(list)
        # Five-tuples in packets quoted by ICMP; TShark numbers them as streams.
        self.quoted = set()

    def frame(self, number):
        """The frame of this number, if TShark read one."""
        return self.frames[number - 1] if 0 < number <= len(self.frames) else None


def read(path, *rules):
    """Reads `path`; `rules` are further options of TShark."""
    reading = read_frames(path, rules)
    if any("tls" in frame.chain or "http" in frame.chain for frame in reading.frames):
        read_names(path, rules, reading)
    return reading


def run(path, *arguments):
    """TShark's output on `path`."""
    command = ["tshark", *OPTIONS, *arguments, "-r", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as gone:
        raise Failed(f"tshark: no end after {SECONDS_MAX} s") from gone
    return done.stdout.decode("utf-8", "replace")


def read_frames(path, rules):
    arguments = ["-T", "fields", "-E", f"separator={SEPARATOR}", "-E", "occurrence=a"]
    for field in FIELDS:
        arguments += ["-e", field]
    reading = Reading()
    for line in run(path, *rules, *arguments).split("\n"):
        values = line.split(SEPARATOR)
        if len(values) != len(FIELDS):
            continue
        frame = frame_of(dict(zip(FIELDS, values)), reading)
        reading.frames.append(frame)
        if frame.proto is None:
            continue
        stream = (frame.proto, frame.stream)
        if stream not in reading.by_stream:
            reading.flows[frame.proto, frame.ends].append(frame.number)
        reading.by_stream[stream].append(frame)
    return reading


def frame_of(values, reading):
    frame = Frame()
    frame.number = int(values["frame.number"])
    frame.chain = values["frame.protocols"].split(":")
    frame.time = float(values["frame.time_epoch"] or 0)
    frame.cut = int(values["frame.cap_len"]) < int(values["frame.len"])
    offsets = [int(n, 0) for n in values["ip.frag_offset"].split(",") if n]
    more = "1" in values["ip.flags.mf"] or "True" in values["ip.flags.mf"]
    frame.fragment = any(offsets) or more or "ipv6.fraghdr" in frame.chain
    frame.joined = bool(values["ip.fragments"] or values["ipv6.fragments"])
    lengths = values["ip.len"].split(",") + values["ipv6.plen"].split(",")
    frame.empty_length = "0" in lengths
    frame.malformed = bool(values["_ws.malformed"])
    frame.rtt = values["tcp.analysis.initial_rtt"].split(",")[-1]
    frame.community_id = values["communityid"] or None
    walk(frame, values, reading)
    return frame


def walk(frame, values, reading):
    """Gives each layer of the chain its own fields, and keeps the innermost transport."""
    given = {name: collections.deque(value.split(",")) for name, value in values.items()}

    def take(name):
        return given[name].popleft() if given[name] else ""

    frame.proto = frame.stream = frame.ends = None
    frame.flags = frame.length = frame.header = 0
    addresses, quoting = ("", ""), False
    for layer in frame.chain:
        if layer in ("ip", "ipv6"):
            addresses = (take(layer + ".src"), take(layer + ".dst"))
        elif layer in ("icmp", "icmpv6"):
            quoting = True
        elif layer in ("tcp", "udp"):
            ports = take(layer + ".srcport"), take(layer + ".dstport")
            stream = take(layer + ".stream")
            detail = tcp_detail(take) if layer == "tcp" else (0, 0, 0)
            if not all((*ports, stream)):
                continue
            ends = tuple_of(*zip(addresses, ports))
            if quoting:
                reading.quoted.add((layer, ends))
                continue
            frame.proto, frame.stream, frame.ends = layer, int(stream), ends
            frame.flags, frame.length, frame.header = detail


def tcp_detail(take):
    flags, length, header = take("tcp.flags"), take("tcp.len"), take("tcp.hdr_len")
    return int(flags or "0", 16), int(length or 0), int(header or 0)


@functools.lru_cache(maxsize=4096)
def address(text):
    """An address in one spelling."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def tuple_of(one, other):
    """The order-free five-tuple without its protocol."""
    return tuple(sorted((address(ip), int(port)) for ip, port in (one, other)))


def read_names(path, rules, reading):
    shown = "http or tls.handshake.type == 1"
    out = run(path, *rules, "-Y", shown, "-T", "json", "-J", "frame tcp http tls")
    packets = json.loads(out or "[]", object_pairs_hook=list, strict=False)
    ends = {stream: frames[0].ends for (proto, stream), frames in reading.by_stream.items()
            if proto == "tcp"}
    told = set()
    for packet in packets:
        layers = first(first(packet, "_source"), "layers")
        number = int(first(first(layers, "frame"), "frame.number"))
        read_layers(layers, number, ends, told, reading)


def read_layers(layers, number, ends, told, reading):
    stream, index, encrypted = None, None, False
    for name, layer in layers:
        if name == "tcp":
            index = first(layer, "tcp.stream")
            stream = ends.get(int(index)) if index else None
        elif name == "udp":
            stream = None
        elif stream is None:
            continue
        elif name == "tls":
            encrypted = True
            for sni in everywhere(layer, "tls.handshake.extensions_server_name"):
                # The hello that answers a HelloRetryRequest repeats the name.
                entry = (sni.lower().rstrip("."), index)
                if entry not in told:
                    told.add(entry)
                    reading.names[stream].append((entry[0], number))
        elif name == "http":
            note_http(layer, stream, (number, encrypted), reading)


def note_http(layer, stream, place, reading):
    methods = everywhere(layer, "http.request.method")
    codes = everywhere(layer, "http.response.code")
    if methods:
        uri = (everywhere(layer, "http.request.uri") or [""])[0]
        host = (everywhere(layer, "http.host") or [None])[0]
        reading.requests[stream].append((bare(host), methods[0], plain(uri), *place))
    elif codes and (int(codes[0]) >= 200 or int(codes[0]) == 101):
        reading.statuses[stream].append((int(codes[0]), *place))


def first(pairs, name):
    """The first value of `name` among pairs."""
    return next((value for key, value in pairs or () if key == name), None)


def everywhere(pairs, name):
    """All values of `name` at any depth, in order."""
    found = []
    for key, value in pairs:
        if key == name and isinstance(value, str):
            found.append(value)
        elif isinstance(value, list) and value and isinstance(value[0], tuple):
            found += everywhere(value, name)
    return found


def bare(host):
    """A host as the contract writes it: lower-case, without port and trailing dot."""
    if host is None:
        return None
    host = host.strip().lower()
    if host.startswith("["):
        host = host[1:].split("]")[0]
    elif host.count(":") == 1:
        host = host.split(":")[0]
    return host.rstrip(".") or None


def plain(text):
    """A target without blanks, backslashes and whatever stands for bytes that are no ASCII."""
    return "".join(char for char in text if " " < char < "\x7f" and char != "\\")
