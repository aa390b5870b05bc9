"""Labels from what the laboratory knows, never from what an analyser says.

Every TCP segment and every UDP datagram of a capture is given its true origin: `client` and `server` by the recordings
made in those hosts' own places, `forged` by the middlebox's log. A segment that fits none, or
both a forger and a host, is an error: then the story is recorded again.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field

import datagrams
import dnswire
from packets import FIN, RST, SYN, parse


ALERT = 21  # the content type of a TLS alert (RFC 8446 5.1)


@dataclass
class Frame:
    """One captured TCP segment or UDP datagram, and where it came from."""

    number: int
    time: int
    file: str
    segment: object
    origin: str = ""
    entry: dict = field(default_factory=dict)


class LabelError(Exception):
    """The recording does not show what the laboratory did."""


def segments(capture, file):
    """The capture's TCP segments, numbered as Wireshark numbers frames."""
    found = []
    for number, record in enumerate(capture.records, 1):
        segment = parse(record.frame, capture.link_type)
        if segment:
            found.append(Frame(number, record.time, file, segment))
    return found


def all_datagrams(capture, file):
    """The capture's UDP datagrams."""
    found = []
    for number, record in enumerate(capture.records, 1):
        datagram = datagrams.parse(record.frame, capture.link_type)
        if datagram:
            found.append(Frame(number, record.time, file, datagram))
    return found


def forged_key(entry):
    """The key of a packet of the middlebox's log."""
    raw = bytes.fromhex(entry["packet"])
    kind = b"\x08\x00" if raw[0] >> 4 == 4 else b"\x86\xdd"
    read = datagrams.parse if entry.get("proto") == "udp" else parse
    return read(bytes(12) + kind + raw).key


def read_log(path):
    """The middlebox's log."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def attribute(frames, log, sent, stranger=""):
    """Fill in the origins. `sent`: for `client` and `server`, the keys that they sent.

    A segment that neither host sent comes from the `stranger`, where the story has one: the
    user's own `gateway`, or somebody who answers in the server's place (`forged`).
    """
    forged = defaultdict(list)
    for entry in log:
        if entry["action"] == "forge":
            forged[forged_key(entry)].append(entry)
    for frame in frames:
        key = frame.segment.key
        origins = [who for who in ("client", "server") if key in sent[who]]
        if key in forged:
            origins.append("forged")
            frame.entry = forged[key][0]
        if stranger and not origins:
            origins.append(stranger)
        if len(origins) != 1:
            raise LabelError(f"frame {frame.number}: origin {origins or 'unknown'}")
        frame.origin = origins[0]


def connection(segment):
    """Order-free key of a connection."""
    return frozenset([(segment.src, segment.sport), (segment.dst, segment.dport)])


def incarnations(frames):
    """Connections in order of their first frame; a client's new SYN opens another one."""
    current, found, isn = {}, [], {}
    for frame in frames:
        key = connection(frame.segment)
        opening = frame.segment.flags & (SYN | 0x10) == SYN
        if key not in current or (opening and isn.get(key) != frame.segment.seq):
            current[key] = []
            found.append(current[key])
        if opening:
            isn[key] = frame.segment.seq
        current[key].append(frame)
    return found


