"""Alerts in the database: read here; the recorder writes them, as all ledgers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.ledger import AlertRecord
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.history import UnreadableError
from monitord.store.rows import record_of

SHOWN_MOST = 500
"""Alerts that are shown live; older ones stand in the ledger."""

LOOKED_AT_MOST = 5_000
"""Rows that one page looks through for those that somebody may see."""

Place = tuple[int, str]
"""When the last alert of the page before was raised, and its id."""

_C = tables.alert.c
_NEWEST = (_C.raised.desc(), _C.id.desc())


class AlertStore:
    """Every method raises ``UnreadableError`` where the database does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def _read(self, statement: Select[Any]) -> list[AlertRecord]:
        try:
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None
        return [record_of(row, AlertRecord) for row in rows]

    async def current(self) -> list[AlertRecord]:
        """The newest that nobody has acknowledged, and all of supervisions that have not ended,
        oldest first."""
        supervision = tables.supervision.c
        running = select(supervision.id).where(supervision.ended.is_(None))
        unseen = select(_C.id).where(_C.acknowledged.is_(None)).order_by(*_NEWEST).limit(SHOWN_MOST)
        wanted: ColumnElement[bool] = or_(
            _C.supervision.in_(running), _C.id.in_(select(unseen.subquery().c.id))
        )
        return await self._read(select(tables.alert).where(wanted).order_by(_C.raised, _C.id))

    async def find(self, alert_id: str) -> AlertRecord | None:
        found = await self._read(select(tables.alert).where(_C.id == alert_id))
        return found[0] if found else None

    async def page(
        self,
        sees: Callable[[AlertRecord], bool],
        limit: int,
        after: Place | None = None,
        *,
        unacknowledged: bool = False,
    ) -> tuple[list[AlertRecord], Place | None]:
        """Those that somebody ``sees``, newest first, and where the next page begins; None at the
        end. A page may hold fewer than ``limit`` and yet not be the last."""
        found: list[AlertRecord] = []
        looked = 0
        while looked < LOOKED_AT_MOST:
            statement = select(tables.alert).order_by(*_NEWEST).limit(limit + 1)
            if after is not None:
                statement = statement.where(tuple_(_C.raised, _C.id) < tuple_(*after))
            if unacknowledged:
                statement = statement.where(_C.acknowledged.is_(None))
            rows = await self._read(statement)
            for row in rows[:limit]:
                if sees(row):
                    found.append(row)
                after = (row.raised, row.id)
                if len(found) == limit:
                    return found, after if row is not rows[-1] else None
            if len(rows) <= limit:
                return found, None
            looked += limit
        return found, after
