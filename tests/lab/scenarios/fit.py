#!/usr/bin/env python3
"""Fits weights and priors to suspicions whose truth is known: fit.py WEIGHTS FACTS...

WEIGHTS is the table as it stands (`tamperscope explain --format jsonl`), FACTS are files of
`facts.py`. The model is the verdict's own: a prior for each kind, and of each family the strongest
weight on either side. What is minimised is the log loss, with a pull of PULL decibans (one
standard deviation) to the weights as they stand: where nothing was observed, nothing moves. A sign
never changes, a half never exceeds its full weight, and no weight leaves its LIMIT.

Writes one line for each weight: as it stands, as fitted, and how many suspicions had it.
"""

import json
import math
import sys
from collections import Counter, defaultdict

PULL, PRIOR_PULL, LIMIT, ROUNDS = 6.0, 6.0, 26.0, 400
NAT = math.log(10) / 10


def read(paths):
    """Suspicions: (kind, true, {(signal, grade)})."""
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                flow = json.loads(line)
                for found in flow["found"]:
                    facts = frozenset(map(tuple, found["facts"]))
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
        return value
    sign = math.copysign(1, origin)
    size = min(LIMIT, max(0.0, value * sign))
    if key[2] == "half":
        size = min(size, abs(values["weight", key[1], "full"]))
    return sign * size


def main():
    """Reads, fits, tells."""
    table = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    start, priors, families = {}, {}, {}
    for entry in table:
        if "signal" in entry:
            families[entry["signal"]] = entry["family"]
            start[entry["signal"], "full"] = entry["weight"]
            start[entry["signal"], "half"] = entry["half"]
            start[entry["signal"], "proof"] = 45.0
        elif "prior" in entry:
            priors[entry["kind"]] = entry["prior"]
    rows = read(sys.argv[2:])
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
