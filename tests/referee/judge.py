"""Two readings of a capture, held against each other."""

import collections
import dataclasses
import difflib


@dataclasses.dataclass
class Difference:
    """One thing that the two readings do not have alike."""

    what: str
    ends: tuple
    ours: object
    theirs: object
    frame: int
    cause: str = ""

    def __str__(self):
        ends = " - ".join(f"{ip}.{port}" for ip, port in self.ends)
        return f"{self.what} f{self.frame} {ends}: ours {self.ours}, tshark {self.theirs}"


class Tally(collections.Counter):
    """How many things of each kind are alike, and how many only one side has."""


# What is compared.
KINDS = ("tcp", "udp", "id", "rtt", "sni", "request", "status")


def compare(ours, theirs):
    """The tally of a file, and all differences."""
    tally, found = Tally(), []
    flows(ours, theirs, tally, found)
    for key, records in ours.records.items():
        for record in records:
            facts(key, record, theirs, tally, found)
    for what, attribute, width in CONTENTS:
        mine, other = getattr(ours, attribute), getattr(theirs, attribute)
        for ends in sorted({*mine, *other}):
            sides = mine.get(ends, []), other.get(ends, [])
            content(what, ends, sides, width, (tally, found))
    return tally, found


def flows(ours, theirs, tally, found):
    """TCP flows by five-tuple and first frame; UDP flows, which end by idling, by five-tuple."""
    for key in sorted({*ours.flows, *theirs.flows}):
        proto, ends = key
        mine, other = (side.flows.get(key, [])[: None if proto == "tcp" else 1]
                       for side in (ours, theirs))
        if proto == "udp" and mine and other:
            mine = other
        tally[proto, "alike"] += len({*mine} & {*other})
        for frame in sorted({*mine} - {*other}):
            tally[proto, "ours"] += 1
            found.append(Difference(proto, ends, "a flow", None, frame))
        for frame in sorted({*other} - {*mine}):
            tally[proto, "theirs"] += 1
            found.append(Difference(proto, ends, None, "a flow", frame))


def facts(key, record, theirs, tally, found):
    """Community ID, and the round trip of the handshake."""
    frame = theirs.frame(record["first_frame"])
    if frame is None or (frame.proto, frame.ends) != key:
        return
    stream = theirs.by_stream[frame.proto, frame.stream]
    ids = (frame.community_id or "").split(",")
    mine = record["community_id"]
    note("id", mine in ids, (key[1], mine, ids, frame.number), (tally, found))
    whole = next((one.rtt for one in stream if one.rtt), None)
    rtt = record["handshake_rtt_us"]
    if whole and rtt is not None:
        # TShark's runs to the client's answer: it cannot be shorter than ours.
        fits = rtt <= round(float(whole) * 1e6) + 1
        note("rtt", fits, (key[1], rtt, whole, frame.number), (tally, found))


def note(what, alike, told, sides):
    tally, found = sides
    tally[what, "alike" if alike else "theirs"] += 1
    if not alike:
        found.append(Difference(what, *told))


# What is compared inside the flows, and how many parts of an entry count; then comes its frame.
CONTENTS = (("sni", "names", 1), ("request", "requests", 3), ("status", "statuses", 1))


def content(what, ends, sides, width, out):
    tally, found = out
    left, right = sides
    cut = [[entry[:width] for entry in side] for side in sides]
    for tag, a, b, c, d in difflib.SequenceMatcher(None, *cut, False).get_opcodes():
        if tag == "equal":
            tally[what, "alike"] += b - a
            continue
        tally[what, "ours"] += b - a
        tally[what, "theirs"] += d - c
        for n in range(max(b - a, d - c)):
            mine = left[a + n] if a + n < b else None
            other = right[c + n] if c + n < d else None
            frame = (other or mine)[width] or 0
            found.append(Difference(what, ends, mine, other, frame))
