"""How balanced flags are: how many a week, how many of them on good work, and what that suggests.
Pure.

It is advice to whoever makes flags, so nothing is said of numbers that are too small to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta, tzinfo
from fractions import Fraction
from math import ceil

from msgspec import Struct

from monitord.domain.words import FlagAdvice, FlagState, Polarity

TARGET_SHARE = Fraction(7, 10)
"""Of the flags, on good work ("a 70% positive flag rate", row 000-24)."""

BAND = (5, 15)
"""Flags on one agent in one week, both included ("aim for ~5-15", row 000-29)."""

JUDGED_FROM = 5
"""Flags below which neither a share nor a lack of praise is judged: one flag alone would be 0 % or
100 %, and says nothing of anybody's habit."""

CALLS_FROM = 10
MOST_OF_CALLS = Fraction(1, 2)
"""Flags by calls handled, from which on "you flag every conversation" (row 000-56); with fewer
calls than ``CALLS_FROM`` it is not judged."""

WEEKS, WEEKS_MOST = 8, 26


class Tally(Struct, frozen=True):
    """Flags that are alike in this."""

    agent: str
    by: str
    week: int
    """Its place among the weeks, the oldest 0."""
    polarity: Polarity
    state: FlagState
    flags: int


class Handled(Struct, frozen=True):
    """Calls that an agent answered."""

    agent: str
    week: int
    calls: int


class Counted(Struct, frozen=True):
    good: int = 0
    bad: int = 0
    calls: int = 0
    """Handled; 0 of who makes flags."""

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.good + other.good, self.bad + other.bad, self.calls + other.calls)

    @property
    def flags(self) -> int:
        return self.good + self.bad


NONE = Counted()


class Balance(Struct, frozen=True):
    """Of one agent, or of one who makes flags."""

    weeks: tuple[Counted, ...]
    """The oldest first; the last one still runs."""
    advice: tuple[FlagAdvice, ...]

    @property
    def total(self) -> Counted:
        return sum(self.weeks, NONE)


class Balances(Struct, frozen=True):
    agents: dict[str, Balance]
    """Those with a flag or a call."""
    authors: dict[str, Balance]
    weeks: tuple[Counted, ...]


def week_bounds(now: int, zone: tzinfo, weeks: int) -> list[int]:
    """When each week began, the oldest first, and when the running one ends; ms UTC. A week begins
    on Monday at midnight there, so one in which the clocks change is an hour shorter or longer."""
    today = datetime.fromtimestamp(now / 1000, zone).date()
    monday = today - timedelta(days=today.weekday())
    days = [monday + timedelta(weeks=n) for n in range(1 - weeks, 2)]
    return [int(datetime.combine(day, time(), zone).timestamp()) * 1000 for day in days]


def balances(tallies: Iterable[Tally], handled: Iterable[Handled], weeks: int) -> Balances:
    """What was taken off does not count: it should not have been a flag."""
    agents: dict[str, list[Counted]] = {}
    authors: dict[str, list[Counted]] = {}
    every = [NONE] * weeks

    def add(found: dict[str, list[Counted]], who: str, week: int, more: Counted) -> None:
        found.setdefault(who, [NONE] * weeks)[week] += more

    for tally in tallies:
        if tally.state is FlagState.TAKEN_OFF:
            continue
        good = tally.polarity is Polarity.GOOD
        more = Counted(good=tally.flags) if good else Counted(bad=tally.flags)
        add(agents, tally.agent, tally.week, more)
        add(authors, tally.by, tally.week, more)
        every[tally.week] += more
    for one in handled:
        add(agents, one.agent, one.week, Counted(calls=one.calls))
        every[one.week] += Counted(calls=one.calls)
    return Balances(
        agents={who: Balance(tuple(some), agent_advice(some)) for who, some in agents.items()},
        authors={who: Balance(tuple(some), share_advice(some)) for who, some in authors.items()},
        weeks=tuple(every),
    )


def agent_advice(weeks: Sequence[Counted]) -> tuple[FlagAdvice, ...]:
    """On the flags on one agent: at most one word on the band, then on the share and the calls."""
    band = band_advice(weeks)
    found = [*([] if band is None else [band]), *share_advice(weeks)]
    total = sum(weeks, NONE)
    enough = total.flags >= JUDGED_FROM and total.calls >= CALLS_FROM
    if enough and total.flags > MOST_OF_CALLS * total.calls:
        found.append(FlagAdvice.MOST_CALLS)
    return tuple(found)


def band_advice(weeks: Sequence[Counted]) -> FlagAdvice | None:
    """Rows 000-29 and 000-30.

    Above: the running week or the one before it has more than 15, since both can be what the next
    one-to-one is about. Within: one of them lies in the band. Below: neither does, and the week
    before had at least as many calls as the band asks flags for; the running week alone is never
    too little, as on its Monday it would always be. None: too few calls to say.
    """
    low, high = BAND
    latest = weeks[-2:]
    if any(week.flags > high for week in latest):
        return FlagAdvice.ABOVE
    if any(week.flags >= low for week in latest):
        return FlagAdvice.WITHIN
    return FlagAdvice.BELOW if len(latest) == 2 and latest[0].calls >= low else None


def share_advice(weeks: Sequence[Counted]) -> tuple[FlagAdvice, ...]:
    """Rows 000-24 and 000-57, of an agent's flags or of those that somebody makes.

    Problem only: the latest weeks that together hold at least five flags have none on good work,
    so a drift shows although it was better some weeks ago. Share below target: of at least five
    flags in all weeks together, fewer than 70 % are on good work. Only the first is said where
    both are so.
    """
    latest = NONE
    for week in reversed(weeks):
        latest += week
        if latest.flags >= JUDGED_FROM:
            break
    if latest.flags < JUDGED_FROM:
        return ()
    if latest.good == 0:
        return (FlagAdvice.PROBLEMS,)
    total = sum(weeks, NONE)
    return (FlagAdvice.SHARE,) if total.good < TARGET_SHARE * total.flags else ()


def good_missing(counted: Counted) -> int:
    """How many more flags on good work would bring the share to its target."""
    return max(0, ceil((TARGET_SHARE * counted.flags - counted.good) / (1 - TARGET_SHARE)))
