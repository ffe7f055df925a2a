"""Rows that are older than the site keeps them are removed, a few at a time, so that nobody waits.
Each removal stands in the audit log, whose own rows are never removed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Table, delete, func, not_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Entry
from monitord.audit.log import AuditLog
from monitord.audit.verify import EXPIRED
from monitord.people.erased import is_pseudonym
from monitord.people.store import write_setting
from monitord.privacy.holds import held_now, held_rows
from monitord.privacy.rules import DAY_MS, Keep, clock_fault
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.turns import in_turn

FIRST_S = 600.0
"""After a start: a clock that the network puts right is right by then."""

EVERY_S = 3600.0
PAUSE_S = 0.05
"""Between two chunks, for those who wait to write."""

CHUNK = 200
KEYS_CHUNK = 500
LAST_RUN = "privacy.retention"
"""Name of the setting in which the last run stands."""

Place = tuple[int, str]


class Run(Struct, frozen=True):
    """How it went last."""

    at: int
    """ms UTC."""
    rows: dict[str, int] = {}
    """Removed, by table."""
    why: str = ""
    """Why nothing, or not all, was removed."""


class Retention:
    def __init__(
        self,
        engine: AsyncEngine,
        audit: AuditLog,
        keep: Keep,
        forget: Callable[[Collection[str]], None] = lambda supervisions: None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        steady: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        """``forget``: is told the supervisions that were removed. ``clock`` gives ms UTC,
        ``steady`` ms that nobody puts forward or back."""
        self._engine, self._audit = engine, audit
        self.keep = keep
        self._forget = forget
        self._log = structlog.get_logger("privacy")
        self._wall, self._mono = clock, steady
        self._wall_0, self._mono_0 = clock(), steady()

    async def run(self) -> None:
        """Until cancelled; a chunk that was begun is ended."""
        if not self.keep.by_table():
            await asyncio.Event().wait()
        await asyncio.sleep(FIRST_S)
        while True:
            await self.once()
            await asyncio.sleep(EVERY_S)

    async def last(self) -> Run | None:
        """
        Raises:
            SQLAlchemyError, OSError: it cannot be read.
        """
        named = tables.setting.c.name == LAST_RUN
        async with self._engine.connect() as connection:
            value = await connection.scalar(select(tables.setting.c.value).where(named))
        return None if value is None else msgspec.json.decode(value, type=Run)

    async def once(self) -> Run:
        """Remove what is old enough now."""
        rows: dict[str, int] = {}
        why = ""
        try:
            why = await self._clock_fault()
            if not why:
                for name, days in self.keep.by_table().items():
                    await self._remove(name, self._wall() - days * DAY_MS, rows)
                if "call" in self.keep.by_table():
                    await uncut(self._remove_waiting(rows))
                if {"supervision", "call"} & rows.keys():
                    await self._destroy_keys()
        except _ClockError as error:
            why = str(error)
        except (SQLAlchemyError, OSError) as error:
            why = reason_of(error)
        if why:
            self._log.error("retention_stopped", why=why)
        elif rows:
            self._log.info("retention_applied", rows=sum(rows.values()))
        done = Run(self._wall(), rows, why)
        try:
            await uncut(self._write_down(done))
        except (SQLAlchemyError, OSError) as error:
            self._log.warning("retention_not_written_down", why=reason_of(error))
        return done

    async def _write_down(self, done: Run) -> None:
        async with in_turn(self._engine) as connection:
            await write_setting(LAST_RUN, done)(connection)

    async def _clock_fault(self) -> str:
        last = select(tables.audit.c.at).order_by(tables.audit.c.n.desc()).limit(1)
        async with self._engine.connect() as connection:
            at = await connection.scalar(last)
        return clock_fault(self._wall(), self._mono(), self._wall_0, self._mono_0, at)

    # --- rows --------------------------------------------------------------------------------

    async def _remove(self, name: str, before: int, rows: dict[str, int]) -> None:
        place: Place | None = (-1, "")
        while place is not None:
            # At each chunk: a run may be long, and a clock can be put right at any time.
            if why := await self._clock_fault():
                raise _ClockError(why)
            place, removed = await uncut(self._chunk(tables.metadata.tables[name], before, place))
            if removed:
                rows[name] = rows.get(name, 0) + removed
            await asyncio.sleep(PAUSE_S)

    async def _chunk(self, table: Table, before: int, after: Place) -> tuple[Place | None, int]:
        """Where the next one begins, None at the end; and how many were removed."""
        c = table.c
        async with in_turn(self._engine) as connection:
            held = await held_now(connection)
            # By their start, which has an index; what runs has no end, so it is never among them.
            began, ended = (c.made, c.settled) if table is tables.flag else (c.started, c.ended)
            old = (
                select(began.label("began"), c.id)
                .where(began < before, ended < before, not_(held_rows(table, held)))
                .where(tuple_(began, c.id) > tuple_(*after))
                .order_by(began, c.id)
                .limit(CHUNK)
            )
            found = (await connection.execute(old)).all()
            ids = [row.id for row in found]
            if ids:
                await _delete(connection, table, ids)
                plain = {"kind": str(table.name), "before": before, "rows": len(ids)}
                await self._audit.append(connection, [Entry(action=EXPIRED, plain=plain)])
        if table is tables.supervision and ids:
            self._forget(ids)
        place = (found[-1].began, found[-1].id) if len(found) == CHUNK else None
        return place, len(ids)

    async def _remove_waiting(self, rows: dict[str, int]) -> None:
        """Scores of calls that never became known: those that did go with their call."""
        days = self.keep.by_table()["call"]
        c, before = tables.score.c, self._wall() - days * DAY_MS
        old = delete(tables.score).where(c.call.is_(None), c.received < before)
        async with in_turn(self._engine) as connection:
            if (await held_now(connection)).all:
                return
            removed = (await connection.execute(old)).rowcount
            if removed:
                rows["score"] = removed
                plain = {"kind": "score", "before": before, "rows": removed}
                await self._audit.append(connection, [Entry(action=EXPIRED, plain=plain)])

    # --- keys --------------------------------------------------------------------------------

    async def _destroy_keys(self) -> None:
        """Of numbers of which no row is left: what the audit log says of them goes with it."""
        async with self._engine.connect() as connection:
            newest = await connection.scalar(select(func.max(tables.audit.c.n))) or 0
        left = await self._audit.keys.numbers()
        for column in (tables.call.c.number, tables.segment.c.number):
            last = ""
            while left:
                some = select(column).where(column > last).distinct().order_by(column)
                async with self._engine.connect() as connection:
                    numbers = list(await connection.scalars(some.limit(KEYS_CHUNK)))
                left.difference_update(
                    self._audit.keys.number(x) for x in numbers if not is_pseudonym(x)
                )
                if len(numbers) < KEYS_CHUNK:
                    break
                last = numbers[-1]
        names = sorted(left)
        for start in range(0, len(names), KEYS_CHUNK):
            await uncut(self._destroy(names[start : start + KEYS_CHUNK], newest))

    async def _destroy(self, names: list[str], newest: int) -> None:
        c = tables.audit.c
        async with in_turn(self._engine) as connection:
            # Whoever writes a row with a number waits for its turn until these are destroyed.
            again = select(c.number).where(c.n > newest, c.number.is_not(None)).distinct()
            held = {self._audit.keys.number(x) for x in (await held_now(connection)).numbers}
            listed = await connection.scalars(select(tables.never_monitor.c.number))
            held |= {self._audit.keys.number(x) for x in listed if x is not None}
            used = set(await connection.scalars(again)) | held
            await self._audit.keys.destroy(set(names) - used)


class _ClockError(Exception):
    """Why the clock is not believed."""


async def _delete(connection: AsyncConnection, table: Table, ids: list[str]) -> None:
    if table is tables.supervision:
        for other in (tables.segment, tables.alert):
            await connection.execute(delete(other).where(other.c.supervision.in_(ids)))
        for one in (tables.notice, tables.reason_asked):
            await connection.execute(delete(one).where(one.c.id.in_(ids)))
        given = tables.reason
        await connection.execute(delete(given).where(given.c.supervision.in_(ids)))
    elif table is tables.call:
        for of_it in (tables.call_alias, tables.call_part, tables.recording, tables.score):
            await connection.execute(delete(of_it).where(of_it.c.call.in_(ids)))
    elif table is tables.flag:
        for part in (tables.flag_version, tables.flag_answer):
            await connection.execute(delete(part).where(part.c.flag.in_(ids)))
    await connection.execute(delete(table).where(table.c.id.in_(ids)))
