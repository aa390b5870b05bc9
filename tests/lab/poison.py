"""Forged DNS answers: what the middlebox does with queries.

The scenario's `dns` object:

  names     names (lower-case) that set it off
  types     record types that it answers, as ["A"]; others pass
  port      of the resolver; default 53
  swallow   true: the query does not reach the resolver
  forge     a list of answers, each of
    records   [["A", "192.0.2.113"], ...], with a time to live as third element (default 60)
    rcode     default "NOERROR"
    flags     letters of "aa", "ra", as ["ra"] (the default)
    edns      true: EDNS is answered where it was asked for; default false
    ttl       initial TTL, or "copy" (that of the resolver's answers at this place); default 64
    ipid      a number, "random" (default), or "query" (copied)
    df        default false
    delay_ms  after the query (default 0.5)
"""

import random

import dnswire
from datagrams import Datagram

FLAGS = {"aa": dnswire.AA, "ra": dnswire.RA}


class Poisoner:
    """Decides about queries and makes answers; `seed` fixes its random IP-IDs."""

    def __init__(self, rules, seed):
        self.rules = rules
        self.random = random.Random(seed)
        self.ttls = {}  # by resolver: the TTL of its answers at this place

    @property
    def port(self):
        """The resolver's port."""
        return self.rules.get("port", 53)

    def saw_answer(self, datagram):
        """Remember what a resolver looks like."""
        self.ttls[datagram.src] = datagram.ttl

    def judge(self, datagram):
        """The query, where it sets the device off."""
        if datagram.dport != self.port:
            return None
        query = dnswire.parse(datagram.payload)
        named = query and query.name in self.rules.get("names", [])
        return query if named and query.kind in self.rules.get("types", ["A"]) else None

    def answers(self, query, trigger):
        """(delay in seconds, datagram) for each forged answer."""
        for spec in self.rules.get("forge", []):
            flags = sum(FLAGS[name] for name in spec.get("flags", ["ra"]))
            payload = dnswire.answer(query, spec.get("records", []), spec.get("rcode", "NOERROR"),
                                     flags, query.edns and spec.get("edns", False))
            yield spec.get("delay_ms", 0.5) / 1000, Datagram(
                trigger.dst, trigger.src, trigger.dport, trigger.sport, payload,
                ttl=self.ttl(spec, trigger), ipid=self.ipid(spec, trigger),
                df=spec.get("df", False))

    def ttl(self, spec, trigger):
        """The TTL with which the answer leaves."""
        ttl = spec.get("ttl", 64)
        return self.ttls.get(trigger.dst, 64) if ttl == "copy" else ttl

    def ipid(self, spec, trigger):
        """The IPv4 identification."""
        how = spec.get("ipid", "random") if trigger.version == 4 else 0
        if how == "random":
            return self.random.randrange(1, 65536)
        return trigger.ipid if how == "query" else how


def describe(datagram):
    """The fields of a datagram for the log."""
    return {"src": datagram.src, "sport": datagram.sport, "dst": datagram.dst,
            "dport": datagram.dport, "ttl": datagram.ttl, "ipid": datagram.ipid,
            "bytes": len(datagram.payload), "payload": datagram.payload.hex()}
