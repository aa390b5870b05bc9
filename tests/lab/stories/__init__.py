"""All stories, in the order of the index."""

from story import STORIES
from . import resets, pages, vantages

__all__ = ["STORIES", "pages", "resets", "vantages"]
