"""What overlaps a range of time, by which index it is found, and what a filter can be set to."""

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

from monitord.domain.words import AgentStatus, Direction
from monitord.store import choices
from monitord.store.engine import open_store, sqlite_url
from monitord.store.filters import DAY_MS
from monitord.store.history import CALLS, STATUSES, SUPERVISIONS, History, Query
from monitord.store.recorder import Recorder
from tests.kit.records import call, segment, status, supervision
from tests.kit.stores import Store

HOUR = 3_600_000


@pytest.fixture
async def engine(store: Store) -> AsyncIterator[AsyncEngine]:
    opened = await open_store(store.url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """For plans: PostgreSQL's hang on what is in the tables, which here is little."""
    opened = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    yield opened
    await opened.dispose()


async def write(engine: AsyncEngine, *records: Any) -> None:
    recorder = Recorder(engine)
    recorder.take(list(records))
    assert await recorder.write()


def made_up(rng: random.Random, n: int) -> Any:
    """A status that lasts from seconds to weeks, still lasts, or whose length nobody knows."""
    started = rng.randrange(60 * DAY_MS)
    span = rng.choice([5_000, HOUR, DAY_MS - 1, DAY_MS, 3 * DAY_MS, 30 * DAY_MS])
    span = rng.randrange(1, span + 1)
    fields: dict[str, Any] = {"started": started, "agent_id": rng.choice(["ann", "bob"])}
    if rng.random() < 0.9:
        fields |= {"ended": started + span, "length_ms": span if rng.random() < 0.9 else None}
    return status(n, **fields)


@pytest.mark.parametrize("seed", range(6))
async def test_a_range_finds_all_that_overlaps_it(seed: int, engine: AsyncEngine) -> None:
    rng = random.Random(seed)
    rows = [made_up(rng, n) for n in range(400)]
    await write(engine, *rows)
    history = History(engine)
    for _ in range(12):
        begin = rng.randrange(70 * DAY_MS)
        end = begin + rng.choice([1, HOUR, DAY_MS, 20 * DAY_MS])
        agent = rng.choice([None, "ann"])
        expected = sorted(
            (
                r
                for r in rows
                if r.started < end
                and (r.ended is None or r.ended > begin)
                and agent in (None, r.agent_id)
            ),
            key=lambda r: (r.started, r.id),
            reverse=True,
        )
        query = Query(limit=rng.randrange(1, 40), begin=begin, end=end, agent=agent)
        seen = [r async for batch in history.batches(STATUSES, query) for r in batch]
        assert seen == expected
        assert await history.count(STATUSES, query) == len(expected)
        most = rng.randrange(1, 50)
        assert await history.count(STATUSES, query, most) == min(most, len(expected))


PLACE = "(started<?)"
PLANS: list[Any] = [
    pytest.param(SUPERVISIONS, {}, "ix_supervision_started_id", id="all"),
    pytest.param(
        SUPERVISIONS, {"supervisor": "sue"}, "ix_supervision_supervisor_id_", id="supervisor"
    ),
    pytest.param(SUPERVISIONS, {"agent": "ann"}, "ix_supervision_agent_id_", id="agent"),
    pytest.param(SUPERVISIONS, {"type": "Barge"}, "ix_supervision_type_", id="type"),
    pytest.param(SUPERVISIONS, {"campaign": "spring"}, "ix_supervision_started_id", id="campaign"),
    pytest.param(
        SUPERVISIONS,
        {"type": "Barge", "possible": True},
        "ix_supervision_started_id",
        id="possible",
    ),
    # of several filters the one with the fewest rows leads, not the first in the alphabet
    *(
        pytest.param(SUPERVISIONS, {name: "x", **more}, f"ix_supervision_{name}_id_", id=f"{name}+")
        for name in ("supervisor", "agent")
        for more in ({"type": "Barge", "campaign": "spring", "end_reason": "hung up"},)
    ),
    pytest.param(
        CALLS,
        {"agent": "ann", "campaign": "spring", "queue": "x", "list": "x", "result": "x"},
        "ix_call_agent_id_",
        id="calls-agent+",
    ),
    pytest.param(CALLS, {"number": "x", "campaign": "spring"}, "ix_call_number_", id="number+"),
    pytest.param(CALLS, {}, "ix_call_started_id", id="calls"),
    *(
        pytest.param(CALLS, {name: "x"}, f"ix_call_{column}_started_id", id=f"calls-{name}")
        for name, column in {
            "agent": "agent_id",
            "campaign": "campaign",
            "list": "list",
            "result": "result",
            "queue": "queue",
            "number": "number",
        }.items()
    ),
    pytest.param(STATUSES, {}, "ix_agent_status_started_id", id="statuses"),
    pytest.param(STATUSES, {"agent": "ann"}, "ix_agent_status_agent_id_", id="statuses-agent"),
    pytest.param(
        STATUSES, {"status": "paused"}, "ix_agent_status_started_id", id="statuses-status"
    ),
]
RANGES: list[Any] = [
    pytest.param({}, id="ever"),
    pytest.param({"begin": 40 * DAY_MS, "end": 41 * DAY_MS}, id="range"),
]


@pytest.mark.parametrize("paged", [False, True], ids=["first", "next"])
@pytest.mark.parametrize("within", RANGES)
@pytest.mark.parametrize("ledger, fields, index", PLANS)
async def test_read_in_the_order_of_an_index(
    ledger: Any, fields: dict[str, Any], index: str, within: dict[str, int], paged: bool,
    on_sqlite: AsyncEngine, tmp_path: Path,
) -> None:  # fmt: skip
    """No ledger is walked through or sorted for a page of it."""
    cursor = "MzUwMDAwMDAwMDphYg" if paged else None
    said: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if sql.startswith("SELECT"):
            said.append((sql, values))

    event.listen(on_sqlite.sync_engine, "before_cursor_execute", hear)
    await History(on_sqlite).read(ledger, Query(limit=50, cursor=cursor, **fields, **within))
    assert len(said) == (2 if within else 1)
    with closing(sqlite3.connect(tmp_path / "m.sqlite3")) as connection:
        plans = [
            [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            for sql, values in said
        ]
    table = ledger.table.name
    first = plans[0]
    assert f"{table} USING INDEX {index}" in first[0], first
    assert "TEMP B-TREE" not in " ".join(first)
    if paged:
        assert "(started,id)<(?,?)" in first[0], first
    for lines in plans:
        for line in lines:
            # a campaign may have millions of them, a supervision has a handful
            assert "segment" not in line or "ix_segment_supervision_n" in line, lines
            # the whole index in its order, which ends after a page, or a search in one
            assert f"SCAN {table}" not in line or index in line, lines
    for lines in plans[1:]:
        assert f"SCAN {table}" not in " ".join(lines), lines


async def test_choices_are_what_the_ledger_holds(engine: AsyncEngine) -> None:
    owner = supervision(3, campaign=None, agent_id=None, agent_name=None)
    await write(
        engine,
        supervision(1, supervisor_name="Sue Before"),
        supervision(2, supervisor_id="tom", supervisor_name="Tom Trainer", campaign="Äpfel"),
        supervision(9),
        owner,
        segment(owner, 1, campaign="only in a segment"),
        call(1, campaign="of a call", queue=""),
        status(1, agent_id="bob", agent_name="Bob"),
    )
    history = History(engine)

    async def ask(
        ledger: str, field: str, typed: str = "", most: int = 50
    ) -> tuple[list[Any], bool]:
        found, more = await history.choices(ledger, field, typed, most)
        return [(c.value, c.name) for c in found], more

    people = [("sue", "Sue Supervisor"), ("tom", "Tom Trainer")]
    assert await ask("supervisions", "supervisor") == (people, False), "by their latest name"
    assert await ask("supervisions", "supervisor", "TRAIN") == (people[1:], False)
    assert await ask("supervisions", "supervisor", most=1) == (people[:1], True)
    campaigns = ["only in a segment", "spring", "Äpfel"]
    assert [v for v, _ in (await ask("supervisions", "campaign"))[0]] == campaigns
    assert await ask("supervisions", "campaign", "äp") == ([("Äpfel", "Äpfel")], False)
    assert await ask("supervisions", "agent") == ([("ann", "Ann Agent")], False)
    assert await ask("calls", "campaign") == ([("of a call", "of a call")], False)
    assert await ask("calls", "queue") == ([], False), "no queue is no choice"
    assert await ask("agent-status", "agent") == ([("bob", "Bob")], False)
    assert await history.named("supervisions", "supervisor", "sue") == choices.Choice(
        "sue", "Sue Supervisor"
    )
    assert await history.named("supervisions", "supervisor", "nobody") is None


async def test_choices_beyond_the_bound_are_said_to_be_more(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "SCANNED_MOST", 5)
    await write(engine, *(call(n, campaign=f"c{n}") for n in range(6)))
    found, more = await History(engine).choices("calls", "campaign", "", 50)
    assert (len(found), more) == (5, True)
    found, more = await History(engine).choices("calls", "campaign", "c0", 50)
    assert ([c.value for c in found], more) == (["c0"], True)


@pytest.mark.parametrize("ledger, field", list(choices.SOURCES))
async def test_each_choice_is_found_by_looks_into_an_index(
    ledger: str, field: str, on_sqlite: AsyncEngine, tmp_path: Path
) -> None:
    said: list[tuple[str, Any]] = []
    event.listen(
        on_sqlite.sync_engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, values, *_: said.append((sql, values)),
    )
    await History(on_sqlite).choices(ledger, field, "", 50)
    asked = [one for one in said if "RECURSIVE" in one[0]]
    assert len(asked) == len(choices.SOURCES[ledger, field])
    with closing(sqlite3.connect(tmp_path / "m.sqlite3")) as connection:
        for sql, values in asked:
            plan = [r[3] for r in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            tables = {"supervision", "segment", "call", "agent_status"}
            looks = [line for line in plan if set(line.split()) & tables]
            assert looks
            for line in looks:
                # the first value of all is the first entry of the index
                first = plan.index(line) < plan.index("RECURSIVE STEP")
                assert line.startswith("SEARCH") or first, plan
                assert "INDEX ix_" in line, plan
            assert "TEMP B-TREE" not in " ".join(plan)


async def test_the_other_filters_of_calls_and_statuses(engine: AsyncEngine) -> None:
    rows = [
        call(1, direction=Direction.OUTBOUND, number="+44 20", list="L", result="SALE"),
        call(2, queue="sales", pbx="two"),
        status(1, status=AgentStatus.PAUSED),
        status(2),
    ]
    await write(engine, *rows)
    history = History(engine)

    async def calls(**fields: Any) -> list[str]:
        return [c.id for c in (await history.calls(Query(limit=9, **fields))).records]

    for fields in (
        {"direction": "outbound"},
        {"number": "+44 20"},
        {"list": "L"},
        {"result": "SALE"},
    ):
        assert await calls(**fields) == [rows[0].id]
    for fields in ({"queue": "sales"}, {"pbx": "two"}):
        assert await calls(**fields) == [rows[1].id]
    assert await calls(number="4420") == [], "as stored"
    paused = await history.statuses(Query(limit=9, status="paused"))
    assert [s.id for s in paused.records] == ["s1"]
