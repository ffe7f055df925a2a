"""The audit log: written before an act, its outcome after, never changed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.chain import BEFORE_FIRST, Row, hash_of
from monitord.audit.entry import Entry, parts
from monitord.audit.keys import Keys, seal
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.text import clean
from monitord.store.turns import in_turn

CHUNK = 500

_COLUMNS = tables.audit.c


class AuditError(Exception):
    """The row could not be committed, so whatever it is about must not be done."""


class AuditLog:
    def __init__(self, engine: AsyncEngine, keys: Keys) -> None:
        self._engine = engine
        self.keys = keys

    async def write(self, entry: Entry) -> int:
        """Commit one row and give its number.

        Raises:
            AuditError: it is not on disk.
        """
        try:
            return await uncut(self._commit(entry))
        except (SQLAlchemyError, OSError) as error:
            raise AuditError(reason_of(error)) from None

    async def _commit(self, entry: Entry) -> int:
        async with in_turn(self._engine) as connection:
            return (await self.append(connection, [entry]))[0]

    def alongside(self, *entries: Entry) -> Callable[[AsyncConnection], Awaitable[None]]:
        """Writes rows in the transaction of what they are about, which must be one of
        ``store.turns``: both are there, or neither."""

        async def write(connection: AsyncConnection) -> None:
            await self.append(connection, entries)

        return write

    async def append(self, connection: AsyncConnection, entries: Iterable[Entry]) -> list[int]:
        """The same, at once. Gives their numbers.

        Raises:
            SQLAlchemyError, OSError: nothing of the transaction may be committed.
        """
        entries = list(entries)
        if not entries:
            return []
        latest = select(func.max(_COLUMNS.at)).scalar_subquery().label("latest")
        found = await connection.execute(
            select(_COLUMNS.n, _COLUMNS.hash, latest).order_by(_COLUMNS.n.desc()).limit(1)
        )
        last = found.one_or_none()
        n, before, at = last if last is not None else (0, BEFORE_FIRST, 0)
        back = 0
        numbers: list[int] = []
        for start in range(0, len(entries), CHUNK):
            some = entries[start : start + CHUNK]
            rows = await self._rows(some, n + 1, before)
            await connection.execute(insert(tables.audit), rows)
            n, before = rows[-1]["n"], rows[-1]["hash"]
            for row in rows:
                at = max(at, row["at"])
                back = max(back, at - row["at"])
            numbers += [row["n"] for row in rows]
        if back:
            clock = tables.audit_clock
            await connection.execute(update(clock).where(clock.c.back < back).values(back=back))
        return numbers

    async def _rows(self, entries: Sequence[Entry], n: int, before: str) -> list[dict[str, Any]]:
        owned = [list(parts(entry)) for entry in entries]
        people, numbers = await self.keys.of(
            {of.person for all_of in owned for of in all_of if of.person is not None},
            {of.number for all_of in owned for of in all_of if of.number is not None},
        )
        rows: list[dict[str, Any]] = []
        for entry, all_of in zip(entries, owned, strict=True):
            sealed: dict[str, str] = {}
            subject = number = None
            for of in all_of:
                if of.person is not None:
                    pseudonym, key = people[of.person]
                    if entry.actor is None or of.person != entry.actor.id:
                        subject = subject or pseudonym
                else:
                    assert of.number is not None
                    pseudonym, key = numbers[of.number]
                    number = number or pseudonym
                sealed[pseudonym] = seal(pseudonym, key, of.values)
            body = {"plain": clean(entry.plain), "sealed": sealed}
            row = Row(
                n=n,
                at=time.time_ns() // 1_000_000 if entry.at is None else entry.at,
                action=entry.action,
                actor=people[entry.actor.id][0] if entry.actor is not None else None,
                subject=subject,
                number=number,
                target=clean(entry.target),
                about=entry.about,
                body=msgspec.json.encode(body, order="deterministic").decode(),
            )
            row = msgspec.structs.replace(row, hash=hash_of(before, row))
            rows.append(msgspec.structs.asdict(row))
            n, before = n + 1, row.hash
        return rows
