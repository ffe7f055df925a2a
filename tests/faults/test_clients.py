"""Many clients, slow ones, and a crowd that comes back at once."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from monitord.api import sending
from monitord.api import stream as streams
from monitord.api.keys import STREAMS
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.words import LinkState
from tests.kit.centre import centre, until
from tests.kit.faults import Told
from tests.test_api_stream import level, open_socket

READERS = 50


@pytest.mark.fault("slow websocket client")
async def test_one_that_never_reads_beside_50_that_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only it is cut, in the daemon's own bounds of time and bytes."""
    monkeypatch.setattr(sending, "STALL_S", 1.0)
    async with centre(tmp_path) as here, AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(here.ina.stream()) for _ in range(READERS)]
        for page in pages:
            await page.until(lambda s: s.seq >= 0)
        stuck = await open_socket(here.sue, max_queue=1, compression=None)
        stuck.transport.pause_reading()
        await stuck.send('{"type":"subscribe"}')
        counted = here.daemon.web[STREAMS]
        await until(lambda: counted.count == READERS + 1)

        n = 0
        while counted.count > READERS:
            await here.advance(5)
            # More than the kernel's buffers take of whoever does not read.
            told = ev.LinkChanged(LinkState.LIVE, f"{n}" + "x" * 200_000)
            here.daemon.hub.apply("lab", told, At(1, 1))
            here.daemon.hub.flush()
            # Each of the others has it, before the next one is made.
            await asyncio.gather(*(p.until(lambda s: s.seq >= here.daemon.hub.seq) for p in pages))
            n += 1
        stuck.transport.abort()
        await stuck.wait_closed()
        assert counted.count == READERS
        for page in pages:
            await level(here, page)
            assert not [f for f in page.frames if f["type"] == "bye"]


async def crowd(folder: Path, clients: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """So many come back at once, of two people; the seconds that it took."""
    made: list[bytes] = []
    snapshot = streams.snapshot

    def counted(*of: object) -> bytes:
        made.append(snapshot(*of))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(streams, "snapshot", counted)
    async with centre(folder, agents=30, supervisors=6) as here:

        async def one(n: int) -> str:
            async with open_socket((here.ina, here.sue)[n % 2], open_timeout=60) as socket:
                await socket.send('{"type":"subscribe"}')
                await socket.recv()
                text = await socket.recv()
                await together.wait()  # all of them are connected at the same time
                assert isinstance(text, str)
                return text

        together = asyncio.Event()
        before = len(made)
        began = time.monotonic()
        tasks = [asyncio.create_task(one(n)) for n in range(clients)]
        counts = here.daemon.web[STREAMS]
        await until(lambda: counts.count == clients, "all are there")
        took = time.monotonic() - began
        together.set()
        pictures = await asyncio.gather(*tasks)
        frames = {json.loads(p)["epoch"]: p for p in pictures}
        assert len(set(pictures)) == len(frames), "the same bytes for each audience"
        assert len(made) - before == len(frames), "made once for each of them"
    return took


@pytest.mark.fault("reconnect storm")
async def test_a_crowd_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await crowd(tmp_path, 80, monkeypatch)


@pytest.mark.faults
@pytest.mark.fault("reconnect storm")
async def test_500_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    took = await crowd(tmp_path, 500, monkeypatch)
    told("500 clients that come back at once, both ends in one process", ms=round(took * 1000))
