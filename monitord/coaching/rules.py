"""When a talk is due, which flags it walks through, and which calls a focus is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

from msgspec import Struct

from monitord.domain.words import FlagState, Polarity, ReviewPattern
from monitord.people.words import Cadence

WALK = (5, 10)
"""Flags that one talk walks through, both included ("walk through 5-10 of the flags", 000-33)."""

COMMITMENTS_MOST = 2
""" "One or two action items" (000-35): more than that is worked on by nobody."""

NEW_DAYS = 30
"""For whom just-in-time is meant: "new agents in their first 30 days" (000-49)."""

DAY_MS = 86_400_000
JUST_IN_TIME_MS = DAY_MS
""" "Discuss within 24 hours" (000-48)."""

FRIDAY = 4
DAYS = {Cadence.WEEKLY: 7, Cadence.BI_WEEKLY: 14, Cadence.MONTHLY: 28}


class Marked(Struct, frozen=True):
    """What the choice of flags looks at."""

    id: str
    made: int
    polarity: Polarity
    themes: tuple[str, ...] = ()
    state: FlagState = FlagState.OPEN


def is_new(hired: str | None, today: date) -> bool:
    """In their first 30 days; whoever has no date of hire is not."""
    return hired is not None and 0 <= (today - date.fromisoformat(hired)).days < NEW_DAYS


def usual(hired: str | None, today: date) -> ReviewPattern:
    """The pattern of an agent for whom nobody has chosen one."""
    return ReviewPattern.JUST_IN_TIME if is_new(hired, today) else ReviewPattern.WEEK


def due(
    pattern: ReviewPattern,
    cadence: Cadence,
    last: int | None,
    oldest_open: int | None,
    zone: tzinfo,
) -> int | None:
    """Until when to talk, ms UTC; None: there is nothing to talk about.

    Just-in-time: 24 hours after the oldest open flag was made. Else the end of a Friday: that of
    the week in which the cadence comes round since the last talk; where there was none yet, the
    first Friday after the oldest open flag, or as many weeks later as the cadence leaves out.
    """
    if pattern is ReviewPattern.JUST_IN_TIME:
        return None if oldest_open is None else oldest_open + JUST_IN_TIME_MS
    if last is not None:
        day = datetime.fromtimestamp(last / 1000, zone).date() + timedelta(days=DAYS[cadence])
        ahead = FRIDAY - day.weekday()
    elif oldest_open is not None:
        day = datetime.fromtimestamp(oldest_open / 1000, zone).date()
        ahead = (FRIDAY - day.weekday()) % 7 + DAYS[cadence] - 7
    else:
        return None
    saturday = day + timedelta(days=ahead + 1)
    return int(datetime.combine(saturday, time(), zone).timestamp()) * 1000


def chosen(pattern: ReviewPattern, flags: Iterable[Marked], theme: str | None) -> list[str]:
    """Ids of the flags that a talk is proposed to walk through, the oldest first: it follows the
    week as it went.

    Open ones, ten at most, the newest where there are more. ``theme``: those on the theme of the
    week come before others where the pattern is about it. Positive recognition takes good work
    alone.
    """
    some = [flag for flag in flags if flag.state is FlagState.OPEN]
    if pattern is ReviewPattern.GOOD:
        some = [flag for flag in some if flag.polarity is Polarity.GOOD]

    def first(flag: Marked) -> tuple[bool, int, str]:
        off_theme = pattern is ReviewPattern.THEME and theme not in flag.themes
        return off_theme, -flag.made, flag.id

    taken = sorted(some, key=first)[: WALK[1]]
    return [flag.id for flag in sorted(taken, key=lambda flag: (flag.made, flag.id))]


class Rule(Struct, frozen=True):
    """Which calls, or flags, a focus is about. Each that is given must match, whatever its case."""

    result: str | None = None
    """Result code of the call."""
    campaign: str | None = None
    list: str | None = None
    theme: str | None = None
    """Id of a flag's theme. It lights up no call; flags are compared by it where no label of a call
    is given, and it is proposed for new ones."""

    @property
    def labels(self) -> dict[str, str]:
        """Those of a call."""
        given = {"result": self.result, "campaign": self.campaign, "list": self.list}
        return {name: value for name, value in given.items() if value is not None}

    def __bool__(self) -> bool:
        return bool(self.labels) or self.theme is not None
