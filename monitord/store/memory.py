"""What the ledger still holds open from before this process, for the reducer to go on with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.events import Remembered
from monitord.domain.ledger import CallRecord, SegmentRecord, StatusRecord, SupervisionRecord
from monitord.store import tables
from monitord.store.rows import record_of


async def remembered(engine: AsyncEngine, pbx: str) -> Remembered:
    """All open rows of one PBX."""
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
        return Remembered(
            supervisions=await rows(still_open(supervision), SupervisionRecord),
            segments=await rows(
                select(segment).where(segment.c.supervision.in_(open_ids)), SegmentRecord
            ),
            calls=await rows(still_open(tables.call), CallRecord),
            statuses=await rows(still_open(tables.agent_status), StatusRecord),
            last_seen=last_seen or 0,
        )
