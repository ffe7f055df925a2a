"""Talks about flags by the API, on a simulated call centre: who is due, what is walked through,
what was agreed, and what is looked for next."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.kit.roster import Editor
from tests.kit.stores import SqliteStore, Store
from tests.test_flags import ALPHA, Here, site

DAY_MS = 86_400_000


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with site(tmp_path, SqliteStore.in_folder(tmp_path / "data"), others=("lea",)) as made:
        yield made


@pytest.fixture
async def either(tmp_path: Path, store: Store) -> AsyncIterator[Here]:
    async with site(tmp_path, store, others=("lea",)) as made:
        yield made


async def flagged(here: Here, n: int = 6, **more: Any) -> list[str]:
    """Ids of flags on alpha-1, who is a direct report of lea's; every third to work on."""
    call = await here.call_of("alpha-1")
    return [
        (await here.made_by("lea", call, polarity="bad" if k % 3 == 2 else "good", **more))["id"]
        for k in range(n)
    ]


async def begun(here: Here, flags: list[str], **more: Any) -> dict[str, Any]:
    body = {"id": secrets.token_hex(10), "agent": "alpha-1", "pattern": "one-week review"}
    status, said = await here.ask("lea", "POST", "/reviews", body | {"flags": flags} | more)
    assert status == 201, said
    return said


async def due(here: Here, login: str = "lea", query: str = "") -> dict[str, dict[str, Any]]:
    said = await here.done(login, "GET", f"/reviews{query}")
    return {row["agent"]["id"]: row for row in said["rows"]}


@pytest.mark.row("000-31", "000-09")
async def test_each_direct_report_by_their_cadence(either: Here) -> None:
    here = either
    rows = await due(here)
    assert set(rows) == {"alpha-1", "beta-1"}, "lea's own, one of them of another team"
    assert rows["alpha-1"]["cadence"] == "weekly" and rows["alpha-1"]["due"] is None
    flags = await flagged(here)
    rows = await due(here, query="?zone=Europe/Berlin")
    one = rows["alpha-1"]
    assert one["open"] == 6 and one["pattern"] == "one-week review" and one["last"] is None
    assert next(iter(rows)) == "alpha-1", "who is due stands first"
    week = one["due"]
    editor = Editor(here.clients["adm"])
    await editor.done("PATCH", "/people/alpha-1", {"cadence": "bi-weekly"})
    assert (await due(here, query="?zone=Europe/Berlin"))["alpha-1"]["due"] == week + 7 * DAY_MS
    talk = await begun(here, flags)
    assert (await due(here))["alpha-1"]["under_way"] == talk["id"]
    await here.done("lea", "POST", f"/reviews/{talk['id']}/end", {"commitments": []})
    after = (await due(here))["alpha-1"]
    assert after["under_way"] is None and after["last"] >= talk["begun"]
    assert after["due"] > after["last"] + 7 * DAY_MS, "in two weeks"
    assert set(await due(here, "ina", "?leader=lea")) == {"alpha-1", "beta-1"}
    assert len(await due(here, "ina")) > 10, "who leads nobody sees all in reach"
    assert set(await due(here, "sue", "?leader=lea")) == {"alpha-1"}, "beta-1 is not in reach"


@pytest.mark.row("000-04", "000-32", "000-33")
async def test_a_talk_walks_through_its_flags_and_stays(either: Here) -> None:
    here = either
    flags = await flagged(here, 12)
    other = await here.made_by("sue", await here.call_of("alpha-2"))
    plan = await here.done("lea", "GET", "/agents/alpha-1/review")
    assert {f["id"] for f in plan["flags"]} == {*flags}, "of this agent alone"
    assert plan["chosen"] == flags[2:], "the newest ten, as the week went"
    assert (plan["low"], plan["high"]) == (5, 10)
    body = {"id": secrets.token_hex(10), "agent": "alpha-1", "pattern": "one-week review"}
    for wrong, status, field in (
        (flags[:11], 400, "flags"),
        ([], 400, "flags"),
        ([flags[0], flags[0]], 400, "flags"),
        ([other["id"]], 404, "flags"),
        (["0" * 20], 404, "flags"),
    ):
        said = await here.ask("lea", "POST", "/reviews", body | {"flags": wrong})
        assert (said[0], said[1]["field"]) == (status, field), wrong
    assert (await here.ask("bob", "POST", "/reviews", body | {"flags": flags[:5]}))[0] == 404
    talk = await begun(here, plan["chosen"], id=body["id"])
    assert [f["id"] for f in talk["flags"]] == plan["chosen"]
    again = await here.ask("lea", "POST", "/reviews", body | {"flags": plan["chosen"]})
    assert again == (200, talk), "sent twice, begun once"
    second = body | {"id": secrets.token_hex(10), "flags": flags[:5]}
    assert (await here.ask("lea", "POST", "/reviews", second))[0] == 409
    for flag in plan["chosen"][:2]:
        await here.done("lea", "POST", f"/flags/{flag}/review")
    # after a reload, from any browser: where it stood
    found = await here.done("lea", "GET", f"/reviews/{talk['id']}")
    assert [f["state"] for f in found["flags"]] == ["reviewed"] * 2 + ["open"] * 8
    assert found["mine"] and not (await here.done("ina", "GET", f"/reviews/{talk['id']}"))["mine"]
    assert (await here.ask("bob", "GET", f"/reviews/{talk['id']}"))[0] == 404
    end = f"/reviews/{talk['id']}/end"
    assert (await here.ask("sue", "POST", end, {"commitments": []}))[0] == 403
    assert (await here.done("lea", "GET", "/agents/alpha-1/review"))["chosen"] == [
        f for f in flags if f not in plan["chosen"][:2]
    ][-10:], "what was talked about has left"


