"""The team view: who is in it, what it counts, and that its time hangs on today and not on the
length of the history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.api.team import midnight
from monitord.domain.words import SpyType
from monitord.store.engine import open_store, sqlite_url
from monitord.store.filters import DAY_MS
from monitord.store.recorder import Recorder
from monitord.store.team import TeamCounts
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon, password_hash
from tests.kit.records import call, segment, supervision
from tests.kit.stores import Store

HOUR = 3_600_000
BEGIN = 100 * DAY_MS
NOW = BEGIN + 10 * HOUR


@pytest.fixture
async def engine(store: Store) -> AsyncIterator[AsyncEngine]:
    opened = await open_store(store.url)
    yield opened
    await opened.dispose()


async def write(engine: AsyncEngine, *records: Any) -> None:
    recorder = Recorder(engine)
    recorder.take(list(records))
    assert await recorder.write()


async def test_counts_of_today(engine: AsyncEngine) -> None:
    over = supervision(1, started=BEGIN - HOUR, ended=BEGIN + HOUR, length_ms=2 * HOUR)
    waited = supervision(2, started=BEGIN + 2 * HOUR, ended=BEGIN + 5 * HOUR, length_ms=3 * HOUR)
    running = supervision(3, started=NOW - 60_000, agent_id="bob")
    old = supervision(4, started=BEGIN - 9 * DAY_MS, ended=BEGIN - 8 * DAY_MS, agent_id="cat")
    long = supervision(5, started=BEGIN - 3 * DAY_MS, agent_id="dan")
    nobody = supervision(6, started=NOW - 1000, agent_id=None)
    some: list[Any] = [over, waited, running, old, long, nobody]
    some += [
        segment(over, 1, started=over.started, ended=over.ended),
        segment(waited, 1, started=waited.started, ended=waited.started + HOUR),
        segment(waited, 2, started=waited.started + 2 * HOUR, ended=waited.ended),
        segment(running, 1, started=running.started),
        segment(old, 1, started=old.started, ended=old.ended),
        segment(long, 1, started=long.started),
        segment(nobody, 1, started=nobody.started),
        call(1, started=BEGIN - 1),
        call(2, started=BEGIN),
        call(3, started=NOW),
        call(4, started=NOW, agent_id="bob"),
        call(5, started=NOW, agent_id=None),
        call(6, started=NOW, agent_id="eve"),
    ]
    await write(engine, *some)
    counts = TeamCounts(engine)
    assert await counts.calls(["ann", "bob", "cat"], BEGIN) == {"ann": 2, "bob": 1}
    assert await counts.calls([], BEGIN) == {}
    assert await counts.supervised(BEGIN, NOW) == {
        "ann": HOUR + 2 * HOUR,
        "bob": 60_000,
        "dan": 10 * HOUR,
    }
    last = await counts.last(["ann", "bob", "cat", "eve"])
    assert {agent: row.id for agent, row in last.items()} == {
        "ann": waited.id,
        "bob": running.id,
        "cat": old.id,
    }
    many = [f"x{n}" for n in range(1200)]
    assert (await counts.last([*many, "ann"])).keys() == {"ann"}


@pytest.mark.parametrize(
    ("zone", "now", "begin"),
    [
        ("UTC", "2026-03-29T00:30:00+00:00", "2026-03-29T00:00:00+00:00"),
        ("Europe/Berlin", "2026-03-29T10:00:00+02:00", "2026-03-29T00:00:00+01:00"),
        ("Pacific/Auckland", "2026-11-22T08:00:00+00:00", "2026-11-21T11:00:00+00:00"),
        ("America/New_York", "2026-11-22T03:00:00+00:00", "2026-11-21T05:00:00+00:00"),
    ],
)
def test_today_is_the_viewers(zone: str, now: str, begin: str) -> None:
    at = [int(datetime.fromisoformat(t).astimezone(UTC).timestamp() * 1000) for t in (now, begin)]
    assert midnight(at[0], ZoneInfo(zone)) == at[1]


async def test_no_statement_walks_through_a_ledger(tmp_path: Path) -> None:
    """With a million rows in each: the statistics that SQLite plans by say so."""
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    said: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if sql.startswith(("SELECT", "WITH")):
            said.append((sql, values))

    try:
        async with engine.begin() as connection:
            await connection.execute(text("ANALYZE"))
            for table, indices in {
                "supervision": {
                    "ix_supervision_started_id": "1000000 2 1",
                    "ix_supervision_agent_id_started_id": "1000000 500 2 1",
                    "ix_supervision_length_ms": "1000000 10",
                },
                "segment": {"ix_segment_supervision_n": "1000000 2 1"},
                "call": {
                    "ix_call_started_id": "1000000 2 1",
                    "ix_call_agent_id_started_id": "1000000 500 2 1",
                },
            }.items():
                for index, stat in indices.items():
                    await connection.execute(
                        text("INSERT INTO sqlite_stat1 VALUES (:t, :i, :s)"),
                        {"t": table, "i": index, "s": stat},
                    )
        await engine.dispose()
        engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
        event.listen(engine.sync_engine, "before_cursor_execute", hear)
        counts = TeamCounts(engine)
        agents = [f"a{n}" for n in range(500)]
        await counts.calls(agents, BEGIN)
        await counts.supervised(BEGIN, NOW)
        await counts.last(agents)
        event.remove(engine.sync_engine, "before_cursor_execute", hear)
        assert len(said) == 4
        for sql, values in said:
            async with engine.connect() as connection:
                raw = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
                plan = [row[3] for row in raw.fetchall()]
            walks = [step for step in plan if step.startswith("SCAN ")]
            assert all("wanted" in step or "CONSTANT" in step for step in walks), (sql, plan)
            assert any("USING" in step and "INDEX" in step for step in plan), (sql, plan)
    finally:
        await engine.dispose()


def who(person: str, role: str = "", team: str = "", *, agent: bool = False, **more: str) -> str:
    lines = [f'id = "{person}"', f'name = "{person.title()}"', f"agent = {str(agent).lower()}"]
    if team:
        lines.append(f'team = "{team}"')
    if role:
        lines += [f'role = "{role}"', f'login = "{person}"']
        lines.append(f'password_hash = "{password_hash()}"')
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    return "\n[[people]]\n" + "\n".join(lines) + "\n"


@pytest.fixture
async def url(tmp_path: Path, store: Store) -> AsyncIterator[str]:
    """A daemon with two teams, whose PBX cannot be reached."""
    people = [
        *(who("sue", "supervisor", "sales"), who("ina", "QA manager"), who("max", "auditor")),
        *(who("ann", "", "sales", agent=True), who("bob", "", "sales", agent=True)),
        *(who("cat", "", "care", agent=True), who("dan", "", "care", agent=True, leader="sue")),
        who("abe", "agent", "sales", agent=True),
    ]
    site = Site(ami_port=1, secret="s", store=store, people="".join(people))
    async with daemon(site, tmp_path) as started:
        now = datetime.now(UTC)
        begin = midnight(int(now.timestamp() * 1000), UTC)
        heard = supervision(
            1, agent_id="dan", started=begin, ended=begin + 1, length_ms=1, type=SpyType.COACH
        )
        started.recorder.take(
            [heard, segment(heard, 1, started=begin, ended=begin + 1), call(1, started=begin)]
        )
        await started.recorder.settled()
        yield started.url


async def team_of(url: str, login: str, **params: str) -> Any:
    async with Client(url) as client:
        assert await client.sign_in(login) == 200
        return await client.get("/api/v1/team", **params)


async def test_only_those_in_reach(url: str) -> None:
    everybody = await team_of(url, "ina")
    assert sorted(a["id"] for a in everybody["agents"]) == ["abe", "ann", "bob", "cat", "dan"]
    assert [t["id"] for t in everybody["teams"]] == ["care", "sales"]
    own = await team_of(url, "sue")
    by_id = {a["id"]: a for a in own["agents"]}
    assert set(by_id) == {"abe", "ann", "bob", "dan"}
    assert by_id["ann"]["calls"] == 1 and by_id["ann"]["last"] is None
    last = by_id["dan"]["last"]
    assert last["by"]["name"] == "Sue Supervisor" and last["type"] == "Coach"
    assert by_id["dan"]["supervised_ms"] == 1


@pytest.mark.parametrize("login", ["max", "abe"])
async def test_who_may_not(url: str, login: str) -> None:
    async with Client(url) as client:
        assert await client.sign_in(login) == 200
        async with client.http.get("/api/v1/team") as response:
            assert response.status == 403


async def test_refused(url: str) -> None:
    found = {}
    async with Client(url) as client:
        assert await client.sign_in("ina") == 200
        for query in ("zone=Europe/Nowhere", "zone=", "begin=1", "zone=UTC&zone=UTC"):
            async with client.http.get(f"/api/v1/team?{query}") as response:
                found[query] = (response.status, (await response.json()).get("field"))
    assert found == {
        "zone=Europe/Nowhere": (400, "zone"),
        "zone=": (400, "zone"),
        "begin=1": (400, "begin"),
        "zone=UTC&zone=UTC": (400, "zone"),
    }
