#!/usr/bin/env python3
"""A middlebox with a habit for every flow: names and client ports of the plan decide.

Usage: device.py LEFT RIGHT PLAN LOG. It bridges LEFT (towards the client) and RIGHT. A flow of the
plan with a `device` is acted on at its `trigger`: `http` and `sni` (its name in the first packet
that carries it), `second` (the same in its second request), `syn`, `dns`. The device is

  forge       what to send (see ../forge.py)
  answers     for DNS (see ../poison.py, an element of `forge`)
  swallow     "nothing", "request" (the trigger alone), "flow" (from the trigger on, both ways),
              "up" or "down" (from the trigger on, one way; "up" the trigger too)
  finish      true: play the server's part when the client closes a swallowed flow
  rate_bytes, burst_bytes   a bucket for what comes from the server after the trigger: so many bytes
              a second, and what is above is dropped

The LOG gets one JSON object a line for each packet forged or swallowed, with the flow's port.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import datagrams
import poison
from acts import Logged, run
from bridge import opposite
from forge import Forger, describe
from packets import FIN, SYN, build, parse
from triggers import client_hello_name, http_request


class Flow:
    """What the device remembers of one connection."""

    def __init__(self, rule):
        self.rule = rule
        self.server = None      # the last segment seen from the server
        self.server_time = 0.0  # when, for its timestamp clock
        self.swallow = ""
        self.named = 0          # packets with the name so far, each counted once
        self.named_at = None    # number of the last of them
        self.acted = False
        self.next_seq = None    # after the last forged byte to the client
        self.tokens, self.filled = 0.0, 0.0


class Device(Logged):
    """State by flow, and the acts."""

    def __init__(self, bridge, plan, log):
        self.bridge, self.log = bridge, log
        rules = [flow for flow in plan["flows"] if flow.get("device")]
        self.by_port = {(flow["client"], flow["port"]): flow for flow in rules}
        self.flows, self.look = {}, {}
        self.forger = Forger(plan["seed"])
        self.poisoner = poison.Poisoner({}, plan["seed"])

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
        if datagram and side == "right":
            self.poisoner.saw_answer(datagram)
        rule = None
        if datagram and side == "left" and datagram.dport == 53:
            rule = self.by_port.get((datagram.src, datagram.sport))
        query = poison.dnswire.parse(datagram.payload) if rule else None
        if query is None:
            self.bridge.send(opposite(side), frame)
            return
        device = rule["device"]
        if device["swallow"] == "nothing":
            self.bridge.send("right", frame)
        else:
            self.write({"action": "swallow", "proto": "udp", "port": datagram.sport,
                        **poison.describe(datagram)})
        self.poisoner.rules = {"forge": device["answers"]}
        macs, kind = frame[6:12] + frame[:6], frame[12:14]
        for delay, forged in self.poisoner.answers(query, datagram):
            packet = datagrams.build(forged)
            entry = {"action": "forge", "proto": "udp", "port": datagram.sport, "to": "client",
                     "trigger": poison.describe(datagram), **poison.describe(forged),
                     "packet": packet.hex()}
            self.bridge.send("left", macs + kind + packet, delay,
                             lambda entry=entry: self.write(entry))

    def from_client(self, frame, segment):
        """Look for a trigger; pass the segment on unless the device says otherwise."""
        rule = self.by_port.get((segment.src, segment.sport))
        if rule is None or "impostor" in rule["device"]:
            self.bridge.send("right", frame)
            return
        flow = self.flows.setdefault((segment.src, segment.sport), Flow(rule))
        if flow.server is None and segment.dst in self.look:
            flow.server, flow.server_time = self.look[segment.dst], time.monotonic()
        if not self.is_trigger(flow, segment):
            self.later(flow, frame, segment)
            return
        flow.acted = True
        device = rule["device"]
        flow.swallow = device["swallow"] if device["swallow"] in ("flow", "up", "down") else ""
        if device["swallow"] in ("nothing", "down"):
            self.bridge.send("right", frame)
        else:
            self.swallow(segment, segment.sport)
        for spec in device["forge"]:
            self.forge(flow, segment, spec)

    def later(self, flow, frame, segment):
        """A packet of the client that is no trigger."""
        if flow.swallow not in ("flow", "up"):
            self.bridge.send("right", frame)
            return
        self.swallow(segment, segment.sport)
        if flow.rule["device"].get("finish") and segment.flags & FIN and flow.next_seq is not None:
            self.finish(flow, segment)

    def is_trigger(self, flow, segment):
        """Whether this packet of the client sets the device off; each flow does so once."""
        trigger = flow.rule["trigger"]
        if flow.acted and not (trigger == "syn" and segment.flags & SYN):
            return False
        if trigger == "syn":
            return bool(segment.flags & SYN)
        if not segment.payload:
            return False
        request = http_request(segment.payload)
        name = request[0] if request else client_hello_name(segment.payload)
        if name == flow.rule["name"] and segment.seq != flow.named_at:
            flow.named, flow.named_at = flow.named + 1, segment.seq
        return name == flow.rule["name"] and flow.named == (2 if trigger == "second" else 1)

    def from_server(self, frame, segment):
        """Remember what the server looks like; hold its packets where the device does."""
        flow = self.flows.get((segment.dst, segment.dport))
        if flow and flow.swallow in ("flow", "down"):
            self.swallow(segment, segment.dport)
            return
        if flow:
            flow.server, flow.server_time = segment, time.monotonic()
            if flow.acted and "rate_bytes" in flow.rule["device"] and self.above(flow, frame):
                self.swallow(segment, segment.dport)
                return
        self.look[segment.src] = segment
        self.bridge.send("left", frame)

    @staticmethod
    def above(flow, frame):
        """Whether a frame from the server is above the flow's rate."""
        device, now = flow.rule["device"], time.monotonic()
        if not flow.filled:
            flow.tokens = device["burst_bytes"]
        else:
            gained = (now - flow.filled) * device["rate_bytes"]
            flow.tokens = min(device["burst_bytes"], flow.tokens + gained)
        flow.filled = now
        if flow.tokens < len(frame):
            return True
        flow.tokens -= len(frame)
        return False

    def forge(self, flow, trigger, spec):
        """Send one forged packet, or the segments of one forged message."""
        for delay, forged in self.forger.packets(flow, trigger, spec):
            to_client = spec["to"] == "client"
            macs = trigger.macs[6:12] + trigger.macs[:6] if to_client else trigger.macs
            kind = b"\x08\x00" if forged.version == 4 else b"\x86\xdd"
            packet = build(forged)
            if to_client:
                flow.next_seq = (forged.seq + forged.length) & 0xFFFFFFFF
            entry = {"action": "forge", "port": trigger.sport, "to": spec["to"],
                     "trigger": describe(trigger), **describe(forged), "packet": packet.hex()}
            self.bridge.send("left" if to_client else "right", macs + kind + packet, delay,
                             lambda entry=entry: self.write(entry))

    def finish(self, flow, segment):
        """Acknowledge the client's FIN in the server's name."""
        spec = {**flow.rule["device"]["forge"][0], "to": "client", "flags": "A", "payload": "",
                "seq": (flow.next_seq - segment.ack) & 0xFFFFFFFF, "delay_ms": 0.3}
        self.forge(flow, segment, spec)

    def swallow(self, segment, port):
        """Drop a segment and say so."""
        self.write({"action": "swallow", "port": port, **describe(segment)})


if __name__ == "__main__":
    run(Device)
