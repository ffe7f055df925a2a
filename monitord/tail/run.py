"""Putting it together: the connection drives what is written, as table, text or JSON lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TextIO

from rich.console import Console
from rich.live import Live

from monitord.api import wire
from monitord.tail.connection import Connection, RefusedError
from monitord.tail.happenings import ConnectionLine, Follower, Line
from monitord.tail.picture import Delta
from monitord.tail.plain import plain
from monitord.tail.safe import json_line
from monitord.tail.table import Screen

REFRESH_S = 0.5


class ReaderGoneError(Exception):
    """Nobody reads what is written any more, as after `| head`."""


class Lines:
    """Each happening as a line, given to the reader at once."""

    def __init__(self, file: TextIO, form: Callable[[Line], str]) -> None:
        self._file = file
        self._form = form
        self._follower = Follower()
        self._connected: bool | None = None

    def delta(self, delta: Delta) -> bool:
        lines = self._follower.take(delta)
        if lines is None:
            return False
        self._write(lines)
        return True

    def place(self) -> tuple[str, int] | None:
        return self._follower.picture.place

    def connection(self, *, live: bool, why: str) -> None:
        if live is self._connected:
            return  # another try that failed
        self._connected = live
        at = time.time_ns() // 1_000_000
        self._write([ConnectionLine("connection", at, "live" if live else "lost", why)])

    def measured(self, lags: list[wire.Lag], offset_ms: float, trip_ms: float | None) -> None:
        """Lines carry the server's own times."""

    def _write(self, lines: list[Line]) -> None:
        for line in lines:
            try:
                self._file.write(self._form(line) + "\n")
                self._file.flush()
            except BrokenPipeError:
                raise ReaderGoneError from None
            except OSError as error:
                raise RefusedError(f"the output cannot be written: {error.strerror}") from None


class Drawn:
    """The table in place."""

    def __init__(self, origin: str, live: Live) -> None:
        self._follower = Follower()
        self._screen = Screen(origin, self._follower)
        self._live = live
        self.draw()

    def draw(self) -> None:
        self._live.update(self._screen.render(self._live.console), refresh=True)

    def delta(self, delta: Delta) -> bool:
        taken = self._follower.take(delta) is not None
        if taken:
            self.draw()
        return taken

    def place(self) -> tuple[str, int] | None:
        return self._follower.picture.place

    def connection(self, *, live: bool, why: str) -> None:
        self._screen.connection(live=live, why=why)
        self.draw()

    def measured(self, lags: list[wire.Lag], offset_ms: float, trip_ms: float | None) -> None:
        self._screen.measured(lags, offset_ms, trip_ms)


async def tail(origin: str, login: str, password: str, *, as_json: bool, file: TextIO) -> None:
    """Follow until cancelled.

    Raises:
        RefusedError: with what to do.
        ReaderGoneError: it need not go on.
    """
    console = Console(file=file)
    if as_json or not console.is_terminal or console.is_dumb_terminal:
        lines = Lines(file, json_line if as_json else plain)
        await Connection(origin, login, password, lines).run()
        return
    with Live(console=console, auto_refresh=False) as live:
        drawn = Drawn(origin, live)
        async with _ticking(drawn.draw):
            await Connection(origin, login, password, drawn).run()


@asynccontextmanager
async def _ticking(draw: Callable[[], None]) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            draw()

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
