"""Reading the ledgers: newest first, by keyset, so that no page is slow and none is cut off."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.store import tables
from monitord.store.rows import record_of


class CursorError(ValueError):
    """Not a cursor that we gave."""


class UnreadableError(Exception):
    """The database does not answer now."""


@dataclass(frozen=True, slots=True)
class Page:
    records: list[Any]
    next: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows: every field that is not None must fit."""

    limit: int
    cursor: str | None = None
    supervisor: str | None = None
    agent: str | None = None
    campaign: str | None = None
    type: str | None = None
    alias: str | None = None
    """Call ID, or any other linkedid or uniqueid seen for the call."""
    begin: int | None = None
    """Started at or after, ms UTC."""
    end: int | None = None
    """Started before, ms UTC."""


def _encode(record: Any) -> str:
    return base64.urlsafe_b64encode(f"{record.started}:{record.id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[int, str]:
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
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(str(getattr(error, "orig", None) or error)) from None

    async def supervisions(self, query: Query) -> Page:
        table = tables.supervision
        statement = select(table)
        if query.supervisor is not None:
            statement = statement.where(table.c.supervisor_id == query.supervisor)
        if query.campaign is not None:
            statement = statement.where(table.c.campaign == query.campaign)
        if query.type is not None:
            statement = statement.where(table.c.type == query.type)
        if query.alias is not None:
            # By its segments: a supervision lasts over several calls.
            calls = select(tables.call_alias.c.call).where(tables.call_alias.c.alias == query.alias)
            seen = select(tables.segment.c.supervision).where(tables.segment.c.call.in_(calls))
            statement = statement.where(table.c.id.in_(seen))
        return await self._page(table, statement, query, SupervisionRecord)

    async def supervision(
        self, row_id: str
    ) -> tuple[SupervisionRecord, list[SegmentRecord]] | None:
        segment = tables.segment
        async with self._reading() as connection:
            row = (
                (
                    await connection.execute(
                        select(tables.supervision).where(tables.supervision.c.id == row_id)
                    )
                )
                .mappings()
                .first()
            )
            if row is None:
                return None
            parts = await connection.execute(
                select(segment).where(segment.c.supervision == row_id).order_by(segment.c.n)
            )
            segments = [record_of(p, SegmentRecord) for p in parts.mappings()]
        return record_of(row, SupervisionRecord), segments

    async def calls(self, query: Query) -> Page:
        table = tables.call
        statement = select(table)
        if query.campaign is not None:
            statement = statement.where(table.c.campaign == query.campaign)
        if query.alias is not None:
            calls = select(tables.call_alias.c.call).where(tables.call_alias.c.alias == query.alias)
            statement = statement.where(table.c.id.in_(calls))
        return await self._page(table, statement, query, CallRecord)

    async def statuses(self, query: Query) -> Page:
        return await self._page(
            tables.agent_status, select(tables.agent_status), query, StatusRecord
        )

    async def gaps(self, query: Query) -> Page:
        return await self._page(tables.gap, select(tables.gap), query, GapRecord)

    async def _page(self, table: Table, statement: Select[Any], query: Query, cls: type) -> Page:
        if query.agent is not None and "agent_id" in table.c:
            statement = statement.where(table.c.agent_id == query.agent)
        if query.begin is not None:
            statement = statement.where(table.c.started >= query.begin)
        if query.end is not None:
            statement = statement.where(table.c.started < query.end)
        if query.cursor is not None:
            place = tuple_(*_decode(query.cursor))
            statement = statement.where(tuple_(table.c.started, table.c.id) < place)
        statement = statement.order_by(table.c.started.desc(), table.c.id.desc())
        async with self._reading() as connection:
            found = (await connection.execute(statement.limit(query.limit + 1))).mappings().all()
        records = [record_of(row, cls) for row in found[: query.limit]]
        more = len(found) > query.limit
        return Page(records, _encode(records[-1]) if more else None)
