#!/usr/bin/env python3
"""Plays scenarios: tests/lab/scenarios/play.py OUT SEED...; needs root.

One world is built once and used for all seeds given. Each scenario leaves a folder OUT/SEED with
`capture.pcap` (the tap), `device.jsonl` (the middlebox's own log), `plan.json` and `said.jsonl`
(what the clients saw). A folder that is whole is not recorded again.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(1, str(HERE))
sys.dont_write_bytecode = True

import pcap
import services
from plan import DEAD, GUARDED, LOST, NGINX, ODD, RESOLVERS, UNUSED, plan
from story import POINTS
from world import CLIENTS, Tap, World, end

ADDRESSES = sorted({*NGINX, *ODD, DEAD, LOST, UNUSED, GUARDED, *RESOLVERS})
SITE = """
  server {{ {listen} server_name _; root {root}/www; }}
}}
"""


class Ground(World):
    """The laboratory's network with the addresses of the scenarios."""

    def many_addresses(self):
        """Further client and server addresses, IPv4 and IPv6."""
        servers = [address.format(last) for last in ADDRESSES
                   for address in ("203.0.113.{}", "2001:db8:5::{}")]
        servers = [address for address in servers
                   if address not in ("203.0.113.53", "2001:db8:5::10")]
        for place, router, side, addresses in (("client", "edge", "lan", CLIENTS[1:]),
                                               ("server", "r3", "up", servers)):
            for address in addresses:
                length, nodad = ("/64", ["nodad"]) if ":" in address else ("/24", [])
                self.ip(place, "addr", "add", address + length, "dev", "eth0", *nodad)
                self.neighbour(router, side, address, (place, "eth0"))

    def guard(self):
        """The router before the servers refuses one port of one address and drops another."""
        for rule in ("add table inet guard",
                     "add chain inet guard forward { type filter hook forward priority 0; }",
                     f"add rule inet guard forward ip daddr 203.0.113.{GUARDED} tcp dport 8080 "
                     "reject with tcp reset",
                     f"add rule inet guard forward ip daddr 203.0.113.{GUARDED} tcp dport 8443 drop"):
            self.run("r3", "nft", rule)

    def stacks(self, net):
        """What the kernels of this scenario are like."""
        for place in ("client", "server"):
            ttl, stamps = net[f"{place}_ttl"], int(net[f"{place}_timestamps"])
            self.run(place, "sysctl", "-qw", f"net.ipv4.ip_default_ttl={ttl}",
                     f"net.ipv6.conf.default.hop_limit={ttl}", f"net.ipv6.conf.eth0.hop_limit={ttl}",
                     f"net.ipv4.tcp_timestamps={stamps}", "net.ipv4.tcp_no_metrics_save=1")

    def impostor(self, flows):
        """At r1, connections of these flows go to the impostor."""
        self.run("r1", "nft", "destroy table ip impostor", check=False)
        ports = ", ".join(str(flow["port"]) for flow in flows)
        if ports:
            for rule in ("add table ip impostor", "add chain ip impostor prerouting "
                         "{ type nat hook prerouting priority -100; }",
                         f"add rule ip impostor prerouting tcp sport {{ {ports} }} "
                         "tcp dport 443 redirect to :4443"):
                self.run("r1", "nft", rule)


def certificates(folder):
    """An authority's certificate for all sites, and two that nobody vouches for."""
    services.openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out",
                     "ca.pem", "-days", "30", "-subj", "/O=Laboratory/CN=Laboratory authority")
    (folder / "site.ext").write_text("subjectAltName=DNS:shop.example,DNS:*.web.example\n",
                                     encoding="utf-8")
    services.openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", "site.key", "-out", "site.csr", "-subj",
                     "/O=Laboratory/CN=shop.example")
    services.openssl(folder, "x509", "-req", "-in", "site.csr", "-CA", "ca.pem", "-CAkey",
                     "ca.key", "-CAcreateserial", "-out", "site.pem", "-days", "30", "-extfile",
                     "site.ext")
    for stem in ("own", "impostor"):
        services.self_signed(folder, stem, "shop.example")


