"""The truth about each flow of a recorded scenario, from the device's log and the plan.

The program under test has no part in it. A flow is interfered with where the log has a packet
forged or swallowed for its client port, or where its plan sent it to the impostor; innocent where
the plan gave no device, or one that stands there for the network's or the site's own sake (a gateway
that forgot the connection, a balancer or SYN proxy before a dead machine). Planned interference that never set in
counts as neither, nor does a gateway that was set off too soon.

How much the packets leave to see is told too, by what the plan and the frames say:

  shown     a genuine frame contradicts a forged one, or two families of marks set a forged one
            apart (TTL off by more than 2, timestamps missing on data, less than half the round
            trip on a path of more than 4 ms, a known notice or listed address, numbers that no
            stack gives). Of a forged frame with which its stated sender is alone in the flow, TTL
            and round trip are one family: a machine that is nearer, a SYN proxy or an instance of
            an anycast address, has both. The flags of a DNS answer are a family, where there are
            three answers of the resolver to be held against
  faint     forged frames are in the capture, but bear one family of marks or none
  absent    no forged or swallowed frame is in the capture: the tap was elsewhere, or all were lost

Where nothing was forged:

  shown     `drop`: the packet that set the device off is in the capture, and so are controls (see
            `is_control`): a later one of the same server, or of two beside it, of which one is
            later, for else all may have died at once, while the same server answered another client
            (what answers SYNs is not always the server). `throttle`: another download of the same
            client from the same server, which nobody slowed, began when the slowed one was slow, and
            was three times as fast as the device would have let it be
  silent    no control
  faint     `drop`: a query was swallowed, and resolvers that cannot reach a name's servers are
            silent too; a SYN, which names nothing, and which a dead member of a balanced path
            swallows for some ports; fewer controls; or only what followed is in the capture.
            `throttle`: less than half of the rate was used, for the sender waited for its timer
"""

import json
from collections import Counter, defaultdict

import dnswire
import label
import pcap
from packets import FIN, RST, SYN
from visitors import TLS

# Seconds of silence in the act `forgotten`.
FORGETFUL = 12
# Acts that go to no ordinary port.
ODD_PORTS = ("refused", "firewalled", "guarded-drop", "scan")


def truths(folder):
    """{(transport, client, port): {kind, act, sight}} of a scenario's folder."""
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    log = label.read_log(folder / "device.jsonl")
    touched, forged = defaultdict(list), {}
    for entry in log:
        touched[entry["port"]].append(entry)
        if entry["action"] == "forge":
            forged[label.forged_key(entry)] = entry
    capture = pcap.read(folder / "capture.pcap")
    frames = defaultdict(list)
    ports = {flow["port"] for flow in plan["flows"]}
    for read in (label.segments, label.all_datagrams):
        for frame in read(capture, ""):
            segment = frame.segment
            frame.origin = "forged" if segment.key in forged else "genuine"
            frames[segment.sport if segment.sport in ports else segment.dport].append(frame)
    found = {}
    answers = honest_answers(plan, frames)
    for flow in plan["flows"]:
        kind, port = flow["kind"], flow["port"]
        if kind and not touched[port] and flow["trigger"] != "impostor":
            continue
        if flow["act"] == "forgotten" and too_soon(touched[port], frames[port]):
            continue
        proto = "udp" if flow["act"].startswith("dns") else "tcp"
        sight = ""
        if kind == "drop":
            sight = sight_of_silence(flow, frames, touched[port], plan)
        elif kind:
            sight = sight_of(flow, frames, plan, answers[flow["server"]])
        made = [frame.number for frame in frames[port] if frame.origin == "forged"]
        found[proto, flow["client"], port] = {"kind": kind, "act": flow["act"], "sight": sight,
                                              "forged": made}
    return found


def too_soon(log, frames):
    """Whether a gateway was set off (by a request sent again) before there was anything to forget."""
    return any(entry["time"] - frames[0].time / 1e9 < FORGETFUL for entry in log) if frames else True


