"""The balance of flags by the API, on a simulated call centre with flags and calls of weeks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.kit.flagged import Past
from tests.kit.ledger import read_audit
from tests.kit.stores import Store
from tests.kit.teams import name_of
from tests.test_flags import Here, site

ALPHA = {f"alpha-{n}" for n in range(1, 7)}
BETA = {f"beta-{n}" for n in range(1, 7)}


@pytest.fixture
async def here(tmp_path: Path, store: Store) -> AsyncIterator[Here]:
    async with site(tmp_path, store) as made:
        yield made


@pytest.fixture
async def past(here: Here) -> AsyncIterator[Past]:
    yield Past(here.made.store)


async def balance(here: Here, login: str, **given: str) -> Any:
    return await here.clients[login].get("/api/v1/flags/balance", **given)


def named(some: list[Any]) -> dict[str, Any]:
    return {one["who"]["id"]: one for one in some}


def pairs(one: Any) -> list[tuple[int, int]]:
    return [(week["good"], week["bad"]) for week in one["weeks"]]


@pytest.mark.row("000-22", "000-24")
async def test_the_share_on_good_work_against_70_percent(here: Here, past: Past) -> None:
    await past.flags("alpha-1", "sue", past.in_week(1), good=7, bad=3)
    await past.flags("alpha-2", "sue", past.in_week(2), good=2, bad=4)
    await past.flags("alpha-3", "sue", past.in_week(1), bad=4)
    await past.flags("alpha-4", "sue", past.in_week(1), bad=6, state="taken off")
    found = await balance(here, "sue")
    assert (found["target"], found["judged_from"]) == (0.7, 5)
    of = named(found["agents"])
    assert (of["alpha-1"]["total"]["good"], of["alpha-1"]["total"]["bad"]) == (7, 3)
    assert "share below target" not in of["alpha-1"]["advice"]
    assert of["alpha-2"]["advice"] == ["share below target"]
    # encouraged: how many more would say what goes well, too
    assert (of["alpha-1"]["good_missing"], of["alpha-2"]["good_missing"]) == (0, 8)
    assert of["alpha-3"]["advice"] == [], "four say nothing yet"
    assert pairs(of["alpha-4"]) == [(0, 0)] * 8, "they were taken off"
    for week, begin in zip(found["total"], found["weeks"], strict=True):
        ago = {past.in_week(n, 0): n for n in range(8)}[begin]
        assert (week["good"], week["bad"]) == {1: (7, 7), 2: (2, 4)}.get(ago, (0, 0))


@pytest.mark.row("000-29", "000-30")
async def test_five_to_fifteen_per_agent_and_week(here: Here, past: Past) -> None:
    for agent, flags in (("alpha-1", 4), ("alpha-2", 5), ("alpha-3", 15), ("alpha-4", 16)):
        await past.flags(agent, "sue", past.in_week(1), good=flags)
        await past.calls(agent, past.in_week(1), 60)
    await past.flags("alpha-5", "sue", past.in_week(2), good=16)
    await past.calls("alpha-5", past.in_week(1), 4)
    await past.flags("alpha-6", "sue", past.in_week(0, 0), good=16)
    found = await balance(here, "sue")
    assert (found["low"], found["high"]) == (5, 15)
    of = named(found["agents"])
    assert [pairs(of[f"alpha-{n}"])[-2][0] for n in range(1, 5)] == [4, 5, 15, 16]
    says = {agent: of[agent]["advice"] for agent in sorted(ALPHA)}
    assert says == {
        "alpha-1": ["below the band"],
        "alpha-2": ["within the band"],
        "alpha-3": ["within the band"],
        "alpha-4": ["above the band"],
        "alpha-5": [],
        "alpha-6": ["above the band"],
    }, "of four calls nobody can flag five"


@pytest.mark.row("000-56")
async def test_flagging_everything_shows_beside_the_calls_handled(here: Here, past: Past) -> None:
    await past.flags("alpha-1", "sue", past.in_week(1), good=9, bad=2)
    await past.calls("alpha-1", past.in_week(1), 20)
    await past.calls("alpha-1", past.in_week(1), 30, answered=False)
    await past.flags("alpha-2", "sue", past.in_week(1), good=9, bad=2)
    await past.calls("alpha-2", past.in_week(1), 15)
    await past.calls("alpha-2", past.in_week(2), 15)
    of = named((await balance(here, "sue"))["agents"])
    # the centre goes on, and what it does now is of the running week
    assert [week["calls"] for week in of["alpha-1"]["weeks"][:-1]] == [0] * 6 + [20]
    assert [week["calls"] for week in of["alpha-2"]["weeks"][:-1]] == [0] * 5 + [15, 15]
    assert of["alpha-1"]["advice"] == ["within the band", "most calls"]
    assert of["alpha-2"]["advice"] == ["within the band"]


@pytest.mark.row("000-57")
async def test_who_came_to_flag_only_problems(here: Here, past: Past) -> None:
    """Also where it was better some weeks ago, and on whomever the flags are."""
    await past.flags("alpha-1", "sue", past.in_week(3), good=9)
    await past.flags("alpha-1", "sue", past.in_week(2), bad=3)
    await past.flags("alpha-2", "sue", past.in_week(1), bad=3)
    await past.flags("alpha-1", "lea", past.in_week(1), good=3, bad=1)
    await past.flags("beta-1", "ina", past.in_week(1), bad=5)
    found = await balance(here, "ina")
    authors = named(found["authors"])
    assert {who: one["advice"] for who, one in authors.items()} == {
        "sue": ["problem only"],
        "lea": [],
        "ina": ["problem only"],
    }
    assert pairs(authors["sue"])[-4:] == [(9, 0), (0, 3), (0, 3), (0, 0)]
    assert authors["sue"]["total"]["calls"] is None, "who makes flags handles none here"
    assert authors["sue"]["who"]["name"] == name_of("sue"), "as they are called now"
    # sue reaches nobody of beta, so what ina flagged there is not hers to see
    assert set(named((await balance(here, "sue"))["authors"])) == {"sue", "lea"}


@pytest.mark.row("000-23")
async def test_behind_each_number_stands_the_agents_log(here: Here, past: Past) -> None:
    """Any state: also what was talked about or taken off is kept in it."""
    await past.flags("alpha-1", "sue", past.in_week(1), good=1)
    await past.flags("alpha-1", "ina", past.in_week(2), bad=2, state="reviewed")
    await past.flags("alpha-1", "sue", past.in_week(2), bad=1, state="taken off")
    await past.flags("alpha-2", "sue", past.in_week(1), bad=1)
    log = await here.clients["sue"].get("/api/v1/flags", agent="alpha-1")
    assert (log["rows"][0]["polarity"], log["rows"][0]["state"]) == ("good", "open")
    assert sorted(f["state"] for f in log["rows"]) == ["open", "reviewed", "reviewed", "taken off"]
    total = named((await balance(here, "sue"))["agents"])["alpha-1"]["total"]
    kept = [f for f in log["rows"] if f["state"] != "taken off"]
    assert total["good"] + total["bad"] == len(kept)


async def test_whom_one_sees(here: Here, past: Past) -> None:
    await past.flags("alpha-1", "sue", past.in_week(0, 0), good=1)
    await past.flags("beta-1", "bob", past.in_week(0, 0), good=2)
    await past.flags("gone", "old", past.in_week(0, 0), good=3)
    found = await balance(here, "sue")
    assert set(named(found["agents"])) == ALPHA and found["more"] == 0
    assert set(named(found["authors"])) == {"sue"}
    assert found["total"][-1]["good"] == 1
    everybody = await balance(here, "aud")
    of = named(everybody["agents"])
    assert set(of) == ALPHA | BETA | {"gone"}
    assert (of["gone"]["who"]["name"], of["gone"]["left"]) == ("gone as then", True)
    assert named(everybody["authors"])["old"]["who"]["name"] == "old as then"
    names = [one["who"]["name"].casefold() for one in everybody["agents"]]
    assert names == sorted(names)
    # direct reports, of whoever may be seen
    assert [one["id"] for one in everybody["leaders"]] == ["lea"]
    assert set(named((await balance(here, "aud", leader="lea"))["agents"])) == {"alpha-1", "beta-1"}
    assert set(named((await balance(here, "sue", leader="lea"))["agents"])) == {"alpha-1"}
    assert (await balance(here, "aud", leader="nobody"))["agents"] == []
    for login in ("adm", "alpha-1"):
        assert (await here.ask(login, "GET", "/flags/balance"))[0] == 403
    seen = [r for r in read_audit(here.made.store, whole=True) if r["target"] == "flag balance"]
    assert {r["action"] for r in seen} == {"view history"} and len(seen) == 5


async def test_weeks_begin_on_monday_of_the_zone(here: Here, past: Past) -> None:
    await past.flags("alpha-1", "sue", past.in_week(1, -1.0), good=1)  # Sunday 23:00 UTC

    def weeks(found: Any) -> list[datetime]:
        return [datetime.fromtimestamp(at / 1000, UTC) for at in found["weeks"]]

    utc = await balance(here, "sue", weeks="26")
    assert len(utc["weeks"]) == 26 and all(w.weekday() == 0 for w in weeks(utc))
    kiritimati = await balance(here, "sue", weeks="26", zone="Pacific/Kiritimati")
    local = [at.astimezone(ZoneInfo("Pacific/Kiritimati")) for at in weeks(kiritimati)]
    assert all((at.weekday(), at.hour) == (0, 0) for at in local)
    for found, begin in ((utc, past.in_week(2, 0)), (kiritimati, past.in_week(1, -14))):
        at = next(n for n, week in enumerate(found["total"]) if week["good"])
        assert found["weeks"][at] == begin
    for given, field in (
        ({"weeks": "0"}, "weeks"),
        ({"weeks": "27"}, "weeks"),
        ({"zone": "Nowhere/Else"}, "zone"),
        ({"leader": ""}, "leader"),
        ({"agent": "alpha-1"}, "agent"),
    ):
        async with here.clients["sue"].http.get("/api/v1/flags/balance", params=given) as response:
            assert (response.status, (await response.json())["field"]) == (400, field)


async def test_with_more_agents_than_there_is_room_for_the_flagged_stay(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitord.api.balance.AGENTS_MOST", 2)
    await here.made_by("sue", await here.call_of("alpha-6"))
    found = await balance(here, "sue")
    assert [one["who"]["id"] for one in found["agents"]] == ["alpha-1", "alpha-6"]
    assert found["more"] == 4
    assert found["total"][-1]["good"] == 1
    calls = found["total"][-1]["calls"]
    assert calls == sum(one["total"]["calls"] for one in found["agents"]) >= 1
