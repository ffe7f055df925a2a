"""Customers' scores: from AMI, by the API and by a file; late, repeated, and beside the flags."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.ami.protocol import Received
from monitord.app import Running
from monitord.csat.rules import Scale, ScoreError, score_of
from monitord.csat.timing import Timed, mostly_after, timings
from monitord.domain.ledger import CallRecord
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.flagged import Past
from tests.kit.ledger import read_audit
from tests.kit.records import alias, call
from tests.kit.stores import Store

NOW = int(time.time() * 1000)
HOUR = 3_600_000
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
CALL = call(1, started=NOW - 2 * HOUR, answered=NOW - 2 * HOUR + 5_000, ended=NOW - HOUR)
OTHER = call(2, started=NOW - 2 * HOUR, ended=NOW - HOUR)
"""Both Ann's, of Sue's team."""


class Here:
    def __init__(self, daemon: Running, ina: Client, sue: Client, store: Store) -> None:
        self.daemon, self.ina, self.sue, self.store = daemon, ina, sue, store

    async def ask(
        self, method: str, path: str, body: Any = None, *, who: Client | None = None
    ) -> tuple[int, Any]:
        given = {} if body is None else {"json": body}
        if isinstance(body, bytes):
            given = {"data": body, "headers": {"Content-Type": "text/csv"}}
        client = who or self.ina
        async with client.http.request(method, f"/api/v1{path}", **given) as response:
            return response.status, await response.json()

    async def give(self, name: str, score: Any, **more: Any) -> tuple[int, Any]:
        return await self.ask("POST", "/scores", {"call": name, "score": score, **more})

    async def scores(self, of: CallRecord = CALL) -> list[Any]:
        found: list[Any] = (await self.ina.get(f"/api/v1/calls/{of.id}"))["scores"]
        return found

    async def flag(self, n: int, of: CallRecord, who: Client | None = None) -> Any:
        body = {"id": f"{n:020x}", "call": of.id, "polarity": "bad", "comment": "Cut in at 2:10."}
        status, made = await self.ask("POST", "/flags", body, who=who)
        assert status == 201, made
        return made

    async def until(self, condition: Callable[[list[Any]], bool], of: CallRecord = CALL) -> Any:
        async with asyncio.timeout(DEADLINE):
            while not condition(found := await self.scores(of)):
                await asyncio.sleep(0.02)
        return found

    def hears(self, *messages: str) -> None:
        """As if the PBX had sent them."""
        attachment = self.daemon.attachments["lab"]
        for text in messages:
            name = text.split("\r\n", 1)[0].removeprefix("Event: ")
            wall = time.time_ns() // 1_000_000
            attachment._queue(Received(time.monotonic_ns() // 1_000_000, wall, name, text))


@pytest.fixture
async def here(tmp_path: Path, store: Store) -> AsyncIterator[Here]:
    site = Site(ami_port=1, secret="s", store=store, variables='CSAT = "score"')
    async with daemon(site, tmp_path) as started:
        rows = [CALL, OTHER, *(alias(c.call_id, c) for c in (CALL, OTHER)), alias("7.91", CALL)]
        started.recorder.take(rows)
        async with Client(started.url) as ina, Client(started.url) as sue:
            assert await ina.sign_in("ina") == 200
            assert await sue.sign_in("sue") == 200
            yield Here(started, ina, sue, store)


def user_event(uniqueid: str, score: str, name: str = "MonitordScore") -> str:
    lines = ("Event: UserEvent", f"UserEvent: {name}", f"Uniqueid: {uniqueid}", f"Score: {score}")
    return "\r\n".join((*lines, "Card: 4111111111111111"))


def var_set(uniqueid: str, value: str) -> str:
    lines = ("Event: VarSet", "Channel: PJSIP/trunk-1", f"Uniqueid: {uniqueid}")
    return "\r\n".join((*lines, "Variable: CSAT", f"Value: {value}"))


async def test_a_survey_of_the_dialplan_after_the_call(here: Here) -> None:
    """By a UserEvent and by the variable, on a channel of a call that is over."""
    here.hears(user_event("7.91", "4"), user_event("7.91", "4"))
    (one,) = await here.until(lambda found: len(found) == 1)
    assert (one["score"], one["low"], one["high"]) == (4, 1, 5)
    assert (one["source"], one["by"]) == ("survey", None)
    # Another answer later counts, and the first one stays.
    here.hears(var_set("7.91", ""), var_set("7.91", "2"))
    found = await here.until(lambda found: len(found) == 2)
    assert [s["score"] for s in found] == [2, 4]
    # What is none, and another event's, is left out and counted.
    here.hears(user_event("7.91", "9"), user_event("7.91", "yes"), user_event("7.91", "3", "Else"))
    here.hears(user_event("7.91", "5"))
    found = await here.until(lambda found: len(found) == 3)
    assert [s["score"] for s in found] == [5, 2, 4]
    settings = await here.ina.get("/api/v1/scores/settings")
    assert (settings["refused"], settings["tied"], settings["waiting"]) == (2, 3, 0)


async def test_a_score_before_its_call_is_known(here: Here) -> None:
    late = call(3, started=NOW - HOUR, ended=NOW - HOUR + 60_000)
    here.hears(user_event("9.1", "3"))
    status, sent = await here.give("9.1", "4,5", reference="s-1")
    assert (status, sent["what"], sent["call"]) == (201, "waiting", None)
    assert (await here.give("9.1", "4.5", reference="s-1"))[1]["what"] == "repeated"
    async with asyncio.timeout(DEADLINE):
        while (await here.ina.get("/api/v1/scores/settings"))["waiting"] != 2:
            await asyncio.sleep(0.02)
    here.daemon.recorder.take([late, alias("9.1", late)])
    found = await here.until(lambda found: len(found) == 2, late)
    assert sorted(s["score"] for s in found) == [3, 4.5]
    assert (await here.ina.get("/api/v1/scores/settings"))["waiting"] == 0
    # Known by another of its names, it is the same one.
    assert (await here.give(late.id, 4.5, reference="s-1"))[1]["what"] == "repeated"


async def test_sent_in_by_the_api(here: Here) -> None:
    status, first = await here.give("7.91", 4, reference="a", at=NOW - HOUR)
    assert (status, first["what"], first["call"]) == (201, "new", CALL.id)
    for name in (CALL.id, CALL.call_id, "7.91"):
        status, again = await here.give(name, 4, reference="a")
        assert (status, again["what"], again["score"]) == (200, "repeated", first["score"])
    assert (await here.give(CALL.id, 3, reference="a"))[0] == 409
    # Older than what counts: kept, and counts no more than that.
    assert (await here.give(CALL.id, 1, at=NOW - 2 * HOUR))[1]["what"] == "newer"
    assert [s["score"] for s in await here.scores()] == [4, 1]
    assert (await here.give(CALL.id, 4))[1]["what"] == "repeated", "nothing tells it apart"
    assert (await here.give(CALL.id, 5))[1]["what"] == "newer"
    assert [s["score"] for s in await here.scores()] == [5, 4, 1]
    assert await here.scores(OTHER) == []
    faults = {
        "score": {"call": CALL.id, "score": 6},
        "at": {"call": CALL.id, "score": 5, "at": NOW + HOUR},
        "call": {"call": "", "score": 5},
        "reference": {"call": CALL.id, "score": 5, "reference": "r" * 101},
    }
    for field, body in faults.items():
        status, said = await here.ask("POST", "/scores", body)
        assert (status, said["field"]) == (400, field), said
    given = [r for r in read_audit(here.store, whole=True) if r["action"] == "give score"]
    assert [(r["actor_id"], r["detail"]["score"], r["detail"]["agent"]) for r in given] == [
        ("ina", score, "Ann Agent") for score in (4.0, 1.0, 5.0)
    ]


async def test_who_may(here: Here) -> None:
    await here.give(CALL.id, 4)
    body = {"call": CALL.id, "score": 4}
    assert (await here.ask("POST", "/scores", body, who=here.sue))[0] == 403
    scale = {"low": 0, "high": 10}
    assert (await here.ask("PUT", "/scores/settings", scale, who=here.sue))[0] == 403
    seen = await here.sue.get(f"/api/v1/calls/{CALL.id}")
    assert [s["score"] for s in seen["scores"]] == [4]


async def test_another_scale(here: Here) -> None:
    await here.give(CALL.id, 5)
    assert (await here.ask("PUT", "/scores/settings", {"low": 5, "high": 5}))[0] == 400
    status, now = await here.ask("PUT", "/scores/settings", {"low": 0, "high": 10})
    assert (status, now["low"], now["high"]) == (200, 0, 10)
    assert (await here.give(CALL.id, 9))[0] == 201
    found = [(s["score"], s["low"], s["high"]) for s in await here.scores()]
    assert found == [(9, 0, 10), (5, 1, 5)], "an old one keeps the scale on which it was given"


async def test_a_file_with_its_preview_errors_and_progress(here: Here) -> None:
    lines = [
        *("call;score;at;reference", f"{CALL.id};4;{YESTERDAY} 14:05;r1"),
        *(f"{OTHER.call_id};3,5;;r2", "9.9;2;;r3", f"{CALL.id};4;{YESTERDAY} 14:05;r1"),
        *(f"{CALL.id};8;;r4", f"{CALL.id};3;yesterday;r5", f"{CALL.id};3;;r1", "one;two"),
    ]
    data = "\r\n".join(lines).encode()
    status, told = await here.ask("POST", "/scores/import/preview?zone=Europe/Berlin", data)
    assert status == 200
    assert [told[k] for k in ("new", "newer", "waiting", "repeated")] == [2, 0, 1, 1]
    assert [(f["line"], f["column"]) for f in told["faults"]] == [
        *((6, "score"), (7, "at")),
        *((8, "reference"), (9, None)),
    ]
    assert await here.scores() == [], "nothing was done"
    token = told["token"]
    path = "/scores/import?zone=Europe/Berlin"
    assert (await here.ask("POST", f"{path}&token={'0' * 64}", data))[0] == 412
    for kinds in ([2, 0, 1, 1], [0, 0, 0, 4]):
        status, job = await here.ask("POST", f"{path}&token={token}", data)
        assert (status, job["lines"]) == (202, 5)
        async with asyncio.timeout(DEADLINE):
            while job["state"] == "running":
                status, job = await here.ask("GET", f"/scores/import/{job['id']}")
        assert (job["state"], job["done"]) == ("done", 5)
        assert [job[k] for k in ("new", "newer", "waiting", "repeated")] == kinds
    assert (await here.ask("GET", f"/scores/import/{job['id']}", who=here.sue))[0] == 403
    (one,) = await here.scores()
    assert (one["score"], one["source"], one["by"]["id"]) == (4, "import", "ina")
    berlin = datetime.fromisoformat(f"{YESTERDAY}T14:05").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert one["at"] == berlin.timestamp() * 1000
    assert [s["score"] for s in await here.scores(OTHER)] == [3.5]
    acts = [r["action"] for r in read_audit(here.store) if "import" in r["action"]]
    assert acts == ["import scores", "import scores outcome"] * 2


@pytest.mark.row("000-53")
async def test_flagging_only_after_the_score_is_told(here: Here) -> None:
    """Sue flags when the score has come, Ina before."""
    calls = [call(10 + n, started=NOW - HOUR, ended=NOW - HOUR + 60_000) for n in range(5)]
    here.daemon.recorder.take(list(calls))
    await here.daemon.recorder.settled()
    made = [await here.flag(n, one) for n, one in enumerate(calls)]
    assert [one["after_score"] for one in made] == [None] * 5
    await here.flag(90, CALL, here.sue)
    for one in calls:
        assert (await here.give(one.id, 2))[0] == 201
    await asyncio.sleep(0.005)  # later than the scores, by the clock that stamps both
    late = [await here.flag(20 + n, one, here.sue) for n, one in enumerate(calls)]
    assert [one["after_score"] for one in late] == [True] * 5
    before = await here.ina.get(f"/api/v1/calls/{calls[0].id}")
    assert [flag["after_score"] for flag in before["flags"]] == [False, True]
    found = await here.ina.get("/api/v1/flags/after-scores")
    authors = {one["who"]["id"]: one for one in found["authors"]}
    assert {who: (one["total"], one["mostly_after"]) for who, one in authors.items()} == {
        "ina": ({"scored": 5, "after": 0}, False),
        "sue": ({"scored": 5, "after": 5}, True),
    }, "a flag on a call without a score says nothing"
    (agent,) = found["agents"]
    assert (agent["who"]["id"], agent["total"]) == ("ann", {"scored": 10, "after": 5})
    assert not agent["mostly_after"]
    assert found["total"][-1] == {"scored": 10, "after": 5}
    assert sum(week["scored"] for week in found["total"]) == 10
    # What was taken off should not have been one.
    for flag in late:
        assert (await here.ask("POST", f"/flags/{flag['id']}/take-off", {}, who=here.sue))[0] == 200
    found = await here.ina.get("/api/v1/flags/after-scores")
    assert [one["who"]["id"] for one in found["authors"]] == ["ina"]


ROWS = st.lists(
    st.builds(
        lambda agent, by, week, scored, after: Timed(agent, by, week, scored, min(scored, after)),
        *(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 3)),
        *(st.integers(1, 20), st.integers(0, 20)),
    ),
    max_size=30,
)


@given(ROWS)
def test_timings_are_a_plain_recount(rows: list[Timed]) -> None:
    found = timings(rows, 4)
    for who, weeks in found.authors.items():
        own = [row for row in rows if row.by == who]
        for n, week in enumerate(weeks):
            assert week.scored == sum(row.scored for row in own if row.week == n)
            assert week.after == sum(row.after for row in own if row.week == n)
    assert set(found.agents) == {row.agent for row in rows}
    for some in (found.agents, found.authors):
        for n, week in enumerate(found.weeks):
            assert week.after == sum(weeks[n].after for weeks in some.values())
    for row in rows:
        told = mostly_after(found.authors[row.by][row.week])
        same = [r for r in rows if (r.by, r.week) == (row.by, row.week)]
        scored, after = sum(r.scored for r in same), sum(r.after for r in same)
        assert told == (scored >= 5 and 10 * after >= 9 * scored)


@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(-50, 110_000))
def test_only_what_the_scale_has_is_a_score(low: int, more: int, hundredths: int) -> None:
    scale = Scale(low, low + more)
    text = f"{hundredths // 100}.{hundredths % 100:02}"
    fits = low * 100 <= hundredths <= (low + more) * 100
    try:
        assert score_of(f" {text} ", scale) == hundredths and fits
    except ScoreError:
        assert not fits


async def test_the_count_is_a_plain_recount(here: Here) -> None:
    """Of many flags and scores, with all that can be between them."""
    some, past = random.Random(7), Past(here.store)  # no secret
    first: dict[str, int] = {}
    for n in range(20):
        name = f"{n:020x}"
        for _ in range(some.randint(0, 3)):
            came = past.in_week(some.randint(1, 3), some.uniform(1, 150))
            await past.score(name, came, 100 * some.randint(1, 5))
            first[name] = min(came, first.get(name, came))
    flags = []
    for _ in range(60):
        name, by = f"{some.randint(0, 19):020x}", some.choice("xyz")
        same = [first[name]] if name in first and some.random() < 0.2 else []
        made = some.choice([*same, past.in_week(some.randint(0, 4), some.uniform(1, 150))])
        state = some.choice(["open", "reviewed", "taken off"])
        await past.flags("ann", by, made, good=1, call=name, state=state)
        if state != "taken off" and name in first:
            flags.append((by, made, made > first[name]))
    found = await here.ina.get("/api/v1/flags/after-scores", weeks="8")
    for by in "xyz":
        (own,) = (one for one in found["authors"] if one["who"]["id"] == by)
        mine = [(made, late) for author, made, late in flags if author == by]
        assert own["total"] == {"scored": len(mine), "after": sum(late for _, late in mine)}
        for n, week in enumerate(own["weeks"]):
            end = [*found["weeks"], 1 << 53][n + 1]
            within = [late for made, late in mine if found["weeks"][n] <= made < end]
            assert week == {"scored": len(within), "after": sum(within)}
        scored, after = own["total"]["scored"], own["total"]["after"]
        assert own["mostly_after"] == (scored >= 5 and 10 * after >= 9 * scored)
