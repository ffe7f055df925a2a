"""What the core spends its time on: AMI's bytes through framing, translation, reducing and the
encoding for 100 clients, in this process, without sockets and without a database.

    python -m tests.bench.profile [--calls 300] [--running 300] [--filtered] [--clients 100]
                                  [--no-profile] [--lines 40] [--sort tottime] [--save FILE]

Prints events per second of CPU, without the profiler and then with it, by function.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType

from monitord.ami.attachment import Attachment
from monitord.ami.link import LinkSettings, Sink
from monitord.ami.protocol import Counters, Protocol, Wanted
from monitord.ami.translate import wanted_of
from monitord.api.stream import Streams
from monitord.config import load
from monitord.domain import events as ev
from monitord.domain.words import LinkState
from monitord.live.hub import Hub
from monitord.people.audience import audience_of
from monitord.people.bootstrap import everybody_of
from tests.bench.site import VIEWERS, settings
from tests.bench.traffic import stream

CHUNK = 64 << 10


class Transport:
    """Where one writes to: takes everything at once."""

    def __init__(self) -> None:
        self.frames = self.bytes = 0

    def write(self, data: bytes) -> None:
        self.frames += 1
        self.bytes += len(data)

    def abort(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> None:
        return None


class Fed:
    """In place of a link: the bytes through the real framing."""

    live = asyncio.Event()
    round_trip_ms = None
    heard = 0

    def __init__(self, sink: Sink, wanted: Wanted) -> None:
        self._sink = sink
        self._wanted = wanted
        self.counters = Counters()

    def now(self) -> ev.At:
        return ev.At(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def drop(self, why: str) -> bool:
        raise RuntimeError(why)

    async def confirm(self, uniqueid: str) -> None:
        raise RuntimeError(f"{uniqueid} is not known, though all was told")

    async def feed(self, data: bytes, idle: asyncio.Event) -> None:
        protocol = Protocol(self._sink, self._wanted, self.counters)
        protocol.transport, protocol.closed = Transport(), False  # type: ignore[assignment]
        for start in range(0, len(data), CHUNK):
            protocol.data_received(data[start : start + CHUNK])
            await asyncio.sleep(0)
        await idle.wait()


class Socket:
    """In place of a client's websocket that understands no compression."""

    compress = 0

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.transport = Transport()

    async def receive(self) -> Any:
        return type("Message", (), {"type": WSMsgType.TEXT, "data": '{"type":"subscribe"}'})

    def __aiter__(self) -> Socket:
        return self

    async def __anext__(self) -> Any:
        await asyncio.Event().wait()


async def through(data: bytes, clients: int, profiler: cProfile.Profile | None) -> dict[str, float]:
    """Seconds of this process' CPU, and what came out."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = load(settings(Path(folder), 1), {})
    everybody, records = everybody_of(loaded.first), 0

    def record(some: list[Any]) -> None:
        nonlocal records
        records += len(some)

    hub = Hub([("bench", "bench")], loaded.site, record)
    hub.know(everybody.roster.known(time.time_ns() // 1_000_000))
    made: list[Fed] = []

    def make_link(_: LinkSettings, sink: Sink) -> Any:
        made.append(Fed(sink, wanted_of(loaded.site.variables)))
        return made[-1]

    attachment = Attachment(loaded.links[0], hub.apply, hub.flush, make_link=make_link)
    link = made[0]
    for event in (
        *(ev.LinkChanged(LinkState.SYNCING), ev.BootSeen("b", "22"), ev.ResyncBegun()),
        *(ev.ResyncEnded(), ev.LinkChanged(LinkState.LIVE)),
    ):
        hub.apply("bench", event, link.now())
    streams, sockets = Streams(hub, list), [Socket() for _ in range(clients)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(attachment.run())]
        for login, socket in zip(VIEWERS, sockets, strict=False):
            audience = audience_of(everybody.roster.rights_of(login))
            serving: Any = streams.serve(
                socket,  # type: ignore[arg-type]
                socket.transport,  # type: ignore[arg-type]
                lambda audience=audience: audience,  # type: ignore[misc]
                lambda call: lambda: None,
            )
            tasks.append(group.create_task(serving))
        while not all(socket.transport.frames for socket in sockets):
            await asyncio.sleep(0.01)
        began = time.process_time()
        if profiler is not None:
            profiler.enable()
        await link.feed(data, attachment.idle)
        if profiler is not None:
            profiler.disable()
        spent = time.process_time() - began
        if attachment.failed or attachment.malformed or link.counters.malformed:
            raise RuntimeError("some of the bytes could not be applied")
        for task in tasks:
            task.cancel()
    return {
        "cpu_s": spent,
        "records": records,
        "frames": sum(s.transport.frames for s in sockets),
        "frame_bytes": sum(s.transport.bytes for s in sockets),
        "calls_left": len(hub.shards["bench"].calls),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--calls", type=int, default=300)
    options.add_argument("--running", type=int, default=300)
    options.add_argument("--clients", type=int, default=100)
    options.add_argument("--filtered", action="store_true", help="as the shipped filter passes")
    options.add_argument("--no-profile", action="store_true")
    options.add_argument("--lines", type=int, default=40)
    options.add_argument("--sort", default="tottime")
    options.add_argument("--save", type=Path, help="for snakeviz and the like")
    given = options.parse_args()
    data, events = stream(given.calls, running=given.running, filtered=given.filtered)
    told = asyncio.run(through(data, given.clients, None))
    print(f"{events:,} events, {len(data):,} bytes, {given.calls} calls, {given.clients} clients")
    print(
        f"{events / told['cpu_s']:,.0f} events/s of CPU, {told['cpu_s'] * 1e6 / events:.1f} us each"
    )
    print(", ".join(f"{name} {value:,.5g}" for name, value in told.items()))
    if given.no_profile:
        return
    profiler = cProfile.Profile()
    asyncio.run(through(data, given.clients, profiler))
    stats = pstats.Stats(profiler)
    if given.save is not None:
        stats.dump_stats(given.save)
    stats.sort_stats(given.sort).print_stats(given.lines)


if __name__ == "__main__":
    main()
