"""When a talk is due, and which flags it walks through."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitord.coaching.rules import DAY_MS, WALK, Marked, Rule, chosen, due, is_new, usual
from monitord.domain.words import FlagState, Polarity, ReviewPattern
from monitord.people.words import Cadence

BERLIN = ZoneInfo("Europe/Berlin")
FLAGS = st.lists(
    st.builds(
        Marked,
        id=st.text("0123456789abcdef", min_size=4, max_size=4),
        made=st.integers(0, 50),
        polarity=st.sampled_from(Polarity),
        themes=st.sampled_from([(), ("tone",), ("tone", "procedure"), ("procedure",)]),
        state=st.sampled_from(FlagState),
    ),
    max_size=30,
    unique_by=lambda flag: flag.id,
)


def ms(text: str, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def test_the_first_30_days() -> None:
    today = date(2026, 11, 20)
    assert usual("2026-11-20", today) is ReviewPattern.JUST_IN_TIME
    assert usual("2026-10-22", today) is ReviewPattern.JUST_IN_TIME, "their 30th day"
    assert usual("2026-10-21", today) is ReviewPattern.WEEK
    assert usual(None, today) is ReviewPattern.WEEK
    assert not is_new("2026-11-21", today), "who comes tomorrow is not there yet"


def test_just_in_time_is_within_24_hours_of_the_oldest_open_flag() -> None:
    for last in (None, 5):
        at = due(ReviewPattern.JUST_IN_TIME, Cadence.MONTHLY, last, 1_000, UTC)
        assert at == 1_000 + DAY_MS
    assert due(ReviewPattern.JUST_IN_TIME, Cadence.WEEKLY, 5, None, UTC) is None


def test_a_week_ends_on_friday() -> None:
    # Wednesday; Friday is over at midnight to Saturday
    flagged, friday = ms("2026-11-18T10:00"), ms("2026-11-21T00:00")
    assert due(ReviewPattern.WEEK, Cadence.WEEKLY, None, flagged, BERLIN) == friday
    assert due(ReviewPattern.WEEK, Cadence.WEEKLY, None, None, BERLIN) is None
    for day in ("2026-11-14T00:00", "2026-11-15T12:00", "2026-11-20T23:59"):
        assert due(ReviewPattern.WEEK, Cadence.WEEKLY, None, ms(day), BERLIN) == friday, day
    monthly = due(ReviewPattern.WEEK, Cadence.MONTHLY, None, flagged, BERLIN)
    assert monthly == ms("2026-12-12T00:00")
    talked = ms("2026-11-13T15:00")
    assert due(ReviewPattern.WEEK, Cadence.WEEKLY, talked, flagged, BERLIN) == friday
    assert due(ReviewPattern.WEEK, Cadence.BI_WEEKLY, talked, None, BERLIN) == ms(
        "2026-11-28T00:00"
    )
    assert due(ReviewPattern.WEEK, Cadence.MONTHLY, talked, None, BERLIN) == ms("2026-12-12T00:00")
    # over the change of the clocks the Friday is still a Friday's end
    before = ms("2026-10-23T15:00")
    assert due(ReviewPattern.THEME, Cadence.WEEKLY, before, None, BERLIN) == ms("2026-10-31T00:00")
    # who talks on a Saturday has talked for the week before
    assert due(ReviewPattern.WEEK, Cadence.WEEKLY, ms("2026-11-14T09:00"), None, BERLIN) == friday


@given(FLAGS, st.sampled_from(ReviewPattern), st.sampled_from([None, "tone"]))
def test_what_is_walked_through(
    flags: list[Marked], pattern: ReviewPattern, theme: str | None
) -> None:
    by_id = {flag.id: flag for flag in flags}
    ids = chosen(pattern, flags, theme)
    taken = [by_id[flag] for flag in ids]
    some = [f for f in flags if f.state is FlagState.OPEN]
    if pattern is ReviewPattern.GOOD:
        some = [f for f in some if f.polarity is Polarity.GOOD]
    assert len(set(ids)) == len(ids) == min(WALK[1], len(some))
    assert all(flag in some for flag in taken)
    assert [f.made for f in taken] == sorted(f.made for f in taken), "as the week went"
    left = [f for f in some if f not in taken]
    if pattern is ReviewPattern.THEME:
        on = [f for f in left if theme in f.themes]
        assert not on or all(theme in f.themes for f in taken), "the theme of the week comes first"
    elif left:
        assert max(f.made for f in left) <= min(f.made for f in taken), "the newest ones"


def test_a_rule_says_something() -> None:
    assert not Rule()
    assert Rule(theme="tone") and Rule(theme="tone").labels == {}
    assert Rule(result="REFUND", campaign="x").labels == {"result": "REFUND", "campaign": "x"}
