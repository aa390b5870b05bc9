"""How a forged packet is made from the packet that set the middlebox off.

A specification (one element of a scenario's `forge`) has

  to          "client" (in the server's name) or "server" (in the client's name)
  flags       letters, as "RA"
  seq         added to the sequence number that the receiver expects next (default 0)
  ack         "right" (default: all that the trigger sent), "zero", or a number added to "right"
  ttl         initial TTL, or "copy" (that of the impersonated side at this place); default 64
  ipid        a number, "random" (default), "trigger" (copied), "next" (after the server's last)
  df          default false
  window      a number or "copy" (the trigger's); default 64240
  timestamps  "none" (default) or "mirror" (a plausible TSval, the trigger's TSval echoed)
  reserved    the six bits left of URG, for devices that set them
  payload     base64; longer than `mss` (default 1400): several segments, flags F and P on the last
  delay_ms    after the trigger (default 0.5)
"""

import base64
import random
import struct
import time

from packets import ACK, FIN, PSH, SYN, Segment, flag_bits, flag_letters


class Forger:
    """Makes forged segments; `seed` fixes its random IP-IDs."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def packets(self, flow, trigger, spec):
        """(delay in seconds, segment) for each packet of one specification."""
        payload = base64.b64decode(spec.get("payload", ""))
        size = spec.get("mss", 1400)
        pieces = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
        flags = flag_bits(spec["flags"])
        offset = spec.get("seq", 0)
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            bits = flags if last else flags & ~(FIN | PSH)
            forged = self.segment(flow, trigger, spec, bits)
            forged.seq = (forged.seq + offset) & 0xFFFFFFFF
            forged.payload = piece
            offset += len(piece)
            yield (spec.get("delay_ms", 0.5) + 0.05 * number) / 1000, forged

    def segment(self, flow, trigger, spec, bits):
        """A forged segment without payload."""
        sent = (trigger.seq + trigger.length) & 0xFFFFFFFF
        if spec["to"] == "client":
            ends = (trigger.dst, trigger.src, trigger.dport, trigger.sport)
            seq, right = trigger.ack, sent
        else:
            ends = (trigger.src, trigger.dst, trigger.sport, trigger.dport)
            seq, right = sent, trigger.ack
        forged = Segment(*ends, seq, self.acknowledge(spec, right, bits), bits)
        forged.df = spec.get("df", False)
        forged.reserved = spec.get("reserved", 0)
        window = spec.get("window", 64240)
        forged.window = trigger.window if window == "copy" else window
        forged.ttl = self.ttl(flow, trigger, spec)
        forged.ipid = self.ipid(flow, trigger, spec) if forged.version == 4 else 0
        if spec.get("timestamps") == "mirror":
            forged.options = self.timestamps(flow, trigger)
        return forged

    @staticmethod
    def acknowledge(spec, right, bits):
        """The acknowledgement number."""
        how = spec.get("ack", "right" if bits & ACK else "zero")
        if how == "zero":
            return 0
        return right if how == "right" else (right + how) & 0xFFFFFFFF

    @staticmethod
    def ttl(flow, trigger, spec):
        """The TTL with which the packet leaves."""
        if spec.get("ttl", 64) != "copy":
            return spec.get("ttl", 64)
        if spec["to"] == "server":
            return trigger.ttl
        return flow.server.ttl if flow.server else 64

    def ipid(self, flow, trigger, spec):
        """The IPv4 identification."""
        how = spec.get("ipid", "random")
        if how == "random":
            return self.random.randrange(1, 65536)
        if how == "trigger":
            return trigger.ipid
        if how == "next":
            return (flow.server.ipid + 1) & 0xFFFF if flow.server else 0
        return how

    @staticmethod
    def timestamps(flow, trigger):
        """A TSval on the server's own line (Linux counts milliseconds), the client's echoed."""
        client = trigger.timestamps()
        server = flow.server.timestamps() if flow.server else None
        if client is None or server is None:
            return b""
        value = server[0] + round((time.monotonic() - flow.server_time) * 1000)
        return b"\x01\x01\x08\x0a" + struct.pack("!II", value & 0xFFFFFFFF, client[0])


def describe(segment):
    """The fields of a segment for the log."""
    return {"src": segment.src, "sport": segment.sport, "dst": segment.dst,
            "dport": segment.dport, "seq": segment.seq, "ack": segment.ack,
            "flags": flag_letters(segment.flags), "ttl": segment.ttl, "ipid": segment.ipid,
            "window": segment.window, "bytes": len(segment.payload),
            "syn": bool(segment.flags & SYN)}
