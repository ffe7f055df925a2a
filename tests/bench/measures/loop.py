"""How long the daemon's event loop is blocked at most, at 2,000 events a second.

Something that is due every 2 ms notes how late it came. A processor that is busy with other work
makes it late as well, so the same watch runs in a process that does nothing else.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any, NamedTuple

from tests.bench.figures import Figure, Goal, Report
from tests.bench.live import Stage, stage
from tests.bench.site import VIEWERS
from tests.bench.traffic import stream

SECONDS = 8.0
RATE = 2000
RUNNING = 300


class Size(NamedTuple):
    rate: int = RATE
    seconds: float = SECONDS
    running: int = RUNNING
    viewers: tuple[str, ...] = tuple(VIEWERS)


USUAL, SMALL = Size(), Size(200, 0.5, 20, ("all",))


async def watched(s: Stage, rate: float, seconds: float) -> Any:
    """What the watch in the daemon saw meanwhile."""
    os.kill(s.daemon.pid, signal.SIGUSR2)
    await s.feeder.ask("pace", rate=rate, seconds=seconds)
    file = s.folder / "watched.json"
    file.unlink(missing_ok=True)
    os.kill(s.daemon.pid, signal.SIGRTMIN)
    async with asyncio.timeout(10):
        while not file.exists():
            await asyncio.sleep(0.01)
    return s.watched()


async def measure(rounds: int, size: Size = USUAL) -> Report:
    rate, seconds, running, viewers = size
    data, _ = stream(int(rounds * rate * seconds / 100) + running, running=running)
    seen, idle = [], []
    async with stage(data, watch=True) as s:
        await s.crowd.ask("open", url=s.daemon.url, logins=viewers)
        for _ in range(rounds):
            idle.append(await watched(s, 0, seconds / 2))
            seen.append(await watched(s, rate, seconds))
    load = f"{rate:,} events/s, {len(viewers)} clients"
    return Report(
        "loop",
        [
            Figure(
                *(f"longest block of the event loop, {load}", ""),
                *("ms", [x["longest_ms"] for x in seen]),
                goal=Goal("most", 100.0),
            ),
            Figure("the same with no event at all", "", "ms", [x["longest_ms"] for x in idle]),
            Figure("p99 of lateness", "", "ms", [x["p99_ms"] for x in seen]),
            Figure(
                *("longest garbage collection, part of it", ""),
                *("ms", [x["gc_longest_ms"] for x in seen]),
            ),
        ],
    )
