#!/usr/bin/env python3
"""The suspicions of recorded scenarios with their truth, as lines of JSON.

facts.py PROGRAM FOLDER even|odd for scenarios, facts.py PROGRAM CAPTURE... for captures in which
nobody interfered. PROGRAM is a build with `--features calibration`, which tells faint suspicions.
"""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from score import read, scored


def suspicion(finding, truth):
    """What a fit needs of one finding: it is true if it names a forged frame, or has the kind where
    nothing was forged or all was; null if it is about something else in a flow interfered with."""
    facts = [(fact["signal"], fact["grade"]) for fact in finding["evidence"] + finding["against"]]
    true = False
    if truth["kind"]:
        named = set(finding["forged_frames"]) & set(truth["forged"])
        same = finding["kind"] == truth["kind"] and not truth["forged"]
        true = True if named or same else None
    return {"kind": finding["kind"], "true": true, "facts": facts}


def main():
    """Writes them."""
    program, *rest = sys.argv[1:]
    if rest[1:] in (["even"], ["odd"]):
        for seed, key, truth, findings in scored(program, Path(rest[0]), rest[1] == "odd"):
            print(json.dumps({"flow": [seed, *key], "kind": truth["kind"], "sight": truth["sight"],
                              "found": [suspicion(finding, truth) for finding in findings]}))
        return
    for path in rest:
        try:
            findings = [one for found in read(program, path).values() for one in found]
        except subprocess.CalledProcessError:
            continue
        for finding in findings:
            found = [suspicion(finding, {"kind": None})]
            print(json.dumps({"flow": [path], "kind": None, "sight": "", "found": found}))


if __name__ == "__main__":
    main()
