"""Another program holds the database, and for long: the live view notices nothing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from monitord.store import engine as engines
from monitord.store import recorder as recorders
from tests.kit.centre import Centre, centre, until
from tests.kit.client import Stream
from tests.kit.ledger import read_ledger
from tests.kit.stores import Store

LONG_S = 60.0


async def held(folder: Path, store: Store, seconds: float) -> None:
    """Somebody else's lock, for at least so long, while calls come and go."""
    async with centre(folder, store=store) as here, here.ina.stream() as page:
        await page.until(lambda s: s.of("supervision"))
        await here.daemon.recorder.settled()
        before = read_ledger(store)
        seen: dict[str, dict[str, object]] = {}
        async with store.locked():
            end = time.monotonic() + seconds
            while time.monotonic() < end or not here.daemon.recorder.failing:
                await here.advance(10)
                await shown(here, page, seen)
                assert (await here.ina.http.get("/api/v1/supervisions")).status in (200, 503)
                await asyncio.sleep(min(0.5, seconds / 20))
            waiting = here.daemon.recorder.failing
            assert waiting, "it says why nothing is written"
            now = read_ledger(store)
            assert {r["id"] for r in now["calls"]} == {r["id"] for r in before["calls"]}
        await until(lambda: not here.daemon.recorder.failing, "it says that it writes again")
        await here.daemon.recorder.settled()
        await shown(here, page, seen)
        after = read_ledger(store)
        rows = {row["id"]: row for name in ("calls", "supervisions") for row in after[name]}
        assert seen.keys() <= rows.keys() and len(seen) > len(before["supervisions"])
        for id_, entity in seen.items():
            assert rows[id_]["started"] == entity["started"]
        assert here.daemon.recorder.dropped == 0


async def shown(here: Centre, page: Stream, seen: dict[str, dict[str, object]]) -> None:
    """The page has the server's picture within a second, whatever the database does."""
    began = time.monotonic()
    await page.until(lambda s: s.seq >= here.daemon.hub.seq)
    assert time.monotonic() - began < 1.0
    for kind in ("call", "supervision"):
        seen |= page.entities[kind]


@pytest.mark.fault("DB locked")
async def test_held_for_a_while(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 50)
    monkeypatch.setattr(recorders, "RETRY_S", 0.05)
    await held(tmp_path, store, 1.0)


@pytest.mark.faults
@pytest.mark.fault("DB locked")
async def test_held_for_60_s(tmp_path: Path, store: Store) -> None:
    await held(tmp_path, store, LONG_S)