def honest_answers(plan, frames):
    """The answers that nobody tampered with, by resolver."""
    answers = defaultdict(list)
    for flow in plan["flows"]:
        if flow["kind"] is None and flow["act"].startswith("dns"):
            answers[flow["server"]] += [frame.segment for frame in frames[flow["port"]]
                                        if frame.segment.src == flow["server"]]
    return answers


def sight_of(flow, all_frames, plan, answers):
    """How much the packets of an interfered flow leave to see."""
    frames = all_frames[flow["port"]]
    if flow["kind"] == "throttle":
        return sight_of_slowness(flow, all_frames, plan)
    if flow["trigger"] == "impostor":
        return "shown" if plan["vantage"] != "near server" and frames else "absent"
    forged = [frame for frame in frames if frame.origin == "forged"]
    if not forged:
        return "absent"
    if contradicted(flow["kind"], frames, forged):
        return "shown"
    if flow["kind"] == "dns":
        count = dns_marks(flow, forged[0].segment, plan, answers)
    else:
        count = marks(flow, frames, forged, plan)
    return "shown" if count >= 2 else "faint"


def sight_of_silence(flow, frames, log, plan):
    """The same of a flow in which packets were swallowed."""
    own = frames[flow["port"]]
    swallowed = {label.swallowed_key(entry) for entry in log if entry["action"] == "swallow"}
    asked = any(frame.segment.dport != flow["port"] and frame.segment.payload for frame in own)
    if not asked and not any(label.swallowed_key_of(frame.segment) in swallowed for frame in own):
        return "absent"
    if flow["act"].startswith("dns") or flow["trigger"] == "syn" or not asked:
        return "faint"
    asked = [frame.time for frame in own if frame.segment.dport != flow["port"]
             and frame.segment.payload]
    begun = {ours: [(other["server"], frames[other["port"]][0].time) for other in plan["flows"]
                    if is_control(other, flow, frames[other["port"]])
                    and (other["client"] == flow["client"]) == ours] for ours in (True, False)}
    later = [server for server, time in begun[True] if time > asked[0]]
    if flow["server"] in later:
        return "shown"
    alive = [time for server, time in begun[False] if server == flow["server"]]
    lived = any(asked[0] <= time <= asked[-1] for time in alive) or (
        alive and min(alive) < asked[0] and max(alive) > asked[-1])
    if lived and later and len({server for server, _ in begun[True]}) >= 2:
        return "shown"
    return "faint" if begun[True] else "silent"


def is_control(other, silent, frames):
    """Whether `other` shows that server or path lived: nobody touched it, it is to the same port, and
    it was answered."""
    ports = [flow["act"] in TLS for flow in (other, silent)]
    return (other["kind"] is None and not other.get("device") and other["act"] not in ODD_PORTS
            and not other["act"].startswith("dns") and ports[0] == ports[1]
            and other["family"] == silent["family"]
            and any(frame.segment.dport == other["port"] and frame.segment.payload
                    for frame in frames))


def sight_of_slowness(flow, frames, plan):
    """The same of a flow that was slowed."""
    size, span = carried(flow, frames)
    if size < span * flow["device"]["rate_bytes"] / 2:
        return "faint"
    trip = 2 * sum(plan["network"][way]["delay_ms"] for way in ("near", "far")) / 1000
    beside = any(is_faster(other, flow, trip) and outruns(flow["device"], carried(other, frames))
                 for other in plan["flows"])
    return "shown" if beside else "silent"


def carried(flow, frames):
    """(bytes, seconds) from the server, each byte counted once."""
    down = [frame for frame in frames[flow["port"]]
            if frame.segment.dport == flow["port"] and frame.segment.payload]
    size = sum({frame.segment.seq: len(frame.segment.payload) for frame in down}.values())
    return (size, max(1, down[-1].time - down[0].time) / 1e9) if down else (0, 1)


