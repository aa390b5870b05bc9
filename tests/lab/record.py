"""One story from network to folder: build, visit, record, attribute, label, write."""

import inspect
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import label as labels
import pcap
import services
from world import QUIC_PYTHON, Tap, World, end

QUIC = Path(__file__).parent / "quic.py"
SETTLE = 0.35  # seconds for the last packets; more than two round trips


class Lab:
    """What a story's `visit` may do."""

    def __init__(self, world, story, folder):
        self.world, self.story, self.folder = world, story, folder
        self.nginx = None
        self.captures = []

    def curl(self, url, *options, source="198.51.100.10", wait=True):
        """One curl in the client's place; curl's own failure is part of the story."""
        name = url.split("/")[2]
        if source != "198.51.100.10":
            options = (*options, *self.resolved(name, url, source))
        words = ["curl", "-sS", "-m", "6", "--cacert", self.folder / "trusted.pem", "-o", "/dev/null",
                 "-w", "%{http_code} %{size_download}", "-4" if "-6" not in options else "-6",
                 *(["--interface", source] if "-6" not in options else []), *options, url]
        if not wait:
            return self.world.start("client", *words)
        said = self.world.run("client", *words, check=False)
        self.note(f"curl {name}: {said}")
        return said

    def resolved(self, name, url, source):
        """Ask the resolver from `source`, which curl itself cannot, and tell curl the answer."""
        answer = self.world.run("client", "dig", "+short", "-b", source, "@203.0.113.53", name)
        port = 443 if url.startswith("https") else 80
        return "--resolve", f"{name}:{port}:{answer.split()[0]}"

    def both_families(self, url):
        """curl that may choose between IPv6 and IPv4 itself."""
        said = self.world.run("client", "curl", "-sS", "-m", "6", "-o", "/dev/null", "-w",
                              "%{http_code} %{remote_ip}", url, check=False)
        self.note(f"curl {url}: {said}")

    def company_proxy(self, address):
        """A proxy on the edge router that ends the connections to one address, port 80."""
        (self.folder / "proxy.conf").write_text(services.proxy_config(self.folder), "utf-8")
        self.start("edge", "nginx", "-p", self.folder, "-c", self.folder / "proxy.conf")
        for rule in ("add table ip filter", "add chain ip filter prerouting "
                     "{ type nat hook prerouting priority -100; }",
                     f"add rule ip filter prerouting ip daddr {address} tcp dport 80 "
                     "redirect to :3128"):
            self.run("edge", "nft", rule)
        time.sleep(0.3)

    def transparent_proxy(self):
        """A proxy on the edge router that ends all TCP connections and makes its own (relay.py)."""
        self.world.python("edge", "relay.py", 3129, "198.51.100.1")
        for rule in ("add table ip relay", "add chain ip relay prerouting "
                     "{ type nat hook prerouting priority -100; }",
                     "add rule ip relay prerouting iifname lan tcp dport { 80, 443 } "
                     "redirect to :3129"):
            self.run("edge", "nft", rule)

    def impostor(self, address, client, name):
        """Somebody at r1 who answers TLS for one address with a certificate of their own making,
        where one client asks."""
        services.self_signed(self.folder, "impostor", name)
        config = services.impostor_config(self.folder)
        (self.folder / "impostor.conf").write_text(config, "utf-8")
        self.start("r1", "nginx", "-p", self.folder, "-c", self.folder / "impostor.conf")
        for rule in ("add table ip filter", "add chain ip filter prerouting "
                     "{ type nat hook prerouting priority -100; }",
                     f"add rule ip filter prerouting ip saddr {client} ip daddr {address} "
                     "tcp dport 443 redirect to :4443"):
            self.run("r1", "nft", rule)
        time.sleep(0.3)

    def client(self, what, *arguments, place="client"):
        """One of clients.py's acts."""
        said = self.world.run(place, sys.executable, Path(__file__).parent / "clients.py", what,
                              *arguments, check=False)
        self.note(f"{what}: {said.strip()}")
        return said

    def client_later(self, what, *arguments):
        """The same, without waiting for its end."""
        return self.world.start("client", sys.executable, Path(__file__).parent / "clients.py",
                                what, *arguments)

    def server(self, what, address="203.0.113.70", port=80):
        """One of servers.py's acts, until the story ends or `end`."""
        return self.world.python("server", "servers.py", what, address, port)

    def balanced(self, address, port):
        """A balancer and its two machines behind one address, see balanced.py."""
        for rule in ("add table inet quiet", "add chain inet quiet input "
                     "{ type filter hook input priority 0; }",
                     f"add rule inet quiet input ip daddr {address} tcp dport {port} drop"):
            self.run("server", "nft", rule)
        return self.world.python("server", "balanced.py", address, port)

    def quic_server(self, address, *options):
        """HTTP/3 at an address, until the story ends."""
        return self.world.start("server", QUIC_PYTHON, QUIC, "serve", self.folder, address,
                                *options, ready="ready")

    def quic_get(self, address, name, *options):
        """One page by HTTP/3."""
        said = self.world.run("client", QUIC_PYTHON, QUIC, "get", self.folder, address, name,
                              *options, check=False)
        self.note(f"quic {name}: {said.strip()}")

    def quic_get_later(self, address, name):
        """The same, without waiting for its end."""
        return self.world.start("client", QUIC_PYTHON, QUIC, "get", self.folder, address, name)

    def resolver(self, what, address="203.0.113.65", port=53):
        """One of resolvers.py's acts, until the story ends."""
        return self.world.python("server", "resolvers.py", what, address, port)

    def dig(self, name, *options, kind="A", server="203.0.113.53", source="198.51.100.10"):
        """One question by dig, which asks for EDNS; no answer is part of the story."""
        family = [] if ":" in server else ["-b", source]
        said = self.world.run("client", "dig", "+short", "+tries=1", "+time=3", *family,
                              f"@{server}", name, kind, *options, check=False)
        self.note(f"dig {name} {kind}: {' '.join(said.split())}")
        return said

    def start(self, place, *command):
        """Any other process."""
        return self.world.start(place, *command)

    def run(self, place, *command):
        """Any other command."""
        return self.world.run(place, *command)

    @staticmethod
    def kill(process, how):
        """End a process of the story with a signal."""
        end(process, how)

    @staticmethod
    def sleep(seconds):
        """Let time pass."""
        time.sleep(seconds)

    @staticmethod
    def note(text):
        """Progress for the person who watches."""
        print(f"    {text}", file=sys.stderr)

    def recording(self, file, visit):
        """Record while `visit()` runs: the story's capture, and what both hosts really sent."""
        place, interface = self.story.point()
        paths = {who: self.folder / f"{who}-{len(self.captures)}.pcap"
                 for who in ("capture", "client", "server")}
        taps = [Tap(self.world, "client", "eth0", paths["client"]),
                Tap(self.world, "server", "eth0", paths["server"]),
                Tap(self.world, place, interface, paths["capture"], self.story.nanoseconds)]
        visit()
        time.sleep(SETTLE)
        for tap in taps:
            tap.stop()
        self.captures.append((file, paths))


