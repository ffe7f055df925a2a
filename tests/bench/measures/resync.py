"""Reading all state again: 20,000 channels of one PBX.

The PBX is a process of its own with its lists made beforehand. Against it, each in a new process:
the daemon, from beginning to read until all is applied and live; and stock panoramisk, from asking
for the same list until it has it. Then the daemon as it runs at a site, with a client of its
stream: from being connected again after a cut until that client has the whole picture right.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from panoramisk import Manager

from monitord.app import running
from monitord.domain.views import Pbx
from monitord.domain.words import LinkState
from monitord.live.hub import Frame
from tests.bench.apart import apart, cpu_s, quietly, say
from tests.bench.figures import Figure, Goal, Report
from tests.bench.lists import SECRET, call_ids
from tests.browser.conftest import process
from tests.kit.client import Client, Stream
from tests.kit.daemon import Site

DEADLINE_S = 120.0


@dataclass(frozen=True)
class Size:
    calls: int
    """With two channels each."""


FULL = Size(calls=10_000)
SMALL = Size(calls=50)


async def measure(rounds: int, size: Size = FULL) -> Report:
    ours, theirs = list[tuple[float, float]](), list[tuple[float, float]]()
    async with apart("tests.bench.lists", size.calls, rounds) as pbx:
        port = await pbx.said()
        for _ in range(rounds):
            for who, found in (("ours", ours), ("theirs", theirs)):
                async with apart(__name__, who, port, size.calls) as reader:
                    found.append(await reader.said())
        again = list[float]()
        with tempfile.TemporaryDirectory() as folder:
            site = Site(ami_port=port, secret=SECRET)
            async with process(site.write(Path(folder))) as url, watching(url) as stream:
                await _right(stream, size.calls, 0)
                for round_ in range(rounds):
                    await pbx.tell("cut")
                    connected = await pbx.said()
                    await _right(stream, size.calls, round_ + 1)
                    again.append(time.time() - connected)
    channels = f"{2 * size.calls:,} channels"
    return Report(
        "resync",
        [
            Figure(
                f"resync of {channels}, CPU",
                "stock panoramisk collects the list",
                "s",
                [cpu for _, cpu in ours],
                [cpu for _, cpu in theirs],
                Goal("most", 0.5),
                note="CPU: both wait for nothing else, and it is the steadier.",
            ),
            Figure(
                f"resync of {channels}, by the clock",
                "stock panoramisk collects the list",
                "s",
                [seconds for seconds, _ in ours],
                [seconds for seconds, _ in theirs],
            ),
            Figure(
                f"page right again, {channels}",
                "",
                "s",
                again,
                goal=Goal("most", 2),
                note="From being connected again; one call in ten is another then.",
            ),
        ],
    )


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Stream]:
    async with Client(url) as ina:
        assert await ina.sign_in("ina") == 200
        async with ina.stream() as stream:
            yield stream


async def _right(stream: Stream, calls: int, edition: int) -> None:
    """Until the client sees that the PBX is live, and exactly its calls."""
    wanted = set(call_ids(calls, edition))
    async with asyncio.timeout(DEADLINE_S):
        while True:
            (pbx,) = stream.of("pbx") or [{"link": ""}]
            seen = stream.of("call")
            whole = pbx["link"] == "live" and len(seen) == calls
            if whole and {call["call_id"] for call in seen} == wanted:
                return
            stream.frames.clear()
            with contextlib.suppress(TimeoutError):
                await stream.next()


# --- in a process apart ----------------------------------------------------------------------


async def _ours(port: int, calls: int) -> tuple[float, float]:
    """Seconds, and CPU seconds."""
    begun, done = [(0.0, 0.0)], asyncio.Event()

    def look(frame: Frame) -> None:
        for change in frame.changes:
            if isinstance(change.new, Pbx):
                if change.new.link is LinkState.SYNCING:
                    begun[0] = time.perf_counter(), cpu_s()
                elif change.new.link is LinkState.LIVE:
                    begun.append((time.perf_counter(), cpu_s()))
                    done.set()

    with tempfile.TemporaryDirectory() as folder:
        site = Site(ami_port=port, secret=SECRET)
        async with running(site.load(Path(folder))) as daemon:
            daemon.hub.listen(look)
            async with asyncio.timeout(DEADLINE_S):
                await done.wait()
            assert len(daemon.hub.shards["lab"].calls) == calls
    (at, cpu), (end, end_cpu) = begun
    return end - at, end_cpu - cpu


async def _theirs(port: int, calls: int) -> tuple[float, float]:
    manager = Manager(host="127.0.0.1", port=port, username="monitord", secret=SECRET)
    await manager.connect()
    await manager.send_action({"Action": "Ping"})
    at, cpu = time.perf_counter(), cpu_s()
    found = await manager.send_action({"Action": "Status"})
    end, end_cpu = time.perf_counter(), cpu_s()
    manager.close()
    assert sum(message.event == "Status" for message in found) == 2 * calls
    return end - at, end_cpu - cpu


async def _main() -> None:
    who, port, calls = sys.argv[1:]
    run = {"ours": _ours, "theirs": _theirs}[who]
    say(await run(int(port), int(calls)))


if __name__ == "__main__":
    quietly(_main)
