#!/usr/bin/env python3
"""The forging middlebox: a bump in the wire that recognises names and acts on them.

Usage: middlebox.py LEFT RIGHT SCENARIO LOG. It bridges LEFT (towards the client) and RIGHT. The
SCENARIO is a JSON object:

  triggers  `http_host`, `sni`, `http_path` (see triggers.py), `syn_to` (server addresses)
  exempt    client addresses that are let through
  swallow   "nothing" (a device beside the path: it sees, it injects, it cannot stop),
            "request" (the trigger alone), "flow" (from the trigger on, both ways),
            "answers" (after the trigger, all that comes from the server)
  quic      {"sni": [...]}: QUIC flows whose Initial has such a name are swallowed whole
  police    from the trigger on, data to the client are held to a rate (see police.py)
  finish    true: play the server's part when the client closes a swallowed flow
  residual  {"seconds", "forge"}: after a trigger, every SYN of the same client, server and port
  forge     what to send (see forge.py)
  dns       which queries to answer, and how (see poison.py)

The LOG gets one JSON object a line for each packet forged or swallowed, as it was sent.
"""

import time

import datagrams
import poison
import police
from acts import Logged, run
from bridge import opposite
from forge import Forger, describe
from packets import FIN, SYN, build, parse
from triggers import match


class Flow:
    """What the device remembers of one connection."""

    def __init__(self):
        self.server = None      # the last segment seen from the server
        self.server_time = 0.0  # when, for its timestamp clock
        self.swallowed = False
        self.deaf = None        # name and segment that set it off, where answers are swallowed
        self.trigger = None     # the same, where the flow is held to a rate
        self.bucket = None      # tokens, where the flow is held to a rate
        self.next_seq = None    # after the last forged byte to the client


