"""Notices in the database: read here; the recorder writes them, as all ledgers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.ledger import NoticeRecord, OutgoingRecord, SupervisionRecord
from monitord.domain.words import Telling
from monitord.outbox.store import put
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.history import UnreadableError
from monitord.store.rows import record_of

DUE_MOST = 500
"""Notices that are told at a time."""

Place = tuple[int, str]
"""Start and id of the last row of the page before."""

_C = tables.notice.c


class NoticeStore:
    """Every method raises ``UnreadableError`` where the database does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def _read(self, statement: Select[Any], cls: type[Any]) -> list[Any]:
        try:
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None
        return [record_of(row, cls) for row in rows]

    async def current(self, told_since: int) -> list[NoticeRecord]:
        """Those that something is still to be told of but for the clock's sake, and those that were
        told as ended since then."""
        waits = and_(_C.telling == Telling.AFTER_CALL.value, _C.due.is_(None))
        open_: ColumnElement[bool] = and_(_C.told_ended.is_(None), or_(_C.ended.is_(None), waits))
        wanted = or_(open_, _C.told_ended >= told_since)
        return await self._read(select(tables.notice).where(wanted), NoticeRecord)

    async def running(self, pbxs: Iterable[str]) -> list[SupervisionRecord]:
        """Supervisions of these PBXs that have no end yet."""
        c = tables.supervision.c
        statement = select(tables.supervision).where(c.pbx.in_(list(pbxs)), c.ended.is_(None))
        return await self._read(statement, SupervisionRecord)

    async def due(self, now: int) -> list[NoticeRecord]:
        """Those whose time has come, the earliest first."""
        statement = (
            select(tables.notice)
            .where(_C.told_ended.is_(None), _C.due <= now)
            .where(or_(_C.told_begun.is_(None), _C.ended.is_not(None)))
            .order_by(_C.due, _C.id)
            .limit(DUE_MOST)
        )
        return await self._read(statement, NoticeRecord)

    async def told(
        self, some: Collection[NoticeRecord], outgoing: Collection[OutgoingRecord]
    ) -> None:
        """They were told now, with what webhooks are to be told of it: all of it or nothing."""
        try:
            await uncut(self._told(some, outgoing))
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None

    async def _told(
        self, some: Collection[NoticeRecord], outgoing: Collection[OutgoingRecord]
    ) -> None:
        # Only that: whose a row is may have been changed since it was read.
        rows = [{"row": n.id, "begun": n.told_begun, "over": n.told_ended} for n in some]
        statement = (
            update(tables.notice)
            .where(_C.id == bindparam("row"))
            .values(told_begun=bindparam("begun"), told_ended=bindparam("over"))
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement, rows)
            await put(connection, outgoing)

    async def next_due(self, now: int) -> int | None:
        """When the next one's time comes, after ``now``."""
        statement = select(tables.notice).where(_C.told_ended.is_(None), _C.due > now)
        found = await self._read(statement.order_by(_C.due).limit(1), NoticeRecord)
        return found[0].due if found else None

    async def page(
        self, agent: str, limit: int, after: Place | None = None
    ) -> tuple[list[NoticeRecord], Place | None]:
        """What an agent was told, newest first, and where the next page begins; None at the
        end."""
        statement = (
            select(tables.notice)
            .where(_C.agent_id == agent, _C.told_begun.is_not(None))
            .order_by(_C.started.desc(), _C.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            statement = statement.where(tuple_(_C.started, _C.id) < tuple_(*after))
        rows = await self._read(statement, NoticeRecord)
        more = len(rows) > limit
        last = rows[limit - 1] if more else None
        return rows[:limit], None if last is None else (last.started, last.id)
