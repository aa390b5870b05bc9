"""From a seed to a scenario: the network, the tap, the flows, and who interferes with which.

A plan is data and nothing else: play.py carries it out, truth.py holds what was recorded against
the device's log. One seed gives one plan, for ever; the judged half has the odd seeds.
"""

import random

from devices import DEVICES, STANDING

NGINX = (10, 20, 30, 40)        # last numbers of the addresses that nginx serves
ODD = (11, 21, 31, 41)          # where sites.py answers
DEAD = 50                       # behind a machine that answers SYNs for it (SYN cookies)
LOST = 60                       # where every connection is reset before a byte was read
RESOLVERS = (53, 65, 66)        # one habit each: see names.py
UNUSED = 99                     # an address of a machine that has no service at all
GUARDED = 61                    # its router drops port 8443 and refuses port 8080 by reset
CLIENTS = ("198.51.100.10", "198.51.100.11", "198.51.100.12", "198.51.100.21")
CLIENT6 = "2001:db8:c::10"

# How many flows of each kind one scenario has, by what the tap can see there.
INTERFERED = {"reset": 7, "response": 5, "dns": 6, "handshake": 4, "tls": 5, "drop": 4}
BESIDE_SERVER = {"reset": 8, "response": 1, "dns": 1, "handshake": 1, "tls": 1, "drop": 3}
THROTTLED = 4                   # in two scenarios of five
INNOCENT = 50

# What innocent flows do, with weights. See visitors.py, sites.py and names.py.
INNOCENT_ACTS = {
    "page": 10, "tls": 10, "keep-alive": 4, "think": 5, "think-tls": 4, "linger": 3,
    "linger-tls": 2, "linger-ttl": 2, "data-ttl": 3, "partial": 2, "hasty": 2, "unread": 2,
    "close-silent": 2, "late": 1, "idle-reset": 2, "own-403": 2, "own-302": 2, "too-large": 2,
    "abort": 3, "close-unread": 2, "impatient": 2, "half-closed": 1, "port-reuse": 1,
    "lost-session": 2, "refused": 3, "firewalled": 1, "guarded-drop": 1, "scan": 2,
    "alert-name": 3, "alert-version": 1, "alert-ttl": 1, "hello-reset": 2, "hello-close": 1,
    "self-signed": 3, "paced": 1, "big": 1, "sip": 1, "idle": 1,
    "forgotten": 2, "back-end": 2, "back-end-tls": 2, "dead-origin": 2, "dead-origin-tls": 3,
    "dns-plain": 8, "dns-chain": 2, "dns-gone": 2, "dns-failing": 1, "dns-inside": 1,
    "dns-filtered": 1, "dns-balanced": 3, "dns-twice": 2, "dns-retry": 2, "dns-slow": 1,
    "dns-six": 2, "dns-anycast": 2,
}

# A name begins with what the server is to do: see sites.py and names.py.
HABITS = {"think": "think", "think-tls": "think", "linger": "linger", "linger-tls": "linger",
          "linger-ttl": "lingerttl", "data-ttl": "datattl", "partial": "partial",
          "hasty": "hasty", "unread": "unread", "close-silent": "silent", "late": "late", "impatient": "late",
          "idle-reset": "idlereset", "own-403": "own403", "own-302": "own302",
          "too-large": "large", "alert-name": "alert", "alert-ttl": "alert-ttl",
          "alert-version": "newest", "hello-reset": "helloreset", "hello-close": "helloclose",
          "paced": "paced", "big": "big", "big-tls": "big", "sip": "big", "dns-gone": "gone",
          "dns-chain": "chain", "dns-failing": "failing", "dns-inside": "inside",
          "dns-filtered": "filtered", "dns-balanced": "balanced", "dns-twice": "twice",
          "dns-retry": "retry", "dns-slow": "slow"}


def spread(r, low, high):
    """A number between two, of which small and large are as likely (log-uniform)."""
    return round(low * (high / low) ** r.random(), 2)


def network(r):
    """Delays, loss, disorder, hops and stacks of one scenario."""
    one_way = spread(r, 1, 200)
    share = r.uniform(0.05, 0.4)
    ways = {"near": {"delay_ms": round(one_way * share, 2), "hops": r.randrange(4)},
            "far": {"delay_ms": round(one_way * (1 - share), 2), "hops": r.randrange(1, 16)}}
    for name in r.sample(("near", "far"), r.choice((0, 0, 1, 2))):
        ways[name]["loss"] = round(r.uniform(0.001, 0.025), 4)
    if r.random() < 0.35:
        name = r.choice(("near", "far"))
        if r.random() < 0.5:
            ways[name].update(late=round(r.uniform(0.01, 0.1), 3), late_ms=round(r.uniform(1, 15), 1))
        else:
            ways[name]["jitter_ms"] = round(r.uniform(0.2, 6), 1)
    if r.random() < 0.1:
        ways["far"].update(duplicate=0.01, duplicate_ms=round(r.uniform(0.1, 5), 1))
    flap = None
    if r.random() < 0.15:
        flap = [r.randrange(2, 8), max(0, ways["far"]["hops"] + r.choice((-5, -4, 3, 4, 6)))]
    return {**ways, "flap": flap,
            "client_ttl": r.choice((64, 64, 64, 128)), "server_ttl": r.choice((64, 64, 64, 128, 255)),
            "client_timestamps": r.random() < 0.85, "server_timestamps": r.random() < 0.85,
            "capture_loss": round(r.uniform(0.001, 0.008), 4) if r.random() < 0.1 else 0}


