"""The audit log: written before an act, its outcome after, never changed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.store import tables
from monitord.store.engine import reason_of, uncut

CHUNK = 500


class AuditError(Exception):
    """The row could not be committed, so whatever it is about must not be done."""


class AuditLog:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def write(
        self,
        *,
        actor_id: str,
        actor_name: str,
        action: str,
        target: str,
        detail: dict[str, Any],
        about: int | None = None,
    ) -> int:
        """Commit one row and give its number.

        Raises:
            AuditError: it is not on disk.
        """
        row = _row(actor_id, actor_name, action, target, detail, about)
        try:
            return await uncut(self._commit(row))
        except (SQLAlchemyError, OSError) as error:
            raise AuditError(reason_of(error)) from None

    async def _commit(self, row: dict[str, Any]) -> int:
        async with self._engine.begin() as connection:
            result = await connection.execute(insert(tables.audit).values(row))
            key = result.inserted_primary_key
        assert key is not None
        return int(key[0])


class Entry(Struct, frozen=True):
    """What somebody did, for :func:`write_within`."""

    action: str
    target: str
    detail: dict[str, Any]


async def write_within(
    connection: AsyncConnection, actor_id: str, actor_name: str, entries: Iterable[Entry]
) -> None:
    """Rows in the transaction of what they are about: either both are on disk or neither is."""
    rows = [_row(actor_id, actor_name, e.action, e.target, e.detail, None) for e in entries]
    for start in range(0, len(rows), CHUNK):
        await connection.execute(insert(tables.audit), rows[start : start + CHUNK])


def audited(
    actor_id: str, actor_name: str, action: str, target: str, detail: dict[str, Any]
) -> Callable[[AsyncConnection], Awaitable[None]]:
    """Writes a row in the transaction of what it is about: both are there, or neither."""
    row = _row(actor_id, actor_name, action, target, detail, None)

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(insert(tables.audit).values(row))

    return write


def _row(
    actor_id: str,
    actor_name: str,
    action: str,
    target: str,
    detail: dict[str, Any],
    about: int | None,
) -> dict[str, Any]:
    return {
        "at": time.time_ns() // 1_000_000,
        "actor_id": actor_id,
        "actor_name": actor_name,
        "action": action,
        "target": target,
        "detail": msgspec.json.encode(detail).decode(),
        "about": about,
    }
