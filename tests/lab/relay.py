"""A relay between an AMI client and its server, which can do what bad networks do."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Self

from tests.lab.ports import HOST

BLOCK = 65536


@dataclass(eq=False)
class _Pair:
    """One client, and the connection that the relay has made for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    lost: bool = False  # bytes of it were swallowed: it can never be made good


class Relay:
    """Listens on a port of its own and forwards to `target`.

        async with Relay(server.ports.ami) as relay:
            connect to relay.port; relay.cut(); ...

    The faults act on the connections that are there and on those to come.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.connections = 0  # how many were ever accepted
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._swallows = False
        self._delay = 0.0

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._pairs)

    # ---- the faults

    def cut(self) -> None:
        """Both sides of every connection are reset, now; new ones are still accepted."""
        for pair in self._pairs:
            pair.client.transport.abort()
            pair.server.transport.abort()
        self._pairs.clear()

    async def refuse(self) -> None:
        """`cut`, and nobody listens any more on this port."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def accept(self) -> None:
        """The way back from `refuse`, on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def swallow(self) -> None:
        """A blackhole: connections stay open, new ones open, and nothing comes through."""
        self._swallows = True

    def delay(self, seconds: float) -> None:
        """Every block comes through so much later, in order and complete."""
        self._delay = seconds

    def let_through(self) -> None:
        """The way back from `swallow` and `delay`.

        A connection of which bytes were swallowed is reset, as TCP would do: it must not go
        on in the middle of a message.
        """
        self._swallows = False
        self._delay = 0.0
        for pair in [pair for pair in self._pairs if pair.lost]:
            pair.client.transport.abort()
            pair.server.transport.abort()
            self._pairs.discard(pair)

    # ---- the work

    async def _accepted(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            from_server, server = await asyncio.open_connection(HOST, self.target)
        except OSError:
            client.transport.abort()
            return
        pair = _Pair(client, server)
        self._pairs.add(pair)
        for source, sink in ((reader, server), (from_server, client)):
            task = asyncio.create_task(self._forward(pair, source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(
        self, pair: _Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while block := await source.read(BLOCK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                if self._swallows:
                    pair.lost = True
                    continue
                sink.write(block)
                await sink.drain()
        if self._swallows:  # nor does the end of a connection come through
            pair.lost = True
            return
        self._pairs.discard(pair)
        sink.close()
