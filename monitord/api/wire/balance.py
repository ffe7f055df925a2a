"""The balance of flags: how many a week, and how many of them on good work."""

from __future__ import annotations

from msgspec import Struct

from monitord.api.wire.never import PersonNamed
from monitord.domain.words import FlagAdvice


class FlagCount(Struct, frozen=True):
    """Without those that were taken off."""

    good: int
    bad: int
    calls: int | None
    """Calls that the agents answered; null of who makes flags."""


class FlagsOn(Struct, frozen=True):
    """Flags on one agent, or made by one person on the agents that are here."""

    who: PersonNamed
    left: bool
    """No longer there, or not in the roster; the name is that of the flag."""
    weeks: list[FlagCount]
    """As many as the balance has."""
    total: FlagCount
    advice: list[FlagAdvice]
    good_missing: int
    """How many more on good work would bring the share to the target."""


class FlagBalance(Struct, frozen=True):
    at: int
    weeks: list[int]
    """When each began, the oldest first; Monday in the zone that was asked for. The last one still
    runs."""
    target: float
    """Share of flags on good work."""
    low: int
    high: int
    """Flags on one agent in one week, both included."""
    judged_from: int
    """Flags below which no share is judged."""
    agents: list[FlagsOn]
    """By name. All numbers are of these agents."""
    more: int
    """Agents that there is no room for; those without a flag are left out first."""
    authors: list[FlagsOn]
    """By name."""
    total: list[FlagCount]
    """Of each week."""
    leaders: list[PersonNamed]
    """Whom agents that the asker reaches report to, by name."""
