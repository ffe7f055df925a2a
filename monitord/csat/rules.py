"""What a score may be. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

LOWEST, HIGHEST = 0, 1000
"""Between these a site's scale lies."""

NAME_MOST = 150
REFERENCE_MOST = 100

AHEAD_MS = 5 * 60_000
"""By which another machine's clock may be ahead."""

_NUMBER = re.compile(r"([0-9]{1,4})(?:[.,]([0-9]{1,2}))?", re.ASCII)


class Scale(Struct, frozen=True):
    """Whole numbers, both included; the higher, the more satisfied."""

    low: int = 1
    high: int = 5

    def fault(self) -> str:
        """Why it can be none; empty where it can."""
        if not (LOWEST <= self.low <= HIGHEST and LOWEST <= self.high <= HIGHEST):
            return f"must be from {LOWEST} to {HIGHEST}"
        return "" if self.low < self.high else "must be greater than the lowest"


class ScoreError(ValueError):
    """What a score breaks."""


def score_of(text: str, scale: Scale) -> int:
    """In hundredths; a comma divides as well, as many spreadsheets write it.

    Raises:
        ScoreError: it is none, or not on the scale.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ScoreError("must be a number with at most two decimals, such as 4 or 4.5")
    value = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if not scale.low * 100 <= value <= scale.high * 100:
        raise ScoreError(f"must be from {scale.low} to {scale.high}")
    return value


def time_fault(at: int, now: int) -> str:
    """Why nobody can have given a score then; empty where it can be."""
    return "must not lie in the future" if at > now + AHEAD_MS else ""