@pytest.mark.row("000-35", "000-38", "000-39")
async def test_what_was_agreed_is_looked_for_in_the_next_weeks(either: Here) -> None:
    here = either
    call = await here.call_of("alpha-1")
    campaign = call.campaign.value
    flags = await flagged(here, 5)
    talk = await begun(here, flags)
    path = f"/reviews/{talk['id']}/end"
    refunds = {"result": "refund", "campaign": None}
    for wrong, field in (
        ([{"text": " "}], "commitments"),
        ([{"text": "one"}, {"text": "two"}, {"text": "three"}], "commitments"),
        ([{"text": "one", "focus": {}}], "focus"),
        ([{"text": "one", "focus": {"theme": "nowhere"}}], "focus"),
    ):
        status, said = await here.ask("lea", "POST", path, {"commitments": wrong})
        assert (status, said["field"]) == (400, field), wrong
    agreed = [
        {"text": "Offer the refund before she asks.", "focus": refunds},
        {"text": "Say the name once.", "focus": {"campaign": campaign.upper()}},
    ]
    ended = await here.done("lea", "POST", path, {"commitments": agreed})
    assert [c["text"] for c in ended["agreed"]] == [a["text"] for a in agreed]
    assert await here.done("lea", "POST", path, {"commitments": agreed}) == ended, "sent twice"
    listed = (await here.done("ina", "GET", "/agents/alpha-1/commitments"))["rows"]
    assert {c["state"] for c in listed} == {"open"} and len(listed) == 2
    mine = (await here.done("alpha-1", "GET", "/my-commitments"))["rows"]
    assert [c["id"] for c in mine] == [c["id"] for c in listed], "the agent reads what was agreed"
    assert (await here.ask("bob", "GET", "/agents/alpha-1/commitments"))[0] == 404
    running = (await here.done("lea", "GET", "/focus"))["rows"]
    assert [f["says"] for f in running] == [a["text"] for a in agreed]
    assert running[0]["rule"]["result"] == "refund"
    assert (await here.done("bob", "GET", "/focus"))["rows"] == []
    # what was made before and since can be compared
    await here.made.daemon.recorder.settled()
    weeks = (await here.done("lea", "GET", f"/focus/{running[1]['id']}"))["weeks"]
    assert len(weeks) >= 5
    assert sum(w["good"] for w in weeks) == 4 and sum(w["bad"] for w in weeks) == 1
    weeks = (await here.done("lea", "GET", f"/focus/{running[0]['id']}"))["weeks"]
    assert sum(w["good"] + w["bad"] for w in weeks) == 0, "none of them was a refund"
    # settled in the next talk
    settle = f"/commitments/{listed[0]['id']}/settle"
    done = await here.done(
        "lea",
        "POST",
        settle,
        {"state": "kept", "why": "Heard it."},
    )
    assert (done["state"], done["settled_why"]) == ("kept", "Heard it.")
    left = (await here.done("lea", "GET", "/focus"))["rows"]
    assert len(left) == 1, "what was kept is looked for no more"
    await here.done("lea", "POST", f"/focus/{left[0]['id']}/end")
    assert (await here.ask("lea", "POST", f"/focus/{left[0]['id']}/end"))[0] == 409
    assert (await here.done("lea", "GET", "/focus"))["rows"] == []
    back = await here.done("lea", "POST", settle, {"state": "open"})
    assert (back["state"], back["settled"], back["settled_why"]) == ("open", None, None)
    log = (await here.clients["aud"].get("/api/v1/audit/rows", kind="flag"))["rows"]
    acts = {row["action"] for row in log}
    assert {"begin review", "end review", "settle commitment", "end focus"} <= acts


