"""An event loop without sockets, whose time passes only when nobody has anything left to do.

Whatever waits ten minutes there has waited no time at all, and the same run is the same each time.
The wall clock is the loop's own too, so that a test can set it while the daemon runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

STARTS_AT = 1_795_320_000
"""Wall time in s at which each run begins."""

BOOTED_AT = 5_000
"""The monotonic clock's time in s then, which has nothing to do with the other."""

Serve = Callable[[], asyncio.Protocol]
Connect = Callable[[asyncio.Protocol, asyncio.Protocol], None]
"""(the client's protocol, the server's): ties the two together."""


class StalledError(Exception):
    """Everybody waits, and nothing is due any more."""


class _Server:
    """Takes connections until it is closed."""

    def __init__(self, loop: VirtualLoop, port: int) -> None:
        self._loop, self._port = loop, port
        self.sockets = [self]

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def close(self) -> None:
        self._loop.servers.pop(self._port, None)


class VirtualLoop(asyncio.BaseEventLoop):
    """It is its own selector: no file is ever waited for."""

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._passed = 0.0
        self._selector = self
        self._connect = connect
        self.servers: dict[int, Serve] = {}
        self.wall_offset = 0.0
        """By how much the wall clock was set, in s."""
        self.failures: list[BaseException] = []
        """What was raised where nobody waits for it."""
        self.set_exception_handler(self._failed)

    # --- time --------------------------------------------------------------------------

    def time(self) -> float:
        return self._passed

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise StalledError
        self._passed += timeout
        return []

    def stall(self, seconds: float) -> None:
        """Something blocks the whole process for so long."""
        self._passed += seconds

    def wall(self) -> float:
        return STARTS_AT + self._passed + self.wall_offset

    # --- what an event loop has besides --------------------------------------------------

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context.get("message"))
        self.failures.append(error)

    # --- connections -----------------------------------------------------------------------

    async def create_server(self, serve: Serve, host: str, port: int) -> Any:  # type: ignore[override]
        port = port or 5038
        self.servers[port] = serve
        return _Server(self, port)

    async def create_connection(  # type: ignore[override]
        self, make: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[Any, Any]:
        await asyncio.sleep(0)
        serve = self.servers.get(port)
        if serve is None:
            raise ConnectionRefusedError(111, "Connection refused")
        near = make()
        self._connect(near, serve())
        return near.transport, near  # type: ignore[attr-defined]


@contextmanager
def clocks_of(loop: VirtualLoop) -> Iterator[None]:
    """Inside, everything in this process reads the loop's clocks."""
    with patch.multiple(
        time,
        monotonic=lambda: BOOTED_AT + loop.time(),
        monotonic_ns=lambda: round((BOOTED_AT + loop.time()) * 1e9),
        time=loop.wall,
        time_ns=lambda: round(loop.wall() * 1e9),
    ):
        yield


def run(loop: VirtualLoop, main: Awaitable[Any]) -> Any:
    """As asyncio.run, without a look at anything outside of this process."""
    asyncio.set_event_loop(loop)
    try:
        with clocks_of(loop):
            return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        with clocks_of(loop):
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()
