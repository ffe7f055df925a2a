"""How Asterisk reads an action: lines, headers and their limits (manager.c, get_input)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_LINE = 1024  # with its line end
MAX_HEADERS = 128

TOO_LONG = "Failed to parse message: line too long"
TOO_MANY = "Too many lines in message or allocation failure"


@dataclass(slots=True)
class Request:
    """One action as it came; `error` says why it cannot be run."""

    lines: list[str] = field(default_factory=list)
    error: str = ""

    def get(self, name: str) -> str:
        """The first header of that name, in any case; empty if there is none."""
        wanted = name.lower() + ":"
        for line in self.lines:
            if line.lower().startswith(wanted):
                return line[len(wanted) :].lstrip(" \t")
        return ""

    @property
    def action(self) -> str:
        for line in self.lines:
            if line.lower().startswith("action:") and line[7:].strip():
                return line[7:].strip()
        return ""


class Framer:
    """Bytes in, requests out. A bare LF ends a line too, and a NUL cuts it short."""

    def __init__(self) -> None:
        self._buffer = b""
        self._request = Request()
        self._too_many = False
        self._too_long = False

    def feed(self, data: bytes) -> Iterator[Request]:
        self._buffer += data
        while True:
            end = self._buffer.find(b"\n", 0, MAX_LINE)
            if end < 0:
                if len(self._buffer) < MAX_LINE:
                    return
                # The last byte stays, as it may be the CR of a line end.
                self._buffer = self._buffer[MAX_LINE - 1 :]
                self._too_long = True
                continue
            line = self._buffer[:end].removesuffix(b"\r")
            self._buffer = self._buffer[end + 1 :]
            request = self._line(line.split(b"\0", 1)[0])
            if request is not None:
                yield request

    def _line(self, line: bytes) -> Request | None:
        if line:
            if len(self._request.lines) < MAX_HEADERS:
                self._request.lines.append(line.decode("utf-8", "surrogateescape"))
            else:
                self._too_many = True
            return None
        request = self._request
        if self._too_many:
            request.error = TOO_MANY
        elif self._too_long:
            request.error = TOO_LONG
        self._request = Request()
        self._too_many = self._too_long = False
        return request
