#!/usr/bin/env python3
"""Do the captures show what their labels say? Judged by tshark, a program that is not ours.

Usage: check.py [FOLDER...]; without folders, all of `captures/`. Asks tshark for the checksums,
the flags, the names and the order of frames, and holds them against label.json.
"""

import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

FIELDS = ["frame.number", "frame.time_epoch", "ip.src", "ipv6.src", "tcp.stream", "tcp.flags",
          "tcp.seq_raw", "tcp.len", "ip.checksum.status", "tcp.checksum.status", "http.host",
          "tls.handshake.extensions_server_name", "tcp.flags.syn", "udp.stream",
          "udp.checksum.status", "dns.id", "dns.flags.response", "dns.qry.name", "tcp.ack_raw"]
OPTIONS = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
           "-o", "udp.check_checksum:TRUE", "-d", "udp.port==5300,dns",
           "-o", "tcp.desegment_tcp_streams:FALSE"]
FIN, SYN, RST, ACK = 1, 2, 4, 16
BAD = "0"
SIZE_MAX = 60_000
LONG_MAX = 300_000  # of a rate nothing can be seen in less
FOLDER_SUFFIXES = (".pcap", ".pcapng", ".gz", ".zst")


def tshark(*words):
    """tshark's standard output; its warnings about root are of no interest."""
    done = subprocess.run(["tshark", "-n", *map(str, words)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"tshark: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def frames_of(path):
    """Frame number -> fields, for every frame of a file."""
    wanted = [word for name in FIELDS for word in ("-e", name)]
    found = {}
    for line in tshark("-r", path, *OPTIONS, "-T", "fields", "-E", "occurrence=f", *wanted
                       ).splitlines():
        values = dict(zip(FIELDS, line.split("\t")))
        found[int(values["frame.number"])] = values
    return found


def number(values, name):
    """A numeric field; -1 where it is absent."""
    return int(values[name], 0) if values[name] else -1


def sender(values):
    """The source address of a frame."""
    return values["ip.src"] or values["ipv6.src"]


def captures(folder):
    """The recorded files of a folder."""
    return sorted(path for path in folder.iterdir() if path.suffix in FOLDER_SUFFIXES)


def problems(folder):
    """All that does not fit, as sentences."""
    folder = Path(folder)
    label = json.loads((folder / "label.json").read_text(encoding="utf-8"))
    files = {path.name: frames_of(path) for path in captures(folder)}
    found = [f"{path.name}: {path.stat().st_size} bytes" for path in captures(folder)
             if path.stat().st_size > (LONG_MAX if is_long(label) else SIZE_MAX)]
    for name, frames in files.items():
        found += checksum_problems(name, frames)
    for wanted in label["expected"]:
        judge = JUDGES.get(wanted["kind"], expectation_problems)
        found += judge(wanted, files[wanted["capture"]], label)
    if (label["kind"] == "interfered") != bool(label["expected"]):
        found.append(f"{label['kind']}, but {len(label['expected'])} findings expected")
    found += host_problems(label)
    found += service_problems(label)
    return found + story_problems(folder, label)


def is_long(label):
    """Whether the story is about a rate."""
    return any(wanted["kind"] == "throttle" for wanted in label["expected"]) or label[
        "story"].startswith("rate-")


def checksum_problems(name, frames):
    """Every frame must look as it did on a wire."""
    return [f"{name}: frame {at}: {field} is bad" for at, values in frames.items()
            for field in ("ip.checksum.status", "tcp.checksum.status", "udp.checksum.status")
            if values[field] == BAD]


def expectation_problems(wanted, frames, label):
    """One expected finding against what tshark sees."""
    found = []
    forged = [frames[at] for at in wanted["forged_frames"]]
    trigger = frames.get(wanted["trigger_frame"])
    streams = {values["tcp.stream"] for values in forged}
    if len(streams) != 1:
        found.append(f"forged frames in TCP streams {sorted(streams)}")
    if wanted["kind"] == "reset" and not all(
            number(values, "tcp.flags") & (RST | FIN) for values in forged):
        found.append("a forged frame is neither RST nor FIN")
    if wanted["kind"] == "handshake" and not all(
            number(values, "tcp.flags") & (SYN | ACK) == SYN | ACK for values in forged):
        found.append("a forged frame is no SYN/ACK")
    if wanted["kind"] in ("response", "tls") and not any(number(values, "tcp.len") > 0 for values in forged):
        found.append("no forged frame carries data")
    if trigger:
        found += trigger_problems(wanted, trigger, forged, frames, label)
    if wanted["min_confidence"] == "confirmed" and not proof(wanted, forged, frames):
        found.append(f"`confirmed` without proof: {wanted['client']}")
    return [f"{wanted['capture']}: {text}" for text in found]


def dns_problems(wanted, frames, label):
    """One expected finding about DNS against what tshark sees."""
    found = []
    trigger = frames[wanted["trigger_frame"]]
    replies = [frames[at] for at in wanted["forged_frames"] + wanted["genuine_frames"]]
    for values in replies:
        if values["udp.stream"] != trigger["udp.stream"] or values["dns.id"] != trigger["dns.id"]:
            found.append(f"frame {values['frame.number']} does not answer the trigger")
        if values["dns.flags.response"] not in ("1", "True"):
            found.append(f"frame {values['frame.number']} is no answer")
    if trigger["dns.qry.name"].lower() != wanted["host"]:
        found.append(f"trigger asks for {trigger['dns.qry.name']}, not {wanted['host']}")
    if wanted["min_confidence"] == "confirmed" and not wanted["genuine_frames"]:
        found.append(f"`confirmed` without proof: {wanted['client']}")
    if label["vantage"] == "near client" and wanted["genuine_frames"]:
        first, later = ([float(frames[at]["frame.time_epoch"]) for at in wanted[key]]
                        for key in ("forged_frames", "genuine_frames"))
        if min(first) > min(later):
            found.append("forged after the genuine answer")
    return [f"{wanted['capture']}: {text}" for text in found]


def drop_problems(wanted, frames, label):
    """A silence against what tshark sees: sent again, and neither acknowledged nor answered."""
    found = []
    trigger = frames[wanted["trigger_frame"]]
    stream = "tcp.stream" if trigger["tcp.stream"] else "udp.stream"
    flow = [values for values in frames.values() if values[stream] == trigger[stream]]
    after = float(trigger["frame.time_epoch"])
    later = [values for values in flow if float(values["frame.time_epoch"]) > after]
    theirs = [values for values in later if sender(values) != sender(trigger)]
    again = [values for values in later if sender(values) == sender(trigger)
             and values["tcp.seq_raw"] == trigger["tcp.seq_raw"]
             and values["tcp.len"] == trigger["tcp.len"]]
    if len(again) < 2:
        found.append(f"frame {wanted['trigger_frame']} was sent again {len(again)} times")
    if stream == "udp.stream" and theirs:
        found.append("an answer came")
    beyond = number(trigger, "tcp.seq_raw")
    acknowledged = [values for values in theirs if number(values, "tcp.ack_raw") > beyond]
    if stream == "tcp.stream" and acknowledged and label["vantage"] != "near server":
        found.append(f"frame {acknowledged[0]['frame.number']} acknowledges what was swallowed")
    name = (trigger["http.host"] or trigger["tls.handshake.extensions_server_name"]
            or trigger["dns.qry.name"]).lower()
    if wanted["host"] and name.partition(":")[0] != wanted["host"]:
        found.append(f"trigger names {name!r}, not {wanted['host']!r}")
    return [f"{wanted['capture']}: {text}" for text in found]


def throttle_problems(wanted, frames, label):
    """A policed rate against what tshark sees: data sent again, and no more than the rate allows."""
    found = []
    trigger = frames[wanted["trigger_frame"]]
    theirs = [values for values in frames.values()
              if values["tcp.stream"] == trigger["tcp.stream"]
              and sender(values) != sender(trigger) and number(values, "tcp.len") > 0]
    times = [float(values["frame.time_epoch"]) for values in theirs]
    size = sum(number(values, "tcp.len") for values in theirs)
    if label["vantage"] == "near server":
        # What was dropped is there too: what came through is what the client acknowledged.
        acks = [number(values, "tcp.ack_raw") for values in frames.values()
                if values["tcp.stream"] == trigger["tcp.stream"]
                and sender(values) == sender(trigger) and number(values, "tcp.flags") & ACK]
        size = max(ack - min(ack for ack in acks if ack > 0) & 0xFFFFFFFF for ack in acks if ack > 0)
    allowed = wanted["burst"] + wanted["rate_bps"] / 8 * (max(times) - min(times) + 0.1)
    if size > allowed * 1.05:
        found.append(f"{size} bytes passed, {allowed:.0f} were allowed")
    if size < wanted["burst"]:
        found.append(f"only {size} bytes passed: the rate was not felt")
    name = (trigger["http.host"] or trigger["tls.handshake.extensions_server_name"]).lower()
    if name.partition(":")[0] != wanted["host"]:
        found.append(f"trigger names {name!r}, not {wanted['host']!r}")
    return [f"{wanted['capture']}: {text}" for text in found]


JUDGES = {"dns": dns_problems, "drop": drop_problems, "throttle": throttle_problems}


def trigger_problems(wanted, trigger, forged, frames, label):
    """The trigger names the host; near the client the forger is faster than the server."""
    found = []
    named = (trigger["http.host"] or trigger["tls.handshake.extensions_server_name"]).lower()
    if wanted["host"] and named.partition(":")[0] != wanted["host"]:
        found.append(f"trigger names {named!r}, not {wanted['host']!r}")
    delay = float(forged[0]["frame.time_epoch"]) - float(trigger["frame.time_epoch"])
    to_client = {sender(values) for values in forged} == {sender(frames_to(trigger, frames))}
    if to_client == (label["vantage"] == "near server"):
        found.append("forged in the wrong direction for this vantage")
    if delay <= 0 and not whole_connection(wanted, forged):
        found.append("forged before its trigger")
    trip = handshake(trigger["tcp.stream"], frames)
    opening = wanted["kind"] == "handshake"
    late = trip and delay > trip / 2 and not opening and not outrun(trigger, forged[0], frames)
    if label["vantage"] == "near client" and late:
        found.append(f"forged {delay * 1000:.1f} ms after its trigger, RTT {trip * 1000:.1f} ms")
    return found


def outrun(trigger, forged, frames):
    """Whether the server's own data came between the trigger and what was forged."""
    return any(number(values, "tcp.len") > 0 and values["tcp.stream"] == trigger["tcp.stream"]
               and sender(values) != sender(trigger)
               and number(trigger, "frame.number") < at < number(forged, "frame.number")
               for at, values in frames.items())


def whole_connection(wanted, forged):
    """Whether somebody else answered from the SYN/ACK on."""
    return wanted["kind"] == "tls" and number(forged[0], "tcp.flags") & SYN


def frames_to(trigger, frames):
    """Some frame of the other direction of the trigger's connection."""
    return next(values for values in frames.values() if values["tcp.stream"] ==
                trigger["tcp.stream"] and sender(values) != sender(trigger))


def handshake(stream, frames):
    """Seconds from SYN to the SYN/ACK, or None."""
    times = {}
    for values in frames.values():
        if values["tcp.stream"] == stream and number(values, "tcp.flags") & SYN:
            answered = bool(number(values, "tcp.flags") & ACK)
            times.setdefault(answered, float(values["frame.time_epoch"]))
    return times[True] - times[False] if len(times) == 2 else None


def proof(wanted, forged, frames):
    """Two packets that one honest stack cannot both have sent: a genuine one with content."""
    source = {sender(values) for values in forged}
    for at in wanted["genuine_frames"]:
        values = frames[at]
        content = number(values, "tcp.len") > 0 or number(values, "tcp.flags") & (SYN | FIN)
        if content and sender(values) in source:
            return True
    return False


def host_problems(label):
    """The hosts' verdicts follow from the findings."""
    named = {wanted["host"] for wanted in label["expected"]}
    found = []
    for host, verdict in label.get("hosts", {}).items():
        if (verdict in ("blocked", "partly")) != (host in named):
            found.append(f"{host} is said to be {verdict}, findings name {sorted(map(str, named))}")
    return found


def service_problems(label):
    """Who was let through is named by no finding, and a service has a name that findings name."""
    hit = {wanted["client"].rpartition(":")[0] for wanted in label["expected"]}
    named = [str(wanted["host"]) for wanted in label["expected"]]
    found = []
    for services in [label, *label.get("vantages", {}).values()]:
        for name, told in services.get("services", {}).items():
            found += [f"{client} was let through and is in a finding"
                      for client in told["let_through"] if client in hit]
            if not any(host == name or host.endswith(f".{name}") for host in named):
                found.append(f"findings name nothing of {name}")
    return found


def story_problems(folder, label):
    """What the story itself promises: filters that match, or must not."""
    import stories
    story = stories.STORIES.get(label["story"])
    if story is None:
        return [f"no story {label['story']}"]
    found = []
    paths = captures(folder)
    for wanted, filters in ((True, story.shows), (False, story.never)):
        for text in filters:
            hit = any(tshark("-r", path, "-Y", text).strip() for path in paths)
            if hit != wanted:
                found.append(f"{'nothing shows' if wanted else 'there is'}: {text}")
    return found


def main():
    """Check folders; one line for each."""
    root = Path(__file__).resolve().parent.parent.parent / "captures"
    folders = [Path(name) for name in sys.argv[1:]] or sorted(
        path.parent for path in root.glob("*/label.json"))
    bad = 0
    for folder in folders:
        found = problems(folder)
        bad += bool(found)
        print(f"{folder.name}: {'; '.join(found) or 'ok'}")
    print(f"{len(folders) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
