"""Reading the ledgers: newest first, by keyset, so that no page is slow and none is cut off."""

from __future__ import annotations

import base64
import binascii
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    PartRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.store import choices as choosing
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.filters import Leg, Part, Place, Query, legs, parts
from monitord.store.listed import listed, since
from monitord.store.rows import record_of

__all__ = ["CursorError", "History", "Ledger", "Page", "Query", "UnreadableError"]


async def rows_of(engine: AsyncEngine, statement: Select[Any]) -> Sequence[RowMapping]:
    """All rows of one question.

    Raises:
        UnreadableError: the database does not answer.
    """
    try:
        async with engine.connect() as connection:
            rows: Sequence[RowMapping] = (await connection.execute(statement)).mappings().all()
    except (SQLAlchemyError, OSError) as error:
        raise UnreadableError(reason_of(error)) from None
    return rows


class CursorError(ValueError):
    """Not a cursor that we gave."""


class UnreadableError(Exception):
    """The database does not answer now."""


@dataclass(frozen=True, slots=True)
class Page:
    records: list[Any]
    next: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    table: Table
    record: type[Any]


SUPERVISIONS = Ledger(tables.supervision, SupervisionRecord)
CALLS = Ledger(tables.call, CallRecord)
STATUSES = Ledger(tables.agent_status, StatusRecord)
GAPS = Ledger(tables.gap, GapRecord)


