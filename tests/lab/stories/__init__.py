"""All stories, in the order of the index."""

from story import STORIES
from . import (resets, pages, handshakes, dns, drops, rates, vantages, koryolink, innocent_servers,
               innocent_clients, innocent_paths, innocent_dns, innocent_silence,
               innocent_rates, quic)

__all__ = ["STORIES", "dns", "drops", "handshakes", "innocent_clients", "innocent_dns",
           "innocent_paths", "innocent_rates", "innocent_servers", "innocent_silence", "koryolink",
           "pages", "quic",
           "rates", "resets", "vantages"]
