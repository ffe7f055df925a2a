"""The recorder: what it took is on disk in the end, in its latest state, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.ledger import Record
from monitord.store import engine as engines
from monitord.store import recorder as recorders
from monitord.store.engine import open_store
from monitord.store.filters import Query
from monitord.store.history import SUPERVISIONS, History
from monitord.store.recorder import Recorder
from tests.kit.centre import until
from tests.kit.records import alias, call, gap, segment, status, supervision
from tests.kit.stores import Store


@pytest.fixture
async def engine(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    # A lock is waited for only that long, so that the tests are fast.
    monkeypatch.setattr(engines, "BUSY_MS", 50)
    monkeypatch.setattr(recorders, "RETRY_S", 0.02)
    opened = await open_store(store.url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def recorder(engine: AsyncEngine) -> AsyncIterator[Recorder]:
    made = Recorder(engine)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.wait([task])


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in store.read(sql)]


async def test_each_kind_and_the_latest_state(recorder: Recorder, store: Store) -> None:
    first = supervision(1)
    phone = call(1)
    recorder.take([first, segment(first, 1), phone, alias("7.9", phone), status(1), gap(1)])
    await recorder.settled()
    recorder.take([supervision(1, campaign="summer")])
    recorder.take([supervision(1, campaign="autumn", ended=5_000)])
    await recorder.settled()
    assert rows(store, "SELECT campaign, ended FROM supervision") == [("autumn", 5_000)]
    for table in ("segment", "call", "call_alias", "agent_status", "gap"):
        assert rows(store, f'SELECT count(*) FROM "{table}"') == [(1,)], table


async def test_what_was_told_is_found_by_whoever_reads(
    recorder: Recorder, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commits are some time apart; the page asks for the history as soon as the stream shows a
    supervision, and asks once."""
    monkeypatch.setattr(recorders, "EVERY_S", 3600)
    history = History(engine, recorder.caught_up)
    for n in range(1, 4):
        recorder.take([supervision(n)])
        assert len((await history.supervisions(Query(limit=9))).records) == n
        recorder.take([supervision(n, ended=5_000)])
        assert await history.count(SUPERVISIONS, Query(limit=9)) == n
        found = await history.supervision(f"{n:020x}")
        assert found is not None and found[0].ended == 5_000


@pytest.mark.fault("DB locked")
async def test_whoever_reads_waits_for_no_lock(
    recorder: Recorder, engine: AsyncEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "BEHIND_S", 0.05)
    recorder.take([supervision(1)])
    await recorder.settled()
    async with store.locked():
        recorder.take([supervision(2)])
        history = History(engine, recorder.caught_up)
        assert len((await history.supervisions(Query(limit=9))).records) == 1
        await until(lambda: recorder.failing, "it says that it cannot write")
        assert len((await history.supervisions(Query(limit=9))).records) == 1


@pytest.mark.fault("DB locked")
async def test_a_lock_is_survived_and_all_is_written(recorder: Recorder, store: Store) -> None:
    recorder.take([supervision(0)])
    await recorder.settled()
    async with store.locked():
        for n in range(1, 300):
            recorder.take([supervision(n)])
        await until(lambda: recorder.failing, "it says that it cannot write")
        recorder.take([supervision(7, ended=9_000), supervision(300)])
        assert rows(store, "SELECT count(*) FROM supervision") == [(1,)], "still read meanwhile"
    await recorder.settled()
    assert recorder.failing == "" and recorder.dropped == 0
    assert rows(store, "SELECT count(*) FROM supervision") == [(301,)]
    assert rows(store, f"SELECT ended FROM supervision WHERE id='{7:020x}'") == [(9_000,)]


@pytest.mark.fault("DB locked")
async def test_a_stop_in_the_middle_of_a_write(engine: AsyncEngine, store: Store) -> None:
    """A cancelled transaction kept SQLite's lock, and its rows were lost."""
    recorder = Recorder(engine)
    task = asyncio.create_task(recorder.run())
    async with store.locked():
        recorder.take([supervision(n) for n in range(50)])
        await until(lambda: recorder._busy)
        task.cancel()
        await asyncio.wait([task])
    recorder.take([supervision(3, ended=7_000)])
    assert await recorder.drain() == 0
    assert rows(store, "SELECT count(*) AS n, max(ended) FROM supervision") == [(50, 7_000)]


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_a_stop_at_any_moment(engine: AsyncEngine, store: Store, turns: int) -> None:
    recorder = Recorder(engine)
    task = asyncio.create_task(recorder.run())
    recorder.take([supervision(n) for n in range(50)])
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert await recorder.drain() == 0
    assert rows(store, "SELECT count(*) FROM supervision") == [(50,)]


async def test_drain_says_what_it_left(engine: AsyncEngine, store: Store) -> None:
    recorder = Recorder(engine)
    recorder.take([supervision(1), supervision(2)])
    async with store.locked():
        assert await recorder.drain(deadline_s=0.1) == 2
    assert await recorder.drain() == 0


@pytest.mark.fault("DB locked")
async def test_what_waits_is_bounded(
    engine: AsyncEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "WAITING_MOST", 10)
    recorder = Recorder(engine)
    async with store.locked():
        recorder.take([supervision(n) for n in range(6)])
        writing = asyncio.create_task(recorder.write())
        await until(lambda: recorder._busy)
        recorder.take([supervision(n) for n in range(6, 20)])
        assert not await writing
        assert recorder.dropped == 10, "the batch under way counts as well"
        recorder.take([supervision(2, ended=5_000)])  # newer state of a row that waits
    assert await recorder.drain() == 0
    assert rows(store, "SELECT count(*) AS n, max(ended) FROM supervision") == [(10, 5_000)]


async def test_the_heartbeat(engine: AsyncEngine, store: Store) -> None:
    recorder = Recorder(engine)
    recorder.live = lambda: {"lab": 5_000, "other": 6_000}
    assert await recorder.write(), "without any row"
    first = rows(store, "SELECT pbx, last_seen FROM attachment ORDER BY pbx")
    assert [p for p, _ in first] == ["lab", "other"]
    recorder.live = lambda: {"lab": 7_000}
    recorder.take([gap(1)])
    await until(lambda: True)
    assert await recorder.write()
    again = dict(rows(store, "SELECT pbx, last_seen FROM attachment"))
    assert again["other"] == dict(first)["other"], "a PBX that is lost is not seen any more"
    assert again["lab"] >= dict(first)["lab"]


async def test_nothing_to_do_writes_nothing(engine: AsyncEngine) -> None:
    recorder = Recorder(engine)
    assert await recorder.write() and await recorder.write()
    assert await recorder.drain() == 0
    records: list[Record] = []
    recorder.take(records)
    await recorder.settled()
