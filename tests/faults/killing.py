"""A daemon in a process of its own that is killed again and again while calls and supervisions come
and go, and what its ledger says in the end."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from monitord.simulator import Settings, Simulator, User
from tests.kit.centre import SECRET
from tests.kit.daemon import Site
from tests.kit.day import READ
from tests.kit.ledger import read_ledger
from tests.kit.proof import whole
from tests.kit.slack import RealTime, eased
from tests.kit.stores import Store
from tests.kit.truth import Row, Truth, instant, read_truth
from tests.test_cli import start

SLACK_MS = 2000
"""The simulator's clock is the true one, the daemon stamps what it gets when it gets it. Between
the two are two event loops of a machine on which other tests run as well; on an idle one it is some
milliseconds."""

HEARTBEAT_MS = 10_000
"""What a kill may cost of the last sign of life in the ledger."""

RUN_S = 2.0
"""How long a daemon lives on the average, once it is attached."""

EARLY = 0.2
"""Share of the kills that come while it starts."""

START_S = 60.0
_LIVE = re.compile(rb"\] live\b")


@dataclass
class Killed:
    """What a series of kills has left."""

    kills: int = 0
    early: int = 0
    """Of these, before it was attached."""
    truth: Truth | None = None
    ledger: dict[str, list[Row]] = field(default_factory=dict)
    ahead_ms: int = 0
    compared: RealTime | None = None
    kept: int = 0
    """Rows that were on disk at a kill and were there to the end."""


Ended = dict[tuple[str, str], Row]


async def killed(folder: Path, store: Store, seed: int, kills: int) -> Killed:
    """Checks after each kill that nothing committed is lost, and in the end everything."""
    choose = random.Random(seed)
    here = Killed()
    before: Ended = {}
    settings = Settings(
        User(secret=SECRET, read=READ),
        port=0,
        speed=0,  # until time is let go, below
        seed=seed,
        agents=200,
        supervisors=40,
        truth=str(folder / "truth.jsonl"),
    )
    async with Simulator(settings) as sim, _time_passes(sim) as passing:
        site = Site(ami_port=sim.port, secret=SECRET, keypad=True, store=store)
        name_supervisors(site, sim)
        config = str(site.write(folder))
        await asyncio.sleep(0)
        sim.clock.catch_up()
        here.ahead_ms = time.time_ns() // 1_000_000 - instant(sim.clock.wall)
        while here.kills < kills:
            process = await start(folder, "run", "--config", config)
            live_at: int | None = None
            early = here.kills > 0 and choose.random() < EARLY
            if early:
                here.early += 1
                await asyncio.sleep(choose.random() * 2)
            else:
                await attached(process)
                live_at = time.time_ns() // 1_000_000
                await asyncio.sleep(choose.expovariate(1 / RUN_S))
            process.kill()
            at = time.time_ns() // 1_000_000
            said = await process.communicate()
            assert process.returncode == -signal.SIGKILL, said
            here.kills += 1
            before = _nothing_lost(before, store)
            _heartbeat(store, at, live_at)
            if here.kills % 10 == 0:
                await whole(store)
        process = await start(folder, "run", "--config", config)
        await attached(process)
        await _all_written(passing, store)
        process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), START_S)
        assert process.returncode == 0, (out, err)
    await whole(store)
    here.kept = len(_nothing_lost(before, store))
    here.truth = read_truth(folder / "truth.jsonl")
    here.ledger = read_ledger(store)
    return here


def name_supervisors(site: Site, sim: Simulator) -> None:
    """Those who are not on the test's roster yet. A daemon that comes in the middle of a take-over
    knows only by them who of the bridge is the supervisor."""
    site.people += "".join(
        f'[[people]]\nid = "{one.endpoint}"\nname = "{one.name}"\nendpoints = ["{one.device}"]\n'
        for one in sim.centre.floor.supervisors[2:]
    )


@asynccontextmanager
async def _time_passes(sim: Simulator) -> AsyncIterator[asyncio.Task[None]]:
    """Like the machine's; until the task is cancelled."""
    task = asyncio.create_task(sim.clock.run(1))
    try:
        yield task
    finally:
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(end, asyncio.CancelledError), end


async def attached(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(START_S):
        while _LIVE.search(said) is None:
            more = await process.stderr.read(4096)
            assert more, said
            said += more


async def _all_written(passing: asyncio.Task[None], store: Store) -> None:
    """Time stands still, and the ledger says that all up to here is in it."""
    passing.cancel()
    at = time.time_ns() // 1_000_000
    async with asyncio.timeout(START_S):
        while store.read("SELECT last_seen FROM attachment")[0]["last_seen"] <= at:
            await asyncio.sleep(0.2)


def _nothing_lost(before: Ended, store: Store) -> Ended:
    """All rows of the ledger; each of the ones before is there, and what had ended is as it was."""
    now = {(name, row["id"]): row for name, rows in read_ledger(store).items() for row in rows}
    for key, row in before.items():
        assert key in now, f"a committed row is gone: {row}"
        if row["ended"] is not None:
            # A result or a label may be told after the end; when it was, never.
            same = ("started", "ended", "ended_after", "ended_exact", "end_reason")
            assert {k: row.get(k) for k in same} == {k: now[key].get(k) for k in same}, (
                f"an ended row was changed: {row} became {now[key]}"
            )
    return now


def _heartbeat(store: Store, killed_at: int, live_at: int | None) -> None:
    """The last sign of life is at most ten seconds old; of a daemon that was attached for a shorter
    time than its first commit may take, it is still the one before's."""
    rows = store.read("SELECT last_seen FROM attachment")
    if not rows:
        return
    seen = rows[0]["last_seen"]
    assert seen <= killed_at
    if live_at is not None and killed_at - live_at > SLACK_MS:
        least = max(killed_at - HEARTBEAT_MS, live_at) - SLACK_MS
        assert seen >= least, f"seen {killed_at - seen} ms before the kill, live {live_at}"


def compare(here: Killed) -> list[str]:
    """What of the ledger is not the truth, in words."""
    assert here.truth is not None
    gaps = [(gap["started"], gap["ended"]) for gap in here.ledger["gaps"]]
    assert gaps and all(b is not None for _, b in gaps), "a gap was left open"
    ahead = here.ahead_ms
    first = min(row["started"] for row in here.ledger["statuses"])
    unseen = [(0, first - ahead), *((a - ahead, b - ahead) for a, b in gaps)]
    ledger = eased(here.ledger, here.truth, SLACK_MS, ahead)
    here.compared = RealTime(here.truth, ledger, unseen, slack_ms=SLACK_MS)
    return here.compared.run()


def counts(here: Killed) -> dict[str, int]:
    """For docs/reliability.md."""
    assert here.compared is not None
    return {
        "kills": here.kills,
        "while it started": here.early,
        "rows on disk at a kill and kept": here.kept,
        "rows held against the truth": here.compared.exact + here.compared.windows,
        "wrong": len(here.compared.wrong),
    }
