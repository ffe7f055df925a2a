"""Which key of an input is to blame and which rule it broke, from msgspec's message.

Settings files and HTTP bodies are both checked by msgspec; it names a key only where a value is
wrong, not where a key is missing or unknown.
"""

from __future__ import annotations

import re

_AT = re.compile(r"^(?P<rule>.*?)(?: - at (?:`key` in )?`\$\.?(?P<key>[^`]*)`)?$", re.DOTALL)
_KEYS = (
    (re.compile(r"Object contains unknown field `(?P<field>[^`]+)`"), "there is no such key"),
    (re.compile(r"Object missing required field `(?P<field>[^`]+)`"), "is missing"),
)


def blame(text: str) -> tuple[str, str]:
    """The key (empty: the input as a whole) and the rule."""
    match = _AT.match(text)
    key, rule = (match["key"] or "", match["rule"]) if match else ("", text)
    for pattern, words in _KEYS:
        found = pattern.search(rule)
        if found:
            return (f"{key}.{found['field']}" if key else found["field"]), words
    return key, rule
