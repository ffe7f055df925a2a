"""The webhooks' queues in the database."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.domain.ledger import OutgoingRecord
from monitord.store import tables
from monitord.store.engine import uncut
from monitord.store.rows import record_of, row_of

_C = tables.outbox.c


async def put(connection: AsyncConnection, rows: Collection[OutgoingRecord]) -> None:
    """Into the queues, in the transaction of what they are about."""
    if rows:
        await connection.execute(insert(tables.outbox), [row_of(row) for row in rows])


class OutboxStore:
    """Every method raises ``SQLAlchemyError`` or ``OSError`` where the database does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, hook: str, now: int, most: int) -> list[OutgoingRecord]:
        """What is to be sent now, in the order in which it was due."""
        statement = (
            select(tables.outbox)
            .where(_C.hook == hook, _C.due <= now)
            .order_by(_C.due, _C.id)
            .limit(most)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [record_of(row, OutgoingRecord) for row in rows]

    async def next_due(self, hook: str) -> int | None:
        statement = select(func.min(_C.due)).where(_C.hook == hook)
        async with self._engine.connect() as connection:
            found: int | None = await connection.scalar(statement)
        return found

    async def count(self, hook: str) -> int:
        statement = select(func.count()).where(_C.hook == hook)
        async with self._engine.connect() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def later(self, row: OutgoingRecord) -> None:
        """It is tried again when it is due."""
        values = {"due": row.due, "attempts": row.attempts}
        async with self._engine.begin() as connection:
            await connection.execute(update(tables.outbox).where(_C.id == row.id).values(values))

    async def done(self, ids: Collection[str]) -> None:
        await uncut(self._done(ids))

    async def _done(self, ids: Collection[str]) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(tables.outbox).where(_C.id.in_(list(ids))))

    async def too_old(self, hook: str, before: int) -> int:
        """Give up what was made before then. Gives how many."""
        async with self._engine.begin() as connection:
            gone = await connection.execute(
                delete(tables.outbox).where(_C.hook == hook, _C.made < before)
            )
        return int(gone.rowcount)

    async def too_many(self, hook: str, over: int) -> int:
        """Give up the oldest. Gives how many."""
        oldest = select(_C.id).where(_C.hook == hook).order_by(_C.made, _C.id).limit(over)
        async with self._engine.begin() as connection:
            gone = await connection.execute(
                delete(tables.outbox).where(_C.id.in_(oldest.scalar_subquery()))
            )
        return int(gone.rowcount)

    async def of_others(self, hooks: Collection[str]) -> int:
        """Give up what no webhook is there for any more. Gives how many."""
        async with self._engine.begin() as connection:
            gone = await connection.execute(
                delete(tables.outbox).where(_C.hook.not_in(list(hooks)))
            )
        return int(gone.rowcount)
