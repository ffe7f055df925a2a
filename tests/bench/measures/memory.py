"""What live calls cost in memory, and that ended ones cost nothing.

The daemon is a process of its own, fed without a PBX, with the ledgers in SQLite and two clients of
the stream, with and without whole numbers, that read all they are sent. Resident memory is read
after a garbage collection, when the allocator has given back what it can.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.apart import Apart, apart, quietly, resident_mb, say, told
from tests.bench.fed import Fed, fed
from tests.bench.figures import Figure, Goal, Report
from tests.bench.texts import Calls
from tests.kit.client import Client

TOGETHER = 20
"""Calls that begin, or end, in one frame of the stream."""

GROWTH_MB = 8
"""What a million ended calls may add: 8 bytes for each. Whatever is really kept of a call takes a
hundred times that; what an allocator does by itself stays below."""


@dataclass(frozen=True)
class Size:
    live: int
    ended: int
    agents: int
    warm_up: int
    """Calls that have ended before anything is measured: the bounded places, such as the stream's
    log for those who come back, are full then."""


FULL = Size(live=10_000, ended=1_000_000, agents=1000, warm_up=40_000)
SMALL = Size(live=40, ended=200, agents=20, warm_up=40)


async def measure(rounds: int, size: Size = FULL) -> Report:
    live = [
        (await _in_child("live", size.live, size.live, 2 * size.live))[0] for _ in range(rounds)
    ]
    ended = await _in_child("ended", size.ended, size.agents, size.warm_up)
    per = 10_000 / size.live
    before, after = ended[0][1], ended[-1][1]
    return Report(
        "memory",
        [
            Figure(
                f"resident memory per 10,000 live calls ({size.live:,} measured)",
                "",
                "MB",
                [(full - empty) * per for empty, full in live],
                goal=Goal("most", 40),
            ),
            Figure(
                f"resident memory after {size.ended:,} ended calls",
                f"after {size.warm_up:,}",
                "MB",
                [after],
                [before],
                Goal("most", GROWTH_MB),
                "difference",
                "One in ten answered, as a dialler has them; each on record as it ended.",
            ),
        ],
        {"resident memory, MB, by ended calls": ended},
    )


async def _in_child(what: str, *sizes: int) -> list[tuple[float, float]]:
    async with apart(__name__, what, *sizes) as child:
        async with readers(child):
            await child.tell("go")
            found: list[tuple[float, float]] = await child.said()
        return [(a, b) for a, b in found]


@asynccontextmanager
async def readers(child: Apart) -> AsyncIterator[None]:
    """Two who see all, one of them without numbers."""
    url = await child.said()
    async with AsyncExitStack() as stack:
        tasks = []
        for login in ("ina", "sue"):
            client = await stack.enter_async_context(Client(url))
            assert await client.sign_in(login) == 200
            stream = await stack.enter_async_context(client.stream())
            tasks.append(asyncio.create_task(_read(stream.socket)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _read(socket: object) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        async for _ in socket:  # type: ignore[attr-defined]
            pass


# --- in the process apart --------------------------------------------------------------------


async def _through(here: Fed, calls: Calls, first: int, count: int) -> None:
    """Calls that begin and end, some at a time."""
    for start in range(first, first + count, TOGETHER):
        some = range(start, min(start + TOGETHER, first + count))
        await here.put([text for n in some for text in calls.begin(n)])
        await here.put([text for n in some for text in calls.end(n)])


async def _live(here: Fed, live: int, agents: int, warm_up: int) -> list[tuple[float, float]]:
    """Memory without and with that many live calls. Only once in a process: what an allocator has
    had it hands out again."""
    calls = Calls(agents)
    await _through(here, calls, 0, warm_up)
    await here.settled()
    empty = resident_mb()
    for start in range(warm_up, warm_up + live, TOGETHER):
        some = range(start, min(start + TOGETHER, warm_up + live))
        await here.put([text for n in some for text in calls.begin(n)])
    await here.settled()
    assert len(here.daemon.hub.shards["lab"].calls) == live
    return [(empty, resident_mb())]


async def _mixed(here: Fed, calls: Calls, first: int, count: int) -> None:
    """As a dialler has them: one in ten is answered, and seen by the clients; all are on record."""
    for start in range(first, first + count, TOGETHER):
        some = range(start, min(start + TOGETHER, first + count))
        answered = some[::10]
        rest = [text for n in some if n not in answered for text in calls.unanswered(n)]
        await here.put([text for n in answered for text in calls.begin(n)] + rest)
        await here.put([text for n in answered for text in calls.end(n)])


async def _ended(here: Fed, ended: int, agents: int, warm_up: int) -> list[tuple[float, float]]:
    """Memory after so many more ended calls."""
    calls = Calls(agents)
    await _mixed(here, calls, 0, warm_up)
    await here.settled()
    found, step = [(0.0, resident_mb())], ended // 10
    for part in range(10):
        await _mixed(here, calls, warm_up + part * step, step)
        await here.settled()
        found.append(((part + 1.0) * step, resident_mb()))
        print(f"{found[-1][0]:,.0f} ended calls: {found[-1][1]:.1f} MB", file=sys.stderr)
    return found


async def _main() -> None:
    what, *sizes = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        async with fed(Path(folder)) as here:
            say(here.daemon.url)
            await told()
            count, agents, warm_up = map(int, sizes)
            run = {"live": _live, "ended": _ended}[what]
            say(await run(here, count, agents, warm_up))


if __name__ == "__main__":
    quietly(_main)
