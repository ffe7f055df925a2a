"""Flags made only when the customer's score was there already: how many, and what that suggests.
Pure.

A flag before the score says what somebody heard. One after it may say what the score made them look
for: whoever flags only then learns of a call from its number. It is advice, never a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from msgspec import Struct

SCORED_FROM = 5
"""Flags on calls with a score, from which on it is judged."""

NEARLY_ALL = Fraction(9, 10)


class Timed(Struct, frozen=True):
    """Flags on calls that have a score, alike in this."""

    agent: str
    by: str
    week: int
    scored: int
    after: int
    """Of these, made when the score had come."""


class Timing(Struct, frozen=True):
    scored: int = 0
    after: int = 0

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.scored + other.scored, self.after + other.after)


NONE = Timing()


class Timings(Struct, frozen=True):
    """By week, the oldest first."""

    agents: dict[str, tuple[Timing, ...]]
    authors: dict[str, tuple[Timing, ...]]
    weeks: tuple[Timing, ...]


def timings(rows: Iterable[Timed], weeks: int) -> Timings:
    agents: dict[str, list[Timing]] = {}
    authors: dict[str, list[Timing]] = {}
    every = [NONE] * weeks
    for row in rows:
        more = Timing(row.scored, row.after)
        agents.setdefault(row.agent, [NONE] * weeks)[row.week] += more
        authors.setdefault(row.by, [NONE] * weeks)[row.week] += more
        every[row.week] += more
    return Timings(
        {who: tuple(some) for who, some in agents.items()},
        {who: tuple(some) for who, some in authors.items()},
        tuple(every),
    )


def mostly_after(timing: Timing) -> bool:
    """Whether (nearly) all of them were made after the score."""
    return timing.scored >= SCORED_FROM and timing.after >= NEARLY_ALL * timing.scored