def outruns(device, pace):
    """Whether a flow was three times as fast as the device would have let it be: flows that share a
    line differ by as much as twice."""
    size, span = pace
    return size > 3 * (device["burst_bytes"] + span * device["rate_bytes"])


def is_faster(other, slowed, trip):
    """Whether `other` is a download that shows what server and path could do meanwhile: it began
    when the slowed one had felt its bucket, a few round trips after its own beginning."""
    ends = [(flow["client"], flow["server"]) for flow in (other, slowed)]
    return (other["kind"] is None and other["act"] in ("big", "big-tls") and ends[0] == ends[1]
            and other["start"] > slowed["start"] + 0.2 + 2 * trip)


def contradicted(kind, frames, forged):
    """Whether a genuine frame cannot be by the sender of a forged one."""
    first = forged[0]
    own = [frame for frame in frames if frame.origin == "genuine"
           and frame.segment.src == first.segment.src]
    if kind == "dns":
        asked = dnswire.answer_id(first.segment.payload)
        return any(dnswire.answer_id(frame.segment.payload) == asked for frame in own)
    if kind == "handshake":
        return any(frame.segment.flags & SYN for frame in own)
    if first.segment.payload:
        return any(frame.segment.payload and label.overlaps(frame.segment, forged)
                   for frame in own)
    for frame in own:
        segment = frame.segment
        goes_on = segment.payload or segment.flags & (FIN | SYN)
        later = frame.time - first.time > 10_000_000 and not segment.flags & RST
        beyond = label.ahead((segment.seq + segment.length) & 0xFFFFFFFF, first.segment.seq) > 0
        if goes_on and later and (beyond or segment.flags & SYN):
            return True
    ends = [label.ahead(frame.segment.seq, first.segment.seq) for frame in forged
            if frame.segment.src == first.segment.src]
    return max(ends) > 2


def marks(flow, frames, forged, plan):
    """How many families of marks set the first forged frame apart."""
    first, net = forged[0], plan["network"]
    segment = first.segment
    own = [frame.segment for frame in frames if frame.origin == "genuine"
           and frame.segment.src == segment.src]
    count = 0
    if own:
        count += all(abs(other.ttl - segment.ttl) > 2 for other in own)
        stamped = all(other.timestamps() for other in own if not other.flags & RST)
        count += bool(stamped and segment.payload and not segment.timestamps())
    if not own and "copy" not in [spec["ttl"] for spec in specs(flow)]:
        count += 1
    else:
        count += early(flow, plan)
    count += b"10.10.34.36" in segment.payload or b"blacklist site" in segment.payload
    return count + any(spec.get("ack", "right") != "right" for spec in specs(flow))


def early(flow, plan):
    """Whether something was forged before the server could have spoken, where a tap can tell."""
    usual = 2 * plan["network"]["far"]["delay_ms"]
    return usual > 4 and min(spec["delay_ms"] for spec in specs(flow)) < usual / 2 and (
        plan["vantage"] != "near server")


def dns_marks(flow, forged, plan, answers):
    """How many families of marks set a forged answer apart that stands alone."""
    count = (b"\x0a\x0a\x22" in forged.payload) + (b"\x20\x01\x00\x00" in forged.payload)
    if len(answers) < 3:
        return count
    far = all(abs(other.ttl - forged.ttl) > 2 for other in answers)
    programs = Counter(program(flow, other.payload) for other in answers)
    usual, most = programs.most_common(1)[0]
    odd = most * 4 >= len(answers) * 3 and program(flow, forged.payload) != usual
    return count + (far or early(flow, plan)) + odd


def program(flow, answer):
    """What an answer shows of who built it: AA, RA, and EDNS where that was asked for."""
    asked = flow["port"] % 4 != 0
    return answer[2] & 0x04, answer[3] & 0x80, asked and answer[10:12] != b"\0\0"


def specs(flow):
    """What the plan has forged."""
    return flow["device"].get("forge") or flow["device"].get("answers")
