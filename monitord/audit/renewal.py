"""New keys for a log whose keys were lost."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.adoption import CHUNK, NEW_KEYS
from monitord.audit.entry import Entry
from monitord.audit.log import AuditError, AuditLog
from monitord.audit.observed import ACTION, entry_of
from monitord.store.engine import reason_of
from monitord.store.rows import TABLE_OF, record_of
from monitord.store.turns import in_turn


async def renew(engine: AsyncEngine, audit: AuditLog, lost: str) -> int:
    """Write that from here on these keys are used, and what the ledger holds once more: what was
    said of it can be read by nobody any more. All of it or nothing; gives how many rows.

    Raises:
        AuditError: nothing was written.
    """
    plain = {"keys": audit.keys.id, "public": audit.keys.public, "lost": lost}
    count = 0
    try:
        async with in_turn(engine) as connection:
            await audit.append(connection, [Entry(action=NEW_KEYS, plain=plain)])
            for cls in ACTION:
                count += await _observe(connection, audit, cls)
    except (SQLAlchemyError, OSError) as error:
        raise AuditError(reason_of(error)) from None
    return count


async def _observe(connection: AsyncConnection, audit: AuditLog, cls: type) -> int:
    table, last, count = TABLE_OF[cls], "", 0
    while True:
        some = select(table).where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
        rows = (await connection.execute(some)).mappings().all()
        entries = [entry_of(record_of(row, cls)) for row in rows]
        await audit.append(connection, [e for e in entries if e is not None])
        count += len(rows)
        if len(rows) < CHUNK:
            return count
        last = rows[-1]["id"]
