"""A policer: a bucket of tokens that fills at a rate; what finds it empty is dropped.

The scenario's `police` object: `rate_bps`, `burst` (bytes). It holds for data to the client, from
the packet on that set the device off. A device that polices queues nothing: up to the ceiling each
packet passes as it came, above it none does.
"""

import time


class Bucket:
    """Tokens of one flow, in bytes."""

    def __init__(self, rules):
        self.rate, self.burst = rules["rate_bps"] / 8, rules["burst"]
        self.tokens, self.since = self.burst, time.monotonic()
        self.dropped = 0

    def lets_pass(self, size):
        """Whether there are tokens for a packet of `size` bytes; takes them."""
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.since) * self.rate)
        self.since = now
        if self.tokens < size:
            self.dropped += 1
            return False
        self.tokens -= size
        return True
