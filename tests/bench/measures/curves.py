"""That cost grows in a straight line: with the number of live calls, and with that of clients.

The daemon is a process of its own, fed without a PBX, with the ledgers on disk. For each size the
same stretch of events is put in: one in ten changes something that is seen. What is told is the
daemon's CPU for one event; for clients that of one frame to all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.apart import apart, cpu_s, quietly, say, told
from tests.bench.fed import fed
from tests.bench.figures import Figure, Report
from tests.bench.texts import Calls
from tests.kit.client import Client

SEEN = 10
"""Of so many events one changes what is seen."""

TOGETHER = 50
"""Events put in at one moment."""

CALLS = "CPU, ms, of a second in which each live call brings one event, by live calls"
CLIENTS = "CPU, us, of a frame that all clients get, by clients"


@dataclass(frozen=True)
class Size:
    calls: tuple[int, ...]
    clients: tuple[int, ...]
    events: int
    live: int
    """Calls while clients are added."""


FULL = Size(
    (10, 30, 100, 300, 1000, 3000, 10_000), (1, 3, 10, 30, 100, 300, 1000, 2000), 20_000, 300
)
SMALL = Size((5, 10), (1, 2), 100, 5)


async def measure(rounds: int, size: Size = FULL) -> Report:
    calls = dict[int, list[float]]()
    clients = dict[int, list[float]]()
    for _ in range(rounds):
        for number, us in await _by_calls(size):
            calls.setdefault(number, []).append(us)
        for number, us in await _by_clients(size):
            clients.setdefault(number, []).append(us)
    # The least of the rounds: whatever else the machine did has only added to it.
    curves = {
        CALLS: [(float(n), min(found) * n / 1000) for n, found in calls.items()],
        CLIENTS: [(float(n), min(found)) for n, found in clients.items()],
    }
    few, many = min(calls), max(calls)
    half = max(n for n in clients if 2 * n <= max(clients))
    return Report(
        "curves",
        [
            Figure(
                f"CPU for an event at {many:,} live calls",
                f"at {few:,}",
                "us",
                calls[many],
                calls[few],
            ),
            Figure(
                f"CPU for a frame to each of {max(clients):,} clients",
                f"of {half:,}",
                "us",
                [us / max(clients) for us in clients[max(clients)]],
                [us / half for us in clients[half]],
            ),
        ],
        curves,
    )


async def _by_calls(size: Size) -> list[tuple[int, float]]:
    async with apart(__name__) as daemon:
        url = await daemon.said()
        found = []
        async with reading(url, 1):
            for number in size.calls:
                await daemon.tell([number, size.events])
                spent, events, _frames = await daemon.said()
                found.append((number, spent / events * 1e6))
        return found


async def _by_clients(size: Size) -> list[tuple[int, float]]:
    async with apart(__name__) as daemon:
        url = await daemon.said()
        await daemon.tell([size.live, size.events])
        spent, _events, frames = await daemon.said()
        alone, found = spent / frames, []
        for number in size.clients:
            async with reading(url, number):
                await daemon.tell([size.live, size.events])
                spent, _events, frames = await daemon.said()
                found.append((number, max(1e-6, spent / frames - alone) * 1e6))
        return found


@asynccontextmanager
async def reading(url: str, number: int) -> AsyncIterator[None]:
    """So many clients of one person, who read all they are sent: bare sockets, as what they cost
    is not to be measured."""
    async with Client(url) as ina:
        assert await ina.sign_in("ina") == 200
        tasks = list[asyncio.Task[None]]()
        ready = asyncio.Semaphore(0)
        try:
            for _ in range(number):
                tasks.append(asyncio.create_task(_read(ina, ready)))
                await ready.acquire()
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _read(client: Client, ready: asyncio.Semaphore) -> None:
    url = client.url.removeprefix("http://")
    host, _, port = url.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        (
            f"GET /api/v1/stream HTTP/1.1\r\nHost: {url}\r\nOrigin: {client.url}\r\n"
            f"Cookie: {client.cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ).encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head.splitlines()[0] + b" ", head
    text = b'{"type":"subscribe"}'
    writer.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)  # a mask of zeros
    await reader.read(65536)
    ready.release()
    with contextlib.suppress(asyncio.CancelledError):
        while await reader.read(1 << 20):
            pass
    writer.close()


# --- in the process apart --------------------------------------------------------------------


async def _main() -> None:
    """Told a number of live calls and of events: CPU seconds, events and frames of that stretch."""
    with tempfile.TemporaryDirectory() as folder:
        async with fed(Path(folder)) as here:
            say(here.daemon.url)
            live, calls, turn = 0, Calls(1_000_000), 0
            while True:
                try:
                    wanted, events = await told()
                except ValueError:  # nobody asks any more
                    return
                for n in range(live, wanted):
                    await here.put(calls.begin(n))
                live = max(live, wanted)
                stretch = []
                for n in range(events):
                    turn += 1
                    one = calls.label(turn % live, f"{turn}") if n % SEEN == 0 else None
                    stretch.append(one or calls.noise(turn % live))
                await here.settled()
                seq, cpu = here.daemon.hub.seq, cpu_s()
                for start in range(0, events, TOGETHER):
                    await here.put([t for one in stretch[start : start + TOGETHER] for t in one])
                await here.settled()
                say([cpu_s() - cpu, events, here.daemon.hub.seq - seq])
                print(f"{live} calls, {events} events", file=sys.stderr)


if __name__ == "__main__":
    quietly(_main)
