"""Reasons of supervisions in the database. Each version of one stands in the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Actor, Entry, of_person
from monitord.audit.log import AuditLog
from monitord.domain.ledger import SupervisionRecord
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.filters import unanswered
from monitord.store.history import UnreadableError
from monitord.store.rows import record_of
from monitord.store.turns import in_turn

TEXT_MOST = 500
"""Characters of a reason."""

OPEN_MS = 90 * 24 * 3_600_000
"""How long after its start a supervisor is still asked about a supervision."""

OPEN_MOST = 50

Act = Literal["supervision", "disconnect"]
"""Why somebody supervised, or why somebody disconnected it."""


class Reason(Struct, frozen=True):
    supervision: str
    act: Act
    text: str
    by_id: str
    by_name: str
    given: int
    changed: int | None = None
    """When it was last corrected."""


class NotWrittenError(Exception):
    """The database did not take it, so nothing was changed."""


_C = tables.reason.c


class ReasonStore:
    """What reads raises ``UnreadableError`` where the database does not answer."""

    def __init__(self, engine: AsyncEngine, audit: AuditLog) -> None:
        self._engine = engine
        self._audit = audit

    async def of(self, ids: Iterable[str]) -> dict[str, list[Reason]]:
        """Of each of these supervisions that has any."""
        statement = (
            select(tables.reason).where(_C.supervision.in_(list(ids))).order_by(_C.given, _C.act)
        )
        found: dict[str, list[Reason]] = {}
        try:
            async with self._engine.connect() as connection:
                for row in (await connection.execute(statement)).mappings():
                    reason: Reason = record_of(row, Reason)
                    found.setdefault(reason.supervision, []).append(reason)
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None
        return found

    async def unanswered(self, supervisor: str, now: int) -> list[SupervisionRecord]:
        """Those of somebody's own supervisions whose reason was asked for and not given, newest
        first."""
        table = tables.supervision
        statement = (
            select(table)
            .where(table.c.supervisor_id == supervisor, table.c.started >= now - OPEN_MS)
            .where(unanswered(table.c.id))
            .order_by(table.c.started.desc(), table.c.id.desc())
            .limit(OPEN_MOST)
        )
        try:
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None
        return [record_of(row, SupervisionRecord) for row in rows]

    async def give(
        self, supervision: str, act: Act, text: str, by: tuple[str, str], now: int
    ) -> Reason:
        """Somebody (id, name) gives or corrects one, with a row in the audit log.

        Raises:
            NotWrittenError: nothing was changed.
        """
        try:
            return await uncut(self._give(supervision, act, text, by, now))
        except (SQLAlchemyError, OSError) as error:
            raise NotWrittenError(reason_of(error)) from None

    async def _give(
        self, supervision: str, act: Act, text: str, by: tuple[str, str], now: int
    ) -> Reason:
        mine = (_C.supervision == supervision, _C.act == act)
        async with in_turn(self._engine) as connection:
            old = await _find(connection, mine)
            if old is None:
                new = Reason(supervision, act, text, *by, given=now)
                values = {name: getattr(new, name) for name in new.__struct_fields__}
                await connection.execute(insert(tables.reason).values(values))
            else:
                new = Reason(supervision, act, text, *by, given=old.given, changed=now)
                changed = {"text": text, "by_id": by[0], "by_name": by[1], "changed": now}
                await connection.execute(update(tables.reason).where(*mine).values(changed))
            action = "give reason" if old is None else "correct reason"
            detail: dict[str, Any] = {"of": act, "is": text}
            if old is not None:
                detail["was"] = old.text
            entry = Entry(
                action=action,
                actor=Actor(*by),
                target=supervision,
                personal=(of_person(by[0], **detail),),
            )
            await self._audit.append(connection, [entry])
        return new


async def _find(connection: AsyncConnection, mine: tuple[Any, ...]) -> Reason | None:
    found = await connection.execute(select(tables.reason).where(*mine).with_for_update())
    row = found.mappings().first()
    return None if row is None else record_of(row, Reason)
