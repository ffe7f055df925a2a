"""The one writer of the ledgers: takes records as they come, commits them in batches, in order.

A row counts as saved after COMMIT with fsync. While the database does not take it (locked, disk
full, its server away), records wait here, the newest state of each row only, and are tried again;
the live view goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.domain.ledger import Record, key_of
from monitord.store.engine import reason_of, uncut
from monitord.store.rows import TABLE_OF
from monitord.store.turns import in_turn
from monitord.store.upsert import write_records, write_seen

HEARTBEAT_S = 10.0
"""How far at most the last sign of life in the database lies before a kill."""

RETRY_S = 1.0

EVERY_S = 0.2
"""From one commit to the next at least: each costs more than many rows, and a row that changes
again meanwhile is written once. A kill loses no more than that, and the gap that is marked then
begins before it, at the last commit."""

BEHIND_S = 1.0
"""How long at most whoever reads waits for what was said before."""

WAITING_MOST = 500_000
"""Rows that may wait for a database that takes nothing, some 400 MB; beyond that new rows are
dropped, counted and logged, since running out of memory would lose all of them."""


Observe = Callable[[AsyncConnection, Sequence[Record]], Awaitable[None]]


class Recorder:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.live: Callable[[], Mapping[str, int]] = dict
        """Gives the PBXs that are attached right now, and for each the wall time in ms up to
        which all that it said has been given to us."""
        self.blank: Callable[[Record], Record] = lambda record: record
        """Takes out of a row what was erased while it waited."""
        self.observe: Observe | None = None
        """Writes into the audit log what a batch says, in its transaction."""
        self.committed: Callable[[frozenset[type]], None] = lambda kinds: None
        """Told after each commit which kinds of records it had."""
        self._waiting: dict[tuple[object, ...], Record] = {}
        self._writing = 0
        """Rows of the batch that is being committed."""
        self._some = asyncio.Event()
        self._written = asyncio.Condition()
        self._busy = False
        self.taken = 0
        self._committed = 0
        """As far as ``taken`` had come when the last batch that was committed began."""
        self.dropped = 0
        self.failing: str = ""
        """Why the database takes nothing just now; empty while it does."""
        self._last_beat = 0.0
        self._last_write = 0.0
        self._waiters = 0
        self._awaited = asyncio.Event()
        """Set while somebody waits for the rows to be committed."""
        self._log = structlog.get_logger("store")

    def take(self, records: list[Record]) -> None:
        """Queue records; a later state of a row replaces an earlier one that still waits."""
        for record in records:
            key = key_of(record)
            waiting = len(self._waiting) + self._writing
            if key not in self._waiting and waiting >= WAITING_MOST:
                self.dropped += 1
                if self.dropped in (1, 1000, 100_000):
                    self._log.error("rows_dropped", rows=self.dropped, why=self.failing)
                continue
            self._waiting[key] = record
            self.taken += 1
        self._some.set()

    async def run(self) -> None:
        """Until cancelled; then what waits is written once more by :meth:`drain`."""
        while True:
            timeout = max(0.05, self._last_beat + HEARTBEAT_S - time.monotonic())
            # Not wait_for, which on Python 3.11 loses a cancellation that comes with the result.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._some.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._last_write + EVERY_S - time.monotonic()):
                    await self._awaited.wait()
            if not await uncut(self.write()):
                await asyncio.sleep(RETRY_S)

    async def write(self) -> bool:
        """Commit all that waits. False where the database did not take it."""
        batch, self._waiting, taken = self._waiting, {}, self.taken
        # At the same moment: what comes while we write is not in this transaction.
        seen = dict(self.live())
        self._some.clear()
        beat = time.monotonic() - self._last_beat >= HEARTBEAT_S
        if not batch and not beat:
            return True
        self._busy, self._writing = True, len(batch)
        self._last_write = time.monotonic()
        done = False
        try:
            async with in_turn(self._engine) as connection:
                records = [self.blank(record) for record in batch.values()]
                for cls in TABLE_OF:
                    await write_records(connection, cls, [r for r in records if type(r) is cls])
                if self.observe is not None:
                    await self.observe(connection, records)
                await write_seen(connection, seen)
            done = True
        except (SQLAlchemyError, OSError) as error:
            why = reason_of(error)
            if not self.failing:
                self._log.error("not_written", why=why, waiting=len(batch) + len(self._waiting))
            self.failing = why
            return False
        finally:
            # Also where the daemon stops in the middle: the drain writes them then. Newer states
            # of the same rows may have come while we tried.
            if not done:
                self._waiting = batch | self._waiting
                self._some.set()
            self._busy, self._writing = False, 0
        if self.failing:
            self._log.info("written_again")
            self.failing = ""
        self._last_beat = time.monotonic()
        self._committed = taken
        self.committed(frozenset(type(r) for r in batch.values()))
        async with self._written:
            self._written.notify_all()
        return True

    async def settled(self) -> None:
        """Wait until nothing waits to be committed."""
        async with self._at_once(), self._written:
            while self._waiting or self._busy:
                await self._written.wait()

    async def caught_up(self) -> None:
        """Wait until all that was taken so far is committed, so that whoever saw something on the
        stream finds it in the ledger; no longer than ``BEHIND_S``, and not at all while the
        database takes nothing."""
        taken = self.taken
        if self._committed >= taken or self.failing:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEHIND_S), self._at_once(), self._written:
                while self._committed < taken:
                    await self._written.wait()

    @contextlib.asynccontextmanager
    async def _at_once(self) -> AsyncIterator[None]:
        """Meanwhile commits do not wait for more."""
        self._waiters += 1
        self._awaited.set()
        try:
            yield
        finally:
            self._waiters -= 1
            if not self._waiters:
                self._awaited.clear()

    async def drain(self, deadline_s: float = 5.0, give_up_s: float = 20.0) -> int:
        """Write what waits, at the end of the daemon. Gives the number of rows left unwritten.

        Tried again for ``deadline_s``; a server that does not even say no is given up after
        ``give_up_s``.
        """
        writing = asyncio.create_task(self._drain(deadline_s))
        if not (await asyncio.wait([writing], timeout=give_up_s))[0]:
            writing.cancel()
            await asyncio.wait([writing], timeout=give_up_s)
        if writing.done() and not writing.cancelled():
            writing.result()
        return len(self._waiting) + self._writing

    async def _drain(self, deadline_s: float) -> None:
        end = time.monotonic() + deadline_s
        while self._waiting and time.monotonic() < end:
            if not await self.write():
                await asyncio.sleep(0.2)
        self._last_beat = 0.0
        await self.write()
