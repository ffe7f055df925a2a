"""What the others notice of a client that reads nothing, and when it is cut."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from tests.bench.figures import Figure, Goal, Report
from tests.bench.latencies import latencies, p99
from tests.bench.live import stage
from tests.bench.site import VIEWERS
from tests.bench.traffic import stream
from tests.bench.worker import Worker

RATE = 2000
SECONDS = 8.0
CUT_S = 25.0
"""How long its cut is waited for."""


class Size(NamedTuple):
    rate: int = RATE
    seconds: float = SECONDS
    running: int = 300
    viewers: tuple[str, ...] = tuple(VIEWERS)


USUAL, TINY = Size(), Size(200, 1.0, 20)


async def measure(rounds: int, size: Size = USUAL) -> Report:
    rate, seconds, running, viewers = size
    data, _ = stream(int(3 * rounds * rate * seconds / 100) + running, running=running)
    alone: list[float] = []
    beside: list[float] = []
    cut: list[float] = []
    waited: list[float] = []
    async with stage(data) as s:
        await s.crowd.ask("open", url=s.daemon.url, logins=viewers)
        for _ in range(rounds):
            alone.append(p99(await latencies(s.feeder, s.crowd, rate, seconds)))
            async with Worker("tests.bench.crowd") as other:
                # Its twin, who reads, tells how much has been sent since.
                await other.ask("stall", url=s.daemon.url, login="all")
                await other.ask("open", url=s.daemon.url, logins=["all"], deflate=False)
                gone = asyncio.create_task(other.ask("cut", seconds=CUT_S))
                beside.append(p99(await latencies(s.feeder, s.crowd, rate, seconds)))
                after = await gone
                if after is None:
                    raise RuntimeError(f"the stalled client was not cut within {CUT_S:g} s")
                cut.append(after)
                waited.append(sum((await other.ask("told"))["bytes"]) / 1e6)
    return Report(
        "stalled",
        [
            Figure(
                *(f"p99 of {len(viewers)} clients beside one that reads nothing", "without it"),
                *("ms", beside, alone),
                goal=Goal("most", 1.2),
            ),
            Figure(
                *("when it is cut, after the last byte that it took", "", "s", cut),
                goal=Goal("most", 5.0),
            ),
            Figure(
                *("what it was sent at most by then", "", "MB", waited),
                goal=Goal("most", 2.0),
                note="What a client beside it got that sees the same and reads.",
            ),
        ],
    )
