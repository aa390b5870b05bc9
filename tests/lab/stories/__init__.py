"""All stories, in the order of the index."""

from story import STORIES
from . import (resets, pages, handshakes, dns, drops, vantages, koryolink, innocent_servers,
               innocent_clients, innocent_paths, innocent_dns, innocent_silence, quic)

__all__ = ["STORIES", "dns", "drops", "handshakes", "innocent_clients", "innocent_dns",
           "innocent_paths", "innocent_servers", "innocent_silence", "koryolink", "pages", "quic",
           "resets", "vantages"]
