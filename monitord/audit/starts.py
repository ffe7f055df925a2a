"""What a start of the daemon writes into the audit log: that it started, by which settings, and
that nobody knows what became of the acts which the last run did not see the end of."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import delete, exists, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Entry
from monitord.audit.log import AuditError, AuditLog
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.turns import in_turn

SETTLED: dict[str, str] = {
    "disconnect": "disconnect outcome",
    "export": "export outcome",
    "prove log": "prove log outcome",
}
"""Acts that have a row before and a row after."""

UNKNOWN = "sent, outcome unknown: monitord was stopped before it could tell"
_SEEN = "settings.seen"


async def started(
    engine: AsyncEngine, audit: AuditLog, version: str, settings: dict[str, Any]
) -> None:
    """``settings``: the file's, without people and secrets.

    Raises:
        AuditError: it is not on disk.
    """
    try:
        async with in_turn(engine) as connection:
            entries = [Entry(action="start", plain={"version": version})]
            now = flat(settings)
            before = await _seen(connection)
            if before != now:
                if before is not None:
                    entries.append(Entry(action="change settings", plain=differences(before, now)))
                await _see(connection, now)
            await audit.append(connection, [*entries, *await _unsettled(connection)])
    except (SQLAlchemyError, OSError) as error:
        raise AuditError(reason_of(error)) from None


async def _unsettled(connection: AsyncConnection) -> list[Entry]:
    act, outcome = tables.audit.alias("act"), tables.audit.alias("outcome")
    some = (
        select(act.c.n, act.c.action, act.c.target)
        .where(act.c.action.in_(SETTLED), ~exists().where(outcome.c.about == act.c.n))
        .order_by(act.c.n)
    )
    return [
        Entry(
            action=SETTLED[row.action],
            target=row.target,
            plain={"outcome": "unknown", "why": UNKNOWN},
            about=row.n,
        )
        for row in await connection.execute(some)
    ]


def flat(settings: Any, before: str = "") -> dict[str, Any]:
    """Each setting under its key, such as ``server.port``."""
    if not isinstance(settings, dict):
        return {before: settings}
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{before}.{key}" if before else str(key))
    return found


def differences(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """``key: [before, now]``; null for what is not there."""
    return {
        key: [before.get(key), now.get(key)]
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    }


async def _seen(connection: AsyncConnection) -> dict[str, Any] | None:
    where = tables.setting.c.name == _SEEN
    value = await connection.scalar(select(tables.setting.c.value).where(where))
    return None if value is None else msgspec.json.decode(value, type=dict[str, Any])


async def _see(connection: AsyncConnection, now: dict[str, Any]) -> None:
    await connection.execute(delete(tables.setting).where(tables.setting.c.name == _SEEN))
    text = msgspec.json.encode(now).decode()
    await connection.execute(insert(tables.setting).values(name=_SEEN, value=text))
