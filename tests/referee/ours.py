"""Our own reading of a capture, from the records of `analyze --format jsonl --flows`."""

import collections
import json
import subprocess
import time

import tshark

SECONDS_MAX = 120


class Failed(Exception):
    """The program crashed or hung."""


class Reading:
    """What our program made of a file."""

    def __init__(self):
        # (protocol, five-tuple) -> first frames of its flows, and their records, in order.
        self.flows = collections.defaultdict(list)
        self.records = collections.defaultdict(list)
        # Five-tuple -> what was said, in order, each with its frame.
        self.names = collections.defaultdict(list)
        self.requests = collections.defaultdict(list)
        self.statuses = collections.defaultdict(list)
        # Reasons why frames were passed over, and how many.
        self.skipped = {}
        self.seconds = 0.0


def run(program, path):
    """Runs the program; its records, and how long it took."""
    command = [*program, "analyze", "--format", "jsonl", "--flows", "--quiet", str(path)]
    began = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as gone:
        raise Failed(f"no end after {SECONDS_MAX} s") from gone
    seconds = time.monotonic() - began
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode not in (0, 1, 3) or "panicked" in said:
        raise Failed(f"status {done.returncode}: {said.strip()[:400]}")
    return [json.loads(line) for line in done.stdout.splitlines()], seconds


def read(program, path):
    """Reads `path`."""
    reading = Reading()
    records, reading.seconds = run(program, path)
    for record in records:
        if record["type"] == "capture":
            reading.skipped = record["skipped"]
        elif record["type"] == "flow":
            note_flow(record, reading)
    return reading


def note_flow(record, reading):
    client, server = record["client"], record["server"]
    ends = tshark.tuple_of((client["ip"], client["port"]), (server["ip"], server["port"]))
    key = (record["proto"], ends)
    reading.flows[key].append(record["first_frame"])
    reading.records[key].append(record)
    if record["proto"] == "tcp":
        note_names(record, ends, reading)


def note_names(record, ends, reading):
    tls = record["tls"] or {}
    if tls.get("sni"):
        reading.names[ends].append((tls["sni"], tls["client_hello_frame"]))
    for exchange in record["http"]:
        if exchange["method"] is not None:
            target = tshark.plain(exchange["target"])
            entry = (exchange["host"], exchange["method"], target, exchange["frame"])
            reading.requests[ends].append(entry)
        if exchange["status"] is not None:
            reading.statuses[ends].append((exchange["status"], exchange["status_frame"]))
