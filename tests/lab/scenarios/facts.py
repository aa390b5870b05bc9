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


def suspicion(finding, true, sight):
    """What a fit needs of one finding."""
    facts = [(fact["signal"], fact["grade"]) for fact in finding["evidence"] + finding["against"]]
    return {"kind": finding["kind"], "true": true, "sight": sight, "facts": facts}


def main():
    """Writes them."""
    program, *rest = sys.argv[1:]
    if rest[1:] in (["even"], ["odd"]):
        for seed, key, truth, findings in scored(program, Path(rest[0]), rest[1] == "odd"):
            kind, sight = truth["kind"], truth["sight"]
            print(json.dumps({"flow": [seed, *key], "kind": kind, "sight": sight, "found": [
                suspicion(finding, kind is not None, sight) for finding in findings]}))
        return
    for path in rest:
        try:
            findings = [one for found in read(program, path).values() for one in found]
        except subprocess.CalledProcessError:
            continue
        for finding in findings:
            print(json.dumps({"flow": [path], "kind": None, "sight": "",
                              "found": [suspicion(finding, False, "")]}))


if __name__ == "__main__":
    main()
