"""What the balance of flags counts and suggests, against a plain recount."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.domain.words import FlagAdvice, FlagState, Polarity
from monitord.flags.balance import (
    Counted,
    Handled,
    Tally,
    agent_advice,
    balances,
    band_advice,
    good_missing,
    share_advice,
    week_bounds,
)

WEEKS = 4
flag = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["sue", "tom"]),
    st.integers(0, WEEKS - 1),
    st.sampled_from(list(Polarity)),
    st.sampled_from(list(FlagState)),
)
flags = st.lists(flag, max_size=120)
calls = st.lists(st.tuples(st.sampled_from(["ann", "cat"]), st.integers(0, WEEKS - 1)), max_size=60)
counted = st.builds(Counted, *[st.integers(0, 25)] * 3)
weeks = st.lists(counted, min_size=1, max_size=6)


@given(flags, calls)
def test_each_flag_and_each_call_counts_once(
    made: list[tuple[str, str, int, Polarity, FlagState]], answered: list[tuple[str, int]]
) -> None:
    found = balances(
        [Tally(*alike, n) for alike, n in Counter(made).items()],
        [Handled(*alike, n) for alike, n in Counter(answered).items()],
        WEEKS,
    )
    counting = [f for f in made if f[4] is not FlagState.TAKEN_OFF]
    for whose, place in ((found.agents, 0), (found.authors, 1)):
        for who in ("ann", "bob", "cat", "sue", "tom"):
            for n in range(WEEKS):
                mine = [f for f in counting if f[place] == who and f[2] == n]
                good = sum(f[3] == "good" for f in mine)
                handled = answered.count((who, n)) if place == 0 else 0
                expected = Counted(good, len(mine) - good, handled)
                is_ = whose[who].weeks[n] if who in whose else Counted()
                assert is_ == expected
    for n, week in enumerate(found.weeks):
        assert week.flags == sum(f[2] == n for f in counting)
        assert week.calls == sum(c[1] == n for c in answered)


@given(weeks)
def test_few_flags_accuse_nobody(some: list[Counted]) -> None:
    """Below five flags in all weeks nothing is said of shares or of calls, whatever they are."""
    said = set(agent_advice(some)) - {FlagAdvice.BELOW, FlagAdvice.WITHIN, FlagAdvice.ABOVE}
    if sum(w.flags for w in some) < 5:
        assert said == set()
    if sum(w.calls for w in some) < 10:
        assert FlagAdvice.MOST_CALLS not in said
    good, all_ = sum(w.good for w in some), sum(w.flags for w in some)
    if said & {FlagAdvice.SHARE}:
        assert all_ >= 5 and good * 10 < all_ * 7
    if all_ >= 5 and good * 10 >= all_ * 7:
        assert FlagAdvice.SHARE not in said
    assert not said >= {FlagAdvice.SHARE, FlagAdvice.PROBLEMS}, "the same is not said twice"


@given(weeks)
def test_one_word_on_the_band_at_most(some: list[Counted]) -> None:
    band = {FlagAdvice.BELOW, FlagAdvice.WITHIN, FlagAdvice.ABOVE}
    assert len(band.intersection(agent_advice(some))) <= 1
    above = any(w.flags > 15 for w in some[-2:])
    assert (band_advice(some) is FlagAdvice.ABOVE) == above


@given(st.integers(0, 200), st.integers(0, 200))
def test_as_many_more_as_are_missing_and_no_fewer(good: int, bad: int) -> None:
    missing = good_missing(Counted(good, bad))

    def reached(more: int) -> bool:
        return (good + more) * 10 >= (good + bad + more) * 7

    assert reached(missing) and (missing == 0 or not reached(missing - 1))


def week(good: int = 0, bad: int = 0, calls: int = 100) -> Counted:
    return Counted(good, bad, calls)


@pytest.mark.parametrize(
    ("some", "says"),
    [
        ([week(0, 0), week(0, 0)], FlagAdvice.BELOW),
        ([week(4, 0), week(4, 0)], FlagAdvice.BELOW),
        ([week(0, 0, calls=4), week(0, 0)], None),
        ([week(0, 0)], None),
        ([week(5, 0), week(0, 0)], FlagAdvice.WITHIN),
        ([week(0, 0), week(4, 1)], FlagAdvice.WITHIN),
        ([week(10, 5), week(0, 0)], FlagAdvice.WITHIN),
        ([week(5, 5), week(10, 6)], FlagAdvice.ABOVE),
        ([week(16, 0), week(5, 0), week(5, 0)], FlagAdvice.WITHIN),
    ],
)
def test_the_band(some: list[Counted], says: FlagAdvice | None) -> None:
    assert band_advice(some) == says


@pytest.mark.parametrize(
    ("some", "says"),
    [
        ([week(0, 4)], ()),
        ([week(0, 5)], (FlagAdvice.PROBLEMS,)),
        ([week(30, 0), week(0, 3), week(0, 2)], (FlagAdvice.PROBLEMS,)),  # a drift
        ([week(30, 0), week(0, 2), week(0, 2)], ()),
        ([week(1, 4)], (FlagAdvice.SHARE,)),
        ([week(7, 3)], ()),
        ([week(69, 31)], (FlagAdvice.SHARE,)),
    ],
)
def test_the_share(some: list[Counted], says: tuple[FlagAdvice, ...]) -> None:
    assert share_advice(some) == says


def test_most_calls() -> None:
    assert FlagAdvice.MOST_CALLS in agent_advice([week(6, 0, calls=11)])
    assert FlagAdvice.MOST_CALLS not in agent_advice([week(6, 0, calls=12)])
    assert FlagAdvice.MOST_CALLS not in agent_advice([week(6, 0, calls=9)])


@given(
    st.integers(946_684_800_000, 4_102_444_800_000),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata"]),
    st.integers(1, 26),
)
def test_weeks_begin_on_monday_there(at: int, name: str, n: int) -> None:
    zone = ZoneInfo(name)
    bounds = week_bounds(at, zone, n)
    assert len(bounds) == n + 1 and bounds[-2] <= at < bounds[-1]
    days = [datetime.fromtimestamp(b / 1000, zone) for b in bounds]
    # where midnight itself is left out, the day begins an hour later
    assert all(day.weekday() == 0 and day.hour <= 1 for day in days)
    for one, following in pairwise(days):
        assert following.date() - one.date() == timedelta(weeks=1)
