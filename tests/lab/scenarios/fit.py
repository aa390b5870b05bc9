#!/usr/bin/env python3
"""Fits weights and priors to suspicions whose truth is known: fit.py FACTS...

FACTS are files of `facts.py`; the weights as they stand are read from the source. The model is the verdict's own: a prior for each kind, and of each family the strongest
weight on either side. What is minimised is the log loss, with a pull of PULL decibans (one
standard deviation) to the weights as they stand: where nothing was observed, nothing moves. A sign
never changes, a half never exceeds its full weight, and no weight leaves its LIMIT.

Writes one line for each weight: as it stands, as fitted, and how many suspicions had it.
"""

import json
import math
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3] / "src"

PULL, PRIOR_PULL, LIMIT, ROUNDS = 4.0, 5.0, 26.0, 400
# Innocent causes that exist and that the scenarios have too few of. They bind these weights:
# numbers are limits, None is held as it stands.
HELD = {
    # Whether a stack stamps its RSTs is its own affair.
    ("no_timestamp", "half"): None,
    # A proxy that answers in the server's name has a stack of its own: not by this alone.
    ("no_timestamp", "full"): 21.0,
    # Padding, captures cut together and offsets for each connection: seen in public captures.
    ("overlap_conflict", "half"): None, ("tsval_break", "full"): None,
    # Networks know more careless ways to close than two servers' programs have.
    ("orderly_close", "full"): None, ("orderly_close", "half"): None,
    # Injectors that copy the TTL are known, and may be the only kind on a path.
    ("ttl_match", "full"): 5.0, ("ttl_match", "half"): 2.0,
    # Proxies, gateways and caches near users.
    ("data_fast", "full"): 17.0, ("rst_fast", "full"): 17.0, ("rst_fast", "half"): 8.0,
    ("dns_fast", "full"): 12.0,
    # Balancers, counters for each flow, constant numbers on both sides.
    ("ipid_break", "full"): 6.0, ("ipid_mirror", "full"): 12.0, ("ipid_mirror", "half"): 6.0,
    # A SYN sent twice, to two machines behind one balancer, which are not equally far.
    ("synack_conflict", "half"): None, ("ttl_shift", "full"): 8.0, ("ttl_shift", "half"): 8.0,
    # Balancers that tell causes in windows, firewalls, senders that gave up path MTU discovery.
    ("rst_window", "full"): 8.0, ("rst_window", "half"): 4.0, ("df_break", "full"): 6.0,
    ("window_break", "full"): 8.0, ("window_break", "half"): 4.0,
    ("df_break", "half"): 4.0, ("rst_ttl_split", "full"): 10.0, ("rst_ttl_split", "half"): 10.0,
    # Gateways and proxies beside the client.
    ("rst_ttl_near", "full"): 13.0, ("rst_ttl_near", "half"): 13.0,
    # Each device of the scenarios is one flow's: nothing there acts twice, or by name.
    ("rst_by_timer", "full"): None, ("rst_by_timer", "half"): None, ("same_place", "full"): None,
    ("same_place", "half"): None, ("name_singled_out", "full"): None,
    ("name_singled_out", "half"): None, ("one_voice", "full"): None, ("one_voice", "half"): None,
    ("dns_false_again", "full"): None, ("dns_false_again", "half"): None,
    ("dns_sender_again", "full"): None, ("dns_sender_again", "half"): None,
    ("dns_split_by_name", "full"): None, ("dns_split_by_name", "half"): None,
    # Rate limits, which set in after anything.
    ("residual", "full"): None,
    # An owner's own test machine.
    ("certificate_swap", "full"): None, ("certificate_swap", "half"): 8.0,
    # Two queries of which one was not captured, and a rotating set.
    ("dns_conflict", "full"): 18.0, ("dns_conflict", "half"): 6.0,
}
NAT = math.log(10) / 10
# One flow in three of a scenario is interfered with, which no network's are: so sure, at most, is
# anybody before a fact is looked at.
PRIOR_MAX = {"reset": -12.0, "handshake": -18.0, "response": -14.0, "dns": -16.0}
# Where nothing is forged, all hangs on controls; how often hosts and links die by themselves no
# scenario can tell. These kinds and their signals are left as they stand.
UNFITTED = ("drop", "throttle")