@pytest.mark.row("000-39", "000-50")
async def test_a_focus_on_a_theme_and_a_theme_of_the_week(here: Here) -> None:
    settings = await here.done("ina", "GET", "/flags/settings")
    names = {t["name"] for t in settings["themes"]}
    assert {"De-escalation", "Escalation timing", "Tone"} <= names
    monday = await this_monday(here)
    put = {"visible": False, "themes": settings["themes"]}
    for weeks, why in (
        ([{"monday": "2026-11-17", "theme": "tone"}], "no Monday"),
        ([{"monday": "2026-02-31", "theme": "tone"}], "no date"),
        ([{"monday": monday, "theme": "x"}], "not there"),
        ([{"monday": monday, "theme": "tone"}] * 2, "once"),
    ):
        status, said = await here.ask("ina", "PUT", "/flags/settings", put | {"weeks": weeks})
        assert (status, said["field"]) == (400, "weeks") and why in said["message"]
    chosen = [{"monday": monday, "theme": "tone"}]
    shown = await here.done("ina", "PUT", "/flags/settings", put | {"weeks": chosen})
    assert shown["weeks"] == chosen
    assert (await here.done("ina", "PUT", "/flags/settings", put))["weeks"] == chosen, "they stay"
    call = await here.call_of("alpha-1")
    other = [(await here.made_by("lea", call))["id"] for _ in range(10)]
    toned = (await here.made_by("lea", call, themes=["tone"]))["id"]
    more = (await here.made_by("lea", call))["id"]
    plan = await here.done("lea", "GET", "/agents/alpha-1/review?pattern=theme%20week")
    assert plan["theme"] == "tone" and toned in plan["chosen"]
    week = await here.done("lea", "GET", "/agents/alpha-1/review")
    assert week["chosen"] == [*other[2:], toned, more]
    talk = await begun(here, [toned], pattern="theme week")
    agreed = [{"text": "Let her finish.", "focus": {"theme": "tone"}}]
    await here.done("lea", "POST", f"/reviews/{talk['id']}/end", {"commitments": agreed})
    focus = (await here.done("lea", "GET", "/focus"))["rows"][0]
    weeks = (await here.done("lea", "GET", f"/focus/{focus['id']}"))["weeks"]
    assert [w["good"] for w in weeks if w["good"]] == [1], "the one on the theme"


async def this_monday(here: Here) -> str:
    at = (await here.done("ina", "GET", "/reviews"))["at"]
    today = datetime.fromtimestamp(at / 1000, UTC).date()
    return (today - timedelta(days=today.weekday())).isoformat()


@pytest.mark.row("000-47", "000-48", "000-49")
async def test_patterns(here: Here) -> None:
    flags = await flagged(here, 3)
    made = (await here.done("lea", "GET", f"/flags/{flags[0]}"))["flag"]["made"]
    one = (await due(here))["alpha-1"]
    assert (one["pattern"], one["chosen"], one["new"]) == ("one-week review", False, False)
    assert friday_ends(one["due"]), "all together on Friday"
    # a new agent: within 24 hours, by the date of hire
    hired = (datetime.fromtimestamp(made / 1000, UTC) - timedelta(days=12)).date().isoformat()
    await Editor(here.clients["adm"]).done("PATCH", "/people/alpha-1", {"hired": hired})
    one = (await due(here))["alpha-1"]
    assert (one["pattern"], one["chosen"], one["new"]) == ("just-in-time", False, True)
    assert one["due"] == made + DAY_MS
    # another one, chosen
    body, path = {"pattern": "positive recognition"}, "/agents/alpha-1/review-pattern"
    put = await here.done("lea", "PUT", path, body)
    assert (put["pattern"], put["chosen"]) == ("positive recognition", True)
    plan = await here.done("lea", "GET", "/agents/alpha-1/review")
    assert plan["chosen"] == flags[:2], "good work alone"
    assert plan["standing"]["pattern"] == "positive recognition"
    put = await here.done("lea", "PUT", path, {"pattern": None})
    assert (put["pattern"], put["chosen"]) == ("just-in-time", False)
    assert (await here.ask("bob", "PUT", path, body))[0] == 404


def friday_ends(at: int) -> bool:
    there = datetime.fromtimestamp(at / 1000, UTC)
    return there.weekday() == 5 and (there.hour, there.minute) == (0, 0)


async def test_another_talk_begins_another_focus(here: Here) -> None:
    flags = await flagged(here, 4)
    rules = [{"theme": "tone"}, {"result": "REFUND"}]
    for rule in rules:
        talk = await begun(here, flags[:2])
        agreed = [{"text": "Wait.", "focus": rule}]
        await here.done("lea", "POST", f"/reviews/{talk['id']}/end", {"commitments": agreed})
    running = (await here.done("lea", "GET", "/focus"))["rows"]
    assert [f["rule"]["result"] for f in running] == ["REFUND"]
    assert len((await here.done("lea", "GET", "/agents/alpha-1/review"))["commitments"]) == 2
    assert ALPHA[0] == running[0]["agent"]["id"]
