"""Who may read only some people's rows: what they find, and by which index."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.store import choices
from monitord.store.engine import open_store, sqlite_url
from monitord.store.filters import DAY_MS
from monitord.store.history import CALLS, STATUSES, SUPERVISIONS, History, Query
from monitord.store.recorder import Recorder
from tests.kit.records import alias, call, segment, status, supervision
from tests.kit.stores import Store

PEOPLE = [f"p{n:03}" for n in range(30)]


@pytest.fixture
async def engine(store: Store) -> AsyncIterator[AsyncEngine]:
    opened = await open_store(store.url)
    yield opened
    await opened.dispose()


async def write(engine: AsyncEngine, *records: Any) -> None:
    recorder = Recorder(engine)
    recorder.take(list(records))
    assert await recorder.write()


def sees(row: Any, within: frozenset[str]) -> bool:
    return row.agent_id in within or getattr(row, "supervisor_id", None) in within


def rows_of(rng: random.Random) -> list[Any]:
    """Some people have nearly all the rows, some one, some none; the busy ones at other times."""
    rows: list[Any] = []
    for n in range(500):
        busy = rng.random() < 0.6
        who = rng.choice(PEOPLE[:3] if busy else PEOPLE[3:25])
        started = rng.randrange(30 * DAY_MS) if busy else rng.randrange(60 * DAY_MS)
        span = rng.choice([1_000, DAY_MS, 20 * DAY_MS])
        fields: dict[str, Any] = {
            "started": started,
            "ended": started + span,
            "length_ms": span,
            "agent_id": rng.choice([who, None]) if n % 3 == 0 else who,
        }
        if n % 3 == 0:
            rows.append(supervision(n, supervisor_id=rng.choice(PEOPLE), **fields))
        elif n % 3 == 1:
            rows.append(call(n, **fields))
        else:
            rows.append(status(n, **fields))
    return rows


@pytest.mark.parametrize("seed", range(4))
async def test_all_that_is_in_reach_and_nothing_else(seed: int, engine: AsyncEngine) -> None:
    rng = random.Random(seed)
    rows = rows_of(rng)
    await write(engine, *rows)
    history = History(engine)
    kinds = {SUPERVISIONS: "supervisor", CALLS: "agent", STATUSES: "agent"}
    for _ in range(10):
        within = frozenset(rng.sample(PEOPLE, rng.choice([0, 1, 2, 5, 29])))
        begin = rng.choice([None, rng.randrange(60 * DAY_MS)])
        end = rng.choice([None, (begin or 0) + rng.choice([DAY_MS, 20 * DAY_MS])])
        agent = rng.choice([None, None, *PEOPLE[:6]])
        for ledger, other in kinds.items():
            supervisor = rng.choice([None, *PEOPLE[:6]]) if other == "supervisor" else None
            expected = [
                r
                for r in rows
                if isinstance(r, ledger.record)
                and sees(r, within)
                and (end is None or r.started < end)
                and (begin is None or r.ended > begin)
                and agent in (None, r.agent_id)
                and supervisor in (None, getattr(r, "supervisor_id", None))
            ]
            expected.sort(key=lambda r: (r.started, r.id), reverse=True)
            query = Query(
                limit=rng.choice([1, 3, 40]),
                begin=begin,
                end=end,
                agent=agent,
                supervisor=supervisor,
                within=within,
            )
            seen = [r async for batch in history.batches(ledger, query) for r in batch]
            assert seen == expected
            assert await history.count(ledger, query) == len(expected)
            assert await history.count(ledger, query, 2) == min(2, len(expected))


async def test_anothers_call_is_no_way_to_search(engine: AsyncEngine) -> None:
    """A supervision is in reach by its supervisor, its call is not: no filter tells of it."""
    mine, theirs = call(1, agent_id="mine"), call(2, agent_id="theirs", campaign="secret")
    one = supervision(1, supervisor_id="boss", agent_id="mine", campaign="open")
    two = supervision(2, supervisor_id="boss", agent_id="theirs", campaign="secret")
    await write(
        engine,
        *(mine, theirs, one, two, alias("7.1", mine), alias("7.2", theirs)),
        segment(one, 1, call=mine.id, campaign="open before"),
        segment(two, 1, call=theirs.id, campaign="secret before"),
    )
    history = History(engine)

    async def ids(**fields: Any) -> list[str]:
        query = Query(limit=9, within=frozenset({"boss", "mine"}), **fields)
        found = (await history.supervisions(query)).records
        assert await history.count(SUPERVISIONS, query) == len(found)
        return [r.id for r in found]

    assert await ids() == [two.id, one.id]
    assert await ids(supervisor="boss") == [two.id, one.id]
    for supervisor in (None, "boss"):
        assert await ids(campaign="open", supervisor=supervisor) == [one.id]
        assert await ids(campaign="open before", supervisor=supervisor) == [one.id]
        assert await ids(campaign="secret", supervisor=supervisor) == []
        assert await ids(campaign="secret before", supervisor=supervisor) == []
        assert await ids(alias="7.1", supervisor=supervisor) == [one.id]
        assert await ids(alias="7.2", supervisor=supervisor) == []
        assert await ids(agent="theirs", campaign="secret", supervisor=supervisor) == []


async def test_choices_are_those_in_reach(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    us = frozenset({"boss", "mine", "new"})
    one = supervision(
        1, supervisor_id="boss", supervisor_name="Boss", agent_id="mine", agent_name="M"
    )
    two = supervision(
        2,
        supervisor_id="boss",
        supervisor_name="Boss",
        agent_id="other",
        agent_name="O",
        campaign="c",
    )
    three = supervision(3, supervisor_id="chief", supervisor_name="Chief", agent_id="mine")
    await write(
        engine,
        *(one, two, three),
        supervision(4, supervisor_id="far", agent_id="away"),
        segment(one, 1, campaign="in a segment"),
        segment(two, 1, campaign="of another's call"),
        call(1, agent_id="mine", agent_name="Old", list="L1"),
        call(2, agent_id="mine", agent_name="M", list="L2"),
        call(3, agent_id="away", list="L3", pbx="two"),
        call(4, agent_id="away", list="mine"),
        status(1, agent_id="away"),
    )
    history = History(engine)

    async def ask(ledger: str, field: str) -> list[tuple[str, str]]:
        found, more = await history.choices(ledger, field, "", 50, us)
        assert not more
        every, _ = await history.choices(ledger, field, "", 50)
        for choice in every:  # one by one the same as all together
            named = await history.named(ledger, field, choice.value, us)
            assert (named is not None) == (choice.value in [c.value for c in found]), choice
        return [(c.value, c.name) for c in found]

    assert await ask("supervisions", "supervisor") == [("boss", "Boss"), ("chief", "Chief")]
    # "three" has the tests' usual name for an agent, and is the latest
    assert await ask("supervisions", "agent") == [("mine", "Ann Agent"), ("other", "O")]
    assert [v for v, _ in await ask("supervisions", "campaign")] == ["in a segment", "spring"]
    assert await ask("calls", "agent") == [("mine", "M")]
    assert [v for v, _ in await ask("calls", "list")] == ["L1", "L2"]
    assert await ask("agent-status", "agent") == []
    assert [v for v, _ in await ask("calls", "pbx")] == ["lab", "two"]

    monkeypatch.setattr(choices, "ROWS_MOST", 3)
    monkeypatch.setattr(choices, "EACH_LEAST", 1)
    found, more = await history.choices("calls", "list", "", 50, us)
    assert ([c.value for c in found], more) == (["L2"], True), "older rows were not looked at"


MANY = frozenset(f"agent-{n}" for n in range(500))
RANGES: list[Any] = [{}, {"begin": 40 * DAY_MS, "end": 41 * DAY_MS}]


@pytest.mark.parametrize("paged", [False, True], ids=["first", "next"])
@pytest.mark.parametrize("within", RANGES, ids=["ever", "range"])
@pytest.mark.parametrize("ledger", [SUPERVISIONS, CALLS, STATUSES], ids=["s", "c", "a"])
async def test_a_reach_of_500_is_read_by_the_index_of_each(
    ledger: Any, within: dict[str, int], paged: bool, tmp_path: Path
) -> None:
    """No ledger is walked through: each person's newest rows are searched, and no more sorted than
    a page needs."""
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    make = {SUPERVISIONS: supervision, CALLS: call, STATUSES: status}[ledger]
    rows = [make(n, agent_id=f"agent-{n % 700}", started=n * 60_000) for n in range(2_100)]  # type: ignore[operator]
    await write(engine, *rows)
    said: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if sql.startswith("SELECT"):
            said.append((sql, values))

    event.listen(engine.sync_engine, "before_cursor_execute", hear)
    cursor = "MzUwMDAwMDAwMDphYg" if paged else None
    await History(engine).read(ledger, Query(limit=50, cursor=cursor, within=MANY, **within))
    table = ledger.table.name
    with closing(sqlite3.connect(tmp_path / "m.sqlite3")) as connection:
        for sql, values in said:
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            for line in plan:
                assert not line.startswith(f"SCAN {table}"), (sql, plan)
                if line.startswith(f"SEARCH {table}"):
                    assert (
                        "agent_id_started" in line
                        or "supervisor_id_started" in line
                        or ("length_ms" in sql)
                    ), (sql, plan)
    await engine.dispose()


async def test_a_page_of_a_team_reads_few_rows(tmp_path: Path) -> None:
    """However many the team has: a bound on the rows, not on the time that it takes."""
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    await write(engine, *(call(n, agent_id=f"agent-{n % 40}") for n in range(8_000)))
    team = frozenset(f"agent-{n}" for n in range(20))
    query = Query(limit=50, within=team)
    said: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        said.append((sql, values))

    event.listen(engine.sync_engine, "before_cursor_execute", hear)
    page = await History(engine).read(CALLS, query)
    assert [r.started for r in page.records][:2] == [8_979, 8_978]
    sql, values = said[-1]
    assert "started >=" in sql
    with closing(sqlite3.connect(tmp_path / "m.sqlite3")) as connection:
        unlimited = sql[: sql.rindex("LIMIT")]
        assert 51 <= len(connection.execute(unlimited, values[:-2]).fetchall()) <= 3 * 51
    await engine.dispose()
