"""More than usual, and a loop that stands still in the middle of it. The simulator is a process of
its own, with the patience of a real Asterisk: it cuts who takes nothing for 5 s, or leaves 4 MB."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitord.app import Running
from tests.kit.centre import SECRET, until
from tests.kit.client import DEADLINE
from tests.kit.daemon import Site, daemon
from tests.kit.faults import Told
from tests.kit.ledger import read_ledger
from tests.kit.stores import SqliteStore
from tests.kit.truth import read_truth

SPEED = 10
"""Ten times the rate of a site with 200 agents: some 1,000 events a second."""

STALL_S = 3.0


@asynccontextmanager
async def busy(folder: Path) -> AsyncIterator[tuple[Running, SqliteStore]]:
    """A daemon on a site that does ten times the usual."""
    secret = folder / "secret-of-sim"
    secret.write_text(SECRET + "\n")
    simulator = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord.simulator", "--port", "0", "--speed", str(SPEED)),
        *("--agents", "200", "--supervisors", "20", "--secret-file", str(secret)),
        *("--truth", str(folder / "truth.jsonl"), "--roster", str(folder / "roster.json")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert simulator.stdout is not None
        port = int((await simulator.stdout.readline()).rsplit(b":", 1)[1])
        store = SqliteStore.in_folder(folder / "data")
        async with daemon(Site(ami_port=port, secret=SECRET, store=store), folder) as here:
            link = here.attachments["lab"].link
            await asyncio.wait_for(link.live.wait(), DEADLINE)
            yield here, store
            simulator.terminate()
            await simulator.wait()
            await until(lambda: not here.attachments["lab"]._items, "all items applied")
            assert here.attachments["lab"].failed == here.attachments["lab"].malformed == 0
            await here.recorder.settled()
    finally:
        if simulator.returncode is None:
            simulator.kill()
            await simulator.wait()


def nothing_lost(folder: Path, store: SqliteStore, since: float) -> int:
    """Each call that ended while we looked has its row, ended and with its result; how many."""
    calls = read_truth(folder / "truth.jsonl").calls
    rows = {row["call_id"]: row for row in read_ledger(store)["calls"]}
    ended = [c for c in calls if c.ended is not None and c.ended / 1000 > since]
    for call in ended:
        row = rows[call.of["call"]]
        assert row["ended_exact"] and row["ended"] is not None, (call, row)
        assert row["result"] == call.result, (call, row)
    return len(ended)


def virtual_now(folder: Path) -> float:
    """The simulator's clock, by what it said last."""
    last = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    return float(json.loads(last)["epoch"]) + 1.0


@pytest.mark.fault("AMI reader stall")
async def test_the_loop_stands_still_for_3_s(tmp_path: Path) -> None:
    async with busy(tmp_path) as (here, store):
        since = virtual_now(tmp_path)
        await until(lambda: virtual_now(tmp_path) > since + 20, "some of it came")
        time.sleep(STALL_S)
        now = virtual_now(tmp_path)
        await until(lambda: virtual_now(tmp_path) > now + 60, "and went on")
        lost = [g for s in here.hub.shards.values() for g in [s.gap] if g is not None]
        assert not lost and here.attachments["lab"].link.live.is_set(), "we were not cut"
    assert not read_ledger(store)["gaps"][:-1], "nor before"
    assert nothing_lost(tmp_path, store, since) > 20


async def burst(folder: Path, seconds: float) -> tuple[int, float]:
    """Calls that are whole in the ledger; the longest that anything waited to be applied, s."""
    async with busy(folder) as (here, store):
        since = virtual_now(folder)
        attachment, worst = here.attachments["lab"], 0.0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(0.05)
            if attachment._items:
                worst = max(worst, time.monotonic() - attachment._items[0].mono / 1000)
    return nothing_lost(folder, store, since), worst


@pytest.mark.fault("10× burst")
async def test_ten_times_the_usual(tmp_path: Path) -> None:
    calls, _ = await burst(tmp_path, 8)
    assert calls > 20


@pytest.mark.faults
@pytest.mark.fault("10× burst")
async def test_ten_times_the_usual_for_a_minute(tmp_path: Path, told: Told) -> None:
    calls, worst = await burst(tmp_path, 60)
    assert calls > 300
    told(
        "a minute at ten times the rate of 200 agents",
        calls_whole_in_the_ledger=calls,
        longest_wait_in_ms=round(worst * 1000),
    )
