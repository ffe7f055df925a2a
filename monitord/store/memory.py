"""What the ledger still holds open from before this process, for the reducer to go on with."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Select, Table, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.events import Remembered
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.store import tables
from monitord.store.engine import name_of, reason_of, setting_of
from monitord.store.errors import StoreError, left_alone
from monitord.store.rows import record_of

USED_MS = 24 * 3_600_000
USED_MOST = 20_000
"""How far back, and how many, of the rows that are over are looked at: of channels that still
live."""


async def remembered(engine: AsyncEngine, pbx: str) -> Remembered:
    """All open rows of one PBX, and which ids are taken.

    Raises:
        StoreError: they cannot be read, or hold what monitord never writes.
    """
    try:
        return await _remembered(engine, pbx)
    except (SQLAlchemyError, OSError, msgspec.ValidationError) as error:
        raise StoreError(
            f"database {name_of(engine.url)}: the open rows of {pbx} cannot be read: "
            f"{reason_of(error)}. {left_alone(setting_of(engine.url))}"
        ) from None


async def _remembered(engine: AsyncEngine, pbx: str) -> Remembered:
    supervision, segment = tables.supervision, tables.segment
    open_ids = select(supervision.c.id).where(
        supervision.c.pbx == pbx, supervision.c.ended.is_(None)
    )
    async with engine.connect() as connection:

        async def rows(statement: Select[Any], cls: type) -> tuple[Any, ...]:
            found = await connection.execute(statement)
            return tuple(record_of(row, cls) for row in found.mappings())

        def still_open(table: Table) -> Select[Any]:
            return select(table).where(table.c.pbx == pbx, table.c.ended.is_(None))

        last_seen = await connection.scalar(
            select(tables.attachment.c.last_seen).where(tables.attachment.c.pbx == pbx)
        )
        # At the end of a gap all state was read. A kill just after that row was written, and before
        # the next sign of life, must not make the gap that is over begin again.
        read = await connection.scalar(
            select(func.max(tables.gap.c.ended)).where(tables.gap.c.pbx == pbx)
        )
        last_seen = max(last_seen, read or 0) if last_seen else 0
        used: set[str] = set()
        for table in (supervision, tables.call):
            over = (
                select(table.c.id)
                .where(table.c.pbx == pbx, table.c.ended >= last_seen - USED_MS)
                .order_by(table.c.ended.desc())
                .limit(USED_MOST)
            )
            used.update(await connection.scalars(over))
        return Remembered(
            supervisions=await rows(still_open(supervision), SupervisionRecord),
            segments=await rows(
                select(segment).where(segment.c.supervision.in_(open_ids)), SegmentRecord
            ),
            calls=await rows(still_open(tables.call), CallRecord),
            statuses=await rows(still_open(tables.agent_status), StatusRecord),
            last_seen=last_seen,
            gaps=await rows(
                still_open(tables.gap).order_by(tables.gap.c.started.desc()), GapRecord
            ),
            used=frozenset(used),
        )