def record(story, target):
    """Record a story into the folder `target` (replaced whole)."""
    with tempfile.TemporaryDirectory(prefix="tamperscope-lab-") as temporary:
        folder = Path(temporary)
        world = World(folder)
        lab = Lab(world, story, folder)
        try:
            world.build()
            lab.nginx = services.start(world)
            world.wires(story.scenario, story.near, story.far, folder / "middlebox.jsonl")
            time.sleep(0.3)
            play(lab, story)
        finally:
            world.destroy()
            services.stop(world)
        write(story, lab, target)


def play(lab, story):
    """Let the story happen. A story of several files calls `recording` itself."""
    if len(story.files) > 1 and not story.split:
        story.visit(lab)
    else:
        lab.recording(story.files[0], lambda: story.visit(lab))


def write(story, lab, target):
    """Attribute, label and write the folder."""
    log = labels.read_log(lab.folder / "middlebox.jsonl")
    pieces, frames, datagram_frames = [], [], []
    for file, paths in lab.captures:
        capture = pcap.read(paths["capture"])
        if story.edit:
            capture = capture.with_records(story.edit(capture.records))
        sent = {who: sent_by(paths[who], who, labels.segments) for who in ("client", "server")}
        also = {who: sent_by(paths[who], who, labels.all_datagrams) for who in sent}
        for name, part in divide(story, file, capture):
            found = labels.segments(part, name)
            stranger = "forged" if story.impostor else "gateway" if story.gateway else ""
            labels.attribute(found, log, sent, stranger)
            frames.extend(found)
            found = labels.all_datagrams(part, name)
            labels.attribute(found, log, also, stranger)
            datagram_frames.extend(found)
            pieces.append((name, part))
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for name, part in pieces:
        pcap.write(target / name, part, **story.pcapng)
    result = labels.label(story, frames, datagram_frames, log)
    (target / "label.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n",
                                       encoding="utf-8")
    if log:
        shutil.copyfile(lab.folder / "middlebox.jsonl", target / "middlebox.jsonl")
    (target / "README.md").write_text(readme(story, result, pieces), encoding="utf-8")


def divide(story, file, capture):
    """(name, capture) of each file to be written."""
    if not story.split:
        return [(file, capture)]
    parts = story.split(capture.records)
    return [(name, capture.with_records(part)) for name, part in zip(story.files, parts)]


def sent_by(path, who, read):
    """The keys of all that a host itself sent and that `read` reads, from the recording in its
    own place."""
    own = ("198.51.100.", "2001:db8:c:") if who == "client" else ("203.0.113.", "2001:db8:5:")
    found = read(pcap.read(path), who)
    return {frame.segment.key for frame in found if frame.segment.src.startswith(own)}


def readme(story, result, pieces):
    """The folder's README.md."""
    text = inspect.cleandoc(story.text)
    head, _, rest = text.partition("\n")
    lines = [f"# {story.name}", "", head, ""]
    if rest.strip():
        lines += [rest.strip(), ""]
    sizes = ", ".join(f"`{name}` ({len(part.records)} frames)" for name, part in pieces)
    lines.append(f"Recorded with `tests/lab/run {story.name}`, vantage: {story.vantage}. {sizes}.")
    for wanted in result["expected"]:
        lines.append(f"- {told(wanted)}")
    if not result["expected"]:
        lines.append("- nobody forged or swallowed anything: no finding at `likely` or above")
    return "\n".join(lines) + "\n"


def told(wanted):
    """One expected finding as a sentence."""
    forged = ", ".join(map(str, wanted["forged_frames"]))
    sentence = f"{wanted['kind']} for {wanted['host'] or 'no name'}, `{wanted['capture']}`:"
    sentence += f" forged {forged};" if forged else " nothing forged;"
    sentence += f" trigger {wanted['trigger_frame']}"
    if wanted["genuine_frames"]:
        sentence += f"; contradicted by {', '.join(map(str, wanted['genuine_frames'][:8]))}"
        if len(wanted["genuine_frames"]) > 8:
            sentence += " and later ones"
    return sentence + f"; at least `{wanted['min_confidence']}`"
