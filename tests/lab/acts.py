"""What every middlebox of the laboratory has: a log of its acts, and a bridge that it decides for."""

import json
import sys
import time

from bridge import Bridge


class Logged:
    """A middlebox that writes down what it does, one JSON object a line."""

    log = None

    def write(self, entry):
        """One line of the log."""
        self.log.write(json.dumps({"time": round(time.time(), 6), **entry}) + "\n")
        self.log.flush()


def run(middlebox):
    """Run a middlebox until terminated; its command line is LEFT RIGHT RULES LOG."""
    left, right, rules, log = sys.argv[1:5]
    with open(rules, encoding="utf-8") as file:
        rules = json.load(file)
    with open(log, "w", encoding="utf-8") as file:
        bridge = Bridge(left, right)
        bridge.run(middlebox(bridge, rules, file).handle)