def ahead(left, right):
    """Signed distance of sequence numbers."""
    return (left - right + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def swallowed_key(entry):
    """What a log entry about a packet that was not passed on says of that packet."""
    fields = ("src", "sport", "dst", "dport", "seq", "ipid", "bytes")
    return tuple(entry.get(name) for name in fields)


def silenced(flow, story, log):
    """The expected finding of a flow in which packets were swallowed, or held to a rate."""
    keys = {frozenset([(entry["src"], entry["sport"]), (entry["dst"], entry["dport"])]): entry
            for entry in reversed(log)
            if entry["action"] in ("swallow", "police") and entry["host"] is not None}
    entry = keys.get(connection(flow[0].segment))
    if entry is None:
        return None
    cause = entry.get("trigger", entry)
    wanted = swallowed_key(cause)[4:]
    trigger = next((frame for frame in flow if frame.origin == "client" and
                    swallowed_key_of(frame.segment)[4:] == wanted), None)
    if trigger is None:
        return None  # other packets of the same ports
    segment = trigger.segment
    found = {
        "kind": "throttle" if entry["action"] == "police" else "drop",
        "host": entry["host"] if entry["host"] not in ("address", "residual") else None,
        "min_confidence": story.confidence_for(entry["host"]),
        "trigger_frame": trigger.number, "forged_frames": [], "genuine_frames": [],
        "client": end_point(segment.src, segment.sport), "capture": trigger.file,
    }
    if entry["action"] == "police":
        found |= {"rate_bps": entry["rate_bps"], "burst": entry["burst"]}
    return found


def swallowed_key_of(segment):
    """The same of a captured packet; datagrams have no sequence number."""
    return (segment.src, segment.sport, segment.dst, segment.dport,
            getattr(segment, "seq", None), segment.ipid, len(segment.payload))


def contradictions(flow, forged):
    """Genuine frames of the impersonated side that it would not have sent after the forged ones.

    After a forged RST or FIN: whatever that side sends later, but resets. Around forged data:
    data of the same place in the stream, and data beyond a forged FIN.
    """
    first = forged[0]
    source = (first.segment.src, first.segment.sport)
    found = []
    for frame in flow:
        segment = frame.segment
        if frame.origin == "forged" or (segment.src, segment.sport) != source:
            continue
        if segment.flags & RST:
            continue
        if first.segment.payload:
            if segment.payload and overlaps(segment, forged):
                found.append(frame)
        elif frame.time > first.time:
            found.append(frame)
    return found


def overlaps(segment, forged):
    """True where genuine data stand in the place of forged data, or after a forged FIN."""
    for other in (frame.segment for frame in forged):
        start = ahead(segment.seq, other.seq)
        if start < len(other.payload) and start + len(segment.payload) > 0:
            return True
        if other.flags & FIN and start >= len(other.payload):
            return True
    return False


def end_point(address, port):
    """`ip:port`, with brackets for IPv6."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def trigger_of(flow, entry):
    """The client's packet that set the middlebox off, as far as the capture has it."""
    wanted = entry["trigger"]
    for frame in flow:
        segment = frame.segment
        if frame.origin == "client" and (segment.seq, segment.ipid, len(segment.payload)) == (
                wanted["seq"], wanted["ipid"], wanted["bytes"]):
            return frame
    return None


def expectation(flow, story, log):
    """The expected finding of one connection, or None where nothing was done to it."""
    forged = [frame for frame in flow if frame.origin == "forged"]
    if not forged:
        return silenced(flow, story, log)
    if story.impostor:
        return impersonation(flow, forged, story)
    entry = next(frame.entry for frame in forged if frame.entry["host"] is not None)
    kind = kind_of(forged)
    page = kind == "response"
    trigger = trigger_of(flow, entry)
    host = entry["host"] if entry["host"] not in ("address", "residual") else None
    wanted = {
        "kind": kind,
        "host": host,
        "min_confidence": story.confidence_for(entry["host"]),
        "trigger_frame": trigger.number if trigger else None,
        "forged_frames": [frame.number for frame in forged],
        "genuine_frames": [frame.number for frame in contradictions(flow, forged)],
        "client": client_of(forged[0]),
    }
    if page and story.page_title:
        wanted["block_page_title"] = story.page_title
    if page and story.page_status:
        wanted["status"] = story.page_status
    files = {frame.file for frame in forged + ([trigger] if trigger else [])}
    if len(files) > 1:
        raise LabelError("trigger and forged frames lie in different files")
    wanted["capture"] = files.pop()
    return wanted


def kind_of(forged):
    """What the forged packets of a connection are."""
    if any(frame.segment.flags & SYN for frame in forged):
        return "handshake"
    payloads = [frame.segment.payload for frame in forged if frame.segment.payload]
    if not payloads:
        return "reset"
    return "tls" if payloads[0][0] == ALERT else "response"


def impersonation(flow, forged, story):
    """The expected finding of a connection that somebody else answered from its first packet on."""
    asked = next(frame for frame in flow if frame.origin == "client" and frame.segment.payload)
    client = asked.segment
    return {
        "kind": "tls", "host": story.impostor,
        "min_confidence": story.confidence_for(story.impostor), "trigger_frame": asked.number,
        "forged_frames": [frame.number for frame in forged], "genuine_frames": [],
        "client": end_point(client.src, client.sport), "capture": asked.file,
    }


def client_of(forged):
    """The client's end point of a connection in which something was forged."""
    segment = forged.segment
    if forged.entry["to"] == "client":
        return end_point(segment.dst, segment.dport)
    return end_point(segment.src, segment.sport)


def poisoned(frames, story, log):
    """The expected findings about datagrams: one for each flow in which an answer was forged, or
    that was swallowed."""
    flows = {}
    for frame in frames:
        flows.setdefault(connection(frame.segment), []).append(frame)
    found = [dns_expectation(flow, story) or silenced(flow, story, log)
             for flow in flows.values()]
    return [wanted for wanted in found if wanted]


def dns_expectation(flow, story):
    """The expected finding of one UDP flow, or None where nothing was forged in it."""
    forged = [frame for frame in flow if frame.origin == "forged"]
    if not forged:
        return None
    first = forged[0]
    asked = {dnswire.answer_id(frame.segment.payload) for frame in forged}
    wanted = first.entry["trigger"]
    trigger = next((frame for frame in flow if frame.origin == "client" and (
        frame.segment.ipid, frame.segment.payload.hex()) == (wanted["ipid"], wanted["payload"])),
        None)
    genuine = [frame.number for frame in flow if frame.origin == "server"
               and dnswire.answer_id(frame.segment.payload) in asked]
    return {
        "kind": "dns",
        "host": first.entry["host"],
        "min_confidence": story.confidence_for(first.entry["host"]),
        "trigger_frame": trigger.number if trigger else None,
        "forged_frames": [frame.number for frame in forged],
        "genuine_frames": genuine,
        "client": end_point(first.segment.dst, first.segment.dport),
        "capture": first.file,
    }


def label(story, frames, datagram_frames, log):
    """The label of a story, from its attributed frames and the middlebox's log."""
    expected = [wanted for flow in incarnations(frames)
                if (wanted := expectation(flow, story, log))]
    expected += poisoned(datagram_frames, story, log)
    result = {"story": story.name, "kind": story.kind, "vantage": story.vantage,
              "expected": expected}
    if story.hosts:
        result["hosts"] = story.hosts
    if story.services:
        result["services"] = story.services
    if story.vantages:
        result["vantages"] = story.vantages
    result["silent"] = True
    return result
