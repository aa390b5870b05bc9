#!/usr/bin/env python3
"""Scores the program on recorded scenarios.

Weights are fitted on the even seeds; the odd ones are for judging. Writes Markdown; with --list
also each missed flow and false alarm with its facts.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from truth import truths

KINDS = ("reset", "response", "dns", "handshake", "tls", "drop", "throttle")
BANDS = (0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)


def read(program, capture):
    """{(transport, client, port): findings} of one capture. A damaged one is read as far as it
    goes (exit status 3)."""
    run = subprocess.run([program, "analyze", "--format", "jsonl", "--quiet", "--no-progress",
                          capture], capture_output=True, check=False)
    if run.returncode not in (0, 3):
        raise subprocess.CalledProcessError(run.returncode, run.args, stderr=run.stderr)
    found = defaultdict(list)
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if record["type"] == "finding":
            client = record["client"]
            found[record["proto"], client["ip"], client["port"]].append(record)
    return found


def scored(program, root, parity):
    """(seed, key, truth, findings) of every flow of the half."""
    for folder in sorted(root.iterdir(), key=lambda folder: int(folder.name)):
        if int(folder.name) % 2 != parity or not (folder / "plan.json").exists():
            continue
        found = read(program, folder / "capture.pcap")
        for key, truth in truths(folder).items():
            yield folder.name, key, truth, found.get(key, [])


def sure(findings, kind=None):
    """Whether one of them (of the kind) is likely or confirmed."""
    return any(finding["confidence"] != "possible" and kind in (None, finding["kind"])
               for finding in findings)


def tell(flows, listed):
    """The score sheet."""
    print("| kind | sight | flows | at likely or above | recall | with any kind |\n"
          "|---|---|---|---|---|---|")
    for kind in KINDS:
        for sight in ("shown", "silent", "faint", "absent"):
            rows = [flow for flow in flows if (flow[2]["kind"], flow[2]["sight"]) == (kind, sight)]
            if rows:
                hits = sum(sure(row[3], kind) for row in rows)
                other = sum(sure(row[3]) for row in rows)
                print(f"| {kind} | {sight} | {len(rows)} | {hits} | {hits / len(rows):.3f} "
                      f"| {other / len(rows):.3f} |")
    innocent = [flow for flow in flows if flow[2]["kind"] is None]
    alarms = [flow for flow in innocent if sure(flow[3])]
    confirmed = sum(any(one["confidence"] == "confirmed" for one in flow[3]) for flow in innocent)
    possible = sum(bool(flow[3]) for flow in innocent) - len(alarms)
    print(f"\nInnocent flows: {len(innocent)}. False alarms at likely or above: {len(alarms)}, of "
          f"these confirmed: {confirmed}. Told as possible: {possible}.\n")
    reliability(flows)
    if listed:
        for seed, key, truth, findings in flows:
            missed = truth["sight"] == "shown" and not sure(findings, truth["kind"])
            if missed or (truth["kind"] is None and sure(findings)):
                print(f"{'missed' if missed else 'ALARM'} {seed} {key} {truth}")
                for one in findings:
                    print("   ", one["kind"], one["confidence"], one["score"], [
                        (fact["signal"], fact["weight"], fact["frame"])
                        for fact in one["evidence"] + one["against"]])


def reliability(flows):
    """Bands of the highest score of each flow against the truth."""
    bands, sums, hits = Counter(), Counter(), Counter()
    for *_, truth, findings in flows:
        if not findings:
            continue
        score = max(one["score"] for one in findings)
        band = max(low for low in BANDS if score >= low)
        bands[band] += 1
        sums[band] += score
        hits[band] += truth["kind"] is not None
    print("| score from | flows | mean score | interfered | off by |\n|---|---|---|---|---|")
    for band in sorted(bands):
        mean, true = sums[band] / bands[band], hits[band] / bands[band]
        print(f"| {band} | {bands[band]} | {mean:.3f} | {true:.3f} | {abs(mean - true):.3f} |")


def main():
    """Score one half."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("half", choices=["even", "odd"])
    parser.add_argument("--list", action="store_true")
    typed = parser.parse_args()
    flows = list(scored(typed.program, typed.folder, typed.half == "odd"))
    print(f"{len({flow[0] for flow in flows})} scenarios, {len(flows)} flows, of which "
          f"{sum(flow[2]['kind'] is not None for flow in flows)} interfered with.\n")
    tell(flows, typed.list)


if __name__ == "__main__":
    main()