def _encode(record: Any) -> str:
    return base64.urlsafe_b64encode(f"{record.started}:{record.id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> Place:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        started, _, row_id = text.partition(":")
        place = int(started), row_id
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise CursorError("not a cursor of an earlier page") from None
    if not 0 <= place[0] < 1 << 53 or "\0" in row_id:  # which PostgreSQL would not take
        raise CursorError("not a cursor of an earlier page")
    return place


class History:
    """Reads only. Every method raises ``UnreadableError`` where the database does not answer."""

    def __init__(
        self, engine: AsyncEngine, caught_up: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """``caught_up`` waits until what was told so far stands in the ledgers."""
        self._engine = engine
        self._caught_up = caught_up or _at_once

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None

    async def read(self, ledger: Ledger, query: Query) -> Page:
        """One page.

        Raises:
            CursorError: the query's cursor is none of ours.
        """
        table = ledger.table
        after = None if query.cursor is None else _decode(query.cursor)
        if after is None:
            await self._caught_up()
        found: list[RowMapping] = []
        async with self._reading() as connection:
            for part in parts(table, query, after):
                most = query.limit + 1 - len(found)
                some = [
                    await _newest(connection, table, query, part, leg, most)
                    for leg in legs(table, query)
                ]
                merged = heapq.merge(*some, key=_place, reverse=True)
                found += islice(merged, most)
                if len(found) > query.limit:
                    break
        records = [record_of(row, ledger.record) for row in found[: query.limit]]
        more = len(found) > query.limit
        return Page(records, _encode(records[-1]) if more else None)

    async def batches(self, ledger: Ledger, query: Query) -> AsyncIterator[list[Any]]:
        """All rows, ``query.limit`` at a time. Each batch is a transaction of its own, so that no
        reader of a long list keeps the writer's log from being tidied."""
        while True:
            page = await self.read(ledger, query)
            if page.records:
                yield page.records
            if page.next is None:
                return
            query = replace(query, cursor=page.next)

    async def count(self, ledger: Ledger, query: Query, most: int | None = None) -> int:
        """How many rows fit, counted no further than ``most``."""
        table = ledger.table
        total = 0
        await self._caught_up()
        async with self._reading() as connection:
            for part, leg in _pieces(table, query):
                found = select(table.c.id).where(*part.where, *_of_leg(query, leg))
                if most is not None:
                    found = found.limit(most - total)
                statement = select(func.count()).select_from(found.subquery())
                total += (await connection.execute(statement)).scalar_one()
                if most is not None and total >= most:
                    break
        return total

    async def count_segments(self, query: Query) -> int:
        """How many segments all the supervisions that fit have."""
        segment, table = tables.segment, tables.supervision
        total = 0
        async with self._reading() as connection:
            for part, leg in _pieces(table, query):
                owners = select(table.c.id).where(*part.where, *_of_leg(query, leg))
                statement = select(func.count()).where(segment.c.supervision.in_(owners))
                total += (await connection.execute(statement)).scalar_one()
        return total

    async def supervisions(self, query: Query) -> Page:
        return await self.read(SUPERVISIONS, query)

    async def calls(self, query: Query) -> Page:
        return await self.read(CALLS, query)

    async def statuses(self, query: Query) -> Page:
        return await self.read(STATUSES, query)

    async def gaps(self, query: Query) -> Page:
        return await self.read(GAPS, query)

    async def supervision(
        self, row_id: str
    ) -> tuple[SupervisionRecord, list[SegmentRecord]] | None:
        table = tables.supervision
        await self._caught_up()
        async with self._reading() as connection:
            found = await connection.execute(select(table).where(table.c.id == row_id))
            row = found.mappings().first()
        if row is None:
            return None
        return record_of(row, SupervisionRecord), (await self.segments([row_id]))[row_id]

    async def call(self, row_id: str) -> CallRecord | None:
        table = tables.call
        await self._caught_up()
        async with self._reading() as connection:
            found = await connection.execute(select(table).where(table.c.id == row_id))
            row = found.mappings().first()
        return None if row is None else record_of(row, CallRecord)

    async def on_call(
        self, call: str, most: int
    ) -> list[tuple[SupervisionRecord, list[SegmentRecord]]]:
        """Supervisions with their segments on this call, in the order in which they came to it;
        of no more than so many segments."""
        supervision, segment = tables.supervision, tables.segment
        parts_of_it = (
            select(segment)
            .where(segment.c.call == call)
            .order_by(segment.c.started, segment.c.id)
            .limit(most)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(parts_of_it)).mappings().all()
            segments = [record_of(row, SegmentRecord) for row in rows]
            ids = list(dict.fromkeys(one.supervision for one in segments))
            owners = select(supervision).where(supervision.c.id.in_(ids))
            found = {
                row["id"]: record_of(row, SupervisionRecord)
                for row in (await connection.execute(owners)).mappings()
            }
        return [
            (found[owner], [one for one in segments if one.supervision == owner])
            for owner in ids
            if owner in found
        ]

    async def handed_on(self, call: str, most: int) -> list[PartRecord]:
        """Who had this call before its last agent, the first one first."""
        c = tables.call_part.c
        some = select(tables.call_part).where(c.call == call).order_by(c.ended, c.id).limit(most)
        async with self._reading() as connection:
            rows = (await connection.execute(some)).mappings()
            return [record_of(row, PartRecord) for row in rows]

    async def segments(self, ids: Iterable[str]) -> dict[str, list[SegmentRecord]]:
        """Of each of these supervisions, in their order."""
        segment = tables.segment
        found: dict[str, list[SegmentRecord]] = {row_id: [] for row_id in ids}
        statement = (
            select(segment)
            .where(segment.c.supervision.in_(list(found)))
            .order_by(segment.c.supervision, segment.c.n)
        )
        async with self._reading() as connection:
            for row in (await connection.execute(statement)).mappings():
                found[row["supervision"]].append(record_of(row, SegmentRecord))
        return found

    async def campaigns(self, ids: list[str]) -> dict[str, list[str]]:
        """Of each of these supervisions: the campaigns of its calls, in their order."""
        segment = tables.segment
        found: dict[str, list[str]] = {row_id: [] for row_id in ids}
        statement = (
            select(segment.c.supervision, segment.c.campaign)
            .where(segment.c.supervision.in_(ids), segment.c.campaign.is_not(None))
            .order_by(segment.c.supervision, segment.c.n)
        )
        async with self._reading() as connection:
            for row_id, campaign in await connection.execute(statement):
                if campaign not in found[row_id]:
                    found[row_id].append(campaign)
        return found

    async def choices(
        self,
        ledger: str,
        field: str,
        typed: str,
        most: int,
        within: frozenset[str] | None = None,
    ) -> tuple[list[choosing.Choice], bool]:
        """What a filter can be set to; see :mod:`monitord.store.choices`. ``within``: as in a
        :class:`Query`."""
        sources = choosing.SOURCES[ledger, field]
        async with self._reading() as connection:
            return await choosing.choices(connection, sources, typed, most, within)

    async def named(
        self, ledger: str, field: str, value: str, within: frozenset[str] | None = None
    ) -> choosing.Choice | None:
        sources = choosing.SOURCES[ledger, field]
        async with self._reading() as connection:
            return await choosing.named(connection, sources, value, within)


async def _at_once() -> None:
    pass


def _place(row: RowMapping) -> Place:
    return row["started"], row["id"]


def _pieces(table: Table, query: Query) -> list[tuple[Part, Leg]]:
    return [(part, leg) for part in parts(table, query) for leg in legs(table, query)]


def _of_leg(query: Query, leg: Leg) -> list[ColumnElement[Any]]:
    if leg.column is None or query.within is None:
        return leg.where
    return [leg.column.in_(select(listed(query.within).c.value)), *leg.where]


async def _newest(
    connection: AsyncConnection, table: Table, query: Query, part: Part, leg: Leg, most: int
) -> list[RowMapping]:
    """The first rows of one part and leg."""
    within = [*part.where, *_of_leg(query, leg)]
    statement = (
        select(table).where(*within).order_by(table.c.started.desc(), table.c.id.desc()).limit(most)
    )
    if leg.column is not None and query.within is not None and not part.few:
        times = since(leg.column, query.within, [*part.where, *leg.where], most)
        known = [at for at in (await connection.execute(times)).one() if at is not None]
        if known:
            enough = statement.where(table.c.started >= max(known))
            rows = (await connection.execute(enough)).mappings().all()
            # Fewer: a row was changed between the two statements and fits no more.
            if len(rows) == most:
                return list(rows)
    return list((await connection.execute(statement)).mappings().all())