class Middlebox(Logged):
    """The device: state by flow, and the acts."""

    def __init__(self, bridge, scenario, log):
        self.bridge, self.scenario, self.log = bridge, scenario, log
        self.flows = {}
        self.quic_flows = set()
        self.residual = {}
        self.forger = Forger(scenario.get("seed", 7))
        self.poisoner = poison.Poisoner(scenario.get("dns", {}), scenario.get("seed", 7))

    def handle(self, side, frame):
        """Decide about one frame that came in on `side`."""
        segment = parse(frame)
        if segment is None:
            self.datagram(side, frame, datagrams.parse(frame))
        elif side == "left":
            self.from_client(frame, segment)
        else:
            self.from_server(frame, segment)

    def datagram(self, side, frame, datagram):
        """Look for a query to answer; anything else goes on."""
        if datagram and self.quic(side, datagram):
            return
        if datagram and side == "right":
            self.poisoner.saw_answer(datagram)
        exempt = datagram and datagram.src in self.scenario.get("exempt", [])
        query = self.poisoner.judge(datagram) if datagram and side == "left" else None
        if query is None or exempt:
            self.bridge.send(opposite(side), frame)
            return
        trigger = {"proto": "udp", "host": query.name}
        if self.poisoner.rules.get("swallow"):
            self.write({"action": "swallow", **trigger, **poison.describe(datagram)})
        else:
            self.bridge.send("right", frame)
        macs, kind = frame[6:12] + frame[:6], frame[12:14]
        for delay, forged in self.poisoner.answers(query, datagram):
            packet = datagrams.build(forged)
            entry = {"action": "forge", "to": "client", **trigger,
                     "trigger": poison.describe(datagram), **poison.describe(forged),
                     "packet": packet.hex()}
            self.bridge.send("left", macs + kind + packet, delay,
                             lambda entry=entry: self.write(entry))

    def quic(self, side, datagram):
        """Swallow QUIC flows by the name in their Initial; whether this datagram was."""
        names = self.scenario.get("quic", {}).get("sni", [])
        if not names:
            return False
        ends = [(datagram.src, datagram.sport), (datagram.dst, datagram.dport)]
        key = frozenset(ends)
        host = None
        if key not in self.quic_flows and side == "left" and datagram.dport == 443:
            from quicname import initial_name
            host = initial_name(datagram.payload)
            if host in names:
                self.quic_flows.add(key)
        if key in self.quic_flows:
            entry = poison.describe(datagram)
            del entry["payload"]
            self.write({"action": "swallow", "proto": "udp", "host": host, **entry})
        return key in self.quic_flows

    def from_client(self, frame, segment):
        """Look for a trigger; pass the segment on unless the scenario says otherwise."""
        key = (segment.src, segment.sport, segment.dst, segment.dport)
        if segment.flags & SYN or key not in self.flows:
            self.flows[key] = Flow()
        flow = self.flows[key]
        if flow.swallowed:
            self.swallow(segment)
            if self.scenario.get("finish") and segment.flags & FIN:
                self.finish(flow, segment)
            return
        host, specs = self.judge(segment)
        if host is None:
            self.bridge.send("right", frame)
            return
        swallow = self.scenario.get("swallow", "nothing")
        if "police" in self.scenario:
            flow.bucket = flow.bucket or police.Bucket(self.scenario["police"])
            flow.trigger = (host, describe(segment))
        if swallow in ("nothing", "answers"):
            self.bridge.send("right", frame)
            flow.deaf = (host, describe(segment)) if swallow == "answers" else None
        else:
            self.swallow(segment, host)
            flow.swallowed = swallow == "flow"
        for spec in specs:
            self.forge(flow, segment, spec, host)

    def from_server(self, frame, segment):
        """Remember what the server looks like."""
        flow = self.flows.get((segment.dst, segment.dport, segment.src, segment.sport))
        if flow and flow.deaf:
            host, trigger = flow.deaf
            self.write({"action": "swallow", "host": host, "trigger": trigger, **describe(segment)})
            return
        if flow and flow.swallowed:
            self.swallow(segment)
            return
        if flow and flow.bucket and segment.payload and not flow.bucket.lets_pass(len(frame) - 14):
            if flow.bucket.dropped == 1:
                host, trigger = flow.trigger
                self.write({"action": "police", "host": host, "trigger": trigger,
                            **self.scenario["police"], **describe(segment)})
            return
        if flow:
            flow.server, flow.server_time = segment, time.monotonic()
        self.bridge.send("left", frame)

    def judge(self, segment):
        """(name, what to forge): the name is None where the device stays quiet."""
        if segment.src in self.scenario.get("exempt", []):
            return None, []
        triple = (segment.src, segment.dst, segment.dport)
        rules = self.scenario.get("triggers", {})
        if segment.flags & SYN:
            if self.residual.get(triple, 0) > time.monotonic():
                return "residual", self.scenario["residual"]["forge"]
            if segment.dst in rules.get("syn_to", []):
                return "address", self.scenario.get("forge", [])
            return None, []
        host = match(rules, segment) if segment.payload else None
        if host and "residual" in self.scenario:
            self.residual[triple] = time.monotonic() + self.scenario["residual"]["seconds"]
        return host, self.scenario.get("forge", [])

    def forge(self, flow, trigger, spec, host):
        """Send one forged packet, or the segments of one forged message."""
        for delay, forged in self.forger.packets(flow, trigger, spec):
            to_client = spec["to"] == "client"
            macs = trigger.macs[6:12] + trigger.macs[:6] if to_client else trigger.macs
            kind = b"\x08\x00" if forged.version == 4 else b"\x86\xdd"
            packet = build(forged)
            if to_client:
                flow.next_seq = (forged.seq + forged.length) & 0xFFFFFFFF
            side = "left" if to_client else "right"
            entry = {"action": "forge", "to": spec["to"], "host": host,
                     "trigger": describe(trigger), **describe(forged), "packet": packet.hex()}
            self.bridge.send(side, macs + kind + packet, delay,
                             lambda entry=entry: self.write(entry))

    def finish(self, flow, segment):
        """Acknowledge the client's FIN in the server's name."""
        spec = {**self.scenario["forge"][-1], "to": "client", "flags": "A", "payload": "",
                "seq": (flow.next_seq - segment.ack) & 0xFFFFFFFF, "delay_ms": 0.3}
        self.forge(flow, segment, spec, None)

    def swallow(self, segment, host=None):
        """Drop a segment and say so."""
        self.write({"action": "swallow", "host": host, **describe(segment)})


if __name__ == "__main__":
    run(Middlebox)
