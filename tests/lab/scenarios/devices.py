"""What may be done to a flow: one device for each, its habits drawn at random.

Each function draws the acts of one kind and gives `act` (what the visitor does, which is what the
device waits for), `trigger` and `device` (see device.py). Habits that the field has described are
common, careful ones (a TTL copied, timestamps mirrored, an answer as late as the server's) are
rarer, and every mixture of them occurs.
"""

import base64

import pages

FALSE = ("192.0.2.113", "198.18.66.6", "100.64.66.6", "192.0.2.7")
LISTED = ("10.10.34.36", "10.10.34.35", "10.10.34.34")


def delay(r, net):
    """Milliseconds from the trigger to the forged packet: at once, or as late as the server."""
    if r.random() < 0.85:
        return round(r.uniform(0.3, 4), 2)
    return round(r.uniform(0.5, 1.4) * 2 * net["far"]["delay_ms"], 2)


def ttl(r):
    """An initial TTL, or the impersonated side's own."""
    return r.choice(("copy", 64, 64, 64, 128, 128, 255, 255, r.randrange(40, 250)))


def headers(r, net, careful=0.15):
    """The fields of a forged segment that tell its maker."""
    return {"ttl": ttl(r), "df": r.random() < 0.5, "delay_ms": delay(r, net),
            "ipid": r.choice(("random", "random", 0, "trigger", "next", 54_000)),
            "window": r.choice((64240, 0, "copy", r.randrange(1, 65_000))),
            "timestamps": "mirror" if r.random() < careful else "none"}


def web(r, plain=0.45):
    """(visitor's act, trigger) of a flow that carries a name."""
    return ("page", "http") if r.random() < plain else ("tls", "sni")


def swallowing(r, nothing):
    """Beside the path, or in it."""
    return "nothing" if r.random() < nothing else r.choice(("request", "flow", "flow"))


def reset(r, net, vantage):
    """Forged RSTs and FINs."""
    act, trigger = web(r)
    ends = ("client", "both", "server")
    to = r.choices(ends, (1, 6, 5) if vantage == "near server" else (7, 3, 0))[0]
    device = {"swallow": swallowing(r, 0.65)}
    habit = r.random()
    if habit < 0.12:
        trigger, act = "syn", r.choice(("page", "tls"))
    elif habit < 0.2:
        trigger, act = "second", "keep-alive"
    fields = {**headers(r, net), "flags": r.choice(("R", "R", "RA"))}
    if trigger == "syn":
        fields["flags"] = "RA"
        if r.random() < 0.2:
            fields["ack"] = r.choice((-1, 0x1000))
    if habit > 0.92 and to == "client":
        fields.update(flags="FA", ack=r.choice(("right", 1)))
        device["swallow"] = r.choice(("nothing", "flow"))
    burst = r.choice(((0,), (0,), (0, 0), (0, 0, 0), (0, 1460), (0, 1460, 4380)))
    burst = burst if fields["flags"] == "R" or set(burst) == {0} else (0,)
    device["forge"] = [
        {**fields, "to": end, "seq": ahead, "delay_ms": round(fields["delay_ms"] + 0.15 * place, 2)}
        for end in (("client", "server") if to == "both" else (to,))
        for place, ahead in enumerate(burst)]
    return {"act": act, "trigger": trigger, "device": device}


def notice(r):
    """A page in place of the site's, as base64."""
    makers = (pages.notice, pages.notice, lambda: pages.notice("200 OK"), pages.long_notice,
              pages.euc_kr, lambda: pages.notice(coding="gzip"),
              lambda: pages.notice("200 OK", coding="chunked"),
              lambda: pages.redirect("http://notice.example/denied"), pages.koryolink,
              lambda: pages.response("403 Forbidden", IFRAME, ["Content-Type: text/html"]))
    return r.choice(makers)()


IFRAME = (b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1256">'
          b'<title>M1-6</title></head><body><iframe src="http://10.10.34.36?type=Invalid Site"'
          b' style="width: 100%; height: 100%"></iframe></body></html>')


def response(r, net, _vantage):
    """A page in the server's name."""
    in_path = r.random() < 0.4
    closes = r.random() < 0.4
    forge = [{**headers(r, net, 0.25), "to": "client", "flags": "FPA" if closes else "PA",
              "payload": notice(r)}]
    if not in_path and r.random() < 0.15:
        forge.append({**forge[0], "flags": "R", "payload": "", "to": "server"})
    return {"act": "page", "trigger": "http",
            "device": {"swallow": "flow" if in_path else "nothing", "finish": in_path,
                       "forge": forge}}


def dns(r, net, _vantage):
    """False answers."""
    listed = r.random() < 0.15
    six = r.random() < 0.12
    in_path = r.random() < 0.35
    makers = []
    for place in range(r.choice((1, 1, 1, 2, 3))):
        records = [["A", r.choice(LISTED if listed else FALSE), r.choice((60, 300, 3600))]]
        if six:
            records = [["AAAA", r.choice(("2001::face:b00c:12", "3fff:66::6"))]]
        maker = {"records": records, "flags": r.choice((["ra"], ["ra"], ["aa", "ra"], [])),
                 "edns": r.random() < 0.2, "ttl": ttl(r), "df": r.random() < 0.5,
                 "ipid": r.choice(("random", "random", 0, "query", 30_000)),
                 "delay_ms": round(delay(r, net) + 0.3 * place, 2)}
        if not listed and not six and r.random() < 0.12:
            maker.update(records=[], rcode="NXDOMAIN")
        makers.append(maker)
    return {"act": "dns-six" if six else "dns-plain", "trigger": "dns",
            "device": {"swallow": "request" if in_path else "nothing", "answers": makers}}