def table():
    """The table as it stands: {(signal, grade): decibans}, {kind: decibans}, {signal: family}."""
    told = (SOURCE / "evidence/signal.rs").read_text("utf-8")
    names = {variant: (name, family) for variant, name, family
             in re.findall(r'(\w+) = "(\w+)", (\w+);', told)}
    text = (SOURCE / "verdict/weights.rs").read_text("utf-8")
    start = {(name, "proof"): 45.0 for name, _ in names.values()}
    row = re.compile(r"\(\s*Signal::(\w+),\s*weight\(\s*(-?[\d.]+),\s*(-?[\d.]+),")
    for variant, full, half in row.findall(text):
        start[names[variant][0], "full"] = float(full)
        start[names[variant][0], "half"] = float(half)
    missing = [name for name, _ in names.values() if (name, "full") not in start]
    if missing:
        sys.exit(f"weights.rs has no row for {', '.join(missing)}")
    priors = dict.fromkeys(("reset", "response", "dns", "tls", "handshake", "drop", "throttle"))
    for kind, decibans in re.findall(r"Kind::(\w+) => (-?[\d.]+),", text):
        priors[kind.lower()] = float(decibans)
    return start, priors, dict(names.values())


def read(paths):
    """Suspicions: (kind, true, {(signal, grade)})."""
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                flow = json.loads(line)
                for found in flow["found"]:
                    facts = frozenset(map(tuple, found["facts"]))
                    if found["true"] is not None and found["kind"] not in UNFITTED:
                        rows.append((found["kind"], found["true"], facts))
    return rows


def counted(facts, weights, families):
    """The facts that count: of each family the strongest for and the strongest against."""
    best = {}
    for fact in facts:
        weight = weights[fact]
        place = families[fact[0]], weight > 0
        if place not in best or (abs(weight), fact) > (abs(weights[best[place]]), best[place]):
            best[place] = fact
    return best.values()


def fit(rows, start, priors, families):
    """Gradient descent with a step of its own for each number (Rprop, Riedmiller and Braun 1993)."""
    values = {("weight", *fact): weight for fact, weight in start.items()}
    values |= {("prior", kind): prior for kind, prior in priors.items()}
    origin = dict(values)
    steps, before = {key: 0.5 for key in values}, dict.fromkeys(values, 0.0)
    for _ in range(ROUNDS):
        weights = {key[1:]: value for key, value in values.items() if key[0] == "weight"}
        slope = Counter()
        for kind, true, facts in rows:
            used = [("weight", *fact) for fact in counted(facts, weights, families)]
            used = [key for key in used if key[2] != "proof"] + [("prior", kind)]
            decibans = values["prior", kind] + sum(
                weights[fact] for fact in counted(facts, weights, families))
            off = 1 / (1 + math.exp(-NAT * max(-200, min(200, decibans)))) - true
            for key in used:
                slope[key] += off * NAT
        for key in values:
            if key[-1] == "proof":
                continue
            pull = PULL if key[0] == "weight" else PRIOR_PULL
            gradient = slope[key] + (values[key] - origin[key]) / pull ** 2
            turned = gradient * before[key]
            steps[key] = min(2.0, max(1e-3, steps[key] * (1.2 if turned > 0 else 0.5 if turned < 0
                                                          else 1.0)))
            before[key] = gradient
            moved = values[key] - math.copysign(steps[key], gradient) * (gradient != 0)
            values[key] = bounded(key, moved, origin[key], values)
    return values


def bounded(key, value, origin, values):
    """The value within its bounds."""
    if key[0] == "prior":
        return min(value, PRIOR_MAX.get(key[1], value))
    sign = math.copysign(1, origin)
    limit = HELD.get(key[1:], LIMIT)
    if limit is None:
        return origin
    size = min(limit, max(0.0, value * sign))
    if key[2] == "half":
        size = min(size, abs(values["weight", key[1], "full"]))
    return sign * size


def main():
    """Reads, fits, tells."""
    start, priors, families = table()
    rows = read(sys.argv[1:])
    fitted = fit(rows, start, priors, families)
    seen = defaultdict(Counter)
    for kind, true, facts in rows:
        seen["prior", kind][true] += 1
        for fact in facts:
            seen["weight", *fact][true] += 1
    for key, value in sorted(fitted.items()):
        if key[-1] != "proof":
            was = priors[key[1]] if key[0] == "prior" else start[key[1:]]
            print(f"{' '.join(key):40} {was:6.1f} {value:6.1f}   interfered {seen[key][True]}, "
                  f"innocent {seen[key][False]}")


if __name__ == "__main__":
    main()
