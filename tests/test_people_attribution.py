"""Rows of the ledgers that nobody owned, when the roster learns whose the endpoint was then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from monitord.domain.words import AgentStatus
from monitord.store.engine import open_store
from monitord.store.recorder import Recorder
from tests.kit.centre import Centre, centre, until
from tests.kit.client import DEADLINE
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.records import call, status, supervision
from tests.kit.roster import MAX, editor, quiet
from tests.kit.stores import Store

NEW = "PJSIP/7001"
NOBODY = {
    "agent_id": f"lab/{NEW}",
    "agent_name": "As a queue says",
    "agent_endpoint": NEW,
    "ended": 9_000,
}
LISTENED = {
    "supervisor_id": f"lab/{NEW}",
    "supervisor_name": NEW,
    "supervisor_endpoint": NEW,
    "ended": 9_000,
}


async def fill(store: Store, rows: list[Any]) -> None:
    engine = await open_store(store.url)
    recorder = Recorder(engine)
    recorder.live = lambda: {"lab": 9_000, "other": 9_000}
    recorder.take(rows)
    assert await recorder.write()
    await engine.dispose()


async def test_rows_that_nobody_owned_become_theirs(tmp_path: Path, store: Store) -> None:
    """Those that began in their time, at every PBX; a row that names a person never."""
    theirs: list[Any] = [
        supervision(1, **LISTENED, started=2_000),
        supervision(2, **NOBODY, started=2_999),
        call(3, **NOBODY, started=2_500),
        status(4, **NOBODY, started=2_500, status=AgentStatus.PAUSED),
        status(5, **{**NOBODY, "agent_id": f"other/{NEW}"}, started=2_500, pbx="other"),
    ]
    others: list[Any] = [
        supervision(11, **LISTENED, started=1_999),  # before it was theirs
        call(12, **NOBODY, started=3_000),  # after
        call(13, **{**NOBODY, "agent_id": "sid", "agent_name": "Sid"}, started=2_500),
        status(14, **{**NOBODY, "agent_id": f"lab/{NEW}1"}, started=2_500),
    ]
    await fill(store, theirs + others)
    before = {r["id"]: r for rows in read_ledger(store).values() for r in rows}
    async with quiet(tmp_path, store) as started, editor(started.url) as one:
        body = {"endpoint": NEW, "person": "tom", "since": 2_000, "until": 3_000}
        done = await one.done("POST", "/ownerships", body)
        assert done["attributed"] == len(theirs)
        after = {r["id"]: r for rows in read_ledger(store).values() for r in rows}
        # the daemon closes what its PBX says nothing of; that is not what is looked at here
        for row in theirs:
            was, now = before[row.id], after[row.id]
            who = "supervisor" if row.id == theirs[0].id else "agent"
            named = {f"{who}_id": "tom", f"{who}_name": "Tom Trainer"}
            assert now == {**was, **named}
        for row in others:
            assert after[row.id] == before[row.id]
        rows = read_audit(store)[-2:]
        assert [r["action"] for r in rows] == ["change endpoint", "attribute rows"]
        assert rows[1]["detail"] == {
            "rows": {
                "supervisions by them": 1,
                "supervisions of them": 1,
                "calls": 1,
                "intervals of status": 2,
            },
            "endpoints": [NEW],
            "of_endpoints": 1,
        }
        # found under the person's name from now on
        found = await one.client.get("/api/v1/calls", agent="tom")
        assert [r["id"] for r in found["rows"]] == [theirs[2].id]

        # earlier, as it turns out: only what that adds
        own = next(e for e in (await one.person("tom"))["endpoints"] if e["endpoint"] == NEW)
        done = await one.done("PATCH", f"/ownerships/{own['id']}", {"since": 1_000})
        assert done["attributed"] == 1
        # given to somebody else: what names Tom goes on naming Tom
        body = {"endpoint": NEW, "person": "sid", "since": 1_000, "until": 3_000}
        assert (await one.done("POST", "/ownerships", body))["attributed"] == 0
        assert {r["agent_id"] for r in read_ledger(store)["calls"]} >= {"tom"}


async def test_a_change_that_is_refused_moves_no_row(tmp_path: Path, store: Store) -> None:
    await fill(store, [call(3, **NOBODY, started=2_500)])
    async with quiet(tmp_path, store) as started, editor(started.url) as one:
        new = {"name": "N", "team": "none", "endpoints": [{"endpoint": NEW, "since": 0}]}
        await one.refused("POST", "/people", new)
        assert read_ledger(store)["calls"][0]["agent_id"] == f"lab/{NEW}"


async def test_what_is_still_open_when_it_is_given_is_theirs_as_well(
    tmp_path: Path, store: Store
) -> None:
    """The interval of status that ran under the endpoint's own id ends when somebody gets it, and
    becomes theirs as soon as it is written, since it began in their time."""
    async with centre(tmp_path, store=store, extra=MAX) as here:
        endpoint = await an_agent_of_nobody(here)
        async with editor(here.daemon.url) as one:
            body = {"endpoint": endpoint, "person": "tom", "since": 0}
            await one.done("POST", "/ownerships", body)
        async with asyncio.timeout(DEADLINE):
            await here.daemon.attribution.settled()

        def ids() -> set[str]:
            rows = read_ledger(store)["statuses"]
            return {r["agent_id"] for r in rows if r["agent_endpoint"] == endpoint}

        await until(lambda: ids() == {"tom"}, "all rows of the endpoint are Tom's")
        shard = here.daemon.hub.shards["lab"]
        assert shard.directory.party(endpoint).id == "tom", "and so is the live view"


async def an_agent_of_nobody(here: Centre) -> str:
    """The endpoint of an agent whom a queue names and the roster does not know."""

    def found() -> str | None:
        shard = here.daemon.hub.shards["lab"]
        for endpoint, agent in shard.agents.items():
            if agent.record is not None and agent.record.agent_id == f"lab/{endpoint}":
                return str(endpoint)
        return None

    for _ in range(50):
        if endpoint := found():
            await here.daemon.recorder.settled()
            return endpoint
        await here.advance(5)
    raise AssertionError("the centre has no agent whom the roster does not know")
