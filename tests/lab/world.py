"""The laboratory's network: namespaces, wires, addresses, and the processes that run in it.

    client -- edge -- (near) -- r1 -- (middlebox) -- r2 -- (far) -- r3 -- server

Names in brackets are user-space bridges (link.py, middlebox.py) in namespaces of their own; edge,
r1, r2 and r3 are kernel routers. Nothing here has a route to anything outside. All addresses are
of the ranges set aside for documentation (RFC 5737, RFC 3849). Neighbours are entered by hand, so
that no address resolution disturbs the first handshake.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
# aioquic is in no Debian package: `run` fetches it into an environment of its own.
QUIC_FOLDER = HERE.parent.parent / "target" / "lab-quic"
QUIC_PYTHON = QUIC_FOLDER / "bin" / "python"
CLIENTS = ["198.51.100.10", "198.51.100.11", "198.51.100.12",
           "198.51.100.21", "198.51.100.22", "198.51.100.31", "198.51.100.41"]
CLIENT6 = "2001:db8:c::10"
SERVERS = [f"203.0.113.{last}" for last in (53, *range(10, 100, 10), 11, 21, 31, 41, 61, 62, 63,
                                            64, 65, 66, 67, 68, 69, 71, 72, 73, 74, 81, 82, 83)]
SERVERS6 = [f"2001:db8:5::{last}" for last in (10, 20, 30)]

# Each wire: (namespace, interface) at both ends; the MAC is 02:00:00:00:00:NN by place.
WIRES = [
    (("client", "eth0"), ("edge", "lan")),
    (("edge", "wan"), ("near", "left")),
    (("near", "right"), ("r1", "down")),
    (("r1", "up"), ("mb", "left")),
    (("mb", "right"), ("r2", "down")),
    (("r2", "up"), ("far", "left")),
    (("far", "right"), ("r3", "down")),
    (("r3", "up"), ("server", "eth0")),
]
BRIDGES = ("near", "mb", "far")
ENDS = [end for wire in WIRES for end in wire]

# Each segment between kernel stacks: two ends with IPv4 and IPv6 addresses and prefix lengths.
SEGMENTS = [
    (("client", "eth0", "198.51.100.10/24", "2001:db8:c::10/64"),
     ("edge", "lan", "198.51.100.1/24", "2001:db8:c::1/64")),
    (("edge", "wan", "192.0.2.1/30", "2001:db8:1::1/64"),
     ("r1", "down", "192.0.2.2/30", "2001:db8:1::2/64")),
    (("r1", "up", "192.0.2.5/30", "2001:db8:2::1/64"),
     ("r2", "down", "192.0.2.6/30", "2001:db8:2::2/64")),
    (("r2", "up", "192.0.2.9/30", "2001:db8:3::1/64"),
     ("r3", "down", "192.0.2.10/30", "2001:db8:3::2/64")),
    (("r3", "up", "203.0.113.1/24", "2001:db8:5::1/64"),
     ("server", "eth0", "203.0.113.53/24", "2001:db8:5::10/64")),
]
# Default routes lead to the right for the first three, to the left for the others.
TO_CLIENTS = ["198.51.100.0/24", "2001:db8:c::/64"]
TO_SERVERS = ["203.0.113.0/24", "2001:db8:5::/64"]
HOPS = ["client", "edge", "r1", "r2", "r3", "server"]
NEAR_MS, FAR_MS, FAR_HOPS = 3, 25, 7


def mac(end):
    """The hardware address of one end of a wire."""
    return f"02:00:00:00:00:{ENDS.index(end) + 1:02x}"


class World:
    """One network, built and taken down again."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.prefix = f"tl{os.getpid()}-"
        self.processes = []

    def name(self, place):
        """The namespace of a place."""
        return self.prefix + place

    def exec(self, place, *command):
        """The command line that runs `command` in a place."""
        return ["ip", "netns", "exec", self.name(place), *map(str, command)]

    def run(self, place, *command, check=True, timeout=30):
        """Run a command to its end; its standard output."""
        done = subprocess.run(self.exec(place, *command), capture_output=True, text=True,
                              check=False, timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"{place}: {' '.join(map(str, command))}: {done.stderr.strip()}")
        return done.stdout

    def start(self, place, *command, ready=None):
        """Start a process; with `ready`, wait until it has printed that word."""
        output = subprocess.PIPE if ready else subprocess.DEVNULL
        with open(self.folder / "stderr.log", "ab") as errors:
            process = subprocess.Popen(self.exec(place, *command), stdout=output, stderr=errors)
        self.processes.append(process)
        if ready:
            line = process.stdout.readline().decode()
            if ready not in line:
                raise RuntimeError(f"{place}: {command[0]} did not start: {line}")
        return process

    def python(self, place, script, *arguments, ready="ready"):
        """Start one of the laboratory's own scripts."""
        return self.start(place, sys.executable, HERE / script, *arguments, ready=ready)

    def build(self):
        """Lay the wires."""
        for place in (*HOPS, *BRIDGES):
            command("ip", "netns", "add", self.name(place))
        for left, right in WIRES:
            self.lay(left, right)
        for place in (*HOPS, *BRIDGES):
            self.settle(place)
        for left, right in SEGMENTS:
            self.address(left, right)
        self.many_addresses()
        self.routes()

    def lay(self, left, right):
        """One veth pair."""
        command("ip", "link", "add", "name", left[1], "netns", self.name(left[0]),
                "address", mac(left), "type", "veth", "peer", "name", right[1],
                "netns", self.name(right[0]), "address", mac(right))

    def settle(self, place):
        """Kernel settings: forward, be quiet, and put on the wire what a wire would carry."""
        interfaces = [end[1] for end in ENDS if end[0] == place]
        lines = ["sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0",
                 "sysctl -qw net.ipv6.conf.all.router_solicitations=0",
                 "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0"]
        if place in BRIDGES:
            lines.append("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
        elif place not in ("client", "server"):
            lines.append("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        lines.append("ip link set lo up")
        for interface in interfaces:
            lines.append(f"sysctl -qw net.ipv6.conf.{interface}.router_solicitations=0 || true")
            lines.append(f"ethtool -K {interface} tx off rx off sg off tso off gso off gro off")
            lines.append(f"ip link set dev {interface} up")
        self.run(place, "sh", "-ec", "\n".join(lines))

    def address(self, left, right):
        """Addresses of one segment, and each end as the other's neighbour."""
        for end, other in ((left, right), (right, left)):
            place, interface = end[:2]
            for own, other_address in ((end[2], other[2]), (end[3], other[3])):
                self.ip(place, "addr", "add", own, "dev", interface,
                        *(["nodad"] if ":" in own else []))
                self.neighbour(place, interface, other_address.split("/")[0], other[:2])

    def many_addresses(self):
        """Further client and server addresses."""
        for place, interface, router, router_side, addresses in (
                ("client", "eth0", "edge", "lan", CLIENTS[1:]),
                ("server", "eth0", "r3", "up", SERVERS[1:] + SERVERS6[1:])):
            for address in addresses:
                length, nodad = ("/64", ["nodad"]) if ":" in address else ("/24", [])
                self.ip(place, "addr", "add", address + length, "dev", interface, *nodad)
                self.neighbour(router, router_side, address, (place, interface))

    def routes(self):
        """Routes in both families, hop by hop."""
        for at, place in enumerate(HOPS):
            for version in (2, 3):
                if at < len(HOPS) - 1:
                    gateway = SEGMENTS[at][1][version].split("/")[0]
                    self.route(place, TO_SERVERS[version - 2], gateway)
                if at > 0:
                    gateway = SEGMENTS[at - 1][0][version].split("/")[0]
                    self.route(place, TO_CLIENTS[version - 2], gateway)

    def route(self, place, to, gateway):
        """One route, unless the place is on that network itself."""
        if (place, to in TO_SERVERS) not in (("r3", True), ("edge", False)):
            self.ip(place, "route", "add", to, "via", gateway)

    def neighbour(self, place, interface, address, end):
        """One permanent neighbour."""
        self.ip(place, "neigh", "replace", address, "lladdr", mac(end), "dev", interface,
                "nud", "permanent")

    def ip(self, place, *arguments):
        """`ip` in a place, in the right family."""
        family = "-6" if any("::" in word for word in arguments) else "-4"
        command("ip", "-n", self.name(place), family, *arguments)

    def wires(self, scenario, near, far, log):
        """Start the two stretches of the Internet and the middlebox."""
        near = merged({"to_right": {"delay_ms": NEAR_MS}, "to_left": {"delay_ms": NEAR_MS}}, near)
        way = {"delay_ms": FAR_MS, "hops": FAR_HOPS}
        far = merged({"to_right": way, "to_left": way}, far)
        rules = self.folder / "scenario.json"
        rules.write_text(json.dumps(scenario), encoding="utf-8")
        self.python("near", "link.py", "left", "right", json.dumps(near))
        self.python("far", "link.py", "left", "right", json.dumps(far))
        # Who looks into QUIC needs `cryptography`, which the environment of aioquic has.
        interpreter = QUIC_PYTHON if "quic" in scenario else sys.executable
        self.start("mb", interpreter, HERE / "middlebox.py", "left", "right", rules, log,
                   ready="ready")

    def destroy(self):
        """End the processes that this world started; give the namespaces back."""
        for process in reversed(self.processes):
            end(process)
        for place in (*HOPS, *BRIDGES):
            subprocess.run(["ip", "netns", "del", self.name(place)], check=False,
                           capture_output=True)


def end(process, how=signal.SIGTERM):
    """End one process, patiently."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
    if process.stdout:
        process.stdout.close()


def merged(defaults, changes):
    """Settings of a link, changed per direction."""
    result = {way: {**defaults[way], **changes.get(way, {})} for way in defaults}
    return {**changes, **result}


def command(*words):
    """A command that must succeed."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")


class Tap:
    """tcpdump on one interface."""

    def __init__(self, world, place, interface, path, nanoseconds=False):
        self.path = Path(path)
        precision = "nano" if nanoseconds else "micro"
        self.process = subprocess.Popen(
            world.exec(place, "tcpdump", "-i", interface, "-n", "-U", "--immediate-mode", "-Z",
                       "root", "-s", "0", f"--time-stamp-precision={precision}", "-w", self.path),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        world.processes.append(self.process)
        deadline = time.monotonic() + 10
        while b"listening on" not in self.process.stderr.readline():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"tcpdump on {place} {interface} did not start")

    def stop(self):
        """Flush and close the file."""
        end(self.process, signal.SIGINT)
        self.process.stderr.close()
