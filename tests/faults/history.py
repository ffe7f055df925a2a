"""All that happened in a run, in its order: as a digest always, as text where it is asked for."""

from __future__ import annotations

import hashlib
from typing import Any

import structlog

from tests.faults.loop import VirtualLoop

BUGS = ("event_failed", "overrun")
"""What the daemon logs where it has failed itself."""


class History:
    def __init__(self, loop: VirtualLoop, *, keep: bool) -> None:
        self.lines: list[str] = []
        self.bugs: list[str] = []
        self._loop, self._keep = loop, keep
        self._digest = hashlib.blake2b(digest_size=16)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def note(self, what: str, more: object, data: bytes, whole: object = None) -> None:
        """``whole`` stands in the text in place of ``data``."""
        head = f"{self._loop.time():.6f} {what} {more} "
        self._digest.update(head.encode() + data + b"\n")
        if self._keep:
            text = data.decode("utf-8", "backslashreplace") if whole is None else repr(whole)
            self.lines.append(head + text)

    def log(self, logger: Any, name: str, entry: Any) -> Any:
        """In structlog's place: nothing of a run is printed."""
        if self._keep:
            self.lines.append(f"{self._loop.time():.6f} log {name} {sorted(entry.items())}")
        if entry.get("event") in BUGS:
            self.bugs.append(repr(entry))
        raise structlog.DropEvent
