"""Reading the ledgers: each filter, and pages that lose and repeat nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.words import EndReason, SpyType
from monitord.store.engine import open_store, sqlite_url
from monitord.store.history import CursorError, History, Query, UnreadableError
from monitord.store.recorder import Recorder
from tests.kit.records import alias, call, gap, segment, status, supervision
from tests.kit.stores import Store


@pytest.fixture
async def engine(store: Store) -> AsyncIterator[AsyncEngine]:
    opened = await open_store(store.url)
    yield opened
    await opened.dispose()


async def write(engine: AsyncEngine, *records: Any) -> None:
    recorder = Recorder(engine)
    recorder.take(list(records))
    assert await recorder.write()


@pytest.mark.parametrize("seed", range(5))
async def test_paging_while_rows_are_added(seed: int, engine: AsyncEngine) -> None:
    """Many rows of the same instant, new ones above while somebody reads down."""
    rng = random.Random(seed)
    old = [supervision(n, started=rng.randrange(20)) for n in range(rng.randrange(1, 90))]
    await write(engine, *old)
    history, limit = History(engine), rng.randrange(1, 12)
    seen: list[str] = []
    cursor: str | None = None
    fresh = 1000
    while True:
        page = await history.supervisions(Query(limit=limit, cursor=cursor))
        seen += [r.id for r in page.records]
        fresh += 1
        await write(engine, supervision(fresh, started=100 + fresh))
        if page.next is None:
            break
        cursor = page.next
    expected = sorted(old, key=lambda r: (r.started, r.id), reverse=True)
    assert seen == [r.id for r in expected]


FILTERS: list[Any] = [
    pytest.param({}, [3, 2, 1, 0], id="none"),
    pytest.param({"supervisor": "sue"}, [3, 1, 0], id="supervisor"),
    pytest.param({"agent": "bob"}, [3], id="agent"),
    pytest.param({"campaign": "summer"}, [1], id="campaign"),
    pytest.param({"type": "Barge"}, [2], id="type"),
    pytest.param({"pbx": "two"}, [2], id="pbx"),
    pytest.param({"campaign": "winter"}, [0], id="campaign-of-an-earlier-call"),
    pytest.param({"type": "Coach"}, [], id="type-as-shown"),
    pytest.param({"type": "Coach", "possible": True}, [3], id="type-that-may-have-been"),
    pytest.param({"end_reason": "hung up"}, [1], id="end-reason"),
    pytest.param({"begin": 1_100}, [3, 2, 0], id="what-ended-before-is-out"),
    pytest.param({"begin": 1_050}, [3, 2, 1, 0], id="what-still-ran-is-in"),
    pytest.param({"end": 1_002}, [1, 0], id="end-is-without"),
    pytest.param({"begin": 1_001, "end": 1_003, "supervisor": "sue"}, [1, 0], id="all-must-fit"),
    pytest.param({"alias": "7.5"}, [0], id="call-id"),
    pytest.param({"alias": "7.99"}, [0], id="other-name-of-the-call"),
    pytest.param({"alias": "7.100"}, [], id="no-such-call"),
    pytest.param({"supervisor": "x' OR '1'='1"}, [], id="quoted"),
]


@pytest.mark.parametrize("fields, expected", FILTERS)
async def test_each_filter(
    fields: dict[str, Any], expected: list[int], engine: AsyncEngine
) -> None:
    phone = call(5)
    rows = [
        supervision(0),
        supervision(1, campaign="summer", ended=1_100, length_ms=99, end_reason=EndReason.HUNG_UP),
        supervision(2, supervisor_id="tom", type=SpyType.BARGE, pbx="two"),
        supervision(3, agent_id="bob", at_least=True),
    ]
    parts = [
        segment(rows[0], 1, call=phone.id, campaign="winter"),
        segment(rows[0], 2, call=None, campaign="spring"),
    ]
    await write(engine, *rows, *parts, phone, alias("7.5", phone), alias("7.99", phone))
    history = History(engine)
    page = await history.supervisions(Query(limit=50, **fields))
    assert [r.id for r in page.records] == [rows[n].id for n in expected]
    assert page.next is None
    if "alias" in fields:
        calls = await history.calls(Query(limit=50, alias=fields["alias"]))
        assert [c.id for c in calls.records] == ([phone.id] if expected else [])


async def test_the_other_ledgers(engine: AsyncEngine) -> None:
    await write(engine, call(1), call(2, agent_id="bob"), status(1), status(2, agent_id="bob"))
    await write(engine, gap(1), gap(2, ended=5))
    history = History(engine)
    mine = Query(limit=10, agent="bob")
    assert [c.agent_id for c in (await history.calls(mine)).records] == ["bob"]
    assert [s.agent_id for s in (await history.statuses(mine)).records] == ["bob"]
    assert [g.id for g in (await history.gaps(Query(limit=10))).records] == ["g2", "g1"]


async def test_one_supervision_with_its_segments(engine: AsyncEngine) -> None:
    row = supervision(1)
    await write(engine, row, segment(row, 2), segment(row, 1))
    found = await History(engine).supervision(row.id)
    assert found is not None and found[0] == row and [s.n for s in found[1]] == [1, 2]
    assert await History(engine).supervision("f" * 20) is None


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "OjE", "LTE6aWQ", "NToA", "OTk5OTk5OTk5OTk5OTk5OTk5OTox"]
)
async def test_cursor_garbage(cursor: str, engine: AsyncEngine) -> None:
    with pytest.raises(CursorError):
        await History(engine).supervisions(Query(limit=1, cursor=cursor))


@pytest.mark.fault("network partition daemon–DB / daemon–PBX")
async def test_a_database_that_is_gone(tmp_path: Path) -> None:
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    await engine.dispose()
    for file in tmp_path.iterdir():
        file.unlink()
    (tmp_path / "m.sqlite3").mkdir()
    with pytest.raises(UnreadableError):
        await History(engine).supervision("f" * 20)
    await engine.dispose()