def open_house(world):
    """The servers that stay for all scenarios."""
    folder = world.folder
    folder.chmod(0o755)
    certificates(folder)
    (folder / "www").mkdir()
    (folder / "www/index.html").write_text(services.page("web.example"), encoding="utf-8")
    (folder / "www/big.bin").write_bytes(bytes(range(256)) * 96)
    (folder / "www/photo.jpg").write_bytes(bytes(range(255, -1, -1)) * 12)
    listen = " ".join(f"listen {address.format(last)}:{port};" for last in (*NGINX, DEAD)
                      for address in ("203.0.113.{}", "[2001:db8:5::{}]")
                      for port in ("80", "443 ssl"))
    (folder / "nginx.conf").write_text(services.HEAD.format(root=folder)
                                       + SITE.format(listen=listen, root=folder), encoding="utf-8")
    world.start("server", "nginx", "-p", folder, "-c", folder / "nginx.conf")
    world.python("server", "scenarios/sites.py", folder, "sites")
    world.python("r1", "scenarios/sites.py", folder, "impostor")
    world.guard()
    time.sleep(0.5)


def wires(world, drawn, log):
    """The two stretches of the Internet and the device, as the plan has them."""
    net = drawn["network"]
    started = len(world.processes)
    for name in ("near", "far"):
        way = dict(net[name])
        back = dict(way)
        if name == "far" and net["flap"]:
            back["flap"] = net["flap"]
        settings = {"to_right": way, "to_left": back, "seed": drawn["seed"]}
        world.python(name, "link.py", "left", "right", json.dumps(settings))
    world.python("mb", "scenarios/device.py", "left", "right", world.folder / "plan.json", log)
    world.python("server", "scenarios/names.py", drawn["seed"])
    return started


def play(world, seed, out):
    """One scenario from its seed to its folder."""
    drawn = plan(seed)
    folder, log = world.folder, world.folder / "device.jsonl"
    (folder / "plan.json").write_text(json.dumps(drawn, indent=1) + "\n", encoding="utf-8")
    world.stacks(drawn["network"])
    world.impostor([flow for flow in drawn["flows"] if flow["act"] == "impostor"])
    started = wires(world, drawn, log)
    place, interface = POINTS[drawn["vantage"]]
    tap = Tap(world, place, interface, folder / "capture.pcap")
    with open(folder / "said.jsonl", "wb") as said:
        subprocess.run(world.exec("client", sys.executable, HERE / "visitors.py",
                                  folder / "plan.json"), stdout=said, check=True, timeout=150)
    time.sleep(0.6 + 4 * (drawn["network"]["near"]["delay_ms"]
                          + drawn["network"]["far"]["delay_ms"]) / 1000)
    tap.stop()
    for process in reversed(world.processes[started:]):
        end(process)
    del world.processes[started:]
    target = out / str(seed)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in ("device.jsonl", "said.jsonl", "plan.json"):
        shutil.copyfile(folder / name, target / name)
    capture = pcap.read(folder / "capture.pcap")
    pcap.write(target / "capture.pcap", flaws(capture, drawn))


def flaws(capture, drawn):
    """The capture as a worse tap would have made it: one that loses frames, or that sees each frame
    at two ports of a switch."""
    r = random.Random(f"tap {drawn['seed']}")
    loss, twice = drawn["network"]["capture_loss"], r.random() < 0.08
    records = []
    for record in capture.records:
        if r.random() >= loss:
            records.append(record)
            if twice:
                later = record.time + r.randrange(2_000, 60_000)
                records.append(replace(record, time=later))
    return replace(capture, records=sorted(records, key=lambda record: record.time))


def main():
    """Build, play each, take down."""
    out, seeds = Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]]
    seeds = [seed for seed in seeds if not (out / str(seed) / "plan.json").exists()]
    with tempfile.TemporaryDirectory(prefix="tamperscope-scenarios-") as temporary:
        world = Ground(temporary)
        try:
            world.build()
            open_house(world)
            for seed in seeds:
                begun = time.monotonic()
                play(world, seed, out)
                print(f"{seed}: {time.monotonic() - begun:.1f} s", flush=True)
        finally:
            world.destroy()


if __name__ == "__main__":
    main()