def handshake(r, net, _vantage):
    """A SYN/ACK in the server's name."""
    fields = headers(r, net, 0)
    fields["ipid"] = r.choice(("random", 0, "trigger"))
    fields["window"] = r.choice((8192, 64240, 65535, 1024))
    in_path = r.random() < 0.08
    return {"act": r.choice(("page", "tls")), "trigger": "syn",
            "device": {"swallow": "flow" if in_path else "nothing",
                       "forge": [{**fields, "to": "client", "flags": "SA",
                                  "seq": r.randrange(1 << 20, 1 << 31)}]}}


def tls(r, net, vantage):
    """A fatal alert in the server's name, or a whole connection with another certificate."""
    if r.random() < 0.25 and vantage != "near server":
        return {"act": "impostor", "trigger": "impostor", "device": {"impostor": True},
                "tls12": True, "name": "shop.example", "server": 11, "family": 4}
    record = bytes([21, 3, r.choice((1, 3, 3)), 0, 2, 2, r.choice((40, 112, 80, 70, 49))])
    fields = {**headers(r, net, 0.2), "to": "client"}
    in_path = r.random() < 0.45
    forge = [{**fields, "flags": "PA", "payload": base64.b64encode(record).decode()}]
    if in_path or r.random() < 0.2:
        forge.append({**fields, "flags": "FA", "seq": len(record),
                      "delay_ms": round(fields["delay_ms"] + 0.3, 2)})
    return {"act": "tls", "trigger": "sni",
            "device": {"swallow": "flow" if in_path else "nothing", "finish": in_path,
                       "forge": forge}}


def drop(r, _net, _vantage):
    """Nothing is forged: packets are swallowed."""
    habit = r.choice(("hello", "hello", "down", "up", "syn", "dns"))
    if habit == "dns":
        return {"act": "dns-plain", "trigger": "dns", "device": {"swallow": "request",
                                                                 "answers": []}}
    act, trigger = web(r, 0.3)
    swallow = {"hello": "flow", "down": "down", "up": "up", "syn": "flow"}[habit]
    return {"act": act, "trigger": "syn" if habit == "syn" else trigger,
            "device": {"swallow": swallow, "forge": []}}


def throttle(r, _net, _vantage):
    """What comes from the server is held to a rate, by dropping what is above it."""
    act, trigger = r.choice((("big", "http"), ("big-tls", "sni")))
    return {"act": act, "trigger": trigger,
            "device": {"swallow": "nothing", "forge": [],
                       "rate_bytes": r.randrange(12_000, 40_000), "burst_bytes": r.choice(
                           (4_000, 8_000, 15_000))}}


def forgotten(r, _net):
    """A gateway of the user's network that forgot a connection over which nothing passed for long,
    and refuses what comes of it next as any host refuses what it does not know (RFC 9293 section
    3.5.2)."""
    fields = {"to": "client", "flags": "R", "ttl": r.choice((64, 64, 128, 255)), "df": r.random() < 0.5,
              "ipid": r.choice(("random", 0)), "window": 0, "delay_ms": round(r.uniform(0.1, 1.5), 2)}
    return {"trigger": "second", "device": {"swallow": "flow", "forge": [fields]}}


def back_end(trigger):
    """A balancer in front of a site that resets where the machine behind it has died. It is as far
    as the site is, or a hop nearer, and has a stack of its own."""
    def standing(r, net):
        ttl = r.choice((64, 128, 255)) - net["far"]["hops"] - r.choice((1, 2))
        fields = {"to": "client", "flags": r.choice(("R", "RA")), "ttl": ttl,
                  "df": r.random() < 0.5, "ipid": r.choice(("random", 0)),
                  "window": r.choice((0, 0, 8192)),
                  "delay_ms": round(2 * net["far"]["delay_ms"] + r.uniform(0.2, 4), 2)}
        return {"trigger": trigger, "device": {"swallow": "flow", "forge": [fields]}}
    return standing


def dead_origin(trigger):
    """A machine that answers SYNs in place of a server that died: it connects, and all is silent."""
    def standing(_r, _net):
        return {"trigger": trigger, "device": {"swallow": "flow", "forge": []}}
    return standing


# Machines that stand in the way of innocent flows, by the visitor's act.
STANDING = {"forgotten": forgotten, "back-end": back_end("http"), "back-end-tls": back_end("sni"),
            "dead-origin": dead_origin("http"), "dead-origin-tls": dead_origin("sni")}
DEVICES = {"reset": reset, "response": response, "dns": dns, "handshake": handshake, "tls": tls,
           "drop": drop, "throttle": throttle}
