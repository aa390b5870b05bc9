"""All stories, in the order of the index."""

from story import STORIES
from . import (resets, pages, handshakes, vantages, koryolink, innocent_servers,
               innocent_clients, innocent_paths, quic)

__all__ = ["STORIES", "handshakes", "innocent_clients", "innocent_paths", "innocent_servers",
           "koryolink", "pages", "quic", "resets", "vantages"]
