"""What came from the telephone network must not steer a terminal.

A caller's name can hold anything: escape sequences that rewrite the screen, a C1 byte that begins
one, marks that turn the direction of writing. All that is not printable is shown as its number.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

TEXT_MOST = 60
"""Characters of one value on a terminal; JSON lines are never cut."""

# str.isprintable is Unicode's own list: no control, format, surrogate, private or unassigned
# character, and no separator but the space.
_PLAIN = re.compile(r"[\x20-\x7e]*")


def safe(text: str, most: int = TEXT_MOST) -> str:
    """For a terminal: printable, on one line, and not endless."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    if _PLAIN.fullmatch(text):
        return text
    return "".join(c if c.isprintable() else _shown(c) for c in text)


def _shown(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def json_line(body: Any) -> str:
    """JSON in which every character that is not printable is written as JSON's own escape. Such a
    character can only stand inside a string."""
    text = msgspec.json.encode(body).decode()
    if _PLAIN.fullmatch(text):
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
