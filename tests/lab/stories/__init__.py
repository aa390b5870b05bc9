"""All stories, in the order of the index."""

from story import STORIES
from . import (resets, pages, handshakes, dns, vantages, koryolink, innocent_servers,
               innocent_clients, innocent_paths, innocent_dns, quic)

__all__ = ["STORIES", "dns", "handshakes", "innocent_clients", "innocent_dns", "innocent_paths",
           "innocent_servers", "koryolink", "pages", "quic", "resets", "vantages"]
