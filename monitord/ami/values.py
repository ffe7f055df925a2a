"""What the values of AMI's headers mean. PURE."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

MEMBER_STATUS = {
    "0": "UNKNOWN",
    "1": "NOT_INUSE",
    "2": "INUSE",
    "3": "BUSY",
    "4": "INVALID",
    "5": "UNAVAILABLE",
    "6": "RINGING",
    "7": "RINGINUSE",
    "8": "ONHOLD",
}
"""Status of a queue's member to the name of the device's state."""

Pairs = tuple[tuple[str, str], ...]


def unescape(value: str) -> str:
    """Undo ast_escape_c, which Asterisk applies to names and ChanVariable values."""
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda m: _CONTROL.get(m[1], m[1]), value)


def number(value: str | None) -> str:
    """Asterisk writes ``<unknown>`` for an empty one."""
    return "" if value in (None, "<unknown>", "(null)") else value.strip()


def whole(value: str | None) -> int:
    """0 for what is no number, or an absurd one. ``isdigit`` alone also takes ``²``, which
    ``int`` does not."""
    sane = value is not None and value.isascii() and value.isdigit() and len(value) < 10
    return int(value or 0) if sane else 0


def variables(values: str, empty: bool) -> Pairs:
    """Name and value of each ChanVariable; ``values`` are joined by CRLF. ``empty``: those without
    a value as well."""
    pairs = (line.partition("=") for line in values.split("\r\n"))
    return tuple((k, unescape(v)) for k, _, v in pairs if v or empty)
