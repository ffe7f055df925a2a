"""The wall clock jumps while calls and supervisions run: lengths are true all the same, and nothing
runs out."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import signal
import time
from pathlib import Path

import pytest

from monitord.simulator import Settings, Simulator, User
from tests.faults.killing import name_supervisors
from tests.kit.centre import SECRET
from tests.kit.client import Client
from tests.kit.daemon import Site
from tests.kit.faketime import WallClock
from tests.kit.ledger import read_ledger
from tests.kit.stores import SqliteStore
from tests.kit.truth import read_truth
from tests.lab.install import LabMissing, required
from tests.test_cli import start

SPEED = 20
"""Simulated seconds in a real one, so that calls end within the test."""

SLACK_MS = 2000
LASTS_S = 4
"""Before each jump, and after the last one."""

SUMMER_ENDS = dt.datetime(2026, 10, 25, 0, 59, 55, tzinfo=dt.UTC).timestamp()
"""In Berlin the hour after 02:00 comes twice from five seconds later on."""

JUMPS: dict[str, list[float]] = {
    "an hour on": [0, 3600],
    "an hour back": [0, -3600],
    "to and fro": [0, 3600, -3600, 0],
    "the end of summer time": [SUMMER_ENDS - time.time()],
}


@pytest.mark.fault("clock jump ±1 h, DST, NTP step")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("an hour on", marks=pytest.mark.faults),
        "an hour back",
        pytest.param("to and fro", marks=pytest.mark.faults),
        pytest.param("the end of summer time", marks=pytest.mark.faults),
    ],
)
async def test_jumps(tmp_path: Path, name: str) -> None:
    try:
        clock = WallClock(tmp_path)
    except LabMissing as missing:
        if required():
            raise
        pytest.skip(str(missing))
    first, *others = JUMPS[name]
    clock.jump(first)
    truth = tmp_path / "truth.jsonl"
    settings = Settings(User(secret=SECRET), port=0, speed=SPEED, seed=3, truth=str(truth))
    store = SqliteStore.in_folder(tmp_path / "data")
    async with Simulator(settings) as sim:
        site = Site(ami_port=sim.port, secret=SECRET, store=store)
        name_supervisors(site, sim)
        config = str(site.write(tmp_path))
        environment = {**clock.environment, "TZ": "Europe/Berlin"}
        process = await start(tmp_path, "run", "--config", config, **environment)
        assert process.stderr is not None
        said = ""
        async with asyncio.timeout(60):
            while (match := re.search(r"the page at (http://\S+)", said)) is None:
                more = (await process.stderr.readline()).decode()
                assert more, said
                said += more
        drain = asyncio.create_task(process.stderr.read())
        began = time.monotonic()
        async with Client(match[1]) as ina:
            assert await ina.sign_in("ina") == 200
            async with ina.stream() as page:
                await page.until(lambda s: any(p["link"] == "live" for p in s.of("pbx")), "live")
                for seconds in [*others, None]:
                    until = time.monotonic() + LASTS_S
                    while time.monotonic() < until:
                        await page.next()
                    await ina.get("/api/v1/supervisions")  # still signed in
                    before = len(page.of("agent"))
                    if seconds is not None:
                        clock.jump(seconds)
                await page.level()
                assert len(page.of("agent")) >= before, "nobody is taken for gone"
                assert {p["link"] for p in page.of("pbx")} == {"live"}, "no connection was given up"
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)
        took_ms = (time.monotonic() - began) * 1000
        log = (await drain).decode()
    assert "Traceback" not in log, log
    true = {one.of["call"]: one for one in read_truth(truth).calls}
    ledger = read_ledger(store)
    ended = [r for r in ledger["calls"] if r["ended"] is not None]
    assert len(ended) > 3
    for row in [*ended, *(r for r in ledger["supervisions"] if r["ended"] is not None)]:
        assert row["length_ms"] >= 0 and row.get("waiting_ms", 0) >= 0
    for row in ended:
        one = true[row["call_id"]]
        if row["started_exact"] and row["ended_exact"]:
            length = (one.ended - one.started) / SPEED
            assert abs(row["length_ms"] - length) < SLACK_MS, (row, one)
    seen = [s for s in ledger["supervisions"] if s["started_exact"] and s["ended_exact"]]
    assert all(s["length_ms"] < took_ms + SLACK_MS for s in seen if s["ended"] is not None)
    assert not ledger["gaps"]
