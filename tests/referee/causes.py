"""Why the readings differ, where the packets themselves tell."""

import tshark

# Carriers of packets that our decoder does not open, by their names in a chain of protocols.
CARRIERS = {
    "capwap.data", "gtp", "lisp", "nsh", "openflow", "openflow_v1", "openflow_v4", "openflow_v5",
    "openflow_v6", "pim", "sflow",
}
# What a chain may begin with where the link type is one that we read.
LINKS = {"eth", "sll", "raw", "null", "ppp", "chdlc", "wlan", "radiotap"}
# The shortest of our idle limits.
IDLE_SECONDS_MIN = 60

NAMES = {"sni": "names", "request": "requests", "status": "statuses"}


def explain(path, ours, theirs, found):
    """Fills in the cause of every difference that the packets explain."""
    for one in found:
        frame = theirs.frame(one.frame)
        if frame is None:
            one.cause = "tshark: does not read the frame"
        elif one.what in ("tcp", "udp"):
            one.cause = flow_cause(one, ours, theirs, frame)
        elif one.what == "id":
            one.cause = "id of what lies in the datagram" if opens_further(frame) else ""
        elif one.what == "rtt":
            one.cause = rtt_cause(theirs.by_stream[frame.proto, frame.stream])
        elif one.what in NAMES and one.theirs is not None:
            one.cause = content_cause(one, ours, theirs, frame)
    left = [one for one in found if one.what in NAMES and one.theirs is None]
    if left:
        other_readings(path, ours, left)


def flow_cause(one, ours, theirs, frame):
    key = (one.what, one.ends)
    if one.theirs is None:
        return ours_only(key, ours, theirs, frame)
    if one.what == "tcp" and frame.header < 20:
        return "impossible header length"
    if one.what == "tcp" and frame.cut and ours.skipped.get("truncated_tcp"):
        return "header cut by the snap length"
    if ours.skipped.get("unsupported_link_type") and frame.chain[0] not in LINKS:
        return f"link type not read: {frame.chain[0]}"
    carriers = [name for name in frame.chain if name in CARRIERS]
    if carriers:
        return f"carried by {carriers[0]}"
    if frame.fragment and not put_together(key, theirs):
        return "fragments never whole"
    before = [first for first in theirs.flows[key] if first < frame.number]
    if one.what == "tcp" and before and not frame.flags & tshark.SYN:
        return "tshark: new stream without a SYN"
    return ""


def ours_only(key, ours, theirs, frame):
    records = ours.records[key]
    place = next(n for n, one in enumerate(records) if one["first_frame"] == frame.number)
    if place and frame.ends == key[1]:
        idle = frame.time - theirs.frame(records[place - 1]["last_frame"]).time
        return "idle limit" if idle > IDLE_SECONDS_MIN else ""
    if frame.empty_length:
        return "tshark: no length in the IP header"
    carriers = [name for name in frame.chain if name in CARRIERS]
    if carriers:
        return f"carrier of {carriers[0]}"
    return "tshark: malformed" if frame.ends is None and frame.malformed else ""


def put_together(key, theirs):
    """Whether TShark joined the fragments of this flow; else it read the first one alone."""
    frames = [one for one in theirs.frames if (one.proto, one.ends) == key]
    return any(one.joined or not one.fragment for one in frames)


def rtt_cause(stream):
    """A SYN captured twice is one SYN to us; TShark measures from the last one."""
    syns = [one for one in stream if one.flags & (tshark.SYN | tshark.ACK) == tshark.SYN]
    return "tshark: measures from the second copy of the SYN" if len(syns) > 1 else ""


def opens_further(frame):
    """Whether a packet without ports lies in the datagram: ours is the flow around it."""
    last = max(place for place, name in enumerate(frame.chain) if name == frame.proto)
    return any(name in ("ip", "ipv6", "eth") for name in frame.chain[last:])


def content_cause(one, ours, theirs, frame):
    if not ours.flows.get(("tcp", one.ends)):
        return "in a flow that is not read"
    if one.what != "sni" and one.theirs[-1]:
        return "decrypted with keys"
    if one.what == "request" and one.ours is not None:
        (host, method, target, _), other = one.ours, one.theirs
        if (host, method) == other[:2] and target.startswith(other[2]):
            return "tshark: ends the target at a space"
    return carried(one, theirs, frame)


def carried(one, theirs, frame):
    """What the connection spoke before TLS or HTTP began, if it was neither."""
    name = "tls" if one.what == "sni" else "http"
    stream = theirs.by_stream["tcp", frame.stream]
    spoken = [layer for other in stream if other.number <= frame.number
              for layer in after_tcp(other.chain)]
    begin = spoken[0] if spoken else name
    if begin not in ("tls", "http", "data"):
        return f"{name} after {begin}"
    if name == "tls" and begin == "http":
        return "tls in an HTTP tunnel"
    payload = next(other for other in stream if other.length)
    seen_begin = stream[0].flags & tshark.SYN and payload.number < frame.number
    return f"{name} after other bytes" if seen_begin and name not in payload.chain else ""


def after_tcp(chain):
    last = max(place for place, name in enumerate(chain) if name == "tcp")
    return chain[last + 1:]


def other_readings(path, ours, left):
    """TShark again, with the option changed that hides the thing: then it reads what we read."""
    body = ["-o", "http.desegment_body:FALSE"]
    holes = [*body, "-o", "tcp.reassemble_out_of_order:FALSE", "-o", "http.desegment_headers:FALSE"]
    ports = port_rules(ours, left)
    for cause, rules in (
        ("tshark: waits for the whole body", body),
        ("tshark: waits for a hole to be filled", holes),
        ("tshark: not looked for on that port", [*ports, *holes]),
    ):
        if all(one.cause for one in left):
            return
        again = tshark.read(path, *rules)
        for one in left:
            width = 3 if one.what == "request" else 1
            seen = [entry[:width] for entry in getattr(again, NAMES[one.what]).get(one.ends, [])]
            if not one.cause and one.ours[:width] in seen:
                one.cause = cause


def port_rules(ours, left):
    rules = set()
    for one in left:
        record = ours.records["tcp", one.ends][0]
        speaks = "tls" if one.what == "sni" else "http"
        rules.add(f"tcp.port=={record['server']['port']},{speaks}")
    return [part for rule in sorted(rules) for part in ("-d", rule)]
