"""Why the daemon cannot start."""

from __future__ import annotations


class StartError(Exception):
    """The daemon cannot start. The text says what to do."""
