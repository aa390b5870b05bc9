"""All stories, in the order of the index."""

from story import STORIES
from . import (resets, pages, vantages, koryolink, innocent_servers, innocent_clients,
               innocent_paths)

__all__ = ["STORIES", "innocent_clients", "innocent_paths", "innocent_servers", "koryolink",
           "pages", "resets", "vantages"]
