"""Recordings of a call, as the ledger has them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.ledger import RecordingRecord
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.history import UnreadableError
from monitord.store.rows import record_of

RECORDINGS_MOST = 50
"""Of one call."""


class RecordingStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_call(self, call: str) -> list[RecordingRecord]:
        """The first one first, which gives each its number.

        Raises:
            UnreadableError: the database does not answer.
        """
        c = tables.recording.c
        some = select(tables.recording).where(c.call == call).order_by(c.started, c.id)
        try:
            async with self._engine.connect() as connection:
                rows = await connection.execute(some.limit(RECORDINGS_MOST))
                return [record_of(row, RecordingRecord) for row in rows.mappings()]
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None