def plan(seed):
    """The whole scenario of a seed."""
    r = random.Random(f"scenario {seed}")
    vantage = r.choices(("near client", "middle", "near server"), (6, 2, 2))[0]
    net = network(r)
    kinds = dict(BESIDE_SERVER if vantage == "near server" else INTERFERED)
    if seed % 10 in (0, 1, 4, 5):
        kinds["throttle"] = THROTTLED
    flows = [interfered(r, kind, net, vantage) for kind, count in kinds.items()
             for _ in range(count)]
    acts, weights = zip(*INNOCENT_ACTS.items())
    flows += [innocent(r, act, net) for act in r.choices(acts, weights, k=INNOCENT)]
    # What a substituted certificate and a slowed download are held against.
    flows += [innocent(r, act, net) for act in ("vouched", "vouched", "big", "dns-plain", "dns-plain",
                                           "dns-plain", "dns-plain")]
    r.shuffle(flows)
    for slowed in [flow for flow in flows if flow["kind"] == "throttle"]:
        flows.insert(place_of_control(r, flows.index(slowed)), control(r, slowed))
    number_ports(r, flows, seed)
    return {"seed": seed, "vantage": vantage, "network": net, "flows": flows}


def number_ports(r, flows, seed):
    """Who asks, from which port, when: names and ports are each flow's own."""
    pace = r.uniform(0.1, 0.22)
    base = 10_000 + seed % 150 * 150
    for number, flow in enumerate(flows):
        flow["port"] = base + number
        flow["start"] = round(number * pace + r.uniform(0, pace), 3)
        flow.setdefault("client", CLIENT6 if flow["family"] == 6 else r.choice(CLIENTS))
        habit = HABITS.get(flow["act"], word(r))
        flow.setdefault("name", f"{habit}-{word(r)}-{number}.web.example")
        server = flow.pop("server")
        flow["server"] = f"2001:db8:5::{server}" if flow["family"] == 6 else f"203.0.113.{server}"


def word(r):
    """A few letters, of differing number."""
    return "".join(r.choice("abcdefghiklmnoprstuvwy") for _ in range(r.randrange(3, 14)))


def interfered(r, kind, net, vantage):
    """One flow that the device is to act on."""
    family = 6 if r.random() < 0.25 else 4
    flow = {"kind": kind, "family": family, **DEVICES[kind](r, net, vantage)}
    if flow["act"].startswith("dns"):
        flow.setdefault("server", r.choice(RESOLVERS[:2]))
        return flow
    if flow["act"] in ("page", "tls") and r.random() < 0.4:
        flow["act"] = {"page": "think", "tls": "think-tls"}[flow["act"]]
    flow.setdefault("tls12", r.random() < 0.3)
    ours = flow["act"] in ("think", "think-tls", "big", "big-tls")
    flow.setdefault("server", r.choice(ODD if ours else NGINX))
    return flow


def place_of_control(r, slowed):
    """In most cases soon after the slowed download has begun, otherwise before it."""
    return slowed + r.randrange(2, 16) if r.random() < 0.85 else max(0, slowed - r.randrange(16))


def control(r, slowed):
    """A download for another name that nobody slows: of the same client, and for the most part from
    the same server, otherwise from one beside it."""
    slowed["client"] = CLIENT6 if slowed["family"] == 6 else r.choice(CLIENTS)
    server = slowed["server"] if r.random() < 0.85 else r.choice(ODD)
    return {"kind": None, "act": r.choice(("big", "big-tls")), "family": slowed["family"],
            "tls12": r.random() < 0.3, "client": slowed["client"], "server": server}


def innocent(r, act, net):
    """One flow that nobody interferes with; with some, a machine that stands in the way for the
    network's or the site's own sake has a part."""
    flow = {"kind": None, "act": act, "family": 6 if r.random() < 0.2 else 4, "tls12": r.random() < 0.3}
    if act.startswith("dns"):
        flow["server"] = RESOLVERS[2] if act == "dns-anycast" else r.choice(RESOLVERS[:2])
    elif act.startswith("dead-origin"):
        flow["server"] = DEAD
    elif act in ("page", "tls", "keep-alive", "abort", "half-closed", "port-reuse", "close-unread",
                 *STANDING):
        flow["server"] = r.choice(NGINX)
    elif act == "lost-session":
        flow["server"] = LOST
    elif act in ("firewalled", "guarded-drop"):
        flow["server"] = GUARDED
    elif act in ("refused", "scan"):
        flow["server"] = r.choice((UNUSED, *NGINX))
    else:
        flow["server"] = r.choice(ODD)
    if act in ("scan", "firewalled", "guarded-drop"):
        flow["family"] = 4
    if act in ("vouched", "self-signed"):
        flow.update(tls12=True, name="shop.example", server=ODD[0] if act == "vouched" else
                    r.choice(ODD[1:]), family=4)
    if act in STANDING:
        flow.update(STANDING[act](r, net))
    return flow
